"""Figures of meters and loads, from readings through the real database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup
from processors.energy.load_calculations import LOAD
from storage.catalogue import Domain
from storage.facts.energy import EnergyFacts
from storage.facts.facts import Facts
from storage.facts.mobility import MobilityFacts
from storage.reading import batch_of
from storage.trade_store import save_facts
from tests.integration.small_city import Line, arrive, mark, register

MIDNIGHT = np.datetime64("2024-05-13T22:00", "us")
"""The 14th of May, a Tuesday, in Paris."""
LATER = np.datetime64("2024-08-01T00:00", "us")
MINUTE = np.timedelta64(1, "m")


def batch(series: int, minutes: Iterable[int], values: Sequence[float], begin=MIDNIGHT):
    at = [int((begin + np.timedelta64(int(m), "m")).astype(np.int64)) for m in minutes]
    return batch_of(at, list(values), [series] * len(at), [2] * len(at))


async def read(pool: asyncpg.Pool, series: int, minutes, values, begin=MIDNIGHT) -> None:
    async with pool.acquire() as one:
        await arrive(one, Domain.ENERGY, batch(series, minutes, values, begin))


async def passes(pool: asyncpg.Pool, now: np.datetime64 = LATER) -> refresh.Refreshed:
    await rollup.process(pool, now)
    done = await refresh.refresh(pool, now)
    while done.more:
        done = await refresh.refresh(pool, now)
    return done


FRENCH = MobilityFacts.model_validate({"calendar": [{"country": "FR"}]})


def say(connection: psycopg.Connection, **facts: Any) -> None:
    save_facts(connection, Facts(energy=EnergyFacts.model_validate(facts)))


def shown(connection: psycopg.Connection, name: str, columns: str = "value, status") -> list[Any]:
    return connection.execute(
        f"SELECT {columns} FROM energy.figures WHERE indicator = %s ORDER BY start, series_id",
        [name],
    ).fetchall()


def quarters(hours: float) -> range:
    return range(0, int(hours * 60) + 1, 15)


async def test_a_day_of_quarter_hours_of_1_kwh_is_96_kwh_and_peaks_at_4_kw(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (meter,) = register(connection, [Line("energy_import", 900)])
    await read(pool, meter, quarters(24), range(1000, 1097))
    await read(pool, meter, [25 * 60], [1104.0])

    await passes(pool)

    hours = shown(connection, "energy_hour", "value, n, due, status, words")
    assert hours[:24] == [(4.0, 60, 60, "complete", [])] * 24
    assert shown(connection, "energy_day", "value, n, due, status")[0] == (
        96.0, 1440, 1440, "complete"
    )  # fmt: skip
    for name, due in (("load_peak_15min_day", 96), ("load_peak_60min_day", 24)):
        assert shown(connection, name, "value, n, due, status, at = start")[0] == (
            4.0, due, due, "complete", True
        )  # fmt: skip


async def test_a_gap_is_said_and_late_readings_close_it(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (meter,) = register(connection, [Line("energy_import", 900)])
    known = [m for m in quarters(24) if not 600 < m < 720]
    await read(pool, meter, known, [m / 15 for m in known])
    await passes(pool)

    hours = shown(connection, "energy_hour", "value, low, status, words")
    assert hours[9:13] == [
        (4.0, None, "complete", []),
        (4.0, 0.0, "partial", ["interpolated"]),
        (4.0, 0.0, "partial", ["interpolated"]),
        (4.0, None, "complete", []),
    ]
    assert shown(connection, "energy_day", "value, low, status, words")[0] == (
        96.0, 88.0, "partial", ["interpolated"]
    )  # fmt: skip
    assert shown(connection, "load_peak_15min_day", "n, due, status")[0] == (88, 96, "partial")

    late = range(615, 720, 15)
    await read(pool, meter, late, [m / 15 for m in late])
    await passes(pool)

    assert (
        shown(connection, "energy_hour", "value, low, status")[:24]
        == [(4.0, None, "complete")] * 24
    )
    assert shown(connection, "energy_day", "value, status")[0] == (96.0, "complete")
    assert shown(connection, "load_peak_15min_day", "n, status")[0] == (96, "complete")


async def test_what_no_longer_holds_is_deleted(pool: asyncpg.Pool, connection: psycopg.Connection):
    (meter,) = register(connection, [Line("energy_import", 900)])
    await read(pool, meter, quarters(24), range(97))
    await passes(pool)
    assert shown(connection, "energy_day", "value") == [(96.0,)]

    connection.execute("DELETE FROM energy.reading")
    async with pool.acquire() as one:
        await mark(one, Domain.ENERGY, batch(meter, quarters(24), range(97)))
    await passes(pool)

    left = "SELECT count(*) FROM energy.figures WHERE period IN ('hour', 'day', 'month', 'year')"
    assert connection.execute(left).fetchone() == (0,)


async def test_a_meter_that_fell_silent_counts_what_it_counted_and_the_month_is_provisional(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (meter,) = register(connection, [Line("gas_import", 3600)])
    await read(pool, meter, range(0, 13 * 60, 60), range(13))
    now = MIDNIGHT + np.timedelta64(3, "D")

    await passes(pool, now)

    columns = "value, n, due, status, words, provisional"
    assert shown(connection, "volume_day", columns) == [
        (12.0, 720, 1440, "partial", ["not covered"], False)
    ]
    assert shown(connection, "volume_month", columns) == [
        (12.0, 720, 44640, "partial", ["not covered"], True)
    ]
    assert shown(connection, "energy_day") == []


async def test_an_empty_database_has_nothing_to_say(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    assert (await passes(pool)).idle
    names = [name for one in LOAD for name in one.makes]
    done = await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=names)
    assert (done.figures, done.failed) == (0, [])

    register(connection, [Line("energy_import", 900), Line("power", 60)])
    done = await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=names)
    assert (done.figures, done.failed) == (0, [])


async def test_a_replacement_written_down_adds_what_the_register_cannot_know(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (meter,) = register(connection, [Line("energy_import", 3600)])
    await read(pool, meter, [0, 60, 120, 180], [1521.0, 1523.4, 1400.0, 1401.0])
    await passes(pool)
    assert shown(connection, "energy_day", "round(value::numeric, 6)::float, n") == [(3.4, 120)]

    (sensor,) = connection.execute("SELECT code FROM city.sensor WHERE sensor_id > 0").fetchone()  # type: ignore[misc]
    say(
        connection,
        replacement=[
            {"sensor": sensor, "field": "v", "at": "2024-05-14T01:30:00+02:00", "closing": 1530.0,
             "opening": 1397.5}
        ],
    )  # fmt: skip
    await rollup.recompute(pool, MIDNIGHT, MIDNIGHT + np.timedelta64(1, "D"), now=LATER)
    await passes(pool)

    # 2.4 + (1530.0 - 1523.4) + (1400.0 - 1397.5) + 1.0
    assert shown(connection, "energy_day", "round(value::numeric, 6)::float, n, status") == [
        (12.5, 180, "partial")
    ]


async def test_power_is_integrated_as_declared_and_apparent_power_never(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    power, apparent = register(connection, [Line("power", 600), Line("apparent_power", 600)])
    for series in (power, apparent):
        await read(pool, series, [0, 10, 20], [1.0, 2.0, 0.5])
    await passes(pool)

    columns = "value, n, due, status, method, series_id"
    assert shown(connection, "power_energy_day", columns) == [
        (pytest.approx(1 / 6 + 2 / 6 + 0.5 / 3), 40, 1440, "partial", "locf", power)
    ]
    of_loads = [name for one in LOAD for name in one.makes]
    subjects = "SELECT DISTINCT subject_id FROM energy.figures WHERE indicator = ANY (%s)"
    assert connection.execute(subjects, [of_loads]).fetchall() == [(power,)]

    say(connection, integration="trapezoid")
    await refresh.recompute(pool, MIDNIGHT, LATER, now=LATER, only=["power_energy_day"])
    assert shown(connection, "power_energy_day", columns) == [
        (pytest.approx(1.5 / 6 + 1.25 / 6), 20, 1440, "partial", "trapezoid", power)
    ]


async def test_ten_minute_windows_come_from_readings_where_the_contract_counts_them(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    fine, half, other = register(
        connection, [Line("energy_import", 600), Line("power", 1800), Line("energy_import", 600)]
    )
    codes = dict(
        connection.execute(
            "SELECT series_id, code FROM city.series JOIN city.sensor USING (sensor_id)"
        ).fetchall()
    )
    say(
        connection,
        demand=[
            {"meters": [codes[fine]], "window_min": 10, "curve": True},
            {"meters": [f"{codes[half]}/v"], "window_min": 30, "curve": True},
        ],
    )
    for series in (fine, other):
        await read(pool, series, [0, 10, 20, 30], [100.0, 100.5, 102.0, 102.4])
    await read(pool, half, [0, 30, 60], [0.54, 0.2, 0.3])

    await passes(pool)

    columns = "round(value::numeric, 6)::float, n, due, extract(minute FROM at)::int, series_id"
    assert shown(connection, "load_peak_10min_day", columns) == [(9.0, 3, 144, 10, fine)]
    assert shown(connection, "load_10min", "round(value::numeric, 6)::float, status") == [
        (3.0, "complete"), (9.0, "complete"), (2.4, "complete")
    ]  # fmt: skip
    # Held for two steps: 540 W over 30 minutes are 270 Wh; so are the last 300 W twice.
    assert shown(connection, "load_30min", "value") == [(0.54,), (0.2,), (0.3,), (0.3,)]
    assert shown(connection, "load_peak_30min_day", columns)[0][:2] == (0.54, 4)
    assert shown(connection, "load_15min") == []


async def a_month(pool: asyncpg.Pool, meter: int) -> None:
    """May 2024 by the hour: 1 kW, 0.5 from 22:00 to 06:00, 3 kW on Wednesday the 15th at noon."""
    begin = np.datetime64("2024-04-30T22:00", "us")
    used = [
        3.0 if hour == 14 * 24 + 12 else 0.5 if hour % 24 in (22, 23, 0, 1, 2, 3, 4, 5) else 1.0
        for hour in range(744)
    ]
    index = np.concatenate(([0.0], np.cumsum(used)))
    await read(pool, meter, range(0, 745 * 60, 60), index.tolist(), begin)


async def test_a_month_has_its_mean_peak_load_factor_base_load_and_shares(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    (meter,) = register(connection, [Line("energy_import", 3600)])
    save_facts(connection, Facts(mobility=FRENCH))
    await a_month(pool, meter)
    await passes(pool, np.datetime64("2024-06-01T00:00", "us"))

    whole = 31 * (16 + 8 * 0.5) + 2
    assert shown(connection, "energy_month", "value, status")[0] == (622.0, "complete")
    assert shown(connection, "load_mean_month", "value, n, due, status")[0] == (
        pytest.approx(whole / 744), 44640, 44640, "complete"
    )  # fmt: skip
    assert shown(connection, "load_peak_month", "value, at::text, n, due, method")[0] == (
        3.0, "2024-05-15 10:00:00+00", 31, 31, "60 min"
    )  # fmt: skip
    assert shown(connection, "load_factor_month", "value, status, method")[0] == (
        pytest.approx(whole / 744 / 3), "complete", "60 min"
    )  # fmt: skip
    # Of the 31 days 8 are weekend; of the others the 1st, 8th, 9th and 20th are holidays.
    assert shown(connection, "base_load_month", "value, n, due, method")[0] == (
        0.5, 48, 48, "night"
    )  # fmt: skip
    assert shown(connection, "night_share_month", "value, status")[0] == (
        pytest.approx(100 * 31 * 4 / whole), "complete"
    )  # fmt: skip
    assert shown(connection, "weekend_share_month", "value")[0][0] == pytest.approx(
        100 * 12 * 20 / whole
    )
    assert shown(connection, "load_factor_year", "value")[0][0] is None  # 1 month of 5
    assert shown(connection, "load_peak_year", "value, provisional")[0] == (3.0, True)
    assert shown(connection, "base_energy_year", "value, n, due, status")[0] == (
        0.5 * 744, 1, 6, "partial"
    )  # fmt: skip

    save_facts(connection, Facts(mobility=MobilityFacts()))
    say(connection, base_load="percentile")
    await refresh.recompute(
        pool, MIDNIGHT, MIDNIGHT + MINUTE, now=LATER,
        only=["base_load_month", "weekend_share_month"],
    )  # fmt: skip
    assert shown(connection, "base_load_month", "value, n, due, method")[0] == (
        0.5, 744, 744, "percentile"
    )  # fmt: skip
    assert shown(connection, "weekend_share_month", "value")[0][0] == pytest.approx(
        100 * 8 * 20 / whole
    )


async def test_tariff_periods_add_up_to_the_day_and_cost_what_they_cost(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    fine, coarse = register(connection, [Line("energy_import", 900), Line("energy_import", 3600)])
    say(
        connection,
        tariff=[
            {
                "name": "HP/HC", "meters": ["*"], "from": "2024-05-14",
                "periods": [
                    {"name": "HC", "class": "offpeak", "hours": ["22:30-06:30"], "price": 0.2},
                    {"name": "HP", "class": "full", "price": 0.25},
                ],
            }
        ],
    )  # fmt: skip
    before = MIDNIGHT - np.timedelta64(1, "D")
    await read(pool, fine, quarters(48), range(193), before)
    await read(pool, coarse, range(0, 49 * 60, 60), range(0, 4 * 49, 4), before)

    await passes(pool)

    columns = "value, status, series_id"
    assert shown(connection, "tariff_offpeak_day", columns) == [
        (32.0, "complete", fine), (32.0, "complete", coarse)
    ]  # fmt: skip
    assert shown(connection, "tariff_full_day", "value") == [(64.0,), (64.0,)]
    assert shown(connection, "tariff_cost_day", "value, unit") == [(22.4, "EUR"), (22.4, "EUR")]
    assert shown(connection, "tariff_peak_day") == []


async def test_lights_that_fail_and_lights_that_burn_by_day_are_told(
    pool: asyncpg.Pool, connection: psycopg.Connection
):
    sound, poor = register(connection, [Line("energy_import", 900), Line("power", 900)])
    connection.execute("UPDATE city.site SET latitude = 48.8566, longitude = 2.3522")
    say(connection, lighting=[{"meters": ["*"], "power_kw": 4.0}])
    # A quarter of an hour from sunset and sunrise it is 21:41 and 05:55 on that day.
    on = [not 6 * 60 <= m < 21 * 60 + 45 for m in quarters(24)]
    index = np.concatenate(([0.0], np.cumsum([1.0 if one else 0.0 for one in on[:-1]])))
    await read(pool, sound, quarters(24), index.tolist())
    await read(pool, poor, quarters(24), [3.0 if one else 0.3 for one in on])

    await passes(pool)

    columns = "round(value)::int, words, series_id"
    assert shown(connection, "lighting_noon_ratio_day", columns)[:2] == [
        (0, ["off by day"], sound), (10, ["burns by day"], poor)
    ]  # fmt: skip
    assert shown(connection, "lighting_night_ratio_day", columns)[:2] == [
        (100, ["as installed"], sound), (75, ["lamps or a phase failed"], poor)
    ]  # fmt: skip
    (expected,), *_ = shown(connection, "lighting_expected_day", "value")
    assert 31 < expected < 34


@pytest.mark.parametrize(("day", "length_h"), [("2024-03-31", 23), ("2024-10-27", 25)])
async def test_a_day_of_23_or_25_hours_counts_them_all(
    pool: asyncpg.Pool, connection: psycopg.Connection, day: str, length_h: int
):
    (meter,) = register(connection, [Line("energy_import", 900)])
    begin = np.datetime64(f"{day}T00:00", "us") - np.timedelta64(1 if length_h == 23 else 2, "h")
    await read(pool, meter, quarters(length_h), range(4 * length_h + 1), begin)

    await passes(pool, np.datetime64("2024-12-01", "us"))

    assert shown(connection, "energy_day", "value, n, due, status")[0] == (
        4.0 * length_h, 60 * length_h, 60 * length_h, "complete"
    )  # fmt: skip
    assert shown(connection, "load_peak_60min_day", "n, due")[0] == (length_h, length_h)
