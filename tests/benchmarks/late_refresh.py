"""What 1,000 late readings cost in a table of 10 million rows, and in one of 100 million.

A thousand series at 10 s are loaded and rolled up, with all their figures. Then, again and
again, 1,000 readings arrive for random series and moments of the last day, and are taken up
by the passes that a processor makes: rollups first, then the figures made of them. Cost
must follow what is new, not what is stored. Run with ``python -m tests.benchmarks.late_refresh``.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import cast

import asyncpg
import numpy as np
import psycopg
import uvloop

from beffroi.embedded.testing import TestCluster
from processors import refresh, rollup
from processors.settings import Settings
from storage import binary
from storage.catalogue import Domain
from storage.migrate import migrate
from storage.reading import Batch
from tests.benchmarks.rollup_day import DAY, STEP_S, load, machine, register

SERIES = 1000
LATE = 1000


async def arrive(connection: asyncpg.Connection, batch: Batch) -> None:
    """Readings and the marks of their quarter-hours, in one transaction, as a collector does."""
    async with connection.transaction():
        await connection.copy_to_table(
            "reading", schema_name="air", columns=("time", "value", "series_id", "flag"),
            source=binary.chunks(binary.encode_readings(batch)), format="binary",
        )  # fmt: skip
        quarter = batch.time.view(np.int64) // 900_000_000
        for number in np.unique(quarter).tolist():
            await connection.execute(
                "INSERT INTO pipeline.dirty (domain, start, series_id)"
                " VALUES ('air', to_timestamp($1::int8 * 900), $2)",
                number,
                np.unique(batch.series[quarter == number]).tolist(),
            )


def late(random: np.random.Generator, now: np.datetime64, taken: set[int]) -> Batch:
    """A thousand readings between those that are there, and never one of them twice."""
    ticks = 86_400 // STEP_S
    chosen: list[int] = []
    while len(chosen) < LATE:
        place = int(random.integers(0, SERIES * ticks))
        if place not in taken:
            taken.add(place)
            chosen.append(place)
    place = np.array(sorted(chosen))
    ago = (place % ticks * STEP_S + STEP_S // 2) * 1_000_000
    series = (place // ticks + 1).astype(np.int32)
    return Batch(
        now - ago.astype("timedelta64[us]"), np.full(LATE, 20.0), series, np.full(LATE, 2, np.int16)
    ).in_key_order()


async def one_table(cluster: TestCluster, rows: int, rounds: int) -> dict[str, object]:
    """Load, roll up, and let readings come late."""
    conninfo = cluster.clone("city")
    ticks = rows // SERIES
    now = DAY + np.timedelta64(ticks * STEP_S * 1_000_000, "us")
    random, taken, costs, figures = np.random.default_rng(1), set[int](), [], []
    server = {"timezone": "UTC", "jit": "off"}
    async with (
        asyncpg.create_pool(conninfo, min_size=0, max_size=4, server_settings=server) as pool,
        pool.acquire() as lent,
    ):
        connection = cast(asyncpg.Connection, lent)
        began = time.monotonic()
        loaded = await load(connection, SERIES, ticks)
        load_s = time.monotonic() - began
        began = time.monotonic()
        await rollup.recompute(pool, DAY, now, now=now, settings=Settings())
        await pool.execute("TRUNCATE pipeline.changed")
        await refresh.recompute(pool, DAY, now, now=now)
        prepare_s = time.monotonic() - began
        await connection.execute("VACUUM ANALYZE")
        for _ in range(rounds + 1):
            await arrive(connection, late(random, now, taken))
            began, made = time.monotonic(), 0
            while (await rollup.process(pool, now)).more:
                pass
            rolled = time.monotonic()
            while (done := await refresh.refresh(pool, now)).more:
                made += done.figures
            costs.append((rolled - began, time.monotonic() - rolled))
            figures.append(made + done.figures)
    cluster.drop(conninfo)
    costs = costs[1:]  # the first finds nothing in memory
    return {
        "rows": loaded, "load_s": round(load_s, 1), "prepare_s": round(prepare_s, 1),
        "rollups_s": round(median(a for a, _ in costs), 3),
        "figures_s": round(median(b for _, b in costs), 3),
        "both_s": round(median(a + b for a, b in costs), 3),
        "figures": int(median(figures)),
    }  # fmt: skip


async def measure(sizes: list[int], rounds: int) -> dict[str, object]:
    """The same in every size."""

    def build(conninfo: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            migrate(connection)
            register(connection, SERIES)

    with TestCluster() as cluster:
        cluster.template("city", build)
        tables = [await one_table(cluster, size, rounds) for size in sizes]
    first, last = tables[0]["both_s"], tables[-1]["both_s"]
    ratio = round(cast(float, last) / cast(float, first), 2)
    return {**machine(), "late": LATE, "domain": Domain.AIR, "tables": tables, "ratio": ratio}


def main() -> None:
    """Print one line per figure, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=float, nargs="+", default=[1e7, 1e8])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = uvloop.run(measure([round(rows) for rows in options.rows], options.rounds))
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        for name, value in report.items():
            print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
