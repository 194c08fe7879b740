"""The publisher, a program of its own: publishes the plan and writes down what became of it.

One line for every event goes to the log, flushed before the message leaves: ``p NAME``
published, ``r NAME`` sent again on a new connection, ``a NAME`` acknowledged by the broker.
At SIGTERM it plans nothing new, waits for what is still unacknowledged, and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import time

from collector.settings import broker_from_url
from tests.faults.plan import Planned, messages

WINDOW = 200
_SILENT_S = 5.0


class Publisher:
    """One persistent session; whatever lacks its PUBACK is sent again after a reconnect."""

    def __init__(self, url: str, log: str, seed: int, start_us: int, rate: float) -> None:
        self._broker = broker_from_url(url, {})
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._plan = messages(seed, start_us)
        self._rate = rate
        self._waiting: dict[int, Planned] = {}
        self._next = 0
        self._published = 0
        self._began = time.monotonic()
        self.stopping = False

    async def run(self, seconds: float) -> bool:
        """Publish until stopped; true when everything was acknowledged within the time."""
        deadline = 0.0
        while not (self.stopping and not self._waiting):
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._connection()
            if self.stopping:
                deadline = deadline or time.monotonic() + seconds
                if time.monotonic() > deadline:
                    return False
            await asyncio.sleep(0.2)
        return True

    async def _connection(self) -> None:
        async with asyncio.timeout(_SILENT_S):
            reader, writer = await asyncio.open_connection(self._broker.host, self._broker.port)
        try:
            writer.write(self._greeting())
            async with asyncio.timeout(_SILENT_S):
                answer = await reader.readexactly(4)
            if answer[3]:
                raise OSError(f"the broker refused the publisher: code {answer[3]}")
            for mid, planned in self._waiting.items():
                self._note("r", planned.name)
                writer.write(_publish(mid, planned, again=True))
            reading = asyncio.create_task(self._read(reader))
            writing = asyncio.create_task(self._write(writer))
            done, rest = await asyncio.wait({reading, writing}, return_when="FIRST_COMPLETED")
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            for task in done:
                task.result()
        finally:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            # Silence beyond the keep-alive means that the wire is dead.
            async with asyncio.timeout(_SILENT_S):
                kind, length = await reader.readexactly(2)
                body = await reader.readexactly(length)
            if kind >> 4 == 4:
                planned = self._waiting.pop(int.from_bytes(body[:2], "big"), None)
                if planned is not None:
                    self._note("a", planned.name)

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        last_ping = time.monotonic()
        while not (self.stopping and not self._waiting):
            now = time.monotonic()
            due = (now - self._began) * self._rate - self._published
            if due > self._rate:
                # After an outage the pace is the usual one: the backlog lies elsewhere.
                self._began += (due - self._rate) / self._rate
                due = self._rate
            while due >= 1 and len(self._waiting) < WINDOW and not self.stopping:
                planned, mid = next(self._plan), self._new_mid()
                self._note("p", planned.name)
                self._waiting[mid] = planned
                self._published += 1
                due -= 1
                writer.write(_publish(mid, planned))
            if now - last_ping > 1.0:
                writer.write(b"\xc0\x00")
                last_ping = now
            await writer.drain()
            await asyncio.sleep(0.01)

    def _new_mid(self) -> int:
        while True:
            self._next = self._next % 65535 + 1
            if self._next not in self._waiting:
                return self._next

    def _note(self, event: str, name: str) -> None:
        os.write(self._log, f"{event} {name}\n".encode())

    def _greeting(self) -> bytes:
        broker = self._broker
        words = b"".join(_text(word) for word in ("publisher", broker.username, broker.password))
        # MQTT 3.1.1, credentials, no clean session, keep-alive of ten seconds.
        body = b"\x00\x04MQTT\x04\xc0\x00\x0a" + words
        return bytes([0x10, len(body)]) + body


def _text(word: str | None) -> bytes:
    data = (word or "").encode()
    return len(data).to_bytes(2, "big") + data


def _publish(mid: int, planned: Planned, *, again: bool = False) -> bytes:
    body = _text(planned.topic) + mid.to_bytes(2, "big") + planned.payload
    length, size = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        size.append(digit | (128 if length else 0))
        if not length:
            break
    return bytes([0x3A if again else 0x32]) + bytes(size) + body


def main() -> None:
    """Publish until SIGTERM; the end is 0 when everything was acknowledged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--start-us", type=int, required=True)
    parser.add_argument("--rate", type=float, default=150.0)
    options = parser.parse_args()
    publisher = Publisher(
        os.environ["BEFFROI_MQTT_URL"], options.log, options.seed, options.start_us, options.rate
    )

    async def run() -> bool:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, setattr, publisher, "stopping", True)
        return await publisher.run(60.0)

    raise SystemExit(0 if asyncio.run(run()) else 1)


if __name__ == "__main__":
    main()
