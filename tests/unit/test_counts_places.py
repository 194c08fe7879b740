"""Car parks, stations of shared vehicles, and small counts that are not shown."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.mobility import parking, stations
from processors.mobility.held import hold
from processors.mobility.suppression import suppress
from tests.unit import counts_oracle as oracle
from tests.unit.python_calls import calls

nan = np.nan
LATER = np.datetime64("2026-03-05", "us")
EDGES = np.array(["2026-03-01", "2026-03-02", "2026-03-03"], "datetime64[us]")


def at(*seconds: float) -> np.ndarray:
    return EDGES[0] + (np.array(seconds) * 1e6).astype("timedelta64[us]")


# Car parks


def test_132_places_free_of_414_are_282_taken_and_68_1_percent():
    taken, clamped = parking.occupied(132.0, 414.0)

    assert (float(taken), bool(clamped)) == (282.0, False)
    assert round(float(parking.rate(taken, 414.0)) / 100, 3) == 0.681
    assert abs(float(parking.rate(taken, 414.0)) / 100 - 0.68) < 0.005


def test_more_free_than_there_are_is_empty_and_said():
    taken, clamped = parking.occupied([500.0, -2.0, nan, 414.0, 0.0], 414.0)

    assert np.array_equal(taken, [0, 414, nan, 0, 414], equal_nan=True)
    assert clamped.tolist() == [True, True, False, False, False]


def test_the_capacity_is_that_of_the_time_and_of_the_series():
    since = np.array(["2026-03-01", "2026-03-02", "2026-03-01T12:00"], "datetime64[us]")
    known = parking.Capacities(np.array([0, 0, 2]), since, np.array([400.0, 350.0, 90.0]))
    row = np.array([0, 0, 0, 1, 2, 2])
    time = np.array(
        ["2026-02-28", "2026-03-01T23:59", "2026-03-02", "2026-03-02", "2026-03-01", "2026-03-03"],
        "datetime64[us]",
    )

    found = parking.capacity_at(row, time, known)

    assert np.array_equal(found, [nan, 400, 350, nan, nan, 90], equal_nan=True)
    nothing = parking.Capacities(np.empty(0, int), np.empty(0, "M8[us]"), np.empty(0))
    assert np.isnan(parking.capacity_at(row, time, nothing)).all()


def test_minutes_above_90_percent_are_counted_by_time_and_exactly_90_is_not_above():
    time = at(0, 600, 1200, 1800)
    held = hold(np.zeros(4, int), time, np.array([600]), EDGES, LATER)

    day = parking.use(held, np.array([90.0, 91.0, 100.0, 50.0]))

    # The last of them holds for two steps of ten minutes.
    assert (day.full[0, 0], day.known[0, 0]) == (20.0, 50.0)
    assert day.mean[0, 0] == pytest.approx((900 + 910 + 1000 + 2 * 500) / 50)
    assert day.known[0, 1] == 0
    assert np.isnan(day.mean[0, 1])


def test_a_mean_by_time_is_not_the_mean_of_readings():
    time = at(0, 60, 120, 180)
    held = hold(np.zeros(4, int), time, np.array([1800]), EDGES, LATER)

    assert held.mean(np.array([0.0, 0, 0, 100]))[0, 0] == pytest.approx(100 * 3600 / 3780)


def test_a_reading_holds_over_midnight_and_not_beyond_now():
    held = hold(np.zeros(1, int), at(86_100), np.array([600]), EDGES, LATER)
    assert held.sum().tolist() == [[300.0, 900.0]]

    now = at(86_160)[0]
    held = hold(np.zeros(1, int), at(86_100), np.array([600]), EDGES, now)
    assert held.sum().tolist() == [[60.0, 0.0]]


def test_an_unknown_capacity_is_no_time_and_no_empty_car_park():
    held = hold(np.zeros(2, int), at(0, 600), np.array([600]), EDGES, LATER)

    day = parking.use(held, np.array([nan, 95.0]))

    assert (day.mean[0, 0], day.full[0, 0], day.known[0, 0]) == (95.0, 20.0, 20.0)


def test_no_free_place_in_seven_days_is_nobody_counting_and_six_may_be_a_fair():
    free = np.zeros((3, 8))
    free[1, 3] = 1
    free[2, 2:4] = nan

    found = parking.without_sensor(free, 7)

    assert np.flatnonzero(found[0]).tolist() == [6, 7]
    assert not found[1].any()
    assert np.flatnonzero(found[2]).tolist() == [6, 7]
    assert not parking.without_sensor(free[:, :6], 7).any()
    assert not parking.without_sensor(np.full((1, 9), nan), 7).any()


def test_places_that_vanish_at_once_are_a_closed_car_park_and_not_a_full_one():
    time, row = at(*range(0, 2700, 300)), np.zeros(9, int)
    free = np.array([0.0, 0, 193, 60, 30, 0, 2, 176, 0])
    size, longest = np.full(9, 200.0), np.array([600])

    leaps = parking.leaps_to_zero(row, time, free, size, longest)

    assert np.flatnonzero(leaps).tolist() == [0, 1, 8]
    # Beside a gap, beside another car park, or without a capacity nobody can tell.
    apart = time + np.arange(9) * np.timedelta64(1, "h")
    assert not parking.leaps_to_zero(row, apart, free, size, longest).any()
    two = parking.leaps_to_zero(
        np.array([0, 0, 1, 1]), time[:4], np.array([0.0, 0, 150, 0]), size[:4], np.array([600, 600])
    )
    assert two.tolist() == [False, False, False, True]
    assert not parking.leaps_to_zero(row, time, free, size * nan, longest).any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.0, 3.0, 40.0, 90.0]), min_size=1, max_size=20))
def test_leaps_are_what_plain_python_finds(free: list[float]):
    size = len(free)
    found = parking.leaps_to_zero(
        np.zeros(size, int), at(*range(0, 300 * size, 300)), np.array(free), np.full(size, 100.0),
        np.array([600]),
    )  # fmt: skip

    assert found.tolist() == oracle.leaps(free, 100.0)


def random_readings(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    row = np.sort(rng.integers(0, 3, 30))
    second = np.concatenate(
        [np.sort(rng.choice(400, n, False)) for n in np.bincount(row, minlength=3)]
    )
    return row, second.astype(float), rng.integers(0, 12, 30).astype(float), np.array([20, 7, 60])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_time_held_and_movements_are_what_a_walk_second_by_second_finds(seed: int):
    row, second, value, step = random_readings(seed)
    bounds = [50.0, 180.0, 333.0]
    edges, now = at(*bounds), at(350)[0]
    rows = list(zip(row.tolist(), second.tolist(), value.tolist(), strict=True))
    spans = list(pairwise(bounds))

    day = parking.use(hold(row, at(*second), step, edges, now), value, 5.0)
    moved, _ = stations.movements(row, at(*second), value, 2 * step, edges)

    plain = oracle.held(rows, step.tolist(), spans, 350, 5.0)
    steps = oracle.movements(rows, (2 * step).tolist(), spans)
    for series in range(3):
        for window in range(2):
            seconds, mean, above = plain.get((series, window), (0.0, nan, 0.0))
            assert day.known[series, window] * 60 == pytest.approx(seconds)
            assert day.mean[series, window] == pytest.approx(mean, nan_ok=True)
            assert day.full[series, window] * 60 == pytest.approx(above)
            found = steps.get((series, window), nan)
            assert moved[series, window] == pytest.approx(found, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(51, 332))
def test_time_held_in_two_parts_of_a_window_is_the_time_held_in_it(seed: int, split: int):
    row, second, value, step = random_readings(seed)
    whole = hold(row, at(*second), step, at(50, 333), LATER)
    parts = hold(row, at(*second), step, at(50, split, 333), LATER)

    assert parts.sum().sum(axis=1) == pytest.approx(whole.sum()[:, 0])
    assert parts.sum(value).sum(axis=1) == pytest.approx(whole.sum(value)[:, 0])


# Stations


def test_vehicles_of_a_station_that_does_not_rent_are_0_and_of_none_unknown():
    found = stations.usable(
        [4.0, 4.0, 4.0, nan], [True, True, False, True], [True, False, True, True]
    )

    assert np.array_equal(found, [4, 0, nan, nan], equal_nan=True)


def test_12_vehicles_and_9_docks_do_not_fit_into_20_places():
    assert stations.consistent([4.0, 12.0], [1.0, nan], [15.0, 9.0], 20.0).tolist() == [True, False]


def test_changes_of_2_and_1_are_at_least_3_movements_and_a_silence_hides_the_rest():
    time, value = at(0, 300, 600, 5000), np.array([5.0, 3, 4, 9])

    moved, pairs = stations.movements(np.zeros(4, int), time, value, np.array([600]), EDGES)

    assert (moved[0, 0], pairs[0, 0]) == (3.0, 2)
    assert np.isnan(moved[0, 1])


def test_two_stations_side_by_side_are_not_one():
    moved, pairs = stations.movements(
        np.array([0, 1]), at(0, 300), np.array([5.0, 9.0]), np.array([600, 600]), EDGES
    )

    assert np.isnan(moved).all()
    assert pairs.sum() == 0


def test_time_without_a_vehicle_is_a_share_of_the_time_known():
    held = hold(np.zeros(3, int), at(0, 600, 1200), np.array([600]), EDGES, LATER)
    value = np.array([0.0, nan, 2.0])

    share = stations.share_of_time(held, value == 0, ~np.isnan(value))

    assert share[0, 0] == pytest.approx(100 / 3)
    assert np.isnan(share[0, 1])


# Small counts


def test_of_120_7_and_35_only_120_and_the_total_of_162_are_shown():
    shown = suppress(np.array([[[120.0, 7, 35]]]), 11)

    assert np.array_equal(shown.count[0], [[120, nan, nan]], equal_nan=True)
    assert shown.row_total.tolist() == [[162.0]]
    assert shown.primary[0].tolist() == [[False, True, False]]
    assert shown.complementary[0].tolist() == [[False, False, True]]


def test_without_a_total_35_stays():
    shown = suppress(np.array([[[120.0, 7, 35]]]), 11, row_totals=False)

    assert np.array_equal(shown.count[0], [[120, nan, 35]], equal_nan=True)
    assert np.isnan(shown.row_total).all()


def test_two_small_counts_that_are_small_together_hide_a_third():
    shown = suppress(np.array([[[120.0, 4, 5, 60]]]), 11)

    assert np.array_equal(shown.count[0], [[120, nan, nan, nan]], equal_nan=True)


def test_a_total_that_would_tell_is_not_published():
    shown = suppress(np.array([[[7.0]], [[nan]], [[12.0]]]), 11)

    assert np.array_equal(shown.row_total[:, 0], [nan, nan, 12], equal_nan=True)
    assert np.array_equal(shown.count[:, 0, 0], [nan, nan, 12], equal_nan=True)


def test_a_true_zero_is_hidden_unless_it_says_nothing():
    table = np.array([[[0.0, 50, 60]]])

    assert np.isnan(suppress(table).count[0, 0, 0])
    assert suppress(table, zeros=True).count[0].tolist() == [[0.0, 50.0, 60.0]]


def test_a_cell_of_which_one_contributor_makes_86_percent_is_hidden_and_85_is_not():
    table = np.array([[[100.0, 100, 100]]])
    largest = np.array([[[86.0, 85, 10]]])

    assert suppress(table, largest=largest).primary[0].tolist() == [[True, False, False]]


tables = st.lists(
    st.lists(st.sampled_from([0.0, 3, 7, 11, 12, 20, 35, 120]), min_size=4, max_size=4),
    min_size=3, max_size=3,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(tables, st.booleans())
def test_what_is_hidden_is_what_plain_python_hides(table: list[list[float]], columns: bool):
    shown = suppress(np.array([table]), 11, column_totals=columns)

    found = {(int(r), int(c)) for r, c in np.argwhere(np.isnan(shown.count[0]))}
    assert found == oracle.suppressed(table, 11, columns)


@settings(max_examples=100, deadline=None)
@given(tables, st.booleans())
def test_no_published_total_gives_back_fewer_than_11_people(
    table: list[list[float]], columns: bool
):
    shown = suppress(np.array([table]), 11, column_totals=columns)

    for total, line in [
        *zip(shown.row_total[0], shown.count[0], strict=True),
        *zip(shown.column_total[0], shown.count[0].T, strict=True),
    ]:
        hidden = np.isnan(line).sum()
        if not np.isnan(total) and hidden:
            assert hidden >= 2
            assert total - np.nansum(line) >= 11
    assert not (shown.count < 11).any()


# Cost


def many(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.repeat(np.arange(n), 3), np.tile(at(0, 600, 1200), n), np.tile([1.0, 0, 4], n)


def known(n: int) -> parking.Capacities:
    return parking.Capacities(np.arange(n), np.repeat(EDGES[:1], n), np.full(n, 9.0))


@pytest.mark.parametrize(
    "kernel",
    [
        lambda n: parking.use(hold(*many(n)[:2], np.full(n, 600), EDGES, LATER), many(n)[2]),
        lambda n: parking.occupied(many(n)[2], 9.0),
        lambda n: parking.capacity_at(*many(n)[:2], known(n)),
        lambda n: parking.without_sensor(np.zeros((n, 9)), 7),
        lambda n: parking.leaps_to_zero(*many(n), np.full(3 * n, 9.0), np.full(n, 900)),
        lambda n: stations.movements(*many(n), np.full(n, 900), EDGES),
        lambda n: stations.share_of_time(
            hold(*many(n)[:2], np.full(n, 600), EDGES, LATER), many(n)[2] == 0, many(n)[2] >= 0
        ),
        lambda n: stations.usable(many(n)[2], many(n)[2] >= 0, many(n)[2] > 0),
        lambda n: stations.consistent(many(n)[2], 1.0, 2.0, 9.0),
        lambda n: suppress(np.tile([[120.0, 7, 35], [4, 5, 60]], (n, 1, 1)), column_totals=True),
    ],
    ids=[
        "use", "occupied", "capacity_at", "without_sensor", "leaps_to_zero", "movements", "share_of_time", "usable",
        "consistent", "suppress",
    ],
)  # fmt: skip
def test_10_000_series_take_as_many_python_calls_as_10(kernel: object):
    assert calls(kernel, 10) == calls(kernel, 10_000)
