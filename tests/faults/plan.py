"""What is published: a city of forty sensors and, from a seed, messages without end.

Every message says its name, a word of letters, in a member that the binding ignores; every
reading has a time of its own within its series. So whatever is found afterwards, in the
tables or in the refusals, tells which message it came in.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

TOML = """
[city]
name = "Faults"
timezone = "Europe/Paris"
[[territory]]
code = "1"
name = "Faults"
[[binding]]
topic = "faults/{sensor}"
ignore = ["id"]
"""
FIELDS = {
    "air": ("no2", "rain", "wind_direction", "noise_level"),
    "road": ("vehicles", "speed", "road_open"),
    "meter": ("energy_import", "power", "lighting_on"),
}
SENSORS = tuple(f"{kind}-{number}" for kind in FIELDS for number in range(14))[:40]
LATE_SENSORS = tuple(f"{kind}-{number}" for kind in FIELDS for number in range(3))
"""Of every kind a few: one late index changes every window back to the reading before it."""
STEP_S = 20
LATEST_US = 2 * 86_400_000_000
"""Punctual readings begin so long before the run: a run never reaches the present."""
LATE_US = 28 * 86_400_000_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Expected(NamedTuple):
    """One reading; a value of ``None`` is one that must be refused."""

    sensor: str
    field: str
    time_us: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Planned:
    """One message; ``whole`` is one that must be refused as a whole."""

    name: str
    topic: str
    payload: bytes
    readings: tuple[Expected, ...] = ()
    whole: bool = False


def sensor_list() -> str:
    """The city's sensors.csv."""
    lines = ["territory,site,sensor,metric,field,unit,step_s,stamp"]
    for sensor in SENSORS:
        for field in FIELDS[sensor.partition("-")[0]]:
            lines.append(f"1,place,{sensor},{field},,,{STEP_S},start")
    return "\n".join(lines) + "\n"


def name_of(number: int) -> str:
    """A number in letters: nothing that could be taken for a telephone number or a plate."""
    word = ""
    for _ in range(6):
        number, digit = divmod(number, 26)
        word = _LETTERS[digit] + word
    return word


def messages(seed: int, start_us: int) -> Iterator[Planned]:
    """The same messages, in the same order, for the same seed and start."""
    draw = _Draw(seed, start_us)
    while True:
        # Whatever a gateway gathers it may send in any order.
        block = [draw.message() for _ in range(20)]
        if draw.random.random() < 0.4:
            draw.random.shuffle(block)
        yield from block


class _Draw:
    """One message after the other; the kinds are mixed as in a bad week."""

    def __init__(self, seed: int, start_us: int) -> None:
        self.random = random.Random(seed)
        self._base_us = start_us - LATEST_US
        self._slot = dict.fromkeys(SENSORS, 0)
        self._used: set[tuple[str, int]] = set()
        self._number = 0
        self._earlier: list[tuple[Expected, ...]] = []

    def message(self) -> Planned:
        name = name_of(self._number)
        self._number += 1
        random = self.random
        sensor = random.choice(SENSORS)
        topic = f"faults/{sensor}"
        kind = random.random()
        if kind < 0.02:
            payload = json.dumps({"id": name, "no2": 12}).encode()[:-3]
            return Planned(name, topic, payload, whole=True)
        if kind < 0.04:
            payload = json.dumps({"id": name, "no2": 12}).encode()
            return Planned(name, f"faults/ghost-{random.randrange(50)}", payload, whole=True)
        if kind < 0.12 and self._earlier:
            return self._again(name, conflict=kind < 0.08)
        if kind < 0.15:
            return self._partly_wrong(name, sensor)
        if kind < 0.25:
            sensor = random.choice(LATE_SENSORS)
            topic, times = f"faults/{sensor}", [self._late(sensor)]
        else:
            times = self._punctual(sensor)
        readings = tuple(
            Expected(sensor, field, time_us, self._value(field, time_us))
            for time_us in times
            for field in FIELDS[sensor.partition("-")[0]]
        )
        if len(self._earlier) < 500:
            self._earlier.append(readings)
        else:
            self._earlier[random.randrange(500)] = readings
        return Planned(name, topic, _payload(name, readings), readings)

    def _again(self, name: str, *, conflict: bool) -> Planned:
        """The readings of an earlier message, or other values for them."""
        readings = self.random.choice(self._earlier)
        if conflict:
            readings = tuple(
                r._replace(value=1 - r.value if r.field.endswith(("_on", "_open")) else r.value + 1)
                for r in readings
                if r.value is not None
            )
        return Planned(name, f"faults/{readings[0].sensor}", _payload(name, readings), readings)

    def _partly_wrong(self, name: str, sensor: str) -> Planned:
        """One reading is out of range, those beside it are sound."""
        [time_us] = self._punctual(sensor, most=1)
        fields = FIELDS[sensor.partition("-")[0]]
        sound = tuple(Expected(sensor, f, time_us, self._value(f, time_us)) for f in fields[1:])
        wrong = Expected(sensor, fields[0], time_us, None)
        payload = _payload(name, (*sound, wrong._replace(value=-1e12)))
        return Planned(name, f"faults/{sensor}", payload, (*sound, wrong))

    def _punctual(self, sensor: str, most: int = 3) -> list[int]:
        many = 1 if self.random.random() < 0.8 else self.random.randint(1, most)
        first, self._slot[sensor] = self._slot[sensor], self._slot[sensor] + many
        return [self._base_us + (first + k) * STEP_S * 1_000_000 for k in range(many)]

    def _late(self, sensor: str) -> int:
        while True:
            time_us = self._base_us - self.random.randrange(1, LATE_US)
            if (sensor, time_us) not in self._used:
                self._used.add((sensor, time_us))
                return time_us

    def _value(self, field: str, time_us: int) -> float:
        if field == "energy_import":
            # A register only grows, whenever it is read.
            return round((time_us - self._base_us + 2 * LATE_US) / 3.6e9 * 1.7, 3)
        if field in ("road_open", "lighting_on"):
            return float(self.random.randrange(2))
        if field in ("vehicles", "rain"):
            return float(self.random.randrange(8))
        wave = math.sin(time_us / 8.64e10 * 2 * math.pi)
        return round(60 + 25 * wave + self.random.gauss(0, 3), 2)


def _payload(name: str, readings: tuple[Expected, ...]) -> bytes:
    by_time: dict[int, dict[str, object]] = {}
    for reading in readings:
        values = by_time.setdefault(reading.time_us, {"time": reading.time_us, "id": name})
        values[reading.field] = reading.value
    objects = list(by_time.values())
    return json.dumps(objects[0] if len(objects) == 1 else objects).encode()
