"""Every rule of every format is a folder under tests/cases; laws follow below."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.formats.format import Decoded, Hints, Undecodable
from collector.formats.registry import FORMATS
from storage.codec import Codec
from storage.reading import Reading

CASES = Path(__file__).parent.parent / "cases"
FOLDERS = sorted(
    folder for name in FORMATS for folder in (CASES / name).iterdir() if folder.is_dir()
)
HINTS = Hints("s1", "Europe/Paris")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["time", "ts", "t", "no2", "bn", "bt", "bv", "n", "v", "vs", "s", "bver"]
            )
            | st.text(max_size=4),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


def microseconds(text: str | None) -> int | None:
    if text is None:
        return None
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def shown(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    return [
        {
            "sensor": reading.sensor,
            "field": reading.field,
            "time": reading.time_us,
            "value": None if math.isnan(reading.value) else reading.value,
            "unit": reading.unit,
            "flag": reading.flag,
        }
        for reading in readings
    ]


def as_expected(decoded: Decoded) -> dict[str, Any]:
    return {
        "readings": shown(decoded.readings),
        "refusals": [
            {"field": refusal.field, "reason": str(refusal.reason)} for refusal in decoded.refusals
        ],
        "offered": shown(decoded.offered),
    }


@pytest.mark.parametrize(
    "folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}"
)
def test_a_recorded_message_is_read_as_its_case_says(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text())
    topic = (folder / "topic.txt").read_text().strip()
    said = {"topic": topic, **expected["hints"]}
    if "codec" in said:
        said["codec"] = Codec.model_validate(said["codec"])
    hints = Hints(**said)
    received_us = microseconds(expected["received"])
    assert received_us is not None
    decode = FORMATS[folder.parent.name].decode
    [payload_file] = folder.glob("payload.*")
    payload = payload_file.read_bytes()

    if "undecodable" in expected:
        with pytest.raises(Undecodable) as refused:
            decode(payload, hints, received_us)
        assert refused.value.reason == expected["undecodable"]
        assert refused.value.detail
        return

    for reading in expected["readings"]:
        reading["time"] = microseconds(reading["time"])
    for reading in expected.get("offered", []):
        reading["time"] = microseconds(reading["time"])
    assert as_expected(decode(payload, hints, received_us)) == {
        "readings": expected["readings"],
        "refusals": expected["refusals"],
        "offered": expected.get("offered", []),
    }


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_cases_and_is_described(name: str) -> None:
    assert any(folder.parent.name == name for folder in FOLDERS)
    about = FORMATS[name]
    assert all((about.title, about.topic, about.sensor, about.fields, about.units, about.time))


@pytest.mark.parametrize(
    "folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}"
)
def test_the_sensor_of_a_case_stands_in_its_topic(folder: Path) -> None:
    sensor = json.loads((folder / "expected.json").read_text())["hints"]["sensor"]

    assert sensor in (folder / "topic.txt").read_text().strip().split("/") or not sensor


@pytest.mark.parametrize("name", ["plain", "senml"])
@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (b"", "the payload is empty"),
        (b'{"a": 1', "not JSON: unexpected end of data at character 7"),
        (b'{"a": \xff}', "not UTF-8: byte 6 cannot be decoded"),
        (b'{"a": NaN, "b": \xff}', "not UTF-8: byte 16 cannot be decoded"),
        (b'{"a": NaN,}', "not JSON: Expecting property name enclosed in double quotes"),
        (b"[NaN" + b"[" * 3000, "not JSON"),
        (b"[NaN," + b"[" * 3000 + b"]" * 3001, "nested too deeply"),
        (b'["\\ud800", NaN]', "half of a surrogate pair"),
        (b'["\\\\\\u0000"]', "a NUL character near byte 2"),
    ],
)
def test_a_payload_that_is_no_json_is_refused_with_its_place(
    name: str, payload: bytes, detail: str
) -> None:
    with pytest.raises(Undecodable) as refused:
        FORMATS[name].decode(payload, HINTS, 0)

    assert refused.value.reason == "bad_payload"
    assert refused.value.detail.startswith(detail)


def test_a_backslash_before_u0000_is_no_nul_character() -> None:
    decoded = FORMATS["plain"].decode(b'{"no2\\\\u0000": 1}', HINTS, 0)

    assert decoded.readings[0].field == "no2\\u0000"


def test_a_zone_nobody_knows_refuses_naive_times_only() -> None:
    hints = Hints("s1", "Europe/Ys")

    assert FORMATS["plain"].decode(b'{"time": "2024-05-01T12:34:56Z", "a": 1}', hints, 0).readings
    with pytest.raises(Undecodable, match="unknown time zone"):
        FORMATS["plain"].decode(b'{"time": "2024-05-01T12:34:56", "a": 1}', hints, 0)


def test_a_refusal_never_quotes_the_value() -> None:
    address = "aa:bb:cc:dd:ee:ff"
    refusals = FORMATS["plain"].decode(json.dumps({"mac": address}).encode(), HINTS, 0).refusals
    with pytest.raises(Undecodable) as undecodable:
        FORMATS["plain"].decode(json.dumps({"time": address}).encode(), HINTS, 0)

    assert [address in refusal.detail for refusal in refusals] == [False]
    assert address not in str(undecodable.value)


def test_very_long_digits_are_refused_in_no_time() -> None:
    decoded = FORMATS["plain"].decode(
        b'{"a": ' + b"9" * 200_000 + b', "b": "' + b"9" * 200_000 + b'x"}', HINTS, 0
    )

    assert [(refusal.field, refusal.reason) for refusal in decoded.refusals] == [
        ("a", "bad_value"),
        ("b", "bad_value"),
    ]


def survives(name: str, payload: bytes) -> None:
    try:
        decoded = FORMATS[name].decode(payload, HINTS, 1_717_236_000_000_000)
    except Undecodable:
        return
    for reading in (*decoded.readings, *decoded.offered):
        assert math.isfinite(reading.value) or reading.flag == 9
        assert reading.time_us is None or abs(reading.time_us) < 2**62
        reading.field.encode()
    assert all(refusal.field for refusal in decoded.refusals if name == "senml")


@pytest.mark.parametrize("name", FORMATS)
@given(payload=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_undecodable(name: str, payload: bytes) -> None:
    survives(name, payload)


@pytest.mark.parametrize("name", FORMATS)
@given(message=JSON)
def test_no_json_raises_anything_but_undecodable(name: str, message: Any) -> None:
    survives(name, json.dumps(message).encode())
    survives(
        name,
        json.dumps(
            [{"bn": "d:", "n": "x", **one} for one in [message] if isinstance(one, dict)]
        ).encode(),
    )


@given(
    values=st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=6),
        st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_every_number_of_a_plain_object_comes_back(values: dict[str, float]) -> None:
    decoded = FORMATS["plain"].decode(json.dumps(values).encode(), HINTS, 0)

    assert {reading.field: reading.value for reading in decoded.readings} == values
    assert decoded.refusals == []
