"""Tasmota: SENSOR, STATE, STATUS and RESULT messages; README.md says what becomes of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from collector import times
from collector.formats.format import Decoded, Format, Hints, Undecodable, checked_path
from collector.formats.json_text import parse
from collector.formats.members import Members
from collector.formats.tic_labels import LABELS, Role
from storage.reading import Reason

MAX_DEPTH = 16
"""Objects and lists inside one another; real devices stay below 5."""
CLOCK_IS_SET_SINCE_US = 1_451_692_800_000_000
"""A clock that was never set counts from 1970, in old firmware from the first day of 2016."""

_PREFIXES = ("tele", "stat", "cmnd")
# INFO1 to INFO3 and LWT speak of the connection; UPTIME, HASS_STATE and the answers to
# commands (but those with the state of a relay) of the device.
_SILENT = re.compile(r"LWT|INFO\d|UPTIME|HASS_STATE|LOGGING|STATUS(?:[1-79])?|TIMERS?\d*|MARGINS")
_RELAY = re.compile(r"POWER\d{0,2}")
_SWITCH = re.compile(r"(?:POWER|Switch|Door|Contact|OUT_D|Button)\d{0,3}")
_ON = {"ON": True, "OFF": False}

_ENERGY: dict[str, str] = {
    "Total": "kW.h", "TotalTariff": "kW.h", "ExportActive": "kW.h", "ExportTariff": "kW.h",
    "ImportActive": "kW.h", "ExportReactive": "kvar.h", "ImportReactive": "kvar.h",
    "Power": "W", "ActivePower": "W", "ApparentPower": "V.A", "ReactivePower": "var",
    "Factor": "1", "Voltage": "V", "Current": "A", "Frequency": "Hz", "PhaseAngle": "deg",
    "Load": "%",
}  # fmt: skip
_ENERGY_OF_DAYS = {
    "Yesterday": "kW.h", "YesterdaySum": "kW.h", "Today": "kW.h", "TodaySum": "kW.h",
    "Period": "W.h", "TotalSum": "kW.h",
}  # fmt: skip
# What a name means in the object of any chip. A Distance is in mm, cm or km by chip; the Power
# of a Zigbee or Matter device is a switch.
_UNITS: dict[str, str] = {
    "Humidity": "%", "Illuminance": "lx", "CarbonDioxide": "[ppm]", "eCO2": "[ppm]", "CO2": "[ppm]",
    "TVOC": "[ppb]", "PM1": "ug/m3", "PM2.5": "ug/m3", "PM10": "ug/m3", "CF1": "ug/m3",
    "CF2.5": "ug/m3", "CF10": "ug/m3", "Voltage": "V", "Current": "A", "Frequency": "Hz",
    "Moisture": "%",
}  # fmt: skip
# What the message itself declares the unit of.
_OF_MESSAGE = {
    "temperature": frozenset({"Temperature", "DewPoint", "HeatIndex", "OBJTMP", "AMBTMP"}),
    "pressure": frozenset({"Pressure", "SeaPressure"}),
    "speed": frozenset({"Speed", "WindSpeed"}),
}
_MEASURING = frozenset({"fixed", *_OF_MESSAGE})
_SPEED_UNITS = {
    "m/s": "m/s", "km/h": "km/h", "kn": "[kn_i]", "mph": "[mi_i]/h", "ft/s": "ft/s", "yd/s": "yd/s"
}  # fmt: skip
_TEMPERATURE_UNITS = {"C": "Cel", "F": "[degF]", "K": "K"}
_PRESSURE_UNITS = {"hPa": "hPa", "mmHg": "mm[Hg]", "inHg": "[in_i'Hg]"}
_ZIGBEE = frozenset({"ZbReceived"})
# Numbers that tell devices and cards apart; what they are in is no measurement.
_SERIALS = frozenset(
    {
        "id", "uid", "mac", "serial", "data", "rfid", "device", "name", "endpoint", "addr",
        "address",
    }
)  # fmt: skip
_OF_ITSELF = frozenset({"RSSI", "Battery", "BatteryPercentage", "LinkQuality", "Signal", "Vcc"})

# Tasmota calls the quality of the link RSSI, and its strength Signal.
_OF_WIFI = {"RSSI": "%", "Signal": "dBm", "LinkCount": None}


class Envelope(BaseModel):
    """What is the same in every message; the other members are named by chip."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    Time: str | None = None
    Epoch: int | None = None
    TempUnit: str = ""
    PressureUnit: str = ""
    SpeedUnit: str = ""


