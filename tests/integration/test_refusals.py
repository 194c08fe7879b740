"""Refusals replayed after a fix: stored once, and the books still balance."""

from __future__ import annotations

import asyncio
import datetime
import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from collector.again import Replayed, replay
from storage.reading import Reason
from storage.refused import Selection, newest
from storage.timeline import BEGINNING
from tests.integration.refused_city import (
    AIR_2,
    ALL,
    NINE,
    City,
    collect,
    connected,
    decoding,
    message,
    reading,
    replay_all,
)

AIR_1_TOPIC, AIR_2_TOPIC = "city/mairie/air-1", "city/mairie/air-2"


@pytest.fixture
def city(connection: psycopg.Connection) -> City:
    return City(connection)


async def test_a_sensor_registered_afterwards_gets_its_readings_in_their_hour(city: City):
    async with connected() as connection:
        sent = [message(AIR_2_TOPIC, reading(n, no2=n), qos=n % 2) for n in range(4)]
        await collect(connection, sent)
        assert city.ledger() == {"(unknown sensor)": (4, 0, 4, 0, 0, 0, 0)}
        city.add(AIR_2)

        done = await replay_all(connection, Selection(sensor="air-2"))

    assert done == Replayed(messages=4, settled=4, stored=4)
    assert city.values() == [("air-2", "no2", float(n)) for n in range(4)]
    assert city.refusals() == []
    assert city.ledger() == {"air-2": (4, 4, 0, 4, 4, 0, 0)}
    hours = city.connection.execute(
        "SELECT hour, sensor_id > 0, messages_qos0 FROM pipeline.ledger ORDER BY 2"
    ).fetchall()
    assert hours == [(NINE, False, 0), (NINE, True, 2)]
    city.assert_balanced()
    marks = city.connection.execute("SELECT start FROM pipeline.dirty").fetchall()
    assert marks == [(datetime.datetime(2026, 3, 1, 8, tzinfo=datetime.UTC),)]
    logged = city.connection.execute(
        "SELECT person, action, readings, start, stop > start FROM pipeline.action"
    ).fetchall()
    assert [(row[0], row[1], row[2], row[4]) for row in logged] == [("somebody", "replay", 4, True)]


async def test_readings_that_were_accepted_before_do_not_count_twice(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, reading(1, no2=5, temp=7, humidity=40))])
        assert city.ledger() == {"air-1": (1, 1, 0, 3, 2, 0, 1)}
        city.add("99001,mairie,air-1,humidity,,,60,start\n")

        done = await replay_all(connection)

    assert done == Replayed(messages=1, settled=1, stored=1)
    assert city.ledger() == {"air-1": (1, 1, 0, 3, 3, 0, 0)}
    city.assert_balanced()


async def test_readings_sent_again_meanwhile_count_as_duplicates(city: City):
    async with connected() as connection:
        once = reading(1, no2=5, humidity=40)
        await collect(connection, [message(AIR_1_TOPIC, once)])
        city.add("99001,mairie,air-1,humidity,,,60,start\n")
        await collect(connection, [message(AIR_1_TOPIC, once)])
        assert city.ledger() == {"air-1": (2, 2, 0, 4, 2, 1, 1)}

        done = await replay_all(connection)

    assert done == Replayed(messages=1, settled=1, duplicate=1)
    assert city.ledger() == {"air-1": (2, 2, 0, 4, 2, 2, 0)}
    city.assert_balanced()


async def test_a_corrected_unit_lets_its_readings_in(city: City):
    city.csv = city.csv.replace("temp,Cel", "temp,K")
    city.write()
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, reading(1, temp=20, no2=3))])
        assert [row[3] for row in city.refusals()] == ["out_of_range"]
        city.csv = city.csv.replace("temp,K", "temp,Cel")
        city.write()

        done = await replay_all(connection)

    assert done == Replayed(messages=1, settled=1, stored=1)
    assert city.values() == [("air-1", "no2", 3.0), ("air-1", "temperature", 20.0)]
    city.assert_balanced()


