"""Quality tests: each by example, and all together against plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from processors.quality import Check, assess, usable
from storage.catalogue import Kind
from storage.reading import Flag, empty_batch
from tests.unit import kernel_oracle as oracle
from tests.unit.kernel_oracle import START, batch_of_seconds, table_of

GOOD, UNKNOWN, SUSPECT, FAIL, MISSING = (
    Flag.GOOD, Flag.NOT_EVALUATED, Flag.SUSPECT, Flag.FAIL, Flag.MISSING,
)  # fmt: skip
MINUTE = 60


def check(values, *, minutes=None, source=None, **limits):
    """Flags and failed tests of one series, by default a value every 10 minutes."""
    minutes = range(0, 10 * len(values), 10) if minutes is None else minutes
    source = [UNKNOWN] * len(values) if source is None else source
    rows = [
        (1, minute * MINUTE, value, flag)
        for minute, value, flag in zip(minutes, values, source, strict=True)
    ]
    flag, tests = assess(batch_of_seconds(*rows), table_of(limits))
    return flag.tolist(), tests.tolist()


@pytest.mark.parametrize(
    ("source", "value", "final"),
    [
        (MISSING, math.nan, MISSING),
        (GOOD, math.nan, MISSING),
        (MISSING, 20.0, MISSING),
        (MISSING, 99.0, MISSING),
        (UNKNOWN, 20.0, GOOD),
        (GOOD, 20.0, GOOD),
        (SUSPECT, 20.0, SUSPECT),
        (FAIL, 20.0, FAIL),
        (UNKNOWN, 99.0, FAIL),
        (SUSPECT, 99.0, FAIL),
    ],
)
def test_the_source_and_the_range_test_combine_in_qartod_order(source, value, final):
    flag, tests = check([value], source=[source], low=0, high=50)

    assert flag == [final]
    assert tests == [Check.RANGE if final == FAIL and value == 99.0 else 0]


def test_the_bounds_of_the_range_belong_to_it():
    assert check([-0.1, 0.0, 50.0, 50.1], low=0, high=50)[0] == [FAIL, GOOD, GOOD, FAIL]


def test_a_reading_no_test_could_judge_stays_not_evaluated():
    nothing = {"low": math.nan, "high": math.nan}

    assert check([1.0, 2.0, 3.0], **nothing)[0] == [UNKNOWN] * 3
    assert check([1.0, 2.0, 3.0], spike=9, **nothing)[0] == [UNKNOWN, GOOD, UNKNOWN]
    assert check([1.0, 2.0, 3.0], rate_per_h=99, **nothing)[0] == [UNKNOWN, GOOD, GOOD]


def test_a_spike_stands_above_or_below_both_neighbours():
    assert check([10, 30, 10, -9, 11], spike=15)[1] == [0, 2, 0, 2, 0]
    assert check([10, 30, 10, -9, 11], spike=15)[0] == [GOOD, SUSPECT, GOOD, SUSPECT, GOOD]


def test_a_steep_slope_is_no_spike():
    assert check([0, 10, 100, 110], spike=15)[1] == [0, 0, 0, 0]


def test_a_deviation_of_exactly_the_limit_is_no_spike():
    assert check([10, 25, 10], spike=15)[1] == [0, 0, 0]
    assert check([10, 25.1, 10], spike=15)[1] == [0, 2, 0]


def test_neighbours_of_a_spike_lie_within_two_steps():
    assert check([10, 90, 10], minutes=[0, 20, 40], spike=15)[1] == [0, 2, 0]
    assert check([10, 90, 10], minutes=[0, 20, 41], spike=15)[1] == [0, 0, 16]


def test_without_a_step_neighbours_lie_within_two_hours():
    assert check([10, 90, 10], minutes=[0, 120, 240], spike=15, step=0)[1] == [0, 2, 0]
    assert check([10, 90, 10], minutes=[0, 120, 241], spike=15, step=0)[1] == [0, 0, 0]


def test_a_failed_or_missing_reading_is_nobodys_neighbour():
    flag, tests = check([10, -999, 11, math.nan, 12], low=0, spike=5, rate_per_h=30)

    assert flag == [GOOD, FAIL, GOOD, MISSING, GOOD]
    assert tests == [0, Check.RANGE, 0, 0, 0]


def test_a_change_faster_than_the_limit_is_suspect():
    flag, tests = check([10, 24, 40], minutes=[0, 15, 30], rate_per_h=60, step=900)

    assert flag == [GOOD, GOOD, SUSPECT]
    assert tests == [0, 0, Check.RATE]


def test_a_jittering_clock_makes_no_rate():
    assert check([10, 24], minutes=[0, 1], rate_per_h=60)[1] == [0, 0]
    assert check([10, 26], minutes=[0, 1], rate_per_h=60)[1] == [0, Check.RATE]


def test_one_step_of_a_sensors_resolution_within_ten_seconds_is_no_rate():
    assert check([10, 10.1], minutes=[0, 1 / 6], rate_per_h=15, step=10)[1] == [0, 0]


def test_a_change_over_a_gap_has_no_rate():
    assert check([10, 900], minutes=[0, 21], rate_per_h=60)[1] == [0, Check.GAP]


def test_a_gap_is_more_than_two_steps_and_leaves_the_flag_alone():
    flag, tests = check([1, 2, 3], minutes=[0, 20, 41])

    assert tests == [0, 0, Check.GAP]
    assert flag == [GOOD, GOOD, GOOD]


def test_a_series_without_a_step_has_no_gaps():
    assert check([1, 2], minutes=[0, 5000], step=0)[1] == [0, 0]


def test_a_flat_line_is_suspect_from_the_reading_that_completes_the_time():
    assert check([1, 7, 7, 7, 7, 8], flat_h=0.5)[1] == [0, 0, 0, 0, Check.FLAT, 0]


def test_missing_readings_and_gaps_do_not_break_a_flat_line():
    flag, tests = check([7, math.nan, 7, 7], minutes=[0, 10, 20, 60], flat_h=1)

    assert flag == [GOOD, MISSING, GOOD, SUSPECT]
    assert tests == [0, 0, 0, Check.FLAT | Check.GAP]


@pytest.mark.parametrize(
    ("hours_before", "flat"), [(None, [0, 0, 0]), (1, [0, 4, 0]), (2, [4, 4, 0])]
)
def test_what_was_unchanged_before_the_batch_counts(hours_before, flat):
    batch = batch_of_seconds(
        (1, 0, 5.0, GOOD), (1, 600, 5.0, GOOD), (1, 1200, 6.0, GOOD), (2, 0, 5.0, GOOD)
    )
    since = START - np.timedelta64(hours_before * 60 - 10 if hours_before else "NaT", "m")

    _, tests = assess(
        batch, table_of({"flat_h": 1}, {"flat_h": 1}), np.array([since, "NaT"], "datetime64[us]")
    )

    assert tests.tolist() == [*flat, 0]


def test_an_unchanged_past_joins_the_first_usable_reading():
    batch = batch_of_seconds((1, 0, math.nan, MISSING), (1, 600, 5.0, GOOD), (1, 1200, 4.0, GOOD))
    since = np.array([START - np.timedelta64(1, "h")], "datetime64[us]")

    assert assess(batch, table_of({"flat_h": 1}), since)[1].tolist() == [0, Check.FLAT, 0]


@pytest.mark.parametrize("kind", [Kind.ANGLE, Kind.STATE])
def test_angles_and_states_may_jump(kind):
    assert check([350, 10, 350], kind=kind, spike=5, rate_per_h=5)[1] == [0, 0, 0]


def test_equal_values_of_two_series_are_no_run():
    batch = batch_of_seconds((1, 0, 5.0, GOOD), (1, 600, 5.0, GOOD), (2, 7200, 5.0, GOOD))

    assert assess(batch, table_of({"flat_h": 1}, {"flat_h": 1}))[1].tolist() == [0, 0, 0]


def test_usable_readings_are_neither_missing_nor_failed_nor_out_of_range():
    batch = batch_of_seconds(
        (1, 0, 1.0, UNKNOWN), (1, 1, 1.0, FAIL), (1, 2, math.nan, MISSING), (1, 3, 99.0, GOOD),
        (1, 4, 1.0, SUSPECT),
    )  # fmt: skip

    assert usable(batch, table_of({"high": 50})).tolist() == [True, False, False, False, True]


def test_nothing_read_is_nothing_flagged():
    flag, tests = assess(empty_batch(), table_of({}))

    assert (len(flag), len(tests)) == (0, 0)
    assert (flag.dtype, tests.dtype) == (np.int16, np.int16)


@pytest.mark.parametrize("seed", range(80))
def test_all_tests_agree_with_plain_python(seed):
    rng = np.random.default_rng(seed)
    series, readings = [], []
    for number, kind in enumerate([*Kind, *Kind], start=1):
        maybe = lambda *limits: float(rng.choice([math.nan, *limits]))  # noqa: E731
        series.append(
            {
                "kind": kind, "step": int(rng.choice([0, 60, 600])), "low": maybe(0.0, 2.0),
                "high": maybe(8.0, 20.0), "spike": maybe(1.0, 3.0), "rate_per_h": maybe(5.0, 100.0),
                "flat_h": maybe(0.1, 0.5),
            }
        )  # fmt: skip
        for second in rng.choice(9_000, rng.integers(1, 50), replace=False).tolist():
            flag = int(rng.choice([1, 2, 3, 4, 9], p=[0.4, 0.4, 0.1, 0.05, 0.05]))
            value = math.nan if flag == MISSING else float(rng.integers(0, 10))
            readings.append((number, second, value, flag))
    batch, table = batch_of_seconds(*readings), table_of(*series)

    flag, tests = assess(batch, table)

    assert (flag.tolist(), tests.tolist()) == oracle.assess(batch, table)
