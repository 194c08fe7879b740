"""Which stretches of which series to roll up again, and in which order: pure planning.

Too much only costs time, for recomputing finds the same numbers; too little would be
wrong numbers. So stretches are widened to whole windows and gathered generously.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors import windows
from processors.runs import Rows, lengths, rows_of, starts
from storage.level import Level
from storage.reading import FloatArray, IntArray, TimeArray
from storage.series import SeriesTable

ON_CHANGE_S = 60
"""Assumed time between readings of a series without a step, to estimate work. [s]"""

WASTE = 2.0
"""Slices grow as long as they read at most this many times what they must."""

SMALL_ROWS = 20_000
"""Below this, waste costs less than another round to the database."""

MOST_BLOCKS = 2000
"""Planning looks at no more stretches of time than this, one after the other."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches ``[start, stop)`` of series; columns of equal length.

    Attributes, each of shape (n,)
    ------------------------------
    series : int32
    start, stop : datetime64[us]
    """

    series: IntArray
    start: TimeArray
    stop: TimeArray

    def __len__(self) -> int:
        return len(self.series)

    def take(self, rows: Rows | NDArray[np.bool_]) -> Spans:
        """Rows chosen by position or mask."""
        return Spans(self.series[rows], self.start[rows], self.stop[rows])


@dataclass(frozen=True, slots=True)
class Slice:
    """Work done in one go: all windows in ``[start, stop)`` of some series, ascending."""

    series: IntArray
    start: np.datetime64
    stop: np.datetime64


def no_spans() -> Spans:
    """Nothing to do."""
    return Spans(np.empty(0, np.int32), *(np.empty(0, "datetime64[us]") for _ in range(2)))


def join(parts: Sequence[Spans]) -> Spans:
    """One part after the other; at least one."""
    return Spans(
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.stop for part in parts]),
    )


def merge(parts: Iterable[Spans]) -> Spans:
    """One span for all that overlap or touch, by (series, start); empty ones vanish.

    Examples
    --------
    >>> at = np.array(["2026-03-01T10", "2026-03-01T11", "2026-03-01T13"], "datetime64[us]")
    >>> one = Spans(np.array([7, 7, 7], np.int32), at, at + np.timedelta64(1, "h"))
    >>> merge([one]).stop
    array(['2026-03-01T12:00:00.000000', '2026-03-01T14:00:00.000000'],
          dtype='datetime64[us]')
    """
    spans = join([no_spans(), *parts])
    spans = spans.take(spans.stop > spans.start)
    spans = spans.take(np.lexsort((spans.start, spans.series)))
    if not len(spans):
        return spans
    # The furthest stop so far, per series: ranks of (series, stop) only grow from one
    # series to the next, so one running maximum serves all of them.
    stop_rank = np.empty(len(spans), np.intp)
    by_stop = np.lexsort((spans.stop, spans.series))
    stop_rank[by_stop] = np.arange(len(spans))
    furthest = spans.stop[by_stop[np.maximum.accumulate(stop_rank)]]
    apart = np.ones(len(spans), np.bool_)
    apart[1:] = (spans.series[1:] != spans.series[:-1]) | (spans.start[1:] > furthest[:-1])
    first = np.flatnonzero(apart)
    last = np.append(first[1:], len(spans)) - 1
    return Spans(spans.series[first], spans.start[first], furthest[last])


def entering(level: Level, table: SeriesTable, series: IntArray) -> NDArray[np.bool_]:
    """Which series have their first rows at this level: the smallest window >= their step."""
    step = table.step[table.position(series)]
    if level is Level.QUARTER_HOUR:
        return np.less_equal(step, windows.QUARTER_HOUR_S)
    if level is Level.DAY:
        return np.greater(step, windows.HOUR_S)
    return np.greater(step, windows.QUARTER_HOUR_S) & np.less_equal(step, windows.HOUR_S)


def edges(level: Level, start: np.datetime64, stop: np.datetime64, zone: str) -> TimeArray:
    """Edges of the level's windows that cover ``[start, stop)``."""
    if level is Level.QUARTER_HOUR:
        return windows.quarter_hours(start, stop)
    if level is Level.HOUR:
        return windows.hours(start, stop)
    return windows.local_days(start, stop, zone)


def by_zone(level: Level, spans: Spans, table: SeriesTable) -> Iterable[tuple[str, Spans]]:
    """Spans whose windows of a level have the same edges: only days depend on the zone."""
    if level is not Level.DAY:
        if len(spans):
            yield "UTC", spans
        return
    zone = table.timezone[table.position(spans.series)]
    for number in np.unique(zone).tolist():
        yield table.zones[number], spans.take(zone == number)


