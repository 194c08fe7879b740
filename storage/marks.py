"""What has to be rolled up again: marks of changed windows, and windows that have closed.

Marks are append-only. The collector adds them in the transaction that stores the
readings; a processor takes them in the transaction that stores the rollups, and reads in
a later statement, so it sees everything a mark it took speaks of. One processor at a time
works on a domain.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import numpy as np

from storage import binary
from storage.catalogue import Domain
from storage.reading import IntArray, TimeArray

_LOCK = 0x726F6C6C  # "roll"
_DOMAINS = tuple(Domain)

FIGURES = (0x66696775, 0)  # "figu"
"""The two numbers of the lock that whoever computes figures holds."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Changed windows taken from the table.

    Attributes
    ----------
    taken : int
        How many rows that were.
    more : bool
        Whether some were left.
    series, start : int32, datetime64[us], shape (n,)
        The distinct (series, quarter-hour) pairs in them.
    """

    taken: int
    more: bool
    series: IntArray
    start: TimeArray


async def lock(connection: asyncpg.Connection, domain: Domain) -> None:
    """Wait until no other processor works on the domain; held until the transaction ends.

    Two at once could read the same window one after the other and write it in the other
    order. A waiting processor is a standby: the lock of one that dies is free at once.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *lock_key(domain))


def lock_key(domain: Domain) -> tuple[int, int]:
    """The two numbers of the domain's advisory lock."""
    return _LOCK, _DOMAINS.index(domain)


async def take(connection: asyncpg.Connection, domain: Domain, limit: int) -> Marks:
    """Remove and return the oldest marks, at most ``limit`` rows."""
    rows = await connection.fetch(
        """
        WITH taken AS (
             DELETE FROM pipeline.dirty
              WHERE mark_id IN (SELECT mark_id FROM pipeline.dirty
                                 WHERE domain = $1
                                 ORDER BY mark_id
                                 LIMIT $2)
             RETURNING start, series_id)
        SELECT start, array_agg(DISTINCT id) AS series,
               (SELECT count(*) FROM taken) AS taken
          FROM taken, unnest(series_id) AS id
         GROUP BY start
        """,
        domain.value,
        limit,
    )
    taken = rows[0]["taken"] if rows else 0
    counts = [len(row["series"]) for row in rows]
    starts = [row["start"].replace(tzinfo=None) for row in rows]
    return Marks(
        taken=taken,
        more=taken == limit,
        series=np.array([id for row in rows for id in row["series"]], np.int32),
        start=np.repeat(np.array(starts, "datetime64[us]"), counts),
    )


async def closed(
    connection: asyncpg.Connection, domain: Domain, table: str, until: np.datetime64
) -> tuple[IntArray, TimeArray]:
    """Provisional rows of windows that start before ``until``: their series and starts."""
    rows = await connection.fetch(
        f"SELECT series_id, start FROM {domain.value}.{table} WHERE provisional AND start < $1",
        binary.instant(until),
    )
    return (
        np.array([row["series_id"] for row in rows], np.int32),
        np.array([row["start"].replace(tzinfo=None) for row in rows], "datetime64[us]"),
    )
