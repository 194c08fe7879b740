"""What the platform uses, into the database: programs, room on disk, the ledger summed up.

Once an hour, by programs that have other work to do; none of it is read by them again.
"""

from __future__ import annotations

import datetime

import asyncpg

from storage.balance import COLUMNS
from storage.footprint import Disk, Footprint

KEEP_DAYS = 400
"""A whole year, and the month before it to compare with."""

_CORRECTED = datetime.timedelta(days=9)
"""Replays change hours of the ledger as old as refusals are kept."""


async def save(
    connection: asyncpg.Connection, footprint: Footprint, disk: Disk | None = None
) -> None:
    """Add one program's use to its hour; gives up at once where the table is locked.

    A collector says this on the connection that commits: it is not worth a wait.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '200ms'")
        await connection.execute(
            """
            INSERT INTO pipeline.footprint AS f
                   (hour, program, seconds, cpu_s, memory_bytes, disk_bytes, disk_free_bytes)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (hour, program) DO UPDATE
               SET seconds = f.seconds + excluded.seconds, cpu_s = f.cpu_s + excluded.cpu_s,
                   memory_bytes = greatest(f.memory_bytes, excluded.memory_bytes),
                   disk_bytes = coalesce(excluded.disk_bytes, f.disk_bytes),
                   disk_free_bytes = coalesce(excluded.disk_free_bytes, f.disk_free_bytes)
            """,
            footprint.hour,
            footprint.program,
            footprint.seconds,
            footprint.cpu_s,
            footprint.memory_bytes,
            disk.size if disk else None,
            disk.free if disk else None,
        )


async def measure(connection: asyncpg.Connection, footprint: Footprint) -> None:
    """Write down how large the database is, and each hypertable and table in it."""
    await connection.execute(
        "UPDATE pipeline.footprint SET database_bytes = pg_database_size(current_database())"
        " WHERE hour = $1 AND program = $2",
        footprint.hour,
        footprint.program,
    )
    await connection.execute(_RELATIONS, footprint.hour.date())


async def sum_ledger(connection: asyncpg.Connection, now: datetime.datetime) -> None:
    """Sum the ledger up per territory and hour: what is new, and once a day what a replay may
    have changed since. A sensor that moved takes those hours with it, so they are written anew."""
    newest: datetime.datetime | None = await connection.fetchval(
        "SELECT max(hour) FROM pipeline.territory_hour"
    )
    since = datetime.datetime.min.replace(tzinfo=datetime.UTC)
    if newest is not None:
        again = _CORRECTED if newest.date() != now.date() else datetime.timedelta(hours=2)
        since = newest - again
    sums = ", ".join(f"sum(l.{column})" for column in COLUMNS)
    anew = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS)
    async with connection.transaction():
        await connection.execute("DELETE FROM pipeline.territory_hour WHERE hour >= $1", since)
        await connection.execute(
            f"""
            INSERT INTO pipeline.territory_hour (hour, territory_id, {", ".join(COLUMNS)})
            SELECT l.hour, coalesce(i.territory_id, 0), {sums}
              FROM pipeline.ledger_entry l
              JOIN city.sensor n USING (sensor_id)
              LEFT JOIN city.site i ON i.site_id = n.site_id
             WHERE l.hour >= $1
             GROUP BY 1, 2
                ON CONFLICT (territory_id, hour) DO UPDATE SET {anew}
            """,
            since,
        )


async def forget(connection: asyncpg.Connection, now: datetime.datetime) -> None:
    """Drop what is older than :data:`KEEP_DAYS`."""
    oldest = now - datetime.timedelta(days=KEEP_DAYS)
    await connection.execute("DELETE FROM pipeline.footprint WHERE hour < $1", oldest)
    await connection.execute("DELETE FROM pipeline.relation_size WHERE day < $1", oldest.date())


_RELATIONS = """
INSERT INTO pipeline.relation_size (day, relation, rows, table_bytes, index_bytes)
SELECT $1, relation, greatest(rows, 0), table_bytes, index_bytes
  FROM (SELECT format('%I.%I', h.hypertable_schema, h.hypertable_name) AS relation,
               approximate_row_count(c.oid) AS rows, s.table_bytes + s.toast_bytes AS table_bytes,
               s.index_bytes
          FROM timescaledb_information.hypertables h
          JOIN pg_namespace n ON n.nspname = h.hypertable_schema
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = h.hypertable_name
         CROSS JOIN LATERAL hypertable_detailed_size(c.oid) s
        UNION ALL
        SELECT format('%I.%I', n.nspname, c.relname), c.reltuples::bigint, pg_table_size(c.oid),
               pg_indexes_size(c.oid)
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname IN ('city', 'pipeline')) r
 WHERE table_bytes IS NOT NULL
    ON CONFLICT (day, relation) DO UPDATE
   SET rows = excluded.rows, table_bytes = excluded.table_bytes, index_bytes = excluded.index_bytes
"""
