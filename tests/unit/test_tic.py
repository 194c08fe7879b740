"""Output of French meters: real messages read in full, and none that breaks the decoder."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import tic
from collector.formats.format import Hints, Undecodable
from collector.formats.tic_labels import LABELS, Role
from storage.reading import Flag
from storage.units import check_unit

HINTS = Hints("meter-1", "Europe/Paris", topic="teleinfo/meter-1")


def historic(label: str, value: str) -> bytes:
    body = f"{label} {value}".encode("latin-1")
    return b"\n" + body + b" " + bytes([(sum(body) & 63) + 32]) + b"\r"


def standard(label: str, value: str, own: str = "") -> bytes:
    body = (f"{label}\t{own}\t{value}\t" if own else f"{label}\t{value}\t").encode("latin-1")
    return b"\n" + body + bytes([(sum(body) & 63) + 32]) + b"\r"


def test_real_messages_of_a_linky_are_read_in_full(shared: Path) -> None:
    lines = (shared / "data/payloads/tasmota/teleinfo_sensor.ndjson").read_bytes().splitlines()

    decoded = [tic.decode(line, HINTS, 0) for line in lines]

    assert [
        {one.field: (one.value, one.unit, one.time_us) for one in message.readings}
        for message in decoded
    ] == [
        {
            "HCHC": (920750.0, "W.h", time_us), "HCHP": (peak, "W.h", time_us),
            "IINST": (1.0, "A", time_us), "PAPP": (power, "V.A", time_us),
        }
        for time_us, peak, power in (
            (1_635_262_125_000_000, 2_275_560.0, 170.0),  # 2021-10-26T15:28:45Z
            (1_635_262_425_000_000, 2_275_570.0, 190.0),
            (1_635_262_725_000_000, 2_275_579.0, 170.0),
        )
    ]  # fmt: skip
    assert [message.refusals for message in decoded] == [[], [], []]
    assert "021528603314" not in repr(decoded)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (b"SMAXSN-1\tE220422144756\t05210\tW", "SMAXSN-1", 5210.0),
        (b"CCASN\tE220423110000\t01468\t:", "CCASN", 1468.0),
        (b"CCASN-1\tE220423100000\t01444\tQ", "CCASN-1", 1444.0),
        (b"UMOY1\tE220423114000\t235\t(", "UMOY1", 235.0),
    ],
)
def test_checksums_that_a_real_meter_sent_are_kept(line: bytes, field: str, value: float) -> None:
    decoded = tic.decode(b"\x02\n" + line + b"\r\x03", HINTS, 0)

    [reading] = (*decoded.readings, *decoded.offered)
    assert (reading.field, reading.value) == (field, value)


def test_every_single_bit_of_a_group_is_checked() -> None:
    group = historic("HCHP", "002275560")
    for place in range(1, len(group) - 1):
        for bit in range(6):  # the checksum adds up modulo 64
            damaged = bytearray(group)
            damaged[place] ^= 1 << bit
            payload = b"\x02" + bytes(damaged) + historic("PAPP", "00170") + b"\x03"

            decoded = tic.decode(payload, HINTS, 0)

            assert [one.field for one in decoded.readings] == ["PAPP"]


def test_a_lower_case_season_makes_every_value_suspect() -> None:
    frame = standard("DATE", "", "e220423114638")
    frame += standard("EAST", "000000100") + standard("SINSTS", "00780")

    decoded = tic.decode(b"\x02" + frame + b"\x03", HINTS, 0)

    assert [(one.field, one.flag) for one in decoded.readings] == [
        ("EAST", Flag.SUSPECT),
        ("SINSTS", Flag.SUSPECT),
    ]


def test_no_label_of_a_person_or_a_word_is_ever_taken() -> None:
    labels = [name for name, label in LABELS.items() if label.role in (Role.PASSED, Role.PERSONAL)]
    frame = b"".join(historic(name, "021528603314") for name in labels)

    decoded = tic.decode(b"\x02" + frame + b"\x03", HINTS, 0)

    assert {"ADCO", "ADSC", "PRM", "PTEC", "NGTF"} <= set(labels)
    assert (decoded.readings, decoded.refusals, list(decoded.offered)) == ([], [], [])


def test_every_unit_of_a_label_can_be_read() -> None:
    for unit in {label.unit for label in LABELS.values() if label.unit}:
        check_unit(unit)


def test_frames_and_labels_are_recognised_and_no_other_format(shared: Path) -> None:
    assert tic.fits("t", b"\x02" + historic("BASE", "1") + historic("PAPP", "2") + b"\x03")
    assert tic.fits("t", b'{"ADCO": "0", "BASE": "1", "PAPP": "2"}')
    assert not tic.fits("t", b'{"BASE": 12.5, "temperature": 3}')
    for folder in ("tasmota", "shelly", "zigbee2mqtt", "sparkplug-b", "senml", "ngsi", "dsmr-p1"):
        for file in (shared / "data/payloads" / folder).iterdir():
            for line in file.read_bytes().splitlines():
                assert not tic.fits("t", line)
            assert not tic.fits("t", file.read_bytes())


GROUPS = st.builds(
    lambda make, label, value, damage: make(label, value) + damage,
    st.sampled_from([historic, standard]),
    st.sampled_from([*LABELS, "X", ""]),
    st.sampled_from(["000000100", "", "E220423110000", "9" * 400, "²", "1e5", "-1", "a\tb\tc\td"])
    | st.text(st.characters(max_codepoint=255), max_size=20),
    st.binary(max_size=3),
)


def check(payload: bytes) -> None:
    tic.fits("t", payload)
    try:
        decoded = tic.decode(payload, HINTS, 0)
    except Undecodable:
        return
    for reading in (*decoded.readings, *decoded.offered):
        assert reading.sensor == "meter-1"
        assert math.isfinite(reading.value) or reading.flag == Flag.MISSING
        assert reading.time_us is None or abs(reading.time_us) < 2**62
    assert all(refusal.field and refusal.detail for refusal in decoded.refusals)


@settings(max_examples=300)
@given(groups=st.lists(GROUPS, max_size=8), ends=st.lists(st.integers(0, 200), max_size=3))
def test_no_frame_breaks_the_decoder(groups: list[bytes], ends: list[int]) -> None:
    payload = b"\x02" + b"".join(groups) + b"\x03"
    check(payload)
    for end in ends:
        check(payload[:end])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=14)
    | st.sampled_from(["000000100", "E220423110000", "H999999999999", "e220423110000", "1e999"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["raw", "value", "timestamp", "date", "x"]), inner)
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300)
@given(
    labels=st.dictionaries(
        st.sampled_from([*LABELS, "Time", "timestamp", "TIC", "papp", "é", ""]), VALUES, max_size=8
    ),
    wrapped=st.booleans(),
)
def test_no_json_of_labels_breaks_the_decoder(labels: dict[str, Any], wrapped: bool) -> None:
    check(json.dumps({"TIC": labels} if wrapped else labels).encode())
