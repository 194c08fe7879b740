"""An outage of the database at full rate: the collector's memory, and the time to catch up.

Run with ``python -m tests.benchmarks.outage``. A publisher of its own process goes on all the
time; the database is stopped for ``--minutes`` and started again. Drained is the backlog when
the ledger has caught up with the publisher to within a second. In the end every message must
be a row, once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from beffroi.embedded import machine
from beffroi.embedded.processes import until
from beffroi.embedded.stack import Stack
from beffroi.progress import bar
from collector.settings import broker_from_url
from storage.city import parse
from storage.migrate import migrate
from storage.registry import register

SENSORS = 1000
WARM_UP_S = 5.0
TOML = """
[city]
name = "Bench"
timezone = "Europe/Paris"
[[territory]]
code = "1"
name = "Bench"
[[binding]]
topic = "bench/{sensor}"
"""


class Publisher:
    """Publishes at a steady rate, and tells in a file how many the broker acknowledged."""

    def __init__(self, rate: float, count: Path) -> None:
        self._rate = rate
        self._count = count
        self._acknowledged = 0
        self.stopping = False

    async def run(self) -> None:
        """Until SIGTERM, then until the last acknowledgement."""
        broker = broker_from_url(os.environ["BEFFROI_MQTT_URL"], {})
        reader, writer = await asyncio.open_connection(broker.host, broker.port)
        words = b"".join(
            len(word).to_bytes(2, "big") + word
            for word in (b"rate", str(broker.username).encode(), str(broker.password).encode())
        )
        body = b"\x00\x04MQTT\x04\xc2\x00\x00" + words
        writer.write(bytes([0x10, len(body)]) + body)
        assert (await reader.readexactly(4))[3] == 0
        reading = asyncio.create_task(self._read(reader))
        published, began = 0, time.monotonic()
        while not self.stopping:
            due = int((time.monotonic() - began) * self._rate) - published
            # The window of identifiers is what a PUBACK frees again.
            due = min(due, 60_000 - (published - self._acknowledged))
            writer.write(b"".join(_message(published + number) for number in range(due)))
            published += max(0, due)
            await writer.drain()
            self._tell()
            await asyncio.sleep(0.02)
        while self._acknowledged < published:
            await asyncio.sleep(0.02)
        self._tell()
        reading.cancel()
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        # After CONNACK only PUBACKs come, of four bytes each.
        rest = 0
        while data := await reader.read(1 << 16):
            whole, rest = divmod(rest + len(data), 4)
            self._acknowledged += whole

    def _tell(self) -> None:
        new = self._count.with_suffix(".new")
        new.write_text(str(self._acknowledged))
        new.replace(self._count)


def _message(number: int) -> bytes:
    step, sensor = divmod(number, SENSORS)
    topic = f"bench/s{sensor}".encode()
    mid = (number % 65_535 + 1).to_bytes(2, "big")
    payload = b'{"time": %d, "no2": %.1f}' % (1_767_225_600 + step, 20 + number % 90 / 10)
    body = len(topic).to_bytes(2, "big") + topic + mid + payload
    assert len(body) < 128
    return bytes([0x32, len(body)]) + body


def publish(rate: float, count: Path) -> None:
    """The publisher's process."""

    async def main() -> None:
        publisher = Publisher(rate, count)
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGTERM, setattr, publisher, "stopping", True
        )
        await publisher.run()

    asyncio.run(main())


class Bench:
    """Stack, collector and publisher, and what can be seen of them."""

    def __init__(self, stack: Stack, folder: Path, rate: float, source: str) -> None:
        self._stack = stack
        self._count = folder / "count"
        environment = {
            **os.environ,
            "COLLECTOR_CLIENT_ID": "bench",
            "COLLECTOR_METRICS_PORT": "0",
            "COLLECTOR_MQTT_SOURCE": source,
        }
        self._log = folder / "collector.log"
        with self._log.open("wb") as log:
            self.collector = subprocess.Popen(
                [sys.executable, "-m", "beffroi", "collect"], env=environment, stderr=log
            )
        stack.stop_after_death(self.collector.pid)
        if not until(lambda: b"broker connected" in self._log.read_bytes(), 60, 0.1):
            raise SystemExit(f"the collector did not connect:\n{self._log.read_text()}")
        self.publisher = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.outage", "--rate", str(rate),
             "--publish", str(self._count)],
        )  # fmt: skip
        stack.stop_after_death(self.publisher.pid)

    def acknowledged(self) -> int:
        """Messages that the broker promised to keep."""
        return int(self._count.read_text()) if self._count.exists() else 0

    def received(self) -> int:
        """Messages in the ledger."""
        with suppress(psycopg.OperationalError), psycopg.connect(autocommit=True) as connection:
            row = connection.execute(
                "SELECT sum(messages_received) FROM pipeline.ledger"
            ).fetchone()
            return int(row[0] or 0) if row else 0
        return 0

    def peak_mb(self) -> float:
        """The most memory that the collector ever had."""
        return _memory(self.collector.pid, "VmHWM")

    def broker_mb(self) -> float:
        """What the broker has now."""
        server = self._stack.mosquitto.server
        assert server is not None
        return _memory(server.pid, "VmRSS")

    def close(self) -> None:
        """End both programs."""
        for process in (self.publisher, self.collector):
            process.terminate()
            process.wait(60)


