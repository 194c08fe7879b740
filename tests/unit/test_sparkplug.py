"""Sparkplug B: single messages, recorded ones, and any bytes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats.births import (
    Device,
    LiveBirths,
)
from collector.formats.format import Decoded, Hints, Undecodable
from collector.formats.sparkplug import decode, fits
from collector.formats.sparkplug_schema import DataType
from storage.reading import Reading, Reason
from tests.unit.sparkplug_messages import (
    NOW_US,
    TEMP,
    hear,
    metric,
    payload,
    refused,
    said,
)


def test_a_topic_longer_than_any_device_has_is_refused():
    message = payload(metric("a", DataType.FLOAT, float_value=1.0))
    fits_in = "spBv1.0/G/NBIRTH/" + "n" * 983
    with pytest.raises(Undecodable, match="more than 1000 bytes"):
        decode(message, Hints("", topic=fits_in + "n"), NOW_US)
    assert len(decode(message, Hints("", topic=fits_in), NOW_US).readings) == 1


@pytest.mark.parametrize(
    ("where", "whole", "fitting"),
    [
        ("spBv1.0/G/NDATA/n", TEMP, True),
        ("spBv1.0/G/DDATA/n/d", TEMP, True),
        ("spBv1.0/STATE/h", b'{"online":true}', True),
        ("spBv1.0/G/NDATA/n", b'{"a": 1}', False),
        ("spBv1.0/G/NDATA/n/d", TEMP, False),
        ("city/a/b/c", TEMP, False),
    ],
)
def test_only_topics_and_payloads_of_sparkplug_fit(where: str, whole: bytes, fitting: bool):
    assert fits(where, whole) is fitting


def test_the_elements_of_arrays_are_bounded():
    many = payload(
        metric("b", DataType.BOOLEAN_ARRAY, bytes_value=(160_000).to_bytes(4, "little") + b"\xff" * 20_000),
        metric("c", DataType.INT8_ARRAY, bytes_value=b"\1" * 20_000),
        metric("d", DataType.INT8_ARRAY, bytes_value=b"\1"),
    )  # fmt: skip
    decoded = hear(LiveBirths(), "NDATA", many)

    assert len(decoded.readings) == 20_000
    assert refused(decoded) == [("b", Reason.BAD_VALUE), ("d", Reason.BAD_VALUE)]


def test_the_recorded_messages_say_what_was_put_into_them(shared: Path):
    folder = shared / "data/payloads/sparkplug-b"
    births = LiveBirths()
    found: dict[str, Decoded] = {}
    for name in (
        "spec_NBIRTH",
        "spec_NDATA",
        "spec_NCMD",
        "spec_NDEATH",
        "own_NBIRTH",
        "own_NDATA",
    ):
        where = (folder / f"{name}.topic.txt").read_text().strip()
        hints = Hints("", topic=where, births=births)
        found[name] = decode((folder / f"{name}.bin").read_bytes(), hints, NOW_US)

    feb = 1_486_144_502_122_000
    volts = [Reading("Raspberry Pi", "Supply Voltage", feb, one, None, 2)
             for one in (12.100000381469727, 12.300000190734863)]  # fmt: skip
    assert found["spec_NBIRTH"] == Decoded([volts[0]], [], [], "Raspberry Pi")
    assert found["spec_NDATA"] == Decoded([volts[1]], [], [], "Raspberry Pi")
    assert found["spec_NCMD"].readings == found["spec_NDEATH"].readings == []
    assert births.of(Device("Sparkplug B Devices", "Raspberry Pi"), NOW_US) is None
    assert said(found["own_NBIRTH"]) == [("air/no2", 38.5), ("air/temp", -42.0)]
    assert found["own_NDATA"].readings == [
        Reading("gw-01", "air/no2", 1_767_222_059_500_000, 41.25, None, 2),
        Reading("gw-01", "air/temp", 1_767_222_059_500_000, -45.0, None, 2),
    ]
    assert json.loads((folder / "own_NDATA.json").read_text())["metrics"][1]["value"] == -45


METRICS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([b"a", b"bdSeq", b"Properties/x", b"\xff", b"a\0", b"", b"Node Control/x"]),
        "alias": st.integers(0, 3) | st.just(2**64 - 1),
        "timestamp": st.integers(0, 2**64 - 1),
        "datatype": st.integers(0, 36) | st.just(2**32 - 1),
        "is_null": st.booleans(),
        "is_transient": st.booleans(),
        "properties": st.just({"keys": [b"Quality"], "values": [{"type": 3, "int_value": 0}]}),
    },
)  # fmt: skip


VALUES = st.one_of(
    st.just({}),
    st.integers(0, 2**32 - 1).map(lambda n: {"int_value": n}),
    st.integers(0, 2**64 - 1).map(lambda n: {"long_value": n}),
    st.floats(width=32).map(lambda x: {"float_value": x}),
    st.floats().map(lambda x: {"double_value": x}),
    st.booleans().map(lambda b: {"boolean_value": b}),
    st.binary(max_size=20).map(lambda b: {"bytes_value": b}),
    st.binary(max_size=20).map(lambda b: {"string_value": b}),
    st.binary(max_size=20).map(lambda b: {"dataset_value": b}),
)


MESSAGES = st.tuples(
    st.sampled_from(["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH", "NCMD"]),
    st.lists(st.tuples(METRICS, VALUES).map(lambda both: both[0] | both[1]), max_size=4),
    st.integers(0, 300) | st.none(),
    st.integers(0, 400),
)


@settings(max_examples=400, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=6), split=st.integers(0, 6))
def test_messages_of_every_kind_are_read_or_refused_and_a_split_changes_nothing(
    messages: list[tuple[str, list[dict[str, Any]], int | None, int]], split: int
):
    whole, parts = LiveBirths(), LiveBirths()
    found: list[list[object]] = [[], []]
    for position, (verb, metrics, seq, cut) in enumerate(messages):
        if position == split:
            # As after an attempt that failed: read once, forgotten, and read again.
            parts.settle()
            hear_safely(parts, verb, metrics, seq, cut)
            parts.begin()
        for births, of in ((whole, found[0]), (parts, found[1])):
            of.append(repr(hear_safely(births, verb, metrics, seq, cut)))

    assert found[0] == found[1]


def hear_safely(
    births: LiveBirths, verb: str, metrics: list[dict[str, Any]], seq: int | None, cut: int
) -> Decoded | None:
    message = payload(*metrics, seq=seq)
    try:
        decoded = hear(births, verb, message[: max(0, len(message) - cut)] if cut < 40 else message)
    except Undecodable:
        return None
    for reading in (*decoded.readings, *decoded.offered):
        assert math.isfinite(reading.value) or reading.flag == 9
        assert reading.time_us is None or abs(reading.time_us) < 2**62
        assert reading.field
    assert all("\0" not in refusal.field for refusal in decoded.refusals)
    return decoded
