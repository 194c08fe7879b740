"""Mean speeds and V85: vectors, laws and a slow reference."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import sketch
from processors.mobility import speed
from tests.unit import traffic_oracle as oracle

NAN = math.nan
RNG = np.random.default_rng(20260302)
SAMPLE = [42, 45, 47, 48, 50, 50, 51, 53, 55, 58, 60, 62, 64, 70, 88.0]
SPEEDS = st.lists(st.floats(1, 250) | st.just(NAN) | st.just(0.0), min_size=1, max_size=40)


def test_60_and_120_km_h_are_90_in_time_and_80_in_space():
    mean = speed.mean_speeds(np.array([60.0, 120.0]), np.ones(2))

    assert (mean.time, mean.space) == (90.0, 80.0)


def test_who_stands_or_has_no_speed_is_in_neither_mean_and_counted_as_stopped():
    mean = speed.mean_speeds(np.array([60.0, 0.0, 120.0, NAN]), np.ones(4))

    assert (mean.time, mean.space, mean.moving, mean.stopped) == (90.0, 80.0, 2.0, 2.0)


def test_intervals_weigh_as_many_vehicles_as_were_counted():
    mean = speed.mean_speeds(np.array([60.0, 120.0, 30.0]), np.array([3.0, 1.0, NAN]))

    assert mean.time == 75.0
    assert mean.space == pytest.approx(4 / (3 / 60 + 1 / 120))


def test_where_nobody_moves_there_is_no_mean_speed():
    mean = speed.mean_speeds(np.array([[0.0, 0.0], [NAN, NAN], [50.0, 60.0]]), np.zeros((3, 2)))

    assert np.isnan(mean.time).all()
    assert np.isnan(mean.space).all()


@settings(max_examples=40)
@given(SPEEDS, st.data())
def test_the_space_mean_speed_never_exceeds_the_time_mean_speed(
    values: list[float], data: st.DataObject
):
    counts = data.draw(st.lists(st.integers(0, 500), min_size=len(values), max_size=len(values)))
    mean = speed.mean_speeds(np.array(values), np.array(counts, np.float64))

    assert math.isnan(mean.space) == math.isnan(mean.time) == (mean.moving == 0)
    assert math.isnan(mean.space) or mean.space <= mean.time
    assert mean.moving + mean.stopped == sum(counts)


@settings(max_examples=40)
@given(SPEEDS)
def test_order_and_repetition_of_vehicles_do_not_change_mean_speeds(values: list[float]):
    once = speed.mean_speeds(np.array(values), np.ones(len(values)))
    other = sorted(values * 2, key=str)
    twice = speed.mean_speeds(np.array(other), np.ones(len(other)))

    assert twice.time == pytest.approx(once.time, nan_ok=True)
    assert twice.space == pytest.approx(once.space, nan_ok=True)
    assert twice.stopped == 2 * once.stopped


@settings(max_examples=40)
@given(SPEEDS, st.integers(0, 40))
def test_any_split_of_vehicles_combines_to_the_means_of_the_whole(values: list[float], at: int):
    whole = speed.mean_speeds(np.array(values), np.ones(len(values)))
    halves = [
        speed.mean_speeds(np.array(part), np.ones(len(part))) for part in (values[:at], values[at:])
    ]
    weight = np.array([half.moving for half in halves])
    time = speed.mean_speeds(np.array([half.time for half in halves]), weight).time
    space = speed.mean_speeds(np.array([half.space for half in halves]), weight).space

    assert time == pytest.approx(whole.time, nan_ok=True)
    assert space == pytest.approx(whole.space, nan_ok=True)


def test_mean_speeds_are_those_of_the_slow_reference():
    value = RNG.uniform(5, 130, (60, 24))
    value[RNG.random(value.shape) < 0.2] = NAN
    value[RNG.random(value.shape) < 0.1] = 0.0
    count = RNG.integers(0, 30, value.shape).astype(np.float64)
    count[RNG.random(value.shape) < 0.1] = NAN

    mean = speed.mean_speeds(value, count)

    for row in range(60):
        slow = oracle.mean_speeds(value[row].tolist(), count[row].tolist())
        found = mean.time[row], mean.space[row], mean.moving[row], mean.stopped[row]
        assert found == pytest.approx(slow, nan_ok=True)


@pytest.mark.parametrize(("method", "value"), [("linear", 63.8), ("lower", 62), ("higher", 64)])
def test_the_v85_of_15_speeds_is_63_8_or_62_or_64_by_its_method(
    method: Literal["linear", "lower", "higher"], value: float
):
    assert speed.v85(np.array(SAMPLE), method) == pytest.approx(value, abs=1e-12)


def test_speeds_of_0_and_255_are_errors_of_sensors():
    assert speed.v85(np.array([*SAMPLE, 0.0, 0.0, 255.0, NAN])) == 62.0


@pytest.mark.parametrize("method", ["linear", "lower", "higher"])
def test_v85_is_that_of_the_slow_reference(method: Literal["linear", "lower", "higher"]):
    value = RNG.integers(20, 140, (80, 101)).astype(np.float64)
    value[RNG.random(value.shape) < RNG.random((80, 1))] = NAN
    value[RNG.random(value.shape) < 0.05] = 255.0
    value[7] = NAN

    slow = [oracle.v85(row, method) for row in value.tolist()]

    assert np.allclose(speed.v85(value, method), slow, equal_nan=True)
    assert np.isnan(speed.v85(np.empty((3, 0)), method)).all()


@settings(max_examples=40)
@given(st.lists(st.floats(1, 250), min_size=1, max_size=50))
def test_v85_lies_between_its_methods_and_at_least_85_percent_do_not_exceed_the_higher(
    values: list[float],
):
    row = np.array(values)
    low, mid, high = (speed.v85(row, m) for m in ("lower", "linear", "higher"))  # type: ignore[arg-type]

    assert low <= mid <= high or math.isclose(mid, low) or math.isclose(mid, high)
    assert 100 * (row <= high).sum() >= 85 * len(values)
    assert speed.v85(row[::-1]) == low


def test_v85_of_classes_lies_within_its_class():
    # 85 of 100: 60 below 50 km/h, the 25 more of 40 in 50 to 70 km/h.
    edges = np.array([0.0, 30.0, 50.0, 70.0, np.inf])

    assert speed.v85_of_classes(np.array([10.0, 50.0, 40.0, 0.0]), edges) == pytest.approx(62.5)


def test_v85_of_classes_is_the_edge_that_85_percent_do_not_exceed():
    edges = np.array([0.0, 30.0, 50.0, 70.0])

    assert speed.v85_of_classes(np.array([85.0, 0.0, 15.0]), edges) == 30.0


def test_v85_of_classes_is_none_in_an_open_class_or_where_a_class_is_missing():
    edges = np.array([0.0, 30.0, 50.0, 70.0, np.inf])

    assert math.isnan(speed.v85_of_classes(np.array([0.0, 0.0, 0.0, 5.0]), edges))
    assert math.isnan(speed.v85_of_classes(np.array([10.0, NAN, 40.0, 0.0]), edges))
    assert math.isnan(speed.v85_of_classes(np.zeros(4), edges))


def test_v85_of_classes_is_that_of_the_slow_reference():
    count = RNG.integers(0, 40, (200, 6)).astype(np.float64)
    count[RNG.random(count.shape) < 0.3] = 0.0
    count[RNG.random(200) < 0.1, 2] = NAN
    edges = np.array([0.0, 20.0, 30.0, 50.0, 70.0, 90.0, np.inf])

    slow = [oracle.v85_of_classes(row, edges.tolist()) for row in count.tolist()]

    assert np.allclose(speed.v85_of_classes(count, edges), slow, equal_nan=True)


@settings(max_examples=60)
@given(st.lists(st.floats(5, 240), min_size=1, max_size=200))
def test_v85_of_a_sketch_is_within_1_percent_of_the_lower_speed(values: list[float]):
    row = np.array(values)
    made = sketch.build(sketch.codes(row), np.zeros(len(row), np.intp), 1)

    value, low, high, n = speed.v85_of_sketch(made)

    true = oracle.v85(values, "lower")
    assert n[0] == len(values)
    assert abs(value[0] - true) <= 0.01 * true + 1e-9
    assert low[0] - 1e-9 <= true <= high[0] + 1e-9


def test_v85_of_a_sketch_leaves_0_and_255_out_and_empty_ones_have_none():
    row = np.array([*SAMPLE, 0.0, 0.0, 255.0])
    made = sketch.build(sketch.codes(row), np.zeros(len(row), np.intp), 2)

    value, low, high, n = speed.v85_of_sketch(made)

    assert n.tolist() == [15, 0]
    assert low[0] <= 62 <= high[0]
    assert abs(value[0] - 62) <= 0.62
    assert np.isnan([value[1], low[1], high[1]]).all()


@pytest.mark.parametrize(
    ("occupied", "rate", "answer"),
    [(14.9, NAN, 1), (15.0, NAN, 0), (14.9, 2000.0, 1), (NAN, 720.0, 1), (NAN, 721.0, 0),
     (NAN, 0.0, 1), (NAN, NAN, -1)],
)  # fmt: skip
def test_traffic_is_free_below_15_percent_or_from_5_seconds_of_headway_on(
    occupied: float, rate: float, answer: int
):
    assert speed.free_flow(np.array([occupied]), np.array([rate]), 15.0).tolist() == [answer]
    assert oracle.free_flow(occupied, rate, 15.0) == answer


@pytest.mark.parametrize(("name", "p85"), [("occupancy_6005", 7.72), ("speed_6005", 91.0)])
def test_the_85th_percentile_of_a_detector_in_minnesota(shared: Path, name: str, p85: float):
    path = shared / f"data/nab-twin-cities-traffic/{name}.csv"
    value = np.array(
        [float(line.split(",")[1]) for line in path.read_text().split("\n")[1:] if line]
    )

    assert speed.ranked(value, "lower") == p85
    assert speed.ranked(value, "linear") == pytest.approx(p85, abs=1e-9)
