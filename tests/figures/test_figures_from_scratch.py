"""Figures that followed readings as they came are those of a computation from scratch.

Readings of every kind come in any order, some much too late, some are flagged or erased, and
passes lie in between. At any time the figures whose periods have ended are what recomputing
everything gives.
"""

from __future__ import annotations

import asyncio
import datetime
from collections import defaultdict

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup
from processors.energy.building_calculations import BUILDINGS
from processors.energy.load_calculations import LOAD
from processors.mobility.count_calculations import COUNTS
from processors.mobility.traffic_calculations import TRAFFIC
from storage import corrections, erasure
from storage.catalogue import BY_NAME, Domain, Kind
from storage.facts.facts import Facts
from storage.reading import Flag, batch_of
from storage.review import Author, Span
from storage.trade_store import save_facts
from tests.integration.changes import measured
from tests.integration.small_city import Line, arrive, register

ALL = (*TRAFFIC, *COUNTS, *LOAD, *BUILDINGS)
DAY_US, MINUTE_US = 86_400_000_000, 60_000_000
START, DAYS, PASSES = "2026-03-27", 6, 3
ME = Author("Ada", "a test")
MONTH = np.timedelta64(30, "D")

LINES = [
    Line("vehicles", 900), Line("heavy_vehicles", 900), Line("speed", 900), Line("occupancy", 900),
    Line("vehicles", 3600, "pune"), Line("flow", 1800), Line("travel_time", 3600),
    Line("bikes", 86400), Line("bikes", 3600, "la"), Line("pedestrians", 3600),
    Line("parking_free", 1800), Line("bikes_available", 0, "pune"),
    Line("energy_import", 900), Line("energy_import", 1800, "pune"), Line("gas_import", 86400),
    Line("energy_used", 86400, "la"), Line("energy_used", 600), Line("power", 0),
    Line("power", 3600, "la"), Line("heat_import", 3600), Line("temperature", 3600),
    Line("temperature", 3600, "la"),
]  # fmt: skip
ONE_DETECTOR = 4
"""The first so many are of one sensor."""


def city(connection: psycopg.Connection) -> list[int]:
    connection.execute(
        "INSERT INTO city.territory (code, name, code_system, timezone)"
        " VALUES ('la', 'La', 'test', 'America/Los_Angeles')"
    )
    connection.execute(
        "INSERT INTO city.site (territory_id, code, name)"
        " SELECT territory_id, 'site', 'Site' FROM city.territory WHERE code = 'la'"
    )
    series = register(connection, LINES)
    connection.execute("UPDATE city.site SET latitude = 48.9, longitude = 2.4")
    connection.execute(
        "UPDATE city.series SET field = metric, sensor_id ="
        " (SELECT sensor_id FROM city.series WHERE series_id = %s) WHERE series_id = ANY (%s)",
        [series[0], series[:ONE_DETECTOR]],
    )
    for number, one in enumerate(series):
        connection.execute(
            "UPDATE city.sensor SET code = %s WHERE sensor_id ="
            " (SELECT sensor_id FROM city.series WHERE series_id = %s)",
            [f"s-{0 if number < ONE_DETECTOR else number}", one],
        )
    return series


def facts(start: str) -> Facts:
    day = np.datetime64(start, "D")
    building = {"site": "site", "class": "school", "area_m2": 500.0}
    baseline = {"baseline_from": str(day), "baseline_to": str(day + 4)}
    return Facts.model_validate(
        {
            "mobility": {
                "individual_speeds": ["s-0"], "motorway": ["s-0"], "zero_days": 2,
                "parking": [{"sensor": "s-10", "capacity": 60}],
                "station": [{"sensor": "s-11", "capacity": 60}],
                "calendar": [{"territory": "p*", "country": "FR"}],
            },
            "energy": {
                "class_minimum": 3,
                "gas_coefficient": [{"kwh_per_m3": 11.0, "from": "2020-01-01"}],
                "building": [
                    building | baseline
                    | {"territory": "paris", "meters": ["s-12", "s-14"], "temperature": "s-20"},
                    building | {"territory": "la", "meters": ["s-15"], "temperature": "s-21"},
                    building | {"territory": "pune", "meters": ["s-13"]},
                ],
                "carbon_factor": [
                    {"energy": "electricity", "kg_per_kwh": 0.05, "scope": "life_cycle",
                     "from": "2020-01-01", "source": "a test"},
                ],
                "demand": [
                    {"meters": ["s-16"], "window_min": 10, "curve": True},
                    {"meters": ["s-13"], "window_min": 30, "curve": True},
                ],
                "lighting": [{"meters": ["s-17"], "power_kw": 20.0}],
                "tariff": [
                    {"name": "base", "meters": ["s-*"], "from": "2020-01-01", "periods": [
                        {"name": "HC", "class": "offpeak", "hours": ["22:38-06:38"], "price": 0.1},
                        {"name": "WE", "class": "peak", "weekdays": ["sun"], "price": 0.3},
                        {"name": "HP", "class": "full", "price": 0.2},
                    ]},
                ],
            },
        }
    )  # fmt: skip


