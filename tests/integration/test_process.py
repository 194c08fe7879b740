"""Rollups are a function of the readings, however those arrived."""

from __future__ import annotations

import asyncio

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import rollup
from processors.settings import Settings
from storage import rollup_store
from storage.catalogue import Domain
from storage.level import Level
from storage.reading import Batch, batch_of
from tests.integration.one_piece import (
    assert_equal,
    assert_from_scratch,
    flags,
    in_one_piece,
    joined,
    stored,
)
from tests.integration.small_city import Line, arrive, insert, mark, register

FIRST = np.datetime64("2024-03-29T20:00", "us")
LAST = np.datetime64("2024-04-01T04:00", "us")
"""Paris puts the clock forward in between."""
LATER = np.datetime64("2024-04-04T00:00", "us")
TINY = Settings(slice_rows=1000, marks_per_pass=20)
"""Slices and portions so small that every boundary is crossed many times."""

CITY = {
    Domain.AIR: [
        Line("temperature", 600),
        Line("temperature", 200, "pune"),
        Line("no2", 3600),
        Line("pressure", 86400, "pune"),
        Line("rain", 300),
        Line("wind_direction", 600),
        Line("noise_level", 900),
    ],
    Domain.MOBILITY: [
        Line("road_open", 0),
        Line("road_open", 1200),
        Line("speed", 120),
        Line("travel_time", 0),
        Line("bikes", 3600, "pune"),
    ],
    Domain.ENERGY: [
        Line("energy_import", 900, register_max=100_000.0),
        Line("energy_import", 300, "pune"),
        Line("heat_import", 3600),
        Line("water_import", 86400),
        Line("lighting_on", 600),
        Line("power", 600),
    ],
}


