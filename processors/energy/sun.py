"""Sunrise and sunset, of many places and days at once.

Equations of the solar calculator of the NOAA, which says a minute between 72° N and 72° S. No
library that is well kept gives many places and days without a loop over them.

References
----------
.. [1] Meeus, J. (1998). Astronomical Algorithms, 2nd edition. Willmann-Bell.
.. [2] NOAA Global Monitoring Laboratory, Solar Calculation Details.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray, TimeArray

SET_DEG = -0.833
"""Height of the sun's centre when its upper edge rises or sets: refraction and radius."""

_J2000 = np.datetime64("2000-01-01T12:00", "us")
_DAY_US = 86_400_000_000
_ALL_DAY_H = 23.999


class Daylight(NamedTuple):
    """When the sun is up on each solar day; each of shape (n, d).

    Hours after midnight UTC of the date. Where the sun does not set, 12 hours before and
    after noon; where it does not rise, noon twice.
    """

    rise: FloatArray
    noon: FloatArray
    set: FloatArray


def _position(days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Declination [rad] and equation of time [min], days after J2000."""
    century = days / 36525
    longitude = np.radians((280.46646 + century * (36000.76983 + 0.0003032 * century)) % 360)
    anomaly = np.radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
    centre = (
        np.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
        + np.sin(2 * anomaly) * (0.019993 - 0.000101 * century)
        + np.sin(3 * anomaly) * 0.000289
    )
    node = np.radians(125.04 - 1934.136 * century)
    apparent = longitude + np.radians(centre - 0.00569 - 0.00478 * np.sin(node))
    tilt = np.radians(23.439291 - 0.0130042 * century + 0.00256 * np.cos(node))
    declination = np.arcsin(np.sin(tilt) * np.sin(apparent))
    y = np.tan(tilt / 2) ** 2
    equation = (
        y * np.sin(2 * longitude)
        - 2 * eccentricity * np.sin(anomaly)
        + 4 * eccentricity * y * np.sin(anomaly) * np.cos(2 * longitude)
        - 0.5 * y**2 * np.sin(4 * longitude)
        - 1.25 * eccentricity**2 * np.sin(2 * anomaly)
    )
    return declination, 4 * np.degrees(equation)


def daylight(dates: TimeArray, latitude: FloatArray, longitude: FloatArray) -> Daylight:
    """Sunrise, solar noon and sunset.

    Parameters
    ----------
    dates : datetime64[D], shape (d,)
    latitude, longitude : float64, shape (n,)
        Of each place; NaN gives NaN. [degrees]

    Examples
    --------
    Paris at the summer solstice: 03:47 to 19:58 UTC.

    >>> day = np.array(["2024-06-20"], "datetime64[D]")
    >>> sun = daylight(day, np.array([48.8566]), np.array([2.3522]))
    >>> [f"{int(at[0, 0])}:{round(at[0, 0] % 1 * 60):02d}" for at in (sun.rise, sun.set)]
    ['3:47', '19:58']
    """
    midnight = (dates.astype("datetime64[us]") - _J2000).astype(np.int64) / _DAY_US
    phi, east = np.radians(latitude)[:, None], longitude[:, None]

    def noon_at(hour: FloatArray) -> FloatArray:
        _, equation = _position(midnight + hour / 24)
        hour_of_noon: FloatArray = 12 - east / 15 - equation / 60
        return hour_of_noon

    def event(hour: FloatArray, side: int) -> FloatArray:
        declination, equation = _position(midnight + hour / 24)
        height = np.sin(np.radians(SET_DEG)) - np.sin(phi) * np.sin(declination)
        cosine = height / (np.cos(phi) * np.cos(declination))
        angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        at: FloatArray = 12 - east / 15 - equation / 60 + side * angle / 15
        return at

    noon = noon_at(np.broadcast_to(12 - east / 15, (len(latitude), len(dates))))
    # The sun's place at noon finds the event, its place then corrects it; in the far north,
    # where the sun sets on a slant, once more.
    rise, sunset = (event(event(event(noon, side), side), side) for side in (-1, 1))
    return Daylight(rise, noon, sunset)


def dark(
    edges: TimeArray, latitude: FloatArray, longitude: FloatArray, twilight_h: float = 0.0
) -> FloatArray:
    """For how much of each window it is night, from 0 to 1.

    Parameters
    ----------
    edges : datetime64[us], shape (w + 1,)
        Of windows of at most an hour.
    latitude, longitude : float64, shape (n,)
        NaN gives NaN. [degrees]
    twilight_h : float
        Night begins so long after sunset and ends so long before sunrise. [h]

    Returns
    -------
    float64, shape (n, w)

    Examples
    --------
    >>> hour = np.array(["2024-06-20T18", "2024-06-20T19", "2024-06-20T20", "2024-06-20T21"])
    >>> dark(hour.astype("datetime64[us]"), np.array([48.8566]), np.array([2.3522])).round(2)
    array([[0.  , 0.04, 1.  ]])
    """
    start = edges[0].astype("datetime64[D]")
    hour = (edges - start.astype("datetime64[us]")).astype(np.int64) / 3.6e9
    first = int(np.floor(hour[0] / 24)) - 1
    days = np.arange(first, int(hour[-1] / 24) + 2)
    sun = daylight(start + days, latitude, longitude)
    # A solar day is the 24 hours around its noon.
    middle = (hour[:-1] + hour[1:]) / 2
    own = np.floor((middle + np.nan_to_num(longitude)[:, None] / 15) / 24).astype(np.intp)
    place = np.clip(own - first, 0, len(days) - 1)
    # Where the sun stays up one day's light reaches into the next.
    spare = twilight_h + ((sun.set - sun.rise) > _ALL_DAY_H)
    on, off = (
        np.take_along_axis(at, place, axis=1) + 24 * own
        for at in (sun.rise - spare, sun.set + spare)
    )
    light = np.minimum(hour[1:], off) - np.maximum(hour[:-1], on)
    night: FloatArray = 1 - np.clip(light / (hour[1:] - hour[:-1]), 0.0, 1.0)
    return night


def around_noon(
    edges: TimeArray, longitude: FloatArray, within_h: float = 1.0
) -> NDArray[np.bool_]:
    """Windows whose middle is at most so far from noon by mean solar time, shape (n, w).

    Examples
    --------
    >>> hour = np.array(["2024-06-20T10", "2024-06-20T11", "2024-06-20T12", "2024-06-20T13"])
    >>> around_noon(hour.astype("datetime64[us]"), np.array([2.35]))
    array([[False,  True,  True]])
    """
    middle = edges[:-1] + (edges[1:] - edges[:-1]) // 2
    hour = (middle - middle.astype("datetime64[D]")).astype(np.int64) / 3.6e9
    apart = np.abs((hour + longitude[:, None] / 15) % 24 - 12)
    near: NDArray[np.bool_] = apart <= within_h
    return near
