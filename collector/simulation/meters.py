"""What runs through a meter: a rate, and everything that has run through since it was set.

A register must be the exact integral of its rate at any instant, whatever was asked
before, so each profile is tabled once from a fixed origin.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from collector.simulation import weather
from storage.reading import FloatArray

ORIGIN_S = 1_577_836_800.0
"""2020-01-01T00:00:00Z: all registers stood at their start. [s since 1970]"""
_SLOT_S = 900.0


class Profile:
    """A rate between 0 and about 1, constant over quarter-hours, and its integral."""

    def __init__(self, rate: Callable[[FloatArray], FloatArray]) -> None:
        self._rate = rate
        self._rates = np.empty(0)
        self._total = np.zeros(1)

    def rate(self, t: FloatArray) -> FloatArray:
        """Rate at each instant. [1]"""
        self._extend(t)
        rates: FloatArray = self._rates[self._slot(t)]
        return rates

    def total(self, t: FloatArray) -> FloatArray:
        """Hours of full rate since the origin. [h]"""
        self._extend(t)
        slot = self._slot(t)
        inside = (t - ORIGIN_S) - slot * _SLOT_S
        total: FloatArray = self._total[slot] + self._rates[slot] * inside / 3600.0
        return total

    def _slot(self, t: FloatArray) -> NDArray[np.intp]:
        return np.floor((t - ORIGIN_S) / _SLOT_S).astype(np.intp)

    def _extend(self, t: FloatArray) -> None:
        if t.size == 0:
            return
        if t.min() < ORIGIN_S:
            raise ValueError("the simulated city begins on 2020-01-01; start later")
        last = int((t.max() - ORIGIN_S) // _SLOT_S)
        if last < len(self._rates):
            return
        # A month more than needed: a running simulation comes here rarely.
        slots = np.arange(len(self._rates), last + 2_976, dtype=np.float64)
        middle: FloatArray = ORIGIN_S + (slots + 0.5) * _SLOT_S
        self._rates = np.append(self._rates, self._rate(middle))
        self._total = np.append(0.0, np.cumsum(self._rates)) * _SLOT_S / 3600.0


class Meters:
    """The profiles of one city."""

    def __init__(self, sky: weather.Sky) -> None:
        self.electricity = Profile(lambda t: weather.work(t) + 0.15 * sky.heating(t))
        self.heat = Profile(lambda t: sky.heating(t) * (0.7 + 0.3 * weather.work(t)))
        self.water = Profile(lambda t: 0.03 + 0.97 * weather.walkers(t) * weather.work(t))
        self.solar = Profile(lambda t: sky.sun(t) / 1000.0)
        self.lamps = Profile(lambda t: np.where(weather.sine_of_sun(t) < -0.05, 1.0, 0.0))
