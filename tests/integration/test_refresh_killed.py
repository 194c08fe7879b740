"""kill -9 in the middle of a pass over figures: nothing is half done and nothing forgotten."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import asyncpg
import numpy as np
import psycopg
import pytest

from beffroi.embedded.processes import free_port
from processors import rollup
from storage.catalogue import Domain
from storage.reading import batch_of
from tests.integration.small_city import Line, arrive, register

MIDNIGHT = np.datetime64("2024-05-13T23:00", "us")

pytestmark = pytest.mark.serial


@pytest.fixture
def processors() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `beffroi process` as often as asked for; ends what is left."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "beffroi", "process"],
            env=os.environ | {"PROCESSORS_METRICS_PORT": str(free_port())},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


async def until(connection: psycopg.Connection, query: str) -> None:
    """Until the query's one number is not 0."""
    async with asyncio.timeout(60):
        while True:
            (row,) = connection.execute(query.encode()).fetchall()
            if row[0]:
                return
            await asyncio.sleep(0.05)


WAITING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE application_name = 'beffroi processor' AND wait_event_type = 'Lock'
       AND query LIKE '%FROM air.figure WHERE provisional%'
"""
"""A pass that has taken its marks and now looks for figures whose period has ended."""
FIGURES = "SELECT count(*) FROM air.figures WHERE indicator = 'air_day_mean'"


async def test_a_processor_killed_between_taking_marks_and_writing_figures_forgets_nothing(
    pool: asyncpg.Pool,
    connection: psycopg.Connection,
    database: str,
    processors: Callable[[], subprocess.Popen[bytes]],
):
    (series,) = register(connection, [Line("no2", 3600)])
    at = [int((MIDNIGHT + np.timedelta64(h, "h")).astype(np.int64)) for h in range(24)]
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, batch_of(at, [20.0] * 24, [series] * 24, [2] * 24))
    # Marks wait before the processor starts, so its first pass over figures takes them.
    await rollup.process(pool, MIDNIGHT + np.timedelta64(3, "D"))

    with psycopg.connect(database) as blocking:
        blocking.execute("LOCK TABLE air.figure IN ACCESS EXCLUSIVE MODE")
        victim = processors()
        await until(connection, WAITING)
        victim.kill()
        victim.wait()
        blocking.rollback()
    # Its backend notices that nobody listens once the lock is there.
    await until(
        connection,
        "SELECT (count(*) = 0)::int FROM pg_stat_activity"
        " WHERE application_name = 'beffroi processor'",
    )
    marks = connection.execute("SELECT count(*) FROM pipeline.changed").fetchone()
    figures = connection.execute(FIGURES.encode()).fetchone()

    processors()
    await until(connection, FIGURES)

    assert figures == (0,)
    assert marks is not None
    assert marks[0] >= 25  # 24 hours and a day
    value = connection.execute("SELECT value, n FROM air.figures WHERE indicator = 'air_day_mean'")
    assert value.fetchall() == [(20.0, 24)]
    await until(connection, "SELECT (count(*) = 0)::int FROM pipeline.changed")
