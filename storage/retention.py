"""Refusals are forgotten in time: by age, and by the room they take.

A broken device must neither fill the disk nor push out what other devices have had refused,
so sensors are bounded one by one before all are bounded together. Oldest first, whole
messages only, many small transactions. What goes is counted in ``pipeline.forgotten``: the
ledger stays as it is and can still be recounted.

With nothing to do a look costs one index probe and one pass over a row per sensor: what
refusals take is summed up as they are written, never measured. The sums may say too much
(rows can also be replayed or erased), so they are measured before anything is dropped for
its size.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from storage.allowance import ROW_BYTES
from storage.refused import claim

_MESSAGES_AT_A_TIME = 500
_LOCK = 0x666F72676574  # "forget"
# Down to a little less than the limit, so that a flood is not measured anew at every look.
_DOWN_TO = 0.9


@dataclass(slots=True)
class Forgotten:
    """What one look dropped; ``messages`` are refused messages, whole or in part."""

    messages: int = 0
    rows: int = 0
    bytes: int = 0


async def forget_refusals(
    connection: asyncpg.Connection,
    *,
    now: datetime.datetime,
    keep_days: float,
    total_bytes: int,
    sensor_bytes: int,
) -> Forgotten:
    """Drop what is older than ``keep_days`` or too much; not to be called in a transaction.

    Where another program is at it already, nothing is done.
    """
    done = Forgotten()
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        return done
    try:
        await _drop_older(connection, now - datetime.timedelta(days=keep_days), now, done)
        await _fold(connection)
        for sensor in await _larger(connection, sensor_bytes):
            measured = await _measure(connection, [sensor])
            excess = measured - _DOWN_TO * sensor_bytes
            if measured > sensor_bytes:
                await _drop_excess(connection, sensor, excess, now, done)
        await _fold(connection)
        if await _sum(connection) > total_bytes:
            sensors = await connection.fetch("SELECT sensor_id FROM pipeline.refusal_size")
            measured = await _measure(connection, [row[0] for row in sensors])
            if measured > total_bytes:
                excess = measured - _DOWN_TO * total_bytes
                await _drop_excess(connection, None, excess, now, done)
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    return done


async def _drop_older(
    connection: asyncpg.Connection,
    oldest: datetime.datetime,
    now: datetime.datetime,
    done: Forgotten,
) -> None:
    dropped = 1
    while dropped:
        found = await connection.fetch(
            "SELECT DISTINCT message_id FROM (SELECT message_id FROM pipeline.refusal"
            " WHERE received_at < $1 ORDER BY received_at LIMIT $2) r",
            oldest,
            _MESSAGES_AT_A_TIME,
        )
        dropped = await _drop(connection, [row[0] for row in found], "age", now, done)


async def _drop_excess(
    connection: asyncpg.Connection,
    sensor: int | None,
    excess: float,
    now: datetime.datetime,
    done: Forgotten,
) -> None:
    """Drop the oldest messages of one sensor, or of all, until ``excess`` bytes are gone."""
    while excess > 0:
        # Two texts, so that each finds its index.
        rows = await connection.fetch(
            "SELECT message_id, length(payload) + $2 AS bytes FROM pipeline.refusal"
            + (" WHERE sensor_id = $1" if sensor is not None else " WHERE $1::int4 IS NULL")
            + " ORDER BY received_at LIMIT $3",
            sensor,
            ROW_BYTES,
            _MESSAGES_AT_A_TIME,
        )
        chosen: dict[int, None] = {}
        for message_id, size in rows:
            if excess > 0 or message_id in chosen:
                chosen[message_id] = None
                excess -= size
        if not await _drop(connection, list(chosen), "size", now, done):
            return  # nothing is left, or others work on it


async def _drop(
    connection: asyncpg.Connection,
    messages: Sequence[int],
    cause: str,
    now: datetime.datetime,
    done: Forgotten,
) -> int:
    """Delete and count in one transaction; leaves out what a replay holds. Returns the rows."""
    if not messages:
        return 0
    async with connection.transaction():
        held = await claim(connection, messages)
        gone = await connection.fetch(
            """
            WITH gone AS (DELETE FROM pipeline.refusal WHERE message_id = ANY($1)
                          RETURNING sensor_id, field, messages, readings,
                                    length(payload) + $4 AS bytes),
                 counted AS (SELECT sensor_id, count(*) AS rows, sum(bytes)::int8 AS bytes,
                                    coalesce(sum(messages) FILTER (WHERE field = ''), 0) AS messages,
                                    coalesce(sum(readings) FILTER (WHERE field <> ''), 0) AS readings
                               FROM gone GROUP BY sensor_id),
                 smaller AS (INSERT INTO pipeline.refusal_added (sensor_id, bytes)
                             SELECT sensor_id, -bytes FROM counted),
                 noted AS (INSERT INTO pipeline.forgotten AS f
                                  (sensor_id, day, cause, messages, readings, bytes)
                           SELECT sensor_id, $2, $3, messages, readings, bytes
                             FROM counted ORDER BY sensor_id
                           ON CONFLICT (sensor_id, day, cause) DO UPDATE
                              SET messages = f.messages + excluded.messages,
                                  readings = f.readings + excluded.readings,
                                  bytes = f.bytes + excluded.bytes)
            SELECT rows, bytes FROM counted
            """,
            held,
            now.astimezone(datetime.UTC).date(),
            cause,
            ROW_BYTES,
        )
    rows = sum(int(row["rows"]) for row in gone)
    done.messages += len(held)
    done.rows += rows
    done.bytes += sum(row["bytes"] for row in gone)
    return rows


async def _fold(connection: asyncpg.Connection) -> None:
    await connection.execute(
        """
        WITH taken AS (DELETE FROM pipeline.refusal_added RETURNING sensor_id, bytes)
        INSERT INTO pipeline.refusal_size AS s (sensor_id, bytes)
        SELECT sensor_id, sum(bytes) FROM taken GROUP BY sensor_id
        ON CONFLICT (sensor_id) DO UPDATE SET bytes = s.bytes + excluded.bytes
        """
    )


async def _larger(connection: asyncpg.Connection, limit: int) -> list[int]:
    rows = await connection.fetch(
        "SELECT sensor_id FROM pipeline.refusal_size WHERE bytes > $1 ORDER BY bytes DESC", limit
    )
    return [row[0] for row in rows]


async def _sum(connection: asyncpg.Connection) -> int:
    return int(
        await connection.fetchval("SELECT coalesce(sum(bytes), 0) FROM pipeline.refusal_size")
    )


async def _measure(connection: asyncpg.Connection, sensors: Sequence[int]) -> int:
    """Put the sums of these sensors right and return the sum of them.

    One statement, so that what was added and what is there are seen at one instant.
    """
    return int(
        await connection.fetchval(
            """
            WITH counted AS (DELETE FROM pipeline.refusal_added WHERE sensor_id = ANY($1)),
                 truth AS (SELECT sensor_id, sum(length(payload) + $2)::int8 AS bytes
                            FROM pipeline.refusal WHERE sensor_id = ANY($1) GROUP BY sensor_id),
                 put AS (UPDATE pipeline.refusal_size s
                            SET bytes = coalesce((SELECT t.bytes FROM truth t
                                                   WHERE t.sensor_id = s.sensor_id), 0)
                          WHERE s.sensor_id = ANY($1))
            SELECT coalesce(sum(bytes), 0) FROM truth
            """,
            sensors,
            ROW_BYTES,
        )
    )
