"""Late readings change just the windows they reach; no order of anything spoils a rollup."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors import rollup
from processors.settings import Settings
from storage import corrections, erasure
from storage.catalogue import Domain
from storage.corrections import Constant, Linear
from storage.high_water import HighWater
from storage.level import Level
from storage.reading import Flag
from tests.integration.changes import (
    AFTER,
    AT,
    ME,
    measured,
    minute,
    said,
    send,
    span,
)
from tests.integration.one_piece import assert_equal, assert_from_scratch, in_one_piece, stored
from tests.integration.small_city import Line, register

# Metric, step, what reading k says where reading g is late, what the late one says.
KINDS: dict[str, tuple[str, int, Callable[[int, int], float], Callable[[int], float]]] = {
    "gauge": ("occupancy", 600, lambda k, g: 90.0 if k == g - 1 else 20.0 + k % 3, lambda g: 20.0),
    "count": ("rain", 600, lambda k, g: float(k % 4), lambda g: 9.0),
    "index": ("energy_import", 600, lambda k, g: 100.0 + 3 * k, lambda g: 97.1 + 3 * g),
    "angle": ("wind_direction", 600, lambda k, g: float(40 * k % 360), lambda g: 200.0),
    "level": ("noise_level", 600, lambda k, g: 50.0 + k % 5, lambda g: 90.0),
    "state": ("lighting_on", 600, lambda k, g: float((k - g) % 2), lambda g: 0.0),
    "told on change": ("road_open", 0, lambda k, g: float((k - g) % 2), lambda g: 0.0),
    "flat": ("speed", 600, lambda k, g: 50.0, lambda g: 51.0),
}


REACHED = {
    "gauge": [-20, -5],  # the one before is a spike now
    "index": [-20, -5, 10, 25],  # its flow is split anew up to the next reading
    "state": [-5, 10],  # held for two steps
    "told on change": [-5, 10, 25],  # until the next one
}
COMPUTED = {"index": 8, "told on change": 100, "flat": 40}


def versions(connection: psycopg.Connection, domain: Domain) -> dict[tuple[str, str], str]:
    """Which transaction wrote each rollup row."""
    return {
        (level.value, str(start)): writer
        for level in Level
        for start, writer in connection.execute(
            f"SELECT start, xmin::text FROM {domain.value}.{level.value}"
        )
    }


@pytest.mark.parametrize("late", ["1 hour", "3 days", "30 days"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_late_reading_of_any_kind_changes_just_the_windows_it_reaches(
    pool: asyncpg.Pool, connection: psycopg.Connection, kind: str, late: str
) -> None:
    metric, step, value, sent = KINDS[kind]
    [series] = register(connection, [Line(metric, step)])
    of, water = measured(connection, series), HighWater()
    domain = Domain(of.domain)
    # The last reading of a window, so that the one before lies in the window before; the three
    # after it never come, so that the next one lies three windows later.
    at = {"1 hour": -70, "3 days": -3 * 1440 - 10, "30 days": -30 * 1440 - 10}[late]
    # Two days of readings around the time of the late one, and some just now.
    times = sorted({*range(at - 1440, min(0, at + 1440), 10), *range(-180, 0, 10)})
    gap = times.index(at)
    on_time = [k for k in range(len(times)) if not gap <= k <= gap + 3]
    await send(
        pool,
        said(series, [float(times[k]) for k in on_time], [value(k, gap) for k in on_time]),
        of,
        water,
    )
    await rollup.process(pool, AT)
    before = versions(connection, domain)

    outcome = await send(pool, said(series, [float(at)], [sent(gap)]), of, water)
    # A slice per window: larger ones would compute windows between that nobody asked for.
    done = await rollup.process(pool, AT, Settings(slice_rows=1))

    assert (outcome.stored, done.marks) == (1, 1)
    await assert_from_scratch(pool, domain, AT)
    after = versions(connection, domain)
    written = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    quarters = sorted(
        int((datetime.datetime.fromisoformat(start) - minute(at)).total_seconds() // 60)
        for name, start in written
        if name == Level.QUARTER_HOUR.value
    )
    days = [start for name, start in written if name == Level.DAY.value]
    # Minutes after the late reading; a flat line is over for six hours after the next reading.
    assert quarters == REACHED.get(kind, [-5]) or (
        kind == "flat" and set(quarters) <= set(range(-5, 400, 15))
    )
    assert len(days) in (1, 2)
    assert done.windows[Level.QUARTER_HOUR] <= COMPUTED.get(kind, 5)
    assert len(before) > 100


SERIES = [
    (Domain.AIR, Line("temperature", 600)),
    (Domain.ENERGY, Line("energy_import", 900)),
    (Domain.MOBILITY, Line("road_open", 0, "pune")),
    (Domain.MOBILITY, Line("speed", 3600)),
]
places = st.tuples(st.integers(0, 3), st.integers(0, 70), st.integers(1, 20))
steps = st.one_of(
    st.tuples(st.just("store"), places, st.integers(0, 99)),
    st.tuples(st.just("late"), places, st.integers(0, 99)),
    st.tuples(st.just("flag"), places, st.sampled_from([1, 3, 4, 0])),
    st.tuples(st.just("correct"), places, st.integers(0, 1)),
    st.tuples(st.just("delete"), places, st.just(0)),
    st.tuples(st.just("pass"), places, st.just(0)),
)


@given(history=st.lists(steps, min_size=12, max_size=40))
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_whatever_is_stored_flagged_corrected_and_erased_rollups_are_those_of_one_piece(
    pool: asyncpg.Pool, connection: psycopg.Connection, history: list[tuple[str, Any, int]]
) -> None:
    connection.execute(
        "TRUNCATE air.reading, mobility.reading, energy.reading, pipeline.dirty, pipeline.correction,"
        " pipeline.action, pipeline.reading_flag, pipeline.batch, pipeline.refusal"
    )
    for domain, level in itertools.product(Domain, Level):
        connection.execute(f"TRUNCATE {domain.value}.{level.value}")
    series = [measured(connection, k) for k in register(connection, [line for _, line in SERIES])]
    water, clock = HighWater(), [0] * len(series)
    small = Settings(slice_rows=500, marks_per_pass=3)
    for what, (number, hour, hours), extra in history:
        of, (_, line) = series[number], SERIES[number]
        where = span(hour * 60, (hour + hours) * 60)
        if what == "store":
            minutes = [
                clock[number] + k * (line.step_s or 1800) / 60 for k in range(1 + extra % 40)
            ]
            clock[number] = int(minutes[-1]) + 1 + extra
            await send(pool, said(of.series_id, minutes, told(line, minutes, extra)), of, water)
        elif what == "late":
            minutes = [hour * 60.0 + extra, hour * 60.0 + extra + 7 * hours]
            await send(pool, said(of.series_id, minutes, told(line, minutes, extra)), of, water)
        elif what == "flag":
            corrections.flag(connection, of, where, Flag(extra) if extra else None, ME)
        elif what == "correct":
            top = 1.0 if line.metric == "road_open" else 55.0
            corrections.correct(
                connection, of, where, Constant(top) if extra else Linear(0.5, 0.25), ME
            )
        elif what == "delete":
            erasure.erase(connection, [of], where, ME)
        else:
            await rollup.process(pool, AFTER, small)
    while (await rollup.process(pool, AFTER, small)).more:
        pass

    for domain, level in itertools.product(Domain, Level):
        assert_equal(
            await stored(pool, domain, level), await in_one_piece(pool, domain, level, AFTER)
        )


def told(line: Line, minutes: list[float], seed: int) -> list[float]:
    random = np.random.default_rng([seed, len(minutes)])
    if line.metric == "road_open":
        return random.integers(0, 2, len(minutes)).astype(float).tolist()
    if line.metric == "energy_import":
        return (1000 + np.array(minutes) / 10 + random.integers(0, 3, len(minutes))).tolist()
    steady = np.round(20 + random.normal(0, 0.5, len(minutes)), 1)
    steady[random.random(len(minutes)) < 0.1] += 15
    steady[: len(minutes) // 2] = 20.0
    return steady.tolist()
