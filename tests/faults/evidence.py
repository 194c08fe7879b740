"""What is there at the end of a run, read from the tables for the judge."""

from __future__ import annotations

import re
from dataclasses import dataclass

import asyncpg
import numpy as np
import psycopg

from processors import rollup
from storage import rollup_store
from storage.catalogue import DOMAINS, Domain
from storage.level import Level
from storage.rollup import Rollups
from tests.faults.judge import Refused, Stored
from tests.faults.plan import LATE_US, LATEST_US, Planned, messages

_NAME = re.compile(rb'"id": ?"([a-z]{6})"')
_EXACT = (
    "series", "start", "expected", "received", "good", "suspect", "provisional", "min", "max",
    "first", "last",
)  # fmt: skip
_SUMS = ("sum", "x", "y")


def planned_until(seed: int, start_us: int, names: set[str]) -> dict[str, Planned]:
    """The plan again, as far as it was published."""
    found: dict[str, Planned] = {}
    for message in messages(seed, start_us):
        if len(found) == len(names):
            return found
        if message.name in names:
            found[message.name] = message
    raise AssertionError("a plan has no end")


def stored(connection: psycopg.Connection) -> list[Stored]:
    """Every reading."""
    found = []
    for domain in DOMAINS:
        rows = connection.execute(
            f"""
            SELECT n.code, s.field, (extract(epoch FROM r.time) * 1000000)::int8, r.value
              FROM {domain}.reading r
              JOIN city.series s USING (series_id)
              JOIN city.sensor n USING (sensor_id)
            """.encode()
        )
        found += [Stored(*row) for row in rows]
    return found


def refused(connection: psycopg.Connection) -> list[Refused]:
    """Every refusal, under the name that its message's payload says."""
    names: dict[int, str] = {}
    rows = connection.execute(
        "SELECT message_id, payload, field, readings, reason FROM pipeline.refusal"
        " ORDER BY refusal_id"
    ).fetchall()
    for delivery, payload, _, _, _ in rows:
        if match := _NAME.search(payload):
            names[delivery] = match[1].decode()
    return [
        Refused(names.get(delivery, ""), delivery, field, readings, reason)
        for delivery, _, field, readings, reason in rows
    ]


@dataclass(slots=True)
class Comparison:
    """Rollups kept up to date during the run, beside the same from scratch."""

    rows: int = 0
    differences: int = 0
    example: str = ""


async def compare_rollups(conninfo: str, start_us: int) -> Comparison:
    """Finish the passes, remember the rows, compute all of them anew, compare."""
    first = np.datetime64(start_us - LATEST_US - LATE_US, "us") - np.timedelta64(2, "D")
    now = np.datetime64(start_us, "us") + np.timedelta64(10, "D")
    found = Comparison()
    async with asyncpg.create_pool(
        conninfo, min_size=0, max_size=4, server_settings={"timezone": "UTC", "jit": "off"}
    ) as pool:
        while (await rollup.process(pool, now)).more:
            pass
        before = {
            (domain, level): await _all(pool, domain, level) for domain in Domain for level in Level
        }
        flags = await _flags(pool)
        for domain, level in before:
            await pool.execute(f"TRUNCATE {domain.value}.{level.value}")
        await pool.execute("DELETE FROM pipeline.reading_flag WHERE origin = 'test'")
        await rollup.recompute(pool, first, np.datetime64(start_us, "us"), now=now)
        for (domain, level), rows in before.items():
            _compare(found, f"{domain.value}.{level.value}", rows, await _all(pool, domain, level))
        if flags != await _flags(pool):
            found.differences += 1
            found.example = found.example or "quality flags differ"
    return found


def _compare(found: Comparison, name: str, kept: Rollups, anew: Rollups) -> None:
    found.rows += len(kept)
    if len(kept) != len(anew):
        found.differences += abs(len(kept) - len(anew))
        found.example = found.example or f"{name}: {len(kept)} rows kept, {len(anew)} from scratch"
        return
    wrong = np.zeros(len(kept), np.bool_)
    for column in _EXACT:
        ours, theirs = getattr(kept, column), getattr(anew, column)
        wrong |= (ours != theirs) & ~((ours != ours) & (theirs != theirs))
    for column in _SUMS:
        ours, theirs = getattr(kept, column), getattr(anew, column)
        wrong |= ~np.isclose(ours, theirs, rtol=1e-12, atol=1e-9, equal_nan=True)
    wrong |= ~np.isclose(kept.m2, anew.m2, rtol=1e-9, atol=1e-9, equal_nan=True)
    same = np.array_equal(kept.sketch.offset, anew.sketch.offset)
    if not (same and np.array_equal(kept.sketch.pairs, anew.sketch.pairs)):
        found.differences += 1
        found.example = found.example or f"{name}: sketches differ"
    if wrong.any():
        found.differences += int(wrong.sum())
        row = int(np.flatnonzero(wrong)[0])
        columns = (*_EXACT, *_SUMS, "m2")
        told = {c: (getattr(kept, c)[row], getattr(anew, c)[row]) for c in columns}
        found.example = found.example or f"{name}: {told}"


async def _all(pool: asyncpg.Pool, domain: Domain, level: Level) -> Rollups:
    span = np.datetime64("2000-01-01", "us"), np.datetime64("2100-01-01", "us")
    async with pool.acquire() as connection:
        return await rollup_store.fetch(connection, domain, level, *span)  # type: ignore[arg-type]


async def _flags(pool: asyncpg.Pool) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        "SELECT series_id, time, flag, tests FROM pipeline.reading_flag"
        " WHERE origin = 'test' ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]
