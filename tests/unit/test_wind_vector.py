"""The wind as a vector: vectors, laws and a slow reference."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import angle
from processors.wind import vector_wind
from tests.unit import traffic_oracle as oracle

NAN = math.nan


def test_the_wind_of_15_january_2022_in_valencia_is_241_278_degrees(shared: Path):
    path = shared / "data/valencia-air-2022/air_quality_valencia_2022.csv"
    with path.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["datetime"].startswith("2022-01-15")]
    speed = np.array([float(row["veloc."]) for row in rows])
    direction = np.array([float(row["direc."]) for row in rows])

    weighted = vector_wind(speed, *angle.components(direction))
    unit = vector_wind(np.ones(24), *angle.components(direction))

    assert len(rows) == 24
    assert weighted.direction == pytest.approx(241.278, abs=5e-4)
    assert unit.direction == pytest.approx(251.655, abs=5e-4)
    assert unit.steadiness == pytest.approx(0.77581, abs=5e-6)
    assert speed.mean() == pytest.approx(0.8625)


def test_350_and_10_degrees_are_0_and_0_and_180_are_nothing():
    one = np.ones(2)
    assert vector_wind(one, *angle.components(np.array([350.0, 10.0]))).direction == 0.0
    around = vector_wind(one, *angle.components(np.array([0.0, 180.0])))
    assert math.isnan(around.direction)
    assert around.speed == pytest.approx(0.0, abs=1e-12)


def test_a_calm_below_half_a_metre_a_second_has_no_direction():
    at = angle.components(np.array([90.0, 90.0]))
    assert math.isnan(vector_wind(np.array([0.4, 0.5]), *at).direction)
    assert vector_wind(np.array([0.5, 0.5]), *at).direction == pytest.approx(90.0)
    still = vector_wind(np.zeros(2), *at)
    assert math.isnan(still.direction)
    assert (still.speed, math.isnan(still.steadiness)) == (0.0, True)


def test_no_pair_of_speed_and_direction_is_no_wind():
    none = vector_wind(np.array([3.0, NAN]), *angle.components(np.array([NAN, 90.0])))
    assert np.isnan([none.direction, none.speed, none.steadiness]).all()
    assert none.parts == 0


HOURS = st.lists(
    st.tuples(st.floats(0, 40) | st.just(NAN), st.floats(0, 360) | st.just(NAN)),
    min_size=1,
    max_size=24,
)


@settings(max_examples=40)
@given(HOURS)
def test_vectors_are_those_of_the_slow_reference_in_any_order(hours: list[tuple[float, float]]):
    speed, direction = (np.array(column) for column in zip(*hours, strict=True))
    slow = oracle.vector_wind(speed.tolist(), direction.tolist())
    for step in (1, -1):
        mean = vector_wind(speed[::step], *angle.components(direction[::step]))
        assert (mean.speed, mean.parts) == pytest.approx((slow[1], slow[3]), nan_ok=True, abs=1e-9)
        assert mean.steadiness == pytest.approx(slow[2], nan_ok=True, abs=1e-9)
        # Next to the bounds rounding may decide either way.
        if abs(slow[2] - 0.1) > 1e-9 and not math.isnan(slow[0]):
            turn = abs(mean.direction - slow[0])
            assert min(turn, 360 - turn) < 1e-6
            assert 0 <= mean.direction < 360
    assert math.isnan(slow[2]) or 0 <= mean.steadiness <= 1 + 1e-12
