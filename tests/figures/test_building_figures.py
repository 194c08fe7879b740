"""Figures of buildings: rollups into the real database, figures out of its views."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh
from processors.energy.building_calculations import BUILDINGS
from storage.facts.facts import Facts
from storage.trade_store import save_facts
from tests.integration.small_city import Line, register

BEGIN = np.datetime64("2023-01-01T00:00", "us")
NOW = np.datetime64("2024-03-20T12:00", "us")
MINE = [name for one in BUILDINGS for name in one.makes]
# Of the daily energy: 100 kWh, and 10 more for each degree below 15 °C.
BASE, SLOPE, POINT = 100.0, 10.0, 15.0


def outdoor(day: int) -> float:
    """A year of means between 1 and 23 °C, the coldest on the 1st of January."""
    return 12.0 - 11.0 * float(np.cos(2 * np.pi * day / 365))


def drawn(day: int) -> float:
    """What the building draws: a fifth less heating from 2024 on."""
    return BASE + (SLOPE if day < 365 else 0.8 * SLOPE) * max(0.0, POINT - outdoor(day))


def store(
    connection: psycopg.Connection, domain: str, table: str, series: int,
    rows: list[tuple[np.datetime64, float, float, float]], good: int = 1, seconds: float = np.nan,
) -> None:  # fmt: skip
    """Rollups as (start, sum, min, max), each of so many readings, covering so many seconds."""
    nan = float("nan")
    columns = "start, sum, min, max, m2, first, last, x, y, series_id, expected, received, good"
    copy = f"COPY {domain}.{table} ({columns}, suspect, provisional, sketch) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copy) as target:
        for start, total, low, high in rows:
            at = f"{start}+00"
            gap = 0.0 if seconds == seconds else nan
            target.write_row(
                (at, total, low, high, nan, low, high, gap, seconds, series, good, good, good,
                 0, False, b"")
            )  # fmt: skip


def at_day(day: int, hour: int = 0) -> np.datetime64:
    return BEGIN + np.timedelta64(24 * day + hour, "h")


def weather(connection: psycopg.Connection, series: int, days: range) -> None:
    """Hours whose mean is that of the day: 3 K less in the first half, 3 K more in the second."""
    rows = []
    for day in days:
        for hour in range(24):
            value = outdoor(day) + (-3 if hour < 12 else 3)
            rows.append((at_day(day, hour), value, value, value))
    store(connection, "air", "rollup_1h", series, rows)


def meter(connection: psycopg.Connection, series: int, days: Iterable[int]) -> None:
    rows = [(at_day(day), drawn(day), drawn(day), drawn(day)) for day in days]
    store(connection, "energy", "rollup_1d", series, rows)


def settle(connection: psycopg.Connection, **energy: object) -> None:
    save_facts(connection, Facts.model_validate({"energy": energy}))


def sensor(connection: psycopg.Connection, series: int, name: str) -> None:
    connection.execute(
        "UPDATE city.sensor SET code = %s"
        " WHERE sensor_id = (SELECT sensor_id FROM city.series WHERE series_id = %s)",
        [name, series],
    )


def told(connection: psycopg.Connection, name: str, columns: str = "value") -> list[tuple]:
    return connection.execute(
        f"SELECT {columns} FROM energy.figures WHERE indicator = %s ORDER BY subject_id, start",
        [name],
    ).fetchall()


async def computed(pool: asyncpg.Pool, days: int = 444) -> None:
    done = await refresh.recompute(pool, BEGIN, at_day(days), now=NOW, only=MINE)
    assert done.failed == []


def utc(connection: psycopg.Connection) -> None:
    """Days on the UTC clock, so that the hours above are those of its days."""
    connection.execute("UPDATE city.territory SET timezone = 'UTC'")


@pytest.fixture
async def school(pool: asyncpg.Pool, connection: psycopg.Connection) -> tuple[int, int]:
    """A school with a meter and a thermometer, a baseline in 2023, and works at its end."""
    air, energy = register(connection, [Line("temperature", 3600), Line("energy_used", 86400)])
    utc(connection)
    sensor(connection, air, "meteo")
    sensor(connection, energy, "linky")
    settle(
        connection,
        building=[
            {
                "site": "site", "class": "school", "area_m2": 1000, "meters": ["linky"],
                "temperature": "meteo", "baseline_from": "2023-01-01", "baseline_to": "2024-01-01",
            }
        ],
        carbon_factor=[
            {
                "energy": "electricity", "kg_per_kwh": 0.05, "scope": "life_cycle",
                "from": "2023-01-01", "source": "test",
            }
        ],
    )  # fmt: skip
    return air, energy


async def test_a_year_and_what_followed_become_degree_days_signature_and_savings(
    pool: asyncpg.Pool, connection: psycopg.Connection, school: tuple[int, int]
):
    air, energy = school
    weather(connection, air, range(444))
    meter(connection, energy, range(444))
    await computed(pool)

    days = told(connection, "heating_degree_days", "value, n, due, status, provisional, method")
    assert len(days) == 444
    assert days[0] == (pytest.approx(18 - outdoor(0)), 24, 24, "complete", False, "base 18 °C")
    january = told(connection, "heating_degree_days_month", "value, n, due, status")[0]
    assert january == (
        pytest.approx(sum(18 - outdoor(day) for day in range(31))), 31, 31, "complete",
    )  # fmt: skip
    season = told(connection, "heating_season_degree_days", "start::date::text, stop::date::text")
    assert ("2023-10-01", "2024-05-21") in season

    assert told(connection, "building_energy")[0][0] == pytest.approx(drawn(0))
    assert told(connection, "building_carbon", "value, words")[0] == (
        pytest.approx(0.05 * drawn(0)), ["life cycle"],
    )  # fmt: skip
    whole = sum(drawn(day) for day in range(365))
    assert told(connection, "building_energy_year", "value, n, due, status") == [
        (pytest.approx(whole), 365, 365, "complete"),
        (pytest.approx(sum(drawn(d) for d in range(365, 444))), 79, 79, "complete"),
    ]
    assert told(connection, "building_intensity", "value, status")[0] == (
        pytest.approx(whole / 1000), "complete",
    )  # fmt: skip
    # One school is no class.
    assert told(connection, "building_class_rank", "value, n, due, status")[0] == (
        None, 1, 5, "insufficient",
    )  # fmt: skip

    assert told(connection, "baseline_base", "value, n, words, indicative")[0] == (
        pytest.approx(BASE), 365, ["heating (3P)"], True,
    )  # fmt: skip
    assert told(connection, "baseline_heating")[0][0] == pytest.approx(SLOPE)
    assert told(connection, "signature_heating_point")[0][0] == POINT
    assert told(connection, "signature_heating")[1][0] == pytest.approx(0.8 * SLOPE)

    saving = told(connection, "building_saving", "value, low, high, n, due, status, provisional")
    spared = [0.2 * SLOPE * max(0.0, POINT - outdoor(day)) for day in range(365, 444)]
    months = [sum(spared[:31]), sum(spared[31:60]), sum(spared[60:])]
    assert [row[0] for row in saving] == [pytest.approx(month) for month in months]
    assert [row[3:] for row in saving] == [
        (31, 31, "complete", False), (29, 29, "complete", False), (19, 19, "complete", True),
    ]  # fmt: skip
    assert all(low <= value <= high for value, low, high, *_ in saving)
    cusum = told(connection, "building_cusum", "value, n, due")
    assert cusum[-1] == (pytest.approx(-sum(months)), 79, 79)
    change = told(connection, "building_year_on_year", "value, words")
    # Less heating at the same temperatures: of January, 136 of 147 degrees are 80 %.
    past, now = (sum(drawn(day) for day in span) for span in (range(31), range(365, 396)))
    assert change[0] == (pytest.approx(100 * (now / past - 1), abs=0.5), ["climate corrected"])


async def test_a_late_day_of_the_baseline_changes_every_saving_since_and_nothing_else_does(
    pool: asyncpg.Pool, connection: psycopg.Connection, school: tuple[int, int]
):
    air, energy = school
    weather(connection, air, range(425))
    meter(connection, energy, [day for day in range(425) if day != 100])
    await computed(pool)
    before = told(connection, "baseline_base", "n")
    expected = told(connection, "building_saving", "value")
    energies = told(connection, "building_energy", "start, value")

    late = drawn(100) + 50
    store(connection, "energy", "rollup_1d", energy, [(at_day(100), late, late, late)])
    connection.execute(
        "INSERT INTO pipeline.changed (level, start, series_id) VALUES ('rollup_1d', %s, %s)",
        [f"{at_day(100)}+00", [energy]],
    )
    done = await refresh.refresh(pool, NOW)

    assert done.failed == []
    assert (before, told(connection, "baseline_base", "n")) == ([(364,)], [(365,)])
    after = told(connection, "building_saving", "value")
    assert len(after) == len(expected) == 2
    assert all(new[0] != old[0] for new, old in zip(after, expected, strict=True))
    new = set(told(connection, "building_energy", "start, value")) - set(energies)
    assert [value for _, value in new] == [pytest.approx(late)]
    every = "SELECT f::text FROM energy.figure f ORDER BY indicator_id, subject_id, start"
    found = connection.execute(every).fetchall()
    await refresh.recompute(pool, BEGIN, NOW, now=NOW, only=MINE)
    assert connection.execute(every).fetchall() == found


async def test_what_no_longer_holds_is_deleted(
    pool: asyncpg.Pool, connection: psycopg.Connection, school: tuple[int, int]
):
    air, energy = school
    weather(connection, air, range(400))
    meter(connection, energy, range(400))
    await computed(pool)
    assert len(told(connection, "building_saving")) == 2

    settle(connection, building=[{"site": "site", "meters": ["linky"], "temperature": "meteo"}])
    await refresh.recompute(pool, BEGIN, NOW, now=NOW, only=MINE)

    assert told(connection, "building_saving") == []
    assert told(connection, "baseline_base") == []
    assert told(connection, "building_carbon", "status")[0] == ("insufficient",)
    assert len(told(connection, "building_energy")) == 400


async def test_a_building_with_a_meter_that_is_not_there_is_insufficient_and_never_low(
    pool: asyncpg.Pool, connection: psycopg.Connection, school: tuple[int, int]
):
    _, energy = school
    meter(connection, energy, range(3))
    settle(connection, building=[{"site": "site", "meters": ["linky", "gazpar"]}])
    await computed(pool, 5)

    assert (
        told(connection, "building_energy", "value, n, due, status")
        == [(None, 1, 2, "insufficient")] * 3
    )
    assert told(connection, "building_energy_year", "value, n, status")[0] == (
        None, 0, "insufficient",
    )  # fmt: skip


async def test_a_meter_that_was_replaced_is_waited_for_until_then_and_its_successor_after(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    old, new = register(connection, [Line("energy_used", 86400), Line("energy_used", 86400)])
    utc(connection)
    for series, name in ((old, "old"), (new, "new")):
        sensor(connection, series, name)
    settle(connection, building=[{"site": "site", "meters": ["old", "new"]}])
    meter(connection, old, range(3))
    meter(connection, new, range(3, 6))
    await computed(pool, 7)
    assert {row[0] for row in told(connection, "building_energy")} == {None}

    for column, series in (("valid_to", old), ("valid_from", new)):
        connection.execute(
            f"UPDATE city.series SET {column} = %s WHERE series_id = %s",
            [f"{at_day(3)}+00", series],
        )
    await computed(pool, 7)

    assert told(connection, "building_energy", "value, n, due, status") == [
        (pytest.approx(drawn(day)), 1, 1, "complete") for day in range(6)
    ]


async def test_gas_counts_by_the_coefficient_of_its_day_and_not_at_all_without_one(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (gas,) = register(connection, [Line("gas_import", 3600)])
    utc(connection)
    sensor(connection, gas, "gazpar")
    settle(
        connection,
        building=[{"site": "site", "meters": ["gazpar"]}],
        gas_pcs_per_pci=1.11,
        gas_coefficient=[{"kwh_per_m3": 11.2, "from": "2023-01-02"}],
        carbon_factor=[
            {
                "energy": "gas", "kg_per_kwh": 0.227, "scope": "combustion", "basis": "PCI",
                "from": "2023-01-01", "source": "test",
            }
        ],
    )  # fmt: skip
    rows = [(at_day(day), 100.0, 500.0, 600.0) for day in range(3)]
    store(connection, "energy", "rollup_1d", gas, rows, good=24, seconds=86400.0)
    await computed(pool, 5)

    # 100 m3 a day; the first day has no coefficient.
    energy = told(connection, "building_energy", "value, status")
    assert energy[:2] == [(None, "insufficient"), (pytest.approx(1120.0), "complete")]
    carbon = told(connection, "building_carbon", "value, words")
    assert carbon[1] == (pytest.approx(229.0, abs=0.1), ["combustion"])


async def test_a_step_of_the_base_load_is_told_once_and_dated(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (energy,) = register(connection, [Line("power", 3600)])
    value = 5 + np.random.default_rng(5).normal(0, 0.1, 24 * 100)
    value[24 * 60 :] += 2.0
    hours = [(at_day(0, h), v, v, v) for h, v in enumerate(value.tolist())]
    store(connection, "energy", "rollup_1h", energy, hours)
    await computed(pool, 101)

    steps = told(connection, "base_load_step", "value, low, high, at::date::text, words")
    (found,) = [row for row in steps if row[4] == ["step"]]
    assert found[0] == pytest.approx(2.0, abs=0.2)
    assert found[1] < 2.0 < found[2]
    # The 60th day after New Year is the 2nd of March; its local night begins on the 1st, UTC.
    assert found[3] == "2023-03-01"
    nights = told(connection, "night_base", "value, n, due, status")
    assert [row[0] is not None for row in nights] == [True] * 100 + [False]
    # Of the last night one hour is known; of the night on which clocks went forward all three.
    assert nights[100] == (None, 1, 4, "insufficient")
    assert nights[84][1:] == (3, 3, "complete")


async def test_a_night_of_the_week_after_asks_for_the_step_of_the_week_before(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (energy,) = register(connection, [Line("power", 3600)])
    utc(connection)
    hours = [(at_day(0, h), v, v, v) for h in range(24 * 80) for v in [5.0 + 2 * (h >= 24 * 60)]]
    store(connection, "energy", "rollup_1h", energy, hours)
    await refresh.recompute(pool, BEGIN, at_day(80), now=NOW, only=["night_base"])
    assert told(connection, "base_load_step") == []

    connection.execute(
        "INSERT INTO pipeline.changed (level, start, series_id) VALUES ('rollup_1d', %s, %s)",
        [f"{at_day(70)}+00", [energy]],
    )
    await refresh.refresh(pool, NOW)

    # Day 60 is Thursday the 2nd of March, day 70 a day of the week after.
    steps = told(connection, "base_load_step", "start::date::text, at::date::text, value")
    assert ("2023-02-27", "2023-03-02", 2.0) in steps
    # The next two weeks have none; of those after too few nights are known.
    assert [value for *_, value in steps[:3]] == [2.0, 0.0, 0.0]
    assert {value for *_, value in steps[3:]} == {None}


async def test_a_meter_that_falls_silent_after_a_step_is_judged_all_the_same(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (energy,) = register(connection, [Line("power", 3600)])
    utc(connection)
    # Days 57 to 63 are the week of Monday the 27th of February; the last readings are of day 68.
    hours = [(at_day(0, h), v, v, v) for h in range(24 * 69) for v in [5.0 + 2 * (h >= 24 * 60)]]
    store(connection, "energy", "rollup_1h", energy, hours)
    await refresh.recompute(pool, BEGIN, at_day(69), now=at_day(69), only=MINE)
    columns = "start::date::text, value, status, provisional"
    week = ("2023-02-27", None, "insufficient", True)
    assert week in told(connection, "base_load_step", columns)

    await refresh.refresh(pool, at_day(90))

    assert ("2023-02-27", 2.0, "complete", False) in told(connection, "base_load_step", columns)


async def test_five_schools_are_compared_and_the_thermometer_may_stand_elsewhere(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    air, *series = register(
        connection, [Line("temperature", 3600), *[Line("energy_used", 86400)] * 5]
    )
    utc(connection)
    sensor(connection, air, "meteo")
    schools = [f"school-{number}" for number in range(5)]
    for number, (one, site) in enumerate(zip(series, schools, strict=True)):
        sensor(connection, one, f"meter-{number}")
        connection.execute(
            "WITH i AS (INSERT INTO city.site (territory_id, code, name)"
            " SELECT territory_id, %s, %s FROM city.territory WHERE code = 'paris'"
            " RETURNING site_id) UPDATE city.series SET site_id = i.site_id FROM i"
            " WHERE series_id = %s",
            [site, site, one],
        )
        rows = [(at_day(day), *[(number + 1) * drawn(day)] * 3) for day in range(365)]
        store(connection, "energy", "rollup_1d", one, rows)
    settle(
        connection,
        building=[
            {"site": site, "class": "school", "area_m2": 500, "meters": [f"meter-{number}"],
             "temperature": "meteo"}
            for number, site in enumerate(schools)
        ],
    )  # fmt: skip
    weather(connection, air, range(365))
    await computed(pool, 365)

    ranks = told(connection, "building_class_rank", "value, n, status")
    assert ranks == [(number, 5, "complete") for number in range(1, 6)]
    third = 3 * sum(drawn(day) for day in range(365)) / 500
    assert told(connection, "building_class_median") == [(pytest.approx(third),)] * 5
    assert [row[0] for row in told(connection, "signature_heating")] == [
        pytest.approx((number + 1) * SLOPE) for number in range(5)
    ]


async def test_an_empty_database_gives_no_figures(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    await computed(pool)

    assert connection.execute("SELECT count(*) FROM energy.figure").fetchall() == [(0,)]
