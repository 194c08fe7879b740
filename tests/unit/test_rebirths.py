"""Sparkplug B: numbers left out, and who is asked to be born again."""

from __future__ import annotations

import itertools

import pytest

from collector.formats.births import (
    Device,
    LiveBirths,
    Wanted,
)
from collector.formats.sparkplug import rebirth_request, rebirth_topic
from collector.formats.sparkplug_schema import DataType, Payload
from collector.rebirths import LONGEST_PAUSE_S, Rebirths, hears_all
from tests.unit.sparkplug_messages import (
    NODE,
    T_MS,
    TEMP,
    hear,
    metric,
    nbirth,
    numbered,
    payload,
    sparkplug_topics,
)


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


def test_the_question_is_a_rebirth_command_to_the_node():
    message = Payload.FromString(rebirth_request(T_MS))

    assert rebirth_topic(NODE) == "spBv1.0/Metropole/NCMD/gw-01"
    assert [(one.name, one.datatype, one.boolean_value) for one in message.metrics] == [
        (b"Node Control/Rebirth", 11, True)
    ]
    assert not message.HasField("seq")
