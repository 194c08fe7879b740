"""When a batch is complete."""

from __future__ import annotations

import asyncio
import time

from collector.mqtt.inbox import Inbox
from collector.mqtt.linger import Window
from collector.source import Message


class Arrivals:
    """An inbox that fills while somebody waits."""

    def __init__(self, window: Window) -> None:
        self.inbox = Inbox(window)
        self.window = window

    def add(self, count: int) -> None:
        self.inbox.pending += [Message(1, 1, 1, "a", b"", 0)] * count
        self.inbox.added(count, 0)

    def later(self, seconds: float, count: int) -> None:
        asyncio.get_running_loop().call_later(seconds, self.add, count)

    async def took(self) -> tuple[int, float]:
        began = time.monotonic()
        return len(await self.inbox.take(10_000)), time.monotonic() - began


async def test_a_full_window_ends_the_wait_at_once():
    arrivals = Arrivals(Window(1000, 5.0))
    arrivals.window.connected(20)
    arrivals.add(10)
    arrivals.later(0.01, 9)
    arrivals.later(0.02, 1)

    count, seconds = await arrivals.took()
    assert count == 20
    assert seconds < 1.0


async def test_without_a_full_window_the_wait_is_the_linger():
    arrivals = Arrivals(Window(1000, 0.05))
    arrivals.add(1)

    count, seconds = await arrivals.took()
    assert count == 1
    assert 0.04 < seconds < 1.0


async def test_what_comes_during_the_wait_is_of_the_same_batch():
    arrivals = Arrivals(Window(1000, 0.2))
    arrivals.add(1)
    arrivals.later(0.02, 3)
    arrivals.later(0.04, 3)

    assert (await arrivals.took())[0] == 7


async def test_a_window_that_nobody_announced_is_learned_and_forgotten():
    arrivals = Arrivals(Window(1000, 0.05))
    arrivals.add(20)
    await arrivals.took()
    assert arrivals.window.size == 20

    # The next twenty complete a batch at once …
    arrivals.window.linger_s = 5.0
    arrivals.later(0.01, 20)
    count, seconds = await arrivals.took()
    assert count == 20
    assert seconds < 1.0

    # … and more than twenty at once show that the guess was wrong.
    arrivals.window.linger_s = 0.05
    arrivals.add(25)
    await arrivals.took()
    assert arrivals.window.size == 25


async def test_steady_arrivals_are_not_taken_for_a_window():
    arrivals = Arrivals(Window(1000, 0.1))
    for step in range(1, 12):
        arrivals.later(step * 0.01, 1)

    assert (await arrivals.took())[0] >= 5
    assert arrivals.window.size == 1000


async def test_a_new_connection_forgets_what_was_learned():
    arrivals = Arrivals(Window(1000, 0.02))
    arrivals.add(20)
    await arrivals.took()
    arrivals.window.connected(None)

    assert arrivals.window.size == 1000
