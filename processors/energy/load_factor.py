"""How evenly a load is drawn: mean over peak, and the hours that the peak would take."""

from __future__ import annotations

import numpy as np

from storage.reading import FloatArray


def load_factor(mean: FloatArray, peak: FloatArray) -> FloatArray:
    """Mean power over peak power of a period, E / (P_max x h).

    Parameters
    ----------
    mean, peak : float64, of shapes that fit
        [kW]

    Returns
    -------
    float64
        NaN where there is no peak above zero. [1]

    Examples
    --------
    1,400 kWh over 8,760 h with a peak of 2 kW:

    >>> load_factor(np.array([1400 / 8760]), np.array([2.0])).round(6)
    array([0.079909])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(peak > 0, mean / peak, np.nan)


def utilisation_hours(energy: FloatArray, peak: FloatArray) -> FloatArray:
    """For how long the peak power would draw the energy of the period.

    Parameters
    ----------
    energy : float64
        [kWh]
    peak : float64
        [kW]

    Returns
    -------
    float64
        [h]

    Examples
    --------
    >>> utilisation_hours(np.array([1400.0]), np.array([2.0]))
    array([700.])
    """
    return load_factor(energy, peak)
