"""Alerts open once, say what to do, and close when what they tell is over."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import numpy as np
import psycopg
import pytest
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from beffroi.cli import app
from beffroi.process import process
from processors import refresh, rollup, watching
from processors.watch.calculations import WATCH
from processors.watching import Watched
from storage.alerts import AlertKind
from storage.catalogue import Domain
from storage.reading import batch_of
from tests.integration.small_city import Line, arrive, insert, register

HOUR = np.timedelta64(1, "h")
MINUTE = np.timedelta64(1, "m")
SECOND = np.timedelta64(1, "s")
DAY = np.timedelta64(1, "D")
MIDNIGHT = np.datetime64("2024-07-07T22:00", "us")
"""Of the 8th of July in Paris."""


@pytest.fixture(autouse=True)
def only_what_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "CALCULATIONS", WATCH)


async def readings_arrive(
    pool: asyncpg.Pool, series: int, start: np.datetime64, step: np.timedelta64,
    values: list[float], domain: Domain = Domain.AIR, flag: int = 2,
) -> None:  # fmt: skip
    at = [int((start + k * step).astype(np.int64)) for k in range(len(values))]
    batch = batch_of(at, values, [series] * len(at), [flag] * len(at))
    async with pool.acquire() as one:
        await arrive(one, domain, batch)


async def passes(pool: asyncpg.Pool, now: np.datetime64) -> None:
    while (await rollup.process(pool, now)).more:
        pass
    while (done := await refresh.refresh(pool, now)).more:
        pass
    assert done.failed == []


async def look(pool: asyncpg.Pool, now: np.datetime64, thoroughly: bool = True) -> Watched:
    done = await watching.watch(pool, now, thoroughly=thoroughly)
    assert done is not None
    return done


def rows(
    connection: psycopg.Connection, what: str = "kind, series_id", but: str = ""
) -> list[tuple[object, ...]]:
    return connection.execute(
        f"SELECT {what} FROM pipeline.alert WHERE closed_at IS NULL AND kind <> %s"
        " ORDER BY kind, series_id",
        [but],
    ).fetchall()


async def test_silence_opens_after_four_steps_and_closes_when_the_sensor_speaks(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("no2", 900), Line("no2", 900), Line("no2", 900)])
    await readings_arrive(pool, ids[0], MIDNIGHT, 15 * MINUTE, [20.0, 21, 22])
    await readings_arrive(pool, ids[1], MIDNIGHT, 15 * MINUTE, [20.0, 21, 22, 23, 24])
    last = MIDNIGHT + 30 * MINUTE

    assert (await look(pool, last + 60 * MINUTE)).opened == 0
    done = await look(pool, last + 61 * MINUTE, thoroughly=False)
    assert (done.opened, done.open[AlertKind.SILENCE]) == (1, 1)
    assert rows(connection, "series_id, since = '2024-07-07T22:30Z', value, reference") == [
        (ids[0], True, 3600.0, 900.0)
    ]

    # Looking again changes nothing; the third was never heard.
    before = rows(connection, "*")
    assert (await look(pool, last + 62 * MINUTE)).opened == 0
    assert rows(connection, "*") == before

    await readings_arrive(pool, ids[0], last + 60 * MINUTE, 15 * MINUTE, [20.0])
    done = await look(pool, last + 65 * MINUTE, thoroughly=False)
    assert (done.closed, done.open[AlertKind.SILENCE]) == (1, 0)
    assert (await look(pool, last + 66 * MINUTE)).closed == 0


async def test_between_half_the_limit_and_the_limit_an_alert_stays_as_it_is(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("no2", 900)])
    await readings_arrive(pool, series, MIDNIGHT, 15 * MINUTE, [20.0])
    await look(pool, MIDNIGHT + 61 * MINUTE)
    await readings_arrive(pool, series, MIDNIGHT + 30 * MINUTE, 15 * MINUTE, [20.0])

    assert (await look(pool, MIDNIGHT + 61 * MINUTE)).closed == 0
    assert len(rows(connection)) == 1
    await readings_arrive(pool, series, MIDNIGHT + 32 * MINUTE, 15 * MINUTE, [20.0])
    assert (await look(pool, MIDNIGHT + 61 * MINUTE)).closed == 1


async def test_a_value_that_is_missing_is_no_sign_of_life_and_a_failed_one_is(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("no2", 900), Line("no2", 900)])
    for series, flag in zip(ids, (9, 4), strict=True):
        await readings_arrive(pool, series, MIDNIGHT, 15 * MINUTE, [20.0])
        await readings_arrive(pool, series, MIDNIGHT + HOUR, 15 * MINUTE, [5000.0], flag=flag)
    await look(pool, MIDNIGHT + 70 * MINUTE)

    assert rows(connection) == [("silence", ids[0])]


async def test_retired_series_and_those_that_report_on_change_are_never_silent(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("no2", 900), Line("parking_free", 0), Line("no2", 900)])
    for series, domain in zip(ids, (Domain.AIR, Domain.MOBILITY, Domain.AIR), strict=True):
        await readings_arrive(pool, series, MIDNIGHT, 15 * MINUTE, [20.0], domain)
    connection.execute(
        "UPDATE city.series SET valid_to = '2024-07-08T00:00Z' WHERE series_id = %s", [ids[0]]
    )
    await look(pool, MIDNIGHT + 4 * HOUR)
    assert rows(connection) == [("silence", ids[2])]

    connection.execute(
        "UPDATE city.series SET valid_to = '2024-07-08T02:00Z' WHERE series_id = %s", [ids[2]]
    )
    done = await look(pool, MIDNIGHT + 5 * HOUR, thoroughly=False)
    assert (done.closed, rows(connection)) == (1, [])


async def test_six_hours_of_one_value_are_stuck_until_another_comes(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("no2", 900), Line("wind_direction", 900), Line("so2", 900)])
    await readings_arrive(pool, ids[0], MIDNIGHT - HOUR, 15 * MINUTE, [10.0] * 4 + [20.0] * 24)
    await readings_arrive(pool, ids[1], MIDNIGHT - 20 * HOUR, 15 * MINUTE, [270.0] * 104)
    await readings_arrive(pool, ids[2], MIDNIGHT - 20 * HOUR, 15 * MINUTE, [3.0] * 104)
    await passes(pool, MIDNIGHT + 5 * HOUR)
    assert (await look(pool, MIDNIGHT + 5 * HOUR)).open[AlertKind.STUCK] == 1  # the wind: 24 h

    await passes(pool, MIDNIGHT + 6 * HOUR)
    await look(pool, MIDNIGHT + 6 * HOUR)
    told = "kind, series_id, value, reference, since = '2024-07-07T22:00Z'"
    assert rows(connection, told, but="silence") == [
        ("stuck", ids[0], 20.0, 6.0, True),
        ("stuck", ids[1], 270.0, 24.0, False),
    ]

    await readings_arrive(pool, ids[0], MIDNIGHT + 6 * HOUR, 15 * MINUTE, [20.0, 20, 21, 20])
    await passes(pool, MIDNIGHT + 7 * HOUR)
    await look(pool, MIDNIGHT + 7 * HOUR)
    assert rows(connection, but="silence") == [("stuck", ids[1])]


async def test_drift_and_jump_against_the_neighbours_open_and_close(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    ids = register(connection, [Line("temperature", 3600)] * 6)
    rng = np.random.default_rng(3)
    days = 28
    day = np.arange(days * 24) // 24
    weather = 12 + 8 * (day >= 15) + rng.normal(0, 1, days)[day]
    for number, series in enumerate(ids):
        value = (
            weather + rng.normal(0, 0.3, days)[day] + 3 * np.sin(np.arange(days * 24) / 24 * 6.28)
        )
        value += (4 * day / days) * (number == 0) + 5 * (day >= 20) * (number == 1)
        await readings_arrive(pool, series, MIDNIGHT - days * DAY, HOUR, value.round(2).tolist())
    await passes(pool, MIDNIGHT)
    done = await look(pool, MIDNIGHT)

    found = connection.execute(
        "SELECT kind, series_id, value, reference, since FROM pipeline.alert ORDER BY kind"
    ).fetchall()
    assert done.opened == 2
    assert [row[:2] for row in found] == [("drift", ids[0]), ("jump", ids[1])]
    assert found[0][2] == pytest.approx(4, abs=0.8)
    assert found[1][2] - found[1][3] == pytest.approx(5, abs=1)
    assert f"{found[1][4].astimezone():%Y-%m}" == "2024-06"
    assert (await look(pool, MIDNIGHT)).opened == 0

    # Calibrated and put back: both lie among their neighbours for four weeks.
    for number, series in enumerate(ids):
        value = (
            weather + rng.normal(0, 0.3, days)[day] + 3 * np.sin(np.arange(days * 24) / 24 * 6.28)
        )
        await readings_arrive(
            pool, series, MIDNIGHT, HOUR, (value + number / 100).round(2).tolist()
        )
    await passes(pool, MIDNIGHT + days * DAY)
    assert (await look(pool, MIDNIGHT + days * DAY)).closed == 2
    assert rows(connection) == []


async def test_two_programs_do_not_look_at_once(pool: asyncpg.Pool, connection: psycopg.Connection):
    register(connection, [Line("no2", 900)])
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1, 0)", 0x77617463)
        assert await watching.watch(pool, MIDNIGHT) is None
        assert await watching.watch(pool, MIDNIGHT, thoroughly=False) is None
    assert await watching.watch(pool, MIDNIGHT) is not None


async def test_alerts_and_health_are_told_on_the_command_line(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()
    assert "No alert is open." in runner.invoke(app, ["alerts", "list"]).output
    (series,) = register(connection, [Line("no2", 900)])
    connection.execute("UPDATE city.sensor SET code = 'air-1' WHERE sensor_id > 0")
    now = np.datetime64("now", "us")
    start = (now - 3 * DAY).astype("datetime64[D]").astype("datetime64[us]")
    await readings_arrive(pool, series, start, 15 * MINUTE, [20.0 + k % 7 for k in range(140)])
    await passes(pool, now)
    await look(pool, now)

    told = runner.invoke(app, ["alerts", "list"]).output
    assert "air-1" in told
    assert "no reading since" in told
    assert "Check power, battery and network" in told
    french = runner.invoke(app, ["alerts", "list", "--language", "fr"]).output
    assert "aucune mesure depuis" in french
    (one,) = json.loads(runner.invoke(app, ["alerts", "list", "--all", "--json"]).output)["alerts"]
    assert (one["kind"], one["sensor"], one["value"], one["closed_at"]) == (
        "silence", "air-1", 3600.0, None,
    )  # fmt: skip
    assert set(one["what"]) == {"fr", "en", "de"}

    connection.execute(
        "INSERT INTO pipeline.sensor_hour (hour, messages_received, messages_qos0, messages_decoded,"
        "  messages_refused, readings_decoded, readings_stored, readings_duplicate, readings_refused,"
        "  sensor_id, delay_readings, delay_sum_ms, delay_max_ms)"
        " SELECT now() - interval '1 hour', 9, 0, 9, 0, 9, 9, 0, 0, sensor_id, 9, 18000, 10800000"
        "   FROM city.series"
    )
    for columns in ("79", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setattr("beffroi.sensors.health.KEPT_WIDTH", int(columns))
        health = runner.invoke(app, ["sensors", "health"]).output
        assert "air-1" in health
        assert "silence" in health
        assert "2 s, up to 3 h" in health
        assert max(len(line.rstrip()) for line in health.splitlines()) < int(columns)
    (sensor,) = json.loads(runner.invoke(app, ["sensors", "health", "air-1", "--json"]).output)[
        "sensors"
    ]
    (field,) = sensor["fields"]
    assert 0 < field["coverage_percent"] <= 100
    assert field["good_percent"] == 100
    assert (sensor["delay_s"], sensor["longest_delay_s"]) == (2, 10800)
    assert field["alerts"] == ["silence"]
    unknown = runner.invoke(app, ["sensors", "health", "air-9"])
    assert unknown.exit_code == 2
    assert "air-9" in unknown.output


async def test_the_processor_meters_what_is_open(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PROCESSORS_METRICS_PORT", "0")
    (series,) = register(connection, [Line("no2", 900)])
    at = int((np.datetime64("now", "us") - 5 * HOUR).astype(np.int64))
    async with pool.acquire() as one:
        await insert(one, Domain.AIR, batch_of([at], [20.0], [series], [2]))
    stop = asyncio.Event()
    running = asyncio.create_task(process(stop))

    def metered() -> float | None:
        return REGISTRY.get_sample_value("beffroi_alerts_open", {"kind": "silence"})

    for _ in range(200):
        if metered() == 1:
            break
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(running, 20)

    assert metered() == 1
    assert REGISTRY.get_sample_value("beffroi_alerts_open", {"kind": "drift"}) == 0


async def test_a_territory_that_falls_silent_at_one_moment_is_told_in_one_line(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    steps = [60, 300, 600, 900, 900, 3600, 900]
    ids = register(connection, [Line("no2", step) for step in steps] + [Line("no2", 900, "pune")])
    stop = MIDNIGHT + 7 * MINUTE
    for series, step in zip(ids[:6], steps, strict=False):
        await readings_arrive(pool, series, stop - step * SECOND / 2, HOUR, [20.0])
    for series in ids[6:]:  # one that was silent long before, and one somewhere else
        await readings_arrive(pool, series, MIDNIGHT - 3 * DAY, HOUR, [20.0])
    await look(pool, MIDNIGHT + 6 * HOUR)
    assert len(rows(connection)) == 8
    runner = CliRunner()

    lines = [line.rstrip() for line in runner.invoke(app, ["alerts", "list"]).output.splitlines()]
    assert lines[:3] == [
        "silence  paris",
        "         6 of 7 series are silent since 2024-07-08 00:06",
        "         → First look at what carries the readings (collector, broker, network): beffroi doctor",
    ]
    assert sum("no reading since" in line for line in lines) == 2
    told = json.loads(runner.invoke(app, ["alerts", "list", "--json"]).output)
    assert [(one["territory"], one["silent"], one["watched"]) for one in told["outages"]] == [
        ("paris", 6, 7)
    ]
    assert len(told["alerts"]) == 8

    # One of them speaks again: five of seven are no outage of all.
    await readings_arrive(pool, ids[0], MIDNIGHT + 6 * HOUR, HOUR, [20.0])
    await look(pool, MIDNIGHT + 6 * HOUR)
    told = json.loads(runner.invoke(app, ["alerts", "list", "--json"]).output)
    assert (told["outages"], len(told["alerts"])) == ([], 7)


async def test_days_of_the_zone_in_which_a_territory_was_before_are_passed_over(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (series,) = register(connection, [Line("temperature", 3600)])
    await readings_arrive(pool, series, MIDNIGHT, HOUR, [20.0 + k % 24 for k in range(96)])
    await passes(pool, MIDNIGHT + 4 * DAY)
    connection.execute("UPDATE city.territory SET timezone = 'America/Los_Angeles'")

    assert (await look(pool, MIDNIGHT + 4 * DAY)).opened == 0


async def test_a_look_that_fails_is_tried_again(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    looks, stop = [], asyncio.Event()

    async def broken(*given: object, **more: object) -> None:
        looks.append(given)
        if len(looks) > 1:
            stop.set()
        raise IndexError("a fault of ours")

    monkeypatch.setattr(watching, "watch", broken)
    await asyncio.wait_for(watching.run(pool, stop, lambda: MIDNIGHT, interval_s=0.01), 10)

    assert len(looks) == 2
    assert "watching failed and is tried again" in caplog.text
