"""Registering a city, and what the collector needs to know of it.

Registering is repeatable: codes identify territories, sites and sensors, a sensor and a
field identify a series; what is already there is updated, nothing is removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import numpy as np
import psycopg

from storage.bindings import load_bindings, save_bindings
from storage.catalogue import DOMAINS
from storage.chunks import follow_rate
from storage.city import City
from storage.metrics import save_metrics
from storage.mistakes import Mistake, MistakesError
from storage.routes import Routes


@dataclass(frozen=True, slots=True)
class Registered:
    """How many of each the city now has."""

    territories: int
    sites: int
    sensors: int
    series: int


def register(connection: psycopg.Connection, city: City) -> Registered:
    """Write the city in one transaction; running collectors take it up by themselves."""
    with connection.transaction():
        _refuse_changes(connection, city)
        save_metrics(connection, city.metrics)
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO city.territory (code, name, code_system, timezone)
                VALUES (%s, %s, %s, %s)
                ON CONFLICT (code) DO UPDATE
                   SET (name, code_system, timezone)
                     = (excluded.name, excluded.code_system, excluded.timezone)
                """,
                [(t.code, t.name, t.code_system, t.timezone) for t in city.territories],
            )
            _register_series(cursor, city)
            save_bindings(cursor, city.bindings)
            follow_rate(connection)
            cursor.execute("UPDATE city.revision SET revision = revision + 1")
            cursor.execute(
                """
                SELECT (SELECT count(*) FROM city.territory), (SELECT count(*) FROM city.site),
                       (SELECT count(*) FROM city.sensor WHERE sensor_id > 0),
                       (SELECT count(*) FROM city.series)
                """
            )
            counts = cursor.fetchone()
    assert counts is not None
    return Registered(*counts)


def _refuse_changes(connection: psycopg.Connection, city: City) -> None:
    """What is stored under a series or metric would change its meaning without a trace."""
    there = {
        name: tuple(facts)
        for name, *facts in connection.execute("SELECT metric, domain, unit, kind FROM city.metric")
    }
    known = {
        (sensor, field): metric
        for sensor, field, metric in connection.execute(
            "SELECT n.code, s.field, s.metric FROM city.series s JOIN city.sensor n USING (sensor_id)"
        )
    }
    mistakes = [
        Mistake(
            "city.toml", 1,
            f"metric {m.name!r} is registered with another domain, unit or kind; choose another name",
        )
        for m in city.metrics
        if there.get(m.name, (m.domain, m.unit, m.kind)) != (m.domain, m.unit, m.kind)
    ]  # fmt: skip
    for placed in city.series:
        before = known.get((placed.line.sensor, placed.line.field))
        if before not in (None, placed.metric.name):
            what = (
                f"field {placed.line.field!r} of sensor {placed.line.sensor!r} is registered as"
                f" {before}; its readings stay that. Give the new one another field name"
            )
            mistakes.append(Mistake(placed.file, placed.number, what))
    if mistakes:
        raise MistakesError(mistakes)


def _register_series(cursor: psycopg.Cursor, city: City) -> None:
    lines = [placed.line for placed in city.series]
    sites = {(line.territory, line.site): line for line in lines}
    cursor.executemany(
        """
        INSERT INTO city.site (territory_id, code, name, longitude, latitude)
        SELECT territory_id, %s, %s, %s, %s FROM city.territory WHERE code = %s
        ON CONFLICT (territory_id, code) DO UPDATE
           SET (name, longitude, latitude)
             = (excluded.name, excluded.longitude, excluded.latitude)
        """,
        [
            (line.site, line.site_name or line.site, line.longitude, line.latitude, line.territory)
            for line in sites.values()
        ],
    )
    cursor.executemany(
        """
        INSERT INTO city.sensor (site_id, code)
        SELECT i.site_id, %s
          FROM city.site i JOIN city.territory t USING (territory_id)
         WHERE t.code = %s AND i.code = %s
        ON CONFLICT (code) DO UPDATE SET site_id = excluded.site_id
        """,
        [
            (line.sensor, line.territory, line.site)
            for line in {line.sensor: line for line in lines}.values()
        ],
    )
    cursor.executemany(
        """
        INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp,
                                 register_max)
        SELECT sensor_id, %s, %s, %s, %s, %s, %s, %s, %s FROM city.sensor WHERE code = %s
        ON CONFLICT (sensor_id, field) DO UPDATE
           SET (metric, unit, scale, shift, step_s, stamp, register_max)
             = (excluded.metric, excluded.unit, excluded.scale, excluded.shift,
                excluded.step_s, excluded.stamp, excluded.register_max)
        """,
        [
            (
                p.metric.name, p.line.field, p.line.unit, p.scale, p.shift, p.line.step_s,
                p.line.stamp,
                None if p.line.register_max is None else p.line.register_max * p.scale,
                p.line.sensor,
            )
            for p in city.series
        ],
    )  # fmt: skip


async def load_routes(connection: asyncpg.Connection) -> Routes:
    """Read the registry in one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        revision = await connection.fetchval("SELECT revision FROM city.revision")
        bindings = await load_bindings(connection)
        sensors = await connection.fetch(
            "SELECT sensor_id, code FROM city.sensor WHERE sensor_id > 0"
        )
        rows = await connection.fetch(
            """
            SELECT s.series_id, s.sensor_id, n.code, s.field, s.scale, s.shift, s.step_s, s.stamp,
                   s.unit, s.metric, m.domain, m.low, m.high, m.unit AS canonical
              FROM city.series s JOIN city.sensor n USING (sensor_id) JOIN city.metric m USING (metric)
             ORDER BY s.series_id
            """
        )
    known: dict[str, tuple[int, dict[str, int]]] = {
        row["code"]: (row["sensor_id"], {}) for row in sensors
    }
    for position, row in enumerate(rows):
        known[row["code"]][1][row["field"]] = position
    return Routes(
        revision=revision,
        bindings=bindings,
        sensors=known,
        series=np.array([row["series_id"] for row in rows], np.int32),
        domain=np.array([DOMAINS.index(row["domain"]) for row in rows], np.int8),
        scale=np.array([row["scale"] for row in rows], np.float64),
        shift=np.array([row["shift"] for row in rows], np.float64),
        low=np.array([row["low"] for row in rows], np.float64),
        high=np.array([row["high"] for row in rows], np.float64),
        back_us=np.array(
            [row["step_s"] * 1_000_000 if row["stamp"] == "end" else 0 for row in rows], np.int64
        ),
        metric=tuple(row["metric"] for row in rows),
        unit=tuple(row["unit"] for row in rows),
        canonical=tuple(row["canonical"] for row in rows),
    )  # fmt: skip
