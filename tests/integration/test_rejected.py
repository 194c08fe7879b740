"""What the database will not have: its own state is waited out, a bad row is found and refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import psycopg
import pytest

from beffroi.embedded.testing import TestBroker
from collector.decode import Decoding
from collector.source import Message
from storage.intake import Intake
from tests.integration.collecting import TOPIC, collecting, publish, reading, until

# Answers of the database that are about itself, forced by a trigger that gives them.
FAIL = """
CREATE OR REPLACE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {when} THEN RAISE EXCEPTION 'forced' USING ERRCODE = '{state}'; END IF;
    RETURN new;
END $$;
CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.fail();
"""


def fail(city: psycopg.Connection, table: str, state: str, when: str = "true") -> None:
    city.execute(FAIL.format(table=table, state=state, when=when).encode())


PASSING = {
    "08006": "connection failure", "25006": "read-only", "25P03": "idle in transaction",
    "40001": "serialization", "40P01": "deadlock", "42501": "no right", "42703": "no column",
    "42P01": "no table", "53100": "disk full", "53200": "out of memory",
    "53300": "too many connections", "55P03": "lock not available", "55006": "object in use",
    "57014": "statement timeout", "57P01": "admin shutdown", "57P02": "crash shutdown",
    "57P03": "cannot connect now", "58030": "input/output error", "58P01": "no file",
    "XX000": "could not extend file", "XX001": "data corrupted", "XX002": "index corrupted",
    "28P01": "wrong password",
}  # fmt: skip


async def test_no_state_of_the_server_makes_a_refusal_of_a_message(
    broker: TestBroker, city: psycopg.Connection
):
    message = (TOPIC, reading("2026-03-01T10:00:00Z", no2=1))
    async with collecting(broker, "states") as (pipeline, _):
        for number, state in enumerate(PASSING, 1):
            fail(city, "pipeline.batch", state)
            publish(broker, [(TOPIC, reading(f"2026-03-01T10:{number:02d}:00Z", no2=1))])
            await until(lambda: "forced" in pipeline.lease.problem)
            assert pipeline.totals.messages == number - 1, PASSING[state]
            city.execute("DROP TRIGGER fail ON pipeline.batch")
            await until(lambda n=number: pipeline.totals.stored == n)
        publish(broker, [message])
        await until(lambda: pipeline.totals.stored == 24)

    assert city.execute("SELECT count(*) FROM pipeline.refusal").fetchone() == (0,)


@pytest.mark.parametrize("state", ["21000", "22012", "23514", "54000"])
async def test_a_reading_that_the_database_will_never_have_is_found_and_refused_alone(
    broker: TestBroker, city: psycopg.Connection, state: str
):
    fail(city, "air.reading", state, "new.value = 13")
    messages = [
        (TOPIC, reading(f"2026-03-01T10:{minute:02d}:00Z", no2=minute)) for minute in range(20)
    ]
    async with collecting(broker, f"poison-{state}") as (pipeline, _):
        publish(broker, messages, wait=False)
        await until(lambda: pipeline.totals.messages == 20)

    assert (pipeline.totals.stored, pipeline.totals.messages_refused) == (19, 1)
    assert city.execute("SELECT reason, payload FROM pipeline.refusal").fetchall() == [
        ("rejected", messages[13][1])
    ]


async def test_a_refusal_that_the_database_will_not_have_is_kept_without_its_payload(
    broker: TestBroker, city: psycopg.Connection
):
    fail(city, "air.reading", "23514", "new.value = 13")
    fail_again = FAIL.replace("public.fail", "public.fail_again").replace(" fail ", " fail_again ")
    city.execute(
        fail_again.format(
            table="pipeline.refusal", state="23514", when="length(new.payload) > 0"
        ).encode()
    )
    poison = reading("2026-03-01T10:00:00Z", no2=13)
    async with collecting(broker, "bare") as (pipeline, _):
        publish(broker, [(TOPIC, poison), (TOPIC, reading("2026-03-01T10:01:00Z", no2=1))])
        await until(lambda: pipeline.totals.messages == 2)

    assert pipeline.totals.stored == 1
    assert city.execute(
        "SELECT reason, payload, bytes, topic FROM pipeline.refusal"
    ).fetchall() == [("rejected", b"", len(poison), TOPIC)]


async def test_what_cannot_even_be_refused_is_not_acknowledged(
    broker: TestBroker,
    city: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr("collector.pipeline._FIRST_WAIT_S", 0.05)
    fail(city, "pipeline.batch", "23514")
    async with collecting(broker, "never") as (pipeline, source):
        publish(broker, [(TOPIC, reading("2026-03-01T10:00:00Z", no2=1))])
        await until(lambda: caplog.text.count("rejected even without its payload") >= 2)
        assert (pipeline.totals.messages, pipeline.in_hand) == (0, 1)
        # A traceback would quote what was masked.
        assert "Traceback" not in caplog.text
    city.execute("DROP TRIGGER fail ON pipeline.batch")
    async with collecting(broker, "never") as (pipeline, source):
        await until(lambda: pipeline.totals.messages == 1)
        assert source.redelivered == 1

    assert city.execute("SELECT value FROM air.reading").fetchall() == [(1.0,)]


async def test_a_message_that_breaks_our_own_code_is_refused_and_stops_nobody(
    broker: TestBroker,
    city: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    intake = Decoding.intake

    def stumble(self: Decoding, messages: Sequence[Message]) -> Intake:
        if any(b"13" in message.payload for message in messages):
            raise ZeroDivisionError("a mistake of ours")
        return intake(self, messages)

    monkeypatch.setattr(Decoding, "intake", stumble)
    async with collecting(broker, "bug") as (pipeline, _):
        messages = [(TOPIC, reading(f"2026-03-01T10:0{n}:00Z", no2=n + 9)) for n in range(8)]
        publish(broker, messages, wait=False)
        await until(lambda: pipeline.totals.messages == 8)

    assert pipeline.totals.stored == 7
    assert city.execute("SELECT reason, detail FROM pipeline.refusal").fetchall() == [
        ("rejected", "ZeroDivisionError: a mistake of ours")
    ]
    told = r"error=ZeroDivisionError: a mistake of ours at=test_rejected.py:\d+"
    assert re.search(told, caplog.text)


async def test_a_machine_without_memory_refuses_no_message(
    broker: TestBroker, city: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    intake = Decoding.intake
    full = True

    def starve(self: Decoding, messages: Sequence[Message]) -> Intake:
        if full:
            raise MemoryError
        return intake(self, messages)

    monkeypatch.setattr(Decoding, "intake", starve)
    monkeypatch.setattr("collector.pipeline._FIRST_WAIT_S", 0.1)
    async with collecting(broker, "memory") as (pipeline, _):
        messages = [(TOPIC, reading(f"2026-03-01T10:0{n}:00Z", no2=n)) for n in range(8)]
        await asyncio.to_thread(publish, broker, messages, wait=False)
        await asyncio.sleep(0.5)
        assert pipeline.totals.messages == 0
        full = False
        await until(lambda: pipeline.totals.messages == 8)

    assert pipeline.totals.stored == 8
