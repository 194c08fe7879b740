"""The registry's history: changes, moves and retirements since a time, with readings around it."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Iterator

import asyncpg
import numpy as np
import psycopg
import pytest

from collector.source import Message
from processors.rollup import process
from storage import changes, history, inventory, registry, review, stretches
from storage.changes import Change, Kind
from storage.city import parse
from storage.high_water import HighWater
from storage.ingest import RegistryChanged, store
from storage.migrate import migrate, migrations
from storage.registry import Site, move, register, retire
from storage.review import Author, NotNamed
from storage.timeline import BEGINNING
from tests.essai import ESSAI
from tests.integration.refused_city import City, collect, connected, decoding, message, replay_all

ME = Author("Ada", "the works at the town hall")
TOPIC = "city/mairie/air-1"
TOML = (
    ESSAI
    + """[[territory]]
code = "99002"
name = "Ailleurs"
timezone = "Asia/Kolkata"
[[binding]]
topic = "city/{site}/{sensor}"
"""
)
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp,register_max
99001,mairie,air-1,no2,,ug/m3,60,start,
99001,mairie,air-1,temperature,temp,Cel,60,start,
"""
IN_MG = CSV.replace("ug/m3", "mg/m3")
NOW = np.datetime64("2026-03-09T00:00", "us")


@pytest.fixture
def city(connection: psycopg.Connection) -> Iterator[City]:
    """Sensor air-1 at 99001/mairie; whatever a test does, the books balance in the end."""
    made = City(connection)
    made.toml, made.csv = TOML, CSV
    connection.execute("DELETE FROM city.change; DELETE FROM city.series; DELETE FROM city.sensor"
                       " WHERE sensor_id > 0; DELETE FROM city.site")  # fmt: skip
    made.write()
    yield made
    made.assert_balanced()


def at(hour: int, minute: int = 0) -> datetime.datetime:
    """On the 1st of March, UTC."""
    return datetime.datetime(2026, 3, 1, hour, minute, tzinfo=datetime.UTC)


def said(hour: int, minute: int = 0, **values: float) -> dict[str, object]:
    return {"time": at(hour, minute).isoformat(), **values}


def heard(payload: dict[str, object], topic: str = TOPIC) -> Message:
    return message(topic, payload, at=at(23))


async def send(*payloads: dict[str, object], topic: str = TOPIC) -> tuple[int, int, int]:
    """As a collector that has just read the registry; stored, duplicate and refused."""
    async with connected() as connection:
        done = await collect(connection, [heard(one, topic) for one in payloads])
        return done.stored, done.duplicate, done.refused


TABLES = (
    "city.series", "city.former_conversion", "city.site", "city.sensor", "city.change",
    "city.revision", "air.reading", "pipeline.dirty", "pipeline.reading_flag",
)  # fmt: skip


def everything(city: City) -> list[list[str]]:
    """All rows of all tables that a change of the registry may touch."""
    return [
        [row for (row,) in city.connection.execute(f"SELECT t::text FROM {name} t ORDER BY 1")]
        for name in TABLES
    ]


def again(city: City, csv: str, since: datetime.datetime | None = None) -> Change:
    return register(city.connection, parse(TOML, csv), since=since, author=ME).changes[0]


def stored(city: City) -> list[tuple[str, str, int, float]]:
    """(site, field, hour, value) of all readings, by time."""
    return city.connection.execute(
        "SELECT s.site, s.field, extract(hour FROM r.time AT TIME ZONE 'UTC')::int, r.value::float8"
        "  FROM air.readings r JOIN public.series s USING (series_id) ORDER BY r.time, s.field"
    ).fetchall()


async def test_a_unit_changed_since_a_time_converts_late_readings_of_both_sides_rightly(city: City):
    await send(said(8, no2=20))
    changed = again(city, IN_MG, at(10))

    assert (changed.kind, changed.since, changed.details, changed.kept) == (
        Kind.CHANGED, at(10), ("no2: unit ug/m3 → mg/m3",), ()
    )  # fmt: skip
    assert await send(said(11, no2=0.03), said(9, no2=21), said(10, no2=0.025)) == (3, 0, 0)
    assert await send(said(8, no2=20), said(11, no2=0.03)) == (0, 2, 0)
    assert [value for *_, value in stored(city)] == pytest.approx([20, 21, 25, 30])
    assert city.connection.execute("SELECT count(*) FROM city.series").fetchone() == (2,)


