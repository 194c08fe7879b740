"""From marks to rollups: passes over every domain, again and again.

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
from typing import cast

import asyncpg
import numpy as np

from processors import context, work
from processors.dirty import Spans
from processors.settings import Settings
from processors.work import Pass as Pass  # what `process` returns, under the caller's eyes
from processors.work import Work
from storage import marks
from storage.catalogue import Domain
from storage.database import passing, remedy
from storage.series_store import load_series

log = logging.getLogger(__name__)

QUARTER_HOUR = np.timedelta64(15, "m")
DAY = np.timedelta64(24, "h")

Progress = Callable[[int, int], None]


def _require_readers(pool: asyncpg.Pool) -> None:
    # Slices are read through connections of their own; one alone would wait for itself for ever.
    if pool.get_max_size() < 2:
        raise ValueError("the processor's pool needs at least two connections")


async def process(pool: asyncpg.Pool, now: np.datetime64, settings: Settings | None = None) -> Pass:
    """One incremental pass over every domain."""
    settings = settings or Settings()
    began, done = time.monotonic(), Pass()
    _require_readers(pool)
    async with pool.acquire() as lent:
        connection = cast(asyncpg.Connection, lent)  # the proxy has all of its methods
        for domain in Domain:
            async with connection.transaction():
                await marks.lock(connection, domain)
                taken = await marks.take(connection, domain, settings.marks_per_pass)
                table = await load_series(connection, domain)
                at_work = Work(pool, connection, domain, table, now, settings, done)
                done.marks += taken.taken
                done.more |= taken.more
                await work.increment(
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
        # Whole days: what is forgotten must be computable again.
        kept_from = (now - settings.keep_days * DAY).astype("datetime64[D]") + 1
        start = max(start, kept_from.astype("datetime64[us]"))
    first, last = start.astype("datetime64[D]"), (stop - context.MOMENT).astype("datetime64[D]")
    days = np.arange(first, last + 1).astype("datetime64[us]")
    total, finished = len(days) * len(Domain), 0
    _require_readers(pool)
    async with pool.acquire() as lent:
        connection = cast(asyncpg.Connection, lent)  # the proxy has all of its methods
        for domain in Domain:
            for day in days:
                low, high = max(start, day), min(stop, day + DAY)
                async with connection.transaction():
                    await marks.lock(connection, domain)
                    table = await load_series(connection, domain)
                    at_work = Work(pool, connection, domain, table, now, settings, done)
                    await work.from_scratch(at_work, low, high, last=high == stop)
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
        except Exception as error:
            if not passing(error):
                raise
            failures += 1
            pause = random.uniform(0.5, 1.0) * min(30.0, 0.25 * 2**failures)
            log.warning(
                "database away error=%r retry_in_s=%.1f remedy=%s",
                str(error), pause, remedy(error) or "-",
            )  # fmt: skip
        else:
            failures = 0
            note(done)
            pause = 0.0 if done.more else max(settings.interval_s - done.seconds, 4 * done.seconds)
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            continue
