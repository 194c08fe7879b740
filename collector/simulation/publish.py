"""The simulated city's messages, published over real MQTT at the pace of simulated time."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.mqtt.outlet import Outlet
from collector.settings import broker_from_url
from collector.simulation.city import SimulatedCity
from collector.simulation.messages import Message, Stream, history

DRAIN_S = 30.0
_AHEAD_S = 5.0
_AHEAD_MESSAGES = 5_000
_BURST = 250
_PROGRESS_EVERY_S = 0.5


class Progress(NamedTuple):
    """Where the simulation is, for a line on a terminal.

    ``stage`` is "history", "live" or "draining"; ``simulated`` seconds since 1970 that
    have been published; ``rate`` messages per second since the last report.
    """

    stage: str
    simulated: float
    published: int
    acknowledged: int
    rate: float


@dataclass(slots=True)
class Published:
    """What the simulated sensors sent, by their own count.

    ``readings`` are new ones, each (sensor, field, time) once; ``duplicates`` and
    ``conflicts`` repeat one of them with the same or another value. ``mishaps`` counts
    messages; ``lasting`` counts measurements that a lasting fault touched.
    """

    published: int = 0
    acknowledged: int = 0
    readings: int = 0
    duplicates: int = 0
    conflicts: int = 0
    reconnects: int = 0
    mishaps: Counter[str] = field(default_factory=Counter)
    lasting: Counter[str] = field(default_factory=Counter)

    @property
    def lost(self) -> int:
        """Messages the broker never acknowledged."""
        return self.published - self.acknowledged


async def publish(
    city: SimulatedCity,
    url: str,
    *,
    seconds: float | None = None,
    speed: float = 1.0,
    start: float | None = None,
    history_s: float = 0.0,
    mishaps: bool = True,
    stop: asyncio.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
    drain_s: float = DRAIN_S,
) -> Published:
    """Publish the past ``history_s`` at once, then live for ``seconds`` or until ``stop``.

    Parameters
    ----------
    url
        ``mqtt://user:password@host:port``.
    seconds
        Real time to be live, ``None`` for ever; all that is due in it is published, even if
        the broker takes longer. [s]
    speed
        Simulated seconds in a real one.
    start
        Simulated time at which live begins [s since 1970]. ``None``: such that simulated
        time is real time at the end, hence now where ``speed`` is 1.
    drain_s
        Longest wait for the last acknowledgements. [s]

    Returns
    -------
    Published
        With ``lost`` > 0 where the broker did not acknowledge everything in time.

    Raises
    ------
    ValueError
        For a speed other than 1 without ``seconds`` or ``start``.
    OutletRefusedError
        Where there is no broker, or it refuses.
    """
    clockless = speed == 1.0 and start is None
    if start is None:
        if speed != 1.0 and seconds is None:
            raise ValueError("a speed other than 1 needs an end (seconds) or a start")
        start = time.time() - (speed - 1.0) * (seconds or 0.0)
    # Every run has a session of its own: nothing of an earlier run may be sent again.
    broker = broker_from_url(url, {"COLLECTOR_CLIENT_ID": f"city-{os.getpid()}-{time.time_ns()}"})
    run = _Run(city, Outlet(broker), stop or asyncio.Event(), progress)
    await run.outlet.open()
    try:
        if history_s > 0:
            await run.past(start - history_s, start, mishaps)
        stream = Stream(city, mishaps=mishaps, clockless=clockless)
        await run.live(stream, start, speed, seconds)
        for message in stream.held():
            await run.send(message)
        run.published.lasting += stream.counted
        run.stage = "draining"
        await run.outlet.drain(drain_s)
        run.report(force=True)
    finally:
        await run.outlet.close()
    result = run.published
    result.published, result.acknowledged = run.outlet.published, run.outlet.acknowledged
    result.reconnects = run.outlet.reconnects
    return result


class _Run:
    """One publication in progress."""

    def __init__(
        self,
        city: SimulatedCity,
        outlet: Outlet,
        stop: asyncio.Event,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.city = city
        self.outlet = outlet
        self.published = Published()
        self.stage = "history"
        self._stop = stop
        self._progress = progress
        self._simulated = 0.0
        self._reported = (time.monotonic(), 0)

    async def send(self, message: Message) -> None:
        """Publish one message and count it."""
        await self.outlet.publish(message.topic, message.payload)
        total = self.published
        total.readings += message.readings
        total.duplicates += message.duplicates
        total.conflicts += message.conflicts
        if message.mishap is not None:
            total.mishaps[message.mishap] += 1
        self._simulated = message.due
        if self.outlet.published % _BURST == 0:
            self.outlet.flush()
            self.report()
            await asyncio.sleep(0)

    async def past(self, start: float, end: float, mishaps: bool) -> None:
        """As fast as the broker takes it."""
        for message in history(self.city, start, end, self.published.lasting, mishaps=mishaps):
            if self._stop.is_set():
                return
            await self.send(message)

    async def live(self, stream: Stream, start: float, speed: float, seconds: float | None) -> None:
        """At the pace of simulated time, or as fast as it goes if that is slower."""
        self.stage = "live"
        rate = sum(len(fleet.who) / fleet.kind.step_s for fleet in self.city.fleets)
        piece = min(_AHEAD_S * speed, _AHEAD_MESSAGES / rate)
        began = time.monotonic()
        end = start + seconds * speed if seconds is not None else float("inf")
        at = start
        while at < end and not self._stop.is_set():
            upto = min(end, at + piece)
            for message in stream.between(at, upto):
                await self._wait_until(began + (message.due - start) / speed)
                if self._stop.is_set():
                    return
                await self.send(message)
            at = upto
        await self._wait_until(began + (at - start) / speed)

    async def _wait_until(self, moment: float) -> None:
        wait = moment - time.monotonic()
        # Shorter waits cost more than they are worth; the next message catches up.
        if wait < 0.005:
            return
        self.outlet.flush()
        self.report()
        while wait > 0 and not self._stop.is_set():
            try:
                async with asyncio.timeout(min(wait, _PROGRESS_EVERY_S)):
                    await self._stop.wait()
            except TimeoutError:
                self.report()
            wait = moment - time.monotonic()

    def report(self, *, force: bool = False) -> None:
        """Tell the terminal, at most twice a second."""
        now = time.monotonic()
        then, published = self._reported
        if self._progress is None or (now - then < _PROGRESS_EVERY_S and not force):
            return
        self._reported = (now, self.outlet.published)
        self._progress(
            Progress(
                self.stage,
                self._simulated,
                self.outlet.published,
                self.outlet.acknowledged,
                (self.outlet.published - published) / max(now - then, 1e-9),
            )
        )
