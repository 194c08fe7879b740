"""Refused messages taken back out of the books, to be decoded anew.

A replay works on some messages in one transaction: their first rows are locked, so that two
replays, retention and a replay never work on one message; their refusals are deleted; what
they are now is stored like any batch; and the ledger is corrected by the difference.

The correction is a ledger row of its own in the message's reception hour h. Per sensor s, with
*before* as the books have it and *now* as decoded and stored anew:

    messages   only where all of a message was refused: received, QoS 0 and refused -1 at the
               sensor it was counted at; received, QoS 0, and decoded or refused +1 at the
               sensor it belongs to now. A message that was decoded stays where it is counted.
    refused    = refused now - refused before
    stored     = stored now; what was stored before is in the table and is never stored again
    duplicate  = duplicates now - those met again
    decoded    = stored + duplicate + refused

*Met again* are readings that were accepted before; they are no new duplicates (nor conflicts,
should their conversion have changed since) and are at most as many as ``accepted_readings``
says. So both equations of the ledger hold for the correction by itself, Σ stored moves by
exactly the rows that were inserted, and Σ refused by the refusals that came and went: a
ledger that could be recounted from the tables before can be recounted after. Counts of a
correction may be negative.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from storage.allowance import ROW_BYTES
from storage.balance import COLUMNS
from storage.ledger import HOUR_US
from storage.refused import FITS, RefusedMessage, Selection, claim, load


class ChangedMeanwhile(Exception):
    """Refusals were deleted while they were worked on; to be tried again."""


@dataclass(slots=True)
class Correction:
    """Differences per reception hour and sensor, collected and then written at once."""

    _entries: dict[int, dict[int, Counter[str]]] = field(default_factory=dict)

    def add(self, received_us: int, sensor_id: int, **counts: int) -> None:
        """Count; ``readings_decoded`` follows from its parts."""
        hour = self._entries.setdefault(received_us // HOUR_US, {})
        entry = hour.setdefault(sensor_id, Counter())
        for name, count in counts.items():
            entry[name] += count
            if name.startswith("readings_"):
                entry["readings_decoded"] += count

    async def save(self, connection: asyncpg.Connection) -> None:
        """One ledger row per hour."""
        for hour, entries in sorted(self._entries.items()):
            changed = {sensor: counts for sensor, counts in entries.items() if any(counts.values())}
            if not changed:
                continue
            await connection.execute(
                f"INSERT INTO pipeline.batch (hour, sensor_id, {', '.join(COLUMNS)})"
                " VALUES (to_timestamp($1::int8 * 3600), $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                hour,
                list(changed),
                *([counts[name] for counts in changed.values()] for name in COLUMNS),
            )


async def last_message(connection: asyncpg.Connection) -> int:
    """The newest id; what is refused again by a replay gets higher ones."""
    return int(
        await connection.fetchval("SELECT coalesce(max(message_id), 0) FROM pipeline.refusal")
    )


async def count(connection: asyncpg.Connection, selection: Selection) -> int:
    """How many messages are meant."""
    query = f"SELECT count(DISTINCT r.message_id) FROM pipeline.refusal r WHERE {FITS}"
    return int(await connection.fetchval(query, *selection.arguments()))


async def following(
    connection: asyncpg.Connection, selection: Selection, after: int, last: int, limit: int
) -> list[int]:
    """The next messages that are meant, by id."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT r.message_id
          FROM pipeline.refusal r
         WHERE {FITS} AND r.message_id > $8 AND r.message_id <= $9
         ORDER BY r.message_id
         LIMIT $10
        """,
        *selection.arguments(),
        after,
        last,
        limit,
    )
    return [row[0] for row in rows]


async def lock(connection: asyncpg.Connection, messages: Sequence[int]) -> list[RefusedMessage]:
    """Those of the messages that nobody else works on, theirs until the transaction ends."""
    held = await claim(connection, messages)
    # A later statement: it sees what others committed before they let go of their locks.
    return list((await load(connection, held)).values())


async def remove(connection: asyncpg.Connection, messages: Sequence[RefusedMessage]) -> None:
    """Delete their refusals.

    Raises
    ------
    ChangedMeanwhile
        Where others deleted some of them.
    """
    rows = await connection.fetchval(
        """
        WITH gone AS (DELETE FROM pipeline.refusal WHERE message_id = ANY($1)
                      RETURNING sensor_id, length(payload) + $2 AS bytes),
             smaller AS (INSERT INTO pipeline.refusal_added (sensor_id, bytes)
                         SELECT sensor_id, -sum(bytes) FROM gone GROUP BY sensor_id)
        SELECT count(*) FROM gone
        """,
        [message.message_id for message in messages],
        ROW_BYTES,
    )
    if rows != sum(len(message.rows) for message in messages):
        raise ChangedMeanwhile


async def log(
    connection: asyncpg.Connection,
    messages: Sequence[RefusedMessage],
    *,
    person: str,
    why: str,
    readings: int,
    detail: str,
) -> None:
    """Write down who replayed what, in the transaction that did it."""
    times = [message.received_at for message in messages]
    await connection.execute(
        "INSERT INTO pipeline.action (person, action, start, stop, readings, detail, why)"
        " VALUES ($1, 'replay', $2, $3, $4, $5, $6)",
        person,
        min(times),
        max(times) + datetime.timedelta(microseconds=1),
        readings,
        detail,
        why,
    )
