"""One sky over the whole city, and the rhythm of the people below it.

Every function takes seconds since 1970 UTC, shape (n,), and returns the same shape.
Believable for 48° north, not a forecast: yearly and daily cycles, and weather that
changes over days.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from collector.simulation.noise import smooth
from storage.reading import FloatArray

DAY_S = 86_400.0
_YEAR_S = 365.2425 * DAY_S
_LATITUDE, _LONGITUDE = np.radians(48.6), 7.9
_ZONE = ZoneInfo("Europe/Paris")


class Sky:
    """The weather of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def _wander(self, number: int, t: FloatArray, period_s: float) -> FloatArray:
        return smooth(self._seed * 1000 + number, t, period_s)

    def cloud(self, t: FloatArray) -> FloatArray:
        """Covered part of the sky. [0 to 1]"""
        wander = 0.6 * self._wander(1, t, 1.6 * DAY_S) + 0.2 * self._wander(2, t, 9_000.0)
        return np.clip(0.5 + wander, 0.0, 1.0)

    def sun(self, t: FloatArray) -> FloatArray:
        """Radiation on level ground. [W/m2]"""
        height = np.maximum(0.0, sine_of_sun(t))
        return 1_000.0 * height**1.15 * (1.0 - 0.75 * self.cloud(t) ** 2)

    def temperature(self, t: FloatArray) -> FloatArray:
        """Air temperature. [Cel]"""
        year = np.cos(2 * np.pi * (t / _YEAR_S - 17 / 365))
        # Warmest two hours after the sun's noon.
        day = np.cos(2 * np.pi * ((t + _LONGITUDE * 240.0) / DAY_S - 14.2 / 24))
        swing = (3.8 - 1.4 * year) * (1.15 - 0.7 * self.cloud(t))
        spells = 4.0 * self._wander(3, t, 4.1 * DAY_S) + 1.2 * self._wander(4, t, 0.6 * DAY_S)
        return 11.2 - 8.8 * year + swing * day + spells

    def rain(self, t: FloatArray) -> FloatArray:
        """Intensity of rain. [mm/h]"""
        heavy = 1.0 + self._wander(5, t, 2_400.0)
        return np.maximum(0.0, self.cloud(t) - 0.78) * 3.6 * heavy

    def wind(self, t: FloatArray) -> FloatArray:
        """Wind speed. [m/s]"""
        spells = 3.4 + 2.4 * self._wander(6, t, 1.1 * DAY_S)
        return np.maximum(0.1, spells * (1.0 + 0.3 * self._wander(7, t, 420.0)))

    def wind_direction(self, t: FloatArray) -> FloatArray:
        """Where the wind comes from. [deg]"""
        spells = 235.0 + 95.0 * self._wander(8, t, 1.9 * DAY_S)
        return (spells + 22.0 * self._wander(9, t, 600.0)) % 360.0

    def pressure(self, t: FloatArray) -> FloatArray:
        """Air pressure. [hPa]"""
        return 998.0 + 13.0 * self._wander(10, t, 4.8 * DAY_S) + 1.5 * self._wander(11, t, 20_000.0)

    def humidity(self, t: FloatArray) -> FloatArray:
        """Relative humidity. [%]"""
        warm = np.cos(2 * np.pi * ((t + _LONGITUDE * 240.0) / DAY_S - 14.2 / 24))
        wet = np.minimum(1.0, self.rain(t))
        return np.clip(72.0 - 14.0 * warm + 14.0 * (self.cloud(t) - 0.5) + 10.0 * wet, 18.0, 100.0)

    def heating(self, t: FloatArray) -> FloatArray:
        """Need of heat against the coldest day; 0 above 17 °C. [0 to about 1]"""
        return np.maximum(0.0, 17.0 - self.temperature(t)) / 25.0

    def outdoors(self, t: FloatArray) -> FloatArray:
        """How many of a fine summer day's people are out in this weather. [0 to 1]"""
        mild = 1.0 / (1.0 + np.exp(-(self.temperature(t) - 8.0) / 5.0))
        return (0.35 + 0.65 * mild) / (1.0 + 0.9 * self.rain(t))


