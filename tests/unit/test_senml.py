"""SenML packs: the examples of RFC 8428, and laws."""

from __future__ import annotations

import itertools
import json
import math
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any, Literal

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import senml
from collector.formats.format import Hints, Undecodable
from collector.formats.senml_cbor import LABELS
from collector.formats.senml_write import write_pack
from tests.unit.damaged import check, damaged, damaged_bytes, text

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "payloads" / "senml"
NUMBERS = ("ex1", "ex2", "ex3", "ex4", "ex5", "ex6", "ex7")
NOW = 1_717_236_000.0
CBOR_LABELS = {label: number for number, label in LABELS.items()}
# RFC 8428, section 6: the second example of section 5.1.2 in CBOR.
RFC_CBOR = """
    87 a7 21 78 1b 75 72 6e 3a 64 65 76 3a 6f 77 3a 31 30 65 32 30 37 33 61 30 31 30 38 30 30 36 3a
    22 fb 41 d3 03 a1 5b 00 10 62 23 61 41 20 05 00 67 76 6f 6c 74 61 67 65 01 61 56 02 fb 40 5e 06
    66 66 66 66 66 a3 00 67 63 75 72 72 65 6e 74 06 24 02 fb 3f f3 33 33 33 33 33 33 a3 00 67 63 75
    72 72 65 6e 74 06 23 02 fb 3f f4 cc cc cc cc cc cd a3 00 67 63 75 72 72 65 6e 74 06 22 02 fb 3f
    f6 66 66 66 66 66 66 a3 00 67 63 75 72 72 65 6e 74 06 21 02 f9 3e 00 a3 00 67 63 75 72 72 65 6e
    74 06 20 02 fb 3f f9 99 99 99 99 99 9a a3 00 67 63 75 72 72 65 6e 74 06 00 02 fb 3f fb 33 33 33
    33 33 33
"""
RELATIVE = {"ex1", "ex2", "ex7"}  # their records say no time: the answer holds another "now"


def said(record: senml.Resolved) -> dict[str, Any]:
    """A resolved record as the examples write it: only what it says, without the version."""
    labels = ("n", "u", "t", "v", "vs", "vb", "s", "ut")
    return {label: value for label in labels if (value := getattr(record, label)) is not None}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_examples_of_the_rfc_resolve_as_printed(name: str) -> None:
    if not EXAMPLES.is_dir():
        pytest.skip(f"the examples of RFC 8428 are not at {EXAMPLES.name} beside the repository")
    pack = senml.read_pack((EXAMPLES / f"{name}.json").read_bytes())
    expected = json.loads((EXAMPLES / f"{name}.resolved.json").read_text())
    if name in RELATIVE:
        expected = [{**record, "t": NOW} for record in expected]

    resolved = senml.resolve(pack, NOW)

    # The tool that made the answers drops data records and keeps the order of the pack;
    # the RFC keeps the data and asks for the order of time.
    kept = [said(record) for record in resolved if record.vd is None]
    assert kept == sorted(expected, key=lambda record: record["t"])
    assert sum(record.vd is not None for record in resolved) == (1 if name == "ex7" else 0)


def as_cbor(pack: Any) -> bytes:
    """The pack under the integer labels, written by the library alone."""
    return cbor2.dumps([{CBOR_LABELS.get(name, name): one[name] for name in one} for one in pack])


def test_the_cbor_example_of_the_rfc_resolves_as_its_json_example() -> None:
    resolved = senml.resolve(senml.read_pack(bytes.fromhex(RFC_CBOR)), NOW)

    device, currents = "urn:dev:ow:10e2073a0108006:", (1.2, 1.3, 1.4, 1.5, 1.6, 1.7)
    assert [said(record) for record in resolved] == [
        *(
            {"n": f"{device}current", "u": "A", "t": 1276020076.001 - 5 + n, "v": current}
            for n, current in enumerate(currents[:5])
        ),
        {"n": f"{device}voltage", "u": "V", "t": 1276020076.001, "v": 120.1},
        {"n": f"{device}current", "u": "A", "t": 1276020076.001, "v": 1.7},
    ]
    assert {record.bver for record in resolved} == {5}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_examples_of_the_rfc_resolve_alike_in_cbor(name: str) -> None:
    if not EXAMPLES.is_dir():
        pytest.skip(f"the examples of RFC 8428 are not at {EXAMPLES.name} beside the repository")
    payload = (EXAMPLES / f"{name}.json").read_bytes()
    pack = json.loads(payload)
    for record in pack:
        if "vd" in record:
            assert record["vd"] == "aGkgCg"
            record["vd"] = b"hi \n"

    assert senml.resolve(senml.read_pack(as_cbor(pack)), NOW) == senml.resolve(
        senml.read_pack(payload), NOW
    )


