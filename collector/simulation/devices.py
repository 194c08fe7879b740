"""The kinds of devices in the city: what they measure, in which units, and how they say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from collector.simulation import weather
from collector.simulation.envelopes import (
    AIRROHR,
    CHIRPSTACK,
    DSMR,
    LOCAL,
    NGSI,
    PLAIN,
    SENML,
    SHELLY,
    TIC,
    TTS,
    Form,
)
from collector.simulation.meters import Meters
from collector.simulation.noise import counts, normal, smooth, uniform
from storage.reading import FloatArray, IntArray

BOOLEAN = -1
"""In place of decimals: sent as true or false."""

PLACES, DOCKS, LAMP_W = 220.0, 22.0, 6_400.0
"""Places of a car park, docks of a station, power of a street's lamps [W], of a device of size 1."""


class Clock(StrEnum):
    """How a device writes the time; French meters say the season first, P1 meters last."""

    ISO_MS = "iso_ms"
    ISO_NS = "iso_ns"
    EPOCH_S = "epoch_s"
    EPOCH_MS = "epoch_ms"
    LOCAL = "local"
    SEASON_FIRST = "season_first"
    SEASON_LAST = "season_last"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Channel:
    """One series of a device: a line of ``sensors.csv``.

    ``decimals`` as sent, zeros before the number up to ``width`` characters; ``spike`` is
    what a false peak adds, 0 where none is believable.
    """

    metric: str
    field: str
    unit: str
    decimals: int
    spike: float = 0.0
    register_max: float | None = None
    width: int = 0


class World:
    """Weather and meters of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.sky = weather.Sky(seed)
        self.meters = Meters(self.sky)


Measure = Callable[[World, IntArray, FloatArray, FloatArray], list[FloatArray]]
"""``measure(world, who, size, t)``: device numbers, their sizes (about 1) and instants
[s since 1970], all of shape (n,); one array per channel, in the unit it sends."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One model of device.

    ``share`` of 240 devices; ``step_s`` between messages; ``stamp`` as in sensors.csv
    (a device that ``counts`` reports whole steps of the clock, others sample when they
    please); ``says`` is the payload with ``%s`` for the time and each channel, or what its
    form wraps with ``%s`` for each channel alone; ``as_text`` where numbers are text, of
    which a missing one is empty; ``relayed`` is what a relay that adds the time makes of a
    device without a clock, in plain JSON.
    """

    name: str
    form: Form
    share: int
    step_s: int
    stamp: str
    clock: Clock
    channels: tuple[Channel, ...]
    says: str
    measure: Measure
    counts: bool = False
    as_text: bool = False
    relayed: str = ""


def _air(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    sky = w.sky
    still = 1.0 / (0.45 + sky.wind(t) / 4.0)
    traffic, heating = weather.cars(t), sky.heating(t)
    wander = 1.0 + 0.15 * smooth(who, t, 3_000.0)
    no2 = size * wander * still * (5.0 + 34.0 * traffic + 9.0 * heating)
    sun = sky.sun(t - 5_400.0) / 900.0
    o3 = np.maximum(1.5, 46.0 + 75.0 * sun * (0.4 + sky.temperature(t) / 30.0) - 0.6 * no2)
    pm10 = size * wander * still * (8.0 + 9.0 * traffic + 22.0 * heating) / (1.0 + sky.rain(t))
    pm25 = pm10 * (0.5 + 0.18 * heating)
    co = 160.0 + 9.0 * no2
    return [_blur(w, who, t, number, value, 0.02) for number, value in enumerate(
        (no2, o3, pm10, pm25, co))]  # fmt: skip


def _blur(
    w: World, who: IntArray, t: FloatArray, channel: int, value: FloatArray, share: float
) -> FloatArray:
    """The instrument's own scatter, a share of the value."""
    return value * (1.0 + share * normal(w.seed, who, np.round(t), channel))