def readings(
    rng: np.random.Generator, line: Line, series: int, begin: int
) -> list[tuple[int, int, float, int]]:
    """Rows (time, series, value, flag) of all the days, with gaps, zeros, resets and failures."""
    step = line.step_s * 1_000_000 or 40 * MINUTE_US
    # Coarse series have been there for long, so that a run of zeros is told from quiet days.
    earlier = 35 * DAY_US if line.step_s >= 3600 else 0
    time = np.arange(begin - earlier, begin + DAYS * DAY_US, step)
    if not line.step_s:
        time += rng.integers(0, 20 * MINUTE_US, len(time))
    kind = BY_NAME[line.metric].kind
    value = rng.integers(0, 60, len(time)).astype(float)
    day = (time - begin) // DAY_US
    # A counter that fails says 0 for days; a register is reset.
    dead = rng.integers(2, DAYS)
    if kind is not Kind.INDEX and rng.random() < 0.7:
        value[(day >= dead) & (day < dead + 4)] = 0.0
    if kind is Kind.INDEX:
        value = 1000.0 + np.cumsum(value / 10)
        if rng.random() < 0.5:
            value[day >= dead] -= value[day >= dead][0]
    value[rng.random(len(time)) < 0.005] = np.nan
    flag = np.where(rng.random(len(time)) < 0.01, Flag.FAIL, Flag.NOT_EVALUATED)
    flag = np.where(np.isnan(value), Flag.MISSING, flag)
    kept = rng.random(len(time)) > 0.01
    kept &= ~((day == rng.integers(DAYS)) & (rng.random() < 0.5))
    rows = zip(time.tolist(), value.tolist(), flag.tolist(), kept.tolist(), strict=True)
    return [(at, series, number, said) for at, number, said, there in rows if there]


async def store(pool: asyncpg.Pool, lines: dict[int, Line], rows: list[tuple]) -> None:
    by_domain = defaultdict(list)
    for row in rows:
        by_domain[BY_NAME[lines[row[1]].metric].domain].append(row)
    async with pool.acquire() as one:
        for domain, mine in by_domain.items():
            time, series, value, flag = zip(*sorted(mine, key=lambda r: (r[1], r[0])), strict=True)
            await arrive(one, domain, batch_of(time, value, series, flag))


async def passes(pool: asyncpg.Pool, now: np.datetime64) -> None:
    while (await rollup.process(pool, now)).more:
        pass
    while True:
        done = await refresh.refresh(pool, now)
        assert done.failed == []
        if not done.more:
            return


def figures(connection: psycopg.Connection, *, closed: bool) -> dict[tuple, tuple]:
    """Every figure by its indicator, subject and start; of closed periods only, or all."""
    found = {}
    for domain in Domain:
        for row in connection.execute(
            "SELECT indicator, subject_id, start, provisional, stop, value, low, high, at::text,"
            f" n, due, status, method, code, indicative FROM {domain.value}.figure"
            " JOIN city.indicator USING (indicator_id)"
        ):
            if not (closed and row[3]):
                found[row[:3]] = row[4:]
    return found


def same(one: tuple, other: tuple) -> bool:
    """Equal but for the last digits of sums, which are added up in another order."""
    return all(
        a == b
        or (isinstance(a, float) and isinstance(b, float)
            and (abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b)) or (a != a and b != b)))
        for a, b in zip(one, other, strict=True)
    )  # fmt: skip


async def assert_from_scratch(
    pool: asyncpg.Pool,
    connection: psycopg.Connection,
    end: np.datetime64,
    now: np.datetime64,
    *,
    closed: bool,
) -> None:
    followed = figures(connection, closed=closed)
    for domain in Domain:
        connection.execute(f"TRUNCATE {domain.value}.figure")
    done = await refresh.recompute(pool, end - 2 * MONTH, min(now, end + MONTH), now=now)
    assert done.failed == []
    anew = figures(connection, closed=closed)
    wrong = {
        key: (followed.get(key), anew.get(key))
        for key in followed.keys() | anew.keys()
        if key not in followed or key not in anew or not same(followed[key], anew[key])
    }
    names = sorted({key[0] for key in wrong})
    assert not wrong, (len(wrong), len(anew), names, sorted(wrong.items())[:3])
    assert len(anew) > 1000


async def test_figures_that_followed_readings_are_those_from_scratch(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    """Around a change of the clock and the end of a month."""
    monkeypatch.setattr(refresh, "CALCULATIONS", ALL)
    rng = np.random.default_rng(2)
    series = city(connection)
    save_facts(connection, facts(START))
    lines = dict(zip(series, LINES, strict=True))
    begin = int(np.datetime64(START, "us").astype(np.int64))
    every = [row for one, line in lines.items() for row in readings(rng, line, one, begin)]
    # When each arrives, counted in passes: on time, or any time after.
    due = [max(0, (row[0] - begin) * PASSES // (DAYS * DAY_US)) for row in every]
    late = rng.random(len(every)) < 0.03
    come = [
        int(rng.integers(at, PASSES)) if slow else at
        for at, slow in zip(due, late.tolist(), strict=True)
    ]
    for number in range(PASSES):
        now = np.datetime64(begin + (number + 1) * DAYS * DAY_US // PASSES, "us")
        await store(pool, lines, [row for row, at in zip(every, come, strict=True) if at == number])
        await passes(pool, now)
        one = measured(connection, int(rng.choice(series)))
        at = begin + int(rng.integers(DAYS * DAY_US * (number + 1) // PASSES))
        origin = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        from_, to = (
            origin + datetime.timedelta(microseconds=at + k * 300 * MINUTE_US) for k in (0, 1)
        )
        if number % 2:
            corrections.flag(connection, one, Span(from_, to), Flag.FAIL, ME)
        else:
            await asyncio.to_thread(erasure.erase, connection, [one], Span(from_, to), ME)
    await passes(pool, now)
    await assert_from_scratch(pool, connection, now, now, closed=True)

    later = now + np.timedelta64(380, "D")
    await passes(pool, later)
    await assert_from_scratch(pool, connection, now, later, closed=False)
