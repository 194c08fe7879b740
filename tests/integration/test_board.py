"""The board over real HTTP and a real database: what people get, and when things break."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import psycopg
import pytest

from beffroi.embedded.testing import TestCluster
from dashboards.board import app
from dashboards.settings import Settings
from storage.migrate import migrate

ROUTES = ("/", "/now.json", "/method", "/method/no2", "/accessibility", "/healthz", "/metrics",
          "/static/board.css", "/nowhere")  # fmt: skip


@contextlib.asynccontextmanager
async def board(conninfo, **settings):
    """A running board: its HTTP client."""
    stop, ports = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def open_pool():
        return await asyncpg.create_pool(conninfo, min_size=0, max_size=2)

    serving = asyncio.create_task(app.serve(
        stop, "127.0.0.1", 0, settings=Settings(**{"refresh_s": 0.1, **settings}),
        open_pool=open_pool, bound=ports.set_result,
    ))  # fmt: skip
    address = f"http://127.0.0.1:{await ports}"
    try:
        async with httpx.AsyncClient(base_url=address, timeout=10, trust_env=False) as client:
            yield client
    finally:
        stop.set()
        await asyncio.wait_for(serving, 10)


def add_series(connection, metric, *, step_s=60):
    """One sensor of one commune that measures `metric`; returns the series id."""
    connection.execute(
        "INSERT INTO city.territory (code, name, code_system, timezone)"
        " VALUES ('59350', 'Lille', 'insee', 'Europe/Paris') ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO city.site (territory_id, code, name)"
        " SELECT territory_id, 'gare', 'Gare' FROM city.territory"
        " ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO city.sensor (site_id, code)"
        " SELECT site_id, 'k1' FROM city.site ON CONFLICT DO NOTHING"
    )
    return connection.execute(
        "INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)"
        " SELECT sensor_id, %s, %s, '1', 1, 0, %s, 'start' FROM city.sensor WHERE code = 'k1'"
        " RETURNING series_id",
        (metric, metric, step_s),
    ).fetchone()[0]


def add_reading(connection, domain, series, value, *, ago_s=5.0):
    connection.execute(
        f"INSERT INTO {domain}.reading VALUES (%s, %s, %s, 1)",
        (datetime.now(UTC) - timedelta(seconds=ago_s), value, series),
    )


def add_quarter_hour(connection, domain, series, total, *, ago_quarters):
    """A closed quarter-hour with one reading."""
    now = datetime.now(UTC)
    open_since = now - timedelta(
        minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond
    )
    start = open_since - ago_quarters * timedelta(minutes=15)
    connection.execute(
        f"INSERT INTO {domain}.rollup_15min VALUES"
        " (%s, %s, %s, %s, 0, %s, %s, 'NaN', 'NaN', %s, 1, 1, 1, 0, false, '')",
        (start, total, total, total, total, total, series),
    )
    return start


def figure(told, metric):
    return next(f for f in told["figures"] if f["key"] == metric)


async def first_event(client, path="/events"):
    async with client.stream("GET", path) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                return answer, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended without an event")


async def test_a_reading_in_the_database_is_a_number_on_the_page(connection, database):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    async with board(database) as client:
        page = await client.get("/")
        told = (await client.get("/now.json")).json()

    assert page.status_code == 200
    assert re.search(r'data-k="now\.no2\.value">21<', page.text)
    assert "Dioxyde d’azote (NO₂)" in page.text
    assert (figure(told, "no2")["value"], figure(told, "no2")["state"]) == (21.4, "fresh")


async def test_an_empty_database_gives_a_friendly_page(database):
    async with board(database) as client:
        page = await client.get("/")

    assert page.status_code == 200
    assert "Aucun capteur n’est encore inscrit." in page.text


async def test_every_route_carries_the_security_headers(database):
    async with board(database) as client:
        answers = {route: await client.get(route) for route in ROUTES}

    for route, answer in answers.items():
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'"), route
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers
    assert answers["/nowhere"].status_code == 404


async def test_a_page_holds_nothing_inline_and_nothing_foreign(connection, database):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    async with board(database) as client:
        text = (await client.get("/")).text

    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


@pytest.mark.parametrize(("language", "word"), [("fr", "en ce moment"), ("en", "right now"),
                                                ("de", "im Moment")])  # fmt: skip
async def test_the_page_speaks_the_language_asked_for(connection, database, language, word):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    async with board(database) as client:
        page = await client.get("/", params={"lang": language})

    assert f'<html lang="{language}">' in page.text
    assert word in page.text
    assert page.headers["content-language"] == language


@pytest.mark.parametrize(("reference", "said"), [("", True), ("k1", False), ("k*", False),
                                                 ("k?", False), ("x*", True), ("_1", True),
                                                 ("[jk]1", False), ("[!k]1", True), ("k.", True)])  # fmt: skip
async def test_a_pollutant_is_indicative_unless_its_sensors_are_of_reference_quality(
    connection, database, reference, said
):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    add_reading(connection, "air", add_series(connection, "temperature"), 8.0)
    facts = json.dumps({"reference": [reference]} if reference else {})
    connection.execute("INSERT INTO city.trade VALUES ('air', %s)", (facts,))
    async with board(database) as client:
        told = (await client.get("/now.json")).json()

    assert figure(told, "no2")["indicative"] is said
    assert figure(told, "temperature")["indicative"] is False


async def test_voltage_is_never_public(connection, database):
    add_reading(connection, "energy", add_series(connection, "voltage"), 231.0)
    async with board(database) as client:
        told = (await client.get("/now.json")).json()

    assert (told["figures"], told["charts"]) == ([], [])


async def test_people_are_counted_by_closed_quarter_hours_only(connection, database):
    series = add_series(connection, "pedestrians")
    start = add_quarter_hour(connection, "mobility", series, 30.0, ago_quarters=1)
    add_quarter_hour(connection, "mobility", series, 77.0, ago_quarters=0)
    add_reading(connection, "mobility", series, 3.0)
    async with board(database) as client:
        told = (await client.get("/now.json")).json()

    points = figure(told, "pedestrians")["last_24_h"]
    assert [p for p in points if p["value"] is not None] == [
        {"start": start.isoformat(), "value": 30.0}
    ]
    assert "77" not in json.dumps(figure(told, "pedestrians"))


async def test_the_stream_tells_everything_once_and_then_what_changed(connection, database):
    series = add_series(connection, "no2")
    add_reading(connection, "air", series, 21.4, ago_s=60)
    async with board(database) as client, client.stream("GET", "/events?lang=en") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = (
            json.loads(line.removeprefix("data: "))
            async for line in answer.aiter_lines()
            if line.startswith("data: ")
        )
        everything = await anext(events)
        add_reading(connection, "air", series, 38.0, ago_s=1)
        while "now.no2.value" not in (change := await asyncio.wait_for(anext(events), 10)):
            pass

    assert everything["now.no2.value"] == "21"
    assert change["now.no2.value"] == "38"
    assert "now.no2.unit" not in change


async def test_a_hundred_watchers_cost_one_database_round_each_refresh(connection, database):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    async with board(database, refresh_s=30.0) as client:
        await asyncio.gather(*(client.get("/") for _ in range(100)))
        meters = (await client.get("/metrics")).text

    # Of the view, and of the territories.
    assert "beffroi_board_refresh_seconds_count 2.0" in meters
    assert 'beffroi_board_requests_total{route="/",status="200"} 100.0' in meters


async def test_one_territory_has_a_page_of_its_own_and_a_stranger_has_none(connection, database):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    async with board(database) as client:
        own = await client.get("/", params={"territory": "59350"})
        stranger = await client.get("/", params={"territory": "75056"})
        stream = await client.get("/events", params={"territory": "75056"})

    assert '<p class="place">Lille</p>' in own.text
    assert (own.status_code, stranger.status_code, stream.status_code) == (200, 404, 404)


async def test_a_name_from_the_database_is_text_and_never_markup(connection, database):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    connection.execute("UPDATE city.territory SET name = '<script>alert(1)</script>'")
    async with board(database) as client:
        text = (await client.get("/")).text

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


async def test_without_a_database_from_the_start_the_page_says_so_and_answers_503():
    async with board("postgresql://nobody@127.0.0.1:9/none") as client:
        page, health = await client.get("/"), await client.get("/healthz")

    assert page.status_code == 503
    assert page.headers["refresh"] == "5"
    assert "pas encore accessibles" in page.text
    assert health.status_code == 503


@pytest.mark.serial
async def test_a_killed_database_leaves_the_last_data_with_a_banner_and_heals():
    with TestCluster() as own:

        def prepare(conninfo):
            with psycopg.connect(conninfo, autocommit=True) as connection:
                migrate(connection)
                add_reading(connection, "air", add_series(connection, "no2"), 21.4)

        own.template("with_data", prepare)
        async with board(own.clone("with_data")) as client:
            assert "injoignable" not in (await client.get("/")).text

            own.postgres.kill()
            await asyncio.sleep(0.2)
            away = await client.get("/")
            _, event = await first_event(client)
            health = (await client.get("/healthz")).json()

            own.postgres.start()
            for _ in range(50):
                await asyncio.sleep(0.2)
                healed = await client.get("/")
                if "injoignable" not in healed.text:
                    break

    assert away.status_code == 200
    assert "Base de données injoignable\u00a0: dernières données connues" in away.text
    assert re.search(r'data-k="now\.no2\.value">21<', away.text)
    assert event["away"].startswith("Base de données injoignable")
    assert health == {"status": "ok", "database": "away"}
    assert "injoignable" not in healed.text


@pytest.mark.serial
async def test_a_database_that_hangs_delays_nobody(connection, database):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    async with board(database) as client:
        await client.get("/")
        with psycopg.connect(database) as other:
            other.execute("LOCK TABLE city.metric IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(0.2)
            asked = asyncio.get_running_loop().time()
            pages = await asyncio.gather(*(client.get("/") for _ in range(5)))
            waited_s = asyncio.get_running_loop().time() - asked
        told = (await client.get("/now.json")).json()

    assert waited_s < 2.5
    assert all('data-k="now.no2.value">21<' in page.text for page in pages)
    assert figure(told, "no2")["value"] == 21.4


READERS = Path(__file__).parents[2] / "deploy" / "database" / "readers.sql"


@pytest.fixture
def readers(cluster, connection, database):
    """Addresses for the two reading roles, granted by the shipped script."""
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("psql is not installed")
    for _ in range(2):  # it may be run any number of times
        subprocess.run(
            [psql, "--no-psqlrc", "--quiet", f"--file={READERS}", database], check=True,
            env={**os.environ, "BEFFROI_BOARD_PASSWORD": "b1", "BEFFROI_GRAFANA_DB_PASSWORD": "g1"},
        )  # fmt: skip
    rest = database.split("@", 1)[1]
    yield {"board": f"postgresql://beffroi_board:b1@{rest}",
           "grafana": f"postgresql://beffroi_grafana:g1@{rest}"}  # fmt: skip
    for role in ("beffroi_board", "beffroi_grafana"):
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_the_board_works_with_the_grants_of_its_own_role(connection, readers):
    add_reading(connection, "air", add_series(connection, "no2"), 21.4)
    async with board(readers["board"]) as client:
        told = (await client.get("/now.json")).json()

    assert figure(told, "no2")["value"] == 21.4


def test_the_role_of_the_board_reaches_no_table_of_readings_and_no_chunk(connection, readers):
    series = add_series(connection, "no2")
    add_reading(connection, "air", series, 21.4)
    add_quarter_hour(connection, "air", series, 5.0, ago_quarters=1)
    tables = [
        row[0]
        for row in connection.execute(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c"
            "  JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND (n.nspname IN ('air', 'mobility', 'energy', 'pipeline')"
            "    OR c.relname LIKE '\\_hyper%')"
        )
    ]
    assert any("_hyper" in table for table in tables)

    with psycopg.connect(readers["board"], autocommit=True) as reader:
        assert reader.execute("SELECT value FROM board.air_now").fetchone()[0] == 21.4
        assert reader.execute("SELECT count(*) FROM board.air_quarter_hours").fetchone()[0] == 1
        for table in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"SELECT * FROM {table}")
        reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("UPDATE city.metric SET public_step_s = 1")


STAFF = {
    "air.figures": "reader.air_figures", "mobility.figures": "reader.mobility_figures",
    "energy.figures": "reader.energy_figures", "public.alerts": "reader.alerts",
    "city.measures": "reader.measures",
}  # fmt: skip


@pytest.mark.parametrize("view", STAFF)
def test_staff_may_look_at_figures_alerts_and_measures_and_the_board_may_not(readers, view):
    with psycopg.connect(readers["grafana"], autocommit=True) as staff:
        shown = STAFF[view]
        assert staff.execute(f"SELECT count(*) FROM {shown}").fetchone()[0] == 0
    with (
        psycopg.connect(readers["board"], autocommit=True) as citizen,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        citizen.execute(f"SELECT count(*) FROM {view}")
