"""What is erased is gone from every table, and only the counts remain."""

from __future__ import annotations

import asyncio
import datetime
import threading
from typing import Any

import asyncpg
import numpy as np
import psycopg
import pytest

from processors import refresh, rollup
from processors.settings import Settings
from storage import corrections, erasure, review, rollup_store, watch_store
from storage.catalogue import Domain
from storage.corrections import Linear
from storage.high_water import HighWater
from storage.level import Level
from storage.reading import Flag
from storage.review import Author
from tests.integration.changes import (
    AFTER,
    ME,
    marks,
    measured,
    minute,
    said,
    send,
    span,
    values,
)
from tests.integration.one_piece import assert_from_scratch, stored
from tests.integration.small_city import Line, arrive, register


async def test_an_erased_span_is_gone_from_every_table_but_not_from_the_counts(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    series, other = register(connection, [Line("rain", 300), Line("rain", 300)])
    of, beside, water = measured(connection, series), measured(connection, other), HighWater()
    every_5 = [5.0 * k for k in range(24)]
    await send(pool, said(series, every_5, [1.0 + k % 3 for k in range(24)]), of, water)
    await send(pool, said(other, every_5, [1.0] * 24), beside, water)
    corrections.flag(connection, of, span(0, 120), Flag.SUSPECT, ME)
    corrections.correct(connection, of, span(0, 120), Linear(2, 0), ME)
    await rollup.process(pool, AFTER)

    erased = erasure.erase(connection, [of], span(32, 75), Author("Ada", "court order"))

    assert (erased.readings, erased.messages) == ({of: 8}, 0)
    left = connection.execute(
        "SELECT (SELECT count(*) FROM air.reading WHERE series_id = %(s)s),"
        " (SELECT count(*) FROM pipeline.reading_flag WHERE series_id = %(s)s),"
        " (SELECT count(*) FROM pipeline.correction WHERE series_id = %(s)s),"
        " (SELECT count(*) FROM air.rollup_15min WHERE series_id = %(s)s),"
        " (SELECT count(*) FROM air.rollup_1h WHERE series_id = %(s)s),"
        " (SELECT count(*) FROM air.rollup_1d WHERE series_id = %(s)s),"
        " (SELECT count(*) FROM air.reading WHERE series_id = %(o)s)",
        {"s": series, "o": other},
    ).fetchone()
    # 00:30, 00:45, 01:00 were touched, and with them both hours and the day.
    assert left == (16, 16, 16, 5, 0, 0, 24)
    assert marks(connection) == [("air", 30), ("air", 45), ("air", 60)]
    assert [
        (a.action, a.sensor, a.metric, a.readings, a.detail)
        for a in review.log(connection, None, 1)
    ] == [("delete", of.sensor, "rain", 8, "6 rollups")]
    await rollup.process(pool, AFTER)
    await assert_from_scratch(pool, Domain.AIR, AFTER)
    rows = await stored(pool, Domain.AIR, Level.DAY)
    assert rows.received.tolist() == [16, 24]


async def test_an_erasure_reaches_rollups_whose_readings_are_never_read_again(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    fine, hourly, daily, state = register(
        connection,
        [Line("rain", 300), Line("no2", 3600), Line("pressure", 86400), Line("rain", 900, "pune")],
    )
    for series, step in ((fine, 5), (hourly, 60), (daily, 1440), (state, 15)):
        minutes = [float(m) for m in range(0, 2880, step)]
        async with pool.acquire() as one:
            await arrive(one, Domain.AIR, said(series, minutes, [900.0] * len(minutes)))
    keep = Settings(keep_days=1)
    await rollup.process(pool, AFTER)
    # Retention dropped the readings of one of them; the rollups stay.
    connection.execute("DELETE FROM air.reading WHERE series_id = %s", [state])
    before = {level: await stored(pool, Domain.AIR, level) for level in Level}

    # From 10:07 to 11:00 UTC, four days ago.
    for series in (fine, hourly, daily, state):
        erasure.erase(connection, [measured(connection, series)], span(607, 660), ME)
    await rollup.process(pool, AFTER, keep)

    after = {level: await stored(pool, Domain.AIR, level) for level in Level}

    def gone(level: Level, series: int) -> list[int]:
        """Starts of rows that are there no more, in minutes."""
        was, now = (
            set(rows.start[rows.series == series].tolist())
            for rows in (before[level], after[level])
        )
        assert now <= was
        return sorted(
            int((t - minute(0).replace(tzinfo=None)).total_seconds() // 60) for t in was - now
        )

    assert gone(Level.QUARTER_HOUR, fine) == [600, 615, 630, 645]
    assert gone(Level.QUARTER_HOUR, state) == [600, 615, 630, 645]
    assert gone(Level.HOUR, fine) == gone(Level.HOUR, state) == [600]
    assert gone(Level.HOUR, hourly) == [600]
    # Days of fine series are combined anew without that hour; those of coarse ones cannot be.
    assert gone(Level.DAY, fine) == gone(Level.DAY, state) == []
    assert gone(Level.DAY, hourly) == gone(Level.DAY, daily) == [-120]
    days = after[Level.DAY]
    assert days.received[days.series == fine].tolist() == [22 * 12 - 12, 24 * 12, 2 * 12]
    assert days.received[days.series == state].tolist() == [74 - 4, 96, 22]


async def test_figures_made_of_what_is_erased_go_with_the_next_pass(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    (series,) = register(connection, [Line("no2", 3600)])
    hours = [60.0 * hour for hour in range(48)]
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, hours, [40.0] * 48))
    await rollup.process(pool, AFTER)
    await refresh.refresh(pool, AFTER)
    means = "SELECT n FROM air.figures WHERE indicator = 'air_day_mean' ORDER BY start"
    whole = connection.execute(means).fetchall()

    # The second 24 hours, whose readings nothing will ever be computed from again.
    erasure.erase(connection, [measured(connection, series)], span(1440, 2880), ME)
    await rollup.process(pool, AFTER, Settings(keep_days=1))
    await refresh.refresh(pool, AFTER)

    assert whole == [(23,), (24,), (1,)]
    assert connection.execute(means).fetchall() == [(23,), (1,)]


async def test_figures_that_are_never_computed_again_go_with_the_erasure_itself(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    series, other = register(connection, [Line("power", 900), Line("power", 900)])
    quarters = [15.0 * quarter for quarter in range(4 * 72)]
    for one in (series, other):
        async with pool.acquire() as lent:
            await arrive(lent, Domain.ENERGY, said(one, quarters, [2.0] * len(quarters)))
    await rollup.process(pool, AFTER)
    await refresh.refresh(pool, AFTER)
    days = (
        "SELECT count(*) FILTER (WHERE series_id = %s), count(*) FILTER (WHERE series_id = %s)"
        "  FROM energy.figures WHERE indicator = 'power_energy_day'"
    )
    whole = connection.execute(days, [series, other]).fetchone()

    # Some minutes of the second day, when readings are kept for one.
    erasure.erase(connection, [measured(connection, series)], span(2000, 2060), ME)
    at_once = connection.execute(days, [series, other]).fetchone()
    await rollup.process(pool, AFTER, Settings(keep_days=1))
    await refresh.refresh(pool, AFTER, keep_days=1)

    assert whole == (4, 4)
    assert at_once == connection.execute(days, [series, other]).fetchone() == (3, 4)


async def test_what_watching_made_of_erased_readings_goes_with_them(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    series, other = register(connection, [Line("no2", 3600), Line("no2", 3600)])
    hours = [60.0 * hour for hour in range(48)]
    for one in (series, other):
        async with pool.acquire() as lent:
            await arrive(lent, Domain.AIR, said(one, hours, [40.0] * 48))
        connection.execute(
            "INSERT INTO pipeline.heard VALUES (%s, %s, %s)", [one, minute(0), minute(47 * 60)]
        )
        for kind, since, opened in (
            ("stuck", 1500, 2000), ("silence", 0, 60), ("jump", 100, 1400), ("drift", 4000, 4100),
        ):  # fmt: skip
            connection.execute(
                "INSERT INTO pipeline.alert (series_id, kind, since, opened_at, closed_at, value, reference)"
                " VALUES (%s, %s, %s, %s, '2030-01-01Z', 40, 12)",
                [one, kind, minute(since), minute(opened)],
            )
        for week in ("2024-05-13", "2024-05-20", "2024-12-02"):
            connection.execute(
                "INSERT INTO pipeline.week_profile VALUES (%s, %s, 1, false, %s, %s, %s)",
                [one, week, b"\0\0\x20\x42" * 168, b"\0\0\x80\x3f" * 168, b"\x08" * 168],
            )
    async with pool.acquire() as lent:
        monday = [np.datetime64(day, "D") for day in ("2024-05-13", "2024-12-02")]
        both = np.array([series, other], np.int32)
        erasure.erase(connection, [measured(connection, series)], span(1440, 2880), ME)
        left = await watch_store.load_profiles(lent, both, *monday)

    kinds = "SELECT kind FROM pipeline.alert WHERE series_id = %s ORDER BY kind"
    assert connection.execute(kinds, [series]).fetchall() == [("jump",), ("silence",)]
    assert len(connection.execute(kinds, [other]).fetchall()) == 4
    known = ~np.isnan(left.median).any(axis=-1)
    assert known.tolist() == [True, False, True, True, True, True]
    assert (left.count[1] == 0).all()
    assert np.isnan(left.floor[1])
    assert connection.execute(
        "SELECT series_id, week FROM pipeline.week_profile WHERE stale"
    ).fetchall() == [(series, datetime.date(2024, 5, 20))]
    heard = "SELECT first, last FROM pipeline.heard WHERE series_id = %s"
    assert connection.execute(heard, [series]).fetchone() == (minute(0), minute(1380))
    assert connection.execute(heard, [other]).fetchone() == (minute(0), minute(47 * 60))

    erasure.erase(connection, [measured(connection, series)], span(0, 2880), ME)
    assert connection.execute(heard, [series]).fetchone() is None


async def test_nothing_erased_leaves_everything_as_it_was(
    pool: asyncpg.Pool, connection: psycopg.Connection
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0, 500], [1, 1]))
    await rollup.process(pool, AFTER)
    of = measured(connection, series)

    assert erasure.erase(connection, [of], span(60, 400), ME).nothing
    tried = erasure.erase(connection, [of], span(0, 400), ME, dry_run=True)

    assert (tried.readings, tried.action_ids) == ({of: 1}, [])
    assert [len(await stored(pool, Domain.AIR, level)) for level in Level] == [2, 2, 1]
    assert marks(connection) == []
    assert review.log(connection, None, 9) == []


REFUSED = [
    # (message, sensor, minute, topic, payload, field, readings, accepted sensors)
    (1, 0, 1, "city/x/meter-7", b"{}", "", 0, []),  # before it was registered
    (2, 0, 2, "city/x/meter-77", b"{}", "", 0, []),  # another one
    (3, -1, 3, "raw", b'[{"bn":"urn:meter-7:","v":1}]', "", 0, []),
    (4, 7, 4, "t", b"{}", "v", 3, [7]),
    (4, 8, 4, "t", b"", "v", 2, []),  # the same message speaks of another sensor
    (5, 8, 5, "t", b"{}", "v", 1, [7, 8]),  # another's refusal, but this one's readings beside it
    (6, 8, 6, "t", b'{"near": "meter-7"}', "v", 1, [8]),
    (7, 7, 99, "t", b"{}", "v", 1, []),  # received later
]


def test_refused_messages_that_speak_of_an_erased_sensor_go_and_are_counted(
    connection: psycopg.Connection,
) -> None:
    register(connection, [Line("rain", 300), Line("rain", 300)])
    connection.execute(
        "UPDATE city.series SET sensor_id = NULL WHERE false;"
        "INSERT INTO city.sensor (sensor_id, site_id, code)"
        " SELECT n, site_id, 'meter-' || n FROM city.site, generate_series(7, 8) n"
        "  WHERE territory_id = (SELECT min(territory_id) FROM city.territory);"
        "INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)"
        " VALUES (7, 'rain', 'v', 'mm', 1, 0, 300, 'start')"
    )
    for message, sensor, at, topic, payload, field, readings, accepted in REFUSED:
        connection.execute(
            "INSERT INTO pipeline.refusal (message_id, received_at, sensor_id, topic, payload, bytes,"
            " field, reason, detail, readings, accepted_sensor)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 'bad_value', '', %s, %s)",
            [message, minute(at), sensor, topic, payload, len(payload), field, readings, accepted],
        )
    of = review.named(connection, "meter-7")

    tried = erasure.erase(connection, of, span(0, 60), ME, dry_run=True)
    erased = erasure.erase(connection, of, span(0, 60), ME)

    assert tried.messages == erased.messages == 4
    rest = connection.execute("SELECT message_id FROM pipeline.refusal ORDER BY 1").fetchall()
    assert rest == [(2,), (6,), (7,)]
    assert connection.execute(
        "SELECT sensor_id, cause, messages, readings FROM pipeline.forgotten ORDER BY 1"
    ).fetchall() == [
        (-1, "erasure", 1, 0),
        (0, "erasure", 1, 0),
        (7, "erasure", 0, 3),
        (8, "erasure", 0, 3),
    ]
    [line] = review.log(connection, 7, 9)
    assert (line.action, line.readings, line.detail) == ("delete", 0, "4 refused messages")


async def test_an_erasure_waits_for_the_pass_that_has_read_what_it_erases(
    pool: asyncpg.Pool,
    connection: psycopg.Connection,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    of = measured(connection, series)
    async with pool.acquire() as one:
        await arrive(one, Domain.AIR, said(series, [0, 5, 20], [1, 2, 4]))
    really_replace, threads, order = rollup_store.replace, [], []

    def erase() -> None:
        with psycopg.connect(database, autocommit=True) as other:
            erasure.erase(other, [of], span(0, 15), ME)
        order.append("erased")

    async def replace_while_erasing(*given: object) -> None:
        if not threads:
            threads.append(threading.Thread(target=erase))
            threads[0].start()
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            async with asyncio.timeout(20):
                while connection.execute(waiting).fetchone() == (0,):
                    await asyncio.sleep(0.01)
            order.append("computed")
        await really_replace(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rollup_store, "replace", replace_while_erasing)
    await rollup.process(pool, AFTER)
    await asyncio.to_thread(threads[0].join, 20)
    assert order == ["computed", "erased"]
    assert [len(await stored(pool, Domain.AIR, level)) for level in Level] == [1, 0, 0]
    await rollup.process(pool, AFTER)

    await assert_from_scratch(pool, Domain.AIR, AFTER)
    assert (await stored(pool, Domain.AIR, Level.DAY)).received.tolist() == [1]


async def test_a_reading_erased_while_it_comes_again_is_stored_again(
    pool: asyncpg.Pool, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    of, water = measured(connection, series), HighWater()
    await send(pool, said(series, [0, 5], [1, 2]), of, water)
    really_fetch, statements = asyncpg.Connection.fetch, []

    async def fetch_then_erase(self: asyncpg.Connection, query: str, *given: Any) -> Any:
        found = await really_fetch(self, query, *given)
        if "INSERT INTO air.reading" in query:
            statements.append(query)
            if len(statements) == 1:
                # In a transaction of its own, between the collector's two statements.
                await asyncio.to_thread(erasure.erase, connection, [of], span(5, 10), ME)
        return found

    monkeypatch.setattr(asyncpg.Connection, "fetch", fetch_then_erase)
    again = await send(pool, said(series, [0, 5], [1, 2]), of, water)

    assert (again.stored, again.duplicate, len(statements)) == (1, 1, 2)
    assert values(connection) == [1, 2]


async def test_what_a_replay_stores_while_an_erasure_waits_for_it_is_erased_too(
    pool: asyncpg.Pool, connection: psycopg.Connection, database: str
) -> None:
    [series] = register(connection, [Line("rain", 300)])
    of = measured(connection, series)
    await send(pool, said(series, [0], [1]), of, HighWater())
    connection.execute(
        "INSERT INTO pipeline.refusal (message_id, received_at, sensor_id, topic, payload, bytes,"
        " field, reason, detail, readings) VALUES (1, %s, %s, 't', '', 0, '', 'bad_value', '', 0)",
        [minute(1), of.sensor_id],
    )

    def erase() -> erasure.Erased:
        with psycopg.connect(database, autocommit=True) as other:
            return erasure.erase(other, [of], span(0, 15), ME)

    with psycopg.connect(database) as replaying:
        replaying.execute("SELECT FROM pipeline.refusal WHERE message_id = 1 FOR UPDATE")
        waiting = asyncio.create_task(asyncio.to_thread(erase))
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'"
        async with asyncio.timeout(20):
            while connection.execute(blocked).fetchone() == (0,):
                await asyncio.sleep(0.01)
        # The first is erased by now where readings go before refusals: a deadlock.
        replaying.execute(
            "INSERT INTO air.reading SELECT %s + n * interval '5 minutes', 9, %s, 2"
            " FROM generate_series(0, 1) n ON CONFLICT DO NOTHING",
            [minute(0), series],
        )
        replaying.execute("DELETE FROM pipeline.refusal WHERE message_id = 1")

    erased = await waiting
    assert (erased.readings, erased.messages) == ({of: 2}, 0)
    assert values(connection) == []
