"""A city of three sensors, messages of every fate, and a collector without a broker."""

from __future__ import annotations

import datetime
import json
import uuid

import asyncpg
import psycopg

from collector.decode import Decoding
from collector.source import Message
from storage import audit, ingest
from storage.balance import Equation
from storage.high_water import HighWater
from storage.intake import Outcome
from storage.registry import load_routes
from tests.essai import ESSAI

TOML = (
    ESSAI
    + """[[binding]]
topic = "city/{territory}/{site}/{sensor}"
"""
)
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp
99001,mairie,air-1,no2,,,60,start
99001,mairie,air-1,temperature,temp,,60,start
99001,ecole,meter-1,energy_import,index,,900,start
"""
AIR, METER = "city/99001/mairie/air-1", "city/99001/ecole/meter-1"
TEN = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
NONE = datetime.timedelta(0)


class Collector:
    """Stores messages as the collector's pipeline does, without a broker."""

    def __init__(self, connection: asyncpg.Connection, decoding: Decoding) -> None:
        self.connection = connection
        self._decoding = decoding
        self.high_water = HighWater()

    async def receive(
        self,
        *sent: tuple[str, bytes],
        at: datetime.datetime = TEN,
        qos: int = 1,
        attempt: uuid.UUID | None = None,
        repeated: bool = False,
    ) -> Outcome:
        start = int(at.timestamp()) * 1_000_000
        messages = [
            Message(1, number, qos, topic, payload, start + number)
            for number, (topic, payload) in enumerate(sent)
        ]
        intake = self._decoding.intake(messages)
        return await ingest.store(
            self.connection, intake, self.high_water, attempt=attempt, repeated=repeated
        )


def air(minute: int, no2: float = 20.0, **more: float) -> tuple[str, bytes]:
    time = TEN + datetime.timedelta(minutes=minute)
    return AIR, json.dumps({"time": time.isoformat(), "no2": no2, **more}).encode()


def meter(minute: int, index: float = 100.0) -> tuple[str, bytes]:
    time = TEN + datetime.timedelta(minutes=minute)
    return METER, json.dumps({"time": time.isoformat(), "index": index}).encode()


BROKEN = (AIR, b"{broken")
STRANGER = ("city/99001/mairie/nobody", b'{"no2": 1}')
UNREADABLE = ("elsewhere/x", b"1")
WRONG_FIELD = (AIR, b'{"nitrogen": 1}')
A_BIT_OF_EVERYTHING = (
    air(0, temp=9.5), air(1), meter(0), air(1), air(1, no2=21.0), BROKEN, STRANGER, UNREADABLE,
    WRONG_FIELD,
)  # fmt: skip
"""9 messages, 3 of them refused; 7 readings: 4 stored, 1 duplicate, 2 refused."""


async def opened(database: str) -> Collector:
    connection = await asyncpg.connect(database, server_settings={"timezone": "UTC"})
    routes = await load_routes(connection)
    oldest = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    return Collector(
        connection, Decoding(routes, payload_bytes=262_144, oldest=oldest, ahead_s=366 * 86_400)
    )


def count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def findings(connection: psycopg.Connection) -> list[tuple[Equation, int, int]]:
    return [
        (f.difference.equation, f.difference.ledger, f.difference.found)
        for f in audit.recount(connection).findings
    ]
