"""15-minute rollups with all their statistics, against one SQL statement with the same ones.

Both do one thing after the other on the same TimescaleDB, reading and writing included: one
connection, no parallel workers. Ours reads the readings out, tests their quality, summarises
(counts by quality, sum, extremes, second moment, first, last, a quantile sketch) and writes.
SQL computes and writes counts by quality, sum, extremes, variance, first, last and three
percentile_cont; without quality tests, and without anything that could be combined further.
The rounds alternate. Run with ``python -m tests.benchmarks.rollup_quarters``.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from statistics import median

import asyncpg
import numpy as np
import psycopg
import uvloop

from beffroi.embedded.testing import TestCluster
from processors import context, quality, summary, windows
from processors.dirty import Slice
from storage import binary, rollup_store
from storage.catalogue import Domain
from storage.level import Level
from storage.migrate import migrate
from storage.series_store import load_series
from tests.benchmarks.rollup_day import DAY, PLAIN_SETTINGS, STEP_S, load, machine, register

SLICE = np.timedelta64(6, "h")
"""Readings computed at a time, as long as a chunk: 4.3 million of 2,000 series."""

SAME_SQL = """
    INSERT INTO plain
    SELECT series_id, time_bucket('15 minutes', time), count(*), count(*) FILTER (WHERE flag < 3),
           count(*) FILTER (WHERE flag = 3), sum(value), min(value), max(value), var_pop(value),
           first(value, time), last(value, time),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY value),
           percentile_cont(0.9) WITHIN GROUP (ORDER BY value),
           percentile_cont(0.98) WITHIN GROUP (ORDER BY value)
      FROM air.reading
     WHERE time >= $1 AND time < $2 AND flag < 4
     GROUP BY 1, 2
"""


async def ours(connection: asyncpg.Connection, stop: np.datetime64) -> tuple[dict[str, float], int]:
    """Seconds of each step, and how many windows; in slices, as the processor does it."""
    table = await load_series(connection, Domain.AIR)
    steps, made = dict.fromkeys(("read_s", "quality_s", "summarise_s", "write_s"), 0.0), 0
    for start in np.arange(DAY, stop, SLICE):
        piece = Slice(table.series, start, min(start + SLICE, stop))
        at = [time.monotonic()]
        loaded = await context.load(connection, Domain.AIR, piece, table)
        at.append(time.monotonic())
        flag, tests = quality.assess(loaded.batch, table, loaded.unchanged_since)
        at.append(time.monotonic())
        edges = windows.quarter_hours(piece.start, piece.stop)
        rollups = summary.summarise(loaded.batch, flag, table, edges, stop)
        at.append(time.monotonic())
        kept = np.flatnonzero(context.worth_keeping(tests, loaded.batch.time, piece))
        failed = replace(loaded.batch.take(kept), flag=flag[kept])
        async with connection.transaction():
            await rollup_store.replace(
                connection, Domain.AIR, Level.QUARTER_HOUR, rollups, piece.start, piece.stop,
                table.series,
            )  # fmt: skip
            await rollup_store.replace_flags(
                connection, failed, tests[kept], piece.start, piece.stop, table.series
            )
        at.append(time.monotonic())
        made += len(rollups)
        for name, seconds in zip(steps, np.diff(at).tolist(), strict=True):
            steps[name] += seconds
    return steps, made


async def sql(connection: asyncpg.Connection, stop: np.datetime64) -> tuple[float, int]:
    """Seconds and rows."""
    await connection.execute(
        "CREATE TABLE plain (series_id int4, start timestamptz, received int8, good int8,"
        " suspect int8, sum float8, min float8, max float8, variance float8, first float8,"
        " last float8, p50 float8, p90 float8, p98 float8)"
    )
    began = time.monotonic()
    tag = await connection.execute(SAME_SQL, binary.instant(DAY), binary.instant(stop))
    seconds = time.monotonic() - began
    await connection.execute("DROP TABLE plain")
    return seconds, int(tag.split()[-1])


async def measure(count: int, hours: float, rounds: int) -> dict[str, object]:
    """Load once, then one after the other as often as asked for."""
    stop = DAY + np.timedelta64(round(hours * 3600), "s")

    def build(conninfo: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            migrate(connection)
            register(connection, count)

    ratios, every = [], []
    with TestCluster() as cluster:
        cluster.template("city", build)
        connection = await asyncpg.connect(cluster.clone("city"), server_settings=PLAIN_SETTINGS)
        rows = await load(connection, count, round(hours * 3600 / STEP_S))
        await connection.execute("SELECT count(value) FROM air.reading")
        for _ in range(rounds):
            await connection.execute("TRUNCATE air.rollup_15min, pipeline.reading_flag")
            steps, windows_made = await ours(connection, stop)
            sql_s, sql_rows = await sql(connection, stop)
            if sql_rows != windows_made:
                raise RuntimeError(f"SQL found {sql_rows} windows, the processors {windows_made}")
            every.append({**steps, "ours_s": sum(steps.values()), "sql_s": sql_s})
            ratios.append(sql_s / sum(steps.values()))
        await connection.close()
    middle = {name: round(median(one[name] for one in every), 2) for name in every[0]}
    return {
        "series": count, "readings": rows, **machine(), **middle,
        "ratios": [round(one, 2) for one in ratios], "ratio": round(median(ratios), 2),
    }  # fmt: skip


def main() -> None:
    """Print one line per figure, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = uvloop.run(measure(options.series, options.hours, options.rounds))
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print("\n".join(f"{name:12} {value}" for name, value in report.items()))


if __name__ == "__main__":
    main()
