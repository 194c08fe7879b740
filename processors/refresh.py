"""From changed rollups to figures: every calculation, where what it reads has changed.

A pass takes the marks that rollups left when they changed, computes the periods they reach
and replaces the figures there, all in one transaction: cost follows what is new, not what
is stored. A calculation that fails is said in the log and passed over; the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import asyncpg
import numpy as np

from processors import dirty, frame, periods
from processors.calculation import Calculation, Given, Together
from processors.calculations import CALCULATIONS
from processors.dirty import Slice, Spans
from processors.frame import Frame
from storage import figure_store, rollup_store
from storage.catalogue import Domain
from storage.facts.facts import Facts
from storage.figures import Figures, join, no_figures
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Subject
from storage.level import Level
from storage.reading import Batch, IntArray, TimeArray, empty_batch
from storage.rollup import Rollups
from storage.roster import Roster
from storage.trade_store import load_facts, load_roster
from storage.windows import final_readings

log = logging.getLogger(__name__)

CELLS = 4_000_000
"""Windows of series loaded at a time; about 100 bytes of memory each."""

MARKS_PER_PASS = 2_000

BEGINNING = np.datetime64("1970-01-01", "us")

LENGTH_S = {Level.QUARTER_HOUR: 900.0, Level.HOUR: 3600.0, Level.DAY: 86400.0}

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Refreshed:
    """What a pass did; ``failed`` names calculations that could not be done."""

    marks: int = 0
    figures: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    more: bool = False

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not self.marks


@dataclass(slots=True)
class _Work:
    """One pass while its lock is held."""

    connection: asyncpg.Connection
    roster: Roster
    facts: Facts
    now: np.datetime64
    done: Refreshed
    kept_from: np.datetime64


async def refresh(pool: asyncpg.Pool, now: np.datetime64, keep_days: int = 0) -> Refreshed:
    """One incremental pass over every calculation.

    Readings older than ``keep_days`` may be gone; 0: they are kept for ever.
    """
    began, done = time.monotonic(), Refreshed()
    async with pool.acquire() as lent:
        connection = cast(asyncpg.Connection, lent)  # the proxy has all of its methods
        async with connection.transaction():
            await figure_store.lock(connection)
            changed = await figure_store.take(connection, MARKS_PER_PASS)
            done.marks, done.more = changed.taken, changed.more
            if changed.taken:
                work = await _begin(connection, now, done, keep_days)
                spans = {
                    level: _windows(level, ids, start, work.roster)
                    for level, (ids, start) in changed.level.items()
                }
                for calculation in CALCULATIONS:
                    await _calculate(work, calculation, spans[calculation.follows])
    done.seconds = time.monotonic() - began
    if not done.idle:
        log.info(
            "figures done marks=%d figures=%d seconds=%.2f more=%s",
            done.marks, done.figures, done.seconds, done.more,
        )  # fmt: skip
    return done


async def recompute(
    pool: asyncpg.Pool,
    start: np.datetime64,
    stop: np.datetime64,
    progress: Progress | None = None,
    *,
    now: np.datetime64,
    only: Sequence[str] = (),
    keep_days: int = 0,
) -> Refreshed:
    """Compute every period that touches ``[start, stop)``, of all indicators or ``only`` some."""
    began, done = time.monotonic(), Refreshed()
    chosen = [one for one in CALCULATIONS if not only or set(only) & set(one.makes)]
    async with pool.acquire() as lent:
        connection = cast(asyncpg.Connection, lent)  # the proxy has all of its methods
        for number, calculation in enumerate(chosen):
            async with connection.transaction():
                await figure_store.lock(connection)
                work = await _begin(connection, now, done, keep_days)
                size = len(work.roster)
                spans = Spans(work.roster.series, np.full(size, start), np.full(size, stop))
                await _calculate(work, calculation, spans)
            if progress:
                progress(number + 1, len(chosen))
    done.seconds = time.monotonic() - began
    return done


async def _begin(
    connection: asyncpg.Connection, now: np.datetime64, done: Refreshed, keep_days: int
) -> _Work:
    roster, facts = await load_roster(connection), await load_facts(connection)
    kept_from = now - np.timedelta64(keep_days, "D") if keep_days else BEGINNING
    return _Work(connection, roster, facts, now, done, kept_from)


def _windows(level: Level, ids: IntArray, start: TimeArray, roster: Roster) -> Spans:
    """Marked windows as spans; of a day the first hours are enough to say which it is."""
    known = np.isin(ids, roster.series)
    ids, start = ids[known], start[known]
    return dirty.merge([Spans(ids, start, start + np.timedelta64(1, "h"))])


async def _calculate(work: _Work, calculation: Calculation, changed: Spans) -> None:
    """Compute what the changed windows reach, and replace the figures there."""
    metrics = list(calculation.metrics)
    members = work.roster.take(np.isin(work.roster.metric, metrics)) if metrics else work.roster
    changed = changed.take(np.isin(changed.series, members.series))
    if not len(changed):
        return
    group = _groups(calculation.together, members)
    for zone, piece, edges in _pieces(calculation, changed, members, group, work.facts):
        if calculation.raw and piece.start < work.kept_from:
            continue
        mine = members.take(np.isin(group, piece.series) & (members.zone == zone))
        given = await _load(work, calculation, mine, edges, zone)
        try:
            made = await asyncio.to_thread(calculation.compute, given)
        except Exception:
            log.exception("a calculation failed and is passed over name=%r", calculation.name)
            work.done.failed.append(calculation.name)
            return
        subjects = {
            Subject.SERIES: mine.series,
            Subject.SITE: np.unique(mine.site_id),
            Subject.TERRITORY: np.unique(mine.territory_id),
        }
        work.done.figures += await figure_store.replace(
            work.connection, made, calculation.makes, subjects, edges[0], edges[-1]
        )


def _groups(together: Together, members: Roster) -> IntArray:
    """What each series is computed with, as a number."""
    if together is Together.SERIES:
        return members.series
    if together is Together.SITE:
        return members.site_id
    if together is Together.TERRITORY:
        return members.territory_id
    return np.zeros(len(members), np.int32)


def _pieces(
    calculation: Calculation, changed: Spans, members: Roster, group: IntArray, facts: Facts
) -> Iterator[tuple[str, Slice, TimeArray]]:
    """Groups and whole periods to compute at a time, zone by zone."""
    row = np.searchsorted(members.series, changed.series)
    reached = Spans(group[row], changed.start, changed.stop + calculation.after)
    for zone in np.unique(members.zone).tolist():
        here = members.zone == zone
        some = dirty.merge([reached.take(here[row])])
        if not len(some):
            continue
        edges = periods.edges(
            calculation.period, some.start.min(), some.stop.max(), zone, facts.air.day_offset_h
        )
        begin = np.searchsorted(edges, some.start, side="right") - 1
        end = np.searchsorted(edges, some.stop, side="left")
        some = dirty.merge([Spans(some.series, edges[begin], edges[end])])
        size = np.bincount(np.unique(group[here], return_inverse=True)[1])
        weight = size[np.searchsorted(np.unique(group[here]), some.series)]
        for piece in dirty.slices(some, weight / LENGTH_S[calculation.level], edges, CELLS):
            inside = edges[(edges >= piece.start) & (edges <= piece.stop)]
            yield zone, piece, inside


async def _load(
    work: _Work, calculation: Calculation, mine: Roster, edges: TimeArray, zone: str
) -> Given:
    """The rollups and figures that a calculation reads."""
    start, stop = edges[0] - calculation.before, edges[-1]
    windows = dirty.edges(calculation.level, start, stop, zone)
    found = [
        await _rollups(work.connection, Domain(domain), calculation, windows, mine, domain)
        for domain in np.unique(mine.domain).tolist()
    ]
    read: list[Figures] = []
    for domain in Domain:
        names = [n for n in calculation.reads if INDICATORS[POSITION[n]].domain is domain]
        if names:
            read.append(await figure_store.fetch(work.connection, domain, names, start, stop))
    whole = _joined(mine, windows, found)
    readings = [
        await final_readings(
            work.connection, Domain(domain), start, stop, mine.series[mine.domain == domain]
        )
        for domain in (np.unique(mine.domain).tolist() if calculation.raw else ())
    ]
    return Given(
        whole, edges, zone, work.now, work.facts, join(read) if read else no_figures(),
        _one_batch(readings),
    )  # fmt: skip


def _one_batch(parts: Sequence[Batch]) -> Batch:
    if len(parts) < 2:
        return parts[0] if parts else empty_batch()
    names = ("time", "value", "series", "flag")
    return Batch(
        *(np.concatenate([getattr(part, n) for part in parts]) for n in names)
    ).in_key_order()


async def _rollups(
    connection: asyncpg.Connection,
    domain: Domain,
    calculation: Calculation,
    windows: TimeArray,
    mine: Roster,
    name: str,
) -> Frame:
    series = mine.series[mine.domain == name]
    start, stop = windows[0], windows[-1]
    if "sketch" in calculation.parts:
        rows: Rollups = await rollup_store.fetch(
            connection, domain, calculation.level, start, stop, series
        )
        parts = {part: getattr(rows, part) for part in calculation.parts if part != "sketch"}
        return frame.frame_of(mine, windows, rows.series, rows.start, parts, rows.sketch)
    ids, starts, columns = await rollup_store.fetch_parts(
        connection, domain, calculation.level, calculation.parts, start, stop, series
    )
    return frame.frame_of(mine, windows, ids, starts, columns)


def _joined(mine: Roster, windows: TimeArray, found: Iterable[Frame]) -> Frame:
    """Frames of several domains as one; sketches only where there is one domain."""
    frames = list(found)
    if len(frames) == 1:
        return frames[0]
    names = frames[0].parts
    return Frame(
        mine,
        windows,
        np.concatenate([one.row for one in frames]),
        np.concatenate([one.column for one in frames]),
        {name: np.concatenate([one.parts[name] for one in frames]) for name in names},
    )


async def run(
    pool: asyncpg.Pool,
    stop: asyncio.Event,
    clock: Callable[[], np.datetime64],
    note: Callable[[Refreshed], None] = lambda done: None,
    *,
    interval_s: float = 10.0,
    keep_days: int = 0,
) -> None:
    """Pass after pass until told to stop; what fails is tried again at the next turn."""
    while not stop.is_set():
        pause = interval_s
        try:
            done = await refresh(pool, clock(), keep_days)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning(
                "figures failed and are tried again in_s=%.0f error=%s: %s",
                pause, type(error).__name__, error,
            )  # fmt: skip
        else:
            note(done)
            pause = 0.0 if done.more else max(interval_s, 4 * done.seconds)
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            continue
