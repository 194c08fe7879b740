"""ChirpStack v4: events of LoRaWAN devices in Protobuf's JSON; README.md says what becomes what.

Protobuf leaves out what is zero, false or empty: a missing ``fCnt`` is 0.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from collector.formats import lorawan
from collector.formats.format import Decoded, Format, Hints, Undecodable
from collector.formats.json_text import parse
from collector.formats.lorawan import Heard, Uplink
from storage.reading import Flag, Reading, Reason

_TOPIC = re.compile(r"(?:.*/)?application/[^/]+/device/([^/]+)/(event|command)/([^/]+)")
_MEASURING = frozenset({"up", "status"})
_EVENTS = _MEASURING | {"join", "ack", "txack", "log", "location", "integration"}
_OF_STATUS = ("margin", "batteryLevel", "batteryLevelUnavailable", "externalPowerSource")

_Model = ConfigDict(extra="ignore", frozen=True)
_Whole = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]


class Device(BaseModel):
    """Whose event it is; names and tags are left where they are."""

    model_config = _Model
    devEui: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{16}$")] | None = None  # noqa: N815


class Event(BaseModel):
    """What every event has."""

    model_config = _Model
    deviceInfo: Device  # noqa: N815


class Reception(BaseModel):
    """One gateway that heard an uplink; ``nsTime`` is when the network server got it."""

    model_config = _Model
    gwTime: str | None = None  # noqa: N815
    nsTime: str | None = None  # noqa: N815
    rssi: float | None = None
    snr: float | None = None


class Lora(BaseModel):
    """LoRa's own way of sending."""

    model_config = _Model
    spreadingFactor: _Whole = 0  # noqa: N815


class Modulation(BaseModel):
    """How it was sent: LoRa, or another way that has no signal-to-noise ratio."""

    model_config = _Model
    lora: Lora | None = None


class Sent(BaseModel):
    """What the gateways say of the sending."""

    model_config = _Model
    modulation: Modulation = Modulation()


class Up(Event):
    """An uplink: ``object`` is what a codec of ChirpStack made of ``data``."""

    time: str
    dr: _Whole = 0
    fCnt: _Whole = 0  # noqa: N815
    fPort: Annotated[int, Field(ge=0, le=255)] = 0  # noqa: N815
    data: str = ""
    object: dict[str, Any] | None = None
    rxInfo: tuple[Reception, ...] = ()  # noqa: N815
    txInfo: Sent = Sent()  # noqa: N815


class Status(Event):
    """What a device answers when the network asks how it is."""

    time: str
    margin: float = 0.0
    batteryLevel: float = 0.0  # noqa: N815
    batteryLevelUnavailable: bool = False  # noqa: N815
    externalPowerSource: bool = False  # noqa: N815


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one event; only uplinks measure, a status is offered, other events say nothing.

    >>> event = b'{"deviceInfo": {"devEui": "0101010101010101"}, "time": "2024-03-01T00:00:00Z",'
    >>> event += b'"fPort": 1, "object": {"no2": 12.5}}'
    >>> decode(event, Hints("", topic="application/a/device/0101010101010101/event/up"), 0).readings
    [Reading(sensor='0101010101010101', field='no2', time_us=1709251200000000, value=12.5, \
unit=None, flag=2)]
    """
    message = _parse(payload)
    place = _TOPIC.fullmatch(hints.topic)
    if place is not None and place[2] == "command":
        return Decoded([], [], sensor="" if hints.sensor else place[1])
    kind = _kind(message, place)
    model = Up if kind == "up" else Status if kind == "status" else Event
    event = lorawan.envelope(model, message, "ChirpStack v4")
    # The topic first: who may publish on it is what a broker checks.
    sensor = hints.sensor or (place[1] if place else event.deviceInfo.devEui or "")
    if not sensor:
        raise Undecodable(Reason.BAD_PAYLOAD, "deviceInfo.devEui: is missing")
    if isinstance(event, Up):
        return _up(event, sensor, hints)
    if isinstance(event, Status):
        return _status(event, sensor)
    return Decoded([], [], sensor="" if hints.sensor else sensor)


def _parse(payload: bytes) -> dict[str, Any]:
    try:
        message = parse(payload)
    except Undecodable as problem:
        # Protobuf begins with the byte of its first member, never with a bracket.
        if payload[:1] in (b"{", b"[", b""):
            raise
        raise Undecodable(
            Reason.BAD_PAYLOAD,
            f"{problem.detail}; ChirpStack sends JSON with json=true under [integration.mqtt]",
        ) from None
    if type(message) is not dict:
        raise Undecodable(Reason.BAD_PAYLOAD, "an event is an object")
    if "deviceInfo" not in message and ("devEUI" in message or "applicationID" in message):
        raise Undecodable(
            Reason.BAD_PAYLOAD, "an event of ChirpStack v3; this format reads version 4"
        )
    return message


def _kind(message: dict[str, Any], place: re.Match[str] | None) -> str:
    """Which event it is, by its topic, or by its members where the topic is the city's own."""
    if place is not None:
        return place[3]
    if "integrationName" in message:
        return "integration"
    if "rxInfo" in message or "fPort" in message or "object" in message:
        return "up"
    return "status" if any(name in message for name in _OF_STATUS) else ""


