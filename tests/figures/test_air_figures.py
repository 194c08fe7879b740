"""Figures of the air trade, from readings to what people see, and as data come late or go."""

from __future__ import annotations

from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup
from processors.air.calculations import AIR
from processors.air.particle_calculations import PARTICLES
from storage.catalogue import Domain
from storage.facts.air import AirFacts
from storage.facts.facts import Facts
from storage.reading import Batch, batch_of
from storage.trade_store import save_facts
from tests.integration.small_city import Line, arrive, mark, register

MIDNIGHT = np.datetime64("2026-05-13T22:00", "us")
"""Of the 14th of May in Paris; the regulator's day begins an hour later."""
LATER = np.datetime64("2026-05-20T00:00", "us")
FIVE = {"no2": 90.0, "o3": 101.0, "pm10": 20.0, "pm25": 25.0, "so2": 12.0}
HOUR = np.timedelta64(1, "h")
EVERY = (
    "SELECT i.indicator, f.subject_id, f.start, f.value::text, f.low::text, f.n, f.due, f.status,"
    " f.code, f.at::text, f.method, f.provisional FROM air.figure f JOIN city.indicator i"
    " USING (indicator_id) WHERE i.indicator = ANY (%s) ORDER BY 1, 2, 3"
)
MINE = [name for one in AIR for name in one.makes]


def hours(series: int, values: dict[int, float]) -> Batch:
    at = [int((MIDNIGHT + hour * HOUR).astype(np.int64)) for hour in values]
    return batch_of(at, list(values.values()), [series] * len(at), [2] * len(at))


async def arrives(pool: asyncpg.Pool, series: int, values: dict[int, float]) -> None:
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, hours(series, values))


@pytest.fixture(autouse=True)
def only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others make of the same readings is their own tests' matter."""
    monkeypatch.setattr(refresh, "CALCULATIONS", AIR)


async def passes(pool: asyncpg.Pool, now: np.datetime64 = LATER) -> refresh.Refreshed:
    await rollup.process(pool, now)
    done = await refresh.refresh(pool, now)
    assert done.failed == []
    return done


def told(connection: psycopg.Connection, indicator: str, columns: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        f"SELECT {columns} FROM air.figures WHERE indicator = %s ORDER BY start, subject_id",
        [indicator],
    ).fetchall()


def at(hour: int) -> str:
    return str(MIDNIGHT + hour * HOUR)[:13]


