"""From marks to rollups: the one module that runs the kernels against the database.

A pass takes marks of changed windows, reads the readings of those windows and of the ones
their neighbours' results reach, and replaces the rollups there and in the hours and days
above, all in one transaction per domain: kill -9 at any moment loses nothing and counts
nothing twice. Windows that were open when last computed are computed once more when they
have closed. There is no watermark; an open window is simply marked again and again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
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
from storage.database import AWAY
from storage.level import Level
from storage.reading import Batch, TimeArray
from storage.rollup import Rollups
from storage.series import SeriesTable
from storage.series_store import load_series

log = logging.getLogger(__name__)

PARTS_PER_SLICE = 400_000
"""Quarter-hours combined at a time; about 500 bytes of memory each."""

SHORTEST = {
    Level.QUARTER_HOUR: np.timedelta64(15, "m"),
    Level.HOUR: np.timedelta64(1, "h"),
    Level.DAY: np.timedelta64(20, "h"),
}
"""No window of the level is shorter; the clock has never been put forward by more than 4 h."""

QUARTER_HOUR = np.timedelta64(15, "m")
DAY = np.timedelta64(24, "h")

Progress = Callable[[int, int], None]


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
class _Domain:
    """One domain while its lock is held."""

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
        return self.now - days * DAY if days else np.datetime64(0, "us")


@dataclass(frozen=True, slots=True)
class _Computed:
    """A slice's rollups, and its readings that failed a test."""

    piece: Slice
    rollups: Rollups
    failed: Batch
    tests: NDArray[np.int16]


async def process(pool: asyncpg.Pool, now: np.datetime64, settings: Settings | None = None) -> Pass:
    """One incremental pass over every domain."""
    settings = settings or Settings()
    began, done = time.monotonic(), Pass()
    async with pool.acquire() as lent:
        connection = cast(asyncpg.Connection, lent)  # the proxy has all of its methods
        for domain in Domain:
            async with connection.transaction():
                await marks.lock(connection, domain)
                taken = await marks.take(connection, domain, settings.marks_per_pass)
                table = await load_series(connection, domain)
                at_work = _Domain(connection, domain, table, now, settings, done)
                done.marks += taken.taken
                done.more |= taken.more
                await _increment(
                    at_work, Spans(taken.series, taken.start, taken.start + QUARTER_HOUR)
                )
    done.seconds = time.monotonic() - began
    if not done.idle:
        log.info(
            "pass done marks=%d readings=%d quarter_hours=%d hours=%d days=%d seconds=%.2f more=%s",
            done.marks, done.readings, *done.windows.values(), done.seconds, done.more,
        )  # fmt: skip
    return done


async def recompute(
    pool: asyncpg.Pool,
    start: np.datetime64,
    stop: np.datetime64,
    progress: Progress | None = None,
    *,
    now: np.datetime64,
    settings: Settings | None = None,
) -> Pass:
    """Compute every window that touches ``[start, stop)`` from scratch, a UTC day at a time.

    Readings may arrive and passes may run meanwhile: each day is one transaction under the
    domain's lock, and whatever is stored after it was read leaves a mark of its own.
    """
    settings = settings or Settings()
    began, done = time.monotonic(), Pass()
    if settings.keep_days:
        start = max(start, now - settings.keep_days * DAY)
    first, last = start.astype("datetime64[D]"), (stop - context.MOMENT).astype("datetime64[D]")
    days = np.arange(first, last + 1).astype("datetime64[us]")
    total, finished = len(days) * len(Domain), 0
    async with pool.acquire() as lent:
        connection = cast(asyncpg.Connection, lent)  # the proxy has all of its methods
        for domain in Domain:
            for day in days:
                low, high = max(start, day), min(stop, day + DAY)
                async with connection.transaction():
                    await marks.lock(connection, domain)
                    table = await load_series(connection, domain)
                    at_work = _Domain(connection, domain, table, now, settings, done)
                    await _from_scratch(at_work, low, high, last=high == stop)
                finished += 1
                if progress:
                    progress(finished, total)
    done.seconds = time.monotonic() - began
    return done


async def run(
    pool: asyncpg.Pool,
    settings: Settings,
    stop: asyncio.Event,
    clock: Callable[[], np.datetime64],
    note: Callable[[Pass], None] = lambda done: None,
) -> None:
    """Pass after pass until told to stop; a database that went away is waited for.

    ``note`` hears of every pass that was done.

    A pass that took long is followed by a pause of four times as long, so that the
    processor takes a fifth of the machine at most; with a backlog there is no pause.
    """
    failures = 0
    while not stop.is_set():
        try:
            done = await process(pool, clock(), settings)
        except AWAY as error:
            failures += 1
            pause = random.uniform(0.5, 1.0) * min(30.0, 0.25 * 2**failures)
            log.warning("database away error=%r retry_in_s=%.1f", str(error), pause)
        else:
            failures = 0
            note(done)
            pause = 0.0 if done.more else max(settings.interval_s - done.seconds, 4 * done.seconds)
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            continue


async def _increment(at: _Domain, changed: Spans) -> None:
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
    await _roll_up(at, read, combined, np.datetime64("9999-01-01", "us"))


