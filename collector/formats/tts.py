"""The Things Stack v3: messages of LoRaWAN applications; README.md says what becomes what.

Empty members are left out: a missing ``f_cnt`` is 0. What a payload formatter returns is not
touched by this: a 0 in ``decoded_payload`` is there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from collector import times
from collector.formats import lorawan, plain
from collector.formats.format import Decoded, Format, Hints, Undecodable
from collector.formats.json_text import parse
from collector.formats.lorawan import Heard, Uplink
from storage.reading import Reason, Refusal

_TOPIC = re.compile(r"(?:.*/)?v3/[^/]+/devices/([^/]+)/(.+)")
_COMMANDS = frozenset({"down/push", "down/replace"})
_UNITS = {
    "air.temperature": "Cel", "air.relativeHumidity": "%", "air.pressure": "hPa",
    "air.co2": "[ppm]", "air.lightIntensity": "lx", "wind.speed": "m/s", "wind.direction": "deg",
    "soil.depth": "cm", "soil.moisture": "%", "soil.temperature": "Cel", "soil.ec": "dS/m",
    "soil.n": "[ppm]", "soil.p": "[ppm]", "soil.k": "[ppm]",
}  # fmt: skip
"""Units that The Things Stack's schema of normalized payloads fixes."""
_NOTHING = Decoded([], [])

_Model = ConfigDict(extra="ignore", frozen=True)
_Whole = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


class Device(BaseModel):
    """Whose message it is."""

    model_config = _Model
    device_id: Annotated[str, Field(pattern=r"^[a-z0-9](?:-?[a-z0-9])*$", max_length=36)]


class Reception(BaseModel):
    """One antenna that heard it.

    ``time`` is the gateway's best, ``gps_time`` only GPS; ``timestamp`` is a counter of the
    concentrator that overflows every 72 minutes, and is no time.
    """

    model_config = _Model
    time: str | None = None
    gps_time: str | None = None
    rssi: float | None = None
    snr: float | None = None


class Lora(BaseModel):
    """LoRa's own way of sending."""

    model_config = _Model
    spreading_factor: _Whole = 0


class DataRate(BaseModel):
    """How it was sent: LoRa, or another way that has no signal-to-noise ratio."""

    model_config = _Model
    lora: Lora | None = None


class Settings(BaseModel):
    """How and when it was sent."""

    model_config = _Model
    data_rate: DataRate = DataRate()
    time: str | None = None


class Battery(BaseModel):
    """What the device last told the network of its battery, and when. [%]"""

    model_config = _Model
    value: float = 0.0
    received_at: str | None = None


class UplinkMessage(BaseModel):
    """An uplink: bytes, and what payload formatters made of them."""

    model_config = _Model
    f_port: Annotated[int, Field(ge=0, le=255)] = 0
    f_cnt: _Whole = 0
    frm_payload: str = ""
    decoded_payload: dict[str, Any] | None = None
    normalized_payload: Annotated[tuple[dict[str, Any], ...], BeforeValidator(_as_list)] = ()
    rx_metadata: tuple[Reception, ...] = ()
    settings: Settings = Settings()
    received_at: str | None = None
    last_battery_percentage: Battery | None = None
    app_s_key: Any = None