def history(line: Line, series: int, random: np.random.Generator) -> Batch:
    """What a series might say: jitter, gaps, flat stretches, spikes, restarts, bad flags."""
    step = line.step_s or 5000
    times = np.arange(FIRST, LAST, np.timedelta64(step, "s"))
    times = times[random.random(len(times)) > 0.1]
    gap = random.integers(0, len(times))
    times = np.delete(times, slice(gap, gap + len(times) // 5))
    times = np.unique(
        times + random.integers(0, step * 300_000, len(times)).astype("timedelta64[us]")
    )
    n = len(times)
    if line.metric.endswith("_import"):
        value = 99_900 + np.round(np.cumsum(random.exponential(step / 900, n)), 2)
        value[n // 3 :] -= 99_000  # another meter
        value[2 * n // 3 :] -= value[2 * n // 3]  # a restart
        value[random.random(n) < 0.03] = 0.0
        value = np.maximum(value, 0.0)
    elif line.metric in ("road_open", "lighting_on"):
        value = random.integers(0, 2, n).astype(float)
    elif line.metric in ("rain", "bikes"):
        value = random.poisson(2, n).astype(float)
    else:
        value = np.round(30 + np.cumsum(random.normal(0, 0.4, n)), 1)
        value[random.random(n) < 0.02] += 12
        flat = random.integers(0, n)
        value[flat : flat + n // 3] = value[flat]
        if line.metric == "pressure":
            value += 900
        if line.metric == "wind_direction":
            value %= 360
    flag = random.choice([1, 2, 3, 4, 9], n, p=[0.6, 0.3, 0.04, 0.03, 0.03])
    value[(flag == 9) & (random.random(n) < 0.5)] = np.nan
    return Batch(times, value, np.full(n, series, np.int32), flag.astype(np.int16))


async def until_done(pool: asyncpg.Pool, now: np.datetime64, settings: Settings) -> None:
    while (await rollup.process(pool, now, settings)).more:
        pass


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_order_of_arrival_gives_the_rollups_of_one_piece(
    pool: asyncpg.Pool, connection: psycopg.Connection, seed: int
) -> None:
    random = np.random.default_rng(seed)
    everything: list[tuple[Domain, Batch]] = []
    for domain, lines in CITY.items():
        ids = register(connection, lines)
        batches = [history(line, k, random) for line, k in zip(lines, ids, strict=True)]
        everything.append((domain, joined(batches)))
    # Most readings arrive at once, some hours late; passes run in between.
    arrival = {
        domain: batch.time
        + np.where(
            random.random(len(batch)) < 0.15,
            random.integers(0, 40 * 3600, len(batch)),
            random.integers(0, 60, len(batch)),
        ).astype("timedelta64[s]")
        for domain, batch in everything
    }
    clock = FIRST
    while clock < LATER:
        then, clock = clock, clock + np.timedelta64(int(random.integers(60, 30_000)), "s")
        for domain, batch in everything:
            now_here = batch.take((arrival[domain] >= then) & (arrival[domain] < clock))
            if len(now_here):
                async with pool.acquire() as one:
                    order = random.permutation(len(now_here))
                    await arrive(one, domain, now_here.take(order))
        if random.random() < 0.7:
            await rollup.process(pool, clock, TINY)
    await until_done(pool, LATER, TINY)
    step_by_step = {
        (domain, level): await stored(pool, domain, level) for domain in Domain for level in Level
    }
    step_by_step_flags = await flags(pool)

    for (domain, level), got in step_by_step.items():
        assert len(got) > 10
        assert_equal(got, await in_one_piece(pool, domain, level, LATER))

    for domain in Domain:
        for level in Level:
            await pool.execute(f"TRUNCATE {domain.value}.{level.value}")
    await pool.execute("TRUNCATE pipeline.reading_flag")
    seen: list[tuple[int, int]] = []
    await rollup.recompute(
        pool, FIRST, LATER, lambda *at: seen.append(at), now=LATER, settings=TINY
    )
    assert seen[-1] == (18, 18)  # six days of three domains
    for (domain, level), before in step_by_step.items():
        assert_equal(await stored(pool, domain, level), before)
    assert await flags(pool) == step_by_step_flags
    assert len(step_by_step_flags) > 30


AT = np.datetime64("2024-05-14T00:00", "us")
AFTER = np.datetime64("2024-05-18T00:00", "us")


def said(series: int, minutes: list[float], values: list[float], flag: int = 1) -> Batch:
    """Readings at minutes after :data:`AT`."""
    origin = int(AT.astype(np.int64))
    times = [origin + round(60_000_000 * m) for m in minutes]
    return batch_of(times, values, [series] * len(times), [flag] * len(times))


STEADY = [20.0 + k % 3 for k in range(48)]
EVERY_10 = [10.0 * k for k in range(48)]
LATE = {
    "a spike before the window vanishes": ("temperature", 600, EVERY_10, [*STEADY[:17], 45.0, *STEADY[18:]], (181.0, 44.0)),
    "a spike before the window appears": ("temperature", 600, [10, 20, 40], [20, 40, 40], (30.5, 20)),
    "a change after the window becomes slow": ("temperature", 600, [0, 14.9, 25.1], [20, 20, 24], (20.0, 22.0)),
    "a gap after the window closes": ("temperature", 600, [0, 10, 65], [20, 21, 45], (50, 21)),
    "a flat line breaks": ("speed", 600, [10.0 * k for k in range(100)], [50.0] * 100, (95, 51.0)),
    "a flat line gets longer": ("speed", 600, [10.0 * k for k in range(100) if k != 30], [50.0] * 99, (300, 50.0)),
    "a flat line begins earlier": ("speed", 600, [10.0 * k for k in range(20, 100)], [50.0] * 80, (100, 50.0)),
    "a count": ("rain", 300, [0, 5, 10, 20, 25], [0, 1, 0, 2, 0], (15, 3)),
    "an angle": ("wind_direction", 600, [0, 10, 20, 40], [350, 10, 20, 40], (30, 0)),
    "a level": ("noise_level", 600, [0, 10, 20, 40], [50, 51, 80, 52], (30, 85)),
    "an index between others": ("energy_import", 900, [0, 15, 120, 135], [10, 11, 20, 21], (70, 12)),
    "an index after the last": ("energy_import", 900, [0, 15], [10, 11], (200, 15)),
    "an index before the first": ("energy_import", 900, [100, 115], [10, 11], (20, 4)),
    "an index that shows a zero to be a default": ("energy_import", 900, [0, 20, 35, 65], [100, 101, 0, 50], (50, 102)),
    "an index that shows the zero after it to be a default": ("energy_import", 900, [0, 35, 50, 65, 80], [200, 300, 0, 102, 103], (20, 101)),
    "a hidden zero": ("energy_import", 900, [0, 15, 70, 85], [100, 101, 102, 103], (40, 0)),
    "an index of a coarse meter": ("heat_import", 3600, [0, 60, 300, 360], [10, 11, 20, 21], (130, 12)),
    "an index of a daily meter": ("water_import", 86400, [0, 1440, 4320], [10, 11, 20], (2880, 12)),
    "a state": ("lighting_on", 1800, [0, 30, 60, 240], [1, 0, 1, 0], (95, 0)),
    "a state that nobody knows": ("lighting_on", 1800, [0, 30, 60, 150], [1, 0, 1, 0], (75, float("nan"))),
    "a state told on change": ("road_open", 0, [0, 30, 2000], [1, 0, 1], (400, 1)),
    "a coarse gauge": ("no2", 3600, [0, 60, 120, 240], [20, 21, 400, 22], (180, 390)),
}  # fmt: skip


@pytest.mark.parametrize("case", LATE)
async def test_one_late_reading(
    pool: asyncpg.Pool, connection: psycopg.Connection, case: str
) -> None:
    metric, step, minutes, values, (minute, value) = LATE[case]
    domain = next(d for d, lines in CITY.items() if any(x.metric == metric for x in lines))
    [series] = register(connection, [Line(metric, step)])
    async with pool.acquire() as one:
        await arrive(one, domain, said(series, minutes, values))
    await rollup.process(pool, AFTER)
    before = [await stored(pool, domain, level) for level in Level], await flags(pool)

    async with pool.acquire() as one:
        await arrive(one, domain, said(series, [minute], [value], 9 if np.isnan(value) else 1))
    await rollup.process(pool, AFTER)

    await assert_from_scratch(pool, domain, AFTER)
    after = [await stored(pool, domain, level) for level in Level], await flags(pool)
    assert str(after) != str(before)


async def test_readings_committed_after_a_pass_are_rolled_up_by_the_next(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 600)])
    async with pool.acquire() as slow, pool.acquire() as quick:
        # The first reading of a week makes its chunk, and others wait for that.
        await arrive(quick, Domain.AIR, said(series, [1000], [22]))
        await rollup.process(pool, AFTER)
        held_open = slow.transaction()
        await held_open.start()
        await insert(slow, Domain.AIR, said(series, [5], [20]))
        await mark(slow, Domain.AIR, said(series, [5], [20]))
        await arrive(quick, Domain.AIR, said(series, [100], [21]))  # a later mark, committed first
        first = await rollup.process(pool, AFTER)
        second = await rollup.process(pool, AFTER)
        assert (first.marks, second.marks) == (1, 0)
        await held_open.commit()
    third = await rollup.process(pool, AFTER)

    assert third.marks == 1
    await assert_from_scratch(pool, Domain.AIR, AFTER)
    assert (await stored(pool, Domain.AIR, Level.DAY)).received.tolist() == [3]


async def test_a_mark_added_while_a_pass_computes_is_for_the_next_pass(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    [series] = register(connection, [Line("temperature", 600)])
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0], [20]))
    really_replace, arrivals = rollup_store.replace, [said(series, [10], [21])]

    async def replace_after_an_arrival(*given: object) -> None:
        while arrivals:
            async with pool.acquire() as other:
                await arrive(other, Domain.AIR, arrivals.pop())
        await really_replace(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rollup_store, "replace", replace_after_an_arrival)

    first = await rollup.process(pool, AFTER)
    assert (await stored(pool, Domain.AIR, Level.DAY)).received.tolist() == [1]
    second = await rollup.process(pool, AFTER)

    assert (first.marks, second.marks) == (1, 1)
    await assert_from_scratch(pool, Domain.AIR, AFTER)


async def test_a_pass_that_dies_leaves_its_marks(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    [series] = register(connection, [Line("temperature", 600)])
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0, 10, 20], [20, 21, 22]))

    async def cut_off(*_: object) -> None:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )

    with monkeypatch.context() as patched:
        patched.setattr(rollup_store, "replace_flags", cut_off)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await rollup.process(pool, AFTER)
    assert connection.execute("SELECT count(*) FROM air.rollup_15min").fetchone() == (0,)

    assert (await rollup.process(pool, AFTER)).marks == 2
    await assert_from_scratch(pool, Domain.AIR, AFTER)


