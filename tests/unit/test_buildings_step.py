"""Steps of the base load: told once, dated, and not where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.energy.step import base_load_step, median, night_base
from processors.energy.step_calculations import night_hours
from processors.windows import hours, local_days
from tests.unit import buildings_oracle as slow
from tests.unit.python_calls import calls

FIRST, LAST, NIGHTS = 49, 55, 63
SIGMA = 0.5


def noisy(n: int, seed: int, rho: float = 0.0, level: float = 10.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    value = rng.normal(0, SIGMA, (n, NIGHTS))
    for night in range(1, NIGHTS):
        value[:, night] = rho * value[:, night - 1] + np.sqrt(1 - rho**2) * value[:, night]
    return level + value


def told(base: np.ndarray) -> np.ndarray:
    return base_load_step(base, FIRST, LAST).night >= 0


@pytest.mark.parametrize(("rho", "rate"), [(0.0, 1 / 2000), (0.5, 1 / 500)])
def test_false_alarms_are_as_rare_as_stated_over_twenty_seeds(rho: float, rate: float):
    alarms = [told(noisy(2000, seed, rho)).mean() for seed in range(20)]

    assert np.mean(alarms) < rate


def test_weekends_seasons_gaps_and_pulses_are_no_steps():
    night = np.arange(NIGHTS)
    weekend = np.where(night % 7 >= 5, -4.0, 0.0)
    season = 3 * np.sin(2 * np.pi * night / 365)
    gaps = noisy(2000, 3)
    gaps[np.random.default_rng(3).random(gaps.shape) < 0.2] = np.nan
    pulses = np.random.default_rng(4).poisson(1.0, (2000, NIGHTS)).astype(np.float64)

    for quiet in (noisy(2000, 1) + weekend, noisy(2000, 2) + season, gaps, pulses):
        assert told(quiet).mean() < 1 / 500


def test_one_night_or_two_are_no_step_and_a_week_is():
    base = np.tile(noisy(1, 7), (3, 1))
    base[0, 52] += 20
    base[1, 52:54] += 20
    base[2, 52:] += 20

    assert told(base).tolist() == [False, False, True]


def test_a_step_is_dated_within_a_night_and_its_interval_holds_it():
    base = noisy(1000, 9)
    base[:, 52:] += 6 * SIGMA

    found = base_load_step(base, FIRST, LAST)

    step = found.night >= 0
    assert step.mean() > 0.95
    assert (np.abs(found.night[step] - 52) <= 1).mean() > 0.95
    assert found.size[step].mean() == pytest.approx(6 * SIGMA, abs=0.1 * SIGMA)
    inside = (found.low[step] <= 6 * SIGMA) & (found.high[step] >= 6 * SIGMA)
    assert inside.mean() > 0.93


@pytest.mark.parametrize("size", [-20 * SIGMA, 20 * SIGMA])
def test_a_step_is_told_in_its_own_week_and_in_no_other(size: float):
    series = np.concatenate([noisy(1, seed) for seed in range(3)], axis=1)
    series[:, 100:] += size

    weeks = range(0, series.shape[1] - NIGHTS, 7)
    found = [base_load_step(series[:, week : week + NIGHTS], FIRST, LAST) for week in weeks]

    nights = [
        week + one.night[0] for week, one in zip(weeks, found, strict=True) if one.night[0] >= 0
    ]
    assert nights == [100]


def test_a_night_that_is_known_too_seldom_says_nothing():
    base = noisy(3, 5)
    base[0, :15] = np.nan
    base[1, FIRST:] = np.nan
    base[2] = np.nan

    found = base_load_step(base, FIRST, LAST)

    assert np.isnan(found.size).all()
    assert found.night.tolist() == [-1, -1, -1]
    assert found.known.tolist() == [48, 49, 0]


def test_a_step_below_a_twentieth_of_the_level_is_nobody_s_concern():
    base = np.full((2, NIGHTS), 10.0) + 0.01 * np.sin(np.arange(NIGHTS))
    base[0, 52:] += 0.4
    base[1, 52:] += 0.6

    assert told(base).tolist() == [False, True]


@given(
    seed=st.integers(0, 10_000), size=st.sampled_from([0.0, 1.0, 3.0, -4.0]),
    share=st.floats(0, 0.4), at=st.integers(40, 62),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_steps_equal_the_slow_reference(seed: int, size: float, share: float, at: int):
    base = noisy(3, seed)
    base[:, at:] += size
    base[np.random.default_rng(seed).random(base.shape) < share] = np.nan

    found = base_load_step(base, FIRST, LAST)

    for row in range(3):
        night, height = slow.step(base[row].tolist(), FIRST, LAST)
        assert found.night[row] == night
        assert found.size[row] == pytest.approx(height, abs=1e-9, nan_ok=True)


@given(st.lists(st.one_of(st.none(), st.floats(-9, 9)), min_size=1, max_size=12))
def test_medians_leave_out_what_is_not_known(values: list[float | None]):
    row = np.array([[np.nan if one is None else one for one in values]])
    there = row[~np.isnan(row)]

    assert median(row)[0] == pytest.approx(np.median(there) if len(there) else np.nan, nan_ok=True)


def test_nights_of_changing_clocks_have_three_and_five_hours():
    for day, count in (("2026-03-29", 3), ("2026-03-30", 4), ("2026-10-25", 5)):
        noon = np.datetime64(f"{day}T12:00", "us")
        days = local_days(noon, noon, "Europe/Paris")
        columns = night_hours(hours(days[0], days[-1]), days, "Europe/Paris")
        assert (columns >= 0).sum() == count


def test_hours_that_lie_half_in_the_night_are_left_out():
    noon = np.datetime64("2026-06-01T08:00", "us")
    days = local_days(noon, noon, "Asia/Kolkata")

    columns = night_hours(hours(days[0], days[-1]), days, "Asia/Kolkata")

    assert (columns >= 0).sum() == 3


def test_the_base_of_a_night_is_its_lowest_hour_and_needs_three_of_four():
    rng = np.random.default_rng(2)
    hour = rng.uniform(1, 5, (30, 40))
    hour[rng.random(hour.shape) < 0.2] = np.nan
    column = np.array([[0, 1, 2, 3, -1], [10, 11, 12, -1, -1], [20, 21, 22, 23, 24]])

    base, known = night_base(hour, column)

    for row in range(30):
        for night, some in enumerate(column.tolist()):
            values = [hour[row, k] for k in some if k >= 0]
            assert base[row, night] == pytest.approx(slow.night_base(values), nan_ok=True)
            assert known[row, night] == np.sum(~np.isnan(values))


def test_steps_make_as_many_python_calls_for_10_series_as_for_10_000():
    def run(n: int) -> None:
        base_load_step(noisy(n, 1), FIRST, LAST)
        night_base(noisy(n, 1), np.arange(60).reshape(12, 5))

    counted = [calls(run, n) for n in (10, 10_000)]
    assert counted[0] == counted[1]
