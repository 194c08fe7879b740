"""What a Shelly of the first generation says: a bare value on a topic each, or a whole status."""

from __future__ import annotations

from typing import Any

from collector.formats.members import Members, number_of

_STATES = {
    "on": True, "open": True, "true": True, "off": False, "close": False, "closed": False,
    "false": False,
}  # fmt: skip

# By topic without the number of the channel. Energies beside a power count watt-minutes.
_UNITS: dict[str, str | None] = {
    "relay/power": "W", "relay/energy": "W.min", "light/power": "W", "light/energy": "W.min",
    "white/power": "W", "white/energy": "W.min", "color/power": "W", "color/energy": "W.min",
    "roller/power": "W", "roller/energy": "W.min", "roller/pos": "%",
    "emeter/power": "W", "emeter/reactive_power": "var", "emeter/apparent_power": "V.A",
    "emeter/voltage": "V", "emeter/current": "A", "emeter/pf": "1",
    "emeter/energy": "W.min", "emeter/returned_energy": "W.min",
    "emeter/total": "W.h", "emeter/total_returned": "W.h",
    "emeter_n/current": "A", "voltage": "V", "adc": "V",
    "ext_temperature": "Cel", "ext_humidity": "%",
    "sensor/humidity": "%", "sensor/lux": "lx", "sensor/tilt": "deg", "sensor/concentration": "[ppm]",
    # In the unit that the owner chose on the device.
    "sensor/temperature": None,
}  # fmt: skip
_OFFERED: dict[str, str | None] = {
    "temperature": "Cel", "overtemperature": None, "relay/overpower_value": "W",
    "sensor/battery": "%", "sensor/charger": None, "sensor/ext_power": None, "sensor/error": None,
    "longpush": None,
}  # fmt: skip
_PASSED = frozenset(
    {
        "announce", "command", "online", "info", "input_event", "temperature_f",
        "temperature_status", "ext_temperature_f", "ext_temperatures", "ext_humidities",
        "sensor/act_reasons",
    }
)  # fmt: skip


def is_number(path: list[str]) -> bool:
    """Whether nothing but a bare number belongs on the topic."""
    return _of(path) in _UNITS


def _of(path: list[str]) -> str:
    return "/".join(part for part in path if not part.isdigit())


def read_topic(path: list[str], text: str, said: Members) -> None:
    """A bare value; ``path`` is the topic after the device."""
    of = _of(path)
    field = ".".join(path)
    if not of or of in _PASSED or path[-1] in ("command", "set"):
        return
    state = _STATES.get(text.strip().lower())
    if of in _OFFERED:
        said.told(field, text if state is None else state, _OFFERED[of])
    elif of in _UNITS:
        said.measured(field, text, _UNITS[of])
    elif state is not None:
        said.measured(field, state)
    elif number_of(text) is not None:
        said.measured(field, text)


def read_status(status: dict[str, Any], said: Members) -> None:
    """A whole status, as it stands on the topic ``info`` and in dumps."""
    for name, key, unit in (
        ("relays", "ison", None), ("lights", "ison", None), ("lights", "brightness", "%"),
        ("rollers", "current_pos", "%"), ("rollers", "power", "W"),
        ("meters", "power", "W"), ("meters", "total", "W.min"),
        ("emeters", "power", "W"), ("emeters", "reactive", "var"), ("emeters", "voltage", "V"),
        ("emeters", "current", "A"), ("emeters", "pf", "1"), ("emeters", "total", "W.h"),
        ("emeters", "total_returned", "W.h"), ("adcs", "voltage", "V"), ("inputs", "input", None),
    ):  # fmt: skip
        entries = status.get(name)
        for place, entry in enumerate(entries if type(entries) is list else ()):
            _take(f"{name}.{place}", entry, key, unit, said)
    for name, key, unit in (
        ("hum", "value", "%"), ("lux", "value", "lx"), ("concentration", "ppm", "[ppm]"),
        ("accel", "tilt", "deg"), ("sensor", "motion", None), ("sensor", "vibration", None),
    ):  # fmt: skip
        _take(name, status.get(name), key, unit, said)
    for name, key, unit in (("ext_temperature", "tC", "Cel"), ("ext_humidity", "hum", "%")):
        entries = status.get(name)
        for place, entry in entries.items() if type(entries) is dict else ():
            _take(f"{name}.{place}", entry, key, unit, said)
    for name in ("motion", "vibration", "flood", "smoke"):
        if type(status.get(name)) is bool:
            said.measured(name, status[name])
    if type(status.get("lux")) in (int, float):
        said.measured("lux", status["lux"], "lx")
    _take_of_device(status, said)


def _take_of_device(status: dict[str, Any], said: Members) -> None:
    # A thermometer of a relay is for its own safety, that of a climate sensor measures.
    inner = status.get("tmp")
    if type(inner) is dict:
        if "hum" in status or ("relays" not in status and "meters" not in status):
            _take("tmp", inner, "tC", "Cel", said)
        else:
            said.told("tmp.tC", inner.get("tC"), "Cel")
    battery = status.get("bat")
    if type(battery) is dict:
        said.told("bat.value", battery.get("value"), "%")
        said.told("bat.voltage", battery.get("voltage"), "V")
    else:
        said.told("bat", battery, "%")
    said.told("uptime", status.get("uptime"), "s")
    station = status.get("wifi_sta")
    if type(station) is dict:
        said.told("wifi_sta.rssi", station.get("rssi"), "dBm")


def _take(field: str, entry: Any, key: str, unit: str | None, said: Members) -> None:
    if type(entry) is dict and key in entry:
        if entry.get("is_valid") is False:
            said.missing(f"{field}.{key}", unit)
        else:
            said.measured(f"{field}.{key}", entry[key], unit)
