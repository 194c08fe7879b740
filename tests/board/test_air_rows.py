"""What the air view reads of a city: as it stands, as corrected, and as the public role may."""

from datetime import UTC, datetime, timedelta

import asyncpg
import psycopg

from dashboards.board.language import language
from dashboards.board.sheet import Where
from dashboards.board.views import air
from dashboards.board.views.air_rows import Air, load
from dashboards.board.views.view import Asked
from storage.city import parse
from storage.registry import register
from tests.board.air_asked import HOUR, NOW, asked
from tests.board.city import OUTLINES, TOML, csv


async def read(conninfo: str, at: datetime) -> Air:
    connection = await asyncpg.connect(conninfo)
    try:
        return await load(connection, at, None)
    finally:
        await connection.close()


async def test_a_database_without_anything_has_no_air(database):
    found = await read(database, NOW)

    sheet = air.say(found, Asked(Where("", "", "UTC", frozenset()), language("fr"), NOW))
    assert sheet.empty == "Aucun capteur ne mesure l’air ici."


async def test_a_filled_city_is_read_as_it_stands(city):
    moment = datetime.now(UTC)
    found = await read(city, moment)

    assert found.names["99001"] == "Valbrume"
    assert {(one.metric, one.series) for one in found.sensors if one.territory == "99001"} == {
        ("no2", 1), ("o3", 1), ("pm10", 1), ("pm25", 1),
    }  # fmt: skip
    assert len([one for one in found.hours if one.territory == "99001"]) in (25, 26)
    assert found.hours[0].dominant == ("pm25",)
    assert {one.metric: one.value for one in found.means if one.territory == "99001"} == {
        "no2": 22.0, "o3": 15.0, "pm10": 29.0, "pm25": 29.0,
    }  # fmt: skip
    assert all(one.grade for one in found.means)
    assert [one.indicative for one in found.means if one.metric == "o3"] == [False]
    assert {one.indicative for one in found.means if one.territory == "08999001"} == {True}
    sheet = air.say(found, asked("99001", at=moment))
    assert (sheet.empty, len(sheet.facts), len(sheet.charts)) == ("", 5, 1)


async def test_a_corrected_sensor_is_told_as_corrected_and_a_faulty_hour_is_left_out(city):
    moment = datetime.now(UTC)
    with psycopg.connect(city, autocommit=True) as connection:
        newest = moment.replace(minute=0, second=0, microsecond=0) - HOUR
        for back, value in ((1, 11.0), (0, float("nan"))):
            put(connection, "pm_corrected", "box-001", "pm25", newest - back * HOUR, value)
        put(connection, "pm_plausible", "box-002", "pm25", newest, 0.0)

    found = await read(city, moment)

    told = {(one.territory, one.start): one.value for one in found.means if one.metric == "pm25"}
    assert told == {("99001", newest): 29.0, ("99002", newest - HOUR): 11.0}


async def test_thresholds_of_today_and_the_relayed_forecast_are_read(city):
    moment = datetime.now(UTC)
    with psycopg.connect(city, autocommit=True) as connection:
        today = moment - timedelta(hours=1)
        put(connection, "threshold_eu", "air-001", "o3", today, 3.0, stop=moment + HOUR)
        put(connection, "threshold_fr", "air-001", "o3", today - 2 * HOUR, 1.0, stop=today)
        relay(connection, moment - timedelta(minutes=1))

    found = await read(city, moment)

    assert [(one.territory, one.law, one.metric, one.site_name, one.level, one.at)
            for one in found.passed] == [("99001", "eu", "o3", "Gare", 3, None)]  # fmt: skip
    assert [(one.territory, one.value) for one in found.forecasts] == [("99001", 4.0)]


async def test_the_public_role_may_read_all_of_it(city):
    moment = datetime.now(UTC)
    role = f"air_{city.rpartition('_')[2]}"
    with psycopg.connect(city, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA board TO {role};"
                      f" GRANT SELECT ON ALL TABLES IN SCHEMA board TO {role}")  # fmt: skip
    try:
        connection = await asyncpg.connect(city)
        await connection.execute(f"SET ROLE {role}")
        found = await load(connection, moment, None)
        await connection.close()
    finally:
        with psycopg.connect(city, autocommit=True) as owner:
            owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")

    assert len(found.means) == 8


def put(connection, indicator, sensor, metric, start, value, *, stop=None):
    """One figure of a series."""
    connection.execute(
        "INSERT INTO air.figure SELECT %s, %s, '-infinity', %s, 'NaN', 'NaN', series_id, 1, 1, 0,"
        "       indicator_id, 1, 0, false, true FROM public.series, city.indicator"
        "  WHERE sensor = %s AND metric = %s AND indicator = %s",
        [start, stop or start + HOUR, value, sensor, metric, indicator],
    )


def relay(connection, time):
    """A forecast as a commune relays it, by a sensor of its own."""
    line = "99001,mairie,Hôtel de Ville,7.738,48.635,relay-001,air_index_tomorrow,,,0,start,\n"
    register(connection, parse(TOML, csv() + line, beside=lambda name: OUTLINES))
    connection.execute(
        "INSERT INTO air.reading (time, value, series_id, flag)"
        " SELECT %s, 4, series_id, 1 FROM public.series WHERE metric = 'air_index_tomorrow'",
        [time],
    )
