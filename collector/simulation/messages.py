"""The messages of the city in the order in which they leave, mishaps included; no I/O."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from collector.simulation.city import SimulatedCity
from collector.simulation.devices import BOOLEAN, Clock, Kind
from collector.simulation.faults import Mishap, mishaps
from collector.simulation.noise import mix, uniform
from collector.simulation.rows import Rows, rows_between, written

HISTORY_ROWS = 100
"""Measurements in one message of history: what a device keeps while it has no network."""

_DAYS_AHEAD_S = 2 * 86_400.0
_ANCIENT_S = 946_598_400.0  # 1999-12-31, where many clocks begin
_HUGE = b'{"log":"' + b"x" * 300_000 + b'"}'
_KEEP_WITHOUT_CLOCK = frozenset({None, Mishap.GARBAGE, Mishap.UNKNOWN_FIELD, Mishap.UNKNOWN_SENSOR})


class Message(NamedTuple):
    """One publication.

    ``due`` in simulated seconds since 1970; ``readings`` that are new, ``duplicates`` and
    ``conflicts`` of readings said before (or, for a late message, later).
    """

    due: float
    topic: str
    payload: bytes
    readings: int
    duplicates: int = 0
    conflicts: int = 0
    mishap: Mishap | None = None


class Stream:
    """The city's messages from one instant on, asked for piece by piece.

    ``counted`` holds how many measurements lasting faults touched. ``clockless`` devices
    leave the time to reception, which is right only if simulated time is real time.
    """

    def __init__(
        self, city: SimulatedCity, *, mishaps: bool = True, clockless: bool = False
    ) -> None:
        self._city = city
        self._mishaps = mishaps
        self._clockless = clockless
        self._held: list[tuple[float, int, Message]] = []
        self._number = 0
        self.counted: Counter[str] = Counter()

    def between(self, start: float, end: float) -> list[Message]:
        """What leaves in ``[start, end)``, in order of leaving."""
        leaving: list[Message] = []
        for fleet in self._city.fleets:
            rows = rows_between(self._city.world, fleet, start, end, self.counted, self._mishaps)
            for message in self._told(rows):
                if message.due < end:
                    leaving.append(message)
                else:
                    self._number += 1
                    heapq.heappush(self._held, (message.due, self._number, message))
        while self._held and self._held[0][0] < end:
            leaving.append(heapq.heappop(self._held)[2])
        leaving.sort(key=lambda message: message.due)
        return leaving

    def held(self) -> list[Message]:
        """Late messages that have not left yet; they are handed over once."""
        waiting = [message for _, _, message in sorted(self._held)]
        self._held.clear()
        return waiting

    def _told(self, rows: Rows) -> Iterator[Message]:
        fleet, kind = rows.fleet, rows.fleet.kind
        seed, who = self._city.world.seed, fleet.who[rows.device]
        clock = _clock(kind, self._clockless)
        befallen = mishaps(seed, who, rows.tick) if self._mishaps else [None] * len(rows.device)
        delay = uniform(seed, who, rows.tick, 201).tolist() if len(rows.device) else []
        times = written(rows.time, clock)
        due = rows.due.tolist()
        size = len(kind.channels)
        for number, device in enumerate(rows.device.tolist()):
            cells = [column[number] for column in rows.cells]
            topic = fleet.topics[device]
            mishap = befallen[number]
            if clock is Clock.NONE and mishap not in _KEEP_WITHOUT_CLOCK:
                mishap = None
            if mishap is None:
                payload = _payload(kind, times[number], cells)
                yield Message(due[number], topic, payload, size)
            else:
                key = int(mix(seed, int(who[number]), int(rows.tick[number]))[0] >> np.uint64(33))
                yield from _befallen(
                    Message(due[number], topic, b"", size, mishap=mishap), kind, clock,
                    times[number], cells, float(rows.time[number]), delay[number], key,
                )  # fmt: skip


def history(
    city: SimulatedCity, start: float, end: float, counted: Counter[str], *, mishaps: bool = True
) -> Iterator[Message]:
    """The past ``[start, end)`` as devices send what they kept: many measurements a message.

    Lasting faults are in it, message faults are not. Devices without a clock keep nothing.
    """
    for fleet in city.fleets:
        if fleet.kind.clock is Clock.NONE:
            continue
        length = float(HISTORY_ROWS * fleet.kind.step_s)
        at = start
        while at < end:
            upto = min(end, at + length)
            yield from _kept(rows_between(city.world, fleet, at, upto, counted, mishaps), upto)
            at = upto


def _kept(rows: Rows, due: float) -> Iterator[Message]:
    fleet, kind = rows.fleet, rows.fleet.kind
    times = written(rows.time, kind.clock)
    says = kind.says.removeprefix("[").removesuffix("]")
    texts = [says % one for one in zip(times, *rows.cells, strict=True)]
    bounds = np.searchsorted(rows.device, np.arange(len(fleet.topics) + 1)).tolist()
    for device, topic in enumerate(fleet.topics):
        part = texts[bounds[device] : bounds[device + 1]]
        if part:
            payload = f"[{','.join(part)}]".encode()
            yield Message(due, topic, payload, len(part) * len(kind.channels))


def _clock(kind: Kind, clockless: bool) -> Clock:
    return Clock.ISO_MS if kind.clock is Clock.NONE and not clockless else kind.clock


def _payload(kind: Kind, time: str, cells: list[str]) -> bytes:
    if kind.clock is not Clock.NONE:
        return (kind.says % (time, *cells)).encode()
    payload = kind.says % tuple(cells)
    return (f'{{"time":"{time}",{payload[1:]}' if time else payload).encode()


def _befallen(
    plain: Message, kind: Kind, clock: Clock, time: str, cells: list[str], said: float,
    delay: float, key: int,
) -> Iterator[Message]:  # fmt: skip
    """The message, and what the mishap makes of it or sends beside it."""
    mishap, payload, size = plain.mishap, _payload(kind, time, cells), len(kind.channels)
    good = plain._replace(payload=payload, mishap=None)
    beside = plain._replace(payload=payload, readings=0)
    match mishap:
        case Mishap.DUPLICATE:
            yield good
            yield beside._replace(duplicates=size)
        case Mishap.LATE:
            # Behind the device's next message: out of order.
            yield good._replace(due=plain.due + (1.0 + delay) * kind.step_s, mishap=mishap)
        case Mishap.VERY_LATE:
            yield good._replace(due=plain.due + 1_800.0 + delay * 7_200.0, mishap=mishap)
        case Mishap.CONFLICT:
            yield good
            if kind.channels[0].decimals != BOOLEAN:
                other = [f"{float(cells[0]) + 1.0:.{kind.channels[0].decimals}f}", *cells[1:]]
                yield beside._replace(
                    payload=_payload(kind, time, other), duplicates=size - 1, conflicts=1
                )
        case Mishap.UNKNOWN_SENSOR:
            yield good
            yield beside._replace(topic=f"{plain.topic.rpartition('/')[0]}/ghost-{key % 20:02d}")
        case Mishap.UNKNOWN_FIELD:
            yield good._replace(payload=_with_more(payload), mishap=mishap)
        case Mishap.GARBAGE:
            yield good
            nan = _payload(kind, time, ["NaN", *cells[1:]])
            # A boolean that is NaN breaks a whole SenML pack; other members stay readable.
            readable = kind.clock is not Clock.NONE and kind.channels[0].decimals != BOOLEAN
            kept = size - 1 if readable and key % 6 == 4 else 0
            yield beside._replace(payload=_garbage(payload, nan, key), duplicates=kept)
        case Mishap.FUTURE_CLOCK | Mishap.ANCIENT_CLOCK:
            yield good
            wrong = said + _DAYS_AHEAD_S if mishap is Mishap.FUTURE_CLOCK else _ANCIENT_S
            text = written(np.array([wrong + key % 3_600]), clock)[0]
            yield beside._replace(payload=_payload(kind, text, cells))
        case Mishap.MISSING if not payload.startswith(b"["):
            nothing = "" if kind.as_text else "null"
            yield good._replace(payload=_payload(kind, time, [nothing, *cells[1:]]), mishap=mishap)
        case _:
            yield good


def _with_more(payload: bytes) -> bytes:
    if payload.startswith(b"["):
        return payload[:-1] + b',{"n":"humidex","v":21.5}]'
    return b'{"humidex":21.5,' + payload[1:]


def _garbage(payload: bytes, nan: bytes, key: int) -> bytes:
    match key % 6:
        case 0:
            return payload[: len(payload) // 2]
        case 1:
            return bytes((key >> shift) & 0xFF for shift in range(0, 31, 3)) + b"\xff\x00"
        case 2:
            return b""
        case 3:
            return b"ERROR 17: no answer from sensor"
        case 4:
            return nan
        case _:
            return _HUGE if key % 7 == 0 else b"[" + payload
