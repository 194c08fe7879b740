"""The history of one field: what a change at a time does to it."""

from __future__ import annotations

import datetime
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from storage.timeline import (
    BEGINNING,
    FOREVER,
    Conversion,
    Differing,
    Identity,
    Stretch,
    Wanted,
    changed,
    difference,
    differing,
    now_wanted,
)

HERE = Identity("no2", 1, 60, None)
THERE = replace(HERE, site_id=2)
PLAIN = Conversion("ug/m3", 1.0, 0.0, "start")
MILLI = Conversion("mg/m3", 1000.0, 0.0, "start")


def day(number: int) -> datetime.datetime:
    return datetime.datetime(2026, 3, number, tzinfo=datetime.UTC)


def one(series_id: int, start: datetime.datetime = BEGINNING, stop: datetime.datetime = FOREVER,
        identity: Identity = HERE, *conversions: tuple[datetime.datetime, Conversion]) -> Stretch:  # fmt: skip
    return Stretch(series_id, identity, start, stop, conversions or ((BEGINNING, PLAIN),))


def test_another_unit_is_another_conversion_of_the_same_series():
    assert changed([one(7)], Wanted(HERE, MILLI), day(5)) == [
        one(7, BEGINNING, FOREVER, HERE, (BEGINNING, PLAIN), (day(5), MILLI))
    ]


def test_another_site_is_another_series():
    new = Stretch(None, THERE, day(5), FOREVER, ((BEGINNING, PLAIN),), held=False)

    assert changed([one(7)], Wanted(THERE, PLAIN), day(5)) == [one(7, stop=day(5)), new]


def test_retiring_ends_the_series_and_takes_back_what_was_to_come():
    history = [one(7, stop=day(5)), one(8, start=day(5), identity=THERE)]

    assert changed(history, None, day(9)) == [history[0], replace(history[1], stop=day(9))]
    assert changed(history, None, day(3)) == [
        one(7, stop=day(3)), one(8, day(3), day(3), THERE)
    ]  # fmt: skip


def test_a_move_taken_back_at_its_time_lets_the_old_series_go_on():
    history = [one(7, stop=day(5)), one(8, start=day(5), identity=THERE)]

    assert changed(history, Wanted(HERE, PLAIN), day(5)) == [
        one(7), one(8, day(5), day(5), THERE)
    ]  # fmt: skip


def test_a_move_that_was_earlier_than_told_begins_earlier():
    history = [one(7, stop=day(5)), one(8, start=day(5), identity=THERE)]

    assert changed(history, Wanted(THERE, PLAIN), day(3)) == [
        one(7, stop=day(3)), one(8, start=day(3), identity=THERE)
    ]  # fmt: skip


def test_a_return_after_a_retirement_is_another_series_and_at_its_time_the_same():
    retired = [one(7, stop=day(5))]

    assert changed(retired, Wanted(HERE, PLAIN), day(5)) == [one(7)]
    back = changed(retired, Wanted(HERE, PLAIN), day(8))
    assert [(s.series_id, s.start, s.stop) for s in back] == [
        (7, BEGINNING, day(5)), (None, day(8), FOREVER)
    ]  # fmt: skip


def test_what_never_held_a_reading_is_simply_put_right():
    unused = replace(one(7), held=False)

    assert changed([unused], Wanted(THERE, MILLI), BEGINNING) == [
        replace(unused, identity=THERE, conversions=((BEGINNING, MILLI),))
    ]


def test_readings_stored_under_another_conversion_are_found_by_their_spans():
    history = [one(7, BEGINNING, FOREVER, HERE, (BEGINNING, PLAIN), (day(5), MILLI))]

    assert list(differing(history, PLAIN, day(3))) == [Differing(7, day(5), FOREVER, MILLI)]
    assert list(differing(history, MILLI, day(3))) == [Differing(7, day(3), day(5), PLAIN)]
    assert list(differing([replace(history[0], held=False)], MILLI, day(3))) == []


def test_a_factor_that_differs_in_its_last_digit_is_no_change():
    near = Wanted(HERE, Conversion("[degF]", 0.5555555555555556, -160 / 9, "start"))
    there = Wanted(HERE, Conversion("[degF]", 0.5555555555555555, -160 / 9, "start"))

    assert near.settled(there) == there
    assert near.settled(Wanted(HERE, PLAIN)) == near
    assert difference(Wanted(HERE, PLAIN), Wanted(replace(HERE, step_s=600), MILLI)) == [
        "unit ug/m3 → mg/m3", "step_s 60 → 600"
    ]  # fmt: skip


_wishes = st.one_of(
    st.none(),
    st.builds(Wanted, st.sampled_from([HERE, THERE, replace(HERE, step_s=600)]),
              st.sampled_from([PLAIN, MILLI])),
)  # fmt: skip


@given(st.lists(st.tuples(_wishes, st.integers(1, 20)), max_size=8))
def test_after_any_changes_every_time_has_at_most_one_series_and_earlier_times_keep_theirs(changes):
    history: list[Stretch] = []
    for number, (wanted, at) in enumerate(changes):
        before = history
        history = [
            replace(s, series_id=number) if s.series_id is None else s
            for s in changed(before, wanted, day(at))
        ]
        assert now_wanted(history) == wanted
        for moment in map(day, range(1, 21)):
            assert len(_valid(history, moment)) <= 1
            if moment < day(at):
                assert _valid(history, moment) == _valid(before, moment)
            else:
                assert _valid(history, moment) == ([] if wanted is None else [wanted])
        assert all(s.conversions[0][0] == BEGINNING for s in history)


def _valid(history: list[Stretch], moment: datetime.datetime) -> list[Wanted]:
    return [
        Wanted(s.identity, [how for since, how in s.conversions if since <= moment][-1])
        for s in history
        if s.start <= moment < s.stop
    ]
