"""Today is compared with the same weekday of four weeks, if both measured enough and alike."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.board.figures import NOTHING, Amount
from dashboards.board.language import language
from dashboards.board.usual import (
    Cell,
    Why,
    by_the_clock,
    compared,
    compared_said,
    days_before,
    usual,
)

THURSDAY = datetime(2026, 3, 12, 14, 7, tzinfo=UTC)
QUARTER_S = 900.0


def day(value, *, until=24 * 60, sensors=1, since=0):
    """Quarter-hours that all counted the same; nothing was measured before `since`."""
    return tuple(
        Cell(minute, 15, Amount(value), sensors * QUARTER_S) for minute in range(since, until, 15)
    )


def known(today, *before, sensors=1, hours=12):
    return usual(today, before, sensors=sensors, elapsed_s=hours * 3600)


def said(value, of_usual, code="en"):
    """What 12 hours say that counted `value` a quarter-hour where `of_usual` is usual."""
    today = day(value, until=720)
    found = known(today, day(of_usual), day(of_usual))
    total = Amount(48 * value)
    return compared_said(total, found, now=THURSDAY, timezone="Europe/Paris",
                         language=language(code))  # fmt: skip


def test_the_usual_is_the_mean_of_four_days_up_to_the_same_time():
    found = known(day(10.0, until=720), day(8.0), day(12.0), day(9.0), day(15.0))

    assert found.why is Why.KNOWN
    assert found.so_far == Amount(48 * 11.0)
    assert (found.days, found.hours[8], len(found.hours)) == (4, Amount(44.0), 24)


def test_one_usual_day_of_four_is_none():
    found = known(day(10.0, until=720), day(8.0), (), (), ())

    assert (found.why, found.so_far, found.hours) == (Why.NONE_YET, NOTHING, {})


@pytest.mark.parametrize(("measured", "days"), [(71, 1), (72, 2)])
def test_a_usual_day_needs_72_of_its_96_quarter_hours(measured, days):
    # Measured from the morning on, since up to noon it must have its three quarters as well.
    short = day(10.0, until=36 * 15) + day(10.0, since=(132 - measured) * 15)
    found = known(day(10.0, until=540), day(10.0), short, hours=9)

    assert found.days == days


def test_a_partial_day_is_not_compared_and_says_so():
    # 8 of 12 hours.
    found = known(day(10.0, until=480), day(10.0), day(10.0))

    assert found.why is Why.PARTIAL
    assert compared(Amount(320.0), found) is None
    assert "too much is missing" in compared_said(
        Amount(320.0), found, now=THURSDAY, timezone="Europe/Paris", language=language("en")
    )


def test_a_sensor_more_than_in_the_weeks_before_is_not_taken_for_more_traffic():
    today = day(50.0, until=720, sensors=5)

    assert known(today, *[day(40.0, sensors=4)] * 4, sensors=5).why is Why.NONE_YET
    assert known(today, *[day(50.0, sensors=5)] * 4, sensors=5).why is Why.KNOWN


def test_the_day_ends_where_its_last_cell_ends_and_not_now():
    # Nothing has come in for half an hour of 12.
    found = known(day(10.0, until=690), day(10.0), day(10.0))

    assert found.so_far == Amount(460.0)


def test_before_anything_was_counted_the_hours_of_a_usual_day_are_known():
    found = known((), day(10.0), day(10.0), hours=0)

    assert (found.why, found.hours[23]) == (Why.PARTIAL, Amount(40.0))


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (11.2, "12% more than on a usual Thursday"),
        (8.8, "12% less than on a usual Thursday"),
        (10.4, "about the same as on a usual Thursday"),
        (9.6, "about the same as on a usual Thursday"),
        (20.0, "more than twice a usual Thursday"),
        (0.0, "100% less than on a usual Thursday"),
    ],
)
def test_a_difference_is_said_in_plain_words(today, words):
    assert said(today, 10.0) == words


def test_french_and_german_say_it_as_well():
    assert said(11.2, 10.0, "fr") == "12\u00a0% de plus qu’un jeudi habituel"
    assert said(8.8, 10.0, "de") == "12\u00a0% weniger als an einem üblichen Donnerstag"


def test_fewer_than_20_usual_ones_are_too_few_for_a_percentage():
    assert said(0.5, 0.4) == "too little so far to compare"
    assert said(0.5, 0.42) != "too little so far to compare"


def test_a_usual_zero_divides_nothing():
    found = known(day(10.0, until=720), day(0.0), day(0.0))

    assert compared(Amount(480.0), found, least=0.0) is None


def test_what_small_cells_hide_stays_hidden_in_the_mean():
    few = tuple(Cell(minute, 15, Amount(2.5, True), QUARTER_S) for minute in range(0, 1440, 15))
    nobody = day(0.0)
    found = known(day(0.0, until=720), few, nobody, nobody, nobody)

    # 4 quarter-hours of 2.5 on one day of four.
    assert found.hours[3] == Amount(2.5, True)
    assert found.hours[3].hidden


def test_the_four_days_before_are_local_days_and_one_of_them_has_23_hours():
    found = days_before(datetime(2026, 4, 5, 12, tzinfo=UTC), "Europe/Paris")

    assert [(end - start) / timedelta(hours=1) for start, end in found] == [23, 24, 24, 24]
    assert found[0] == (
        datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC),
    )  # fmt: skip


def test_the_hour_that_autumn_shows_twice_is_counted_twice_today():
    first = datetime(2026, 10, 25, 0, tzinfo=UTC)
    cells = {first + k * timedelta(hours=1): Amount(10.0) for k in range(2)}

    found = by_the_clock(
        cells, dict.fromkeys(cells, 3600.0), timezone="Europe/Paris", width=timedelta(hours=1)
    )

    assert [(cell.minute, cell.width) for cell in found] == [(120, 60), (120, 60)]
