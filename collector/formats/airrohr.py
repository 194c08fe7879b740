"""airRohr, the firmware of sensor.community: values as text, P1 = PM10, P2 = PM2.5, no time."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from collector.formats.format import Decoded, Format, Hints, Undecodable
from collector.formats.json_text import parse
from collector.formats.members import Members
from storage.reading import Reason


class Value(TypedDict):
    """One entry of ``sensordatavalues``; the firmware writes every value as text."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]

    value_type: Annotated[str, Field(min_length=1)]
    value: Any


class Envelope(TypedDict, total=False):
    """The message as the firmware sends it to an address of one's own."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]

    esp8266id: str | int
    sensordatavalues: list[Value]


_ENVELOPE = TypeAdapter(Envelope)

# Chip numbers of 32 bits at most: that of an ESP32 is its MAC address.
_CHIP = re.compile(r"[0-9]{1,10}")

_OFFERED = {
    "samples": None, "min_micro": "us", "max_micro": "us", "interval": "ms", "signal": "dBm",
    "durP1": None, "durP2": None, "ratioP1": "%", "ratioP2": "%",
    "GPS_lat": "deg", "GPS_lon": "deg", "GPS_height": "m",
}  # fmt: skip
"""What the firmware says of itself, with units; numbers of loop turns, their length, WiFi."""

_TEXT = frozenset({"GPS_timestamp", "GPS_date", "GPS_time"})

# P1 and P2 alone are the particle counts of a PPD42NS, or masses that a gateway renamed.
_UNITS = (
    (re.compile(r"[A-Za-z0-9]+_P(?:0|1|2|4|5|01|03|05)"), "ug/m3"),
    (re.compile(r"[A-Za-z0-9]+_N(?:1|4|5|01|03|05|10|25)"), "1/cm3"),
    (re.compile(r"(?:[A-Za-z0-9]+_)?temperature"), "Cel"),
    (re.compile(r"(?:[A-Za-z0-9]+_)?humidity"), "%"),
    (re.compile(r"(?:[A-Za-z0-9]+_)?pressure"), "Pa"),
    (re.compile(r"(?:[A-Za-z0-9]+_)?co2_ppm"), "[ppm]"),
    (re.compile(r"(?:[A-Za-z0-9]+_)?noise_LA(?:eq|_min|_max)"), "dB(A)"),
    (re.compile(r"[A-Za-z0-9]+_TS"), "um"),
)


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one message; every value is of the reception, for the firmware tells no time.

    >>> message = b'{"esp8266id": "12041741", "sensordatavalues": [' \\
    ...     b'{"value_type": "SDS_P1", "value": "35.67"}]}'
    >>> decode(message, Hints(""), 0).readings[0][:5]
    ('esp8266-12041741', 'SDS_P1', None, 35.67, 'ug/m3')
    """
    message = parse(payload)
    try:
        said = _ENVELOPE.validate_python(message)
    except ValidationError as error:
        raise Undecodable(Reason.BAD_PAYLOAD, _sentence(error)) from None
    if "sensordatavalues" not in said:
        raise Undecodable(Reason.BAD_PAYLOAD, "no member sensordatavalues")
    members = Members(hints.sensor or _chip(said), None)
    for entry in said["sensordatavalues"]:
        field, value = entry["value_type"], entry["value"]
        if field in _OFFERED:
            # Old firmware wrote "-59 dBm" for the signal.
            value = value.removesuffix(" dBm") if type(value) is str else value
            members.told(field, value, _OFFERED[field])
        elif field not in _TEXT:
            members.measured(field, value, _unit(field))
    return members.decoded()


@lru_cache(maxsize=1024)
def _unit(field: str) -> str | None:
    return next((unit for pattern, unit in _UNITS if pattern.fullmatch(field)), None)


def _chip(said: Envelope) -> str:
    chip = str(said.get("esp8266id", "")).strip()
    return f"esp8266-{chip}" if _CHIP.fullmatch(chip) else ""


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = " ".join(str(part) for part in first["loc"][:3])
    return f"{where or 'the message'}: {first['msg']}"


def fits(topic: str, payload: bytes) -> bool:
    """Whether it has the list of values that this firmware alone calls so."""
    if b"sensordatavalues" not in payload:
        return False
    try:
        decode(payload, Hints(""), 0)
    except Undecodable:
        return False
    return True


FORMAT = Format(
    name="airrohr",
    title="airRohr firmware of sensor.community",
    topic="airrohr/{sensor}",
    decode=decode,
    fits=fits,
    sensor="`esp8266-` and the chip's number",
    fields="the firmware's value_type; P1 is PM10, P2 is PM2.5, P0 is PM1",
    units="µg/m³ for masses of particles, °C, %, Pa, ppm, dB(A), by the name of the value",
    time="the reception; the firmware tells no time",
    passed_over="the firmware's version, the GPS time, and text for values that are offered only",
)