def _box(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    _, _, pm10, pm25, _ = _air(w, who, size, t)
    wet = 1.0 + 0.4 * np.maximum(0.0, w.sky.humidity(t) - 70.0) / 30.0  # optics swell in damp air
    warm = w.sky.temperature(t) + 0.8 * smooth(who, t, 40_000.0)
    return [
        _blur(w, who, t, 11, pm10 * wet, 0.08),
        _blur(w, who, t, 12, pm25 * wet, 0.08),
        warm,
        np.clip(w.sky.humidity(t) + 3.0 * smooth(who, t, 50_000.0), 0.0, 100.0),
    ]


def _noise(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    street = 10.0 * np.log10(size * (2e4 + 3.2e6 * weather.cars(t) + 6e5 * weather.walkers(t)))
    passing = 9.0 * np.maximum(0.0, smooth(who, t, 45.0)) ** 2
    return [street + passing + 0.8 * normal(w.seed, who, np.round(t), 20)]


def _mast(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    sky = w.sky
    return [
        (sky.temperature(t) + 0.3 * smooth(who, t, 30_000.0)) * 1.8 + 32.0,
        sky.humidity(t),
        sky.pressure(t) * 100.0,
        sky.wind(t) * 3.6 * (0.8 + 0.2 * size),
        (sky.wind_direction(t) + 12.0 * smooth(who, t, 300.0)) % 360.0,
        sky.rain(t) * 30.0 / 3600.0,
    ]


def _bikes(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    per_minute = 4.5 * size * weather.bikes(t) * w.sky.outdoors(t)
    return [counts(per_minute, w.seed, who, np.round(t))]


def _walkers(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    per_minute = 14.0 * size * weather.walkers(t) * w.sky.outdoors(t)
    return [counts(per_minute, w.seed, who, np.round(t))]


def _vehicles(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    light = counts(11.0 * size * weather.cars(t), w.seed, who, np.round(t), 1)
    heavy = counts(0.8 * size * weather.work(t), w.seed, who, np.round(t), 2)
    return [light + heavy, heavy]


def _loop(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    flow = 1_250.0 * size * weather.cars(t) * (1.0 + 0.12 * smooth(who, t, 240.0))
    flow = np.maximum(0.0, _blur(w, who, t, 30, flow, 0.05))
    free = 50.0 - 2.0 * w.sky.rain(t)
    # Greenshields: speed falls with density; a jam keeps moving at walking pace.
    speed = np.maximum(6.0, free * (1.0 - (flow / 2_600.0) ** 1.5) + 1.5 * smooth(who, t, 60.0))
    occupancy = np.clip(flow / speed * 6.5 / 1000.0, 0.0, 1.0)
    return [np.round(flow), occupancy, speed / 3.6]


def _parking(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    places = np.round(PLACES * size)
    taken = 0.25 + 0.65 * (0.6 * weather.work(t) + 0.4 * weather.walkers(t - 1_800.0))
    taken = taken + 0.06 * smooth(who, t, 1_500.0)
    return [np.round(places * (1.0 - np.clip(taken, 0.0, 1.0)))]


def _station(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    docks = np.round(DOCKS * size)
    # Stations at homes empty in the morning, stations at work fill.
    side = np.where(uniform(w.seed, who, 40) < 0.5, 1.0, -1.0)
    filled = 0.5 + 0.3 * side * (weather.work(t) - 0.5) + 0.25 * smooth(who, t, 2_700.0)
    return [np.round(docks * np.clip(filled, 0.0, 1.0))]


def _bollard(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    hour = (weather.local_seconds(t) % weather.DAY_S) / 3600.0
    return [np.where((hour >= 6.0) & (hour < 11.0), 1.0, 0.0)]


def _travel(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    empty = 4.2 * size
    return [_blur(w, who, t, 50, empty * (1.0 + 0.9 * weather.cars(t) ** 2), 0.03)]


def _electricity(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    profile, full_w = w.meters.electricity, 38_000.0 * size
    power = full_w * profile.rate(t)
    return [full_w * profile.total(t), _blur(w, who, t, 60, power, 0.02)]


def _linky(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    energy, power = _electricity(w, who, size, t)
    return [energy, power / 0.94]


def _p1(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    energy, power = _electricity(w, who, size, t)
    return [energy / 1000.0, power / 1000.0]


def _pulses(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    return [30_000.0 * size * w.meters.electricity.total(t)]


def _gas(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    return [9_500.0 * size * w.meters.heat.total(t)]


def _heat(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    profile = w.meters.heat
    return [0.18 * size * profile.total(t), 180.0 * size * profile.rate(t)]


def _water(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    return [1.3 * size * w.meters.water.total(t)]


def _solar(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    profile, peak_kw = w.meters.solar, 36.0 * size
    return [peak_kw * profile.total(t), -_blur(w, who, t, 70, peak_kw * profile.rate(t), 0.01)]


def _lighting(w: World, who: IntArray, size: FloatArray, t: FloatArray) -> list[FloatArray]:
    on = w.meters.lamps.rate(t)
    return [_blur(w, who, t, 80, LAMP_W * size * on, 0.01), on]


_C = Channel
_ROHR = ("SDS_P1", "SDS_P2", "BME280_temperature", "BME280_humidity")
# fmt: off
KINDS: tuple[Kind, ...] = (
    Kind("air", NGSI, 8, 60, "end", Clock.ISO_MS,
         (_C("no2", "no2", "ug/m3", 1, 400.0), _C("o3", "o3", "ug/m3", 1, 300.0), _C("pm10", "pm10", "ug/m3", 1, 500.0),
          _C("pm25", "pm25", "ug/m3", 1, 400.0), _C("co", "co", "ug/m3", 0)),
         ",".join(f'"{name}":{{"type":"Property","value":%s,"unitCode":"GQ"}}'
                  for name in ("no2", "o3", "pm10", "pm25", "co")), _air),
    Kind("box", PLAIN, 24, 30, "unknown", Clock.EPOCH_S,
         (_C("pm10", "P1", "ug/m3", 2, 500.0), _C("pm25", "P2", "ug/m3", 2, 400.0), _C("temperature", "temperature", "Cel", 2),
          _C("humidity", "humidity", "%", 2)),
         '{"ts":%s,"P1":"%s","P2":"%s","temperature":"%s","humidity":"%s","rssi":-71}', _box, as_text=True),
    Kind("rohr", AIRROHR, 6, 30, "unknown", Clock.NONE,
         (_C("pm10", "SDS_P1", "ug/m3", 2, 500.0), _C("pm25", "SDS_P2", "ug/m3", 2, 400.0),
          _C("temperature", "BME280_temperature", "Cel", 2), _C("humidity", "BME280_humidity", "%", 2)),
         ",".join(f'{{"value_type":"{name}","value":"%s"}}' for name in _ROHR), _box, as_text=True,
         relayed='{"time":"%s",' + ",".join(f'"{name}":"%s"' for name in _ROHR) + "}"),
    Kind("noise", SENML, 20, 10, "end", Clock.EPOCH_S,
         (_C("noise_level", "laeq", "dB(A)", 1, 30.0),),
         '[{"bt":%s,"n":"laeq","u":"dB(A)","v":%s}]', _noise),
    Kind("mast", PLAIN, 6, 30, "end", Clock.ISO_NS,
         (_C("temperature", "air.temperature", "[degF]", 1), _C("humidity", "air.humidity", "%", 0),
          _C("pressure", "air.pressure", "Pa", 0), _C("wind_speed", "wind.speed", "km/h", 1),
          _C("wind_direction", "wind.direction", "deg", 0), _C("rain", "rain", "mm", 3)),
         '{"timestamp":"%s","air":{"temperature":%s,"humidity":%s,"pressure":%s},'
         '"wind":{"speed":%s,"direction":%s},"rain":%s}', _mast, True),
    Kind("bike", PLAIN, 20, 60, "end", Clock.ISO_MS,
         (_C("bikes", "bikes", "1", 0),),
         '{"time":"%s","bikes":%s,"battery":88}', _bikes, True),
    Kind("foot", PLAIN, 14, 60, "start", Clock.EPOCH_MS,
         (_C("pedestrians", "in_out", "count", 0),),
         '{"ts":%s,"in_out":%s}', _walkers, True),
    Kind("count", LOCAL, 20, 60, "end", Clock.LOCAL,
         (_C("vehicles", "tv", "1", 0), _C("heavy_vehicles", "pl", "1", 0)),
         '{"date":"%s","tv":%s,"pl":%s}', _vehicles, True),
    Kind("loop", PLAIN, 26, 10, "end", Clock.EPOCH_MS,
         (_C("flow", "q", "h-1", 0, 9000.0), _C("occupancy", "k", "/", 4), _C("speed", "v", "m/s", 2, 45.0)),
         '{"ts":%s,"q":%s,"k":%s,"v":%s}', _loop),
    Kind("park", PLAIN, 12, 30, "unknown", Clock.ISO_MS,
         (_C("parking_free", "free", "1", 0),),
         '{"time":"%s","free":%s,"status":"open"}', _parking),
    Kind("velo", PLAIN, 14, 30, "unknown", Clock.EPOCH_S,
         (_C("bikes_available", "bikes", "1", 0),),
         '{"ts":%s,"bikes":%s}', _station),
    Kind("bollard", PLAIN, 4, 60, "start", Clock.NONE,
         (_C("road_open", "open", "1", BOOLEAN),),
         '{"open":%s}', _bollard, relayed='{"time":"%s","open":%s}'),
    Kind("trip", PLAIN, 6, 60, "end", Clock.ISO_MS,
         (_C("travel_time", "minutes", "min", 2, 60.0),),
         '{"time":"%s","minutes":%s}', _travel),
    Kind("elec", PLAIN, 14, 20, "end", Clock.EPOCH_MS,
         (_C("energy_import", "index", "W.h", 0, register_max=1e9), _C("power", "power", "W", 0, 400_000.0)),
         '{"ts":%s,"index":%s,"power":%s}', _electricity),
    Kind("linky", TIC, 8, 20, "end", Clock.SEASON_FIRST,
         (_C("energy_import", "EAST", "W.h", 0, register_max=1e9, width=9),
          _C("apparent_power", "SINSTS", "V.A", 0, 400_000.0, width=5)),
         "EAST\t%s\nSINSTS\t%s", _linky, as_text=True),
    Kind("grid", DSMR, 2, 20, "end", Clock.SEASON_LAST,
         (_C("energy_import", "1-0:1.8.0", "kW.h", 3, register_max=1e6, width=10),
          _C("power", "1-0:1.7.0", "kW", 3, 400.0, width=6)),
         "1-0:1.8.0(%s*kWh)\r\n1-0:1.7.0(%s*kW)\r\n", _p1, as_text=True),
    Kind("pulse", PLAIN, 2, 20, "end", Clock.EPOCH_S,
         (_C("energy_import", "pulses", "W.h", 0, register_max=65_536.0),),
         '{"ts":%s,"pulses":%s}', _pulses),
    Kind("gas", TTS, 8, 300, "end", Clock.ISO_MS,
         (_C("gas_import", "index", "dm3", 0, register_max=1e8),),
         '"index":%s', _gas),
    Kind("heat", SENML, 8, 60, "end", Clock.EPOCH_S,
         (_C("heat_import", "energy", "MW.h", 4, register_max=1e5), _C("power", "power", "kW", 2)),
         '[{"bt":%s,"n":"energy","u":"MW.h","v":%s},{"n":"power","u":"kW","v":%s}]', _heat),
    Kind("water", CHIRPSTACK, 8, 900, "end", Clock.ISO_MS,
         (_C("water_import", "index", "m3", 3, register_max=1e5),),
         '"index":%s,"battery":63', _water),
    Kind("solar", SENML, 6, 10, "end", Clock.EPOCH_S,
         (_C("energy_export", "export", "kW.h", 3, register_max=1e6), _C("power", "power", "kW", 3)),
         '[{"bt":%s,"n":"export","u":"kW.h","v":%s},{"n":"power","u":"kW","v":%s}]', _solar),
    Kind("lamp", SHELLY, 4, 60, "start", Clock.EPOCH_S,
         (_C("power", "switch:0.apower", "W", 1), _C("lighting_on", "switch:0.output", "1", BOOLEAN)),
         '"switch:0":{"id":0,"source":"schedule","apower":%s,"output":%s}', _lighting),
)
# fmt: on
