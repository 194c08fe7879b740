"""Zigbee2MQTT: one state object per Zigbee device; README.md says what becomes of its members."""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from collector import times
from collector.formats.format import (
    LONGEST_PATH,
    Decoded,
    Format,
    Hints,
    Undecodable,
    checked_path,
)
from collector.formats.json_text import parse
from collector.formats.members import Members, number_of
from storage.reading import Reason

BASE = "zigbee2mqtt"
"""The base topic unless its owner chose another."""

_TOLD_ELSEWHERE = frozenset({"availability", "set", "get"})

# Units are those of the converters' `exposes`, where all devices of a kind share one. Members
# that some devices send in another unit (voc, formaldehyd, distance, water_consumed) have none.
_UNITS: dict[str, str | None] = {
    "temperature": "Cel", "humidity": "%", "pressure": "hPa", "dew_point": "Cel",
    "power": "W", "active_power": None, "total_power": "W", "mean_power": "W",
    "power_apparent": "V.A", "total_power_apparent": "V.A",
    "power_reactive": "var", "total_power_reactive": "var", "power_factor": "1",
    "energy": "kW.h", "consumption": "kW.h", "produced_energy": "kW.h", "energy_produced": "kW.h",
    "total_energy": "kW.h", "reverse_energy": "kW.h",
    "voltage": "V", "mains_voltage": "V", "current": "A", "current_neutral": "A",
    "ac_frequency": "Hz", "mains_frequency": "Hz",
    "illuminance": "lx", "illuminance_lux": "lx", "illuminance_raw": None,
    "co": "[ppm]", "co2": "[ppm]", "eco2": "[ppm]", "pm1": "ug/m3", "pm25": "ug/m3", "pm10": "ug/m3",
    "voc": None, "voc_index": None, "formaldehyd": None, "hcho": None, "aqi": None,
    "noise": "dB(A)", "soil_moisture": "%", "ec": "uS/cm", "bar": "bar", "psi": "[psi]",
    "position": "%", "occupancy_level": None, "distance": None, "target_distance": None,
    "brightness": None, "angle": "deg", "water_consumed": None, "flow": None, "flow_rate": None,
}  # fmt: skip

_TRUTHS = frozenset(
    {
        "occupancy", "presence", "contact", "water_leak", "water", "rain", "dry", "smoke", "gas",
        "carbon_monoxide", "vibration", "moving", "motion", "tamper", "tilt", "sos", "alarm",
        "window_open", "window_open_detected", "people_present",
    }
)  # fmt: skip
"""Members that are true or false and measure; other truth values are settings."""

_STATES = {
    "ON": True, "OPEN": True, "LOCK": True, "LOCKED": True,
    "OFF": False, "CLOSE": False, "CLOSED": False, "UNLOCK": False, "UNLOCKED": False,
}  # fmt: skip
_STATE_NAMES = frozenset({"state", "valve_state", "lock_state"})

# What owners set, and what devices count of themselves.
_SETTING = re.compile(
    r"""(?: battery (?!_voltage) | linkquality | uptime | elapsed | color | mode | hour | minute
      | max | min | over | under | update | led | backlight | countdown | alarm | on | off
      | auto | schedule | holiday | eco | comfort | boost | away | frost | night | day | delayed
      | identify | action | transition | startup | display | sensitivity | detection | deadzone
      | open_window | regulator | heat | cool | ballast | fading | radar | motion_sensitivity
      | device_temperature | cpu_temperature | power_outage_count | trigger_count | error | fault
      | lifetime | energy_(?:today|yesterday|month) | requested | minimum | maximum | installation
      | temperature_f | gradient | effect | level_config | group )(?:_.*)?
    | .*_(?: calibration | offset | threshold | sensitivity | timeout | interval | delay | limit
      | setpoint | set | duration | precision | hysteresis | startup | time | input | deadband
      | protect | protection | brightness | countdown | version | code | id | speed_setting )
      (?:_.*)?""",
    re.VERBOSE,
)
# What tells apart the sockets, channels and phases of one device.
_ENDPOINT = re.compile(
    r"_(?:l?[0-9]{1,3}|left|right|center|centre|top|bottom|up|down|top_left|top_right|bottom_left"
    r"|bottom_right|center_left|center_right|phase_[abc]|[abcn]|t[0-9]|tier_[0-9]{1,2})$"
)


class State(BaseModel):
    """The envelope: all members but the time are as the device's converter names them."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    last_seen: str | int | float | None = None


class Member(NamedTuple):
    """What is known of a member by its name; ``of`` is the name without its endpoint."""

    of: str
    kind: str
    unit: str | None = None


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one state object, or one attribute where the bridge sends each on its own topic.

    >>> hints = Hints("plug", topic="zigbee2mqtt/plug")
    >>> decode(b'{"power": 12.5, "state": "ON", "linkquality": 80}', hints, 0).readings[0][1:5]
    ('power', None, 12.5, 'W')
    """
    name, rest = _device(hints)
    if name is None:
        return Decoded([], [], (), hints.sensor or "bridge")
    if not _TOLD_ELSEWHERE.isdisjoint(rest[-2:]):
        end = next(at for at, part in enumerate(rest) if part in _TOLD_ELSEWHERE)
        return Decoded([], [], (), hints.sensor or _code(name + rest[:end]))
    try:
        message = parse(payload)
    except Undecodable:
        # Attributes come as bare text, which is no JSON.
        if payload[:1] in b"{[" or not rest:
            raise
        message = payload.decode(errors="replace")
    if type(message) is dict:
        said = Members(hints.sensor or _code(name + rest), _time(message, hints))
        for member, value in message.items():
            if member != hints.time_field:
                _read(member, value, message, said)
    elif rest and type(message) is not list:
        said = Members(hints.sensor or _code(name + rest[:-1]), None)
        _read(rest[-1], message, {}, said)
    else:
        raise Undecodable(Reason.BAD_PAYLOAD, "the state of a device is not an object")
    return said.decoded()