_OF_ZIGBEE = Envelope(TempUnit="C", PressureUnit="hPa")


class _Reader:
    """One message with the units that it declares."""

    __slots__ = ("pressure", "said", "speed", "temperature")

    def __init__(self, said: Members, envelope: Envelope) -> None:
        self.said = said
        self.temperature = _TEMPERATURE_UNITS.get(envelope.TempUnit)
        self.pressure = _PRESSURE_UNITS.get(envelope.PressureUnit)
        self.speed = _SPEED_UNITS.get(envelope.SpeedUnit)

    def sensors(self, message: dict[str, Any]) -> None:
        """All members of a SENSOR message."""
        for name, value in message.items():
            if name == "ENERGY" and type(value) is dict:
                self._energy(value)
            elif name == "TIC" and type(value) is dict:
                self._tic(value)
            elif name == "ESP32" and type(value) is dict:
                for inner, one in value.items():
                    unit = self.temperature if inner == "Temperature" else None
                    self.said.told(f"ESP32.{inner}", one, unit)
            elif name in _ZIGBEE and type(value) is dict:
                # The bridge passes on what Zigbee devices send, always in the standard's units.
                _Reader(self.said, _OF_ZIGBEE)._any(name, name, value, 1)
            elif name not in Envelope.model_fields:
                self._any(name, name, value, 1)

    def state(self, message: dict[str, Any]) -> None:
        """A STATE message: relays count, the rest is of the device itself."""
        for name, value in message.items():
            if _RELAY.fullmatch(name):
                self._switch(name, value)
            elif name == "Wifi" and type(value) is dict:
                for inner, unit in _OF_WIFI.items():
                    self.said.told(f"Wifi.{inner}", value.get(inner), unit)
            elif name not in Envelope.model_fields:
                self.said.told(name, value)

    def relays(self, message: dict[str, Any]) -> None:
        """A RESULT: only relays; the rest answers commands."""
        for name, value in message.items():
            if _RELAY.fullmatch(name):
                self._switch(name, value)

    def _energy(self, members: dict[str, Any]) -> None:
        for name, value in members.items():
            if name in _ENERGY_OF_DAYS:
                unit = _ENERGY_OF_DAYS[name]
                for field, one in _places(f"ENERGY.{name}", value):
                    self.said.told(field, one, unit)
            elif name in _ENERGY:
                unit = _ENERGY[name]
                for field, one in _places(f"ENERGY.{name}", value):
                    self.said.measured(field, one, unit)
            elif name != "TotalStartTime":
                self._any(f"ENERGY.{name}", name, value, 2)

    def _tic(self, members: dict[str, Any]) -> None:
        """A French meter: what its labels mean is written in one place for all envelopes."""
        for name, value in members.items():
            label = LABELS.get(name)
            if label is None or label.role is Role.OFFERED:
                self.said.told(f"TIC.{name}", value, label.unit if label else None)
            elif label.role is Role.READING:
                self.said.measured(f"TIC.{name}", value, label.unit)

    def _any(self, field: str, name: str, value: Any, depth: int) -> None:
        if type(value) is dict or type(value) is list:
            if depth >= MAX_DEPTH:
                raise Undecodable(Reason.BAD_PAYLOAD, f"nested deeper than {MAX_DEPTH} levels")
            below = checked_path(field)
            if type(value) is dict:
                # An anemometer's Speed is an object of its extremes.
                whole = name if name in _OF_MESSAGE["speed"] else None
                for inner, one in value.items():
                    self._any(f"{below}.{inner}", whole or inner, one, depth + 1)
            else:
                for place, one in enumerate(value):
                    self._any(f"{below}.{place}", name, one, depth + 1)
        else:
            role, unit = _known(name)
            if role in _OF_MESSAGE:
                unit = getattr(self, role)
            if role == "passed":
                return
            if role == "own":
                self.said.told(field, value)
            elif type(value) is not str or role in _MEASURING:
                if value is not None or role in _MEASURING:
                    self.said.measured(field, value, unit)
            elif role == "switch":
                self._switch(field, value)

    def _switch(self, field: str, value: Any) -> None:
        state = _ON.get(value.upper()) if type(value) is str else value
        if type(state) is bool or type(state) is int:
            self.said.measured(field, state)