class Message(BaseModel):
    """What every message of an application has, and the two kinds that measure."""

    model_config = _Model
    end_device_ids: Device
    received_at: str | None = None
    simulated: bool = False
    uplink_message: UplinkMessage | None = None
    uplink_normalized: UplinkMessage | None = None


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one message; only uplinks that no one simulated measure.

    >>> message = b'{"end_device_ids": {"device_id": "dev1"}, "received_at": "2024-03-01T00:00:00Z"'
    >>> message += b', "uplink_message": {"f_port": 1, "decoded_payload": {"no2": 12.5}}}'
    >>> decode(message, Hints(""), 0).readings
    [Reading(sensor='dev1', field='no2', time_us=1709251200000000, value=12.5, unit=None, flag=2)]
    """
    said = parse(payload)
    if type(said) is not dict:
        raise Undecodable(Reason.BAD_PAYLOAD, "a message is an object")
    place = _TOPIC.fullmatch(hints.topic)
    if place is not None and place[2] in _COMMANDS:
        return Decoded([], [], sensor="" if hints.sensor else place[1])
    message = lorawan.envelope(Message, said, "The Things Stack v3")
    # The topic first: who may publish on it is what a broker checks.
    sensor = hints.sensor or (place[1] if place else message.end_device_ids.device_id)
    uplink = message.uplink_message or message.uplink_normalized
    if uplink is None:
        if place is not None and place[2] == "up":
            raise Undecodable(Reason.BAD_PAYLOAD, "uplink_message: is missing")
        return Decoded([], [], sensor="" if hints.sensor else sensor)
    if message.simulated:
        return Decoded([], [], sensor="" if hints.sensor else sensor)
    return _uplink(uplink, sensor, _heard_at(uplink, message.received_at), hints)


def _heard_at(message: UplinkMessage, received_at: str | None) -> int:
    """GPS before any other clock of a gateway, gateways before servers."""
    server = message.received_at or received_at
    server_us = lorawan.instant(server)
    receptions = message.rx_metadata
    time_us = lorawan.heard_at((one.gps_time for one in receptions), server_us)
    if time_us is None:
        clocks = [*(one.time for one in receptions), message.settings.time]
        time_us = lorawan.heard_at(clocks, server_us)
    if time_us is not None:
        return time_us
    if server is None:
        raise Undecodable(Reason.BAD_TIME, "neither a gateway nor a server says a time")
    return lorawan.said_instant(server)


def _uplink(message: UplinkMessage, sensor: str, time_us: int, hints: Hints) -> Decoded:
    normalized = _NOTHING
    if message.normalized_payload:
        normalized = _normalized(message.normalized_payload, sensor, time_us)
    uplink = Uplink(sensor, message.f_port, message.decoded_payload, message.frm_payload, time_us)
    if not uplink.members and (normalized.readings or normalized.refusals):
        decoded, besides = normalized, _NOTHING
    elif not uplink.members and message.app_s_key is not None and uplink.data:
        raise Undecodable(
            Reason.BAD_PAYLOAD,
            "the bytes are encrypted still; let The Things Stack decrypt them, or decode them",
        )
    else:
        decoded = lorawan.measurements(uplink, hints, "The Things Stack")
        besides = normalized
    lora = message.settings.data_rate.lora
    heard = [Heard(one.rssi, one.snr) for one in message.rx_metadata]
    offered = [
        *lorawan.radio(heard, lora.spreading_factor if lora is not None else None),
        ("f_cnt", message.f_cnt, None),
    ]
    if besides.readings:
        decoded = decoded._replace(offered=[*decoded.offered, *besides.readings])
    decoded = lorawan.with_offered(decoded, uplink, offered)
    # Every uplink repeats it, so it keeps the time at which it was told.
    battery = message.last_battery_percentage
    told_us = lorawan.instant(battery.received_at) if battery is not None else None
    if battery is None or told_us is None:
        return decoded
    level = uplink._replace(time_us=told_us)
    return lorawan.with_offered(decoded, level, [("battery_level", battery.value, "%")])


def _normalized(entries: Sequence[dict[str, Any]], sensor: str, time_us: int) -> Decoded:
    """Measurements in the stack's own words, each with its own time if it says one."""
    decoded = Decoded([], [])
    for position, entry in enumerate(entries):
        one = Decoded([], [])
        # Two entries without a time would be two values of one field at one time.
        numbered = position > 0 and entry.get("time") is None
        prefix = f"normalized.{position}." if numbered else "normalized."
        try:
            own_us = plain.microseconds(entry.get("time"), "UTC")
        except times.NotATime as problem:
            plain.read_members(entry, f"{prefix}time", sensor, None, one, prefix)
            decoded.refusals.extend(
                Refusal(reading.field, Reason.BAD_TIME, str(problem)) for reading in one.readings
            )
        else:
            at_us = time_us if own_us is None else own_us
            plain.read_members(entry, f"{prefix}time", sensor, at_us, one, prefix)
            decoded.readings.extend(
                reading._replace(unit=_UNITS.get(reading.field[len(prefix) :]))
                for reading in one.readings
            )
        decoded.refusals.extend(one.refusals)
    return decoded


def fits(topic: str, payload: bytes) -> bool:
    """A message about a device, on The Things Stack's own topic or on another."""
    return lorawan.speaks_of(payload, "end_device_ids", "device_id")


FORMAT = Format(
    name="tts",
    title="The Things Stack v3: messages of LoRaWAN applications",
    topic="v3/+/devices/{sensor}/up",
    decode=decode,
    fits=fits,
    sensor="the device's id",
    fields="members of `decoded_payload` by dotted path, `normalized.<path>`; without both"
    " the fields of the profile's codec",
    units="those of the normalized payload; the codec's for bytes; dBm, dB and % for the network's",
    time="the binding's time_field in `decoded_payload`, else a gateway's sane time, else"
    " received_at",
    passed_over="simulated uplinks, joins, downlinks, service data and locations",
)
