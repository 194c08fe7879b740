"""A city with odd senders, messages as a collector stores them, and books that must balance."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import psycopg

from collector.again import Replayed, replay
from collector.decode import Decoding
from collector.source import Message
from storage import database
from storage.allowance import Allowance
from storage.audit import recount
from storage.city import parse
from storage.high_water import HighWater
from storage.ingest import store
from storage.intake import Outcome
from storage.refused import Selection
from storage.registry import load_routes, register
from tests.essai import ESSAI

TOML = (
    ESSAI
    + """[[binding]]
topic = "city/{site}/{sensor}"
[[binding]]
topic = "senml/#"
format = "senml"
"""
)
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp
99001,mairie,air-1,no2,,,60,start
99001,mairie,air-1,temperature,temp,Cel,60,start
"""
AIR_2 = "99001,mairie,air-2,no2,,,60,start\n"
ALL = Selection()
NINE = datetime.datetime(2026, 3, 1, 9, tzinfo=datetime.UTC)


class City:
    """The registry as one file after the other says it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.toml, self.csv = TOML, CSV
        self.write()

    def write(self, since: datetime.datetime | None = None) -> None:
        register(self.connection, parse(self.toml, self.csv), since=since)

    def add(self, line: str) -> None:
        self.csv += line
        self.write()

    def values(self) -> list[tuple[str, str, float]]:
        """(sensor, metric, value) of all that is stored."""
        return self.connection.execute(
            "SELECT sensor, metric, value FROM air.readings ORDER BY sensor, metric, time"
        ).fetchall()

    def refusals(self) -> list[tuple[int, str, str, str, int]]:
        return self.connection.execute(
            "SELECT r.message_id, s.code, r.field, r.reason, r.readings"
            "  FROM pipeline.refusal r JOIN city.sensor s USING (sensor_id) ORDER BY refusal_id"
        ).fetchall()

    def ledger(self) -> dict[str, tuple[int, ...]]:
        """Received, decoded, refused; decoded, stored, duplicate, refused per sensor."""
        rows = self.connection.execute(
            """
            SELECT s.code, sum(messages_received)::int, sum(messages_decoded)::int,
                   sum(messages_refused)::int, sum(readings_decoded)::int,
                   sum(readings_stored)::int, sum(readings_duplicate)::int,
                   sum(readings_refused)::int
              FROM pipeline.ledger JOIN city.sensor s USING (sensor_id) GROUP BY 1
            """
        )
        return {code: tuple(counts) for code, *counts in rows if any(counts)}

    def assert_balanced(self) -> None:
        """Both equations per sensor-hour, and the tables counted anew."""
        assert recount(self.connection).findings == []
        below = self.connection.execute(
            "SELECT * FROM pipeline.ledger WHERE least(messages_received, messages_decoded,"
            " messages_refused, readings_decoded, readings_stored, readings_duplicate,"
            " readings_refused, messages_qos0) < 0"
        ).fetchall()
        assert below == []


_micro = itertools.count()


def message(
    topic: str, payload: object, *, at: datetime.datetime = NINE, retain: bool = False, qos: int = 1
) -> Message:
    """As from a source: reception times differ."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    received_us = round(at.timestamp() * 1e6) + next(_micro)
    return Message(1, 1, qos, topic, data, received_us, retain)


def reading(minute: int, **values: object) -> dict[str, object]:
    return {"time": f"2026-03-01T08:{minute:02d}:00Z", **values}


@asynccontextmanager
async def connected() -> AsyncIterator[asyncpg.Connection]:
    connection = await database.connect("beffroi test")
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def decoding(connection: asyncpg.Connection) -> Decoding:
    return Decoding(
        await load_routes(connection),
        payload_bytes=256 * 1024,
        oldest=datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC),
        ahead_s=600,
    )


async def collect(
    connection: asyncpg.Connection,
    messages: Sequence[Message],
    allowance: Allowance | None = None,
) -> Outcome:
    """What the collector does with one batch."""
    intake = (await decoding(connection)).intake(messages)
    return await store(connection, intake, HighWater(), allowance=allowance)


async def replay_all(connection: asyncpg.Connection, selection: Selection = ALL) -> Replayed:
    return await replay(connection, await decoding(connection), selection, person="somebody")
