"""The peak hour: vectors, laws and a slow reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.mobility import peak
from tests.unit import traffic_oracle as oracle

NAN = math.nan
COUNTS = st.lists(st.integers(0, 2000).map(float) | st.just(NAN), min_size=1, max_size=100)


def test_900_1000_1200_850_have_a_peak_hour_factor_of_0_82():
    assert peak.peak_hour_factor(np.array([900.0, 1000.0, 1200.0, 850.0])) == 3950 / 4800
    assert round(3950 / 4800, 2) == 0.82


def test_the_peak_hour_slides_to_3950_from_the_second_quarter_hour_on():
    found = peak.peak_hour(np.array([700.0, 900.0, 1000.0, 1200.0, 850.0]))

    assert (found.volume, found.slot, found.factor) == (3950.0, 1, 3950 / 4800)


def test_an_hour_with_a_gap_is_no_candidate_and_0_is_no_gap():
    found = peak.peak_hour(np.array([10.0, 0.0, 10.0, 10.0, NAN, 900.0, 900.0, 900.0]))

    assert (found.volume, found.slot, found.factor) == (30.0, 0, 0.75)


def test_without_a_whole_hour_there_is_no_peak():
    for row in ([1.0, 2.0, 3.0], [1.0, 2.0, NAN, 3.0, 4.0], [NAN] * 8):
        found = peak.peak_hour(np.array(row))
        assert math.isnan(found.volume)
        assert math.isnan(found.factor)
        assert found.slot == -1


def test_the_first_of_two_equal_hours_is_the_peak_hour():
    assert peak.peak_hour(np.array([5.0, 5.0, 5.0, 5.0, 0.0, 5.0, 5.0, 5.0, 5.0])).slot == 0


def test_an_hour_in_which_nobody_came_has_no_factor():
    found = peak.peak_hour(np.zeros(4))

    assert found.volume == 0.0
    assert math.isnan(found.factor)


@settings(max_examples=40)
@given(COUNTS)
def test_the_factor_lies_between_a_quarter_and_1_and_the_slow_reference_agrees(row: list[float]):
    found = peak.peak_hour(np.array(row))

    assert math.isnan(found.factor) or 0.25 <= found.factor <= 1
    slow = oracle.peak_hour(row)
    assert (found.volume, found.slot, found.factor) == pytest.approx(slow, nan_ok=True)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 2000).map(float), min_size=8, max_size=96))
def test_no_clock_hour_has_more_than_the_sliding_peak_hour(row: list[float]):
    whole = [sum(row[k : k + 4]) for k in range(0, len(row) - 3, 4)]

    assert peak.peak_hour(np.array(row)).volume >= max(whole)


def test_series_do_not_know_of_one_another():
    rng = np.random.default_rng(1)
    table = rng.integers(0, 300, (20, 96)).astype(np.float64)
    table[rng.random(table.shape) < 0.1] = NAN
    order = rng.permutation(20)

    found, other = peak.peak_hour(table), peak.peak_hour(table[order])

    assert np.array_equal(found.volume[order], other.volume, equal_nan=True)
    assert (found.slot[order] == other.slot).all()


def test_the_busiest_quarter_hour_is_the_first_of_the_highest():
    most, at = peak.busiest_quarter(np.array([[3.0, NAN, 9.0, 9.0], [NAN] * 4]))

    assert np.array_equal(most, [9.0, NAN], equal_nan=True)
    assert at.tolist() == [2, -1]