async def test_several_processors_at_once_do_not_spoil_anything(
    pool: asyncpg.Pool, database: str, connection: psycopg.Connection
) -> None:
    ids = register(connection, [Line("temperature", 60), Line("wind_direction", 60)])
    few = Settings(marks_per_pass=1)
    async with asyncpg.create_pool(database, min_size=0, max_size=4) as processors:

        async def keep_processing() -> int:
            return sum([(await rollup.process(processors, AFTER, few)).marks for _ in range(25)])

        async def keep_arriving() -> None:
            for minute in range(40):
                for series in ids:
                    async with pool.acquire() as one:
                        await arrive(one, Domain.AIR, said(series, [minute], [20 + minute % 7]))

        taken = await asyncio.gather(*(keep_processing() for _ in range(3)), keep_arriving())
    await until_done(pool, AFTER, Settings())

    assert min(taken[:3]) > 0
    await assert_from_scratch(pool, Domain.AIR, AFTER)


async def test_recomputing_while_readings_arrive_and_passes_run(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 60)])
    async with pool.acquire() as one:
        await arrive(
            one, Domain.AIR, said(series, [float(k) for k in range(0, 400, 2)], [20.0] * 200)
        )
    await rollup.process(pool, AFTER)

    async def keep_arriving() -> None:
        for minute in range(1, 60, 2):
            async with pool.acquire() as one:
                await arrive(one, Domain.AIR, said(series, [minute], [21]))
            await rollup.process(pool, AFTER)

    await asyncio.gather(
        rollup.recompute(pool, AT, AT + np.timedelta64(2, "D"), now=AFTER), keep_arriving()
    )
    await until_done(pool, AFTER, Settings())

    await assert_from_scratch(pool, Domain.AIR, AFTER)
    assert (await stored(pool, Domain.AIR, Level.DAY)).received.tolist() == [230]


