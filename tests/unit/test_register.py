"""Registers: rollovers, restarts, exchanges and noise, on the vectors of the trade."""

from __future__ import annotations

import math

import numpy as np
import pytest

from processors.register import increments
from tests.unit.kernel_oracle import START


def flows(*value, minutes=None, step=600, register_max=math.nan, rate_per_h=math.nan):
    """(amount, minutes it took) of the readings of one register."""
    minutes = range(0, 10 * len(value), 10) if minutes is None else minutes
    found = increments(
        START + np.array(minutes) * np.timedelta64(1, "m"),
        np.array(value, float),
        np.array([0]),
        np.array([step]),
        np.array([register_max]),
        np.array([rate_per_h]),
    )
    taken = (found.end - found.begin) // np.timedelta64(1, "m")
    return list(zip(found.amount.round(9).tolist(), taken.tolist(), strict=True))


def test_a_five_digit_register_rolls_over():
    assert flows(99_985, 12, register_max=100_000) == [(27, 10)]


def test_a_fall_to_the_middle_of_the_register_says_nothing():
    assert flows(99_985, 50_000, register_max=100_000) == []


def test_a_restart_at_zero_counts_what_the_new_reading_shows():
    assert flows(1_523.4, 0.6) == [(0.6, 10)]


def test_a_low_register_that_falls_did_not_roll_over():
    assert flows(500, 20, register_max=100_000) == [(20, 10)]


def test_a_tiny_decrease_cancels_against_the_next_increase():
    assert flows(1000.0, 999.9, 1000.3) == [(-0.1, 10), (0.4, 10)]


@pytest.mark.parametrize(
    ("after", "found"), [(999.0, [(-1.0, 10)]), (998.9, []), (500.1, []), (500.0, [(500.0, 10)])]
)
def test_noise_exchange_and_restart_part_at_a_thousandth_and_at_half(after, found):
    assert flows(1000.0, after) == found


def test_a_single_zero_in_a_going_register_is_ignored():
    assert flows(1000, 0, 1004) == [(4, 20)]


def test_a_zero_that_stays_is_a_restart():
    assert flows(1000, 0, 3) == [(0, 10), (3, 10)]
    assert flows(1000, 0, 0, 3) == [(0, 10), (0, 10), (3, 10)]


def test_a_last_zero_brings_nothing_until_the_next_reading_tells():
    assert flows(1000, 0) == [(0, 10)]


def test_a_register_that_starts_at_zero_counts_from_there():
    assert flows(0, 2, 5) == [(2, 10), (3, 10)]


def test_an_interval_beyond_31_days_is_not_attributed():
    day = 24 * 60

    assert flows(0, 31, minutes=[0, 31 * day]) == [(31, 31 * day)]
    assert flows(0, 31, minutes=[0, 31 * day + 1]) == []


def test_an_increase_faster_than_the_connection_allows_is_left_out():
    assert flows(0, 6, 13, rate_per_h=36) == [(6, 10)]


def test_a_short_interval_counts_as_a_step_for_the_fastest_increase():
    assert flows(0, 6, minutes=[0, 1], rate_per_h=36) == [(6, 1)]


def test_gaps_are_intervals_of_more_than_two_steps():
    found = increments(
        START + np.array([0, 20, 41]) * np.timedelta64(1, "m"),
        np.array([1.0, 2.0, 3.0]),
        np.array([0]),
        np.array([600]),
        np.array([math.nan]),
        np.array([math.nan]),
    )

    assert found.gap.tolist() == [False, True]


def test_registers_do_not_mix():
    found = increments(
        START + np.array([0, 10, 0, 10, 20]) * np.timedelta64(1, "m"),
        np.array([5.0, 7.0, 0.0, 1000.0, 1003.0]),
        np.array([0, 2]),
        np.array([600, 600]),
        np.array([math.nan, math.nan]),
        np.array([math.nan, math.nan]),
    )

    assert found.register.tolist() == [0, 1, 1]
    assert found.amount.tolist() == [2.0, 1000.0, 3.0]


def test_a_replacement_with_its_closing_and_opening_readings_as_two_registers_adds_up():
    # Closing 1 530.0, opening 12.0: an operator who enters both loses nothing.
    old, new = flows(1_523.4, 1_530.0), flows(12.0, 14.5)

    assert sum(amount for amount, _ in old + new) == pytest.approx(9.1)
