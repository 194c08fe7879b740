"""Store path against a bare binary COPY of the same rows into the same table.

    python tests/benchmarks/store_path.py [--json]

Both run in turn, batch by batch, in one process, on one connection each, against one
server with the durable settings of `beffroi up`. The store path does everything the
collector's commit does: key, ledger, dirty marks, 1 % duplicates through the slower path.
The bare COPY is given the same rows without the duplicates, in a transaction of its own,
already encoded, so that only the database's part of it is timed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import asyncpg
import numpy as np
import psycopg

from beffroi.embedded import machine
from beffroi.embedded.stack import Stack
from storage import binary
from storage.high_water import HighWater
from storage.ingest import store
from storage.intake import Intake
from storage.migrate import migrate
from storage.reading import Batch

SENSORS_VALUES = 4
DUPLICATES = 0.01
START_US = 1_767_225_600_000_000  # 2026-01-01 UTC


def prepare(series: int) -> None:
    """A migrated database whose foreign names exist."""
    with psycopg.connect() as connection:
        migrate(connection)
        connection.execute(
            "INSERT INTO city.territory (code, name, code_system, timezone)"
            " VALUES ('1', 'x', 'x', 'UTC')"
        )
        connection.execute(
            "INSERT INTO city.site (territory_id, code, name) SELECT territory_id, 's', 's' FROM city.territory"
        )
        connection.execute(
            "INSERT INTO city.sensor (sensor_id, site_id, code) SELECT n, site_id, 'n' || n"
            "  FROM city.site, generate_series(1, %s) n",
            (series,),
        )
        connection.execute(
            "INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)"
            " SELECT n, 'no2', 'no2', 'ug/m3', 1, 0, 10, 'start' FROM generate_series(1, %s) n",
            (series,),
        )


def intake_at(step: int, rows: int, offset: int) -> Intake:
    """One reading per series, of which 1 % repeat the batch before."""
    rng = np.random.default_rng(step)
    series = np.arange(1, rows + 1, dtype=np.int32) + offset
    time_us = np.full(rows, START_US + step * 10_000_000)
    value = np.round(rng.uniform(5, 50, rows), 1)
    if step:
        repeated = rng.choice(rows, int(rows * DUPLICATES), replace=False)
        time_us[repeated] -= 10_000_000
        value[repeated] = np.round(np.random.default_rng(step - 1).uniform(5, 50, rows), 1)[
            repeated
        ]
    messages = rows // SENSORS_VALUES
    message = np.repeat(np.arange(messages, dtype=np.int32), SENSORS_VALUES)
    sensor = message + 1
    return Intake(
        batch=Batch(time_us.view("datetime64[us]"), value, series, np.full(rows, 2, np.int16)),
        domain=np.zeros(rows, np.int8),
        sensor=sensor,
        message=message,
        field=["no2"] * rows,
        topic=["city/a/b/c"] * messages,
        payload=[b"{}"] * messages,
        received_us=np.full(messages, START_US + step * 10_000_000),
        message_sensor=np.arange(1, messages + 1, dtype=np.int32),
        message_refused=np.zeros(messages, bool),
        message_qos0=np.zeros(messages, bool),
        refusals=[],
        refusal_message=[],
    )


async def bare(connection: asyncpg.Connection, body: memoryview) -> None:
    """What a program would do that cares for nothing but rows."""
    await connection.copy_to_table(
        "reading",
        schema_name="air",
        columns=("time", "value", "series_id", "flag"),
        source=binary.chunks(body),  # type: ignore[arg-type]
        format="binary",
    )


async def measure(rows: int, batches: int) -> dict[str, float]:
    """Median seconds of each path, and the ratio of the rates pair by pair."""
    ours = await asyncpg.connect(server_settings={"jit": "off"})
    theirs = await asyncpg.connect(server_settings={"jit": "off"})
    high_water = HighWater()
    times: list[tuple[float, float]] = []
    for step in range(batches + 20):
        # Two halves of the series, so that neither path meets the other's rows.
        mine = intake_at(step, rows, 0)
        other = intake_at(step, rows, rows)
        fresh = other.batch.take(other.batch.time == other.batch.time.max())
        body = binary.encode_readings(fresh.in_key_order())
        started = time.perf_counter()
        await store(ours, mine, high_water)
        between = time.perf_counter()
        await bare(theirs, body)
        ended = time.perf_counter()
        if step >= 20:  # plans are cached and pages warm by then
            # Per row: the bare path had only the rows that are new.
            times.append(((between - started) / rows, (ended - between) / len(fresh)))
    await ours.close()
    await theirs.close()
    return {
        "rows_per_batch": rows,
        "store_rows_per_s": 1 / statistics.median(t[0] for t in times),
        "copy_rows_per_s": 1 / statistics.median(t[1] for t in times),
        "ratio": statistics.median(t[1] / t[0] for t in times),
    }


def main() -> None:
    """Run at both sizes and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--batches", type=int, default=200)
    options = parser.parse_args()
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=base, prefix="bench-") as folder,
    ):
        Path(folder).chmod(0o755)
        with Stack(Path(folder)) as stack:
            os.environ.update(stack.environment())
            prepare(8000)
            results = []
            for rows in (1000, 4000):
                with psycopg.connect(autocommit=True) as connection:
                    connection.execute("TRUNCATE air.reading")
                results.append(asyncio.run(measure(rows, options.batches)))
    if options.json:
        print(
            json.dumps({"machine": platform.machine(), "cores": os.cpu_count(), "results": results})
        )
        return
    for result in results:
        print(
            f"{result['rows_per_batch']:>6.0f} rows a batch: store {result['store_rows_per_s']:>9,.0f}/s,"
            f" bare COPY {result['copy_rows_per_s']:>9,.0f}/s, ratio {result['ratio']:.2f}"
        )


if __name__ == "__main__":
    main()
