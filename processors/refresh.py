"""From changed rollups to figures: every calculation, where what it reads has changed.

A pass takes the marks that rollups left when they changed, computes the periods they reach
and replaces the figures there, all in one transaction: cost follows what is new, not what
is stored. A calculation that fails is said in the log and passed over; the others go on.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import asyncpg
import numpy as np

from processors import dirty, loading, reach
from processors.calculation import Calculation
from processors.calculations import CALCULATIONS
from processors.dirty import Spans
from processors.loading import Known
from storage import figure_store, watch_store
from storage.database import AWAY
from storage.indicators.word import Subject
from storage.level import Level
from storage.trade_store import load_facts, load_roster

log = logging.getLogger(__name__)

MARKS_PER_PASS = 2_000

BEGINNING = np.datetime64("1970-01-01", "us")

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Refreshed:
    """What a pass did; ``closed`` counts figures whose period had ended since they were
    computed, ``failed`` names calculations that could not be done."""

    marks: int = 0
    closed: int = 0
    figures: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    more: bool = False

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.marks or self.closed)


@dataclass(slots=True)
class _Work:
    """One pass while its lock is held."""

    connection: asyncpg.Connection
    known: Known
    kept_from: np.datetime64
    done: Refreshed


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
            closed = await figure_store.closed(connection, now)
            done.marks, done.more, done.closed = changed.taken, changed.more, len(closed)
            if not done.idle:
                work = await _begin(connection, now, done, keep_days)
                await watch_store.mark_stale(
                    connection,
                    *changed.level[Level.HOUR],
                    work.known.facts.watch.profile_weeks,
                    now,
                )
                spans = {
                    level: reach.windows(ids, start, work.known.roster)
                    for level, (ids, start) in changed.level.items()
                }
                for calculation in CALCULATIONS:
                    ended = reach.ended(calculation, closed, work.known.roster)
                    asked = dirty.merge([spans[calculation.follows], ended])
                    await _calculate(work, calculation, asked)
                if done.closed:
                    failed = [one.makes for one in CALCULATIONS if one.name in done.failed]
                    await figure_store.close(connection, now, itertools.chain(*failed))
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
                series = work.known.roster.series
                size = len(series)
                spans = Spans(series, np.full(size, start), np.full(size, stop))
                await _calculate(work, calculation, spans)
            if progress:
                progress(number + 1, len(chosen))
    done.seconds = time.monotonic() - began
    return done


async def compute(
    connection: asyncpg.Connection, names: Sequence[str], changed: Spans, now: np.datetime64
) -> None:
    """Compute some indicators where what they compare with has changed, in the caller's
    transaction, which holds :func:`figure_store.lock`."""
    work = await _begin(connection, now, Refreshed(), 0)
    for calculation in CALCULATIONS:
        if set(names) & set(calculation.makes):
            await _calculate(work, calculation, changed)


async def _begin(
    connection: asyncpg.Connection, now: np.datetime64, done: Refreshed, keep_days: int
) -> _Work:
    known = Known(
        await load_roster(connection), await load_facts(connection),
        await watch_store.load_service(connection), now,
    )  # fmt: skip
    kept_from = now - np.timedelta64(keep_days, "D") if keep_days else BEGINNING
    return _Work(connection, known, kept_from, done)


async def _calculate(work: _Work, calculation: Calculation, changed: Spans) -> None:
    """Compute what the changed windows reach, and replace the figures there."""
    known = work.known
    members = reach.members(calculation, known.roster)
    if calculation.only:
        members = members.take(calculation.only(members, known.facts))
    changed = changed.take(np.isin(changed.series, members.series))
    if not len(changed):
        return
    group = reach.groups(calculation.together, members)
    for zone, piece, edges in reach.pieces(
        calculation, changed, members, group, known.facts, known.now, work.kept_from
    ):
        mine = members.take(np.isin(group, piece.series) & (members.zone == zone))
        given = await loading.load(work.connection, known, calculation, mine, edges, zone)
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
        except (*AWAY, asyncpg.PostgresError) as error:
            log.warning(
                "figures failed and are tried again in_s=%.0f error=%s: %s",
                pause, type(error).__name__, error,
            )  # fmt: skip
        except Exception:
            # Rollups go on without figures; figures without anybody noticing would not do.
            log.exception("figures failed and are tried again in_s=%.0f", pause)
            note(Refreshed(failed=["figures"]))
        else:
            note(done)
            pause = 0.0 if done.more else max(interval_s, 4 * done.seconds)
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            continue
