"""Figures of indicators in and out of the database, and the marks that ask for them.

Everything here runs in the caller's transaction. What is recomputed replaces what was
there; rows that would not change are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np

from storage import binary, marks
from storage.catalogue import Domain
from storage.figures import Figures, join
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Subject
from storage.level import Level
from storage.reading import IntArray, TimeArray

_STORED = (
    ("start", ">i8"), ("stop", ">i8"), ("at", ">i8"), ("value", ">f8"), ("low", ">f8"),
    ("high", ">f8"), ("subject", ">i4"), ("n", ">i4"), ("due", ">i4"), ("code", ">i4"),
    ("indicator", ">i2"), ("status", ">i2"), ("method", ">i2"), ("provisional", "|i1"),
    ("indicative", "|i1"),
)  # fmt: skip
_NAMES = tuple({"subject": "subject_id", "indicator": "indicator_id"}.get(n, n) for n, _ in _STORED)
_KEY = ("indicator_id", "subject_id", "start")
_REST = tuple(name for name in _NAMES if name not in _KEY)
_TIMES = ("start", "stop", "at")


_MARK = (("day", ">i4"), ("start", ">i8"), ("id", ">i4"), ("taken", ">i4"))

MOST_WINDOWS = 4_000_000
"""Windows of series that a pass is asked for at most; about 30 bytes of memory each."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Closed windows of rollups that are not what they were; see :func:`take`."""

    taken: int
    more: bool
    level: Mapping[Level, tuple[IntArray, TimeArray]]


async def lock(connection: asyncpg.Connection) -> None:
    """Wait until nobody else computes figures; held until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *marks.FIGURES)


async def take(connection: asyncpg.Connection, limit: int, windows: int = MOST_WINDOWS) -> Changed:
    """Remove and return the oldest marks of changed rollups.

    At most ``limit`` marks, and no more once they speak of so many ``windows`` of series.
    """
    body = await binary.copy_out(
        connection,
        """
        WITH oldest AS (
             SELECT change_id, cardinality(series_id) AS size
               FROM pipeline.changed ORDER BY change_id LIMIT $1),
        portion AS (
             SELECT change_id, sum(size) OVER (ORDER BY change_id) - size AS before FROM oldest),
        taken AS (
             DELETE FROM pipeline.changed
              WHERE change_id IN (SELECT change_id FROM portion WHERE before < $2)
             RETURNING level, start, series_id)
        SELECT (t.level = $3)::int4, t.start, id, (SELECT count(*) FROM taken)::int4
          FROM taken t, unnest(t.series_id) AS id
        """,
        limit,
        windows,
        Level.DAY.value,
    )
    rows = binary.decode_rows(body, _MARK)
    start, ids, day = binary.times(rows["start"]), rows["id"].astype(np.int32), rows["day"] == 1
    found = {Level.HOUR: (ids[~day], start[~day]), Level.DAY: (ids[day], start[day])}
    left = await connection.fetchval("SELECT EXISTS (SELECT FROM pipeline.changed)")
    return Changed(int(rows["taken"][0]) if len(rows) else 0, bool(left), found)


async def closed(connection: asyncpg.Connection, now: np.datetime64) -> Figures:
    """Provisional figures whose period has ended: nothing may have changed that asks for them.

    Those of indicators that are no longer in the catalogue are not among them.
    """
    number = await numbers(connection)
    found = []
    for domain in Domain:
        body = await binary.copy_out(
            connection,
            f"SELECT {', '.join(_NAMES)} FROM {domain.value}.figure"
            " WHERE provisional AND stop <= $1 AND indicator_id = ANY ($2::int2[])",
            binary.instant(now),
            number.tolist(),
        )
        found.append(_decoded(body, number))
    return join(found)


async def close(
    connection: asyncpg.Connection, now: np.datetime64, but: Iterable[str] = ()
) -> None:
    """Let figures whose period has ended stand as they are, except those of some indicators."""
    number = await numbers(connection)
    kept = [int(number[POSITION[name]]) for name in but]
    for domain in Domain:
        await connection.execute(
            f"UPDATE {domain.value}.figure SET provisional = false"
            " WHERE provisional AND stop <= $1 AND indicator_id <> ALL ($2::int2[])",
            binary.instant(now),
            kept,
        )


async def numbers(connection: asyncpg.Connection) -> IntArray:
    """The database's id of every indicator, by its position in the catalogue."""
    rows = await connection.fetch("SELECT indicator, indicator_id FROM city.indicator")
    known = {row["indicator"]: row["indicator_id"] for row in rows}
    return np.array([known[indicator.name] for indicator in INDICATORS], np.int32)