async def _closed(at: _Domain, level: Level) -> Spans:
    """Windows computed when they were open, which no longer are."""
    until = at.now - SHORTEST[level] + context.MOMENT
    series, start = await marks.closed(at.connection, at.domain, level.value, until)
    known = np.isin(series, at.table.series)
    spans = Spans(series[known], start[known], start[known] + context.MOMENT)
    spans = dirty.widen(level, spans, at.table)
    return spans.take(spans.stop <= at.now)


async def _from_scratch(at: _Domain, start: np.datetime64, stop: np.datetime64, last: bool) -> None:
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
    await _roll_up(at, read, nothing, np.datetime64("9999-01-01", "us") if last else stop)


async def _roll_up(
    at: _Domain, read: dict[Level, Spans], combined: dict[Level, Spans], days_until: np.datetime64
) -> None:
    """Summarise readings where series enter, combine what lies above.

    ``read`` are the windows to compute from readings where series enter, ``combined``
    others above that need it. Days come from quarter-hours, never from UTC hours; hours
    and days of coarser series have no finer rows, and come from their readings.
    """
    table = at.table
    fine = dirty.entering(Level.QUARTER_HOUR, table, combined[Level.DAY].series)
    hours = dirty.whole(
        Level.HOUR, dirty.join([read[Level.QUARTER_HOUR], combined[Level.HOUR]]), table
    )
    days = dirty.whole(
        Level.DAY,
        dirty.join([read[Level.QUARTER_HOUR], combined[Level.DAY].take(fine)]),
        table,
    )
    read[Level.DAY] = dirty.whole(
        Level.DAY,
        dirty.join([read[Level.DAY], read[Level.HOUR], combined[Level.DAY].take(~fine)]),
        table,
    )
    for level, spans in read.items():
        until = days_until if level is Level.DAY else np.datetime64("9999-01-01", "us")
        await _summarise(at, level, dirty.within(level, spans, table, at.kept_from, until))
    await _combine(at, Level.HOUR, hours)
    beginning = np.datetime64(0, "us")
    await _combine(at, Level.DAY, dirty.within(Level.DAY, days, table, beginning, days_until))


async def _summarise(at: _Domain, level: Level, spans: Spans) -> None:
    """Windows of a level from readings: while one slice computes, the next one is read."""
    for zone, some in dirty.by_zone(level, spans, at.table):
        edge = dirty.edges(level, some.start.min(), some.stop.max(), zone)
        rate = dirty.rate(at.table, some.series)
        computing: asyncio.Task[_Computed] | None = None
        try:
            for piece in dirty.slices(some, rate, edge, at.settings.slice_rows):
                loaded = await context.load(at.connection, at.domain, piece, at.table)
                at.done.readings += len(loaded.batch)
                computed = await computing if computing else None
                computing = asyncio.create_task(
                    asyncio.to_thread(_compute, piece, loaded, at.table, edge, at.now)
                )
                if computed:
                    await _write(at, level, computed)
            if computing:
                await _write(at, level, await computing)
        finally:
            if computing:
                computing.cancel()


def _compute(
    piece: Slice, loaded: context.Loaded, table: SeriesTable, edge: TimeArray, now: np.datetime64
) -> _Computed:
    """The kernels, one after the other."""
    batch = loaded.batch
    flag, tests = quality.assess(batch, table, loaded.unchanged_since)
    edge = edge[(edge >= piece.start) & (edge <= piece.stop)]
    rollups = summary.summarise(batch, flag, table, edge, now)
    kept = np.flatnonzero(context.worth_keeping(tests, batch.time, piece))
    failed = Batch(batch.time[kept], batch.value[kept], batch.series[kept], flag[kept])
    return _Computed(piece, rollups, failed, tests[kept])


async def _write(at: _Domain, level: Level, computed: _Computed) -> None:
    piece = computed.piece
    await rollup_store.replace(
        at.connection, at.domain, level, computed.rollups, piece.start, piece.stop, piece.series
    )
    await rollup_store.replace_flags(
        at.connection, computed.failed, computed.tests, piece.start, piece.stop, piece.series
    )
    at.done.windows[level] += len(computed.rollups)


async def _combine(at: _Domain, level: Level, spans: Spans) -> None:
    """Windows of a level from the quarter-hours stored."""
    for zone, some in dirty.by_zone(level, spans, at.table):
        edge = dirty.edges(level, some.start.min(), some.stop.max(), zone)
        rate = np.full(len(some), 1 / windows.QUARTER_HOUR_S)
        for piece in dirty.slices(some, rate, edge, PARTS_PER_SLICE):
            parts = await rollup_store.fetch(
                at.connection, at.domain, Level.QUARTER_HOUR, piece.start, piece.stop, piece.series
            )
            inner = edge[(edge >= piece.start) & (edge <= piece.stop)]
            whole = await asyncio.to_thread(summary.combine, parts, inner, at.table, at.now)
            await rollup_store.replace(
                at.connection, at.domain, level, whole, piece.start, piece.stop, piece.series
            )
            at.done.windows[level] += len(whole)
