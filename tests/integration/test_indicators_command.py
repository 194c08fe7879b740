"""`beffroi indicators`: what is typed, what is said, and what is computed anew."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest
from typer.testing import CliRunner, Result

from beffroi.cli import app
from processors import refresh, rollup
from storage.catalogue import Domain
from storage.reading import batch_of
from tests.integration.small_city import Line, arrive, register

FIRST = np.datetime64("2024-05-13T23:00", "us")
NOW = np.datetime64("2024-05-20T00:00", "us")


@pytest.fixture
async def three_days(pool: asyncpg.Pool, connection: psycopg.Connection) -> str:
    """20, then nothing, then 41 micrograms; returns the sensor's code."""
    (series,) = register(connection, [Line("no2", 3600)])
    hours = [*range(24), *range(48, 72)]
    at = [int((FIRST + np.timedelta64(h, "h")).astype(np.int64)) for h in hours]
    value = [20.0] * 24 + [41.0] * 24
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, batch_of(at, value, [series] * 48, [2] * 48))
    await rollup.process(pool, NOW)
    await refresh.refresh(pool, NOW)
    row = connection.execute("SELECT code FROM city.sensor WHERE sensor_id > 0").fetchone()
    assert row is not None
    return str(row[0])


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["indicators", *words])


def shown(*words: str) -> list[dict[str, Any]]:
    result = typed("show", *words, "--json")
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout)["figures"])


async def test_without_a_time_the_newest_figure_is_shown(three_days: str):
    (figure,) = shown("air_day_mean")

    assert (figure["value"], figure["n"], figure["due"], figure["status"]) == (
        41.0,
        24,
        24,
        "complete",
    )
    assert figure["start"] == "2024-05-15T23:00:00+00:00"


async def test_a_span_shows_every_period_and_a_picture_of_them(three_days: str):
    span = ("--of", three_days, "--from", "2024-05-13", "--to", "2024-05-20")
    assert [figure["value"] for figure in shown("air_day_mean", *span)] == [20.0, 41.0]

    text = typed("show", "air_day_mean", *span).stdout
    assert "2024-05-14" in text
    assert "24/24" in text
    assert "indicative" in text


async def test_what_is_not_known_is_told_with_what_is_near(three_days: str):
    unknown = typed("show", "air_day_meen")
    nobody = typed("show", "air_day_mean", "--of", three_days[:-1])
    never = typed("show", "air_day_mean", "--from", "yesterday")

    assert (unknown.exit_code, nobody.exit_code, never.exit_code) == (2, 2, 2)
    assert "did you mean air_day_mean" in unknown.stderr
    assert f"did you mean {three_days}?" in nobody.stderr
    assert "'yesterday' is no time" in never.stderr


def test_an_indicator_without_figures_says_so(connection: psycopg.Connection):
    assert typed("show", "air_day_mean").stdout == "air_day_mean has no figure yet\n"
    assert typed("show", "air_day_mean", "--of", "x").exit_code == 2


async def test_figures_that_were_lost_are_computed_anew(
    three_days: str, connection: psycopg.Connection
):
    before = shown("air_day_mean", "--from", "2024-05-13")
    connection.execute("TRUNCATE air.figure")

    # The command runs an event loop of its own.
    result = await asyncio.to_thread(
        typed,
        "refresh",
        "--from",
        "2024-05-14",
        "--to",
        "2024-05-17",
        "--only",
        "air_day_mean",
        "--json",
    )

    assert result.exit_code == 0
    # Two days, of the mean and of the highest hour that the same calculation makes.
    assert json.loads(result.stdout)["figures"] == 4
    assert shown("air_day_mean", "--from", "2024-05-13") == before
    assert typed("refresh", "--from", "2024-05-17", "--to", "2024-05-14").exit_code == 2


def test_the_catalogue_is_listed_and_every_line_told():
    listed = json.loads(typed("list", "--json").stdout)["indicators"]

    assert {"air_day_mean"} <= {one["name"] for one in listed}
    assert "Directive 2008/50/EC" in typed("list", "air_day_mean").stdout
    assert typed("list", "--trade", "air").exit_code == 0


async def test_an_index_is_told_by_the_name_of_its_class(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    at = int(FIRST.astype(np.int64))
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, batch_of([at], [26.0], [series], [2]))
    await rollup.process(pool, NOW)
    await refresh.refresh(pool, NOW)

    # 26 is moderate since the bands were revised, and good by those of 2019.
    (figure,) = shown("eaqi")
    assert (figure["value"], figure["class"], figure["method"]) == (
        1.0,
        "good",
        "EAQI bands of 2019",
    )
    assert "good; dominant no2, used no2" in " ".join(typed("show", "eaqi").stdout.split())
