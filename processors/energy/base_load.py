"""The base load (talon): what is drawn when nobody is there; and shares of the energy.

A minimum is one reading and often a fault; the median of quiet hours and a low percentile
are not moved by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray

LOW_PERCENTILE = 0.05

QUIET_HOURS = (1, 5)
"""Hours of the local night, ``[from, to)``, that show the base load."""

METHODS = ("night", "percentile")
"""Ways to find it, by position."""


def quantile(value: FloatArray, q: float) -> FloatArray:
    """Quantile over the last axis of what is known, linear between ranks; NaN where none.

    Parameters
    ----------
    value : float64, shape (..., w)
        [unit]
    q : float
        From 0 to 1.

    Examples
    --------
    >>> quantile(np.array([[4.0, np.nan, 1.0, 2.0], [np.nan] * 4]), 0.5)
    array([ 2., nan])
    """
    if not value.shape[-1]:
        return np.full(value.shape[:-1], np.nan)
    known = (~np.isnan(value)).sum(axis=-1)
    ordered = np.sort(value, axis=-1)  # NaN comes last
    rank = q * np.maximum(known - 1, 0)
    lower = np.floor(rank).astype(np.intp)
    upper = np.minimum(lower + 1, np.maximum(known - 1, 0))
    below, above = (
        np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0] for at in (lower, upper)
    )
    between: FloatArray = below + (above - below) * (rank - lower)
    return between


def base_load(power: FloatArray, quiet: NDArray[np.bool_], method: str = "night") -> FloatArray:
    """Base load of a period.

    Parameters
    ----------
    power : float64, shape (n, w)
        Hourly means, NaN where not measured. [kW]
    quiet : bool, shape (w,)
        Hours from 01:00 to 05:00 local time of days without occupants; for ``night``.
    method : str
        ``night``: median of the quiet hours; ``percentile``: 5th percentile of all.

    Returns
    -------
    float64, shape (n,)
        [kW]

    Examples
    --------
    >>> power = np.array([[3.0, 1.0, 2.0, 9.0]])
    >>> base_load(power, np.array([True, True, True, False]))
    array([2.])
    >>> base_load(power, np.zeros(4, bool), "percentile").round(2)
    array([1.15])
    """
    if method == "percentile":
        return quantile(power, LOW_PERCENTILE)
    return quantile(power[:, quiet], 0.5)


def base_energy(base: FloatArray, hours: FloatArray | float) -> FloatArray:
    """What the base load draws over a time: a year has 8,760 hours, or 8,784. [kWh]

    Examples
    --------
    >>> base_energy(np.array([2.0]), 8760)
    array([17520.])
    """
    return base * hours


def share(power: FloatArray, inside: NDArray[np.bool_]) -> FloatArray:
    """Share of the energy that is drawn in some of the windows.

    Means inside and outside, each weighted with its time: gaps that fall on one side more
    than on the other do not tilt it.

    Parameters
    ----------
    power : float64, shape (n, w)
        Of windows of equal length, NaN where not measured. [kW]
    inside : bool, shape (w,)

    Returns
    -------
    float64, shape (n,)
        NaN where one side is not measured at all, or nothing is drawn. [1]

    Examples
    --------
    >>> share(np.array([[1.0, 1.0, 4.0, np.nan]]), np.array([True, True, False, False]))
    array([0.2])
    """
    known = ~np.isnan(power)
    drawn = np.where(known, power, 0.0)
    sides = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for side in (inside, ~inside):
            mean = drawn[:, side].sum(axis=1) / known[:, side].sum(axis=1)
            sides.append(mean * side.sum() if side.any() else np.zeros(len(power)))
        return np.where(sides[0] + sides[1] > 0, sides[0] / (sides[0] + sides[1]), np.nan)
