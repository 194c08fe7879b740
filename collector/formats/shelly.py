"""Shelly: notifications and status topics of all generations; README.md says what becomes of them."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from collector import times
from collector.formats import shelly_gen1, shelly_gen2
from collector.formats.format import Decoded, Format, Hints, Undecodable
from collector.formats.json_text import parse
from collector.formats.members import Members
from storage.reading import Reason

_DEVICE_ID = re.compile(r"shelly[a-z0-9-]*-[0-9a-f]{4,12}", re.IGNORECASE)
_COMPONENT = re.compile(r"[a-z][a-z0-9_]*:[0-9]{1,4}")
_STATUS_METHODS = frozenset({"NotifyStatus", "NotifyFullStatus"})
_SILENT = frozenset({"online", "rpc", "command", "announce"})


class Frame(BaseModel):
    """A JSON-RPC frame, as devices of generation 2 and later notify and answer."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    src: str = ""
    method: str = ""
    params: dict[str, Any] | None = None
    result: dict[str, Any] | list[Any] | str | float | bool | None = None


class Notification(BaseModel):
    """The one member of a notification's parameters that is no component. [s since 1970, UTC]"""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    ts: float | None = None


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one message; its topic tells the generation and what it is.

    >>> said = b'{"src":"shellyx-1","method":"NotifyStatus","params":{"ts":5e8,"pm1:0":{"apower":2}}}'
    >>> decode(said, Hints("x", topic="x/events/rpc"), 0).readings[0][1:5]
    ('pm1:0.apower', 500000000000000, 2.0, 'W')
    """
    parts = hints.topic.split("/")
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last == "rpc" and before == "events":
        return _of_frame(_object(payload), hints, parts[:-2])
    if (
        before == "status"
        and len(parts) > 2
        and (_COMPONENT.fullmatch(last) or payload.lstrip()[:1] == b"{")
    ):
        said = Members(_sensor(hints, parts[:-2]), None)
        shelly_gen2.read_component(last, _object(payload), said)
        return said.decoded()
    at = parts.index("shellies") if "shellies" in parts else -1
    if (
        last in _SILENT
        or before in ("debug", "command", "status")
        or parts[-2:] == ["debug", "log"]
    ):
        prefix = parts[at + 1 : at + 2] if at >= 0 else parts[:-1]
        return Decoded([], [], (), _sensor(hints, prefix))
    if at >= 0 and len(parts) > at + 2:
        return _of_first_generation(payload, hints, parts[at + 1], parts[at + 2 :])
    return _of_any_topic(_object(payload), hints, parts)


def _object(payload: bytes) -> dict[str, Any]:
    message = parse(payload)
    if type(message) is not dict:
        raise Undecodable(Reason.BAD_PAYLOAD, "the message is not an object")
    return message


def _sensor(hints: Hints, prefix: list[str], src: str = "") -> str:
    """The device's id: from the binding, else from the topic before ``events`` or ``status``.

    Status topics carry no ``src``, so the topic's word counts where both are there.
    """
    if hints.sensor:
        return hints.sensor
    if src in prefix:
        return src
    named = next((part for part in prefix if _DEVICE_ID.fullmatch(part)), "")
    code = named or ".".join(prefix).strip() or re.split("[/+#]", src)[0].strip()
    return code


def _of_frame(message: dict[str, Any], hints: Hints, prefix: list[str]) -> Decoded:
    try:
        frame = Frame.model_validate(message)
        if frame.method in _STATUS_METHODS:
            status: Any = frame.params or {}
            ts = Notification.model_validate(status).ts
        else:
            status, ts = frame.result, None
    except ValidationError as error:
        name = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
        reason = Reason.BAD_TIME if name == "ts" else Reason.BAD_PAYLOAD
        raise Undecodable(reason, f"{name} is of another type than a Shelly's") from None
    sensor = _sensor(hints, prefix, frame.src)
    if type(status) is not dict:
        return Decoded([], [], (), sensor)
    said = Members(sensor, _seconds(ts) if ts is not None else _own_clock(status))
    shelly_gen2.read_status(status, said)
    return said.decoded()


def _of_first_generation(payload: bytes, hints: Hints, device: str, path: list[str]) -> Decoded:
    sensor = _sensor(hints, [device])
    if payload.lstrip()[:1] == b"{" and not shelly_gen1.is_number(path):
        message = _object(payload)
        if path in (["info"], ["status"]):
            return _of_first_status(message, sensor, told=path == ["info"])
        said = Members(sensor, None)
        prefix = ".".join(part for part in path if part != "status")
        for name, unit in (("ison", None), ("brightness", "%"), ("power", "W")):
            if name in message:
                said.measured(f"{prefix}.{name}", message[name], unit)
        return said.decoded()
    said = Members(sensor, None)
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise Undecodable(Reason.BAD_PAYLOAD, "not UTF-8") from None
    shelly_gen1.read_topic(path, text, said)
    return said.decoded()


def _of_first_status(status: dict[str, Any], sensor: str, *, told: bool) -> Decoded:
    """A whole status; on ``info`` it repeats what other topics say, so it is only offered."""
    said = Members(sensor, _own_clock(status))
    shelly_gen1.read_status(status, said)
    if told:
        return Decoded([], [], said.readings + said.offered, sensor)
    return said.decoded()


def _of_any_topic(message: dict[str, Any], hints: Hints, parts: list[str]) -> Decoded:
    """On a topic of the owner's making: a frame, a dump of configuration and status, a status."""
    if "method" in message or "result" in message:
        src = message.get("src")
        return _of_frame(message, hints, [] if type(src) is str and src else parts[-1:])
    device = message.get("shelly")
    status = message.get("status")
    if type(status) is dict:
        own = device.get("id") if type(device) is dict else None
        settings = message.get("settings")
        if own is None and type(settings) is dict and type(settings.get("device")) is dict:
            own = settings["device"].get("hostname")
        named = own if type(own) is str else ""
    elif any(_COMPONENT.fullmatch(key) for key in message):
        status, named = message, ""
    else:
        raise Undecodable(Reason.BAD_PAYLOAD, "neither a notification nor a status of a Shelly")
    sensor = hints.sensor or re.split("[/+#]", named)[0].strip() or _sensor(hints, parts[-1:])
    if not any(_COMPONENT.fullmatch(key) for key in status):
        return _of_first_status(status, sensor, told=False)
    said = Members(sensor, _own_clock(status))
    shelly_gen2.read_status(status, said)
    return said.decoded()