async def test_an_open_window_is_provisional_until_it_has_closed(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 300)])
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0, 5], [20, 21]))

    await rollup.process(pool, AT + np.timedelta64(7, "m"))
    row = await stored(pool, Domain.AIR, Level.QUARTER_HOUR)
    assert (row.provisional.tolist(), row.expected.tolist()) == ([True], [1])
    assert (await rollup.process(pool, AT + np.timedelta64(14, "m"))).idle

    closing = await rollup.process(pool, AT + np.timedelta64(15, "m"))
    row = await stored(pool, Domain.AIR, Level.QUARTER_HOUR)
    assert (row.provisional.tolist(), row.expected.tolist()) == ([False], [3])
    assert closing.windows == {Level.QUARTER_HOUR: 1, Level.HOUR: 1, Level.DAY: 1}
    assert (await stored(pool, Domain.AIR, Level.HOUR)).provisional.tolist() == [True]

    await rollup.process(pool, AT + np.timedelta64(60, "m"))
    assert (await stored(pool, Domain.AIR, Level.HOUR)).provisional.tolist() == [False]
    # 14 May begins in Paris at 22:00 UTC the evening before, and ends at 22:00.
    await rollup.process(pool, AT + np.timedelta64(21 * 60 + 59, "m"))
    assert (await stored(pool, Domain.AIR, Level.DAY)).provisional.tolist() == [True]
    await rollup.process(pool, AT + np.timedelta64(22 * 60, "m"))
    assert (await stored(pool, Domain.AIR, Level.DAY)).provisional.tolist() == [False]
    assert (await rollup.process(pool, AFTER)).idle


async def test_a_held_state_fills_windows_as_time_goes_by(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("lighting_on", 900)])
    async with pool.acquire() as one:
        await arrive(one, Domain.ENERGY, said(series, [2], [1]))

    for minute in (3, 16, 29, 31, 44, 50, 61):
        await rollup.process(pool, AT + np.timedelta64(minute, "m"))

    rows = await stored(pool, Domain.ENERGY, Level.QUARTER_HOUR)
    # Held for two steps, from 00:02 to 00:32.
    assert rows.y.tolist() == [780, 900, 120]
    await rollup.process(pool, AFTER)
    await assert_from_scratch(pool, Domain.ENERGY, AFTER)


async def test_a_series_enters_at_the_smallest_window_that_holds_its_step(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    ids = register(
        connection, [Line("no2", 900), Line("no2", 901), Line("no2", 3601), Line("no2", 0)]
    )
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, joined([said(k, [5], [20]) for k in ids]))
    await rollup.process(pool, AFTER)

    series = [(await stored(pool, Domain.AIR, level)).series.tolist() for level in Level]
    assert series == [[ids[0], ids[3]], [ids[0], ids[1], ids[3]], ids]


