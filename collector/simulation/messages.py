"""The messages of the city in the order in which they leave, mishaps included; no I/O."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from collector.simulation.city import Fleet, SimulatedCity
from collector.simulation.devices import BOOLEAN, Clock, Kind
from collector.simulation.envelopes import PLAIN
from collector.simulation.faults import Mishap, mishaps
from collector.simulation.noise import mix, uniform
from collector.simulation.rows import Rows, rows_between, written

HISTORY_ROWS = 100
"""Measurements in one message of history: what a device keeps while it has no network."""

_DAYS_AHEAD_S = 2 * 86_400.0
_ANCIENT_S = 946_598_400.0  # 1999-12-31, where many clocks begin
_FIRST_GROUP = 8  # ends within the first group, so that none is whole
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
    leave the time to reception, which is right only if simulated time is real time;
    otherwise a relay adds it.
    """

    def __init__(
        self, city: SimulatedCity, *, mishaps: bool = True, clockless: bool = False
    ) -> None:
        self._city = city
        self._fleets = city.fleets if clockless else [_relayed(fleet) for fleet in city.fleets]
        self._mishaps = mishaps
        self._held: list[tuple[float, int, Message]] = []
        self._number = 0
        self.counted: Counter[str] = Counter()

    def between(self, start: float, end: float) -> list[Message]:
        """What leaves in ``[start, end)``, in order of leaving."""
        leaving: list[Message] = []
        for fleet in self._fleets:
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
        befallen = mishaps(seed, who, rows.tick) if self._mishaps else [None] * len(rows.device)
        delay = uniform(seed, who, rows.tick, 201).tolist() if len(rows.device) else []
        times = written(rows.time, kind.clock)
        due = rows.due.tolist()
        size = len(kind.channels)
        for number, device in enumerate(rows.device.tolist()):
            cells = [column[number] for column in rows.cells]
            topic, code = fleet.topics[device], fleet.codes[device]
            mishap = befallen[number]
            if kind.clock is Clock.NONE and mishap not in _KEEP_WITHOUT_CLOCK:
                mishap = None
            if mishap is None:
                payload = _payload(kind, code, times[number], cells)
                yield Message(due[number], topic, payload, size)
            else:
                key = int(mix(seed, int(who[number]), int(rows.tick[number]))[0] >> np.uint64(33))
                yield from _befallen(
                    Message(due[number], topic, b"", size, mishap=mishap), kind, code,
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
    write = kind.form.write
    if write is None:
        texts = [kind.says % one for one in zip(times, *rows.cells, strict=True)]
    else:
        said = [kind.says % one for one in zip(*rows.cells, strict=True)]
        codes = map(fleet.codes.__getitem__, rows.device.tolist())
        texts = list(map(write, codes, times, said))
    size = len(kind.channels)
    bounds = np.searchsorted(rows.device, np.arange(len(fleet.topics) + 1)).tolist()
    for device, topic in enumerate(fleet.topics):
        part = texts[bounds[device] : bounds[device + 1]]
        if part and kind.form.pack is not None:
            yield Message(due, topic, kind.form.pack(part).encode(), len(part) * size)
        else:
            for text in part:
                yield Message(due, topic, text.encode(), size)


def _relayed(fleet: Fleet) -> Fleet:
    """The same devices behind a relay that adds the time, where they have no clock."""
    kind = fleet.kind
    if kind.clock is not Clock.NONE:
        return fleet
    topics = tuple(
        PLAIN.topic_of(territory, site, code)
        for (territory, site), code in zip(fleet.places, fleet.codes, strict=True)
    )
    behind = replace(kind, form=PLAIN, clock=Clock.ISO_MS, says=kind.relayed)
    return replace(fleet, kind=behind, topics=topics)


def _payload(kind: Kind, code: str, time: str, cells: list[str], *, more: bool = False) -> bytes:
    """One measurement as the device says it, with a member that nobody knows if ``more``."""
    write = kind.form.write
    if write is not None:
        said = kind.says % tuple(cells)
        return write(code, time, said + kind.form.more if more else said).encode()
    payload = kind.says % (tuple(cells) if kind.clock is Clock.NONE else (time, *cells))
    return (_with_more(payload) if more else payload).encode()


def _befallen(
    plain: Message, kind: Kind, code: str, time: str, cells: list[str], said: float,
    delay: float, key: int,
) -> Iterator[Message]:  # fmt: skip
    """The message, and what the mishap makes of it or sends beside it."""
    mishap, payload, size = plain.mishap, _payload(kind, code, time, cells), len(kind.channels)
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
                    payload=_payload(kind, code, time, other), duplicates=size - 1, conflicts=1
                )
        case Mishap.UNKNOWN_SENSOR:
            yield good
            yield beside._replace(topic=plain.topic.replace(code, f"ghost-{key % 20:02d}"))
        case Mishap.UNKNOWN_FIELD:
            yield good._replace(payload=_payload(kind, code, time, cells, more=True), mishap=mishap)
        case Mishap.GARBAGE:
            yield good
            yield _garbage(beside, _payload(kind, code, time, ["NaN", *cells[1:]]), kind, key)
        case Mishap.FUTURE_CLOCK | Mishap.ANCIENT_CLOCK:
            yield good
            wrong = said + _DAYS_AHEAD_S if mishap is Mishap.FUTURE_CLOCK else _ANCIENT_S
            text = written(np.array([wrong + key % 3_600]), kind.clock)[0]
            yield beside._replace(payload=_payload(kind, code, text, cells))
        case Mishap.MISSING if not payload.startswith(b"["):
            nothing = "" if kind.as_text else "null"
            told = _payload(kind, code, time, [nothing, *cells[1:]])
            yield good._replace(payload=told, mishap=mishap)
        case _:
            yield good


def _with_more(payload: str) -> str:
    if payload.startswith("["):
        return payload[:-1] + ',{"n":"humidex","v":21.5}]'
    return '{"humidex":21.5,' + payload[1:]


def _garbage(beside: Message, nan: bytes, kind: Kind, key: int) -> Message:
    """What has become of a message on the way, or what a broken device says instead."""
    payload = beside.payload
    match key % 6:
        case 1:
            said = bytes((key >> shift) & 0xFF for shift in range(0, 31, 3)) + b"\xff\x00"
        case 2:
            said = b""
        case 3:
            said = b"ERROR 17: no answer from sensor"
        case 4 if kind.clock is not Clock.NONE:
            # The other members stay readable, and were said before.
            return beside._replace(payload=nan, duplicates=len(kind.channels) - 1)
        case 5 if key % 7 == 0:
            said = _HUGE
        case 5 if kind.form.spoilt_whole:
            said = b"[" + payload
        case _:
            said = payload[: len(payload) // 2 if kind.form.spoilt_whole else _FIRST_GROUP]
    return beside._replace(payload=said)
