"""A city's counters as the tests of mobility make them: facts, rollups, readings, figures."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import numpy as np
import psycopg

from processors import refresh, rollup, windows
from processors.mobility.count_calculations import COUNTS
from storage.catalogue import Domain
from storage.facts.facts import Facts
from storage.reading import batch_of
from storage.trade_store import save_facts
from tests.integration.small_city import arrive

PARIS = "Europe/Paris"
MONDAY = windows.first_instant(date(2024, 5, 13), PARIS)
LATER = np.datetime64("2025-02-01T00:00", "us")
HOUR = np.timedelta64(1, "h")
MINE = tuple(name for one in COUNTS for name in one.makes)


def facts(connection: psycopg.Connection, **mobility: Any) -> None:
    save_facts(connection, Facts.model_validate({"mobility": mobility}))


def sensor(connection: psycopg.Connection, series: int) -> str:
    row = connection.execute(
        "SELECT sensor FROM public.series WHERE series_id = %s", [series]
    ).fetchone()
    assert row is not None
    return str(row[0])


def store(
    connection: psycopg.Connection,
    table: str,
    series: int,
    start: np.ndarray,
    total: np.ndarray,
    expected: np.ndarray,
    good: np.ndarray,
) -> None:
    """Rollups as the processor would have written them; without what nobody reads here."""
    with connection.cursor().copy(
        f"COPY mobility.{table} (start, sum, min, max, m2, first, last, x, y, series_id, expected,"
        " received, good, suspect, provisional, sketch) FROM STDIN"
    ) as copy:
        for at, value, due, known in zip(
            start.tolist(), total.tolist(), expected.tolist(), good.tolist(), strict=True
        ):
            if known:
                copy.write_row(
                    (f"{at}+00", value, *["NaN"] * 7, series, due, known, known, 0, False, b"")
                )


def store_year(
    connection: psycopg.Connection, series: int, count: np.ndarray, starts: np.ndarray
) -> None:
    """Hours and local days of one series; NaN is an hour that was not counted."""
    known = ~np.isnan(count)
    store(
        connection, "rollup_1h", series, starts, count, np.ones(len(count), int), known.astype(int)
    )
    edges = windows.local_days(starts[0], starts[-1] + HOUR, PARIS)
    day = windows.window_of(starts, edges)
    store(
        connection, "rollup_1d", series, edges[:-1], np.bincount(day, np.where(known, count, 0)),
        np.bincount(day), np.bincount(day, known).astype(int),
    )  # fmt: skip


async def readings_arrive(
    pool: asyncpg.Pool, series: int, at: list[np.datetime64], value: list[float]
) -> None:
    times = [int(one.astype("datetime64[us]").astype(np.int64)) for one in at]
    async with pool.acquire() as one:
        await arrive(
            one, Domain.MOBILITY, batch_of(times, value, [series] * len(at), [2] * len(at))
        )


async def passes(pool: asyncpg.Pool, now: np.datetime64 = LATER) -> None:
    await rollup.process(pool, now)
    done = await refresh.refresh(pool, now)
    assert done.failed == []


def told(connection: psycopg.Connection, name: str, what: str = "value") -> list[Any]:
    rows = connection.execute(
        f"SELECT {what} FROM mobility.figures WHERE indicator = %s ORDER BY start, subject_id",
        [name],
    ).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]