def _memory(pid: int, line: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in status if row.startswith(f"{line}:")) / 1000


def measure(stack: Stack, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One outage."""
    console = Console(stderr=True)
    bench = Bench(stack, folder, options.rate, options.source)
    try:
        time.sleep(WARM_UP_S)
        before_mb, before = bench.peak_mb(), bench.acknowledged()
        stack.postgres.stop()
        began = time.monotonic()
        with bar(console, "The database is away") as bars:
            task = bars.add_task("seconds", total=round(60 * options.minutes))
            while (gone := time.monotonic() - began) < 60 * options.minutes:
                bars.update(task, completed=round(gone))
                time.sleep(0.5)
        away_mb, broker_mb = bench.peak_mb(), bench.broker_mb()
        backlog = bench.acknowledged() - before
        stack.postgres.start()
        recovered = time.monotonic()
        with bar(console, "Catching up") as bars:
            task = bars.add_task("messages", total=backlog)

            def drained() -> bool:
                promised, received = bench.acknowledged(), bench.received()
                bars.update(task, completed=max(0, received - before), total=promised - before)
                return bool(received >= promised - options.rate)

            if not until(drained, 60 * options.minutes * 5 + 60, 0.5):
                raise SystemExit("the backlog was not drained")
        drained_s = time.monotonic() - recovered
        bench.publisher.terminate()
        bench.publisher.wait(60)
        promised = bench.acknowledged()
        until(lambda: bench.received() >= promised, 60, 0.5)
        with psycopg.connect() as connection:
            row = connection.execute("SELECT count(*) FROM air.reading").fetchone()
            again = connection.execute(
                "SELECT sum(readings_duplicate), sum(readings_refused) FROM pipeline.ledger"
            ).fetchone()
        assert row is not None
        assert again is not None
        return {
            "machine": platform.machine(), "cores": os.cpu_count(), "source": options.source,
            "rate": options.rate, "outage_s": 60 * options.minutes, "backlog_messages": backlog,
            "promised": promised, "lost": promised - row[0], "duplicates": int(again[0]),
            "refused": int(again[1]), "peak_before_mb": before_mb, "peak_away_mb": away_mb,
            "peak_mb": bench.peak_mb(), "broker_mb": broker_mb, "drained_s": drained_s,
        }  # fmt: skip
    finally:
        bench.close()


def main() -> int:
    """Measure and print; 1 when a message was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--source", choices=["auto", "paho", "mqtt5"], default="auto")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--publish", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.publish:
        publish(options.rate, options.publish)
        return 0
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder) / "stack") as stack:
            os.environ.update(stack.environment())
            lines = ["territory,site,sensor,metric,field,unit,step_s,stamp"]
            lines += [f"1,s,s{n},no2,,,1,start" for n in range(SENSORS)]
            with psycopg.connect() as connection:
                migrate(connection)
                register(connection, parse(TOML, "\n".join(lines)))
            found = measure(stack, Path(folder), options)
    if options.json:
        print(json.dumps(found))
    else:
        print(
            "database away for {outage_s:.0f} s at {rate:.0f} messages/s ({source}): collector's"
            " peak {peak_mb:.0f} MB ({peak_before_mb:.0f} before, {peak_away_mb:.0f} during);"
            " {backlog_messages:,} messages waited in {broker_mb:.0f} MB of the broker and were"
            " drained {drained_s:.0f} s after recovery; lost {lost} of {promised:,},"
            " {duplicates} delivered again.".format(**found)
        )
    return 1 if found["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
