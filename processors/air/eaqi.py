"""The European Air Quality Index, hour by hour.

The classes are published as whole numbers ("0-5", "6-15"), which leaves 5.4 undefined: a
concentration is rounded half up to a whole number first, and a bound belongs to the class it
closes. Small negatives of analysers are class 1; below -5 ug/m3 nothing is said.

References
----------
.. [1] European Environment Agency, European Air Quality Index, airindex.eea.europa.eu.
.. [2] ETC HE report 2024/17, EEA's revision of the European air quality index bands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.bands import EAQI, classify
from processors.air.rounding import half_up
from processors.air.running import running_mean
from storage.indicators.air import INDEX_POLLUTANTS
from storage.reading import FloatArray, IntArray

DAY = 24

LEAST = -5.0
"""Below this a concentration is a fault of the instrument, not a zero. [ug/m3]"""

_BIT = {name: 1 << position for position, name in enumerate(INDEX_POLLUTANTS)}
_PARTICLES = _BIT["pm10"] | _BIT["pm25"]


def sub_index(
    hour: FloatArray, pollutant: NDArray[np.intp], method: NDArray[np.int16]
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Class of each series and hour by the bands that hold then.

    Before the revision particles were told as running means of 24 hours, of which 18 must
    be measured; an hour that is not measured itself has no class.

    Parameters
    ----------
    hour : float64, shape (n, w)
        Valid hourly means, oldest first, NaN where there is none. [ug/m3]
    pollutant : intp, shape (n,)
        Position in ``INDEX_POLLUTANTS``.
    method : int16, shape (w,)
        Position in :data:`processors.air.bands.EAQI`.

    Returns
    -------
    sub : float64, shape (n, w)
        1 (good) to 6 (extremely poor), 5 with the bands of 2017; NaN where there is none.
    valid, due : int64, shape (n, w)
        Hours it is made of, and how many there should be.

    References
    ----------
    .. [1] European Environment Agency, European Air Quality Index.
    .. [2] ETC HE report 2024/17.

    Examples
    --------
    >>> hour = np.array([[16.0], [45.0], [26.0], [100.0]])
    >>> what = np.array([INDEX_POLLUTANTS.index(name) for name in ("pm25", "pm10", "no2", "o3")])
    >>> sub_index(hour, what, np.array([2], np.int16))[0].ravel()
    array([3., 2., 3., 2.])
    """
    sub = np.full(hour.shape, np.nan)
    known = hour >= LEAST
    valid, due = known.astype(np.int64), np.ones(hour.shape, np.int64)
    measured = np.where(known, hour, np.nan)
    for number, bands in enumerate(EAQI):
        columns = np.flatnonzero(method == number)
        if not len(columns):
            continue
        for position, name in enumerate(INDEX_POLLUTANTS):
            rows = np.flatnonzero(pollutant == position)
            cells = np.ix_(rows, columns)
            told = measured[cells]
            if name in bands.running:
                mean, hours = running_mean(measured[rows], DAY)
                told = np.where(np.isnan(told), np.nan, mean[:, columns])
                valid[cells], due[cells] = hours[:, columns], DAY
            sub[cells] = classify(half_up(told), bands.bounds[name])
    return sub, valid, due


def minimum(
    used: IntArray, traffic: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How much of the least set of pollutants is there, and how much there should be.

    Beside roads NO2 and particles are wanted, elsewhere ozone too; PM10 and PM2.5 count as
    one.

    Parameters
    ----------
    used : int32, shape (g, w)
        Pollutants that have a sub-index: a bit each, in the order of ``INDEX_POLLUTANTS``.
    traffic : bool, shape (g,)
        Which places stand beside a road.

    Returns
    -------
    there, due : int64, shape (g, w) and (g, 1)

    References
    ----------
    .. [1] European Environment Agency, European Air Quality Index, notes 1 and 2.

    Examples
    --------
    >>> there, due = minimum(np.array([[1 | 4, 4 | 8]], np.int32), np.array([True]))
    >>> there.tolist(), due.tolist()
    ([[2, 1]], [[2]])
    """
    road = traffic[:, None]
    gases = (used & _BIT["no2"] > 0).astype(np.int64) + ((used & _BIT["o3"] > 0) & ~road)
    return gases + (used & _PARTICLES > 0), np.where(road, 2, 3).astype(np.int64)
