"""When to stop waiting for more messages before a commit.

A short wait saves commits at low load (0.4 ms of CPU each). It must end at once when the
broker will send nothing more before an acknowledgement: with Mosquitto's default window
of 20 a fixed wait of 50 ms would cap the rate at 376 messages a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sized

# Quiet for this part of the wait, at the same count as before: the window is full.
_QUIET = 0.6


class Window:
    """The broker's in-flight window, as announced, as configured, or as observed.

    MQTT 3.1.1 brokers do not tell theirs, so it is learned: where arrivals stop well
    before the wait ends, the count they stopped at is taken for the window until more
    than that arrive at once. A wrong guess costs one commit too many, never a message.
    """

    def __init__(self, configured: int, linger_s: float) -> None:
        self._configured = configured
        self._linger_s = linger_s
        self.size = configured

    def connected(self, announced: int | None) -> None:
        """A new connection: forget what was learned, note what the broker announced."""
        self.size = min(self._configured, announced or self._configured)

    async def linger(
        self, pending: Sized, arrived: asyncio.Event, stopping: Callable[[], bool]
    ) -> None:
        """Wait until ``pending`` fills the window or the wait is over."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        end = start + self._linger_s
        last = start
        if len(pending) > self.size:
            self.size = self._configured
        while len(pending) < self.size and not stopping():
            remaining = end - loop.time()
            if remaining <= 0:
                if last - start < (1 - _QUIET) * self._linger_s and len(pending) > 1:
                    self.size = len(pending)
                return
            arrived.clear()
            try:
                async with asyncio.timeout(remaining):
                    await arrived.wait()
                last = loop.time()
            except TimeoutError:
                pass
