"""Join the stages: a batch from the source, decoded, committed, acknowledged.

With QoS 1 and a persistent session a crash costs a redelivery, never a reading: a message
is acknowledged only after the commit that stores its readings or its refusal. One commit
is in flight; whatever arrives meanwhile is the next batch. While the database is away
nothing is acknowledged, so the broker holds the backlog and memory stays bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import logging
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg

from collector import meters
from collector.certificates import versions
from collector.decode import Decoding, has_strangers
from collector.formats.births import Device, LiveBirths, nodes
from collector.formats.sparkplug import rebirth_request, rebirth_topic
from collector.lease import Lease, Stopped, Superseded
from collector.meters import Totals
from collector.personal import mask
from collector.rebirths import Rebirths, hears_all
from collector.settings import Broker, Settings
from collector.source import Message, Source
from collector.topics import filters
from storage import births, collectors, footprint_store, ingest
from storage.allowance import Allowance
from storage.collectors import Presence, Session
from storage.footprint import Meter
from storage.high_water import HighWater
from storage.intake import Intake, Outcome
from storage.registry import load_routes
from storage.routes import Routes

log = logging.getLogger(__name__)

_REGISTRY_S, _PRESENCE_S = 2.0, 5.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_KEPT_OF_TOPIC = 200


class Pipeline:
    """Moves messages from one source into the database until the source is closed.

    ``presence`` tells what is written about this collector every few seconds, ``meter`` what it
    uses, once an hour; ``instance`` marks its connections, see :class:`collector.lease.Lease`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        totals: Totals | None = None,
        instance: str | None = None,
        presence: Callable[[], Presence] | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._settings = settings
        self._use = meter
        self._presence = presence
        self._high_water = HighWater()
        self._allowance = Allowance()
        self._births = LiveBirths(sees_all=settings.share_group is None)
        self._rebirths = Rebirths()
        self._decoding: Decoding | None = None
        self._abandoned = False
        self.lease = Lease(session_of(settings.broker), self._high_water.load, instance)
        self.totals = totals or Totals()
        self.in_hand = 0
        self._redelivered = 0

    async def prepare(self) -> Routes:
        """Stand by until the session is ours, then read the registry."""
        await self.lease.stand_by()
        routes = await self.lease.persist(self._load_routes)
        await self.lease.persist(self._load_births)
        log.info(
            "registry loaded sensors=%d series=%d bindings=%d revision=%d",
            len(routes.sensors), len(routes.series), len(routes.bindings), routes.revision,
        )  # fmt: skip
        return routes

    async def run(self, source: Source) -> None:
        """Move everything that ``source`` brings, then close."""
        try:
            await self.move(source)
        finally:
            await self.close()

    async def move(self, source: Source) -> None:
        """Store every admissible reading, then acknowledge its message.

        Raises
        ------
        Superseded
            When another collector took the session: what was received and not committed is
            the other's now, as nothing of it was acknowledged.
        """
        if self._decoding is None:
            await self.prepare()
        moving = asyncio.create_task(self._move(source), name="commits")
        caring = asyncio.create_task(self._take_care(source), name="care")
        try:
            done, _ = await asyncio.wait({moving, caring}, return_when=asyncio.FIRST_COMPLETED)
            if caring in done:
                caring.result()
            await moving
        finally:
            for task in (moving, caring):
                task.cancel()
            await asyncio.gather(moving, caring, return_exceptions=True)

    def stop(self) -> None:
        """Give up retrying; what is not committed stays unacknowledged with the broker."""
        self.lease.stop()

    def abandon(self) -> None:
        """The session is another's: take nothing more of what was received."""
        self._abandoned = True
        self.lease.stop()

    async def say(self, presence: Presence) -> None:
        """Write about this collector now, if the database lets us."""
        await self.lease.once(lambda connection: collectors.save(connection, presence))

    async def tell_use(self) -> None:
        """Write down what this program used since it was last told, if the database lets us."""
        if (meter := self._use) is None:
            return
        now = datetime.datetime.now(datetime.UTC)
        used = meter.footprint(now)

        async def save(connection: asyncpg.Connection) -> bool:
            await footprint_store.save(connection, used)
            return True

        if await self.lease.once(save):
            meter.told(used, now)

    async def close(self) -> None:
        """Give the session back."""
        await self.lease.close()

    async def _move(self, source: Source) -> None:
        while (messages := await source.batch()) and not self._abandoned:
            self.in_hand = len(messages)
            self._meter(source)
            if not await self._commit(messages):
                return
            source.acknowledge(messages)
            self.in_hand = 0
            self._meter(source)
            self._ask_for_births(source)

    async def _take_care(self, source: Source) -> None:
        """Take up new sensors and topics even when no message asks for them; be seen."""
        seen, connected = float("-inf"), False
        with contextlib.suppress(Stopped):
            while True:
                if self._presence is not None:
                    now, presence = time.monotonic(), self._presence()
                    if presence.connected != connected or now - seen >= _PRESENCE_S:
                        seen, connected = now, presence.connected
                        await self.say(presence)
                await asyncio.sleep(_REGISTRY_S)
                self._meter(source)
                if self._use and self._use.due(datetime.datetime.now(datetime.UTC)):
                    await self.tell_use()
                self._ask_for_births(source)
                routes = await self.lease.persist(self._current_routes)
                source.subscribe(filters(routes.bindings))

    def _meter(self, source: Source) -> None:
        meters.UNACKNOWLEDGED.set(self.in_hand + source.waiting)
        meters.REDELIVERED.inc(source.redelivered - self._redelivered)
        self._redelivered = source.redelivered

    def _ask_for_births(self, source: Source) -> None:
        """Ask edge nodes whose messages cannot be read, or are missing, to be born again."""
        if self._settings.rebirth == "never":
            return
        for node in self._rebirths.due():
            if source.publish(rebirth_topic(node), rebirth_request(time.time_ns() // 1_000_000)):
                meters.REBIRTHS.inc()
            else:
                self._rebirths.unasked(node)

    # Committing -------------------------------------------------------------

    async def _commit(self, messages: Sequence[Message]) -> bool:
        """Commit all of ``messages``; false only when stopped before that was possible."""
        wait = _FIRST_WAIT_S
        while True:
            try:
                outcome = await self._store(lambda connection: self._decoded(connection, messages))
            except Stopped:
                return False
            except Superseded:
                raise
            except Exception as error:
                if not isinstance(error, MemoryError) or len(messages) > 1:
                    # Neither an outage nor the server's state: find out which message it is.
                    return await self._divide(messages, error)
                # Fewer at once need less; one alone is not to blame for a machine that is full.
                log.error("out of memory retry_s=%.0f", wait)
            else:
                self._count(messages, outcome)
                return True
            try:
                await self.lease.pause(wait)
            except Stopped:
                return False
            wait = min(2 * wait, _LONGEST_WAIT_S)

    async def _divide(self, messages: Sequence[Message], error: Exception) -> bool:
        if len(messages) > 1:
            half = len(messages) // 2
            return await self._commit(messages[:half]) and await self._commit(messages[half:])
        assert self._decoding is not None
        log.error("message rejected topic=%s error=%s: %s%s",
                  self._decoding.declared.masked_topic(messages[0].topic),
                  type(error).__name__, mask(str(error)), _where(error))  # fmt: skip
        try:
            outcome = await self._store_rejected(messages[0], f"{type(error).__name__}: {error}")
        except Stopped:
            return False
        self._count(messages, outcome)
        return True

    async def _store_rejected(self, message: Message, why: str) -> Outcome:
        """Keep at least the refusal, without its payload if need be; never give up."""
        try:
            return await self._store(lambda _: self._rejected(message, why, message))
        except (Stopped, Superseded):
            raise
        except Exception as error:
            log.error("refusal rejected error=%s: %s", type(error).__name__, mask(str(error)))
        bare = message._replace(topic=message.topic[:_KEPT_OF_TOPIC], payload=b"")
        wait = _FIRST_WAIT_S
        while True:
            try:
                return await self._store(lambda _: self._rejected(bare, why, message))
            except (Stopped, Superseded):
                raise
            except Exception as error:
                # Not acknowledged, so not lost; somebody must look at the database. Its words
                # may quote the message, and so would a traceback.
                log.error("refusal rejected even without its payload retry_s=%.0f error=%s: %s%s",
                          wait, type(error).__name__, mask(str(error)), _where(error))  # fmt: skip
                await self.lease.pause(wait)
                wait = min(2 * wait, _LONGEST_WAIT_S)

    async def _store(self, read: Callable[[asyncpg.Connection], Awaitable[Intake]]) -> Outcome:
        """Store what ``read`` makes of some messages: once, however often it must be tried.

        The answer to a COMMIT may get lost. The attempt's number then tells whether it was
        done; nobody can still be doing it, since we hold the session again.
        """
        attempt, tries = uuid.uuid4(), 0

        async def store(connection: asyncpg.Connection) -> Outcome:
            nonlocal tries
            tries += 1
            intake = await read(connection)
            started = time.perf_counter()
            try:
                outcome = await ingest.store(
                    connection, intake, self._high_water, attempt=attempt, repeated=tries > 1,
                    allowance=self._allowance,
                )  # fmt: skip
            except ingest.RegistryChanged:
                await self._load_routes(connection)
                return await store(connection)
            meters.COMMIT_S.observe(time.perf_counter() - started)
            self._settle()
            return outcome

        return await self.lease.persist(store)

    def _settle(self) -> None:
        """What the committed batch said of births stands, and says who must be asked."""
        assert self._decoding is not None
        wanted, topics = self._births.settle(), self._decoding.topics
        gaps = frozenset(node for node in wanted.gaps if hears_all(topics, node))
        self._rebirths.take(wanted._replace(gaps=gaps))

    async def _decoded(self, connection: asyncpg.Connection, messages: Sequence[Message]) -> Intake:
        assert self._decoding is not None
        if self._settings.share_group is not None:
            # The certificate of what comes here may have come to another member.
            await self._load_births(connection, nodes([one.topic for one in messages]))
        intake = self._decoding.intake(messages)
        if has_strangers(intake):
            revision = await connection.fetchval("SELECT revision FROM city.revision")
            if revision != self._decoding.routes.revision:
                # Registered a moment ago: read again what looked strange.
                await self._load_routes(connection)
                intake = self._decoding.intake(messages)
        return intake

    async def _rejected(self, message: Message, why: str, whole: Message) -> Intake:
        assert self._decoding is not None
        intake = self._decoding.rejected(message, why)
        refusals = [row._replace(bytes=len(whole.payload)) for row in intake.refusals]
        return dataclasses.replace(intake, refusals=refusals)

    async def _current_routes(self, connection: asyncpg.Connection) -> Routes:
        assert self._decoding is not None
        revision = await connection.fetchval("SELECT revision FROM city.revision")
        known = self._decoding.routes
        return known if revision == known.revision else await self._load_routes(connection)

    async def _load_routes(self, connection: asyncpg.Connection) -> Routes:
        routes = await load_routes(connection)
        settings = self._settings
        self._decoding = Decoding(
            routes, payload_bytes=settings.payload_bytes, oldest=settings.oldest,
            ahead_s=settings.ahead_s, births=self._births,
        )  # fmt: skip
        return routes

    async def _load_births(
        self, connection: asyncpg.Connection, of: set[Device] | None = None
    ) -> None:
        pairs = None if of is None else {(node.group, node.node) for node in of}
        if pairs is None or pairs:
            self._births.load(versions(await births.latest(connection, pairs)))

    def _count(self, messages: Sequence[Message], outcome: Outcome) -> None:
        qos0 = sum(1 for message in messages if message.qos == 0)
        self.totals.add(outcome, qos0)
        meters.count(outcome, len(messages), qos0)
        log.debug(
            "batch stored messages=%d stored=%d duplicate=%d refused=%d",
            outcome.messages, outcome.stored, outcome.duplicate, outcome.refused,
        )  # fmt: skip


def _where(error: Exception) -> str:
    """Where our own code failed; a traceback would quote what was masked."""
    if isinstance(error, asyncpg.PostgresError):
        return ""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f" at={Path(last.filename).name}:{last.lineno}"


def session_of(broker: Broker) -> Session:
    """The MQTT session that a collector with these settings keeps."""
    return Session(broker.client_id, f"{broker.host}:{broker.port}")