async def test_a_unit_changed_in_the_past_says_which_readings_stay_as_they_were(city: City):
    await send(said(9, no2=0.021), said(10, no2=0.022), said(11, no2=0.023))
    changed = again(city, IN_MG, at(10))

    [kept] = changed.kept
    assert (kept.field, kept.readings, kept.start, kept.scale, kept.shift) == (
        "no2", 2, at(10), 1000.0, 0.0
    )  # fmt: skip
    # What they are is known, so that a redelivery is no other value for the same time.
    assert await send(said(11, no2=0.023)) == (0, 0, 1)
    assert [reason for _, _, _, reason, _ in city.refusals()] == ["conflict"]


async def test_registering_the_same_again_makes_no_version(city: City):
    await send(said(8, no2=20))
    again(city, IN_MG, at(10))
    before = everything(city)[:2]

    assert again(city, IN_MG).kind is Kind.UNCHANGED
    assert again(city, IN_MG, at(10)).kind is Kind.UNCHANGED
    assert everything(city)[:2] == before
    assert len(changes.log(city.connection, "air-1")) == 2


async def test_what_never_sent_is_put_right_since_ever(city: City):
    changed = again(city, IN_MG.replace(",60,", ",600,"))

    assert (changed.kind, changed.since) == (Kind.CHANGED, None)
    assert await send(said(8, no2=0.02)) == (1, 0, 0)
    assert stored(city) == [("mairie", "no2", 8, 20.0)]
    assert city.connection.execute("SELECT field, step_s FROM series ORDER BY 1").fetchall() == [
        ("no2", 600), ("temp", 600)
    ]  # fmt: skip


async def test_another_step_begins_another_series_so_that_old_windows_expect_what_they_did(
    city: City, pool: asyncpg.Pool
):
    await send(*[said(9, minute, no2=20) for minute in range(60)])
    again(city, CSV.replace(",60,", ",600,"), at(10))
    await send(*[said(10, minute, no2=30) for minute in range(0, 60, 10)])
    await process(pool, NOW)

    assert city.connection.execute(
        "SELECT extract(hour FROM start AT TIME ZONE 'UTC')::int, expected, received, mean"
        "  FROM air.hours ORDER BY 1"
    ).fetchall() == [(9, 60, 60, 20.0), (10, 6, 6, 30.0)]


async def test_a_moved_sensor_leaves_its_past_where_it_was(city: City, pool: asyncpg.Pool):
    await send(said(8, no2=20, temp=5), said(12, no2=40, temp=7))
    moved = move(city.connection, "air-1", Site("99002", "gare", "Gare"), since=at(10), author=ME)

    assert (moved.kind, moved.site_before, moved.site, moved.carried) == (
        Kind.MOVED, "99001/mairie", "99002/gare", 2
    )  # fmt: skip
    # Late ones of both sides, and what is known of both: nothing is counted twice.
    assert await send(said(9, no2=21), said(11, no2=31)) == (2, 0, 0)
    assert await send(said(8, no2=20), said(12, no2=40, temp=7)) == (0, 3, 0)
    assert stored(city) == [
        ("mairie", "no2", 8, 20.0), ("mairie", "temp", 8, 5.0), ("mairie", "no2", 9, 21.0),
        ("gare", "no2", 11, 31.0), ("gare", "no2", 12, 40.0), ("gare", "temp", 12, 7.0),
    ]  # fmt: skip
    await process(pool, NOW)
    hours = city.connection.execute(
        "SELECT territory, site, extract(hour FROM start AT TIME ZONE 'UTC')::int, mean"
        "  FROM air.hours WHERE metric = 'no2' AND received > 0 ORDER BY start"
    ).fetchall()
    assert hours == [
        ("99001", "mairie", 8, 20.0), ("99001", "mairie", 9, 21.0), ("99002", "gare", 11, 31.0),
        ("99002", "gare", 12, 40.0),
    ]  # fmt: skip
    days = city.connection.execute(
        "SELECT site, start, received FROM air.days WHERE metric = 'no2' ORDER BY start"
    ).fetchall()
    # Each day is one of the place: from midnight in Paris, and from midnight in Kolkata.
    assert days == [
        ("gare", datetime.datetime(2026, 2, 28, 18, 30, tzinfo=datetime.UTC), 2),
        ("mairie", datetime.datetime(2026, 2, 28, 23, 0, tzinfo=datetime.UTC), 2),
    ]


