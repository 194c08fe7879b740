"""Flow, occupancy, state, level of service, congestion: vectors, laws and a slow reference."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.mobility import congestion, flow, occupancy
from tests.unit import traffic_oracle as oracle

NAN = math.nan
RNG = np.random.default_rng(20260301)


def holed(shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Random whole numbers with gaps."""
    table = RNG.integers(int(low), int(high), shape).astype(np.float64)
    table[RNG.random(shape) < 0.2] = NAN
    return table


def test_197_vehicles_in_300_seconds_are_2364_an_hour():
    assert flow.flow_rate(197.0, 300.0) == 2364.0


def test_100_110_missing_90_were_300_and_would_have_been_400():
    whole, estimated = flow.scaled(np.array([300.0]), np.array([3.0]), np.array([4.0]))

    assert (whole.tolist(), estimated.tolist()) == ([400.0], [True])


def test_half_an_hour_is_too_little_to_scale():
    whole, estimated = flow.scaled(np.array([200.0]), np.array([2.0]), np.array([4.0]))

    assert math.isnan(whole[0])
    assert not estimated[0]


def test_an_hour_in_which_nobody_came_is_0_and_one_that_nobody_counted_is_not():
    observed, usable = np.array([0.0, NAN]), np.array([4.0, 0.0])

    assert np.array_equal(
        flow.scaled(observed, usable, np.full(2, 4.0))[0], [0.0, NAN], equal_nan=True
    )
    assert np.array_equal(flow.flow_rate(observed, 3600), [0.0, NAN], equal_nan=True)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(0, 120), st.integers(0, 60))
def test_a_count_is_scaled_from_75_percent_on_and_never_lowered(n: int, usable: int, expected: int):
    whole, estimated = flow.scaled(
        np.array([float(n)]), np.array([float(usable)]), np.array([float(expected)])
    )

    assert math.isnan(whole[0]) == (usable == 0 or usable < 0.75 * expected)
    assert math.isnan(whole[0]) or whole[0] >= n
    assert estimated[0] == (usable < expected and not math.isnan(whole[0]))


def test_counts_made_whole_are_those_of_the_slow_reference():
    observed = holed((40, 30), 0, 500)
    usable = RNG.integers(0, 6, observed.shape).astype(np.float64)
    expected = RNG.integers(0, 5, observed.shape).astype(np.float64)

    whole, estimated = flow.scaled(observed, usable, expected)

    slow = [
        oracle.scaled(*one)
        for one in zip(observed.ravel(), usable.ravel(), expected.ravel(), strict=True)
    ]
    assert np.allclose(whole.ravel(), [w for w, _ in slow], equal_nan=True)
    assert estimated.ravel().tolist() == [e for _, e in slow]


def test_1800_vehicles_an_hour_come_every_2_seconds_and_leave_gaps_of_1_7_at_54_km_h():
    assert flow.headway(1800.0) == 2.0
    assert flow.gap(2.0, 54.0, 4.5) == pytest.approx(1.7)


def test_nobody_keeps_a_gap_where_nobody_comes_or_nobody_moves():
    assert np.isnan(flow.headway(np.array([0.0, NAN]))).all()
    assert np.isnan(flow.gap(np.array([2.0, 2.0, NAN]), np.array([0.0, NAN, 50.0]), 4.5)).all()


def test_100_heavy_vehicles_and_900_cars_are_1100_passenger_cars():
    units = flow.passenger_cars(
        np.array([[900.0], [100.0], [50.0]]), (flow.CAR, flow.HEAVY, flow.TWO_WHEELER)
    )

    assert units[0] == 900 + 200 + 20


def test_the_share_of_heavy_vehicles_is_one_of_sums_not_a_mean_of_shares():
    share, both = flow.heavy_share(np.array([10.0, 190.0]), np.array([5.0, 5.0]))

    assert (share, both) == (5.0, 2)  # the mean of 50 % and 2.6 % would be 26.3 %


def test_shares_of_heavy_vehicles_are_those_of_the_slow_reference():
    every, heavy = holed((30, 24), 0, 90), holed((30, 24), 0, 20)
    every[3] = 0.0

    share, both = flow.heavy_share(every, heavy)

    slow = [oracle.heavy_share(*rows) for rows in zip(every.tolist(), heavy.tolist(), strict=True)]
    assert np.allclose(share, slow, equal_nan=True)
    assert (both == (~np.isnan(every) & ~np.isnan(heavy)).sum(axis=1)).all()


def test_occupancy_12_percent_of_4_5_m_vehicles_on_2_m_loops_is_18_46_vehicles_a_km():
    assert occupancy.density(12.0, 4.5, 2.0).round(2) == 18.46


def test_flow_over_speed_is_density():
    assert occupancy.density_of_flow(1600.0, 80.0) == 20.0


def test_lanes_of_10_and_20_percent_are_a_road_of_15():
    mean, measured = occupancy.mean_of_lanes(
        np.array([[10.0], [20.0], [NAN], [7.0]]), np.array([0, 0, 0, 1]), 3
    )

    assert np.array_equal(mean, [[15.0], [7.0], [NAN]], equal_nan=True)
    assert measured.tolist() == [[2], [1], [0]]