def widen(level: Level, spans: Spans, table: SeriesTable) -> Spans:
    """Each span widened to whole windows of a level; not merged, in another order."""
    widened = [no_spans()]
    for zone, some in by_zone(level, spans, table):
        edge = edges(level, some.start.min(), some.stop.max(), zone)
        begin = np.searchsorted(edge, some.start, side="right") - 1
        end = np.searchsorted(edge, some.stop, side="left")
        widened.append(Spans(some.series, edge[begin], edge[end]))
    return join(widened)


def whole(level: Level, spans: Spans, table: SeriesTable) -> Spans:
    """Spans widened to whole windows of a level, and merged."""
    return merge([widen(level, merge([spans]), table)])


def within(
    level: Level, spans: Spans, table: SeriesTable, start: np.datetime64, stop: np.datetime64
) -> Spans:
    """Spans of whole windows cut down to the windows that lie in ``[start, stop)``."""
    inner = [no_spans()]
    for zone, some in by_zone(level, spans, table):
        edge = edges(level, some.start.min(), some.stop.max(), zone)
        first = edge[np.minimum(np.searchsorted(edge, start), len(edge) - 1)]
        last = edge[np.maximum(np.searchsorted(edge, stop, side="right") - 1, 0)]
        inner.append(Spans(some.series, np.maximum(some.start, first), np.minimum(some.stop, last)))
    return merge(inner)


def rate(table: SeriesTable, series: IntArray) -> FloatArray:
    """Readings expected of each series. [1/s]"""
    step = table.step[table.position(series)]
    return 1.0 / np.where(step > 0, step, ON_CHANGE_S)


def slices(spans: Spans, rate: FloatArray, edge: TimeArray, most: int) -> list[Slice]:
    """Gather spans into slices of about ``most`` rows, oldest first.

    A slice takes every window between its first and its last for every one of its series,
    so spans of about the same time go together.

    Parameters
    ----------
    spans : Spans of n rows
        Merged, of whole windows.
    rate : float64, shape (n,)
        Rows that a span's series brings. [1/s]
    edge : datetime64[us], shape (w + 1,)
        Edges of the windows that cover the spans.
    most : int
        Rows of a slice; one window of one series is never divided.
    """
    if not len(spans):
        return []
    series, first = np.unique(spans.series, return_index=True)
    weight = rate[first] * float(np.diff(edge).max().astype(np.int64)) / 1e6
    # Blocks of windows fine enough to fit well, and few enough for a loop.
    block = max(1, int(most / 16 / weight.sum()), (len(edge) - 1) // MOST_BLOCKS)
    row, begin, end = _cut(
        np.searchsorted(edge, spans.start), np.searchsorted(edge, spans.stop), block
    )
    member = np.searchsorted(series, spans.series)[row]
    order = np.argsort(begin // block, kind="stable")
    row, begin, end, member = row[order], begin[order], end[order], member[order]

    done: list[Slice] = []
    who, low, high, needed = np.empty(0, np.intp), 0, 0, 0.0

    def close() -> None:
        parts = max(1, min(len(who), round(weight[who].sum() * (high - low) / most)))
        done.extend(
            Slice(series[some], edge[low], edge[high]) for some in np.array_split(who, parts)
        )

    at = starts(begin // block)
    for one, size in zip(at.tolist(), lengths(at, len(begin)).tolist(), strict=True):
        here = slice(one, one + size)
        need = float((weight[member[here]] * (end[here] - begin[here])).sum())
        everyone = np.union1d(who, member[here])
        lowest, highest = begin[here].min(), end[here].max()
        if len(who):
            lowest, highest = min(low, lowest), max(high, highest)
            rows = weight[everyone].sum() * (highest - lowest)
            if rows > most or rows > max(SMALL_ROWS, WASTE * (needed + need)):
                close()
                everyone, needed = np.unique(member[here]), 0.0
                lowest, highest = begin[here].min(), end[here].max()
        who, low, high, needed = everyone, int(lowest), int(highest), needed + need
    close()
    return done


def _cut(begin: Rows, end: Rows, block: int) -> tuple[Rows, Rows, Rows]:
    """Ranges of windows cut where blocks meet: which range each piece is of, its ends."""
    first = begin // block
    count = (end - 1) // block - first + 1
    row = np.repeat(np.arange(len(begin)), count)
    number = rows_of(first, count)
    return row, np.maximum(begin[row], number * block), np.minimum(end[row], (number + 1) * block)