async def test_rollups_of_readings_that_went_with_their_sensor_go_too(
    city: City, pool: asyncpg.Pool
):
    await send(said(8, no2=20), said(12, no2=40))
    await process(pool, NOW)
    move(city.connection, "air-1", Site("99001", "gare"), since=at(10), author=ME)
    await process(pool, NOW)

    for view in ("quarter_hours", "hours"):
        found = city.connection.execute(
            f"SELECT site, mean FROM air.{view} WHERE received > 0 ORDER BY start"
        ).fetchall()
        assert found == [("mairie", 20.0), ("gare", 40.0)]
    assert city.connection.execute(
        "SELECT site, received FROM air.days ORDER BY site"
    ).fetchall() == [("gare", 1), ("mairie", 1)]


async def test_what_persons_said_of_readings_goes_with_them(city: City):
    from storage import corrections
    from storage.reading import Flag

    await send(said(12, no2=40))
    [series] = review.named(city.connection, "air-1", "no2")
    span = review.Span(at(12), at(13))
    corrections.correct(city.connection, series, span, corrections.Constant(41), ME)
    corrections.flag(city.connection, series, span, Flag.SUSPECT, ME)
    move(city.connection, "air-1", Site("99001", "gare"), since=at(10), author=ME)

    _, there = review.named(city.connection, "air-1", "no2")
    [seen] = review.seen(city.connection, [there], span, 9)
    assert (there.site, seen.value, seen.original, seen.person) == ("99001/gare", 41, 40, 3)
    assert await send(said(12, no2=40)) == (0, 1, 0)


async def test_a_move_told_by_mistake_is_taken_back(city: City):
    await send(said(8, no2=20), said(12, no2=40))
    move(city.connection, "air-1", Site("99001", "gare"), since=at(10), author=ME)
    back = move(city.connection, "air-1", Site("99001", "mairie"), since=at(10), author=ME)

    assert back.carried == 1
    assert [(site, value) for site, _, _, value in stored(city)] == [
        ("mairie", 20.0), ("mairie", 40.0)
    ]  # fmt: skip
    assert await send(said(12, no2=40), said(13, no2=50)) == (1, 1, 0)


async def test_a_sensor_that_its_list_puts_elsewhere_moves_with_all_its_fields(city: City):
    await send(said(8, no2=20, temp=5))
    only_no2 = "".join(CSV.splitlines(keepends=True)[:2]).replace("mairie", "gare")
    moved = again(city, only_no2, at(10))

    assert (moved.kind, moved.site) == (Kind.MOVED, "99001/gare")
    assert await send(said(11, no2=21, temp=6)) == (2, 0, 0)
    assert stored(city)[2:] == [("gare", "no2", 11, 21.0), ("gare", "temp", 11, 6.0)]


async def test_a_retired_sensor_is_refused_from_then_on_and_late_readings_are_stored(city: City):
    await send(said(8, no2=20), said(12, no2=40))
    gone = retire(city.connection, "air-1", since=at(10), author=ME)

    assert (gone.kind, gone.since, gone.beyond) == (Kind.RETIRED, at(10), 1)
    assert await send(said(9, no2=21), said(11, no2=31)) == (1, 0, 1)
    assert [(field, reason) for _, _, field, reason, _ in city.refusals()] == [("no2", "retired")]
    assert inventory.fields(city.connection) == []
    assert [one.until for one in inventory.fields(city.connection, retired=True)] == [at(10)] * 2
    with pytest.raises(NotNamed, match="'air-1' is retired"):
        retire(city.connection, "air-1", since=None, author=ME)
    assert city.connection.execute("SELECT count(*) FROM air.now").fetchone() == (0,)


async def test_importing_a_retired_sensor_brings_it_back(city: City):
    await send(said(8, no2=20))
    retire(city.connection, "air-1", since=at(10), author=ME)
    await send(said(11, no2=31), said(13, no2=33))
    back = again(city, CSV, at(12))

    assert (back.kind, back.since, back.details) == (Kind.BACK, at(12), ("no2: back", "temp: back"))
    async with connected() as connection:
        done = await replay_all(connection)
    assert (done.stored, done.refused) == (1, 1)
    assert [(hour, value) for _, _, hour, value in stored(city)] == [(8, 20.0), (13, 33.0)]
    # Retired by mistake: it is as if it had never been, and what was refused is there.
    assert again(city, CSV, at(10)).kind is Kind.CHANGED
    async with connected() as connection:
        await replay_all(connection)
    assert [hour for _, _, hour, _ in stored(city)] == [8, 11, 13]
    assert city.refusals() == []