def sine_of_sun(t: FloatArray) -> FloatArray:
    """Sine of the sun's height; below 0 at night.

    References
    ----------
    .. [1] Cooper, "The absorption of radiation in solar stills", Solar Energy 12 (1969):
       declination 23.45° sin(360° (284 + day) / 365). doi:10.1016/0038-092X(69)90047-4
    """
    day = (t % _YEAR_S) / DAY_S
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284.0 + day) / 365.0)
    hour = 2 * np.pi * ((t + _LONGITUDE * 240.0) % DAY_S) / DAY_S - np.pi
    height: FloatArray = np.sin(_LATITUDE) * np.sin(declination)
    height += np.cos(_LATITUDE) * np.cos(declination) * np.cos(hour)
    return height


def local_seconds(t: FloatArray) -> FloatArray:
    """Seconds since 1970 as the clocks of the city show them. [s]"""
    changes, offsets = _clock_changes()
    shown: FloatArray = t + offsets[np.searchsorted(changes, t, side="right")]
    return shown


@cache
def _clock_changes() -> tuple[FloatArray, FloatArray]:
    """Instants at which clocks change, and the offset before the first and after each. [s]"""
    hour, first, last = 3600, 1_546_300_800, 2_524_608_000  # 2019 to 2050, UTC
    changes: list[float] = []
    offsets = [_offset_s(first)]
    for day in range(first, last, 24 * hour):
        if _offset_s(day + 24 * hour) != offsets[-1]:
            at = next(h for h in range(day, day + 25 * hour, hour) if _offset_s(h) != offsets[-1])
            changes.append(float(at))
            offsets.append(_offset_s(at))
    return np.array(changes), np.array(offsets)


def _offset_s(t: int) -> float:
    offset = datetime.fromtimestamp(t, _ZONE).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def _hours(*heights: float) -> FloatArray:
    return np.array([*heights, heights[0]])


# Share of the busiest hour, for every hour of the day from midnight.
# fmt: off
_CARS = (_hours(.07, .04, .03, .03, .06, .17, .44, .86, 1.0, .74, .63, .65, .70, .69, .66, .72, .86, .99, .95, .70, .45, .30, .21, .13),
         _hours(.14, .10, .07, .05, .05, .07, .13, .21, .33, .47, .59, .66, .64, .58, .60, .63, .64, .64, .59, .49, .37, .28, .22, .17))
_BIKES = (_hours(.03, .02, .01, .01, .02, .08, .31, .85, 1.0, .49, .33, .36, .47, .44, .38, .46, .73, .98, .82, .47, .27, .17, .10, .06),
          _hours(.06, .04, .03, .02, .01, .02, .05, .11, .22, .37, .50, .55, .49, .52, .59, .61, .58, .50, .39, .27, .18, .13, .10, .08))
_WALKERS = (_hours(.03, .02, .01, .01, .02, .05, .16, .45, .52, .48, .57, .72, .96, .84, .68, .73, .88, 1.0, .90, .60, .38, .24, .14, .07),
            _hours(.09, .06, .04, .02, .02, .03, .06, .12, .26, .52, .78, .88, .76, .75, .87, .95, .97, .88, .67, .48, .35, .27, .20, .14))
_WORK = (_hours(.22, .21, .21, .21, .22, .27, .43, .70, .92, 1.0, 1.0, .98, .86, .92, .98, .97, .90, .74, .54, .40, .33, .28, .25, .23),
         _hours(.22, .21, .21, .21, .21, .21, .22, .24, .27, .29, .30, .30, .29, .28, .28, .28, .27, .26, .25, .24, .24, .23, .23, .22))
# fmt: on


def _rhythm(t: FloatArray, working: FloatArray, free: FloatArray) -> FloatArray:
    local = local_seconds(t)
    hour = (local % DAY_S) / 3600.0
    weekday = (np.floor(local / DAY_S) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    hours = np.arange(25.0)
    return np.where(weekday < 5, np.interp(hour, hours, working), np.interp(hour, hours, free))


def cars(t: FloatArray) -> FloatArray:
    """Motor traffic against the busiest hour. [0 to 1]"""
    return _rhythm(t, *_CARS)


def bikes(t: FloatArray) -> FloatArray:
    """Bicycle traffic against the busiest hour of a fine day. [0 to 1]"""
    return _rhythm(t, *_BIKES)


def walkers(t: FloatArray) -> FloatArray:
    """People on foot against the busiest hour of a fine day. [0 to 1]"""
    return _rhythm(t, *_WALKERS)


def work(t: FloatArray) -> FloatArray:
    """Use of public buildings against a full working hour. [0 to 1]"""
    return _rhythm(t, *_WORK)
