"""Summaries: each kind by example, all kinds against plain Python, and the laws."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.moments import moments
from processors.quality import assess
from processors.sketch import quantile
from processors.summary import FLOATS, combine, summarise
from processors.windows import hours, local_days, quarter_hours
from storage.catalogue import Kind
from storage.reading import Batch, Flag, empty_batch
from storage.rollup import Rollups
from storage.series import SeriesTable
from tests.unit import kernel_oracle as oracle
from tests.unit.kernel_oracle import START, batch_of_seconds, table_of

EXACT = ("start", "series", "expected", "received", "good", "suspect", "provisional")
LATER = START + np.timedelta64(400, "D")
GOOD, SUSPECT, FAIL, MISSING = Flag.GOOD, Flag.SUSPECT, Flag.FAIL, Flag.MISSING


def windows(count: int, minutes: int = 15) -> np.ndarray:
    return START + np.arange(count + 1) * np.timedelta64(minutes, "m")


def summary(table: SeriesTable, batch: Batch, edges: np.ndarray, now: np.datetime64 = LATER):
    return summarise(batch, batch.flag, table, edges, now)


def one_series(kind: Kind, *readings: tuple[float, float], edges: np.ndarray, **limits):
    """Rollups of good readings (minute, value) of a series with a 10-minute step."""
    rows = [(1, minute * 60, value, GOOD) for minute, value in readings]
    return summary(table_of({"kind": kind, **limits}), batch_of_seconds(*rows), edges)


def assert_same(left: Rollups, right: Rollups, scale: float = 1.0) -> None:
    """Equal as promised: exact, and 1e-12 relative for sums (of the sums' terms)."""
    for name in EXACT:
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), name)
    for name in ("min", "max", "first", "last"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), name)
    for name in ("sum", "m2", "x", "y"):
        np.testing.assert_allclose(
            getattr(left, name), getattr(right, name), rtol=1e-12, atol=1e-12 * scale, err_msg=name
        )
    np.testing.assert_array_equal(left.sketch.offset, right.sketch.offset)
    np.testing.assert_array_equal(left.sketch.pairs, right.sketch.pairs)


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


# Against plain Python, and the laws ------------------------------------------


def a_city(seed: int, rows: int = 60) -> tuple[SeriesTable, Batch]:
    """A few series of every kind over three hours, with gaps, resets and bad flags."""
    rng = np.random.default_rng(seed)
    series, readings = [], []
    for kind in [*Kind, Kind.STATE, Kind.INDEX]:
        step = int(rng.choice([0, 60, 300, 600]))
        top = float(rng.choice([np.nan, 100.0, 1000.0]))
        series.append(
            {"kind": kind, "step": step, "register_max": top if kind == Kind.INDEX else np.nan}
        )
        seconds = np.sort(rng.choice(14_000, rng.integers(1, rows), replace=False)) - 1_500
        if rng.random() < 0.3:
            seconds[len(seconds) // 2 :] += 3_000
        value = rng.normal(50, 40, len(seconds)).round(int(rng.integers(0, 4)))
        if kind == Kind.INDEX:
            value = rng.choice([99.0, 950.0]) + np.cumsum(rng.exponential(1.0, len(seconds)))
            value[rng.random(len(value)) < 0.05] = 0.0
            if np.isfinite(top):
                value %= top
            value -= rng.choice([0.0, 0.01], len(value))
            value = np.maximum(value, 0.0)
        elif kind == Kind.STATE:
            value = rng.integers(0, 2, len(seconds)).astype(float)
        elif kind == Kind.ANGLE:
            value %= 360
        flag = rng.choice([1, 2, 3, 4, 9], len(value), p=[0.5, 0.2, 0.1, 0.1, 0.1])
        value[flag == MISSING] = np.nan
        readings += [
            (len(series), *row)
            for row in zip(seconds.tolist(), value.tolist(), flag.tolist(), strict=True)
        ]
    return table_of(*series), batch_of_seconds(*readings)


@pytest.mark.parametrize("seed", range(60))
def test_every_kind_agrees_with_plain_python(seed):
    table, batch = a_city(seed)
    edges, now = windows(12), START + np.timedelta64(100 + 60 * (seed % 3), "m")

    rows = summary(table, batch, edges, now)
    wanted = oracle.summarise(batch, batch.flag.tolist(), table, edges, now)

    keys = list(zip(rows.series.tolist(), rows.start.astype(np.int64).tolist(), strict=True))
    assert keys == sorted(wanted)
    for k, key in enumerate(keys):
        row = wanted[key]
        for name in ("expected", "received", "good", "suspect", "provisional"):
            assert getattr(rows, name)[k] == row[name], (key, name)
        for name in FLOATS:
            got = float(getattr(rows, name)[k])
            assert got == pytest.approx(row[name], rel=1e-12, abs=1e-11, nan_ok=True), (key, name)
        assert oracle.buckets(rows, k) == row["buckets"]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.sets(st.integers(1, 35), max_size=8))