async def test_a_value_accepted_under_another_unit_stays_and_counts_once(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, reading(1, temp=40, odd=1))])
        city.csv = city.csv.replace("temp,Cel", "temp,[degF]")
        city.toml = city.toml.replace('{sensor}"', '{sensor}"\nignore = ["odd"]')
        city.write(BEGINNING)

        done = await replay_all(connection)

    assert done == Replayed(messages=1, settled=1, differing=1)
    assert city.values() == [("air-1", "temperature", 40.0)]
    assert city.ledger() == {"air-1": (1, 1, 0, 1, 1, 0, 0)}
    city.assert_balanced()


async def test_a_reading_refused_before_is_not_taken_for_one_accepted_before(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, reading(1, temp=40, humidity=30))])
        city.add("99001,mairie,air-1,humidity,,,60,start\n")
        await collect(connection, [message(AIR_1_TOPIC, reading(1, humidity=30))])
        city.csv = city.csv.replace("temp,Cel", "temp,[degF]")
        city.write(BEGINNING)

        done = await replay_all(connection)

    # The humidity came twice and was refused once; the temperature was accepted and stays.
    assert done == Replayed(messages=1, settled=1, duplicate=1, differing=1)
    assert city.ledger() == {"air-1": (2, 2, 0, 3, 2, 1, 0)}
    city.assert_balanced()


async def test_an_ignored_field_is_no_refusal_any_more(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, reading(1, no2=5, odd=1, battery=3))])
        city.toml = city.toml.replace('{sensor}"', '{sensor}"\nignore = ["battery"]')
        city.write()

        done = await replay_all(connection)

    assert done == Replayed(messages=1, refused=1)
    assert [row[2:] for row in city.refusals()] == [("odd", "unknown_field", 1)]
    assert city.ledger() == {"air-1": (1, 1, 0, 2, 1, 0, 1)}
    city.assert_balanced()


async def test_a_pack_of_several_sensors_moves_each_reading_to_its_own(city: City):
    pack = [
        {"bn": "air-3:", "bt": 1772352000, "n": "no2", "u": "ug/m3", "v": 1},
        {"bn": "air-1:", "n": "no2", "u": "ug/m3", "v": 2},
        {"bn": "air-2:", "n": "no2", "u": "ug/m3", "v": 3},
        {"bn": "air-2:", "n": "no2", "u": "lux", "v": 4, "t": 60},
    ]
    async with connected() as connection:
        await collect(connection, [message("senml/x", pack)])
        assert city.ledger() == {
            "(unknown sensor)": (0, 0, 0, 3, 0, 0, 3),
            "air-1": (1, 1, 0, 1, 1, 0, 0),
        }
        city.add(AIR_2)

        first = await replay_all(connection)
        counts = city.ledger()
        city.assert_balanced()
        city.add(AIR_2.replace("air-2", "air-3"))
        second = await replay_all(connection)

    assert first == Replayed(messages=1, refused=1, stored=1)
    assert counts == {
        "(unknown sensor)": (0, 0, 0, 1, 0, 0, 1),
        "air-1": (1, 1, 0, 1, 1, 0, 0),
        "air-2": (0, 0, 0, 2, 1, 0, 1),
    }
    assert second == Replayed(messages=1, refused=1, stored=1)
    assert [row[1:4] for row in city.refusals()] == [("air-2", "no2", "bad_unit")]
    assert len(city.values()) == 3
    city.assert_balanced()


async def test_a_conflict_stays_a_conflict_and_keeps_its_id(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, reading(1, no2=5))])
        await collect(connection, [message(AIR_1_TOPIC, reading(1, no2=6, temp=1))])
        before = city.refusals(), city.ledger()

        done = await replay_all(connection)

    assert done == Replayed(messages=1, refused=1)
    assert (city.refusals(), city.ledger()) == before
    assert city.connection.execute("SELECT count(*) FROM pipeline.action").fetchone() == (0,)