async def test_a_day_of_five_pollutants_becomes_indices_and_thresholds(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    series = register(connection, [Line(name, 3600) for name in FIVE])
    for number, value in zip(series, FIVE.values(), strict=True):
        await arrives(pool, number, dict.fromkeys(range(24), value))

    await passes(pool)

    assert told(connection, "atmo_territory", "value, words, n, due, status, method, territory") == [
        (3, ["dominant o3", "dominant pm25", *(f"used {name}" for name in FIVE)], 5, 5, "complete",
         "2021", "paris")
    ]  # fmt: skip
    assert told(connection, "atmo_site", "value, site") == [(3, "site")]
    assert told(connection, "atmo_sub", "metric, value, words, indicative") == [
        ("no2", 2, ["moyen"], True), ("o3", 3, ["dégradé"], True), ("pm10", 1, ["bon"], True),
        ("pm25", 3, ["dégradé"], True), ("so2", 1, ["bon"], True),
    ]  # fmt: skip
    eaqi = told(connection, "eaqi", "value, words, n, due, status, method")
    assert len(eaqi) == 24
    assert set(map(repr, eaqi)) == {
        repr((4.0, ["dominant no2", *(f"used {name}" for name in FIVE)], 3, 3, "complete",
              "EAQI bands revised 2024"))
    }  # fmt: skip
    assert [row[0] for row in told(connection, "eaqi_sub", "words[1]")[:5]] == [
        "poor", "moderate", "fair", "moderate", "good",
    ]  # fmt: skip
    thresholds = told(connection, "threshold_fr", "metric, value, words, status")
    assert thresholds == [
        (name, 0, ["no threshold passed"], "complete") for name in ("no2", "o3", "pm10", "so2")
    ]
    assert told(connection, "threshold_eu", "metric") == [("no2",), ("o3",), ("so2",)]


async def test_carbon_monoxide_is_told_in_mg(pool: asyncpg.Pool, connection: psycopg.Connection):
    (series,) = register(connection, [Line("co", 3600)])
    await arrives(pool, series, dict.fromkeys(range(-8, 26), 0.5))

    await passes(pool)

    for name in ("co_day_mean", "co_day_max_8h", "co_8h_mean"):
        assert {(0.5, "mg/m3")} == set(told(connection, name, "value, unit")) - {(None, "mg/m3")}
    assert told(connection, "air_day_mean", "value") == []


async def test_an_evening_that_comes_late_changes_the_maximum_of_the_next_day_too(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("o3", 3600)])
    # Up and down by one: a line that stands still would be looked at anew along all of it.
    whole = {hour: 50.0 + hour % 2 * 2 - 1 for hour in range(1, 49)}
    await arrives(pool, series, {h: v for h, v in whole.items() if not 18 <= h < 22})
    await passes(pool)
    columns = "value, at AT TIME ZONE 'UTC', n"
    first = told(connection, "air_day_max_8h", columns)
    # No means: five at the beginning of all, and five and two that miss too much of the gap.
    assert [row[2] for row in first] == [14, 22]

    await arrives(pool, series, {hour: whole[hour] + 80 for hour in range(18, 22)})
    await passes(pool)

    day, next_day = told(connection, "air_day_max_8h", columns)
    assert (day[0], day[2]) == ((4 * 50 + 4 * 130) / 8, 19)
    assert (next_day[0], next_day[2]) == ((4 * 50 + 4 * 130) / 8, 24)
    assert str(day[1])[:13].replace(" ", "T") == at(22)
    assert str(next_day[1])[:13].replace(" ", "T") == at(26)


async def test_a_late_hour_reaches_the_24_hour_means_of_particles_a_day_on(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    save_facts(connection, Facts(air=AirFacts.model_validate({"eaqi_2024": "2030-01-01"})))
    (series,) = register(connection, [Line("pm10", 3600)])
    await arrives(pool, series, {hour: 10.0 for hour in range(40) if hour != 2})
    await passes(pool)
    before = [row[0] for row in told(connection, "eaqi_sub", "n")]

    await arrives(pool, series, {2: 10.0})
    await passes(pool)

    after = [row[0] for row in told(connection, "eaqi_sub", "n")]
    assert before == [1, 2, *range(3, 24), 23, 23, *[24] * 14]
    assert after == [*range(1, 24), *[24] * 17]


async def test_an_alert_that_a_late_hour_completes_is_dated_by_its_third_hour(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 3600)])
    calm = dict.fromkeys(range(48), 10.0)
    await arrives(pool, series, {**calm, 22: 410.0, 24: 430.0, 23: 420.0} | {23: 20.0})
    await passes(pool)
    columns = "value, words[1], at AT TIME ZONE 'UTC'"
    assert [row[0] for row in told(connection, "threshold_fr", columns)] == [1, 2]

    connection.execute(
        "UPDATE air.reading SET value = 420 WHERE series_id = %s AND time = %s::timestamptz",
        [series, f"{MIDNIGHT + 23 * HOUR}Z"],
    )
    async with pool.acquire() as one:
        await mark(one, Domain.AIR, hours(series, {23: 420.0}))
    await passes(pool)

    day, next_day = told(connection, "threshold_fr", columns)
    assert day[0] == 1
    assert next_day[:2] == (3, "alert threshold passed")
    assert str(next_day[2])[:13].replace(" ", "T") == at(25)