def _own_clock(status: dict[str, Any]) -> int | None:
    """The device's clock in a whole status [UTC]; the ``timestamp`` of meters is local time."""
    system = status.get("sys")
    clock = (system if type(system) is dict else status).get("unixtime")
    if clock is None or clock == 0:
        return None
    if type(clock) is not int and type(clock) is not float:
        raise Undecodable(Reason.BAD_TIME, "unixtime is not a number")
    return _seconds(clock)


def _seconds(seconds: float) -> int:
    try:
        return times.from_seconds(seconds)
    except times.NotATime as problem:
        raise Undecodable(Reason.BAD_TIME, str(problem)) from None


def fits(topic: str, payload: bytes) -> bool:
    """Whether the topic or the message is one that only a Shelly has."""
    parts = topic.split("/")
    if "shellies" in parts[:-1]:
        return True
    named = any(_DEVICE_ID.fullmatch(part) for part in parts)
    component = _COMPONENT.fullmatch(parts[-1]) is not None
    on_status = len(parts) > 2 and parts[-2] == "status" and (component or named)
    if payload[:1] != b"{":
        return parts[-1] == "online" and named
    try:
        message = _object(payload)
    except Undecodable:
        return False
    method, src = message.get("method"), message.get("src")
    return (
        on_status
        or ("result" in message and type(src) is str and bool(_DEVICE_ID.fullmatch(src)))
        or (type(method) is str and method.startswith("Notify") and "params" in message)
        or (type(message.get("shelly")) is dict and type(message.get("status")) is dict)
    )


FORMAT = Format(
    name="shelly",
    title="Shelly: generation 1 topics, and notifications and status of generation 2 and later",
    topic="{sensor}/events/rpc",
    decode=decode,
    fits=fits,
    sensor="the device's id in the topic before events, status or online; else src",
    fields="component and dotted path: `switch:0.apower`, `em:0.a_voltage`; generation 1: the "
    "topic after the device, `relay.0.power`",
    units="W, V.A, V, A, Hz, W.h, Cel, %, lx; watt-minutes for the energy of generation 1",
    time="ts of a notification, the device's clock in a whole status, else the reception",
    passed_over="events, commands, online, minutes of energy, Fahrenheit beside Celsius; offered: "
    "battery, signal, inner temperature, counters, info of generation 1",
)