def test_the_version_is_kept_in_resolved_records_unless_it_is_ten() -> None:
    old = senml.resolve([senml.Record(bver=5, n="x", v=1.0), senml.Record(n="y", v=2.0)], NOW)
    own = senml.resolve([senml.Record(bver=10, n="x", v=1.0)], NOW)

    assert [record.bver for record in old] == [5, 5]
    assert [record.bver for record in own] == [None]


def test_a_base_value_makes_no_number_of_booleans_text_or_data() -> None:
    pack = [
        senml.Record(bn="d:", bv=20.0, bs=5.0, n="on", vb=True),
        senml.Record(n="label", vs="a"),
        senml.Record(n="raw", vd="aGk"),
    ]

    resolved = senml.resolve(pack, NOW)

    assert [record.v for record in resolved] == [None, None, None]
    assert [record.s for record in resolved] == [5.0, None, None]


def test_a_refused_pack_says_which_record_is_wrong() -> None:
    with pytest.raises(Undecodable) as refused:
        senml.decode(b'[{"n": "x", "v": 1}, {"n": "y", "v": "two"}]', Hints("s1"), 0)

    assert refused.value.detail == "record 1 v: Input should be a valid number"


def test_a_pack_received_twice_differs_only_in_its_relative_times() -> None:
    pack = b'[{"bt": 1714566896, "n": "x", "v": 1}, {"bn": "r:", "bt": -10, "n": "x", "v": 1}]'

    def times(received_us: int) -> list[int | None]:
        return [
            reading.time_us for reading in senml.decode(pack, Hints("s1"), received_us).readings
        ]

    assert times(1_717_236_000_000_000) == [1_714_566_896_000_000, 1_717_235_990_000_000]
    assert times(1_717_236_060_000_000) == [1_714_566_896_000_000, 1_717_236_050_000_000]


def encoded(measured: list[tuple[str, int, float]]) -> bytes:
    """A pack of (field, microseconds, value), with a base name and a base time."""
    start = measured[0][1]
    records: list[dict[str, Any]] = [
        {"n": field, "t": (time_us - start) / 1e6, "v": value} for field, time_us, value in measured
    ]
    records[0].update(bn="urn:dev:a:", bt=start / 1e6)
    return json.dumps(records).encode()


@given(
    measured=st.lists(
        st.tuples(
            st.text("abcxyz019_.-", min_size=1, max_size=8),
            st.integers(1_600_000_000_000_000, 1_900_000_000_000_000),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_is_encoded_is_decoded_to_the_microsecond(
    measured: list[tuple[str, int, float]],
) -> None:
    decoded = senml.decode(encoded(measured), Hints(""), 0)

    assert decoded.refusals == []
    assert {reading.sensor for reading in decoded.readings} == {"urn:dev:a"}
    assert [(r.field, r.time_us, r.value) for r in decoded.readings] == sorted(
        measured, key=lambda one: one[1]
    )


FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,6}", fullmatch=True)
TIMES = st.floats(2.0**28, 4e9) | st.integers(300_000_000, 4_000_000_000).map(float)


@st.composite
def resolved_records(draw: st.DrawFn) -> list[senml.Resolved]:
    """What resolving gives: in order of time, of one version, each with a value or a sum."""
    version = draw(st.sampled_from([None, None, 5]))
    records = []
    for time in sorted(draw(st.lists(TIMES, min_size=1, max_size=6))):
        base = draw(st.sampled_from(["", "", "urn:dev:a:", "urn:dev:b/"]))
        own = draw(NAMES | st.just("")) if base else draw(NAMES)
        kind = draw(st.sampled_from(["v", "v", "vs", "vb", "vd", "s", "v and s"]))
        data = urlsafe_b64encode(draw(st.binary(max_size=5))).rstrip(b"=").decode()
        records.append(
            senml.Resolved(
                base + own,
                time,
                draw(st.sampled_from([None, "", "W", "Cel", "Cel"])),
                draw(FINITE) if kind in ("v", "v and s") else None,
                draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4))
                if kind == "vs"
                else None,
                draw(st.booleans()) if kind == "vb" else None,
                data if kind == "vd" else None,
                draw(FINITE) if kind in ("s", "v and s") else None,
                draw(st.none() | FINITE),
                version,
                base,
                own,
            )
        )
    return records