def _up(event: Up, sensor: str, hints: Hints) -> Decoded:
    said = [lorawan.instant(one.nsTime) for one in event.rxInfo]
    received = [one for one in said if one is not None]
    server_us = min(received) if received else lorawan.instant(event.time)
    time_us = lorawan.heard_at((one.gwTime for one in event.rxInfo), server_us)
    if time_us is None:
        time_us = lorawan.said_instant(event.time)
    uplink = Uplink(sensor, event.fPort, event.object, event.data, time_us)
    decoded = lorawan.measurements(uplink, hints, "ChirpStack's device profile")
    lora = event.txInfo.modulation.lora
    heard = [Heard(one.rssi, one.snr) for one in event.rxInfo]
    offered = [
        *lorawan.radio(heard, lora.spreadingFactor if lora is not None else None),
        ("f_cnt", event.fCnt, None),
        ("dr", event.dr, None),
    ]
    return lorawan.with_offered(decoded, uplink, offered)


def _status(event: Status, sensor: str) -> Decoded:
    time_us = lorawan.said_instant(event.time)
    uplink = Uplink(sensor, 0, None, "", time_us)
    known = not (event.batteryLevelUnavailable or event.externalPowerSource)
    offered = [
        ("margin", event.margin, "dB"),
        ("external_power", event.externalPowerSource, None),
        ("battery_level", event.batteryLevel if known else None, "%"),
    ]
    decoded = lorawan.with_offered(Decoded([], []), uplink, offered)
    if known:
        return decoded
    missing = Reading(sensor, "battery_level", time_us, float("nan"), "%", int(Flag.MISSING))
    return decoded._replace(offered=[*decoded.offered, missing])


def fits(topic: str, payload: bytes) -> bool:
    """An event of a device, on ChirpStack's own topic or on another."""
    place = _TOPIC.fullmatch(topic)
    if place is not None and place[2] == "event" and place[3] in _EVENTS:
        return True
    return lorawan.speaks_of(payload, "deviceInfo", "devEui")


FORMAT = Format(
    name="chirpstack",
    title="ChirpStack v4: events of LoRaWAN devices, as JSON",
    topic="application/+/device/{sensor}/event/+",
    decode=decode,
    fits=fits,
    sensor="the device's EUI",
    fields="members of `object` by dotted path; without it the fields of the profile's codec",
    units="none for `object`, the codec's for bytes; dBm, dB and % for what the network adds",
    time="the binding's time_field in `object`, else the earliest sane gwTime, else time",
    passed_over="join, ack, txack, log, location and integration events; uplinks without data",
)
