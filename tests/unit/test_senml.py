"""SenML packs: the examples of RFC 8428, and laws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.formats import senml
from collector.formats.format import Hints, Undecodable

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "payloads" / "senml"
NUMBERS = ("ex1", "ex2", "ex3", "ex4", "ex5", "ex6", "ex7")
NOW = 1_717_236_000.0
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