async def test_a_field_that_came_later_was_never_at_the_old_site(city: City):
    await send(said(8, no2=20))
    move(city.connection, "air-1", Site("99001", "gare"), since=at(10), author=ME)
    with_o3 = CSV.replace("mairie", "gare") + "99001,gare,air-1,o3,,,60,start,\n"
    again(city, with_o3)

    assert await send(said(9, o3=50), said(11, o3=51)) == (1, 0, 1)
    assert [(row[2], row[3]) for row in city.refusals()] == [("o3", "unknown_field")]


async def test_a_file_retires_what_it_leaves_out_only_when_it_is_told_to(city: City):
    both = CSV + "99001,mairie,air-2,no2,,,60,start,\n"
    again(city, both)
    register(city.connection, parse(TOML, CSV))
    assert {one.sensor for one in inventory.fields(city.connection)} == {"air-1", "air-2"}

    said_first = register(city.connection, parse(TOML, CSV), retire_missing=True, dry_run=True)
    assert [(c.sensor, c.kind) for c in said_first.changes] == [
        ("air-1", Kind.UNCHANGED), ("air-2", Kind.RETIRED)
    ]  # fmt: skip
    assert {one.sensor for one in inventory.fields(city.connection)} == {"air-1", "air-2"}
    register(city.connection, parse(TOML, CSV), retire_missing=True, author=ME)
    assert {one.sensor for one in inventory.fields(city.connection)} == {"air-1"}


async def test_a_dry_run_leaves_everything_as_it_is(city: City):
    await send(said(8, no2=20), said(12, no2=40))
    before = everything(city)
    told = move(
        city.connection, "air-1", Site("99001", "gare"), since=at(10), author=ME, dry_run=True
    )
    retire(city.connection, "air-1", since=at(10), author=ME, dry_run=True)
    register(city.connection, parse(TOML, IN_MG), since=at(10), dry_run=True)

    assert told.carried == 1
    assert everything(city) == before


async def test_who_changed_what_and_why_is_on_record(city: City):
    await send(said(8, no2=20))
    again(city, IN_MG, at(10))
    move(city.connection, "air-1", Site("99001", "gare"), since=at(12), author=ME)
    retire(city.connection, "air-1", since=at(14), author=ME)

    lines = changes.log(city.connection, "air-1")
    assert [(c.action, c.since, c.detail, c.why) for c in lines[1:]] == [
        ("changed", at(10), "99001/mairie; no2: unit ug/m3 → mg/m3", ME.why),
        ("moved", at(12), "99001/mairie → 99001/gare", ME.why),
        ("retired", at(14), "99001/gare", ME.why),
    ]
    assert (lines[0].action, lines[0].since, lines[1].person) == ("new", None, "Ada")


async def test_a_collector_that_read_the_registry_before_a_change_stores_nothing_by_it(city: City):
    async with connected() as connection:
        old = await decoding(connection)
        move(city.connection, "air-1", Site("99001", "gare"), since=at(10), author=ME)
        with pytest.raises(RegistryChanged):
            await store(connection, old.intake([heard(said(12, no2=40))]), HighWater())
        assert await collect(connection, [heard(said(12, no2=40))])

    assert stored(city) == [("gare", "no2", 12, 40.0)]


async def test_a_change_waits_for_what_a_collector_is_committing(city: City, database: str):
    async with connected() as connection:
        intake = (await decoding(connection)).intake([heard(said(12, no2=40))])
        transaction = connection.transaction()
        await transaction.start()
        await store(connection, intake, HighWater())
        moving = asyncio.create_task(
            asyncio.to_thread(_move_elsewhere, database, Site("99001", "gare"))
        )
        await asyncio.to_thread(_until_somebody_waits, city.connection)
        await transaction.commit()
        moved = await asyncio.wait_for(moving, 20)

    assert moved.carried == 1
    assert stored(city) == [("gare", "no2", 12, 40.0)]