@lru_cache(maxsize=4096)  # names repeat in every message
def _known(name: str) -> tuple[str, str | None]:
    """What a name means in the object of any chip: its role, and its unit where that is fixed."""
    if name in _UNITS:
        return "fixed", _UNITS[name]
    for role, names in _OF_MESSAGE.items():
        if name in names:
            return role, None
    if name.lower() in _SERIALS or name.endswith("Unit"):
        return "passed", None
    if name in _OF_ITSELF:
        return "own", None
    return ("switch" if _SWITCH.fullmatch(name) else "unknown"), None


def decode(payload: bytes, hints: Hints, received_us: int) -> Decoded:
    """Read one message; its topic's last segment says of which kind it is.

    >>> said = b'{"Time":"2024-03-01T13:00:00","SI7021":{"Temperature":21.5},"TempUnit":"C"}'
    >>> hints = Hints("roof", "Europe/Paris", topic="tele/roof/SENSOR")
    >>> decode(said, hints, 0).readings[0][1:5]
    ('SI7021.Temperature', 1709294400000000, 21.5, 'Cel')
    """
    kind, silent, named = _topic(hints.topic)
    sensor = hints.sensor or named
    if silent:
        return Decoded([], [], (), sensor)
    if kind.startswith("POWER") and _RELAY.fullmatch(kind):
        said = Members(sensor, None)
        state = _ON.get(payload.decode(errors="replace").strip().upper())
        if state is None:
            raise Undecodable(Reason.BAD_PAYLOAD, "the state of a relay is neither ON nor OFF")
        said.measured(kind, state)
        return said.decoded()
    message = parse(payload)
    if type(message) is not dict:
        raise Undecodable(Reason.BAD_PAYLOAD, "the message is not an object")
    said = Members(sensor, None)
    if kind == "RESULT":
        _reader(message, hints, said).relays(message)
    elif "StatusSNS" in message or "StatusSTS" in message:
        for name, inner in message.items():
            if name == "StatusSNS" and type(inner) is dict:
                _reader(inner, hints, said).sensors(inner)
            elif name == "StatusSTS" and type(inner) is dict:
                _reader(inner, hints, said).state(inner)
    elif kind == "STATE" or "StatusSTS" in message:
        _reader(message, hints, said).state(message)
    elif not kind.startswith("STATUS"):
        _reader(message, hints, said).sensors(message)
    return said.decoded()


@lru_cache(maxsize=4096)  # topics repeat with every message
def _topic(topic: str) -> tuple[str, bool, str]:
    """The last segment, whether nothing under it measures, and the device's own topic.

    Owners build the full topic as they like; the device's part stands beside the prefix.
    """
    parts = topic.split("/")
    at = next((i for i, part in enumerate(parts[:-1]) if part in _PREFIXES), None)
    own = parts[-2:-1] if at is None else parts[at + 1 : -1] or parts[:at][-1:]
    silent = "cmnd" in parts[:-1] or _SILENT.fullmatch(parts[-1]) is not None
    return parts[-1], silent, ".".join(own).strip()


