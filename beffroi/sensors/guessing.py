"""What a field of an unknown device may measure: by its unit and its name, never by its value."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from storage.catalogue import Metric
from storage.units import UnitError, conversion

STEPS_S = (
    1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 900, 1200, 1800, 3600, 7200, 10800,
    14400, 21600, 43200, 86400,
)  # fmt: skip
"""How often sensors usually measure. [s]"""

_NAMES: dict[str, tuple[str, ...]] = {
    "no2": ("no2", "nitrogendioxide"),
    "no": ("no", "nitrogenmonoxide"),
    "nox": ("nox",),
    "o3": ("o3", "ozone"),
    "so2": ("so2", "sulphurdioxide", "sulfurdioxide"),
    "co": ("co", "carbonmonoxide"),
    "pm10": ("pm10", "sdsp1", "pm100"),
    "pm25": ("pm25", "sdsp2", "pm2p5"),
    "pm1": ("pm1", "pm01", "pms1"),
    "temperature": ("temperature", "temp", "tmp", "airtemperature", "bme280temperature", "tc"),
    "dew_point": ("dewpoint",),
    "humidity": ("humidity", "hum", "rh", "relativehumidity", "bme280humidity", "airhumidity"),
    "pressure": ("pressure", "barometricpressure", "atmosphericpressure", "bme280pressure"),
    "wind_speed": ("windspeed",),
    "wind_direction": ("winddirection",),
    "noise_level": ("noiselevel", "laeq", "soundlevel", "noise", "leq"),
    "rain": ("rain", "rainfall", "precipitation"),
    "visibility": ("visibility",),
    "vehicles": ("vehicles", "vehiclecount"),
    "bikes": ("bikes", "bicycles", "cyclists"),
    "pedestrians": ("pedestrians",),
    "flow": ("flow", "intensity", "trafficflow"),
    "occupancy": ("occupancy", "laneoccupancy"),
    "speed": ("speed", "averagespeed", "averagevehiclespeed", "meanspeed"),
    "energy_import": (
        "energy", "total", "energytotal", "index", "consumption", "totalact", "energyimport",
        "base", "east", "hchc", "hchp", "ejphn", "ejphpm", "bbrhcjb", "bbrhpjb", "bbrhcjw",
        "bbrhpjw", "bbrhcjr", "bbrhpjr", "180", "181", "182",
    ),
    "energy_export": ("eait", "energyexport", "producedenergy", "totalactret", "280", "281", "282"),
    "gas_import": ("gas", "gasimport"),
    "water_import": ("water", "waterimport", "volume"),
    "power": ("power", "apower", "activepower", "actpower", "170", "totalactpower"),
    "apparent_power": ("apparentpower", "aprtpower", "papp", "sinsts"),
    "voltage": ("voltage", "urms1", "327"),
    "current": ("current", "iinst", "irms1", "317"),
}  # fmt: skip
_BY_NAME = {name: metric for metric, names in _NAMES.items() for name in names}
_OBIS = re.compile(r"[0-9]-[0-9]+:([0-9]+)\.([0-9]+)\.([0-9]+)")
_TARIFF = re.compile(r"EAS[FD][0-9]{2}")
# Registers of a tariff are parts of a total: where that is there, they would count twice.
_PARTS = {
    "EAST": _TARIFF,
    "1-0:1.8.0": re.compile(r"1-0:1\.8\.[1-9]"),
    "1-0:2.8.0": re.compile(r"1-0:2\.8\.[1-9]"),
}
_WORD = re.compile(r"[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*")
_TELLING_WORD = 3  # letters that a word needs to tell anything
_UNSURE_UNITS = ("1", "%", "s")  # too much is measured in these


class Sureness(StrEnum):
    """How a metric was guessed: name and unit; the name alone; the unit or a word of the name
    alone, which is not enough to propose it; not at all."""

    SURE = "sure"
    NAME = "name"
    UNIT = "unit"
    WORD = "word"
    NONE = "none"


class Guess(NamedTuple):
    """What a field may measure; ``metric`` is empty where nothing is known."""

    metric: str
    sureness: Sureness

    def __str__(self) -> str:
        if not self.metric:
            return "?"
        return self.metric if self.sureness is Sureness.SURE else f"{self.metric}?"


NOTHING = Guess("", Sureness.NONE)


def guess(field: str, unit: str | None, metrics: Mapping[str, Metric]) -> Guess:
    """What a field may measure.

    >>> from storage.catalogue import BY_NAME
    >>> [str(guess(*one, BY_NAME)) for one in (("ENERGY.Power", "W"), ("Temp", None), ("x", "V"))]
    ['power', 'temperature?', 'voltage?']
    >>> guess("TempC_SHT", None, BY_NAME)
    Guess(metric='temperature', sureness=<Sureness.WORD: 'word'>)
    """
    named = _named(field, metrics)
    if unit is None and named:
        return Guess(named, Sureness.NAME)
    if unit is None:
        words = {_word(one.lower()) for one in _WORD.findall(field)} & set(metrics)
        return Guess(words.pop(), Sureness.WORD) if len(words) == 1 else NOTHING
    if named and _fits(unit, metrics[named].unit, named):
        return Guess(named, Sureness.SURE)
    fitting = [
        name
        for name, metric in metrics.items()
        if metric.unit not in _UNSURE_UNITS and _fits(unit, metric.unit, name)
    ]
    return Guess(fitting[0], Sureness.UNIT) if len(fitting) == 1 else NOTHING


def is_part(field: str, fields: Collection[str]) -> str:
    """The total that a register of a tariff belongs to, if the device sends it; else ""."""
    parts = ((total, parts) for total, parts in _PARTS.items() if total in fields)
    return next((total for total, part in parts if part.fullmatch(field)), "")


def step_s(times_us: Sequence[int]) -> int:
    """The usual step next to the median interval; 0 where there are too few to tell. [s]"""
    interval = interval_s(times_us)
    if not interval:
        return 0
    near = min(STEPS_S, key=lambda step: abs(step - interval))
    return near if abs(near - interval) <= near / 4 else 0


def interval_s(times_us: Sequence[int]) -> float:
    """The median interval between different times, 0 for fewer than three of them. [s]"""
    times = sorted(set(times_us))
    if len(times) < 3:
        return 0.0
    gaps = sorted(after - before for before, after in itertools.pairwise(times))
    middle = len(gaps) // 2
    both = gaps[middle] + gaps[middle - (len(gaps) % 2 == 0)]
    return both / 2e6


def _named(field: str, metrics: Mapping[str, Metric]) -> str:
    obis = _OBIS.fullmatch(field)
    if obis:
        name = "".join(obis.groups())
    else:
        if field in metrics:
            return field
        if _TARIFF.fullmatch(field):
            return "energy_import"
        name = re.sub(r"[^a-z0-9]", "", re.split(r"[./]", field)[-1].lower())
        whole = re.sub(r"[^a-z0-9]", "", field.lower())
        name = name if name in _BY_NAME or name in metrics else whole
    found = _BY_NAME.get(name, name)
    return found if found in metrics else ""


def _word(word: str) -> str:
    """The metric that one word of a name tells, with or without a number behind it."""
    if len(word) < _TELLING_WORD:
        return ""
    return _BY_NAME.get(word) or _BY_NAME.get(word.rstrip("0123456789"), "")


@lru_cache(maxsize=4096)
def _fits(unit: str, canonical: str, metric: str) -> bool:
    try:
        conversion(unit, canonical, metric)
    except UnitError:
        return False
    return True