async def test_what_was_refused_as_personal_stays_so(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, {"no2": "AB-123-CD", "temp": 1})])
        before = city.refusals(), city.ledger()

        done = await replay_all(connection)

    assert done == Replayed(messages=1, refused=1)
    assert [row[3] for row in before[0]] == ["personal"]
    assert (city.refusals(), city.ledger()) == before


async def test_a_second_replay_finds_nothing_to_do(city: City):
    async with connected() as connection:
        sent = [message(AIR_2_TOPIC, reading(n, no2=n, odd=n)) for n in range(3)]
        await collect(connection, [*sent, message(AIR_2_TOPIC, b"{")])
        city.add(AIR_2)

        first = await replay_all(connection)
        before = city.refusals(), city.ledger()
        second = await replay_all(connection)

    assert first == Replayed(messages=4, refused=4, stored=3)
    assert second == Replayed(messages=4, refused=4)
    assert (city.refusals(), city.ledger()) == before
    assert city.ledger() == {"air-2": (4, 3, 1, 6, 3, 0, 3)}
    city.assert_balanced()


async def test_a_message_without_a_time_is_dated_by_its_first_reception(city: City):
    async with connected() as connection:
        sent = message(AIR_2_TOPIC, {"no2": 5})
        await collect(connection, [sent])
        city.add(AIR_2)
        await replay_all(connection)

    (at,) = city.connection.execute("SELECT time FROM air.reading").fetchone() or ()
    assert round(at.timestamp() * 1e6) == sent.received_us


async def test_a_retained_message_without_a_time_gets_none_by_a_replay(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_2_TOPIC, {"no2": 5}, retain=True)])
        city.add(AIR_2)

        done = await replay_all(connection)

    assert done == Replayed(messages=1, refused=1)
    assert city.values() == []
    assert [row[2:4] for row in city.refusals()] == [("no2", "bad_time")]
    city.assert_balanced()


async def test_a_replay_makes_nothing_worse(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_1_TOPIC, reading(1, no2=5, odd=1))])
        before = city.refusals(), city.ledger()
        city.toml = city.toml.replace("city/{site}/{sensor}", "other/{site}/{sensor}")
        city.write()

        done = await replay_all(connection)

    assert done == Replayed(messages=1, refused=1)
    assert (city.refusals(), city.ledger()) == before


async def test_a_payload_that_was_cut_is_not_replayed(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_2_TOPIC, b'{"no2": ' + b" " * 300_000 + b"1}")])
        city.add(AIR_2)
        done = await replay_all(connection)

    assert done == Replayed(messages=1, cut=1)
    assert [row[3] for row in city.refusals()] == ["too_large"]


async def test_a_selection_means_just_what_it_says(city: City):
    async with connected() as connection:
        ten = NINE + datetime.timedelta(hours=1)
        await collect(
            connection,
            [
                message(AIR_2_TOPIC, reading(1, no2=1)),
                message(AIR_1_TOPIC, b"{"),
                message("city/a.b/air-9", b'{"x": 1}', at=ten),
                message("senml/a", [{"bn": "air-2:", "n": "no2", "v": 1}]),
            ],
        )

        async def topics(**limits: object) -> list[str]:
            found = await newest(connection, Selection(**limits), 10)  # type: ignore[arg-type]
            return sorted(one.topic for one in found)

        assert await topics(sensor="air-2") == [AIR_2_TOPIC, "senml/a"]
        assert await topics(sensor="air-1") == [AIR_1_TOPIC]
        assert await topics(topic="city/+/air-2") == [AIR_2_TOPIC]
        assert await topics(topic="city/a.b/#") == ["city/a.b/air-9"]
        assert await topics(topic="city/aXb/#") == []
        assert await topics(reason=Reason.BAD_PAYLOAD) == [AIR_1_TOPIC]
        assert await topics(start=ten) == ["city/a.b/air-9"]
        assert len(await topics(stop=ten)) == 3


