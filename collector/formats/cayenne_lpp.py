"""Cayenne LPP: measurements as (channel, type, value), one after the other.

Types, sizes and steps are those of myDevices' table and of its common extensions; names are
those that The Things Stack gives them, so that a device keeps its fields wherever it is decoded.
"""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """One number of a type: bytes, sign, steps in one unit, unit, and what tells it apart."""

    size: int
    signed: bool
    steps: int
    unit: str | None
    suffix: str = ""


def _one(size: int, signed: bool, steps: int, unit: str | None = None) -> tuple[Part, ...]:
    return (Part(size, signed, steps, unit),)


def _axes(steps: int, unit: str) -> tuple[Part, ...]:
    return tuple(Part(2, True, steps, unit, f".{axis}") for axis in "xyz")


TYPES: dict[int, tuple[str, tuple[Part, ...]]] = {
    0: ("digital_in", _one(1, False, 1)),
    1: ("digital_out", _one(1, False, 1)),
    2: ("analog_in", _one(2, True, 100)),
    3: ("analog_out", _one(2, True, 100)),
    100: ("generic_sensor", _one(4, False, 1)),
    101: ("luminosity", _one(2, False, 1, "lx")),
    102: ("presence", _one(1, False, 1)),
    103: ("temperature", _one(2, True, 10, "Cel")),
    104: ("relative_humidity", _one(1, False, 2, "%")),
    113: ("accelerometer", _axes(1000, "[g]")),
    115: ("barometric_pressure", _one(2, False, 10, "hPa")),
    116: ("voltage", _one(2, False, 100, "V")),
    117: ("current", _one(2, False, 1000, "A")),
    118: ("frequency", _one(4, False, 1, "Hz")),
    120: ("percentage", _one(1, False, 1, "%")),
    121: ("altitude", _one(2, True, 1, "m")),
    125: ("concentration", _one(2, False, 1, "[ppm]")),
    128: ("power", _one(2, False, 1, "W")),
    130: ("distance", _one(4, False, 1000, "m")),
    131: ("energy", _one(4, False, 1000, "kW.h")),
    132: ("direction", _one(2, False, 1, "deg")),
    133: ("unixtime", _one(4, False, 1, "s")),
    134: ("gyrometer", _axes(100, "deg/s")),
    135: ("colour", tuple(Part(1, False, 1, None, f".{one}") for one in "rgb")),
    136: (
        "gps",
        (
            Part(3, True, 10_000, "deg", ".latitude"),
            Part(3, True, 10_000, "deg", ".longitude"),
            Part(3, True, 100, "m", ".altitude"),
        ),
    ),
    142: ("switch", _one(1, False, 1)),
}
"""By type number: the field's name without its channel, and its numbers."""

ABOUT_ITSELF = frozenset({133, 136})
"""Types that say when and where the device is, not what it measured."""


class Broken(ValueError):
    """The bytes do not keep the format."""


def read(payload: bytes) -> tuple[dict[str, tuple[float, str | None]], set[str]]:
    """Value and unit by field, and the fields that speak of the device itself.

    A channel that occurs twice counts as said last.

    >>> read(bytes.fromhex("03670110056700ff"))[0]
    {'temperature_3': (27.2, 'Cel'), 'temperature_5': (25.5, 'Cel')}
    """
    values: dict[str, tuple[float, str | None]] = {}
    itself: set[str] = set()
    at = 0
    while at < len(payload):
        if at + 2 > len(payload):
            raise Broken(f"byte {at} is alone: a channel needs its type")
        channel, number = payload[at], payload[at + 1]
        if number not in TYPES:
            raise Broken(f"byte {at + 1}: Cayenne LPP has no type {number}")
        name, parts = TYPES[number]
        at += 2
        for size, signed, steps, unit, suffix in parts:
            end = at + size
            if end > len(payload):
                raise Broken(f"{name}_{channel} is cut: it needs {end} bytes")
            raw = int.from_bytes(payload[at:end], "big", signed=signed)
            values[f"{name}_{channel}{suffix}"] = raw / steps, unit
            at = end
        if number in ABOUT_ITSELF:
            itself.update(f"{name}_{channel}{part.suffix}" for part in parts)
    return values, itself
