"""Footprint: what the platform measures of itself, and what the page makes of it."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from dashboards.grafana.pages.footprint import FOOTPRINT
from processors import metering
from processors.settings import Settings
from storage import footprint_store
from storage.footprint import Footprint, Meter
from tests.grafana.looking import looking
from tests.integration.collecting import a_collector, is_collecting, settings_for, until

GIGABYTE = 1_000_000_000


@pytest.fixture
def looker(connection, database):
    with looking(connection, database) as found:
        yield found


def sampled(database, **settings):
    asyncio.run(metering.sample(Meter("processor"), Settings(**settings), datetime.now(UTC)))


def with_connection(database, *steps):
    async def run():
        connection = await asyncpg.connect(database)
        try:
            for step in steps:
                await step(connection)
        finally:
            await connection.close()

    asyncio.run(run())


def grown(owner, days, *, free=14 * GIGABYTE):
    """A database that grows by a gigabyte a day, hour by hour."""
    owner.execute(
        "INSERT INTO pipeline.footprint"
        " SELECT h, 'processor', 3600, 60, 100e6,"
        "        50e9 + 1e9 * extract(epoch FROM h - now()) / 86400, 100e9, %s"
        "   FROM generate_series(date_trunc('hour', now()) - make_interval(days => %s),"
        "                        date_trunc('hour', now()), interval '1 hour') h",
        (free, days),
    )


def test_before_the_first_sample_everything_is_unknown_and_nothing_is_0(looker):
    for title in (
        "Size of the database", "Growth per day", "Free disk", "Disk full in", "Bytes per reading",
        "Processor time in 24 h", "Memory of the programs", "Readings per day",
    ):  # fmt: skip
        assert looker.value(FOOTPRINT, title) is None, title


def test_a_sample_says_how_large_the_database_is_and_every_table_in_it(looker, database):
    sampled(database)
    (size,) = looker.owner.execute("SELECT pg_database_size(current_database())").fetchone()

    assert looker.value(FOOTPRINT, "Size of the database") == pytest.approx(size, rel=0.05)
    tables = {row["relation"]: row for row in looker.panel(FOOTPRINT, "Tables, largest first")}
    assert {"air.reading", "energy.rollup_1d", "mobility.figure", "city.series"} <= tables.keys()
    assert sum(row["share"] for row in tables.values()) == pytest.approx(100)
    assert looker.value(FOOTPRINT, "Memory of the programs") > 10_000_000


def test_the_free_disk_is_unknown_unless_the_processor_is_shown_a_folder_on_it(
    looker, database, tmp_path
):
    sampled(database)
    assert looker.value(FOOTPRINT, "Free disk") is None
    sampled(database, disk=str(tmp_path / "missing"))
    assert looker.value(FOOTPRINT, "Free disk") is None
    sampled(database, disk=str(tmp_path))

    assert 0 < looker.value(FOOTPRINT, "Free disk") < 100


def test_chunks_and_their_indexes_are_counted_with_their_hypertable(looker, database):
    looker.owner.execute(
        "INSERT INTO air.reading (time, value, series_id, flag)"
        " SELECT t, 1, 1, 2 FROM generate_series(now() - interval '50 days', now(),"
        " interval '10 minutes') t"
    )
    looker.owner.execute("ANALYZE air.reading")
    sampled(database)

    (row,) = (
        row
        for row in looker.panel(FOOTPRINT, "Tables, largest first")
        if row["relation"] == "air.reading"
    )
    assert row["rows"] == pytest.approx(7201, rel=0.02)
    assert row["data"] > 7201 * 40
    assert row["indexes"] > 7201 * 20
    assert looker.value(FOOTPRINT, "Bytes per reading") == pytest.approx(row["per_row"], rel=0.05)


def test_a_gigabyte_a_day_fills_14_free_gigabytes_in_14_days(looker):
    grown(looker.owner, 5)

    assert looker.value(FOOTPRINT, "Growth per day") == pytest.approx(GIGABYTE)
    assert looker.value(FOOTPRINT, "Disk full in") == pytest.approx(14)
    assert looker.value(FOOTPRINT, "Free disk") == 14


def test_growth_is_unknown_from_two_days_of_samples(looker):
    grown(looker.owner, 2)

    assert looker.value(FOOTPRINT, "Growth per day") is None
    assert looker.value(FOOTPRINT, "Disk full in") is None


def test_two_starts_in_one_hour_add_their_seconds_and_keep_the_larger_memory(looker, database):
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    async def first(connection):
        await footprint_store.save(connection, Footprint("collector", hour, 1200, 30.0, 90_000_000))

    async def second(connection):
        await footprint_store.save(connection, Footprint("collector", hour, 600, 12.0, 80_000_000))

    with_connection(database, first, second)

    assert looker.value(FOOTPRINT, "Processor time in 24 h") == 42
    assert looker.value(FOOTPRINT, "Memory of the programs") == 90_000_000


def test_samples_are_kept_for_400_days(looker, database):
    for days in (399, 401):
        looker.owner.execute(
            "INSERT INTO pipeline.footprint VALUES"
            " (now() - make_interval(days => %s), 'collector', 3600, 1, 1)",
            (days,),
        )
        looker.owner.execute(
            "INSERT INTO pipeline.relation_size VALUES (current_date - %s, 'air.reading', 1, 1, 1)",
            (days,),
        )
    sampled(database)

    left = "SELECT count(*) FROM pipeline.{} WHERE {} < now() - interval '300 days'"
    assert looker.owner.execute(left.format("footprint", "hour")).fetchone() == (1,)
    assert looker.owner.execute(left.format("relation_size", "day")).fetchone() == (1,)


async def test_a_collector_writes_down_what_it_used_when_it_stops(city, broker):
    async with a_collector(settings_for(broker, "meter-me")) as (collector, _, _):
        await until(lambda: is_collecting(collector))

    (row,) = city.execute(
        "SELECT program, hour <= now(), seconds > 0, cpu_s > 0, memory_bytes > 10000000,"
        " database_bytes FROM pipeline.footprint"
    ).fetchall()
    assert row == ("collector", True, True, True, True, None)


async def test_a_collector_writes_down_what_it_used_when_an_hour_is_over(city, broker):
    async with a_collector(settings_for(broker, "hour-me")) as (collector, _, _):
        await until(lambda: is_collecting(collector))
        began = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        collector._meter._hour = began  # as if it ran since the hour before

        def written():
            return city.execute("SELECT count(*) FROM pipeline.footprint").fetchone() == (1,)

        await until(written, 20)

        assert city.execute("SELECT hour FROM pipeline.footprint").fetchone() == (began,)


async def test_a_locked_table_keeps_no_collector_waiting(city, database):
    connection = await asyncpg.connect(database)
    try:
        with city.transaction():
            city.execute("LOCK TABLE pipeline.footprint IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(asyncpg.LockNotAvailableError):
                async with asyncio.timeout(5):
                    await footprint_store.save(
                        connection, Footprint("collector", datetime.now(UTC), 1, 1, 1)
                    )
    finally:
        await connection.close()
