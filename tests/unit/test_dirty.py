"""Planning finds all that must be rolled up, in slices of a bearable size."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors import dirty, windows
from processors.dirty import Slice, Spans
from storage.level import Level
from storage.series import SeriesTable

MONDAY = np.datetime64("2024-05-13T00:00", "us")
QUARTER = np.timedelta64(15, "m")


def table(steps: list[int], zones: list[str] | None = None) -> SeriesTable:
    """Gauges 1, 2, … with these steps."""
    n = len(steps)
    names = tuple(sorted(set(zones or ["UTC"])))
    return SeriesTable(
        series=np.arange(1, n + 1, dtype=np.int32),
        kind=np.zeros(n, np.int8),
        step=np.array(steps, np.int64),
        **{name: np.full(n, np.nan) for name in ("low", "high", "spike", "rate_per_h")},
        flat_h=np.full(n, np.nan),
        register_max=np.full(n, np.nan),
        timezone=np.array([names.index(z) for z in zones or ["UTC"] * n], np.int16),
        zones=names,
    )


def spans(*rows: tuple[int, int, int]) -> Spans:
    """(series, first quarter-hour, last quarter-hour + 1) counted from Monday."""
    series, start, stop = np.array(rows).reshape(-1, 3).T
    return Spans(series.astype(np.int32), MONDAY + start * QUARTER, MONDAY + stop * QUARTER)


def rows(given: Spans) -> list[tuple[int, int, int]]:
    start, stop = ((at - MONDAY) // QUARTER for at in (given.start, given.stop))
    return list(zip(given.series.tolist(), start.tolist(), stop.tolist(), strict=True))


def hours(piece: Slice) -> tuple[list[int], float, float]:
    hour = np.timedelta64(1, "h")
    return piece.series.tolist(), (piece.start - MONDAY) / hour, (piece.stop - MONDAY) / hour


def cut(given: Spans, per_window: float, most: int) -> list[Slice]:
    """Slices of quarter-hours with so many rows per series and window."""
    edge = windows.quarter_hours(given.start.min(), given.stop.max())
    return dirty.slices(given, np.full(len(given), per_window / 900), edge, most)


def test_spans_that_touch_or_overlap_become_one() -> None:
    merged = dirty.merge([spans((2, 0, 1), (1, 4, 6)), spans((1, 0, 2), (1, 2, 3), (1, 5, 8))])

    assert rows(merged) == [(1, 0, 3), (1, 4, 8), (2, 0, 1)]


def test_a_short_span_within_a_long_one_does_not_end_it() -> None:
    assert rows(dirty.merge([spans((1, 0, 9), (1, 1, 2), (1, 5, 10))])) == [(1, 0, 10)]


def test_the_long_span_of_one_series_does_not_swallow_the_next_series() -> None:
    assert rows(dirty.merge([spans((1, 0, 99), (2, 3, 4), (2, 6, 7))])) == [
        (1, 0, 99), (2, 3, 4), (2, 6, 7),
    ]  # fmt: skip


def test_empty_spans_vanish() -> None:
    assert len(dirty.merge([])) == 0
    assert len(dirty.merge([spans((1, 3, 3), (1, 5, 4))])) == 0


def test_days_are_widened_in_the_zone_of_the_territory() -> None:
    both = table([60, 60], ["Europe/Paris", "Asia/Kolkata"])

    days = dirty.whole(Level.DAY, spans((1, 4, 5), (2, 4, 5)), both)

    assert [str(at)[:16] for at in days.start] == ["2024-05-12T22:00", "2024-05-12T18:30"]
    assert [str(at)[:16] for at in days.stop] == ["2024-05-13T22:00", "2024-05-13T18:30"]


def test_a_moment_on_the_edge_belongs_to_the_window_that_begins() -> None:
    at = np.array([MONDAY])
    moment = Spans(np.array([1], np.int32), at, at + np.timedelta64(1, "us"))

    assert rows(dirty.whole(Level.HOUR, moment, table([60]))) == [(1, 0, 4)]


@pytest.mark.parametrize(
    ("step", "level"),
    [
        (0, Level.QUARTER_HOUR), (900, Level.QUARTER_HOUR), (901, Level.HOUR), (3600, Level.HOUR),
        (3601, Level.DAY), (86_400, Level.DAY),
    ],
)  # fmt: skip
def test_a_series_enters_at_exactly_one_level(step: int, level: Level) -> None:
    one = table([step])

    entered = [each for each in Level if dirty.entering(each, one, one.series).all()]
    assert entered == [level]


def test_only_windows_wholly_within_are_left() -> None:
    left = dirty.within(
        Level.QUARTER_HOUR, spans((1, 0, 8), (2, 7, 9)), table([60, 60]),
        MONDAY + 2 * QUARTER - np.timedelta64(1, "us"), MONDAY + 7 * QUARTER + np.timedelta64(1, "us"),
    )  # fmt: skip

    assert rows(left) == [(1, 2, 7)]


def test_series_of_the_same_time_go_into_one_slice() -> None:
    given = spans((1, 40, 42), (2, 40, 42), (3, 41, 42))

    assert [hours(piece) for piece in cut(given, 90, 1_000_000)] == [([1, 2, 3], 10, 10.5)]


def test_a_late_window_of_last_week_is_a_slice_of_its_own() -> None:
    many = [(k, 672, 673) for k in range(1, 1001)]
    given = dirty.merge([spans(*many, (7, 0, 1))])

    pieces = cut(given, 90, 2_000_000)

    assert [(len(piece.series), hours(piece)[1]) for piece in pieces] == [(1, 0), (1000, 168)]


def test_a_day_of_many_series_is_cut_by_time() -> None:
    pieces = cut(spans(*[(k, 0, 96) for k in range(1, 201)]), 90, 200_000)

    assert {len(piece.series) for piece in pieces} == {200}
    assert pieces[0].start == MONDAY
    assert pieces[-1].stop == MONDAY + 96 * QUARTER
    assert all(a.stop == b.start for a, b in itertools.pairwise(pieces))
    assert max(200 * 90 * (p.stop - p.start) / QUARTER for p in pieces) <= 200_000


def test_one_window_of_too_many_series_is_cut_by_series() -> None:
    pieces = cut(spans(*[(k, 5, 6) for k in range(1, 1001)]), 90, 30_000)

    assert [len(piece.series) for piece in pieces] == [334, 333, 333]
    assert {hours(piece)[1:] for piece in pieces} == {(1.25, 1.5)}


def test_nothing_dirty_makes_no_slices() -> None:
    assert dirty.slices(dirty.no_spans(), np.empty(0), np.empty(0, "datetime64[us]"), 10) == []


SOME = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 300), st.integers(1, 40)), min_size=1, max_size=25
)


@given(SOME, st.sampled_from([30, 500, 20_000, 1_000_000]))
def test_slices_cover_every_span_and_stay_on_window_edges(
    some: list[tuple[int, int, int]], most: int
) -> None:
    given = dirty.merge([spans(*[(s, a, a + n) for s, a, n in some])])

    pieces = cut(given, 15, most)

    asked = {(s, k) for s, a, b in rows(given) for k in range(a, b)}
    done = [
        (s, k)
        for piece in pieces
        for s in piece.series.tolist()
        for k in range(
            int((piece.start - MONDAY) // QUARTER), int((piece.stop - MONDAY) // QUARTER)
        )
    ]
    assert asked <= set(done)
    assert len(done) == len(set(done))
    assert len(done) * 15 <= max(
        dirty.SMALL_ROWS * len(pieces), dirty.WASTE * 15 * len(asked) + 16 * most
    )
