"""Sub-indices by the rules of the French daily index, computed here and never official.

The index that bears the name ATMO is an act of the approved associations; what a city
computes from its own stations says so in its label. The decree speaks of a day and names no
other clock: it is the day of legal time, 23 or 25 hours long twice a year. Concentrations are
compared as they are, not rounded, and a bound belongs to the class it closes.

References
----------
.. [1] Arrêté du 10 juillet 2020 relatif à l'indice de la qualité de l'air ambiant, annexe I.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.bands import ATMO, classify
from processors.air.capture import captured_mean
from processors.air.rounding import undusted
from processors.air.running import daily_maximum
from storage.indicators.air import INDEX_POLLUTANTS
from storage.reading import FloatArray

GASES = ("no2", "o3", "so2")
"""Told by the highest hourly mean of the day; particles by the mean of the day."""


def sub_index(
    hours: FloatArray, pollutant: NDArray[np.intp], due: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Class of each series and day, and the concentration it is the class of.

    Parameters
    ----------
    hours : float64, shape (n, d, k)
        Valid hourly means of each local day, NaN where there is none. [ug/m3]
    pollutant : intp, shape (n,)
        Position in ``INDEX_POLLUTANTS``.
    due : int64, shape (d,)
        Hours of each day: 23, 24 or 25.

    Returns
    -------
    sub : float64, shape (n, d)
        1 (bon) to 6 (extrêmement mauvais); NaN where fewer than 75 % of the hours are valid.
    told : float64, shape (n, d)
        Highest hourly mean of gases, mean of particles. [ug/m3]
    valid : int64, shape (n, d)
        How many hours are.

    References
    ----------
    .. [1] Arrêté du 10 juillet 2020, annexe I.

    Examples
    --------
    >>> hours = np.full((2, 1, 24), 25.0)
    >>> hours[0, 0, 8] = 90.1
    >>> what = np.array([INDEX_POLLUTANTS.index(name) for name in ("no2", "pm25")])
    >>> sub_index(hours, what, np.array([24]))[0].ravel()
    array([3., 3.])
    """
    sub = np.full(hours.shape[:2], np.nan)
    told = np.full(hours.shape[:2], np.nan)
    valid = np.zeros(hours.shape[:2], np.int64)
    for position, name in enumerate(INDEX_POLLUTANTS):
        rows = pollutant == position
        if name in GASES:
            told[rows], valid[rows] = daily_maximum(hours[rows], due)[:2]
        else:
            told[rows], valid[rows] = captured_mean(hours[rows], due)
        sub[rows] = classify(undusted(told[rows]), ATMO.bounds[name])
    return sub, told, valid