async def test_figures_of_readings_that_are_gone_are_gone(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    no2, o3 = register(connection, [Line("no2", 3600), Line("o3", 3600)])
    for series in (no2, o3):
        await arrives(pool, series, dict.fromkeys(range(26), 300.0))
    await passes(pool)
    assert {row[0] for row in connection.execute(EVERY, [MINE])} >= {"eaqi", "atmo_territory"}
    assert set(told(connection, "eaqi", "n")) == {(2,)}

    connection.execute("DELETE FROM air.reading WHERE series_id = %s", [o3])
    async with pool.acquire() as one:
        await mark(one, Domain.AIR, hours(o3, dict.fromkeys(range(26), 0.0)))
    await passes(pool)

    series = connection.execute(
        "SELECT DISTINCT series_id FROM air.figures WHERE subject = 'series' AND indicator = ANY (%s)",
        [MINE],
    ).fetchall()
    assert series == [(no2,)]
    assert set(told(connection, "eaqi", "n")) == {(1,)}


async def test_humidity_that_comes_late_changes_the_index_of_a_low_cost_sensor(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(refresh, "CALCULATIONS", (*PARTICLES, *AIR))
    rule = {"sensors": "*", "method": "kappa-koehler", "kappa": 0.4}
    save_facts(connection, Facts(air=AirFacts.model_validate({"correction": [rule]})))
    particles, humidity = register(connection, [Line("pm25", 3600), Line("humidity", 3600)])
    await arrives(pool, particles, {3: 25.0})
    await passes(pool)
    assert told(connection, "eaqi_sub", "value, status") == [(None, "insufficient")]

    await arrives(pool, humidity, {3: 80.0})
    await passes(pool)

    assert told(connection, "pm_corrected", "round(value::numeric, 3)::float8") == [(12.692,)]
    assert told(connection, "eaqi_sub", "value, metric") == [(2, "pm25")]
    assert told(connection, "eaqi", "value, indicative") == [(2, True)]


async def test_an_open_day_is_provisional_and_no_more_when_it_has_ended(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("o3", 3600)])
    await arrives(pool, series, dict.fromkeys(range(20), 60.0))
    await passes(pool, MIDNIGHT + 20 * HOUR)
    assert told(connection, "atmo_sub", "value, n, provisional") == [(2, 20, True)]
    assert told(connection, "threshold_fr", "value, n, provisional") == [(0, 20, True)]
    assert {row[0] for row in told(connection, "eaqi_sub", "provisional")} == {False}

    await arrives(pool, series, dict.fromkeys(range(20, 26), 60.0))
    await passes(pool)

    assert told(connection, "atmo_sub", "value, n, provisional")[0] == (2, 24, False)
    assert told(connection, "threshold_fr", "value, n, provisional")[0] == (0, 24, False)


async def test_hour_by_hour_and_from_scratch_give_the_same_figures(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    random = np.random.default_rng(4)
    # Under the bands of 2019 an hour of particles reaches a whole day further.
    save_facts(connection, Facts(air=AirFacts.model_validate({"eaqi_2024": "2030-01-01"})))
    series = register(connection, [Line(name, 3600) for name in FIVE])
    values = random.choice([20.0, 60.0, 190.0, 260.0, 420.0], (5, 60)).round(1)
    order = random.permutation([(row, hour) for row in range(5) for hour in range(60)]).tolist()
    for part in range(0, 300, 60):
        by_series: dict[int, dict[int, float]] = {}
        for row, hour in order[part : part + 60]:
            by_series.setdefault(row, {})[hour] = float(values[row, hour])
        for row, some in by_series.items():
            await arrives(pool, series[row], dict(sorted(some.items())))
        await passes(pool)
    before = connection.execute(EVERY, [MINE]).fetchall()
    connection.execute("TRUNCATE air.figure")

    await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=MINE)

    assert len(before) > 500
    assert connection.execute(EVERY, [MINE]).fetchall() == before


async def test_an_empty_database_has_no_figures_and_fails_nowhere(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    assert (await passes(pool)).idle
    done = await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=MINE)
    assert (done.figures, done.failed) == (0, [])
    register(connection, [Line("no2", 3600)])
    done = await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=MINE)
    assert (done.figures, done.failed) == (0, [])
