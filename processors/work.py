"""One domain's windows, from readings to quarter-hours, hours and local days.

Works in the transaction of a caller who holds the domain's lock. Where a series enters,
windows are summarised from its readings; what lies above is combined from quarter-hours.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import asyncpg
import numpy as np
from numpy.typing import NDArray

from processors import context, dirty, quality, summary, windows
from processors.dirty import Slice, Spans
from processors.settings import Settings
from storage import marks, rollup_store
from storage.catalogue import Domain
from storage.level import Level
from storage.reading import Batch, IntArray, TimeArray
from storage.rollup import Rollups
from storage.series import SeriesTable

PARTS_PER_SLICE = 400_000
"""Quarter-hours combined at a time; about 500 bytes of memory each."""

SHORTEST = {
    Level.QUARTER_HOUR: np.timedelta64(15, "m"),
    Level.HOUR: np.timedelta64(1, "h"),
    Level.DAY: np.timedelta64(20, "h"),
}
"""No window of the level is shorter; the clock has never been put forward by more than 4 h."""

BEGINNING, END = np.datetime64("1970-01-01", "us"), np.datetime64("9999-01-01", "us")


@dataclass(slots=True)
class Pass:
    """What a pass did; ``more`` says that marks were left for the next one."""

    marks: int = 0
    readings: int = 0
    windows: dict[Level, int] = field(default_factory=lambda: dict.fromkeys(Level, 0))
    seconds: float = 0.0
    more: bool = False

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not self.marks and not any(self.windows.values())


@dataclass(slots=True)
class Work:
    """One domain while its lock is held."""

    pool: asyncpg.Pool
    connection: asyncpg.Connection
    domain: Domain
    table: SeriesTable
    now: np.datetime64
    settings: Settings
    done: Pass

    @property
    def kept_from(self) -> np.datetime64:
        """Windows that start earlier may have lost readings to retention."""
        days = self.settings.keep_days
        return self.now - np.timedelta64(days, "D") if days else BEGINNING


@dataclass(frozen=True, slots=True)
class _Computed:
    """A slice's rollups, and its readings that failed a test."""

    piece: Slice
    rollups: Rollups
    failed: Batch
    tests: NDArray[np.int16]


async def increment(at: Work, changed: Spans) -> None:
    """Roll up what changed and what has closed, at every level."""
    table = at.table
    changed = changed.take(np.isin(changed.series, table.series))
    read, combined = {}, {}
    for level in Level:
        mine = changed.take(dirty.entering(level, table, changed.series))
        closed = await _closed(at, level)
        own = dirty.entering(level, table, closed.series)
        reached = await context.reach(
            at.connection, at.domain, dirty.whole(level, mine, table), table, at.now
        )
        still_held = context.held(closed.take(own), table, at.now)
        read[level] = dirty.whole(level, dirty.join([reached, closed.take(own), still_held]), table)
        combined[level] = closed.take(~own)
    await _roll_up(at, read, combined, END)


async def _closed(at: Work, level: Level) -> Spans:
    """Windows computed when they were open, which no longer are."""
    until = at.now - SHORTEST[level] + context.MOMENT
    series, start = await marks.closed(at.connection, at.domain, level.value, until)
    known = np.isin(series, at.table.series)
    spans = Spans(series[known], start[known], start[known] + context.MOMENT)
    spans = dirty.widen(level, spans, at.table)
    return spans.take(spans.stop <= at.now)


async def from_scratch(at: Work, start: np.datetime64, stop: np.datetime64, last: bool) -> None:
    """Roll up ``[start, stop)`` after forgetting what was there.

    Days that end later are left to the call that reaches their end, or to the last one.
    """
    read, nothing = {}, dict.fromkeys(Level, dirty.no_spans())
    for level in Level:
        series = at.table.series[dirty.entering(level, at.table, at.table.series)]
        everything = Spans(series, np.full(len(series), start), np.full(len(series), stop))
        read[level] = dirty.whole(level, everything, at.table)
        if level is not Level.DAY:
            first, *_, end = dirty.edges(level, start, stop, "UTC")
            await rollup_store.delete(at.connection, at.domain, level, first, end)
    await _roll_up(at, read, nothing, END if last else stop)


async def _roll_up(
    at: Work, read: dict[Level, Spans], combined: dict[Level, Spans], days_until: np.datetime64
) -> None:
    """Summarise readings where series enter, combine what lies above.

    ``read`` are the windows to compute from readings where series enter, ``combined``
    others above that need it. Days come from quarter-hours, never from UTC hours; hours
    and days of coarser series have no finer rows, and come from their readings.
    """
    table = at.table
    fine = dirty.entering(Level.QUARTER_HOUR, table, combined[Level.DAY].series)
    hours = dirty.whole(
        Level.HOUR,
        dirty.join(
            [
                read[Level.QUARTER_HOUR],
                combined[Level.HOUR],
                combined[Level.DAY].take(fine),
            ]
        ),
        table,
    )
    read[Level.DAY] = dirty.whole(
        Level.DAY,
        dirty.join([read[Level.DAY], read[Level.HOUR], combined[Level.DAY].take(~fine)]),
        table,
    )
    for level, spans in read.items():
        until = days_until if level is Level.DAY else END
        await _summarise(at, level, dirty.within(level, spans, table, at.kept_from, until))
    await _combine(at, hours, days_until)


