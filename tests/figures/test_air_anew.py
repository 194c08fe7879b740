"""Readings that come in any order, in three zones: the figures are those computed from scratch."""

from __future__ import annotations

from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup
from processors.air.calculations import AIR
from processors.air.limit_calculations import AIR_LIMITS
from processors.air.particle_calculations import PARTICLES
from processors.air.wind_calculations import WIND
from storage.catalogue import Domain
from storage.city import parse
from storage.reading import batch_of
from storage.registry import register
from tests.integration.small_city import insert, mark

TOML = """
[city]
name = "Three zones"
timezone = "Europe/Paris"

[[territory]]
code = "1"
name = "Paris"

[[territory]]
code = "2"
name = "Kolkata"
timezone = "Asia/Kolkata"

[[territory]]
code = "3"
name = "Los Angeles"
timezone = "America/Los_Angeles"

[[binding]]
topic = "city/{sensor}"

[air]
reference = ["station-*"]
eaqi_2024 = 2026-03-29

[[air.station]]
site = "ring"
type = "traffic"

[[air.correction]]
sensors = "cheap-*"
method = "kappa-koehler"

[[air.limit]]
pollutant = "no2"
window = "hour"
over = 120
allowed = 3

[[air.threshold]]
law = "fr"
pollutant = "no2"
level = "information"
over = 150
since = 2026-03-29
"""
LINES = """territory,site,sensor,metric,step_s
1,ring,station-1,no,900
1,ring,station-1,no2,900
1,ring,station-1,o3,3600
1,ring,station-1,so2,1800
1,ring,station-1,co,900
1,ring,station-1,pm10,86400
1,ring,cheap-1,pm10,900
1,ring,cheap-1,pm25,900
1,ring,cheap-1,humidity,900
1,park,station-2,o3,0
1,park,station-2,pm10,3600
1,park,vane-1,wind_direction,600
1,park,vane-1,wind_speed,600
2,square,station-3,no2,900
2,square,station-3,o3,1800
2,square,cheap-2,pm25,900
3,pier,station-4,no2,3600
3,pier,station-4,o3,900
3,pier,station-4,pm25,0
"""
LATER = np.datetime64("2028-01-10T00:00", "us")
HOUR = np.timedelta64(1, "h")
CALCULATIONS = (*PARTICLES, *AIR, *AIR_LIMITS, *WIND)
EVERY = """
    SELECT i.indicator, f.subject_id, f.start, f.stop, f.at::text, f.value::text, f.low::text, f.high::text,
           f.n, f.due, f.status, f.code, f.method, f.indicative
      FROM air.figure f JOIN city.indicator i USING (indicator_id) ORDER BY 1, 2, 3"""


@pytest.fixture(autouse=True)
def only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others make of the same readings is their own tests' matter."""
    monkeypatch.setattr(refresh, "CALCULATIONS", CALCULATIONS)


def readings(
    series: list[tuple[int, str, int]],
    start: np.datetime64,
    hours: int,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, value and series of readings with gaps, by time."""
    parts = []
    for number, metric, step_s in series:
        step = step_s or 1700
        at = start + np.arange(0, hours * 3600, step) * np.timedelta64(1, "s")
        top = {"wind_direction": 360.0, "wind_speed": 8.0, "humidity": 99.0, "co": 12.0}.get(metric)
        value = random.uniform(0, top, len(at)) if top else random.gamma(2.0, 60.0, len(at))
        # A sensor that is silent for a while, and readings that are lost here and there.
        there = random.random(len(at)) > 0.1
        hole = int(random.integers(0, max(1, len(at))))
        there[hole : hole + len(at) // 8] = False
        parts.append((at[there], value[there].round(1), np.full(int(there.sum()), number)))
    time, value, who = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(time, kind="stable")
    return time[order], value[order], who[order]


async def passes(pool: asyncpg.Pool, now: np.datetime64) -> None:
    await rollup.process(pool, now)
    more = True
    while more:
        done = await refresh.refresh(pool, now)
        assert done.failed == []
        more = done.more


@pytest.mark.parametrize(("start", "seed"), [("2026-03-27T12:00", 1), ("2026-12-29T12:00", 2)])
async def test_whatever_comes_when_the_figures_are_those_computed_from_scratch(
    pool: asyncpg.Pool, connection: psycopg.Connection, start: str, seed: int
):
    random = np.random.default_rng(seed)
    register(connection, parse(TOML, LINES))
    known: list[tuple[Any, ...]] = connection.execute(
        "SELECT series_id, metric, step_s FROM city.series ORDER BY series_id"
    ).fetchall()
    begin, hours = np.datetime64(start, "us"), 84
    time, value, who = readings(known, begin, hours, random)

    async def arrive(rows: np.ndarray) -> None:
        batch = batch_of(
            time[rows].astype(np.int64).tolist(), value[rows].tolist(), who[rows].tolist(),
            [2] * len(rows),
        ).in_key_order()  # fmt: skip
        async with pool.acquire() as one:
            await insert(one, Domain.AIR, batch)
            await mark(one, Domain.AIR, batch)

    # Single readings come last of all: what they reach, nothing else asks for.
    series = random.choice([one for one, *_ in known], 10, replace=False)
    late = np.array([random.choice(np.flatnonzero(who == one)) for one in series])
    waiting = np.ones(len(time), np.bool_)
    waiting[late] = False
    for hour in (*sorted(random.choice(np.arange(6, hours), 2, replace=False).tolist()), hours):
        come = waiting & (time < begin + hour * HOUR)
        if hour < hours:
            come &= random.random(len(time)) < 0.7
        waiting &= ~come
        await arrive(np.flatnonzero(come))
        await passes(pool, begin + hour * HOUR + np.timedelta64(7, "m"))
    for one_reading in late:
        await arrive(np.array([one_reading]))
        await passes(pool, LATER)
    # Some hours of one sensor are taken back in the end.
    gone = (who == known[1][0]) & (time >= begin + 20 * HOUR) & (time < begin + 23 * HOUR)
    connection.execute(
        "DELETE FROM air.reading WHERE series_id = %s AND time = ANY (%s::timestamptz[])",
        [known[1][0], [f"{at}Z" for at in time[gone]]],
    )
    taken = batch_of(
        time[gone].astype(np.int64).tolist(), value[gone].tolist(), who[gone].tolist(),
        [2] * int(gone.sum()),
    )  # fmt: skip
    async with pool.acquire() as one:
        await mark(one, Domain.AIR, taken)
    await passes(pool, LATER)
    before = connection.execute(EVERY).fetchall()
    assert connection.execute("SELECT count(*) FROM air.figure WHERE provisional").fetchone() == (
        0,
    )
    connection.execute("TRUNCATE air.figure")

    await refresh.recompute(pool, begin - 48 * HOUR, LATER, now=LATER)

    assert len(before) > 1000
    anew = connection.execute(EVERY).fetchall()
    assert sorted(set(before) ^ set(anew)) == []
