"""What was received and is not yet taken: kept across connections, in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from collector.mqtt.linger import Window
from collector.source import Message

_MESSAGES_HIGH, _MESSAGES_LOW = 20_000, 5_000
_BYTES_HIGH, _BYTES_LOW = 32_000_000, 8_000_000

_STEP_US = 1_000_000


def wall_clock() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1000


class ReceptionClock:
    """Distinct times for messages that arrive in one breath.

    They run ahead of the clock by a microsecond a message. A clock that was stepped back
    is followed: it was wrong before, and nobody waits for it to come round again.
    """

    def __init__(self, clock: Callable[[], int] = wall_clock) -> None:
        self._clock = clock
        self._last_us: int | None = None

    def now(self) -> int:
        """The time before that of the next message, which is one more."""
        now, last = self._clock(), self._last_us
        return now if last is None or now > last or last - now > _STEP_US else last

    def used_until(self, last_us: int) -> None:
        """The last time given to a message."""
        self._last_us = last_us


class Inbox:
    """Links put messages in, the owner of the source takes them out.

    With a lost session nobody would deliver again what was received: it stays here.
    """

    def __init__(self, window: Window, clock: Callable[[], int] = wall_clock) -> None:
        self.pending: list[Message] = []
        self.clock = ReceptionClock(clock)
        self.received = 0
        self.redelivered = 0  # by the broker's word, which is not to be relied on
        self.handed_out = 0  # taken and not yet acknowledged
        self._bytes = 0  # of the payloads in pending
        self.closed = False
        self._window = window
        self._last_arrival = 0.0
        self._wanted = 1
        self._enough = asyncio.Event()

    def added(self, count: int, last_us: int) -> None:
        """So many were put at the end of ``pending``."""
        self.received += count
        self._bytes += _size(self.pending[-count:])
        self.clock.used_until(last_us)
        self._last_arrival = time.monotonic()
        # Waking the reader for every piece would cost more than reading it.
        if len(self.pending) >= self._wanted:
            self._enough.set()

    async def take(self, most: int) -> list[Message]:
        """A batch, once complete; empty when closed and empty."""
        pending, window = self.pending, self._window
        await self._until(1, None)
        aim = window.aim(len(pending))
        if pending and len(pending) < aim and window.linger_s and not self.closed:
            began = time.monotonic()
            await self._until(aim, window.linger_s)
            if len(pending) < aim:
                quiet_s = time.monotonic() - max(began, self._last_arrival)
                window.fell_short(len(pending), quiet_s)
        taken = pending[:most]
        del pending[:most]
        self._bytes -= _size(taken)
        self.handed_out += len(taken)
        return taken

    async def _until(self, count: int, seconds: float | None) -> None:
        """Wait until so many are there, or that long, or until closed."""
        self._wanted = count
        try:
            async with asyncio.timeout(seconds):
                while len(self.pending) < count and not self.closed:
                    self._enough.clear()
                    await self._enough.wait()
        except TimeoutError:
            pass

    @property
    def full(self) -> bool:
        """Whether links must stop reading.

        QoS 0 passes the broker's window, and a window of very large messages is more memory
        than a collector may take. Nobody waits for what comes once it is closed.
        """
        return self.closed or len(self.pending) > _MESSAGES_HIGH or self._bytes > _BYTES_HIGH

    @property
    def roomy(self) -> bool:
        """Whether they may read on."""
        few = len(self.pending) < _MESSAGES_LOW and self._bytes < _BYTES_LOW
        return few and not self.closed

    @property
    def idle(self) -> bool:
        """Whether everything received was taken and acknowledged."""
        return not self.pending and self.handed_out == 0

    def close(self) -> None:
        """No more will come."""
        self.closed = True
        self._enough.set()


def _size(messages: list[Message]) -> int:
    return sum([len(message.payload) for message in messages])
