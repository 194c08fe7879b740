"""A few series of every kind in two time zones, and readings that arrive as from a collector."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import numpy as np
import psycopg

from storage import binary
from storage.catalogue import Domain
from storage.reading import Batch

QUARTER_US = 900_000_000


@dataclass(frozen=True)
class Line:
    """One series: what it measures, how often, where."""

    metric: str
    step_s: int
    territory: str = "paris"
    register_max: float | None = None


def register(connection: psycopg.Connection, lines: list[Line]) -> list[int]:
    """Register the series in order; returns their ids."""
    ids = []
    for code, zone in (("paris", "Europe/Paris"), ("pune", "Asia/Kolkata")):
        connection.execute(
            "INSERT INTO city.territory (code, name, code_system, timezone)"
            " VALUES (%s, %s, 'test', %s) ON CONFLICT DO NOTHING",
            [code, code.title(), zone],
        )
        connection.execute(
            "INSERT INTO city.site (territory_id, code, name)"
            " SELECT territory_id, 'site', 'Site' FROM city.territory WHERE code = %s"
            " ON CONFLICT DO NOTHING",
            [code],
        )
    for line in lines:
        row = connection.execute(
            """
            WITH n AS (INSERT INTO city.sensor (site_id, code)
                       SELECT site_id, gen_random_uuid()::text
                         FROM city.site JOIN city.territory t USING (territory_id)
                        WHERE t.code = %s
                       RETURNING sensor_id)
            INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp,
                                     register_max)
            SELECT sensor_id, %s, 'v', '1', 1, 0, %s, 'start', %s FROM n
            RETURNING series_id
            """,
            [line.territory, line.metric, line.step_s, line.register_max],
        ).fetchone()
        assert row is not None
        ids.append(row[0])
    return ids


async def insert(connection: asyncpg.Connection, domain: Domain, batch: Batch) -> None:
    """Store readings without marking anything."""
    await connection.copy_to_table(
        "reading",
        schema_name=domain.value,
        columns=("time", "value", "series_id", "flag"),
        source=binary.chunks(binary.encode_readings(batch)),
        format="binary",
    )


async def mark(connection: asyncpg.Connection, domain: Domain, batch: Batch) -> None:
    """Mark the quarter-hours of readings, one row per quarter-hour."""
    window = batch.time.view(np.int64) // QUARTER_US
    for number in np.unique(window).tolist():
        await connection.execute(
            "INSERT INTO pipeline.dirty (domain, start, series_id)"
            " VALUES ($1, to_timestamp($2::int8 * 900), $3)",
            domain.value,
            number,
            np.unique(batch.series[window == number]).tolist(),
        )


async def arrive(connection: asyncpg.Connection, domain: Domain, batch: Batch) -> None:
    """What a collector does: readings and their marks in one transaction."""
    async with connection.transaction():
        await insert(connection, domain, batch)
        await mark(connection, domain, batch)
