"""The collector as it lives: it stands by, collects, leaves or stands by again.

Any number of processes may be started for one client id. One collects, the others are its
standbys: they connect to no broker until the database gives them the session. Who loses the
session, to a standby or to a stranger at the broker, drops what it had received: nothing of
it was acknowledged, so it is delivered again to the one that has the session now.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import logging
import socket
import time
from collections.abc import Callable, Sequence
from enum import Enum, StrEnum, auto
from typing import Any

from collector.lease import Superseded, new_instance
from collector.meters import Totals
from collector.pipeline import Pipeline, session_of
from collector.settings import SettingError, Settings
from collector.source import LiveSource, SessionTakenOver
from collector.topics import filters
from storage import collectors
from storage.collectors import Presence
from storage.footprint import Meter
from storage.routes import Routes

log = logging.getLogger(__name__)

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 30.0, 600.0
# Longer than the database keeps the lock of a machine that vanished.
_DRAIN_PATIENCE_S = 40.0
_TOLD_S = 5.0


class State(StrEnum):
    """What the collector does."""

    STANDING_BY = "standing by"
    COLLECTING = "collecting"
    LEAVING = "leaving"
    KEEPING_AWAY = "keeping away"


class _Ended(Enum):
    """Why a turn of collecting was over."""

    STOPPED = auto()
    LEFT = auto()
    SUPERSEDED = auto()
    TAKEN_OVER = auto()


class Collector:
    """Takes turns of collecting until it is told to stop.

    ``drain``: leave as soon as the session is taken over, so that nothing waits in it.
    ``broker_dropped`` tells what the broker says it dropped, None while it does not say.
    """

    def __init__(
        self,
        settings: Settings,
        open_source: Callable[[Settings, Sequence[str]], LiveSource],
        *,
        drain: bool = False,
        broker_dropped: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.state = State.STANDING_BY
        self.totals = Totals()
        self.left = False
        self.source: LiveSource | None = None
        self.session = session_of(settings.broker)
        self._open_source = open_source
        self._drain = drain
        self._broker_dropped = broker_dropped
        self._instance = new_instance()
        self._started_at = datetime.datetime.now(datetime.UTC)
        self._pause_s = _SHORTEST_PAUSE_S
        self._told = False
        self._meter = Meter("collector")
        self.pipeline = self._new_pipeline()

    async def run(self, stop: asyncio.Event) -> None:
        """Collect whenever the session is ours, until ``stop`` or until we left for good.

        While leaving, ``stop`` set a second time ends at once and keeps the session.
        """
        while not stop.is_set():
            began = time.monotonic()
            try:
                ended = await self._take_turn(stop)
            finally:
                await self.pipeline.close()
            self.left = ended is _Ended.LEFT
            if self._told or ended in (_Ended.STOPPED, _Ended.LEFT):
                return
            if self._drain:
                raise SettingError(
                    f"COLLECTOR_CLIENT_ID={self.session.client_id}: another client took the session"
                    " while it was drained; stop that one and try again"
                )
            if ended is _Ended.TAKEN_OVER:
                if time.monotonic() - began > _LONGEST_PAUSE_S:
                    self._pause_s = _SHORTEST_PAUSE_S
                await self._keep_away(stop)
            self.pipeline = self._new_pipeline()

    async def _take_turn(self, stop: asyncio.Event) -> _Ended:
        """Stand by until the session is ours, then collect until it is no more."""
        self.state = State.STANDING_BY
        routes = await self._stand_by(stop)
        if routes is None:
            return _Ended.STOPPED
        if self._drain:
            self.settings = await self._as_it_was()
        self.source = self._open_source(self.settings, filters(routes.bindings))
        self.state = State.COLLECTING
        log.info("collecting client_id=%s broker=%s", *self.session)
        try:
            return await self._collect(self.source, stop)
        finally:
            self.source = None

    async def _stand_by(self, stop: asyncio.Event) -> Routes | None:
        """The registry once the session is ours; None when told to stop before."""
        preparing = asyncio.create_task(self.pipeline.prepare())
        stopping = asyncio.create_task(stop.wait())
        patience = _DRAIN_PATIENCE_S if self._drain else None
        try:
            done, _ = await asyncio.wait(
                {preparing, stopping}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if preparing in done:
                return preparing.result()
            if stopping in done:
                return None
        finally:
            await _cancelled(preparing, stopping)
        lease = self.pipeline.lease
        if lease.holder is None:
            raise SettingError(f"the database cannot be used: {lease.problem}")
        raise SettingError(
            f"COLLECTOR_CLIENT_ID={self.session.client_id} is collecting, from"
            f" {lease.holder.address} since {lease.holder.since:%Y-%m-%d %H:%M} UTC;"
            " only a session that nobody uses can be drained: stop that collector first"
        )

    async def _as_it_was(self) -> Settings:
        """A session to be drained shares its load as it did when it was left alone."""
        group = self.settings.share_group or await self.pipeline.lease.persist(
            lambda connection: collectors.share_group(connection, self.session.client_id)
        )
        return dataclasses.replace(self.settings, share_group=group)

    async def _collect(self, source: LiveSource, stop: asyncio.Event) -> _Ended:
        running = asyncio.create_task(source.run(), name="source")
        moving = asyncio.create_task(self.pipeline.move(source), name="pipeline")
        stopping = asyncio.create_task(stop.wait())
        leaving = False
        try:
            if self._drain:
                await self._until_connected(source, running, moving, stopping)
                leaving = not stopping.done()
            else:
                await asyncio.wait({running, moving, stopping}, return_when=asyncio.FIRST_COMPLETED)
                leaving = stopping.done() and self.settings.stop == "leave"
                if leaving:
                    stop.clear()
            self._told = stopping.done()
            left = leaving and await self._leave(source, running, moving, stop)
            source.finish()
            if _failed(running):
                self.pipeline.abandon()
            elif not left:
                self.pipeline.stop()
            # What is committed must be acknowledged before the connection goes.
            await asyncio.wait({moving})
            source.close()
            for result in await asyncio.gather(running, moving, return_exceptions=True):
                if isinstance(result, SessionTakenOver):
                    # While the session is ours in the database, no collector of ours did it.
                    ours = await self.pipeline.lease.holds()
                    return _Ended.TAKEN_OVER if ours else _Ended.SUPERSEDED
                if isinstance(result, Superseded):
                    return _Ended.SUPERSEDED
                if isinstance(result, BaseException):
                    raise result
            farewell = dataclasses.replace(self._presence(), connected=False, left=left)
            await self.pipeline.say(farewell)
            await self.pipeline.tell_use()
            return _Ended.LEFT if left else _Ended.STOPPED
        finally:
            source.close()
            await _cancelled(running, moving, stopping)

    async def _until_connected(self, source: LiveSource, *tasks: asyncio.Task[Any]) -> None:
        """Wait for the broker, which a person who drains may have misspelled."""
        deadline = time.monotonic() + _DRAIN_PATIENCE_S
        while not source.connected and not any(task.done() for task in tasks):
            if time.monotonic() > deadline:
                raise SettingError(f"the broker cannot be used: {source.last_problem}")
            await asyncio.sleep(0.05)

    async def _leave(
        self,
        source: LiveSource,
        running: asyncio.Task[None],
        moving: asyncio.Task[None],
        stop: asyncio.Event,
    ) -> bool:
        """Drain and end the session; false where that was cut short and the session stays."""
        self.state = State.LEAVING
        before, told = self.totals.messages, time.monotonic()
        log.info("leaving client_id=%s broker=%s; stop again to leave it undone", *self.session)
        leaving = asyncio.create_task(source.leave(), name="leaving")
        again = asyncio.create_task(stop.wait())
        try:
            while not leaving.done():
                await asyncio.wait(
                    {leaving, again}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED
                )
                if again.done() or _failed(running) or _failed(moving):
                    log.warning(
                        "left early client_id=%s; what waits in its session stays, and nothing"
                        " new comes to it until it is started again",
                        self.session.client_id,
                    )
                    return False
                if time.monotonic() - told >= _TOLD_S:
                    told = time.monotonic()
                    log.info("drained so far messages=%d", self.totals.messages - before)
            leaving.result()
        finally:
            await _cancelled(leaving, again)
        log.info(
            "left client_id=%s broker=%s messages=%d; its session is ended",
            *self.session, self.totals.messages - before,
        )  # fmt: skip
        return True

    async def _keep_away(self, stop: asyncio.Event) -> None:
        """Give way to a stranger at the broker; to fight would stop both."""
        self.state = State.KEEPING_AWAY
        log.error(
            "session taken over client_id=%s broker=%s retry_s=%.0f: another client that knows"
            " nothing of this database uses the same client id; give every collector a"
            " COLLECTOR_CLIENT_ID of its own, and name the broker alike in all of them",
            *self.session, self._pause_s,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._pause_s):
                await stop.wait()
        except TimeoutError:
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _new_pipeline(self) -> Pipeline:
        return Pipeline(
            self.settings, totals=self.totals, instance=self._instance, presence=self._presence,
            meter=self._meter,
        )  # fmt: skip

    def _presence(self) -> Presence:
        settings, source = self.settings, self.source
        return Presence(
            session=self.session,
            host=socket.gethostname(),
            started_at=self._started_at,
            session_expiry_s=(source or settings.broker).session_expiry_s,
            share_group=settings.share_group,
            connected=source is not None and source.connected,
            messages=self.totals.messages,
            messages_qos0=self.totals.messages_qos0,
            broker_dropped=self._broker_dropped(),
        )


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and task.exception() is not None


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
