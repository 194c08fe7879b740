"""Summaries: each kind by example, and what is counted."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from processors.moments import moments
from processors.sketch import quantile
from processors.summary import FLOATS, combine
from storage.catalogue import Kind
from storage.reading import Flag, empty_batch
from storage.rollup import Rollups
from tests.unit.kernel_oracle import START, batch_of_seconds, table_of
from tests.unit.small_rollups import LATER, one_series, summary, windows

GOOD, SUSPECT, FAIL, MISSING = Flag.GOOD, Flag.SUSPECT, Flag.FAIL, Flag.MISSING


# Each kind ------------------------------------------------------------------


def test_a_gauge_keeps_count_sum_extremes_deviation_first_and_last():
    rows = one_series(Kind.GAUGE, (0, 20.0), (10, 26.0), (15, 5.0), edges=windows(2))

    assert rows.sum.tolist() == [46.0, 5.0]
    assert rows.min.tolist() == [20.0, 5.0]
    assert rows.max.tolist() == [26.0, 5.0]
    assert rows.m2.tolist() == [18.0, 0.0]
    assert rows.first.tolist() == [20.0, 5.0]
    assert rows.last.tolist() == [26.0, 5.0]
    assert rows.good.tolist() == [2, 1]
    assert np.isnan(rows.x).all()


def test_a_small_spread_on_a_large_offset_keeps_its_variance():
    table = table_of({"step": 10})
    noise = np.tile([-1.0, 1.0], 45)
    batch = batch_of_seconds(*[(1, 10 * k, 4.2e8 + v, GOOD) for k, v in enumerate(noise)])

    rows = summary(table, batch, windows(1))

    assert moments(rows, table)[1][0] == pytest.approx(1.0, rel=1e-7)


def test_an_index_is_split_over_the_windows_it_crosses():
    rows = one_series(Kind.INDEX, (10, 1000.0), (190, 1012.0), edges=windows(4, 60))

    assert rows.sum == pytest.approx([10 / 3, 4.0, 4.0, 2 / 3], rel=1e-12)
    assert rows.x.tolist() == rows.sum.tolist()  # 180 minutes are more than two steps
    assert rows.received.tolist() == [1, 0, 0, 1]
    assert rows.expected.tolist() == [6, 6, 6, 6]
    assert np.isnan(rows.first[1])


def test_an_index_without_a_gap_interpolates_nothing_and_is_known_to_its_last_reading():
    rows = one_series(Kind.INDEX, (0, 100.0), (10, 101.0), (20, 103.0), edges=windows(2))

    assert rows.sum.tolist() == [2.0, 1.0]
    assert rows.x.tolist() == [0.0, 0.0]
    assert rows.y.tolist() == [900.0, 300.0]
    assert np.isnan(rows.m2).all()


def test_an_index_uses_readings_on_both_sides_of_the_windows():
    edges = windows(3)[1:]
    rows = one_series(Kind.INDEX, (10, 100.0), (20, 110.0), (50, 140.0), edges=edges)

    assert rows.sum == pytest.approx([5.0 + 10.0, 15.0], rel=1e-12)


def test_a_first_register_reading_has_no_increase_rather_than_zero():
    rows = one_series(Kind.INDEX, (5, 1000.0), edges=windows(1))

    assert np.isnan(rows.sum[0])
    assert rows.first.tolist() == [1000.0]


def test_a_register_that_stands_still_has_an_increase_of_zero():
    assert one_series(Kind.INDEX, (0, 7.0), (10, 7.0), edges=windows(1)).sum.tolist() == [0.0]


def test_unusable_register_readings_are_bridged():
    batch = batch_of_seconds(
        (1, 0, 100.0, GOOD), (1, 300, 9e9, FAIL), (1, 400, np.nan, MISSING), (1, 600, 104.0, GOOD)
    )

    rows = summary(table_of({"kind": Kind.INDEX}), batch, windows(1))

    assert rows.sum.tolist() == [4.0]
    assert (rows.received[0], rows.good[0]) == (3, 2)


def test_directions_either_side_of_north_average_to_north():
    table = table_of({"kind": Kind.ANGLE})
    batch = batch_of_seconds((1, 0, 350.0, GOOD), (1, 600, 10.0, GOOD))

    rows = summary(table, batch, windows(1))

    assert moments(rows, table)[0].tolist() == [0.0]
    assert np.isnan([rows.sum[0], rows.min[0], rows.max[0], rows.m2[0]]).all()
    assert (rows.first[0], rows.last[0]) == (350.0, 10.0)


def test_opposite_directions_have_no_mean():
    table = table_of({"kind": Kind.ANGLE})
    batch = batch_of_seconds((1, 0, 0.0, GOOD), (1, 600, 180.0, GOOD))

    assert np.isnan(moments(summary(table, batch, windows(1)), table)[0][0])


def test_levels_average_by_energy_and_spread_in_decibels():
    table = table_of({"kind": Kind.LEVEL, "step": 60})
    loud = [(1, 0, 80.0, GOOD)]
    batch = batch_of_seconds(*loud, *[(1, 60 * k, 50.0, GOOD) for k in range(1, 10)])

    rows = summary(table, batch, windows(1))
    mean, deviation = moments(rows, table)

    assert mean[0] == pytest.approx(70.0, abs=0.04)
    assert rows.x.tolist() == [530.0]
    assert deviation[0] == pytest.approx(9.0)


def test_a_state_holds_into_windows_without_readings_and_ends_after_two_steps():
    rows = one_series(Kind.STATE, (10, 1.0), edges=windows(4), step=1200)

    assert rows.x.tolist() == [300.0, 900.0, 900.0, 300.0]
    assert rows.y.tolist() == [300.0, 900.0, 900.0, 300.0]
    assert rows.received.tolist() == [1, 0, 0, 0]


def test_a_state_is_carried_in_from_before_the_window():
    rows = one_series(Kind.STATE, (10, 1.0), (25, 0.0), edges=windows(2)[1:], step=1200)

    assert rows.x.tolist() == [600.0]
    assert rows.y.tolist() == [900.0]


def test_a_failed_reading_ends_the_state_before_it():
    batch = batch_of_seconds((1, 0, 1.0, GOOD), (1, 300, 7.0, FAIL))

    rows = summary(table_of({"kind": Kind.STATE}), batch, windows(1))

    assert (rows.x[0], rows.y[0]) == (300.0, 300.0)


def test_the_mean_of_a_state_is_its_share_of_the_known_time():
    table = table_of({"kind": Kind.STATE}, {"kind": Kind.INDEX})
    batch = batch_of_seconds((1, 0, 1.0, GOOD), (1, 100, 0.0, GOOD), (2, 0, 5.0, GOOD))

    rows = summary(table, batch, windows(1), START + np.timedelta64(400, "s"))

    mean, deviation = moments(rows, table)
    assert mean[0] == 0.25
    assert np.isnan([mean[1], deviation[1]]).all()


def test_the_register_itself_has_no_mean():
    table = table_of({"kind": Kind.INDEX})
    batch = batch_of_seconds((1, 0, 5.0, GOOD), (1, 600, 9.0, GOOD))

    mean, deviation = moments(summary(table, batch, windows(1)), table)

    assert np.isnan([mean[0], deviation[0]]).all()


def test_the_last_state_of_one_series_ends_by_itself():
    table = table_of({"kind": Kind.STATE}, {"kind": Kind.STATE})
    batch = batch_of_seconds((1, 300, 1.0, GOOD), (2, 0, 1.0, GOOD), (2, 60, 1.0, FAIL))

    rows = summary(table, batch, windows(1))

    assert rows.y.tolist() == [600.0, 60.0]


def test_a_state_without_a_step_is_believed_for_a_day():
    rows = one_series(Kind.STATE, (0, 1.0), edges=windows(30, 60), step=0)

    assert rows.y.sum() == 24 * 3600
    assert rows.expected.tolist() == [0] * 24


def test_a_state_is_not_held_beyond_now():
    table = table_of({"kind": Kind.STATE})
    batch = batch_of_seconds((1, 0, 1.0, GOOD))

    rows = summary(table, batch, windows(2), START + np.timedelta64(5, "m"))

    assert rows.y.tolist() == [300.0]


# Counting -------------------------------------------------------------------


def test_flags_are_counted_apart_and_only_usable_values_are_summed():
    batch = batch_of_seconds(
        (1, 0, 1.0, GOOD), (1, 100, 2.0, SUSPECT), (1, 200, 64.0, FAIL), (1, 300, np.nan, MISSING)
    )

    rows = summary(table_of({}), batch, windows(1))

    assert (rows.received[0], rows.good[0], rows.suspect[0]) == (3, 1, 1)
    assert rows.sum.tolist() == [3.0]


def test_measured_zero_stays_zero_and_missing_stays_missing():
    batch = batch_of_seconds((1, 0, 0.0, GOOD), (1, 900, np.nan, MISSING))

    rows = summary(table_of({"kind": Kind.COUNT}), batch, windows(2))
    day = combine(rows, windows(2), table_of({"kind": Kind.COUNT}), LATER)

    for some in (rows, day):
        assert some.sum[0] == 0.0
        assert np.isnan([getattr(some, name)[1] for name in FLOATS]).all()
        assert some.received.tolist() == [1, 0]
    assert quantile(rows.sketch, np.array([0.5]))[0, 0] == 0.0
    assert np.isnan(quantile(rows.sketch, np.array([0.5]))[1, 0])


@pytest.mark.parametrize(
    ("step", "minutes_elapsed", "expected"),
    [
        (600, 60, 6),
        (600, 25, 2),
        (600, 3, 1),
        (3600, 60, 1),
        (7200, 60, 1),
        (0, 60, 0),
        (700, 60, 5),
    ],
)
def test_expected_counts_whole_steps_of_the_elapsed_window(step, minutes_elapsed, expected):
    now = START + np.timedelta64(minutes_elapsed, "m")

    rows = summary(
        table_of({"step": step}), batch_of_seconds((1, 0, 1.0, GOOD)), windows(1, 60), now
    )

    assert rows.expected.tolist() == [expected]
    assert rows.provisional.tolist() == [minutes_elapsed < 60]


def test_context_rows_make_no_rows_of_their_own():
    edges = windows(3)[1:]
    batch = batch_of_seconds(*[(1, 300 * k, float(k), GOOD) for k in range(12)])

    rows = summary(table_of({}), batch, edges)

    assert rows.sum.tolist() == [3.0 + 4.0 + 5.0, 6.0 + 7.0 + 8.0]


def test_nothing_read_gives_no_rows():
    table = table_of({}, {"kind": Kind.INDEX}, {"kind": Kind.STATE})

    rows = summary(table, empty_batch(), windows(3))

    assert len(rows) == 0
    assert len(combine(rows, windows(1, 60), table, LATER)) == 0
    assert rows.sketch.offset.tolist() == [0]
    for field in fields(Rollups):
        if field.name != "sketch":
            assert (
                getattr(rows, field.name).dtype
                == getattr(
                    summary(table, batch_of_seconds((1, 0, 1.0, GOOD)), windows(1)), field.name
                ).dtype
            )
