"""Hours, eight hours, days: valid with 75 % of their parts, and nothing comes from nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.air.capture import captured_mean, needed
from processors.air.days import by_day
from processors.air.rounding import half_up, undusted
from processors.air.running import daily_maximum, running_mean
from processors.calculation import Given
from processors.periods import edges
from storage.indicators.word import Period, Status
from tests.unit import air_oracle as oracle
from tests.unit.air_given import HOUR, calculation, compute, roster_of
from tests.unit.air_given import given as given_of
from tests.unit.python_calls import calls

NAN = math.nan
HOURS = st.lists(
    st.one_of(st.just(NAN), st.floats(-5, 500).map(lambda v: round(v, 1))), min_size=1, max_size=60
)
NO2 = ("no2", "station", "site")
O3 = ("o3", "station", "site")
CO = ("co", "station", "site")


def random_hours(rows: int, width: int, seed: int = 7) -> np.ndarray:
    random = np.random.default_rng(seed)
    value = random.gamma(2, 20, (rows, width)).round(1)
    value[random.random((rows, width)) < 0.25] = NAN
    return value


@pytest.mark.parametrize(
    ("parts", "least"), [(4, 3), (8, 6), (23, 18), (24, 18), (25, 19), (60, 45), (100, 75)]
)
def test_three_quarters_are_counted_in_whole_parts(parts: int, least: int):
    assert needed(parts) == least


def test_an_hour_of_10_12_nothing_14_is_12_and_of_10_and_14_alone_is_none():
    assert captured_mean(np.array([10, 12, NAN, 14]), 4)[0] == 12.0
    assert np.isnan(captured_mean(np.array([10, NAN, NAN, 14]), 4)[0])


def test_eight_hours_with_6_valid_make_30_8333_and_with_5_none():
    hours = np.array([30, NAN, 34, 28, NAN, 31, 29, 33])

    assert running_mean(hours, 8)[0][-1] == pytest.approx(30.8333, abs=5e-5)
    hours[2] = NAN
    assert np.isnan(running_mean(hours, 8)[0][-1])


@pytest.mark.parametrize(("hours", "mean", "status"), [(18, 20.0, 1), (17, None, 3)])
def test_a_day_of_18_hours_at_20_is_20_and_of_17_insufficient(hours, mean, status):
    day = np.full((1, 24), NAN)
    day[0, :hours] = 20.0

    made = compute("air_day_mean", [NO2], "2024-05-13T23", day)

    assert (made.n.tolist(), made.due.tolist(), made.status.tolist()) == ([hours], [24], [status])
    assert np.isnan(made.value[0]) if mean is None else made.value.tolist() == [mean]


def test_the_first_eight_hours_of_a_day_run_from_17_to_1_and_the_last_from_16_to_24():
    # From 16:00 of the 13th to 24:00 of the 14th, at UTC+1.
    hours = np.full((1, 32), 10.0)
    hours[0, 0] = 1000.0  # 16:00 to 17:00 of the 13th: in no mean that ends on the 14th
    hours[0, 1] = 90.0
    hours[0, 31] = 98.0

    made = compute("air_day_max_8h", [O3], "2024-05-13T15", hours)

    day = made.take(made.start == np.datetime64("2024-05-13T23", "us"))
    assert day.value.tolist() == [(7 * 10 + 98) / 8]
    assert day.at.tolist() == [datetime(2024, 5, 14, 23)]
    assert (day.n.tolist(), day.due.tolist()) == ([24], [24])

    hours[0, 1] = 900.0
    made = compute("air_day_max_8h", [O3], "2024-05-13T15", hours)
    day = made.take(made.start == np.datetime64("2024-05-13T23", "us"))
    assert day.value.tolist() == [(7 * 10 + 900) / 8]
    assert day.at.tolist() == [datetime(2024, 5, 14, 0)]


def test_eighteen_running_means_make_a_maximum_and_seventeen_say_only_what_it_is_at_least():
    hours = np.full((1, 24), NAN)
    # The running means of a day that begins with nothing: the first is the one of six hours.
    hours[0, :21] = 50.0
    made = compute("co_day_max_8h", [CO], "2024-05-13T23", hours)
    assert (made.n.tolist(), made.value.tolist(), made.status.tolist()) == ([18], [50.0], [1])

    hours[0, 20:] = NAN
    made = compute("co_day_max_8h", [CO], "2024-05-13T23", hours)
    assert (made.n.tolist(), made.status.tolist()) == ([17], [3])
    assert np.isnan(made.value[0])
    assert made.low.tolist() == [50.0]
    assert np.isnat(made.at[0])


def test_a_mean_of_hours_to_come_is_none():
    hours = np.full((1, 32), NAN)
    hours[0, :14] = 50.0  # until 6:00 of the 14th at UTC+1; two more means would have six hours
    now = np.datetime64("2024-05-14T05:00", "us")

    open_day = compute("air_day_max_8h", [O3], "2024-05-13T15", hours, now=now)
    whole_day = compute("air_day_max_8h", [O3], "2024-05-13T15", hours)

    assert open_day.n.tolist() == [3, 6]
    assert open_day.provisional.tolist() == [False, True]
    assert whole_day.n.tolist() == [3, 8]
    assert not whole_day.provisional.any()


def test_the_highest_hour_of_a_day_is_dated_by_its_start():
    hours = np.full((1, 24), 20.0)
    hours[0, 8] = 61.0

    made = compute("air_day_max", [NO2], "2024-05-13T23", hours)

    assert made.value.tolist() == [61.0]
    assert made.at.tolist() == [datetime(2024, 5, 14, 7)]


def test_carbon_monoxide_is_told_in_mg_and_in_no_indicator_of_ug():
    lines = [NO2, CO, O3]
    hours = np.vstack([np.full(24, 20.0), np.full(24, 0.3), np.full(24, 60.0)])

    by_name = {
        name: compute(name, lines, "2024-05-13T23", hours).subject.tolist()
        for name in (
            "air_day_mean",
            "co_day_mean",
            "air_day_max",
            "air_day_max_8h",
            "co_day_max_8h",
        )
    }
    assert by_name == {
        "air_day_mean": [1, 3],
        "co_day_mean": [2],
        "air_day_max": [1, 3],
        "air_day_max_8h": [3],
        "co_day_max_8h": [2],
    }
    running = compute("co_8h_mean", lines, "2024-05-13T23", hours)
    assert set(running.subject.tolist()) == {2}
    assert running.value[-1] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("values", "due", "mean"),
    [
        ([10.0, 12.0, 14.0], 4, 12.0),  # the directive's three of four quarter-hours
        ([10.0, 14.0], 4, None),
        ([20.0] * 45, 60, 20.0),
        ([20.0] * 44, 60, None),
    ],
)
def test_an_hour_wants_three_of_four_quarters_and_45_of_60_minutes(
    values: list[float], due: int, mean: float | None
):
    one = calculation("air_hour_mean")
    what = given_of(one, roster_of([NO2]), "2024-05-14T00", np.array([[sum(values)]]))
    parts = {**what.frame.parts, "good": np.array([len(values)]), "expected": np.array([due])}
    fields = {n: getattr(what, n) for n in what.__slots__}
    made = one.compute(Given(**{**fields, "frame": replace(what.frame, parts=parts)})).of(
        "air_hour_mean"
    )

    assert (made.n.tolist(), made.due.tolist()) == ([len(values)], [due])
    assert [None if np.isnan(v) else v for v in made.value.tolist()] == [mean]
    assert made.status.tolist() == [1 if mean else 3]


def test_a_running_mean_is_told_of_hours_that_were_measured():
    hours = np.full((1, 10), 40.0)
    hours[0, 8] = NAN

    made = compute("air_8h_mean", [O3], "2024-05-14T00", hours)

    told = dict(zip(made.start.tolist(), made.n.tolist(), strict=True))
    assert told[datetime(2024, 5, 14, 7)] == 8
    assert datetime(2024, 5, 14, 8) not in told
    assert told[datetime(2024, 5, 14, 9)] == 7
    assert made.status.tolist() == [3, 3, 3, 3, 3, 1, 1, 1, 1]


def test_nothing_measured_gives_no_row_at_all():
    nothing = np.full((2, 48), NAN)
    names = ("air_hour_mean", "air_day_mean", "air_day_max", "air_day_max_8h", "air_8h_mean", "eaqi_sub", "eaqi",
             "atmo_sub", "atmo_site", "atmo_territory", "threshold_fr", "threshold_eu")  # fmt: skip

    assert [len(compute(name, [O3, NO2], "2024-05-13T23", nothing)) for name in names] == [0] * 12


def test_nobody_at_all_gives_no_row_either():
    nobody = roster_of([NO2]).take(np.empty(0, np.intp))
    for name in (
        "air_hour_mean",
        "air_day_mean",
        "air_8h_mean",
        "eaqi",
        "atmo_territory",
        "threshold_fr",
    ):
        one = calculation(name)
        what = given_of(one, roster_of([NO2]), "2024-05-13T23", np.full((1, 24), 20.0))
        empty = what.frame.select(np.zeros(1, np.bool_))
        assert len(empty.roster) == len(nobody)
        fields = {n: getattr(what, n) for n in what.__slots__}
        assert len(one.compute(type(what)(**{**fields, "frame": empty}))) == 0


def test_only_instruments_of_reference_quality_are_not_indicative():
    lines = [("no2", "station-1", "a"), ("no2", "box-1", "a")]
    day = np.full((2, 24), 20.0)

    made = compute("air_day_mean", lines, "2024-05-13T23", day, air={"reference": ["station-*"]})

    assert made.indicative.tolist() == [False, True]


@given(HOURS, st.sampled_from([1, 3, 8, 24]))
@settings(max_examples=80, deadline=None)
def test_a_running_mean_is_what_adding_up_hour_by_hour_gives(hours: list[float], length: int):
    mean, valid = running_mean(np.array(hours), length)

    np.testing.assert_allclose(mean, oracle.running(hours, length), rtol=1e-12, atol=1e-12)
    assert valid.tolist() == [
        sum(not math.isnan(v) for v in hours[max(k - length + 1, 0) : k + 1])
        for k in range(len(hours))
    ]


@given(HOURS)
@settings(max_examples=80, deadline=None)
def test_a_maximum_stands_where_it_says_and_a_smaller_part_is_never_higher(hours: list[float]):
    due = len(hours)
    highest, valid, position, least = daily_maximum(np.array(hours), due)

    np.testing.assert_array_equal(highest, oracle.maximum(hours, due))
    assert valid == sum(not math.isnan(v) for v in hours)
    if not math.isnan(highest):
        assert hours[position] == highest == least
    for split in range(0, due, 5):
        part = daily_maximum(np.array(hours[:split]), due)[3] if split else np.nan
        rest = daily_maximum(np.array(hours[split:]), due)[3]
        np.testing.assert_array_equal(np.fmax(part, rest), least)


def test_the_highest_of_small_negatives_is_negative_and_no_gap_is_higher():
    told = daily_maximum(np.array([-0.4, NAN, -0.2, -0.3]), 4)

    assert tuple(map(float, told)) == (-0.2, 3, 2, -0.2)


@given(st.integers(0, 24), st.integers(0, 2**24 - 1))
@settings(max_examples=80, deadline=None)
def test_no_day_of_fewer_than_18_hours_has_a_mean_or_a_maximum(missing: int, seed: int):
    hours = np.random.default_rng(seed).uniform(0, 100, 24)
    hours[np.random.default_rng(seed).permutation(24)[:missing]] = NAN

    enough = 24 - missing >= 18
    assert np.isnan(captured_mean(hours, 24)[0]) == (not enough)
    assert np.isnan(daily_maximum(hours, 24)[0]) == (not enough)


@given(st.permutations(range(6)), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_neither_order_nor_repetition_of_series_changes_a_figure(order: list[int], again: int):
    hours = random_hours(6, 24)
    names = [f"station-{k}" for k in range(6)]

    def days(rows: list[int]) -> set[tuple[object, ...]]:
        lines = [("o3", names[k], "site") for k in rows]
        told = [
            compute(name, lines, "2024-05-13T23", hours[rows])
            for name in ("air_day_mean", "air_day_max_8h")
        ]
        return {
            (names[rows[s - 1]], i, start, value.tobytes())
            for one in told
            for s, i, start, value in zip(
                one.subject.tolist(), one.indicator.tolist(), one.start.tolist(), one.value,
                strict=True,
            )
        }  # fmt: skip

    assert days([*order, again]) == days(list(range(6)))


@pytest.mark.parametrize(
    ("day", "length", "least"),
    [("2026-03-29", 23, 18), ("2026-10-25", 25, 19), ("2026-06-01", 24, 18)],
)
def test_local_days_of_23_and_25_hours_want_18_and_19(day: str, length: int, least: int):
    at = np.datetime64(f"{day}T12:00", "us")
    days = edges(Period.DAY, at, at, "Europe/Paris")
    hours = np.arange(days[0], days[-1] + HOUR, HOUR)
    value = np.full((1, length), NAN)
    value[0, :least] = 30.0

    table, due, first = by_day(value, hours, days)

    assert (due.tolist(), first.tolist()) == ([length], [0])
    assert np.isnan(table[..., length:]).all()
    assert captured_mean(table, due)[0].tolist() == [[30.0]]
    value[0, 0] = NAN
    assert np.isnan(captured_mean(by_day(value, hours, days)[0], due)[0]).all()


def test_a_days_sum_is_the_same_to_the_last_digit_whatever_days_and_series_are_beside():
    start, stop = np.datetime64("2026-10-20T12:00", "us"), np.datetime64("2026-10-28T12:00", "us")
    days = edges(Period.DAY, start, stop, "Europe/Paris")
    hours = np.arange(days[0], days[-1] + HOUR, HOUR)
    value = np.random.default_rng(3).gamma(2.0, 30.0, (40, len(hours) - 1))

    table = np.nan_to_num(by_day(value, hours, days)[0]).sum(axis=-1)

    for row in range(40):
        for day in range(len(days) - 1):
            of = (hours[:-1] >= days[day]) & (hours[:-1] < days[day + 1])
            mine = np.append(hours[:-1][of], days[day + 1])
            alone = by_day(value[row : row + 1, of], mine, days[day : day + 2])[0]
            assert np.nan_to_num(alone).sum(axis=-1)[0, 0] == table[row, day]


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata", "America/Cayenne"])
def test_hours_are_grouped_by_the_date_on_the_wall(zone: str):
    start = datetime(2026, 3, 25, tzinfo=UTC)
    hours = oracle.hours_from(start, 24 * 300)
    groups = oracle.local_days(hours, zone)[1:-1]
    inside = [np.datetime64(hours[group[12]].replace(tzinfo=None), "us") for group in groups]
    days = edges(Period.DAY, inside[0], inside[-1], zone)
    stamps = np.datetime64("2026-03-25T00", "us") + np.arange(len(hours) + 1) * HOUR

    table, due, first = by_day(np.arange(float(len(hours)))[None], stamps, days)

    assert due.tolist() == [len(group) for group in groups]
    assert first.tolist() == [group[0] for group in groups]
    for told, group in zip(table[0], groups, strict=True):
        assert told[~np.isnan(told)].tolist() == group


def test_regulatory_days_have_24_hours_whatever_the_clock_does():
    hours = random_hours(1, 24 * 5)
    made = compute("air_day_mean", [NO2], "2026-03-26T23", hours)

    assert set(made.due.tolist()) == {24}
    assert np.diff(np.unique(made.start)).astype("timedelta64[h]").astype(int).tolist() == [24] * 4


def test_halves_are_rounded_up_where_numpy_would_round_to_the_even():
    assert half_up(np.array([50.4, 50.5, 51.5, 200.0, 0.5])).tolist() == [50, 51, 52, 200, 1]
    # Adding tenths may leave 50.5 a hair too small; a value that is smaller stays so.
    assert half_up(np.array([50.5 - 1e-12, 50.4999])).tolist() == [51, 50]
    assert undusted(np.array([0.1 + 0.2]))[0] == 0.3


@given(st.decimals(-1000, 1000, places=3).map(float))
@settings(max_examples=100, deadline=None)
def test_rounding_is_that_of_decimal_arithmetic(value: float):
    expected = math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)
    if value < 0 and (abs(value) * 1000) % 1000 == 500:
        expected += 1  # a half below zero is rounded upwards too, towards zero
    assert half_up(np.array([value]))[0] == expected


KERNELS: list[tuple[Callable[..., Any], Callable[[int], tuple[Any, ...]]]] = [
    (running_mean, lambda n: (random_hours(n, 30), 8)),
    (daily_maximum, lambda n: (random_hours(n, 24), 24)),
    (captured_mean, lambda n: (random_hours(n, 24), 24)),
    (half_up, lambda n: (random_hours(n, 24),)),
    (
        by_day,
        lambda n: (
            random_hours(n, 48),
            np.datetime64("2026-06-01", "us") + np.arange(49) * HOUR,
            np.datetime64("2026-06-01", "us") + np.array([0, 24, 48]) * HOUR,
        ),
    ),
]


@pytest.mark.parametrize(
    ("kernel", "arguments"), KERNELS, ids=lambda one: getattr(one, "__name__", "")
)
def test_ten_thousand_series_take_as_many_calls_as_ten(kernel, arguments):
    assert calls(kernel, *arguments(10)) == calls(kernel, *arguments(10_000))


@pytest.mark.parametrize("name", ["air_hour_mean", "air_day_mean", "air_8h_mean"])
def test_a_calculation_takes_as_many_calls_for_4000_series_as_for_12(name: str):
    one = calculation(name)

    def what(n: int) -> Any:
        lines = [(m, "box", f"s{k}") for k in range(n // 3) for m in ("no2", "o3", "co")]
        return given_of(one, roster_of(lines), "2024-05-13T23", random_hours(len(lines), 24))

    assert calls(one.compute, what(12)) == calls(one.compute, what(3999))


def test_a_value_is_complete_and_none_insufficient():
    made = compute("air_8h_mean", [O3], "2024-05-14T00", random_hours(1, 200))

    assert ((made.status == Status.INSUFFICIENT) == np.isnan(made.value)).all()
    assert ((made.n >= 6) == (made.status == Status.COMPLETE)).all()