async def test_two_replays_at_once_store_everything_once(city: City):
    async with connected() as one, connected() as other:
        for part in range(4):
            at = NINE + datetime.timedelta(minutes=part)
            sent = [message(AIR_2_TOPIC, {"no2": n % 50}, at=at) for n in range(600)]
            await collect(one, sent)
        city.add(AIR_2)

        results = await asyncio.gather(replay_all(one), replay_all(other))

    assert sum(done.stored for done in results) == 2400
    assert sum(done.settled for done in results) == 2400
    assert city.refusals() == []
    assert city.ledger() == {"air-2": (2400, 2400, 0, 2400, 2400, 0, 0)}
    city.assert_balanced()


async def test_a_replay_leaves_alone_what_somebody_else_works_on(city: City, database: str):
    async with connected() as connection:
        await collect(connection, [message(AIR_2_TOPIC, reading(n, no2=n)) for n in range(2)])
        city.add(AIR_2)
        with psycopg.connect(database) as holding:
            holding.execute("SELECT FROM pipeline.refusal ORDER BY refusal_id LIMIT 1 FOR UPDATE")
            done = await replay_all(connection)

    assert done == Replayed(messages=2, settled=1, busy=1, stored=1)
    city.assert_balanced()


async def test_a_dry_run_changes_nothing(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_2_TOPIC, reading(1, no2=1))])
        city.add(AIR_2)
        before = city.refusals(), city.ledger()

        done = await replay(
            connection, await decoding(connection), ALL, person="somebody", dry_run=True
        )

    assert done == Replayed(messages=1, settled=1, stored=1)
    assert (city.refusals(), city.ledger(), city.values()) == (*before, [])


@pytest.mark.serial
async def test_a_replay_killed_half_way_can_be_repeated(city: City, database: str):
    async with connected() as connection:
        for part in range(6):
            at = NINE + datetime.timedelta(minutes=part)
            await collect(
                connection, [message(AIR_2_TOPIC, {"no2": n % 50}, at=at) for n in range(500)]
            )
        city.add(AIR_2)
        # Slow enough to be hit in the middle, inside a transaction.
        city.connection.execute(
            "CREATE FUNCTION pipeline.slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$"
        )
        city.connection.execute(
            "CREATE TRIGGER slow AFTER DELETE ON pipeline.refusal"
            " FOR EACH STATEMENT EXECUTE FUNCTION pipeline.slow()"
        )
        process = subprocess.Popen([sys.executable, "-m", "beffroi", "refusals", "replay", "--all"])
        deadline = time.monotonic() + 30
        while not (stored := len(city.values())) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        assert 0 < stored < 3000
        city.connection.execute("DROP TRIGGER slow ON pipeline.refusal")
        while city.connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'beffroi refusals'"
            " AND datname = current_database()"
        ).fetchone() != (0,):
            await asyncio.sleep(0.05)
        half = len(city.values())
        city.assert_balanced()

        done = await replay_all(connection)

    assert half % 500 == 0
    assert done.stored == 3000 - half > 0
    assert city.ledger() == {"air-2": (3000, 3000, 0, 3000, 3000, 0, 0)}
    city.assert_balanced()


async def test_a_message_that_the_database_will_not_have_does_not_stop_the_others(city: City):
    async with connected() as connection:
        await collect(connection, [message(AIR_2_TOPIC, reading(n, no2=n)) for n in range(5)])
        city.add(AIR_2)
        city.connection.execute("ALTER TABLE air.reading ADD CHECK (value <> 3)")

        done = await replay_all(connection)

    assert done == Replayed(messages=5, settled=4, refused=1, stored=4)
    city.assert_balanced()