def test_any_split_of_a_window_combines_to_the_whole(seed, cuts):
    table, batch = a_city(seed)
    five = windows(36, 5)
    whole_edges, part_edges = five[[0, -1]], five[sorted({0, 36} | cuts)]

    whole = summary(table, batch, whole_edges)
    parts = summary(table, batch, part_edges)

    assert_same(combine(parts, whole_edges, table, LATER), whole, scale=1e4)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_from_scratch_equals_combined_twice(seed):
    table, batch = a_city(seed)
    start, stop = START, START + np.timedelta64(3, "h")
    now = START + np.timedelta64(130, "m")
    day = local_days(start, stop, "Europe/Paris")

    quarters = summary(table, batch, quarter_hours(day[0], day[-1]), now)
    by_hours = combine(combine(quarters, hours(day[0], day[-1]), table, now), day, table, now)

    assert_same(by_hours, summary(table, batch, day, now), scale=1e4)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 11))
def test_slices_with_context_give_the_same_rows_as_one_pass(seed, cut):
    table, batch = a_city(seed)
    edges = windows(12)

    whole = summary(table, batch, edges)
    early, late = summary(table, batch, edges[: cut + 1]), summary(table, batch, edges[cut:])

    for part, keep in ((early, whole.start < edges[cut]), (late, whole.start >= edges[cut])):
        for name in FLOATS:
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[keep], name)


@settings(max_examples=60, deadline=None)
@given(
    increases=st.lists(st.floats(0, 1e6), min_size=1, max_size=30),
    minutes=st.lists(st.integers(1, 300), min_size=30, max_size=30),
)
def test_the_windows_of_a_register_add_up_to_what_it_counted(increases, minutes):
    value = 1000 + np.concatenate(([0.0], np.cumsum(increases)))
    at = np.concatenate(([0], np.cumsum(minutes[: len(increases)])))

    rows = one_series(
        Kind.INDEX,
        *zip(at.tolist(), value.tolist(), strict=True),
        edges=windows(int(at[-1]) // 15 + 1),
    )

    assert np.nansum(rows.sum) == pytest.approx(value[-1] - value[0], rel=1e-12)


@pytest.mark.parametrize(
    ("day", "length"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)]
)
def test_local_days_last_23_24_or_25_hours(day, length):
    table = table_of({"step": 900})
    noon = np.datetime64(f"{day}T12:00", "us")
    edges = local_days(noon, noon + np.timedelta64(1, "s"), "Europe/Paris")
    quarters = quarter_hours(edges[0], edges[-1])
    n = len(quarters) - 1
    batch = Batch(quarters[:-1], np.ones(n), np.ones(n, np.int32), np.full(n, GOOD, np.int16))

    rows = combine(summary(table, batch, quarters), edges, table, LATER)

    assert rows.sum.tolist() == [4.0 * length]
    assert rows.expected.tolist() == [4 * length]


def test_kernels_leave_their_inputs_alone():
    table, batch = a_city(3)
    kept = batch.take(np.arange(len(batch)))

    flag, _ = assess(batch, table)
    parts = summarise(batch, flag, table, windows(12), LATER)
    before = replace(parts, sum=parts.sum.copy(), m2=parts.m2.copy())
    combine(parts, windows(3, 60), table, LATER)

    for name in ("time", "value", "series", "flag"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(kept, name))
    np.testing.assert_array_equal(parts.sum, before.sum)
    np.testing.assert_array_equal(parts.m2, before.m2)