async def test_days_are_local_and_may_be_short(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    paris, pune = register(connection, [Line("rain", 900), Line("rain", 900, "pune")])
    first = np.datetime64("2024-03-30T18:00", "us")
    times = np.arange(first, first + np.timedelta64(36, "h"), np.timedelta64(15, "m"))
    one_each = np.ones(len(times))
    async with pool.acquire() as one:
        for series in (paris, pune):
            await arrive(
                one,
                Domain.AIR,
                Batch(
                    times,
                    one_each,
                    np.full(len(times), series, np.int32),
                    one_each.astype(np.int16),
                ),
            )
    await rollup.process(pool, AFTER)

    days = await stored(pool, Domain.AIR, Level.DAY)
    assert [str(t)[:16] for t in days.start] == [
        "2024-03-29T23:00", "2024-03-30T23:00", "2024-03-31T22:00",
        "2024-03-29T18:30", "2024-03-30T18:30", "2024-03-31T18:30",
    ]  # fmt: skip
    assert days.sum.tolist() == [20, 92, 32, 2, 96, 46]
    assert days.expected.tolist() == [96, 92, 96, 96, 96, 96]


async def test_windows_older_than_readings_are_kept_stay_as_they_are(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 600)])
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0, 10], [20, 21]))
    await rollup.process(pool, AFTER)
    connection.execute("DELETE FROM air.reading")
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [5, 2885], [20, 22]))
    keep = Settings(keep_days=3)

    await rollup.process(pool, AFTER, keep)
    await rollup.recompute(pool, AT, AFTER, now=AFTER, settings=keep)

    rows = await stored(pool, Domain.AIR, Level.QUARTER_HOUR)
    assert rows.received.tolist() == [2, 1]


async def test_what_a_person_calls_failed_counts_no_more(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    batch = said(series, [0, 5, 10], [1, 200, 2])
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, batch)
        await rollup.process(pool, AFTER)
        await one.execute(
            "INSERT INTO pipeline.reading_flag SELECT series_id, time, 'person', 4, 0"
            "  FROM air.reading WHERE value = 200"
        )
        await mark(one, Domain.AIR, batch)
    await rollup.process(pool, AFTER)

    row = await stored(pool, Domain.AIR, Level.QUARTER_HOUR)
    assert (row.sum.tolist(), row.good.tolist(), row.received.tolist()) == ([3], [2], [3])
    assert connection.execute("SELECT origin FROM pipeline.reading_flag").fetchall() == [
        ("person",)
    ]


async def test_erased_readings_take_their_rows_along(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("speed", 600)])
    async with pool.acquire() as one:
        await arrive(one, Domain.MOBILITY, said(series, EVERY_10, [50.0] * 48))
        await rollup.process(pool, AFTER)
        assert len(await flags(pool)) == 12
        await one.execute("DELETE FROM mobility.reading")
        await mark(one, Domain.MOBILITY, said(series, EVERY_10, [50.0] * 48))
    await rollup.process(pool, AFTER)

    assert [len(await stored(pool, Domain.MOBILITY, level)) for level in Level] == [0, 0, 0]
    assert await flags(pool) == []


async def test_a_pass_takes_a_bounded_number_of_marks_oldest_first(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 600)])
    async with pool.acquire() as one:
        for minute in (600, 0, 300):
            await arrive(one, Domain.AIR, said(series, [minute], [20]))

    done = await rollup.process(pool, AFTER, Settings(marks_per_pass=2))

    assert (done.marks, done.more) == (2, True)
    left = connection.execute("SELECT start FROM pipeline.dirty").fetchall()
    assert [str(start) for (start,) in left] == ["2024-05-14 05:00:00+00:00"]


async def test_the_loop_outlives_its_connection_and_stops_when_told(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("temperature", 600)])
    stop, passes = asyncio.Event(), 0

    def clock() -> np.datetime64:
        nonlocal passes
        passes += 1
        if passes == 2:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return AFTER

    loop = asyncio.create_task(rollup.run(pool, Settings(interval_s=0), stop, clock))
    while passes < 3:
        await asyncio.sleep(0.01)
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0], [20]))
    while not len(await stored(pool, Domain.AIR, Level.DAY)):
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(loop, 5)


async def test_nothing_to_do_is_done_quickly_and_reads_nothing(pool: asyncpg.Pool) -> None:
    done = await rollup.process(pool, AFTER)

    assert done.idle
    assert (done.readings, done.more) == (0, False)