async def fetch(
    connection: asyncpg.Connection,
    domain: Domain,
    names: Iterable[str],
    start: np.datetime64,
    stop: np.datetime64,
    subjects: IntArray | None = None,
) -> Figures:
    """Figures of some indicators whose periods begin in ``[start, stop)``, by subject and start."""
    number = await numbers(connection)
    wanted = [int(number[POSITION[name]]) for name in names]
    some = "" if subjects is None else "AND subject_id = ANY ($4::int4[])"
    body = await binary.copy_out(
        connection,
        f"""
        SELECT {", ".join(_NAMES)}
          FROM {domain.value}.figure
         WHERE indicator_id = ANY ($1::int2[]) AND start >= $2 AND start < $3 {some}
         ORDER BY indicator_id, subject_id, start
        """,
        wanted,
        binary.instant(start),
        binary.instant(stop),
        *([] if subjects is None else [subjects.tolist()]),
    )
    return _decoded(body, number)


def _decoded(body: bytes, number: IntArray) -> Figures:
    """Figures from the body of a COPY of their columns, in its order."""
    rows = binary.decode_rows(body, _STORED)
    position = np.zeros(int(number.max(initial=0)) + 1, np.int16)
    position[number] = np.arange(len(number))
    columns = {name: rows[name].astype(code[1:]) for name, code in _STORED}
    for name in _TIMES:
        columns[name] = binary.times(rows[name])
    for name in ("provisional", "indicative"):
        columns[name] = rows[name].astype(np.bool_)
    columns["indicator"] = position[rows["indicator"]]
    return Figures(**columns)


async def replace(
    connection: asyncpg.Connection,
    made: Figures,
    names: Sequence[str],
    subjects: Mapping[Subject, IntArray],
    start: np.datetime64,
    stop: np.datetime64,
) -> int:
    """Make the figures of these indicators and subjects in ``[start, stop)`` be exactly ``made``.

    Returns how many rows that are.
    """
    number = await numbers(connection)
    written = 0
    for domain in Domain:
        for subject in Subject:
            mine = [
                name
                for name in names
                if INDICATORS[POSITION[name]].domain is domain
                and INDICATORS[POSITION[name]].subject is subject
            ]
            if mine:
                rows = np.isin(made.indicator, [POSITION[name] for name in mine])
                chosen = made if rows.all() else made.take(rows)
                ids = [int(number[POSITION[name]]) for name in mine]
                await _replace(
                    connection, domain, chosen, number, ids, subjects[subject].tolist(), start, stop
                )
                written += len(chosen)
    return written


async def _replace(
    connection: asyncpg.Connection,
    domain: Domain,
    made: Figures,
    number: IntArray,
    indicators: list[int],
    subjects: list[int],
    start: np.datetime64,
    stop: np.datetime64,
) -> None:
    """One statement to stage, one to delete what has no successor, one to write what differs."""
    table = f"{domain.value}.figure"
    span = (indicators, subjects, binary.instant(start), binary.instant(stop))
    there = (
        "indicator_id = ANY ($1::int2[]) AND subject_id = ANY ($2::int4[])"
        " AND start >= $3 AND start < $4"
    )
    columns = {name: getattr(made, name) for name, _ in _STORED}
    columns["indicator"] = number[made.indicator]
    body = binary.encode_rows(_STORED, columns, len(made))
    occupied = await connection.fetchval(
        f"SELECT EXISTS (SELECT FROM {table} WHERE {there})", *span
    )
    if not occupied:
        if len(made):
            await connection.copy_to_table(
                "figure", schema_name=domain.value, columns=_NAMES,
                source=binary.chunks(body), format="binary",
            )  # fmt: skip
        return
    if await connection.fetchval("SELECT to_regclass('pg_temp.figure_staging')") is None:
        await connection.execute(
            f"CREATE TEMP TABLE figure_staging (LIKE {table}) ON COMMIT DELETE ROWS"
        )
    else:
        await connection.execute("TRUNCATE figure_staging")
    await connection.copy_to_table(
        "figure_staging", columns=_NAMES, source=binary.chunks(body), format="binary"
    )
    await connection.execute(
        f"""
        DELETE FROM {table} t
         WHERE {there}
           AND NOT EXISTS (SELECT FROM figure_staging s
                            WHERE (s.indicator_id, s.subject_id, s.start)
                                = (t.indicator_id, t.subject_id, t.start))
        """,
        *span,
    )
    new = ", ".join(f"excluded.{name}" for name in _REST)
    old = ", ".join(f"t.{name}" for name in _REST)
    every = ", ".join(_NAMES)
    await connection.execute(
        f"""
        INSERT INTO {table} AS t ({every})
        SELECT {every} FROM figure_staging
            ON CONFLICT ({", ".join(_KEY)}) DO UPDATE
           SET ({", ".join(_REST)}) = ({new})
         WHERE ({old}) IS DISTINCT FROM ({new})
        """
    )
