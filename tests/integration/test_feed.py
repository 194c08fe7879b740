"""The board's one look at the database, as it ends."""

import asyncio
import gc
import logging
from typing import NamedTuple

import asyncpg

from dashboards.board.feed import Feed


class Slow(NamedTuple):
    """Rows that take longer than anybody waits; `begun` is set when they are asked for."""

    begun: asyncio.Event
    name: str = "slow"
    every_s: float = 60.0

    async def load(self, connection, now, former):
        self.begun.set()
        await connection.execute("SELECT pg_sleep(60)")


async def test_a_board_that_stops_in_the_middle_of_a_look_stops_without_a_complaint(
    database, caplog
):
    async def open_pool():
        return await asyncpg.create_pool(database, min_size=0, max_size=2)

    slow, complaints = Slow(asyncio.Event()), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, told: complaints.append(told))
    feed = Feed([slow], open_pool, refresh_s=0.1)
    looking = asyncio.create_task(feed.look("slow"))
    await slow.begun.wait()

    with caplog.at_level(logging.WARNING):
        await feed.close()
        await asyncio.wait({looking})
    # Whoever held an error has let it go when its task is gone.
    del looking, feed
    gc.collect()
    await asyncio.sleep(0)

    assert complaints == []
    assert caplog.messages == []