def test_occupancies_of_lanes_and_periods_are_those_of_the_slow_reference():
    table = holed((12, 20), 0, 100)
    site = RNG.integers(0, 5, 12)
    mean, _ = occupancy.mean_of_lanes(table, site, 5)
    for place in range(5):
        for window in range(20):
            slow = oracle.mean_of_lanes(table[site == place, window].tolist())
            assert mean[place, window] == pytest.approx(slow, nan_ok=True)

    seconds = RNG.integers(60, 3600, table.shape).astype(np.float64)
    whole, measured = occupancy.over_time(table, seconds)
    for row in range(12):
        slow_mean, slow_measured = oracle.over_time(table[row].tolist(), seconds[row].tolist())
        assert whole[row] == pytest.approx(slow_mean, nan_ok=True)
        assert measured[row] == slow_measured


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(0, 100) | st.just(NAN), st.integers(1, 3600)), min_size=2, max_size=20
    ),
    st.integers(1, 19),
)
def test_any_split_of_a_period_combines_to_the_occupancy_of_the_whole(
    parts: list[tuple[float, int]], at: int
):
    value = np.array([one for one, _ in parts])
    seconds = np.array([float(one) for _, one in parts])
    at = min(at, len(parts) - 1)

    halves = [occupancy.over_time(value[k], seconds[k]) for k in (slice(at), slice(at, None))]
    mean, measured = occupancy.over_time(
        np.array([one for one, _ in halves]), np.array([one for _, one in halves])
    )

    whole, total = occupancy.over_time(value, seconds)
    assert mean == pytest.approx(whole, nan_ok=True)
    assert measured == total


def test_lanes_may_stand_in_any_order_and_twice():
    table = holed((6, 10), 0, 100)
    site = np.array([0, 0, 1, 1, 1, 2])
    mean, _ = occupancy.mean_of_lanes(table, site, 3)
    order = RNG.permutation(6)

    assert np.allclose(
        occupancy.mean_of_lanes(table[order], site[order], 3)[0], mean, equal_nan=True
    )
    twice, _ = occupancy.mean_of_lanes(np.tile(table, (2, 1)), np.tile(site, 2), 3)
    assert np.allclose(twice, mean, equal_nan=True)


@pytest.mark.parametrize(
    ("percent", "number"),
    [(0.24, 1), (14.75, 1), (15.0, 2), (15.07, 2), (29.57, 2), (30.0, 3), (37.43, 3),
     (50.0, 4), (63.33, 4), (NAN, 0)],
)  # fmt: skip
def test_states_of_paris_begin_at_15_30_and_50_percent(percent: float, number: int):
    assert occupancy.state(np.array([percent])).tolist() == [number]
    assert oracle.state(percent, (15, 30, 50)) == number


def test_the_100_roads_of_a_snapshot_of_paris_have_the_state_that_paris_says(shared: Path):
    (path,) = (shared / "data/paris-loops-snapshot").glob("*.json")
    roads = json.loads(path.read_text())
    percent = np.array([NAN if road["k"] is None else road["k"] for road in roads])
    words = ["Inconnu", "Fluide", "Pré-saturé", "Saturé", "Bloqué"]

    found = [words[number] for number in occupancy.state(percent)]

    assert len(roads) == 100
    assert sum(np.isnan(percent)) == 40
    assert found == [road["etat_trafic"] for road in roads]


@pytest.mark.parametrize(
    ("bounds", "density", "number"),
    [(occupancy.MILE_DENSITIES, 11.0, 1), (occupancy.MILE_DENSITIES, 11.1, 2),
     (occupancy.MILE_DENSITIES, 18.0, 2), (occupancy.MILE_DENSITIES, 26.0, 3),
     (occupancy.MILE_DENSITIES, 35.0, 4), (occupancy.MILE_DENSITIES, 45.0, 5),
     (occupancy.MILE_DENSITIES, 45.1, 6), (occupancy.KM_DENSITIES, 7.0, 1),
     (occupancy.KM_DENSITIES, 11.0, 2), (occupancy.KM_DENSITIES, 16.0, 3),
     (occupancy.KM_DENSITIES, 22.0, 4), (occupancy.KM_DENSITIES, 28.0, 5),
     (occupancy.KM_DENSITIES, 28.1, 6), (occupancy.KM_DENSITIES, NAN, 0)],
)  # fmt: skip
def test_levels_of_service_end_with_their_bounds(
    bounds: tuple[float, ...], density: float, number: int
):
    assert occupancy.level_of_service(np.array([density]), bounds).tolist() == [number]
    assert oracle.level_of_service(density, bounds) == number


def test_32_instead_of_50_km_h_is_a_congestion_of_0_5625():
    assert congestion.congestion_index(32.0, 50.0) == 0.5625


def test_without_a_free_flow_speed_there_is_no_congestion_index():
    assert np.isnan(congestion.congestion_index(np.array([32.0, NAN, 0.0]), NAN)).all()
    assert math.isnan(congestion.congestion_index(0.0, 50.0))


@settings(max_examples=30)
@given(st.lists(st.floats(5, 130) | st.just(NAN), max_size=60))
def test_the_free_flow_speed_is_the_85th_percentile_of_what_is_there(speeds: list[float]):
    free, hours = congestion.free_flow_speed(np.array(speeds, np.float64))

    assert free == pytest.approx(oracle.v85(speeds, "linear"), nan_ok=True)
    assert hours == len(oracle.known(speeds))