@pytest.mark.parametrize("form", ["json", "cbor"])
@given(records=resolved_records())
@settings(max_examples=300)
def test_what_is_written_resolves_to_the_same_records(
    form: Literal["json", "cbor"], records: list[senml.Resolved]
) -> None:
    again = senml.resolve(senml.read_pack(write_pack(records, form)), NOW)

    assert again == records


@pytest.mark.parametrize("form", ["json", "cbor"])
@pytest.mark.parametrize("value", [-0.0, 0.0, 5e-324, 2.0**53, 1.7976931348623157e308])
def test_a_number_is_written_bit_by_bit(form: Literal["json", "cbor"], value: float) -> None:
    [record] = senml.resolve([senml.Record(n="x", t=1714566896.0, v=value)], NOW)

    [again] = senml.resolve(senml.read_pack(write_pack([record], form)), NOW)

    assert str(again.v) == str(value)


def test_a_pack_says_once_what_its_records_share() -> None:
    pack = (
        b'[{"bn":"urn:dev:a:","bt":1714566896.5,"bu":"ug/m3","n":"no2","v":12.5},'
        b'{"n":"o3","v":41.0},{"n":"temp","u":"Cel","v":17.5,"t":0.1},'
        b'{"bn":"urn:dev:b:","n":"no2","v":13.0,"t":60.0}]'
    )

    records = senml.resolve(senml.read_pack(pack), NOW)

    assert json.loads(write_pack(records)) == json.loads(pack)
    assert cbor2.loads(write_pack(records, "cbor")) == [
        {-2: "urn:dev:a:", -3: 1714566896.5, -4: "ug/m3", 0: "no2", 2: 12.5},
        {0: "o3", 2: 41},
        {0: "temp", 1: "Cel", 2: 17.5, 6: 0.1},
        {-2: "urn:dev:b:", 0: "no2", 2: 13, 6: 60},
    ]


def test_names_without_a_base_keep_their_device() -> None:
    records = senml.resolve([senml.Record(n="urn:dev:a:no2", t=1714566896.0, v=1.0)], NOW)

    assert write_pack(records) == b'[{"bn":"urn:dev:a:","bt":1714566896.0,"n":"no2","v":1.0}]'


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"t": 268435455.0}, "relative to the reception"),
        ({"t": math.inf}, "relative to the reception"),
        ({"v": math.nan}, "finite numbers only"),
        ({"bver": 5}, "one version"),
    ],
)
def test_what_no_pack_can_say_is_not_written(changed: dict[str, Any], why: str) -> None:
    record = senml.resolve([senml.Record(n="x", t=1714566896.0, v=1.0)], NOW)[0]

    with pytest.raises(ValueError, match=why):
        write_pack([record, record._replace(**changed)])


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        ("9b7fffffffffffffff", "record 0: a record is a map"),
        ("81bb7fffffffffffffff", "record 0: not CBOR"),
        ("81a1005b7fffffffffffffff", "record 0: not CBOR"),
        ("81a1007b00000000ffffffff", "record 0: not CBOR"),
        ("81a102c4821b7fffffffffffffff01", "record 0: not CBOR"),
        ("81a102c482c101f4", "record 0: not CBOR"),
        ("81a102d81c81d81d00", "record 0: not CBOR"),
        ("81a102d8236628612b292b24", "record 0: not CBOR"),
        ("81a1617a" + "81" * 5000, "record 0: not CBOR"),
        ("81a1617a" + "c1" * 5000, "record 0: not CBOR"),
        ("81a1617a" + "9f" * 5000, "record 0: not CBOR"),
        ("81a10062c328", "record 0: not CBOR"),
        ("80", "a pack is a list of at least one record"),
        ("82a20061780201f6", "record 1: a record is a map"),
    ],
)
def test_hostile_cbor_is_refused_at_its_record(payload: str, detail: str) -> None:
    with pytest.raises(Undecodable) as refused:
        senml.decode(bytes.fromhex(payload), Hints("s1"), 0)

    assert refused.value.reason == "bad_payload"
    assert refused.value.detail == detail


