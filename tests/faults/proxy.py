"""A wire to break: one listening port before one server, and all that can happen in between."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

from tests.faults.tap import PacketReader, Tap

T = TypeVar("T")
Direction = Literal["up", "down", "both"]
"""``up`` goes to the server, ``down`` comes from it."""

_RESET = struct.pack("ii", 1, 0)


class Wires:
    """The event loop, in a thread of its own, that all proxies of a run share."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="wires", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done in the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def close(self) -> None:
        """Stop the loop; the proxies were closed before."""

        async def quiet() -> None:
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        self.call(quiet())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class Proxy:
    """Passes bytes between clients and one server of this machine until told otherwise."""

    def __init__(self, wires: Wires, target: Callable[[], int], tap: Tap | None = None) -> None:
        self._wires = wires
        self._target = target
        self._tap = tap
        self._numbers = itertools.count()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._gates: dict[str, asyncio.Event] = {}
        self._bytes_per_s = 0.0
        self.port = 0
        self.bytes_down = 0
        wires.call(self._open())

    # What can happen --------------------------------------------------------

    def cut(self) -> None:
        """End every connection at once, as a router that restarts does (RST)."""
        self._wires.call(self._reset())

    def stall(self, direction: Direction = "both") -> None:
        """Pass nothing any more; connections stay open and new ones are taken."""
        self._wires.call(self._gate(direction, open=False))

    def resume(self) -> None:
        """Pass again, what waited first."""
        self._wires.call(self._gate("both", open=True))

    def refuse(self) -> None:
        """End every connection, and refuse new ones."""
        self._wires.call(self._close())

    def allow(self) -> None:
        """Take connections again on the same port."""
        self._wires.call(self._open())

    def throttle(self, bytes_per_s: float) -> None:
        """Pass no more than that in each direction of a connection; 0: as it comes."""
        self._bytes_per_s = bytes_per_s

    @property
    def connections(self) -> int:
        """Open connections to the server."""
        return len(self._writers) // 2

    def close(self) -> None:
        """The end of the run."""
        self._wires.call(self._close())

    # In the loop ------------------------------------------------------------

    async def _open(self) -> None:
        if not self._gates:
            self._gates = {"up": asyncio.Event(), "down": asyncio.Event()}
            await self._gate("both", open=True)
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, limit=1 << 18
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self._reset()

    async def _gate(self, direction: Direction, *, open: bool) -> None:
        for name in ("up", "down") if direction == "both" else (direction,):
            gate = self._gates[name]
            gate.set() if open else gate.clear()

    async def _reset(self) -> None:
        for writer in list(self._writers):
            raw = writer.get_extra_info("socket")
            if raw is not None and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        self._writers.add(writer)
        look_up = look_down = None
        try:
            server_reader, server_writer = await asyncio.open_connection(
                "127.0.0.1", self._target(), limit=1 << 18
            )
        except OSError:
            # Nobody listens there: the client is told as if it had asked directly.
            self._writers.discard(writer)
            writer.transport.abort()
            return
        self._writers.add(server_writer)
        for each in (writer, server_writer):
            raw = each.get_extra_info("socket")
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tap is not None:
            look_up, look_down = self._tap.opened(number)
        up = asyncio.create_task(self._pass("up", reader, server_writer, look_up))
        down = asyncio.create_task(self._pass("down", server_reader, writer, look_down))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            # The last words of one side still reach the other.
            await asyncio.wait({up, down}, timeout=0.2)
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            for each in (writer, server_writer):
                self._writers.discard(each)
                each.transport.abort()
            if self._tap is not None:
                self._tap.closed(number)

    async def _pass(
        self,
        direction: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        look: PacketReader | None,
    ) -> None:
        gate = self._gates[direction]
        try:
            while data := await reader.read(1 << 16):
                await gate.wait()
                if self._bytes_per_s:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
                if look is not None:
                    look.feed(data)
                if direction == "down":
                    self.bytes_down += len(data)
                writer.write(data)
                await writer.drain()
            await gate.wait()
            writer.write_eof()
        except OSError:
            return
