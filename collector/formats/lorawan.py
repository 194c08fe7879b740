"""What the network servers of LoRaWAN have in common: one uplink, heard by several gateways."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from functools import partial
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from collector import times
from collector.formats import plain, raw
from collector.formats.format import Decoded, Hints, Undecodable
from collector.formats.json_text import parse
from storage.codec import Codec
from storage.reading import Flag, Reading, Reason

CLOCK_US = 600_000_000
"""How far a gateway's clock may be from its network server's and is still believed. [us]"""

_PLAIN = {
    "missing": "is missing",
    "string_pattern_mismatch": "has a length or characters that such an id never has",
}

_MISSING = int(Flag.MISSING)
_UNJUDGED = int(Flag.NOT_EVALUATED)

# Twice as fast as calling Reading, in the loop every message goes through.
_reading = partial(tuple.__new__, Reading)

M = TypeVar("M", bound=BaseModel)


Offered = tuple[str, float | None, str | None]
"""Field, value and unit of what a network says besides; None where it does not say it."""


class Uplink(NamedTuple):
    """One message of a device, as its network server passes it on.

    port: LoRaWAN's FPort; 0 for the network's own commands.
    members: what the network server's codec made of the bytes; None where it has no codec.
    data: the bytes in Base64, "" for none.
    time_us: when it was heard.
    """

    sensor: str
    port: int
    members: dict[str, Any] | None
    data: str
    time_us: int


class Heard(NamedTuple):
    """How one gateway heard it. [dBm, dB]"""

    rssi: float | None
    snr: float | None


def envelope(model: type[M], message: Any, server: str) -> M:
    """The message as its model; what is wrong is told by the member's name."""
    try:
        return model.model_validate(message)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = _PLAIN.get(first["type"], first["msg"])
        detail = f"{where}: {what}" if where else f"no message of {server}: {what}"
        raise Undecodable(Reason.BAD_PAYLOAD, detail) from None


def speaks_of(payload: bytes, member: str, name: str) -> bool:
    """Whether it is an object that has the device's ``name`` in its ``member``."""
    try:
        message = parse(payload)
    except Undecodable:
        return False
    device = message.get(member) if type(message) is dict else None
    return type(device) is dict and name in device


def heard_at(clocks: Iterable[str | None], server_us: int | None) -> int | None:
    """The earliest time of a gateway whose clock agrees with the server's; None for none.

    The earliest, so that the order of the gateways, which differs from one delivery to the
    next, does not matter. Without a server's time every clock is believed.
    """
    heard = [
        time_us
        for time_us in map(instant, clocks)
        if time_us is not None and (server_us is None or abs(time_us - server_us) <= CLOCK_US)
    ]
    return min(heard, default=None)


def instant(text: str | None) -> int | None:
    """A time of the network's own, None where it cannot be read."""
    if not text:
        return None
    try:
        return times.from_text(text, "UTC")
    except times.NotATime:
        return None


def said_instant(text: str) -> int:
    """The time on which the message relies."""
    time_us = instant(text)
    if time_us is None:
        raise Undecodable(Reason.BAD_TIME, "the network server's time is no time")
    return time_us


def measurements(uplink: Uplink, hints: Hints, server: str) -> Decoded:
    """What the device measured: by the server's codec, else by the profile's."""
    decoded = Decoded([], [])
    if uplink.members:
        device_us, name = _device_time(plain.member_at(uplink.members, hints.time_field), hints)
        time_us = uplink.time_us if device_us is None else device_us
        plain.read_members(uplink.members, name, uplink.sensor, time_us, decoded)
        return decoded
    # Port 0 carries the network's commands, never what a device measured.
    if not uplink.data or uplink.port == 0:
        return decoded
    if hints.codec is not None:
        return _by_codec(uplink, hints, hints.codec)
    if uplink.members is None:
        raise Undecodable(
            Reason.NO_CODEC,
            f"raw bytes without a codec; set one in {server}, or a profile with a codec in"
            " city.toml",
        )
    return decoded


def _by_codec(uplink: Uplink, hints: Hints, codec: Codec) -> Decoded:
    try:
        data = binascii.a2b_base64(uplink.data, strict_mode=True)
    except ValueError:
        raise Undecodable(Reason.BAD_PAYLOAD, "the device's bytes are no Base64") from None
    frame = raw.read(codec, data, uplink.port)
    said = frame.values.get(hints.time_field)
    clock = said[0] if said is not None and isfinite(said[0]) else None
    device_us, _ = _device_time(clock, hints)
    time_us = uplink.time_us if device_us is None else device_us
    readings: list[Reading] = []
    offered: list[Reading] = []
    for field, (value, unit) in frame.values.items():
        if field == hints.time_field:
            continue
        flag = _UNJUDGED if value == value else _MISSING
        reading = _reading((uplink.sensor, field, time_us, value, unit, flag))
        (offered if field in frame.itself else readings).append(reading)
    return Decoded(readings, frame.refusals, offered)


def _device_time(value: Any, hints: Hints) -> tuple[int | None, str]:
    """The device's own time and its member, where the binding says that it has one."""
    if not hints.time_field:
        return None, ""
    try:
        return plain.microseconds(value, hints.timezone), hints.time_field
    except times.NotATime as problem:
        raise Undecodable(Reason.BAD_TIME, str(problem)) from None


def with_offered(decoded: Decoded, uplink: Uplink, offered: Iterable[Offered]) -> Decoded:
    """``decoded`` with what the network says besides, where the device does not say it itself."""
    said = {reading.field for reading in decoded.readings}
    sensor, _, _, _, time_us = uplink
    besides = [
        _reading((sensor, field, time_us, float(value), unit, _UNJUDGED))
        for field, value, unit in offered
        if value is not None and isfinite(value) and field not in said
    ]
    return Decoded(decoded.readings, decoded.refusals, [*decoded.offered, *besides], uplink.sensor)


def radio(heard: list[Heard], spreading_factor: int | None) -> list[Offered]:
    """How well the best gateway heard it, and how many did; only LoRa has a signal-to-noise ratio.

    Networks leave out zeros, so a missing ratio is 0 dB; a missing strength is none at all.
    """
    if not heard:
        return [("spreading_factor", spreading_factor, None)]
    strengths = [(snr or 0.0, rssi) for rssi, snr in heard if rssi is not None]
    snr, rssi = max(strengths, default=(None, None))
    return [
        ("rssi", rssi, "dBm"),
        ("snr", snr if spreading_factor is not None else None, "dB"),
        ("gateways", len(heard), None),
        ("spreading_factor", spreading_factor, None),
    ]
