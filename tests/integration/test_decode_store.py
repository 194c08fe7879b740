"""Whatever is decoded can be stored, and the books balance after it."""

from __future__ import annotations

import asyncio

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.decode import Decoding
from collector.source import Message
from storage import audit, ingest
from storage.city import parse
from storage.database import connect
from storage.high_water import HighWater
from storage.registry import load_routes, register
from tests.integration.collecting import CSV, TOML
from tests.unit.small_routes import OLDEST, PAYLOAD_BYTES
from tests.unit.test_decode_properties import PAYLOADS, counted, message

TOPICS = st.sampled_from(
    ["city/99001/mairie/air-1", "city/99001/mairie/air-1", "city/99001/ecole/meter-1",
     "city/99001/x/nobody", "senml/x", "nowhere"]
) | st.text(st.characters(codec="utf-8"), max_size=8)  # fmt: skip
LIKELY = st.builds(
    lambda second, value: b'{"time": %d, "no2": %d, "temp": 50}' % (1_772_000_000 + second, value),
    st.integers(0, 300),
    st.integers(0, 5),
)
BATCHES = st.lists(
    st.builds(message, TOPICS, PAYLOADS, st.integers(0, 50), retain=st.booleans())
    | st.builds(message, st.just("city/99001/mairie/air-1"), LIKELY, st.integers(0, 50)),
    min_size=1,
    max_size=8,
)
READINGS = "SELECT (SELECT count(*) FROM air.reading) + (SELECT count(*) FROM energy.reading)"


def test_any_messages_can_be_stored_and_the_ledger_balances(
    database: str, connection: psycopg.Connection
):
    register(connection, parse(TOML, CSV))
    stored = refused = 0
    with asyncio.Runner() as runner:
        writer, high_water, reader = runner.run(begun())

        @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(messages=BATCHES)
        def stores(messages: list[Message]) -> None:
            nonlocal stored, refused
            intake = reader.intake(messages)
            count = counted(intake, messages)
            outcome = runner.run(ingest.store(writer, intake, high_water))
            assert outcome.messages == count["messages"]
            assert outcome.messages_refused == int(intake.message_refused.sum())
            assert outcome.stored + outcome.duplicate <= count["readings"]
            assert connection.execute(READINGS).fetchone() == (stored + outcome.stored,)
            stored += outcome.stored
            refused += outcome.refused

        stores()
        runner.run(writer.close())

    with psycopg.connect(database) as reading:
        assert audit.recount(reading).findings == []
    assert min(stored, refused) > 100


async def begun():
    writer = await connect("test")
    high_water = HighWater()
    await high_water.load(writer)
    routes = await load_routes(writer)
    return (
        writer,
        high_water,
        Decoding(routes, payload_bytes=PAYLOAD_BYTES, oldest=OLDEST, ahead_s=600),
    )


def test_what_is_kept_of_a_conflict_is_masked(database: str, connection: psycopg.Connection):
    register(connection, parse(TOML, CSV))
    said = b'{"time": 1772000000, "no2": %d, "battery": "AB-123-CD"}'
    topic = "city/99001/mairie/air-1"
    with asyncio.Runner() as runner:
        writer, high_water, reader = runner.run(begun())
        for value in (5, 6):
            intake = reader.intake([message(topic, said % value)])
            runner.run(ingest.store(writer, intake, high_water))
        runner.run(writer.close())

    rows = connection.execute("SELECT reason, payload, masked, bytes FROM pipeline.refusal")
    kept = b'{"time": 1772000000, "no2": 6, "battery": "**-***-**"}'
    assert rows.fetchall() == [("conflict", kept, True, len(kept))]
