"""A day of a city, from readings to days, against one plain SQL statement.

Ours: everything the processors do. Readings out, quality flags, 15-minute rollups with
quantile sketches, hours, local days, all written to their tables. SQL: one statement with
count, sum, min, max and three percentile_cont per series and 15 minutes, written to a
table; no flags, no hours, no days. Run with ``python -m tests.benchmarks.rollup_day``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import time
from collections.abc import AsyncIterator, Iterator

import asyncpg
import numpy as np
import psycopg

from beffroi.embedded.testing import TestCluster
from processors import rollup
from storage import binary
from storage.catalogue import Domain
from storage.migrate import migrate
from storage.reading import Batch

STEP_S = 10
DAY = np.datetime64("2024-05-14T00:00:00", "us")
BATCH_TICKS = 5
"""Readings arrive as the collector stores them: about 10,000 rows, by series and time."""

# Two metrics of the city's own put every kind into one domain, hence one SQL statement.
CITY_METRICS = """
    INSERT INTO city.metric (metric, domain, unit, kind, low, high, label_fr, label_en, label_de)
    VALUES ('pump_hours', 'air', 'h', 'index', 0, 1e9, 'Pompe', 'Pump', 'Pumpe'),
           ('door_open', 'air', '1', 'state', 0, 1, 'Porte', 'Door', 'Tür');
    UPDATE city.metric SET rate_per_h = NULL
"""
# Rates per hour are meant for minutes: in 10 s, a resolution of 0.1 alone exceeds them.
OTHER_KINDS = ("wind_direction", "noise_level", "rain", "pump_hours", "door_open")
"""Two series in a hundred each; the rest are gauges."""
GAUGES = ("no2", "o3", "pm10", "pm25", "temperature", "humidity", "pressure", "wind_speed")
MIDDLE = (40.0, 60.0, 20.0, 12.0, 15.0, 60.0, 1013.0, 4.0)
SWING = (15.0, 25.0, 8.0, 5.0, 4.0, 15.0, 3.0, 2.0)
"""Typical values and how far they wander in a day, in the units of the metrics."""

PLAIN_SQL = """
    INSERT INTO plain
    SELECT series_id, time_bucket('15 minutes', time), count(*), sum(value), min(value), max(value),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY value),
           percentile_cont(0.9) WITHIN GROUP (ORDER BY value),
           percentile_cont(0.98) WITHIN GROUP (ORDER BY value)
      FROM air.reading
     WHERE time >= $1 AND time < $2 AND flag < 4
     GROUP BY 1, 2
"""
PLAIN_SETTINGS = {
    "work_mem": "256MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
}


def metric_of(position: int) -> str:
    """Which metric a series measures: of each hundred, ten are of the other kinds."""
    rest = position % 100
    return OTHER_KINDS[rest // 2] if rest < 10 else GAUGES[rest % len(GAUGES)]


def register(connection: psycopg.Connection, count: int) -> None:
    """One territory, one site, one sensor and series per measurement point."""
    connection.execute(CITY_METRICS)
    connection.execute(
        "INSERT INTO city.territory (code, name, code_system, timezone)"
        " VALUES ('T', 'Town', 'local', 'Europe/Paris')"
    )
    connection.execute("INSERT INTO city.site (territory_id, code, name) VALUES (1, 'S', 'Site')")
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            WITH n AS (INSERT INTO city.sensor (site_id, code) VALUES (1, %s) RETURNING sensor_id)
            INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)
            SELECT sensor_id, %s, 'v', '1', 1, 0, %s, 'start' FROM n
            """,
            [(f"n{k}", metric_of(k), STEP_S) for k in range(count)],
        )


def readings(count: int, ticks: int, seed: int = 1) -> Iterator[Batch]:
    """What the series say, in the order of arrival; each gauge wanders around its middle."""
    random = np.random.default_rng(seed)
    names = [metric_of(k) for k in range(count)]
    middle, swing = (
        np.array([of[GAUGES.index(n)] if n in GAUGES else 0.0 for n in names])
        for of in (MIDDLE, SWING)
    )
    kind = {name: np.flatnonzero([n == name for n in names]) for name in OTHER_KINDS}
    wander = random.normal(size=count)
    angle = random.uniform(0, 360, count)
    register_h = random.uniform(0, 1e5, count)
    series = np.arange(1, count + 1, dtype=np.int32)
    for first in range(0, ticks, BATCH_TICKS):
        some = min(BATCH_TICKS, ticks - first)
        value = np.empty((count, some))
        for k in range(some):
            wander = 0.999 * wander + 0.045 * random.normal(size=count)
            noise = 0.05 * random.normal(size=count)
            value[:, k] = np.round(middle + swing * np.tanh(wander + noise), 1)
            angle = (angle + random.normal(0, 5, count)) % 360
            register_h = register_h + STEP_S / 3600 * (random.random(count) < 0.8)
            value[kind["wind_direction"], k] = np.round(angle[kind["wind_direction"]])
            value[kind["noise_level"], k] = np.round(55 + 6 * wander[kind["noise_level"]], 1)
            value[kind["rain"], k] = random.poisson(0.05, len(kind["rain"])) * 0.2
            value[kind["pump_hours"], k] = np.round(register_h[kind["pump_hours"]], 3)
            value[kind["door_open"], k] = wander[kind["door_open"]] > 0.5
        at = DAY + (np.arange(first, first + some) * STEP_S * 1_000_000).astype("timedelta64[us]")
        yield Batch(
            np.tile(at, count),
            value.ravel(),
            np.repeat(series, some),
            np.ones(count * some, np.int16),
        )


async def load(connection: asyncpg.Connection, count: int, ticks: int) -> int:
    """Fill the table; returns the number of rows."""
    rows = 0

    async def body() -> AsyncIterator[memoryview]:
        nonlocal rows
        yield memoryview(binary.HEADER)
        for batch in readings(count, ticks):
            rows += len(batch)
            yield binary.encode_readings(batch)[len(binary.HEADER) : -len(binary.TRAILER)]
        yield memoryview(binary.TRAILER)

    await connection.copy_to_table(
        "reading",
        schema_name="air",
        columns=("time", "value", "series_id", "flag"),
        source=body(),
        format="binary",
    )
    await connection.execute("VACUUM ANALYZE air.reading")
    return rows