async def _summarise(at: Work, level: Level, spans: Spans) -> None:
    """Windows of a level from readings.

    Slices are read ahead, computed and written at the same time, in order. Readers are
    connections of their own: they begin after the marks were taken and the lock is held
    until all is written, so they see what this transaction would.
    """
    for zone, some in dirty.by_zone(level, spans, at.table):
        edge = dirty.edges(level, some.start.min(), some.stop.max(), zone)
        rate = dirty.rate(at.table, some.series)
        pieces = dirty.slices(some, rate, edge, at.settings.slice_rows)
        ahead: deque[asyncio.Task[_Computed]] = deque()
        try:
            for number, piece in enumerate(pieces):
                if number >= at.settings.readers:
                    await _write(at, level, await ahead.popleft())
                ahead.append(asyncio.create_task(_computed(at, piece, edge)))
            while ahead:
                await _write(at, level, await ahead.popleft())
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)


async def _computed(at: Work, piece: Slice, edge: TimeArray) -> _Computed:
    """Read a slice, and compute it beside the event loop."""
    async with at.pool.acquire() as reader:
        loaded = await context.load(cast(asyncpg.Connection, reader), at.domain, piece, at.table)
    at.done.readings += len(loaded.batch)
    return await asyncio.to_thread(_compute, piece, loaded, at.table, edge, at.now)


def _compute(
    piece: Slice, loaded: context.Loaded, table: SeriesTable, edge: TimeArray, now: np.datetime64
) -> _Computed:
    """The kernels, one after the other."""
    batch = loaded.batch
    flag, tests = quality.assess(batch, table, loaded.unchanged_since)
    edge = edge[(edge >= piece.start) & (edge <= piece.stop)]
    final = quality.overruled(flag, tests, loaded.said_row, loaded.said)
    rollups = summary.summarise(batch, final, table, edge, now)
    kept = np.flatnonzero(context.worth_keeping(tests, batch.time, piece))
    failed = Batch(batch.time[kept], batch.value[kept], batch.series[kept], flag[kept])
    return _Computed(piece, rollups, failed, tests[kept])


async def _write(at: Work, level: Level, computed: _Computed) -> None:
    piece = computed.piece
    await rollup_store.replace(
        at.connection, at.domain, level, computed.rollups, piece.start, piece.stop, piece.series
    )
    await rollup_store.replace_flags(
        at.connection, computed.failed, computed.tests, piece.start, piece.stop, piece.series
    )
    at.done.windows[level] += len(computed.rollups)


async def _combine(at: Work, hours: Spans, days_until: np.datetime64) -> None:
    """Hours, and the days they are part of, from the quarter-hours stored.

    Days come from quarter-hours too, never from UTC hours: not every zone keeps whole hours.
    """
    days = dirty.whole(Level.DAY, hours, at.table)
    for zone, some in dirty.by_zone(Level.DAY, days, at.table):
        edge = dirty.edges(Level.DAY, some.start.min(), some.stop.max(), zone)
        rate = np.full(len(some), 1 / windows.QUARTER_HOUR_S)
        for piece in dirty.slices(some, rate, edge, PARTS_PER_SLICE):
            covered = windows.hours(piece.start, piece.stop)
            parts = await rollup_store.fetch(
                at.connection, at.domain, Level.QUARTER_HOUR, covered[0], covered[-1], piece.series
            )
            mine = dirty.within(
                Level.HOUR, hours.take(np.isin(hours.series, piece.series)), at.table,
                covered[0], covered[-1],
            )  # fmt: skip
            if len(mine):
                between = windows.hours(mine.start.min(), mine.stop.max())
                await _replace_combined(at, Level.HOUR, parts, between, piece.series)
            ended = edge[(edge >= piece.start) & (edge <= min(piece.stop, days_until))]
            if len(ended) > 1:
                await _replace_combined(at, Level.DAY, parts, ended, piece.series)


async def _replace_combined(
    at: Work, level: Level, parts: Rollups, edge: TimeArray, series: IntArray
) -> None:
    whole = await asyncio.to_thread(summary.combine, parts, edge, at.table, at.now)
    await rollup_store.replace(at.connection, at.domain, level, whole, edge[0], edge[-1], series)
    at.done.windows[level] += len(whole)
