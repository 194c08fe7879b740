"""Bands of the air quality indices, as tables; which one holds when is a matter of dates.

References
----------
.. [1] European Environment Agency, European Air Quality Index, as launched on 16 November
   2017: five classes.
.. [2] The same with six classes, from 2019 on.
.. [3] ETC HE report 2024/17, EEA's revision of the European air quality index bands, version
   1 of 3 July 2025: hourly means of all five pollutants.
.. [4] Arrêté du 10 juillet 2020 relatif à l'indice de la qualité de l'air ambiant, annexe I.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from storage.reading import FloatArray


@dataclass(frozen=True, slots=True)
class Bands:
    """Upper bounds of every class but the last, which has none. [ug/m3]

    ``running`` names the pollutants that are told as means of 24 hours, not of one.
    """

    bounds: Mapping[str, tuple[float, ...]]
    running: frozenset[str] = frozenset()


_PARTICLES = frozenset({"pm10", "pm25"})

_SIX_CLASSES = {
    "no2": (40.0, 90.0, 120.0, 230.0, 340.0),
    "o3": (50.0, 100.0, 130.0, 240.0, 380.0),
    "pm10": (20.0, 40.0, 50.0, 100.0, 150.0),
    "pm25": (10.0, 20.0, 25.0, 50.0, 75.0),
    "so2": (100.0, 200.0, 350.0, 500.0, 750.0),
}

EAQI: tuple[Bands, ...] = (
    Bands(
        {
            "no2": (40.0, 100.0, 200.0, 400.0),
            "o3": (80.0, 120.0, 180.0, 240.0),
            "pm10": (20.0, 35.0, 50.0, 100.0),
            "pm25": (10.0, 20.0, 25.0, 50.0),
            "so2": (100.0, 200.0, 350.0, 500.0),
        },
        _PARTICLES,
    ),
    Bands(_SIX_CLASSES, _PARTICLES),
    Bands(
        {
            "no2": (10.0, 25.0, 60.0, 100.0, 150.0),
            "o3": (60.0, 100.0, 120.0, 160.0, 180.0),
            "pm10": (15.0, 45.0, 120.0, 195.0, 270.0),
            "pm25": (5.0, 15.0, 50.0, 90.0, 140.0),
            "so2": (20.0, 40.0, 125.0, 190.0, 275.0),
        }
    ),
)
"""By position in the ``methods`` of the index; the first also stands for what is older."""

ATMO = Bands(_SIX_CLASSES)
"""The decree took over the European bands of its day, for other statistics."""

ATMO_SINCE = date(2021, 1, 1)
"""First day of the decree; there is no figure of days before."""


def classify(value: FloatArray, bounds: tuple[float, ...]) -> FloatArray:
    """Class of each value: 1 is best, an upper bound belongs to the class it closes.

    Parameters
    ----------
    value : float64, any shape
        [the unit of the bounds]
    bounds : k floats, ascending
        Upper bounds of the first k classes. [the unit of the values]

    Returns
    -------
    float64, same shape
        1 to k + 1; NaN of NaN.

    Examples
    --------
    >>> classify(np.array([-0.4, 40.0, 40.1, 341.0, np.nan]), ATMO.bounds["no2"])
    array([ 1.,  1.,  2.,  6., nan])
    """
    found = np.searchsorted(np.array(bounds), value, side="left") + 1.0
    return np.where(np.isnan(value), np.nan, found)
