"""Join the stages: a batch from the source, decoded, committed, acknowledged.

With QoS 1 and a persistent session a crash costs a redelivery, never a reading: a message
is acknowledged only after the commit that stores its readings or its refusal. One commit
is in flight; whatever arrives meanwhile is the next batch. While the database is away
nothing is acknowledged, so the broker holds the backlog and memory stays bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import asyncpg
from prometheus_client import Counter, Gauge, Histogram

from collector.decode import Decoding, has_strangers
from collector.settings import Settings
from collector.source import Message, Source
from collector.topics import filters
from storage import database, ingest
from storage.high_water import HighWater
from storage.intake import Outcome
from storage.reading import Reason
from storage.registry import Routes, load_routes

log = logging.getLogger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 15.0
_REGISTRY_S = 2.0

MESSAGES = Counter("beffroi_collector_messages_total", "Messages received and committed")
QOS0 = Counter("beffroi_collector_qos0_messages_total", "Of these at QoS 0, which nothing protects")
STORED = Counter("beffroi_collector_readings_stored_total", "Readings stored")
DUPLICATE = Counter(
    "beffroi_collector_readings_duplicate_total", "Readings that were stored before"
)
REFUSED = Counter("beffroi_collector_refused_total", "Readings and messages refused", ["reason"])
COMMIT_S = Histogram(
    "beffroi_collector_commit_seconds",
    "Time to commit one batch",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
BATCH = Histogram(
    "beffroi_collector_batch_messages",
    "Messages per commit",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000),
)
DATABASE_UP = Gauge("beffroi_collector_database_up", "1 while the last commit succeeded")


T = TypeVar("T")


class Stopped(Exception):
    """The program was told to stop while the database was away."""


@dataclass(slots=True)
class Totals:
    """What this process has committed so far."""

    messages: int = 0
    messages_refused: int = 0
    decoded: int = 0
    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    batches: int = 0
    database_problem: str = ""
    last_commit: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome) -> None:
        """Count one committed batch."""
        self.batches += 1
        self.messages += outcome.messages
        self.messages_refused += outcome.messages_refused
        self.decoded += outcome.decoded
        self.stored += outcome.stored
        self.duplicate += outcome.duplicate
        self.refused += outcome.refused
        self.last_commit = time.monotonic()


class Pipeline:
    """Moves messages from one source into the database until the source is closed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: asyncpg.Connection | None = None
        self._high_water = HighWater()
        self._decoding: Decoding | None = None
        self._stopping = False
        # One connection serves commits and look-ups, one at a time.
        self._busy = asyncio.Lock()
        self.totals = Totals()

    async def prepare(self) -> Routes:
        """Connect and read the registry; waits for a database that is away."""
        routes = await self._persist(self._load_routes)
        log.info(
            "registry loaded sensors=%d series=%d bindings=%d revision=%d",
            len(routes.sensors), len(routes.series), len(routes.bindings), routes.revision,
        )  # fmt: skip
        return routes

    async def run(self, source: Source) -> None:
        """Store every admissible reading, then acknowledge its message."""
        if self._decoding is None:
            await self.prepare()
        following = asyncio.create_task(self._follow_registry(source))
        try:
            while messages := await source.batch():
                async with self._busy:
                    committed = await self._commit(messages)
                if not committed:
                    break
                source.acknowledge(messages)
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
        if self._connection is not None:
            with contextlib.suppress(*database.AWAY):
                await self._connection.close(timeout=2)

    async def _follow_registry(self, source: Source) -> None:
        """Take up new sensors and topics even when no message asks for them."""
        while True:
            await asyncio.sleep(_REGISTRY_S)
            async with self._busy:
                try:
                    routes = await self._persist(self._current_routes)
                except Stopped:
                    return
            source.subscribe(filters(routes.bindings))

    def stop(self) -> None:
        """Give up retrying; what is not committed stays unacknowledged with the broker."""
        self._stopping = True

    async def _commit(self, messages: Sequence[Message]) -> bool:
        """Commit all of ``messages``; false only when stopped before that was possible."""
        try:
            outcome = await self._persist(lambda: self._store(messages))
        except Stopped:
            return False
        except asyncpg.PostgresError as error:
            # The database will not have this batch: find out which message it is.
            return await self._divide(messages, error)
        self._count(messages, outcome)
        return True

    async def _divide(self, messages: Sequence[Message], error: asyncpg.PostgresError) -> bool:
        if len(messages) > 1:
            half = len(messages) // 2
            return await self._commit(messages[:half]) and await self._commit(messages[half:])
        log.error("message rejected by the database topic=%s error=%s", messages[0].topic, error)
        outcome = await self._persist(lambda: self._store_rejected(messages[0], error))
        self._count(messages, outcome)
        return True

    async def _store(self, messages: Sequence[Message]) -> Outcome:
        assert self._decoding is not None
        connection = await self._connected()
        intake = self._decoding.intake(messages)
        if has_strangers(intake):
            revision = await connection.fetchval("SELECT revision FROM city.revision")
            if revision != self._decoding.routes.revision:
                # Registered a moment ago: read again what looked strange.
                await self._load_routes()
                intake = self._decoding.intake(messages)
        started = time.perf_counter()
        outcome = await ingest.store(connection, intake, self._high_water)
        COMMIT_S.observe(time.perf_counter() - started)
        return outcome

    async def _store_rejected(self, message: Message, error: asyncpg.PostgresError) -> Outcome:
        assert self._decoding is not None
        connection = await self._connected()
        intake = self._decoding.rejected(message, f"{type(error).__name__}: {error}")
        return await ingest.store(connection, intake, self._high_water)

    async def _current_routes(self) -> Routes:
        assert self._decoding is not None
        connection = await self._connected()
        revision = await connection.fetchval("SELECT revision FROM city.revision")
        known = self._decoding.routes
        return known if revision == known.revision else await self._load_routes()

    async def _load_routes(self) -> Routes:
        connection = await self._connected()
        routes = await load_routes(connection)
        settings = self._settings
        self._decoding = Decoding(
            routes, payload_bytes=settings.payload_bytes, oldest=settings.oldest,
            ahead_s=settings.ahead_s,
        )  # fmt: skip
        return routes

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await database.connect("beffroi collector")
            await self._high_water.load(self._connection)
        return self._connection

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it succeeds; only errors that pass are tried again."""
        wait = _FIRST_WAIT_S
        while True:
            try:
                result = await attempt()
            except asyncpg.DataError:
                raise  # the driver's own refusal of a value is no outage
            except database.AWAY as error:
                DATABASE_UP.set(0)
                self.totals.database_problem = f"{type(error).__name__}: {error}"
                log.warning("database away retry_s=%.1f reason=%s", wait, error)
                await self._forget_connection()
            else:
                DATABASE_UP.set(1)
                self.totals.database_problem = ""
                return result
            if self._stopping:
                raise Stopped
            # Jitter keeps many collectors from knocking at the same instant.
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))
            wait = min(2 * wait, _LONGEST_WAIT_S)

    async def _forget_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _count(self, messages: Sequence[Message], outcome: Outcome) -> None:
        self.totals.add(outcome)
        MESSAGES.inc(outcome.messages)
        QOS0.inc(sum(1 for message in messages if message.qos == 0))
        STORED.inc(outcome.stored)
        DUPLICATE.inc(outcome.duplicate)
        for reason, count in outcome.reasons.items():
            REFUSED.labels(Reason(reason)).inc(count)
        BATCH.observe(len(messages))
        log.debug(
            "batch stored messages=%d stored=%d duplicate=%d refused=%d",
            outcome.messages, outcome.stored, outcome.duplicate, outcome.refused,
        )  # fmt: skip