async def test_no_collector_waits_while_sensors_that_are_new_are_written(
    city: City, database: str, monkeypatch: pytest.MonkeyPatch
):
    free = []
    original = stretches.insert

    def insert(*args):
        with psycopg.connect(database) as collector:
            collector.execute("SET lock_timeout = '2s'")
            free.append(collector.execute("SELECT city.hold_revision()").fetchone())
        original(*args)

    monkeypatch.setattr(stretches, "insert", insert)
    done = register(city.connection, parse(TOML, CSV + CSV.split("\n")[1].replace("-1", "-2")))

    assert [(one.sensor, one.kind) for one in done.changes] == [
        ("air-1", Kind.UNCHANGED), ("air-2", Kind.NEW)
    ]  # fmt: skip
    assert len(free) == 1


def _move_elsewhere(database: str, site: Site) -> Change:
    with psycopg.connect(database) as own:
        return move(own, "air-1", site, since=at(10), author=ME)


def _until_somebody_waits(connection: psycopg.Connection) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
    limit = time.monotonic() + 15
    while connection.execute(waiting).fetchone() == (0,):
        assert time.monotonic() < limit, "nobody waits"
        time.sleep(0.01)


async def test_a_change_that_dies_between_any_two_statements_leaves_nothing(
    city: City, database: str, monkeypatch: pytest.MonkeyPatch
):
    await send(said(8, no2=20, temp=1), said(12, no2=40, temp=2))
    before, deaths = everything(city), 0
    while _moves(database, monkeypatch, dying_before=deaths + 1) is None:
        deaths += 1
        assert everything(city) == before

    assert deaths >= 20
    assert [site for site, *_ in stored(city)] == ["mairie", "mairie", "gare", "gare"]


def _moves(
    database: str, monkeypatch: pytest.MonkeyPatch, dying_before: int
) -> registry.Registered | None:
    """Register another unit and site; the connection is lost before one of the statements."""
    seen, original = 0, psycopg.Cursor.execute

    def execute(self, *args, **kwargs):
        nonlocal seen
        seen += 1
        if seen == dying_before:
            self.connection.close()
        return original(self, *args, **kwargs)

    csv = IN_MG.replace("mairie", "gare")
    with psycopg.connect(database) as own, monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", execute)
        try:
            return register(own, parse(TOML, csv), since=at(10), author=ME)
        except psycopg.OperationalError:
            return None


def test_a_database_with_readings_keeps_its_series_and_where_they_stand(cluster, monkeypatch):
    cluster.template("blank", lambda conninfo: None)
    conninfo = cluster.clone("blank")
    every = migrations()
    with psycopg.connect(conninfo, autocommit=True) as old:
        monkeypatch.setattr("storage.migrate.migrations", lambda: every[:2])
        monkeypatch.setattr("storage.migrate.save_indicators", lambda *_: None)  # it had none
        monkeypatch.setattr("storage.migrate.renew_grants", lambda *_: [])  # nor readers
        migrate(old)
        old.execute(
            """
            INSERT INTO city.territory (code, name, code_system, timezone)
            VALUES ('99001', 'Essai', 'INSEE', 'Europe/Paris');
            INSERT INTO city.site (territory_id, code, name) VALUES (1, 'mairie', 'Mairie');
            INSERT INTO city.sensor (sensor_id, site_id, code) VALUES (7, 1, 'air-1');
            INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)
            VALUES (7, 'no2', 'no2', 'ug/m3', 1, 0, 60, 'start');
            INSERT INTO air.reading SELECT '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute',
                   n, 1, 2 FROM generate_series(1, 3) n
            """
        )
        monkeypatch.undo()
        migrate(old)

        assert old.execute(
            "SELECT site, valid_from, valid_to, in_service FROM series"
        ).fetchall() == [("mairie", None, None, True)]
        assert old.execute("SELECT count(*) FROM air.readings").fetchone() == (3,)
        assert old.execute("SELECT value FROM air.now").fetchall() == [(3.0,)]
        done = register(old, parse(TOML, "".join(CSV.splitlines(keepends=True)[:2])))
        assert [one.kind for one in done.changes] == [Kind.UNCHANGED]
        moved = move(old, "air-1", Site("99001", "gare"), since=at(10, 2), author=ME)
        assert moved.carried == 2
    cluster.drop(conninfo)


def test_what_was_always_so_is_said_with_the_beginning(city: City):
    changed = again(city, IN_MG, BEGINNING)

    assert (changed.kind, changed.since) == (Kind.CHANGED, None)
    assert history.current(city.connection, "air-1")["no2"].conversion.unit == "mg/m3"
