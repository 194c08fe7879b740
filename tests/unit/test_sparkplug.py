"""Sparkplug B over several messages: births, aliases, deaths, numbers left out, rebirths."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.certificates import rows, versions
from collector.decode import Decoding
from collector.formats import births as births_module
from collector.formats.births import (
    Births,
    Born,
    Device,
    LiveBirths,
    PastBirths,
    Version,
    Wanted,
)
from collector.formats.format import Decoded, Hints, Undecodable
from collector.formats.sparkplug import decode, fits, rebirth_request, rebirth_topic
from collector.formats.sparkplug_schema import DataType, Payload
from collector.rebirths import LONGEST_PAUSE_S, Rebirths, hears_all
from collector.topics import Topics
from storage.reading import Reading, Reason
from storage.routes import BindingRow
from tests.unit.small_routes import OLDEST, routes

NODE = Device("Metropole", "gw-01")
METER = Device("Metropole", "gw-01", "meter-7")
T_MS = 1_767_222_000_000
NOW_US = T_MS * 1000


def metric(
    name: str = "", kind: DataType | None = None, alias: int | None = None, **value: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"timestamp": T_MS, **value}
    if name:
        said["name"] = name.encode()
    if kind is not None:
        said["datatype"] = kind
    if alias is not None:
        said["alias"] = alias
    return said


def payload(*metrics: dict[str, Any], seq: int | None = None, sent_ms: int = T_MS) -> bytes:
    message = Payload(timestamp=sent_ms, metrics=metrics)
    if seq is not None:
        message.seq = seq
    return bytes(message.SerializeToString())


def topic(verb: str) -> str:
    return f"spBv1.0/Metropole/{verb}/gw-01" + ("/meter-7" if verb[0] == "D" else "")


def hear(births: Births, verb: str, message: bytes, received_us: int = NOW_US) -> Decoded:
    return decode(message, Hints("", topic=topic(verb), births=births), received_us)


def said(decoded: Decoded) -> list[tuple[str, float]]:
    return [(reading.field, reading.value) for reading in decoded.readings]


def refused(decoded: Decoded) -> list[tuple[str, Reason]]:
    return [(refusal.field, refusal.reason) for refusal in decoded.refusals]


def nbirth(bdseq: int = 7, kind: DataType = DataType.INT16, alias: int = 12) -> bytes:
    return payload(
        metric("bdSeq", DataType.INT64, long_value=bdseq),
        metric("air/temp", kind, alias, int_value=21),
        seq=0,
    )


TEMP = payload(metric(alias=12, int_value=4294967254), seq=1)


def test_an_alias_means_what_the_birth_said():
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth())

    assert said(hear(births, "NDATA", TEMP)) == [("air/temp", -42.0)]


def test_a_node_and_its_device_have_births_of_their_own():
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth())
    power = payload(metric("power", DataType.UINT32, 12, int_value=230), seq=1)
    hear(births, "DBIRTH", power)

    assert hear(births, "DDATA", payload(metric(alias=12, int_value=5), seq=2)).readings == [
        Reading("gw-01:meter-7", "power", NOW_US, 5.0)
    ]
    assert said(hear(births, "NDATA", TEMP)) == [("air/temp", -42.0)]


def test_a_new_birth_replaces_what_the_aliases_meant():
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth(alias=12))
    hear(births, "NBIRTH", nbirth(alias=13))

    assert refused(hear(births, "NDATA", TEMP)) == [("alias 12", Reason.NOT_BORN)]


def test_an_alias_of_two_metrics_means_neither():
    births = LiveBirths()
    twice = payload(
        metric("a", DataType.INT16, 12, int_value=1), metric("b", DataType.INT16, 12, int_value=2)
    )
    hear(births, "NBIRTH", twice)

    assert refused(hear(births, "NDATA", TEMP)) == [("alias 12", Reason.NOT_BORN)]


def test_another_datatype_than_the_births_is_not_guessed():
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth())
    data = payload(metric(None or "", DataType.UINT32, 12, int_value=1))

    assert refused(hear(births, "NDATA", data)) == [("alias 12", Reason.NOT_BORN)]


@pytest.mark.parametrize(("bdseq", "known"), [(7, False), (6, True)])
def test_a_death_of_an_earlier_connection_is_ignored(bdseq: int, known: bool):
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth(bdseq=7))
    hear(births, "NDEATH", payload(metric("bdSeq", DataType.UINT64, long_value=bdseq)))

    assert bool(hear(births, "NDATA", TEMP).readings) is known


@pytest.mark.parametrize("verb", ["NDEATH", "NBIRTH", "DDEATH"])
def test_a_device_ends_with_its_death_and_with_its_node(verb: str):
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth())
    hear(births, "DBIRTH", payload(metric("power", DataType.UINT32, 1, int_value=230), seq=1))
    hear(births, verb, nbirth() if verb == "NBIRTH" else payload())

    assert births.of(METER, NOW_US) is None
    assert (births.of(NODE, NOW_US) is None) is (verb == "NDEATH")


def test_what_was_not_committed_is_forgotten_and_read_again_alike():
    births = LiveBirths()
    births.begin()
    first = hear(births, "NBIRTH", nbirth()), hear(births, "NDATA", TEMP)
    changes = births.changes()
    births.begin()
    assert births.of(NODE, NOW_US) is None

    again = hear(births, "NBIRTH", nbirth()), hear(births, "NDATA", TEMP)
    assert again == first
    assert births.changes() == changes
    births.settle()
    births.begin()
    assert said(hear(births, "NDATA", TEMP)) == [("air/temp", -42.0)]
    assert births.changes() == []


def test_the_same_birth_once_more_changes_nothing_that_is_written_down():
    births = LiveBirths()
    device = payload(metric("power", DataType.UINT32, 1, int_value=230), seq=1)
    for received_us in (NOW_US, NOW_US + 5):
        births.begin()
        hear(births, "NBIRTH", nbirth(), received_us)
        hear(births, "DBIRTH", device, received_us + 1)
        changes = births.changes()
        births.settle()

    assert changes == []
    births.begin()
    hear(births, "NBIRTH", nbirth(bdseq=8), NOW_US + 9)
    node, meter = sorted(births.changes())
    assert (node.whose, node.born.bdseq, node.born.born_us) == (NODE, 8, NOW_US)
    assert (meter.whose, meter.born.ended_us) == (METER, NOW_US + 9)


def test_a_birth_that_a_broker_kept_is_none_and_has_none():
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth(), 0)
    assert births.of(NODE, NOW_US) is None

    hear(births, "NBIRTH", nbirth())
    assert refused(hear(births, "NDATA", TEMP, 0)) == [("alias 12", Reason.NOT_BORN)]
    assert births.unread == frozenset()


def test_a_message_of_the_past_is_read_by_the_birth_of_its_time():
    past = PastBirths(
        [
            Version(NODE, Born({"a": 2}, {12: "a"}, 100, 200)),
            Version(NODE, Born({"b": 2}, {12: "b"}, 300)),
        ]
    )
    found = [hear(past, "NDATA", TEMP, received_us) for received_us in (99, 100, 199, 200, 300)]

    assert [said(one) for one in found] == [
        [], [("a", -42.0)], [("a", -42.0)], [], [("b", -42.0)]
    ]  # fmt: skip
    assert [one.refusals[0].reason for one in (found[0], found[3])] == ["not_born"] * 2


def numbered(births: LiveBirths, *numbers: int, sent_ms: int = T_MS) -> frozenset[Device]:
    births.begin()
    for position, seq in enumerate(numbers):
        data = payload(
            metric("a", DataType.FLOAT, float_value=1.0), seq=seq, sent_ms=sent_ms + position
        )
        hear(births, "NDATA", data)
    return births.settle().gaps


def test_a_number_left_out_is_a_gap_and_0_follows_255():
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth())
    births.settle()

    assert numbered(births, 1, 2, 3, sent_ms=T_MS + 1) == frozenset()
    assert numbered(births, 5, sent_ms=T_MS + 10) == {NODE}
    assert numbered(births, *range(6, 256), 0, 1, sent_ms=T_MS + 20) == frozenset()


def test_a_redelivery_and_a_member_of_a_share_group_see_no_gap():
    births = LiveBirths()
    numbered(births, 1, 2, 3, 4)

    assert numbered(births, 2, 3, sent_ms=T_MS + 1) == frozenset()
    assert numbered(births, 5, sent_ms=T_MS + 10) == frozenset()
    assert numbered(LiveBirths(sees_all=False), 1, 9) == frozenset()


def test_the_numbers_of_devices_count_with_those_of_their_node():
    births = LiveBirths()
    births.begin()
    hear(births, "NBIRTH", nbirth())
    power = metric("power", DataType.UINT32, int_value=230)
    hear(births, "DBIRTH", payload(power, seq=1, sent_ms=T_MS + 1))
    hear(births, "NDATA", payload(seq=2, sent_ms=T_MS + 2))
    assert births.settle().gaps == frozenset()
    hear(births, "DDATA", payload(power, seq=4, sent_ms=T_MS + 3))
    assert births.settle().gaps == {NODE}


@pytest.mark.parametrize(
    ("bound", "all_of_it"),
    [
        (["spBv1.0/#"], True),
        (["spBv1.0/Metropole/+/{sensor}", "spBv1.0/Metropole/+/+/{sensor}"], True),
        (["spBv1.0/Metropole/+/{sensor}/#"], True),
        (["spBv1.0/Metropole/+/+/{sensor}"], False),
        (["spBv1.0/Metropole/+/{sensor}"], False),
        (["spBv1.0/Elsewhere/#"], False),
    ],
)
def test_gaps_mean_something_only_where_devices_and_nodes_are_bound(
    bound: list[str], all_of_it: bool
):
    assert hears_all(sparkplug_topics(bound), NODE) is all_of_it


def sparkplug_routes(bound: list[str]) -> Any:
    rows = tuple(BindingRow(one, "sparkplug", "UTC", "", frozenset()) for one in bound)
    return replace(routes(), bindings=rows)


def sparkplug_topics(bound: list[str]) -> Topics:
    return Topics(sparkplug_routes(bound), LiveBirths())


def test_an_edge_node_is_asked_at_once_then_ever_more_seldom():
    now = [1000.0]
    rebirths, births = Rebirths(lambda: now[0]), LiveBirths()
    asked: list[float] = []
    while now[0] < 1000 + 3 * 3600:
        hear(births, "NDATA", TEMP)
        rebirths.take(births.settle())
        if rebirths.due():
            asked.append(now[0] - 1000)
        now[0] += 10.0

    assert asked[:5] == [0.0, 60.0, 180.0, 420.0, 900.0]
    assert max(b - a for a, b in itertools.pairwise(asked)) <= LONGEST_PAUSE_S


def test_a_birth_that_comes_in_time_spares_the_question():
    now = [0.0]
    rebirths, births = Rebirths(lambda: now[0]), LiveBirths()
    numbered_births = numbered(births, 1)
    hear(births, "NDATA", payload(seq=9, sent_ms=T_MS + 5))
    rebirths.take(births.settle())
    assert numbered_births == frozenset()
    assert rebirths.due() == []
    hear(births, "NBIRTH", nbirth())
    rebirths.take(births.settle())
    now[0] = 10.0

    assert rebirths.due() == []
    hear(births, "NDATA", payload(seq=9, sent_ms=T_MS + 9))
    rebirths.take(births.settle())
    now[0] = 12.5
    assert rebirths.due() == [NODE]


def test_no_more_than_100_edge_nodes_are_asked_in_one_second():
    now = [1000.0]
    rebirths = Rebirths(lambda: now[0])
    strangers = frozenset(Device("G", f"made-up-{number}") for number in range(250))
    rebirths.take(Wanted(frozenset(), strangers, frozenset()))

    assert [len(rebirths.due()) for _ in range(3)] == [100, 0, 0]
    now[0] = 1001.0
    assert [len(rebirths.due()) for _ in range(2)] == [100, 0]
    now[0] = 1002.0
    assert len(rebirths.due()) == 50


def test_a_question_that_could_not_be_sent_is_asked_later():
    now = [1000.0]
    rebirths = Rebirths(lambda: now[0])
    rebirths.take(Wanted(frozenset(), frozenset({NODE}), frozenset()))
    assert rebirths.due() == [NODE]
    rebirths.unasked(NODE)
    assert rebirths.due() == [NODE]
    assert rebirths.due() == []


def test_made_up_edge_nodes_fill_no_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(births_module, "MOST_METRICS", 1000)
    monkeypatch.setattr(births_module, "MOST_NUMBERED", 100)
    births = LiveBirths()
    long_name = payload(metric("x" * 1000, DataType.FLOAT, float_value=1.0), seq=0)
    for number in range(2000):
        said = b"" if number < 500 else long_name
        for verb, message in (("NBIRTH", said), ("NDATA", payload(seq=number % 256))):
            hints = Hints("", topic=f"spBv1.0/G/{verb}/made-up-{number}", births=births)
            decode(message, hints, NOW_US)
        births.settle()
    learned = [
        number
        for number in range(2000)
        if births.of(Device("G", f"made-up-{number}"), NOW_US) is not None
    ]

    # 500 that weigh 1, and then 41 that weigh 12.
    assert learned == list(range(541))
    # Who is heard again and again stays known among strangers.
    for seq in (1, 2):
        assert numbered(births, seq, sent_ms=T_MS + 10 * seq) == frozenset()
        for number in range(60):
            where = f"spBv1.0/G/NDATA/stranger-{seq}-{number}"
            decode(payload(seq=0), Hints("", topic=where, births=births), NOW_US)
        births.settle()
    assert len(births._seq) == 100
    assert numbered(births, 4, sent_ms=T_MS + 40) == {NODE}


def test_a_topic_longer_than_any_device_has_is_refused():
    message = payload(metric("a", DataType.FLOAT, float_value=1.0))
    fits_in = "spBv1.0/G/NBIRTH/" + "n" * 983
    with pytest.raises(Undecodable, match="more than 1000 bytes"):
        decode(message, Hints("", topic=fits_in + "n"), NOW_US)
    assert len(decode(message, Hints("", topic=fits_in), NOW_US).readings) == 1


def test_the_names_of_a_birth_are_written_down_once():
    decoding = Decoding(
        sparkplug_routes(["spBv1.0/#"]),
        payload_bytes=4096, oldest=OLDEST, ahead_s=600, births=LiveBirths(),
    )  # fmt: skip
    births = LiveBirths()
    written: list[tuple[int | None, list[str], bool]] = []
    for at, (verb, message) in enumerate(
        (("NBIRTH", nbirth()), ("NDEATH", nbirth()), ("NBIRTH", nbirth(8)), ("NBIRTH", nbirth(9, alias=3)))
    ):  # fmt: skip
        births.begin()
        hear(births, verb, message, NOW_US + at)
        found = rows(births.changes(), decoding.declared, frozenset())
        written += [(row.ended_us, row.name, row.known) for row in found]
        births.settle()

    names = ["bdSeq", "air/temp"]
    assert written == [
        (None, names, False),
        (NOW_US + 1, [], True),
        (None, [], True),
        (NOW_US + 3, [], True),
        (None, names, False),
    ]


@pytest.mark.parametrize("broken", [b"\xff", payload(metric("a\0", DataType.INT16), seq=0)])
def test_a_birth_that_cannot_be_read_ends_the_one_before(broken: bytes):
    births = LiveBirths()
    hear(births, "NBIRTH", nbirth())
    assert said(hear(births, "NDATA", TEMP)) == [("air/temp", -42.0)]
    with pytest.raises(Undecodable):
        hear(births, "NBIRTH", broken)

    assert refused(hear(births, "NDATA", TEMP)) == [("alias 12", Reason.NOT_BORN)]
    assert births.unread == {NODE}


def test_the_question_is_a_rebirth_command_to_the_node():
    message = Payload.FromString(rebirth_request(T_MS))

    assert rebirth_topic(NODE) == "spBv1.0/Metropole/NCMD/gw-01"
    assert [(one.name, one.datatype, one.boolean_value) for one in message.metrics] == [
        (b"Node Control/Rebirth", 11, True)
    ]
    assert not message.HasField("seq")


def test_what_is_written_down_comes_back_the_same():
    decoding = Decoding(
        sparkplug_routes(["spBv1.0/#"]),
        payload_bytes=4096, oldest=OLDEST, ahead_s=600, births=LiveBirths(),
    )  # fmt: skip
    born = Born({"a": 2, "b": 9, "c": 0}, {12: "a", 2**64 - 1: "b"}, 100, None, 7)

    written = rows([Version(METER, born)], decoding.declared, frozenset())
    assert versions(written) == [Version(METER, born)]


def test_no_name_of_a_person_or_a_vehicle_is_written_down():
    decoding = Decoding(
        sparkplug_routes(["spBv1.0/+/+/+/#"]), payload_bytes=4096, oldest=OLDEST, ahead_s=600
    )
    born = Born({"a4:c1:38:00:11:22/rssi": 2, "no2": 9, "tel": 2}, {1: "no2"}, 100)
    phone = Device("Metropole", "a4:c1:38:00:11:22")

    written = rows([Version(NODE, born), Version(phone, born)], decoding.declared, {"tel"})
    assert [(row.node, row.name, row.alias) for row in written] == [
        ("gw-01", ["no2", "tel"], [1, None])
    ]


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
