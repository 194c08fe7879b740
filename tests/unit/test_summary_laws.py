"""Summaries of random readings: all kinds against plain Python, and the laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.quality import assess
from processors.summary import FLOATS, combine, summarise
from processors.windows import hours, local_days, quarter_hours
from storage.catalogue import Kind
from storage.reading import Batch, Flag
from storage.rollup import Rollups
from storage.series import SeriesTable
from tests.unit import kernel_oracle as oracle
from tests.unit.kernel_oracle import START, batch_of_seconds, table_of
from tests.unit.small_rollups import LATER, one_series, summary, windows

EXACT = ("start", "series", "expected", "received", "good", "suspect", "provisional")
GOOD, MISSING = Flag.GOOD, Flag.MISSING


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
