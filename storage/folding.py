"""Batches become sensor-hours, so that the ledger grows with the city and not with its commits.

A row per commit and sensor is quick to write and slow to add up: at 25 commits a second a day
holds two million of them. Minutes after their commit they are added to
``pipeline.sensor_hour``, which the view ``pipeline.ledger`` reads together with the batches
that wait. Of a folded batch its attempt and sums remain for a day: the answer to a collector
that lost the one to its COMMIT.
"""

from __future__ import annotations

from datetime import timedelta

import asyncpg

FOLD_AFTER = timedelta(minutes=10)
"""Age of a batch, by the database's clock, at which it is folded."""
FOLD_ROWS = 5_000
"""Batches folded at most in one transaction."""
KEEP_ATTEMPTS = timedelta(hours=24)
"""For how long a collector can ask what became of an attempt."""
_FORGET_ROWS = 50_000
_NEWEST = 10_000
_LOCK = 0x666F6C64  # "fold"


async def fold(
    connection: asyncpg.Connection, *, after: timedelta = FOLD_AFTER, limit: int = FOLD_ROWS
) -> int:
    """Fold the oldest batches, at most ``limit``, in one transaction; returns how many.

    Collectors commit meanwhile and are not waited for: only rows that are committed are seen,
    and they are removed one by one, whatever lies between them. While another program folds,
    nothing is done.
    """
    async with connection.transaction():
        # The lock is taken in a statement of its own: the next one must see what its last
        # holder committed. Two upserts at once could deadlock.
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return 0
        return int(await connection.fetchval(_FOLD, after, limit) or 0)


async def forget_attempts(
    connection: asyncpg.Connection, *, after: timedelta = KEEP_ATTEMPTS
) -> int:
    """Remove the answers that nobody will ask for any more, a bounded number; returns how many."""
    status = await connection.execute(
        """
        DELETE FROM pipeline.attempt
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM pipeline.attempt
                                  WHERE committed_at < now() - $1::interval
                                  ORDER BY committed_at
                                  LIMIT $2))
        """,
        after,
        _FORGET_ROWS,
    )
    return int(status.split()[-1])


async def unbalanced(connection: asyncpg.Connection) -> int:
    """Sensor-hours whose sums do not balance: all folded ones, and the newest batches.

    Cheap at any age of the city: an index holds the folded ones that do not balance, and at
    most 10,000 batches are added up. Nothing is counted from the readings themselves; for
    that see ``audit``.
    """
    found = await connection.fetchval(
        f"""
        SELECT count(*)
          FROM (SELECT sensor_id, hour FROM pipeline.sensor_hour WHERE NOT balanced
                UNION
                SELECT e.sensor_id, b.hour
                  FROM (SELECT * FROM pipeline.batch ORDER BY batch_id DESC LIMIT {_NEWEST}) b,
                       unnest(b.sensor_id, b.messages_received, b.messages_decoded,
                              b.messages_refused, b.readings_decoded, b.readings_stored,
                              b.readings_duplicate, b.readings_refused)
                       AS e (sensor_id, received, decoded, undecoded, readings, stored, duplicate,
                             refused)
                 WHERE e.received <> e.decoded + e.undecoded
                    OR e.readings <> e.stored + e.duplicate + e.refused) wrong
        """
    )
    return int(found or 0)


# The oldest rows stand at the low end of the primary key, so no index by time is needed.
# Rows of one sensor-hour are added up before they meet the table: an upsert may not meet
# the same row twice. ``messages_qos0`` and the delays are empty in rows of older schemas.
_FOLD = """
WITH oldest AS MATERIALIZED (
     SELECT batch_id, committed_at FROM pipeline.batch ORDER BY batch_id LIMIT $2),
taken AS (
     DELETE FROM pipeline.batch
      WHERE batch_id IN (SELECT batch_id FROM oldest
                          WHERE committed_at <= now() - $1::interval)
     RETURNING *),
entry AS (
     SELECT t.committed_at, t.attempt, t.hour, e.sensor_id, e.received, coalesce(e.qos0, 0) AS qos0,
            e.decoded, e.undecoded, e.readings, e.stored, e.duplicate, e.refused,
            coalesce(e.delayed, 0) AS delayed, coalesce(e.delay_sum, 0) AS delay_sum,
            coalesce(e.delay_max, 0) AS delay_max
       FROM taken t,
            unnest(t.sensor_id, t.messages_received, t.messages_qos0, t.messages_decoded,
                   t.messages_refused, t.readings_decoded, t.readings_stored,
                   t.readings_duplicate, t.readings_refused, t.delay_readings, t.delay_sum_ms,
                   t.delay_max_ms)
            AS e (sensor_id, received, qos0, decoded, undecoded, readings, stored, duplicate,
                  refused, delayed, delay_sum, delay_max)),
folded AS (
     INSERT INTO pipeline.sensor_hour AS s (
            sensor_id, hour, messages_received, messages_qos0, messages_decoded, messages_refused,
            readings_decoded, readings_stored, readings_duplicate, readings_refused,
            delay_readings, delay_sum_ms, delay_max_ms)
     SELECT sensor_id, hour, sum(received), sum(qos0), sum(decoded), sum(undecoded), sum(readings),
            sum(stored), sum(duplicate), sum(refused), sum(delayed), sum(delay_sum), max(delay_max)
       FROM entry
      GROUP BY sensor_id, hour
     ON CONFLICT (sensor_id, hour) DO UPDATE SET
            messages_received = s.messages_received + excluded.messages_received,
            messages_qos0 = s.messages_qos0 + excluded.messages_qos0,
            messages_decoded = s.messages_decoded + excluded.messages_decoded,
            messages_refused = s.messages_refused + excluded.messages_refused,
            readings_decoded = s.readings_decoded + excluded.readings_decoded,
            readings_stored = s.readings_stored + excluded.readings_stored,
            readings_duplicate = s.readings_duplicate + excluded.readings_duplicate,
            readings_refused = s.readings_refused + excluded.readings_refused,
            delay_readings = s.delay_readings + excluded.delay_readings,
            delay_sum_ms = s.delay_sum_ms + excluded.delay_sum_ms,
            delay_max_ms = greatest(s.delay_max_ms, excluded.delay_max_ms)),
answered AS (
     INSERT INTO pipeline.attempt (
            committed_at, attempt, messages_received, messages_refused, readings_decoded,
            readings_stored, readings_duplicate, readings_refused)
     SELECT committed_at, attempt, sum(received), sum(undecoded), sum(readings), sum(stored),
            sum(duplicate), sum(refused)
       FROM entry
      WHERE attempt IS NOT NULL
      GROUP BY committed_at, attempt)
SELECT count(*) FROM taken
"""
