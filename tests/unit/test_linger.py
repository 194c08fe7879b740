"""When a batch is complete."""

from __future__ import annotations

import asyncio
import time

from collector.linger import Window


class Arrivals:
    """A list that grows while somebody waits."""

    def __init__(self) -> None:
        self.pending: list[int] = []
        self.arrived = asyncio.Event()

    def add(self, count: int) -> None:
        self.pending += [0] * count
        self.arrived.set()


async def lingered(window: Window, arrivals: Arrivals) -> float:
    began = time.monotonic()
    await window.linger(arrivals.pending, arrivals.arrived, lambda: False)
    return time.monotonic() - began


async def test_a_full_window_ends_the_wait_at_once():
    window, arrivals = Window(1000, 5.0), Arrivals()
    window.connected(20)
    arrivals.add(19)
    asyncio.get_running_loop().call_later(0.02, arrivals.add, 1)

    assert await lingered(window, arrivals) < 1.0


async def test_without_a_full_window_the_wait_is_the_linger():
    window, arrivals = Window(1000, 0.05), Arrivals()
    arrivals.add(1)

    assert 0.04 < await lingered(window, arrivals) < 1.0


async def test_a_window_that_nobody_announced_is_learned_and_forgotten():
    window, arrivals = Window(1000, 0.05), Arrivals()
    arrivals.add(20)
    await lingered(window, arrivals)
    assert window.size == 20

    # The next twenty complete a batch at once …
    arrivals.pending.clear()
    asyncio.get_running_loop().call_soon(arrivals.add, 20)
    await asyncio.sleep(0)
    window._linger_s = 5.0
    assert await lingered(window, arrivals) < 1.0

    # … and more than twenty at once show that the guess was wrong.
    window._linger_s = 0.05
    arrivals.add(5)
    await lingered(window, arrivals)
    assert window.size == 25


async def test_a_new_connection_forgets_what_was_learned():
    window, arrivals = Window(1000, 0.02), Arrivals()
    arrivals.add(20)
    await lingered(window, arrivals)
    window.connected(None)

    assert window.size == 1000
