"""A day of a city, from readings to days, against one plain SQL statement.

Ours: everything the processors do. Readings out, quality flags, 15-minute rollups with
quantile sketches, hours, local days, all written to their tables. SQL: one statement with
count, sum, min, max and three percentile_cont per series and 15 minutes, written to a
table; no flags, no hours, no days. Run with ``python -m tests.benchmarks.rollup_day``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import time
from collections.abc import AsyncIterator, Iterator
from typing import cast

import asyncpg
import numpy as np
import psycopg
import uvloop

from beffroi.embedded.testing import TestCluster
from processors import rollup
from processors.settings import Settings
from storage import binary
from storage.chunks import follow_rate
from storage.level import Level
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
           ('door_open', 'air', '1', 'state', 0, 1, 'Porte', 'Door', 'Tür')
"""
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
    follow_rate(connection)


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

    async def body() -> AsyncIterator[bytes]:
        nonlocal rows
        yield binary.HEADER
        for batch in readings(count, ticks):
            rows += len(batch)
            yield bytes(binary.encode_readings(batch)[len(binary.HEADER) : -len(binary.TRAILER)])
        yield binary.TRAILER

    await connection.copy_to_table(
        "reading",
        schema_name="air",
        columns=("time", "value", "series_id", "flag"),
        source=body(),
        format="binary",
    )
    await connection.execute("VACUUM ANALYZE air.reading")
    return rows


async def rolled_up(pool: asyncpg.Pool, hours: float, readers: int) -> tuple[float, rollup.Pass]:
    """Everything from readings to days; seconds and what was written."""
    stop = DAY + np.timedelta64(round(hours * 3600), "s")
    began = time.monotonic()
    done = await rollup.recompute(
        pool, DAY, stop, now=stop + np.timedelta64(2, "D"), settings=Settings(readers=readers)
    )
    return time.monotonic() - began, done


async def plain(connection: asyncpg.Connection, hours: float) -> tuple[float, int]:
    """The SQL statement; seconds and rows."""
    for name, value in PLAIN_SETTINGS.items():
        await connection.execute(f"SET {name} = '{value}'")
    await connection.execute(
        "CREATE TABLE plain (series_id int4, start timestamptz, count int8, sum float8, min float8,"
        " max float8, p50 float8, p90 float8, p98 float8)"
    )
    began = time.monotonic()
    stop = DAY + np.timedelta64(round(hours * 3600), "s")
    tag = await connection.execute(PLAIN_SQL, binary.instant(DAY), binary.instant(stop))
    return time.monotonic() - began, int(tag.split()[-1])


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    model = "unknown"
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


async def measure(count: int, hours: float, readers: int) -> dict[str, object]:
    """Load, run both ways, compare."""
    report: dict[str, object] = {"series": count, "hours": hours, "step_s": STEP_S, **machine()}

    def build(conninfo: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            migrate(connection)
            register(connection, count)

    with TestCluster() as cluster:
        cluster.template("city", build)
        conninfo = cluster.clone("city")
        settings = {"timezone": "UTC", "jit": "off", "max_parallel_workers_per_gather": "0"}
        async with asyncpg.create_pool(
            conninfo, min_size=0, max_size=3, server_settings=settings
        ) as pool:
            async with pool.acquire() as lent:
                connection = cast(asyncpg.Connection, lent)
                began = time.monotonic()
                rows = await load(connection, count, round(hours * 3600 / STEP_S))
                report |= {"readings": rows, "load_s": round(time.monotonic() - began, 1)}
            # Both ways start with readings that were just read once.
            await pool.execute("SELECT count(value) FROM air.reading")
            seconds, done = await rolled_up(pool, hours, readers)
            async with pool.acquire() as lent:
                sql_seconds, sql_rows = await plain(cast(asyncpg.Connection, lent), hours)
            flagged = await pool.fetchval("SELECT count(*) FROM pipeline.reading_flag")
    quarter_hours = done.windows[Level.QUARTER_HOUR]
    if sql_rows != quarter_hours:
        raise RuntimeError(f"SQL found {sql_rows} windows, the processors {quarter_hours}")
    return report | {
        "rollups_s": round(seconds, 2),
        "sql_s": round(sql_seconds, 2),
        "ratio": round(sql_seconds / seconds, 2),
        "readings_per_s": round(rows / seconds),
        "windows": {level.value: number for level, number in done.windows.items()},
        "readings_flagged": flagged,
    }


def main() -> None:
    """Print one line per figure, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument(
        "--readers", type=int, default=Settings().readers, help="1: read, compute, write in turn"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = uvloop.run(measure(options.series, options.hours, options.readers))
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print("\n".join(f"{name:18} {value}" for name, value in report.items()))


if __name__ == "__main__":
    main()
