"""Sparkplug B over several messages: births, aliases, deaths, and what is written down."""

from __future__ import annotations

import pytest

from collector.certificates import rows, versions
from collector.decode import Decoding
from collector.formats import births as births_module
from collector.formats.births import (
    Born,
    Device,
    LiveBirths,
    PastBirths,
    Version,
)
from collector.formats.format import Hints, Undecodable
from collector.formats.sparkplug import decode
from collector.formats.sparkplug_schema import DataType
from storage.reading import Reading, Reason
from tests.unit.small_routes import OLDEST
from tests.unit.sparkplug_messages import (
    METER,
    NODE,
    NOW_US,
    T_MS,
    TEMP,
    hear,
    metric,
    nbirth,
    numbered,
    payload,
    refused,
    said,
    sparkplug_routes,
)


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
