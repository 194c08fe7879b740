"""One long-running program in this process, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import uvloop

from beffroi import logs


def until_stopped(program: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run ``program`` on uvloop; a signal sets the event that it is given."""
    logs.to_stderr()

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await program(stop)

    uvloop.run(main())
