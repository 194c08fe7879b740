"""What the components of a Shelly of generation 2 and later say in their status objects."""

from __future__ import annotations

from typing import Any

from collector import times
from collector.formats.format import checked_path
from collector.formats.members import Members
from storage.reading import Reason, Refusal

_OF_PHASES = {
    "act_power": "W", "aprt_power": "V.A", "voltage": "V", "current": "A", "pf": "1", "freq": "Hz",
    "total_act_energy": "W.h", "total_act_ret_energy": "W.h",
}  # fmt: skip
_UNITS: dict[str, str | None] = {
    "apower": "W", "aprtpower": "V.A", "aenergy.total": "W.h", "ret_aenergy.total": "W.h",
    **_OF_PHASES,
    **{f"{phase}_{name}": unit for phase in "abcn" for name, unit in _OF_PHASES.items()},
    "total_act_power": "W", "total_aprt_power": "V.A", "total_current": "A",
    "total_act": "W.h", "total_act_ret": "W.h",
    "tC": "Cel", "rh": "%", "lux": "lx", "current_C": "Cel", "current_pos": "%", "pos": "%",
    "brightness": "%", "percent": "%", "xpercent": None, "xvoltage": None, "xfreq": None,
    "counts.total": None, "counts.xtotal": None, "value": None,
}  # fmt: skip
_TRUTHS = frozenset({"output", "state", "alarm", "motion", "presence", "value"})

# The same said twice, figures of minutes that have times of their own, and marks.
_PASSED = frozenset(
    {
        "id", "tF", "by_minute", "xby_minute", "minute_ts", "errors", "flags", "source", "tag",
        "last_updated_ts", "timer_started_at", "timer_duration", "move_started_at",
        "move_timeout",
    }
)  # fmt: skip
_OFFERED: dict[str, str | None] = {
    "battery": "%", "battery.percent": "%", "battery.V": "V", "temperature.tC": "Cel",
    "target_C": "Cel", "target_pos": "%", "rssi": "dBm", "packet_id": None, "rsv": None,
}  # fmt: skip
# Components that serve the device, not a measurement.
_SERVING = frozenset({"script", "bthomedevice", "bthomecontrol", "devicepower", "schedule", "ui"})


def read_status(status: dict[str, Any], said: Members) -> None:
    """The components of a whole status, or of the part of it that changed."""
    for key, members in status.items():
        if type(members) is dict:
            read_component(key, members, said)


def read_component(key: str, members: dict[str, Any], said: Members) -> None:
    """One component; ``key`` is its name, as in ``switch:0``."""
    kind, colon, _ = checked_path(key).partition(":")
    if not colon:
        if key == "wifi":
            said.told("wifi.rssi", members.get("rssi"), "dBm")
        elif key == "sys":
            said.told("sys.uptime", members.get("uptime"), "s")
        return
    own = members.get("last_updated_ts")
    if own is None:
        _read(f"{key}.", "", members, kind, said)
        return
    # What a gateway relays of battery devices was heard then, not when it was asked.
    relayed = Members(said.sensor, None)
    try:
        if type(own) is not int and type(own) is not float:
            raise times.NotATime("the time is not a number")
        relayed.time_us = times.from_seconds(own)
    except times.NotATime as problem:
        _read(f"{key}.", "", members, kind, relayed)
        said.refusals += relayed.refusals
        said.refusals += [
            Refusal(one.field, Reason.BAD_TIME, str(problem)) for one in relayed.readings
        ]
        return
    _read(f"{key}.", "", members, kind, relayed)
    said.readings += relayed.readings
    said.refusals += relayed.refusals
    said.offered += relayed.offered


def _read(prefix: str, path: str, members: dict[str, Any], kind: str, said: Members) -> None:
    for name, value in members.items():
        if name in _PASSED:
            continue
        of = path + name if path else name
        field = prefix + of
        truth = type(value) is bool
        if kind in _SERVING or of in _OFFERED or (of.startswith("counts.") and kind != "input"):
            if type(value) is dict and not path:
                _read(prefix, f"{checked_path(name)}.", value, kind, said)
            else:
                said.told(field, value, _OFFERED.get(of))
        elif truth:
            if name in _TRUTHS:
                said.measured(field, value)
            else:
                said.told(field, value)
        elif of in _UNITS:
            # Words of virtual components are no measurements.
            if name != "value" or type(value) is not str:
                said.measured(field, value, _UNITS[of])
        elif type(value) is dict:
            if not path:
                _read(prefix, f"{checked_path(name)}.", value, kind, said)
        elif type(value) is int or type(value) is float:
            said.measured(field, value)
