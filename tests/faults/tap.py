"""Reads along between broker and collectors: what was handed over, what was acknowledged.

It knows nothing of the collector's own books, so that these can be judged by it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_NAME = re.compile(rb'"id": ?"([a-z]{6})"')
_CONNECT, _PUBLISH, _PUBACK, _SUBACK = 1, 3, 4, 9


@dataclass(slots=True)
class Handed:
    """How often one message was handed over, with and without the mark of a redelivery."""

    fresh: int = 0
    again: int = 0


@dataclass(slots=True)
class Line:
    """One connection of a collector, and what it holds without having acknowledged it."""

    client_id: str = ""
    version: int = 5
    served: int = 0
    held: dict[int, str] = field(default_factory=dict)


class Tap:
    """All connections of all collectors; safe to ask from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: dict[int, Line] = {}
        self.handed: dict[str, Handed] = {}
        self.acknowledged: set[str] = set()
        self.acknowledgements = 0
        self.redeliveries = 0
        self.subscribed = False

    def opened(self, number: int) -> tuple[PacketReader, PacketReader]:
        """Readers for what a new connection's client sends, and for what it is sent."""
        line = Line()
        with self._lock:
            self._line[number] = line
        return (
            PacketReader(lambda kind, body: self._sent(line, kind, body)),
            PacketReader(lambda kind, body: self._received(line, kind, body)),
        )

    def closed(self, number: int) -> None:
        """Forget what a connection held: nobody will acknowledge it any more."""
        with self._lock:
            self._line.pop(number, None)

    def unacknowledged(self, client_id: str | None = None) -> int:
        """Messages on open connections, of one client or of all, that wait for their PUBACK."""
        with self._lock:
            return sum(
                len(line.held)
                for line in self._line.values()
                if client_id in (None, line.client_id)
            )

    def held(self) -> set[str]:
        """Names of the messages that wait on open connections for their PUBACK."""
        with self._lock:
            return {name for line in self._line.values() for name in line.held.values()}

    def connected(self, client_id: str) -> bool:
        """Whether a collector is connected under that id."""
        with self._lock:
            return any(line.client_id == client_id for line in self._line.values())

    def served(self, client_id: str) -> int:
        """Messages handed over on the open connections of one client."""
        with self._lock:
            return sum(line.served for line in self._line.values() if line.client_id == client_id)

    def missing(self, names: set[str]) -> set[str]:
        """Those of some messages that no collector has acknowledged."""
        with self._lock:
            return names - self.acknowledged

    def _sent(self, line: Line, kind: int, body: bytes) -> None:
        with self._lock:
            if kind >> 4 == _CONNECT:
                line.version, line.client_id = _greeting(body)
            elif kind >> 4 == _PUBACK:
                name = line.held.pop(int.from_bytes(body[:2], "big"), None)
                self.acknowledgements += 1
                if name:
                    self.acknowledged.add(name)

    def _received(self, line: Line, kind: int, body: bytes) -> None:
        if kind >> 4 == _SUBACK:
            self.subscribed = True
        if kind >> 4 != _PUBLISH or not (kind >> 1) & 3:
            return
        topic = int.from_bytes(body[:2], "big")
        mid = int.from_bytes(body[2 + topic : 4 + topic], "big")
        found = _NAME.search(body, 4 + topic)
        name = found[1].decode() if found else ""
        with self._lock:
            line.held[mid] = name
            line.served += 1
            handed = self.handed.setdefault(name, Handed())
            if kind & 8:
                handed.again += 1
                self.redeliveries += 1
            else:
                handed.fresh += 1


class PacketReader:
    """Cuts one direction of an MQTT connection into packets."""

    def __init__(self, packet: Callable[[int, bytes], None]) -> None:
        self._packet = packet
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes; packets may begin and end anywhere in them."""
        self._data += data
        for kind, body in self._whole():
            self._packet(kind, body)

    def _whole(self) -> Iterator[tuple[int, bytes]]:
        at = 0
        while True:
            length, shift, here = 0, 0, at + 1
            while here < len(self._data):
                byte = self._data[here]
                length |= (byte & 127) << shift
                shift, here = shift + 7, here + 1
                if byte < 128:
                    break
            else:
                break
            if here + length > len(self._data):
                break
            yield self._data[at], bytes(self._data[here : here + length])
            at = here + length
        del self._data[:at]


def _greeting(body: bytes) -> tuple[int, str]:
    """Protocol version and client id that a CONNECT says."""
    at = 2 + int.from_bytes(body[:2], "big")
    version = body[at]
    at += 4  # version, flags, keep-alive
    if version == 5:
        at += 1 + body[at] if body[at] < 128 else 2 + (body[at] & 127) + (body[at + 1] << 7)
    length = int.from_bytes(body[at : at + 2], "big")
    return version, body[at + 2 : at + 2 + length].decode(errors="replace")