def _device(hints: Hints) -> tuple[list[str] | None, list[str]]:
    """The segments that name the device and those after it; (None, …) for the bridge's own."""
    parts = hints.topic.split("/") if hints.topic else []
    if hints.sensor and hints.sensor in parts:
        at = parts.index(hints.sensor)
    else:
        at = parts.index(BASE) + 1 if BASE in parts else 1
    if parts[at : at + 1] == ["bridge"]:
        return None, parts[at : at + 1]
    return parts[at : at + 1], parts[at + 1 :]


def _code(name: list[str]) -> str:
    return ".".join(name).strip()


def _time(message: dict[str, Any], hints: Hints) -> int | None:
    """When the bridge last heard of the device, where it says so."""
    field = hints.time_field or "last_seen"
    if field not in message:
        return None
    try:
        seen = State.model_validate({"last_seen": message[field]}).last_seen
        if seen is None or seen == "":
            return None
        if type(seen) is str:
            return times.from_text(seen, hints.timezone)
        return times.from_number(seen)  # type: ignore[arg-type]
    except ValidationError:
        raise Undecodable(Reason.BAD_TIME, "the time member is neither a number nor text") from None
    except times.NotATime as problem:
        raise Undecodable(Reason.BAD_TIME, str(problem)) from None


@lru_cache(maxsize=4096)  # names repeat in every message
def _member(name: str) -> Member:
    if name == "last_seen":
        return Member(name, "time")
    if len(name) > LONGEST_PATH:
        # No converter's name; the patterns below would take the square of its length.
        return Member(name, "unknown")
    of = name if name in _UNITS else _ENDPOINT.sub("", name)
    if of in _UNITS:
        return Member(of, "number", _UNITS[of])
    if of in _TRUTHS:
        return Member(of, "truth")
    if of in _STATE_NAMES:
        return Member(of, "state")
    if _SETTING.fullmatch(of) or _SETTING.fullmatch(name):
        return Member(of, "setting", _unit_of_setting(name))
    if of.endswith("_temperature"):
        return Member(of, "number", "Cel")
    if of.endswith("_humidity"):
        return Member(of, "number", "%")
    if of == "battery_voltage":
        return Member("voltage", "number", "V")
    return Member(of, "unknown")


def _unit_of_setting(name: str) -> str | None:
    if name == "battery":
        return "%"
    if name.startswith("energy_"):
        return "kW.h"
    return "Cel" if name in ("device_temperature", "cpu_temperature") else None


def _read(name: str, value: Any, message: dict[str, Any], said: Members) -> None:
    of, kind, unit = _member(name)
    if kind == "number":
        if of == "voltage" and _is_of_a_battery(value):
            # Of batteries, and then in millivolts: no such device hangs on a thousand volts.
            said.told(name, value, "mV")
        elif of == "illuminance" and "illuminance_lux" in message:
            said.measured(name, value)  # the raw figure, as bridges before version 2 sent it
        else:
            said.measured(name, value, unit)
    elif kind == "truth":
        if type(value) is bool or type(value) is int:
            said.measured(name, value)
    elif kind == "state":
        if type(value) is bool:
            said.measured(name, value)
        elif type(value) is str and value.upper() in _STATES:
            said.measured(name, _STATES[value.upper()])
    elif kind == "setting":
        said.told(name, value, unit)
    elif kind == "time":
        return
    elif type(value) is int or type(value) is float:
        said.measured(name, value)
    elif type(value) is bool:
        said.told(name, value)
    elif type(value) is dict:
        below = checked_path(name)
        for inner, one in value.items():
            if type(one) in (int, float, bool):
                said.told(f"{below}.{inner}", one)


def _is_of_a_battery(voltage: Any) -> bool:
    number = number_of(voltage) if type(voltage) is str else voltage
    return isinstance(number, int | float) and 1000 <= number < inf


def fits(topic: str, payload: bytes) -> bool:
    """Whether it is under the usual base topic, or a state with a link quality."""
    under_base = BASE in topic.split("/")
    try:
        message = parse(payload)
    except Undecodable:
        return under_base and payload[:1] not in (b"{", b"[")
    return under_base or (type(message) is dict and type(message.get("linkquality")) is int)


FORMAT = Format(
    name="zigbee2mqtt",
    title="Zigbee2MQTT: states of Zigbee devices, versions 1 and 2",
    topic="zigbee2mqtt/{sensor}",
    decode=decode,
    fits=fits,
    sensor="the friendly name after the base topic; its `/` become `.`",
    fields="the member's name, with the endpoint if the device has several: `power_l1`",
    units="those of the converters: W, kW.h, V, A, Cel, %, hPa, lx, ppm, ug/m3; none for voc, "
    "formaldehyd and distances, which differ from device to device",
    time="last_seen (ISO 8601 or epoch), else the reception",
    passed_over="availability, set, get and bridge topics; text that is no state; update, color; "
    "offered: battery and its voltage, link quality, settings",
)