@pytest.mark.parametrize("before", ["81", "81a1617a"])
def test_arrays_are_no_keys_since_theirs_can_be_made_to_collide(before: str) -> None:
    # -1 and -2 have one hash, so these 8,192 keys of 13 would all fall into one place.
    keys = [b"\x8d" + bytes(key) + b"\x00" for key in itertools.product((32, 33), repeat=13)]
    payload = bytes.fromhex(before) + b"\xb9\x20\x00" + b"".join(keys)

    with pytest.raises(Undecodable, match=r"record 0: (a label is neither|not CBOR)"):
        senml.decode(payload, Hints("s1"), 0)


def test_a_big_number_is_the_nearest_double_and_beyond_all_doubles_is_refused() -> None:
    values = [2**70, 10**400, -(10**400), cbor2.CBORTag(4, [-1, 235])]

    decoded = senml.decode(
        as_cbor([{"bt": 1714566896, "n": f"x{n}", "v": one} for n, one in enumerate(values)]),
        Hints("s1"),
        0,
    )

    assert [(one.field, one.value) for one in decoded.readings] == [("x0", 2.0**70), ("x3", 23.5)]
    assert [one.field for one in decoded.refusals] == ["x1", "x2"]


@given(exponent=st.integers(-30, 30), mantissa=st.integers(-(2**80), 2**80))
def test_a_decimal_fraction_is_the_nearest_double(exponent: int, mantissa: int) -> None:
    fraction = cbor2.CBORTag(4, [exponent, mantissa])

    [reading] = senml.decode(as_cbor([{"n": "x", "v": fraction}]), Hints("s1"), 0).readings

    assert reading.value == float(f"{mantissa}e{exponent}")


@pytest.mark.parametrize(
    ("payload", "fits"),
    [
        (b'[{"n": "x", "v": 1}]', True),
        (b"\x81\xa2\x00\x61x\x02\x01", True),
        (b'[{"time": "2024-05-01T12:34:56Z", "no2": 12.5}]', False),
        (b'[{"bn": "d:"}]', False),
        (b'{"n": "x", "v": 1}', False),
    ],
)
def test_a_list_of_objects_that_say_no_record_is_no_pack(payload: bytes, fits: bool) -> None:
    assert senml.fits("city/a", payload) is fits


PACK: list[dict[str, Any]] = [
    {"bn": "d:", "bt": 1714566896, "bu": "W", "bver": 10, "n": "x", "v": 1.5},
    {"n": "y", "vb": True, "ut": 60},
    {"n": "z", "bv": 20, "bs": 1, "s": 7, "t": -5, "u": "Cel"},
    {"n": "text", "vs": "a", "zz": [1]},
]


@given(message=damaged(PACK))
@settings(max_examples=300)
def test_no_damaged_pack_raises_anything_but_undecodable(message: Any) -> None:
    check("senml", text(message), Hints(""))


@given(payload=st.just(as_cbor(PACK)).flatmap(damaged_bytes))
@settings(max_examples=500)
def test_no_damaged_cbor_raises_anything_but_undecodable(payload: bytes) -> None:
    check("senml", payload, Hints(""))


@given(message=damaged(PACK))
@settings(max_examples=300)
def test_no_pack_of_other_items_raises_anything_but_undecodable(message: Any) -> None:
    whole = message if type(message) is list else [message]
    payload = as_cbor([one if type(one) is dict else {"n": one} for one in whole])

    check("senml", payload, Hints(""))
