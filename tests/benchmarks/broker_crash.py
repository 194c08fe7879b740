"""What Mosquitto loses on kill -9, by its settings, and what each costs in publishing rate.

    python -m tests.benchmarks.broker_crash [--messages N] [--kills K] [--seed S] [--only WORD] [--json]

QoS 1 messages of 250 bytes, the consumer's persistent session offline. First N messages are
acknowledged to the publisher, then the broker is killed. Then it is killed K times in
mid-publish, at moments drawn from the seed, with four publishers at full speed. After each
restart the session is read to the end: lost is what was acknowledged and does not come.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from beffroi.embedded import bundles, machine, packages
from beffroi.embedded.mosquitto import USER, Mosquitto
from beffroi.embedded.processes import Guard
from beffroi.embedded.stack import start_on_a_port
from collector.mqtt.frames import publishes

PAYLOAD = 250
WINDOW = 100
"""Messages that a publisher has on their way at once."""
PUBLISHERS = 4
TOPIC = b"crash/"

NO_PLUGIN = ("plugin", "plugin_opt_db_file", "plugin_opt_flush_period", "packet_buffer_size")
VARIANTS: dict[str, tuple[str, ...]] = {
    "shipped": (),
    "with an fsync at every commit": ("plugin_opt_sync full",),
    "with the usual read buffer": ("packet_buffer_size",),
    "SQLite plugin, its defaults": ("packet_buffer_size", "plugin_opt_flush_period"),
    "autosave_on_changes, interval 1": (
        *NO_PLUGIN, "persistence true", "autosave_on_changes true", "autosave_interval 1",
    ),
    "persistence true, defaults": (*NO_PLUGIN, "persistence true"),
}  # fmt: skip


class Wire:
    """MQTT 3.1.1 by hand: a client library would be the slower side."""

    def __init__(self, broker: Mosquitto, client_id: str, *, clean: bool) -> None:
        self.socket = socket.create_connection(("127.0.0.1", broker.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        flags = 0xC0 | (2 if clean else 0)
        body = _text(b"MQTT") + bytes([4, flags, 0, 0])
        body += _text(client_id.encode()) + _text(USER.encode()) + _text(broker.password.encode())
        self.socket.sendall(b"\x10" + _length(len(body)) + body)
        answer = self._exactly(4)
        assert answer[3] == 0, answer

    def subscribe(self) -> None:
        """At QoS 1."""
        body = b"\x00\x01" + _text(TOPIC + b"#") + b"\x01"
        self.socket.sendall(b"\x82" + _length(len(body)) + body)
        # A session that is present is sent its backlog before this answer.
        while b"\x90\x03\x00\x01" not in self.received:
            self.received += self.socket.recv(1 << 16)

    def leave(self) -> None:
        """DISCONNECT."""
        self.socket.sendall(b"\xe0\x00")
        self.socket.close()

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self.socket.recv(count - len(found))
            if not piece:
                raise ConnectionError("the broker closed the connection")
            found += piece
        return found


def _text(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


def _length(length: int) -> bytes:
    found = b""
    while length > 127:
        found += bytes([length % 128 | 128])
        length //= 128
    return found + bytes([length])


def _publish(number: int, mid: int) -> bytes:
    body = _text(TOPIC + b"%d" % (number % 50)) + mid.to_bytes(2, "big")
    body += (b"%d " % number).ljust(PAYLOAD, b".")
    return b"\x32" + _length(len(body)) + body


class Publishers:
    """Some connections that publish numbered messages as fast as they are acknowledged."""

    def __init__(self, broker: Mosquitto, first: int) -> None:
        self.acknowledged: set[int] = set()
        self._next = first
        self._wires = [Wire(broker, f"publisher-{n}", clean=True) for n in range(PUBLISHERS)]

    def publish(self, messages: int) -> float:
        """Publish until so many are acknowledged, or the broker is gone; returns the seconds."""
        end = self._next + messages
        began = time.perf_counter()
        with selectors.DefaultSelector() as ready:
            for wire in self._wires:
                state = {"mid": 0, "rest": b"", "flying": {}}
                ready.register(wire.socket, selectors.EVENT_READ, state)
                self._send(wire.socket, state, end)
            while ready.get_map():
                for key, _ in ready.select(30):
                    state = key.data
                    try:
                        piece = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                    except OSError:
                        piece = b""
                    self._acknowledge(state, piece)
                    if not piece or not self._send(key.fileobj, state, end):
                        ready.unregister(key.fileobj)
        return time.perf_counter() - began

    def close(self) -> None:
        """Close all."""
        for wire in self._wires:
            wire.socket.close()

    @property
    def next(self) -> int:
        """The first number that was not used."""
        return self._next

    def _acknowledge(self, state: dict, piece: bytes) -> None:
        data = state["rest"] + piece
        whole = len(data) // 4 * 4
        for at in range(0, whole, 4):
            mid = int.from_bytes(data[at + 2 : at + 4], "big")
            self.acknowledged.add(state["flying"].pop(mid))
        state["rest"] = data[whole:]

    def _send(self, to: socket.socket, state: dict, end: int) -> bool:
        """Fill the window; false when nothing is left to do."""
        packets = []
        while len(state["flying"]) < WINDOW and self._next < end:
            state["mid"] = state["mid"] % 65_535 + 1
            state["flying"][state["mid"]] = self._next
            packets.append(_publish(self._next, state["mid"]))
            self._next += 1
        try:
            to.sendall(b"".join(packets))
        except OSError:
            return bool(state["flying"])  # Acknowledgements may still wait to be read.
        return bool(state["flying"])


def kept(broker: Mosquitto, end: int) -> set[int]:
    """What the session hands over, read up to a message ``end`` that is published now."""
    found: set[int] = set()
    consumer = Wire(broker, "consumer", clean=False)
    consumer.subscribe()
    marker = Wire(broker, "marker", clean=True)
    # It waits behind all that the session holds.
    marker.socket.sendall(_publish(end, 1))
    data = consumer.received.replace(b"\x90\x03\x00\x01\x01", b"", 1)
    while end not in found:
        frames, at = publishes(data, 0, False, 100_000)
        found.update(int(frame.payload.split(b" ", 1)[0]) for frame in frames)
        acknowledgements = b"".join(b"\x40\x02" + frame.mid.to_bytes(2, "big") for frame in frames)
        consumer.socket.sendall(acknowledgements)
        data = data[at:]
        if end not in found:
            piece = consumer.socket.recv(1 << 20)
            assert piece, "the broker closed the consumer's connection"
            data += piece
    marker.leave()
    consumer.leave()
    return found


@dataclass
class Result:
    """What one kind of settings did."""

    name: str
    acknowledged: int = 0
    rate: float = 0.0
    drained: float = 0.0
    lost: int = 0
    loaded_acknowledged: int = 0
    loaded_lost: list[int] = field(default_factory=list)


def measure(
    name: str, extra: tuple[str, ...], folder: Path, messages: int, kills: int, seed: int
) -> Result:
    """All crashes of one kind of settings."""
    result = Result(name)
    prefix = packages.fetch(bundles.MOSQUITTO)
    guard = Guard()
    broker = Mosquitto(
        prefix, folder / "mosquitto", folder / "mosquitto.log", user=machine.server_user(),
        password=secrets.token_urlsafe(24), guard=guard, extra=extra,
    )  # fmt: skip
    chance = random.Random(seed)
    try:
        start_on_a_port(broker, None)
        first = 0
        for kill in range(kills + 1):
            settle(broker)
            publishers = Publishers(broker, first)
            if kill == 0:
                result.rate = messages / publishers.publish(messages)
                broker.kill()
            else:
                timer = threading.Timer(chance.uniform(0.1, 0.6), broker.kill)
                timer.start()
                publishers.publish(10_000_000)
                timer.join()
            publishers.close()
            first = publishers.next + 1
            broker.start()
            began = time.perf_counter()
            found = kept(broker, publishers.next)
            drained = len(found) / (time.perf_counter() - began)
            lost = len(publishers.acknowledged - found)
            if kill == 0:
                result.acknowledged, result.lost = len(publishers.acknowledged), lost
                # Of an empty session there is no rate.
                result.drained = drained if len(found) > 1 else 0.0
            else:
                result.loaded_acknowledged += len(publishers.acknowledged)
                result.loaded_lost.append(lost)
    finally:
        broker.kill()
        guard.release()
    return result


def settle(broker: Mosquitto) -> None:
    """Leave an offline session that the broker has saved."""
    consumer = Wire(broker, "consumer", clean=False)
    consumer.subscribe()
    consumer.leave()
    broker.stop()
    broker.start()


def show(results: list[Result]) -> None:
    """A table for people."""
    base = results[0].rate
    table = Table(box=None)
    for title in ("settings", "publish rate", "drain rate", "lost of N", "lost under load",
                  "kills that lost", "worst", "median"):  # fmt: skip
        table.add_column(title, justify="left" if title == "settings" else "right")
    for one in results:
        lost = one.loaded_lost
        table.add_row(
            one.name, f"{one.rate / base:.2f} ({one.rate:,.0f}/s)",
            f"{one.drained / results[0].drained:.2f} ({one.drained:,.0f}/s)" if one.drained else "–",
            f"{one.lost:,} of {one.acknowledged:,}",
            f"{sum(lost):,} of {one.loaded_acknowledged:,}",
            f"{sum(map(bool, lost))} of {len(lost)}", f"{max(lost, default=0):,}",
            f"{statistics.median(lost) if lost else 0:,.0f}",
        )  # fmt: skip
    Console(width=130).print(table)


def main() -> None:
    """Measure each kind of settings and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="settings whose name has this word")
    options = parser.parse_args()
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    results = []
    for name, extra in VARIANTS.items():
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as folder:
            Path(folder).chmod(0o755)
            print(f"{name} … seed {options.seed}", file=sys.stderr)
            results.append(
                measure(name, extra, Path(folder), options.messages, options.kills, options.seed)
            )
    if options.json:
        print(json.dumps([asdict(one) for one in results]))
    else:
        show(results)


if __name__ == "__main__":
    main()