def _reader(message: dict[str, Any], hints: Hints, said: Members) -> _Reader:
    """Checks the envelope, and moves ``said`` to the message's own time."""
    try:
        envelope = Envelope.model_validate(message)
    except ValidationError as error:
        name = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
        reason = Reason.BAD_TIME if name in ("Time", "Epoch") else Reason.BAD_PAYLOAD
        raise Undecodable(reason, f"{name} is of another type than Tasmota's") from None
    said.time_us = _time(message, envelope, hints)
    return _Reader(said, envelope)


def _time(message: dict[str, Any], envelope: Envelope, hints: Hints) -> int | None:
    named = message.get(hints.time_field) if hints.time_field else envelope.Time
    if not named:
        return None
    if type(named) is not str:
        raise Undecodable(Reason.BAD_TIME, "the time member is not text")
    try:
        time_us = times.from_text(named, hints.timezone)
        energy = message.get("ENERGY")
        start = energy.get("TotalStartTime") if type(energy) is dict else None
        if type(start) is str and start and _is_later(start, named, time_us, hints.timezone):
            raise times.NotATime("the clock was not set: the energy total starts later")
        if time_us < CLOCK_IS_SET_SINCE_US:
            raise times.NotATime("the clock was not set")
        if envelope.Epoch is not None and not hints.time_field:
            # The same instant in UTC, so that the hour that occurs twice is told apart.
            return times.from_seconds(envelope.Epoch)
    except times.NotATime as problem:
        raise Undecodable(Reason.BAD_TIME, str(problem)) from None
    return time_us


def _is_later(start: str, named: str, time_us: int, timezone: str) -> bool:
    """Whether one time is later than another; a start that is no time tells nothing."""
    if len(start) == len(named):
        return start > named  # written alike
    try:
        return times.from_text(start, timezone) > time_us
    except times.NotATime:
        return False


def _places(field: str, value: Any) -> list[tuple[str, Any]]:
    """One value, or one for each phase, channel or tariff."""
    if type(value) is list:
        return [(f"{field}.{place}", one) for place, one in enumerate(value)]
    return [(field, value)]


def fits(topic: str, payload: bytes) -> bool:
    """Whether the topic ends as Tasmota's do, or the message is a SENSOR message by its members."""
    parts = topic.split("/")
    under_prefix = any(part in ("tele", "stat") for part in parts[:-1])
    kind = parts[-1]
    if under_prefix and kind == "LWT":
        return payload in (b"Online", b"Offline")
    if under_prefix and _RELAY.fullmatch(kind):
        return payload.strip().upper() in (b"ON", b"OFF")
    try:
        message = parse(payload)
    except Undecodable:
        return False
    if type(message) is not dict:
        return False
    if type(message.get("StatusSNS")) is dict:
        return True
    if kind == "RESULT" or kind.startswith(("STATUS", "INFO")):
        return under_prefix
    if under_prefix and kind in ("SENSOR", "STATE"):
        return True
    return type(message.get("Time")) is str and (
        type(message.get("ENERGY")) is dict
        or ("TempUnit" in message and any(type(one) is dict for one in message.values()))
    )


FORMAT = Format(
    name="tasmota",
    title="Tasmota: telemetry, states and status answers",
    topic="tele/{sensor}/+",
    decode=decode,
    fits=fits,
    sensor="the segments after tele or stat, or the one before it where none stands between",
    fields="dotted path: `ENERGY.Power`, `ENERGY.Current.0`, `DS18B20.Temperature`, `POWER1`",
    units="W, kW.h, V, A, V.A, var in ENERGY; temperature, pressure and speed as the message "
    "declares; those of a meter's labels in TIC",
    time="Time, local in the binding's zone, or Epoch; a clock that was not set refuses the message",
    passed_over="LWT, INFO, answers to commands, ids and names; offered: STATE, RSSI, battery, "
    "Yesterday, Today, Period, the processor's temperature",
)
