"""Load curves: mean power of clock windows, their peak with its date, their ranking.

A peak depends on the window it is counted in: a short one is higher, and a window that may
begin at any time finds more than one that begins by the clock. So figures say which.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows
from storage.reading import FloatArray


class Peak(NamedTuple):
    """The highest value of each period and the window it is in (-1 where none); shape (n, p)."""

    value: FloatArray
    window: NDArray[np.int64]


def mean_power(energy: FloatArray, seconds: FloatArray) -> FloatArray:
    """Mean power of what flowed over a time. [kW]

    Parameters
    ----------
    energy : float64, any shape
        [kWh]
    seconds : float64, of a shape that fits
        [s]

    References
    ----------
    .. [1] Enedis, load curves: mean power in W over the step, energy = W x step / 60 min.

    Examples
    --------
    10 Wh of a register in 300 s, whatever the apparent power says:

    >>> mean_power(np.array([0.010]), np.array([300.0]))
    array([0.12])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(seconds > 0, energy * 3600 / seconds, np.nan)


def energy_of(power: FloatArray, minutes: float) -> FloatArray:
    """Energy of mean powers over steps: 540 W over 30 minutes are 270 Wh.

    Examples
    --------
    >>> energy_of(np.array([540.0]), 30)
    array([270.])
    """
    return power * (minutes / 60)


def fixed(power: FloatArray, size: int) -> FloatArray:
    """Mean power of longer clock windows, NaN where a part is missing.

    Parameters
    ----------
    power : float64, shape (n, w)
        Of windows that begin with a longer one; what is left over at the end goes. [kW]
    size : int
        How many make a longer one.

    Returns
    -------
    float64, shape (n, w // size)

    Examples
    --------
    Ten-minute energies of 0.5, 1.5 and 0.4 kWh: 9.0 kW in ten minutes, 4.8 kW in thirty.

    >>> ten = np.array([[0.5, 1.5, 0.4]]) * 6
    >>> float(ten.max()), fixed(ten, 3).round(9)
    (9.0, array([[4.8]]))
    """
    whole = power.shape[1] // size
    mean: FloatArray = power[:, : whole * size].reshape(-1, whole, size).mean(axis=2)
    return mean


def sliding(power: FloatArray, size: int) -> FloatArray:
    """Mean power of every run of so many windows, NaN where a part is missing.

    The highest of these is at least that of the fixed windows; contracts count the fixed.

    Parameters
    ----------
    power : float64, shape (n, w)
        [kW]
    size : int

    Returns
    -------
    float64, shape (n, w - size + 1)

    Examples
    --------
    >>> power = np.array([[1.0, 5.0, 5.0, 1.0]])
    >>> float(fixed(power, 2).max()), float(sliding(power, 2).max())
    (3.0, 5.0)
    """
    mean: FloatArray = np.lib.stride_tricks.sliding_window_view(power, size, axis=1).mean(axis=2)
    return mean


def peak(power: FloatArray, first: Rows) -> Peak:
    """The highest window of each period; of equal ones the first.

    Parameters
    ----------
    power : float64, shape (n, w)
        NaN where not measured. [kW]
    first : intp, shape (p,)
        First window of each period.

    Examples
    --------
    >>> peak(np.array([[3.0, 7.0, np.nan, 2.0, np.nan]]), np.array([0, 2, 4]))
    Peak(value=array([[ 7.,  2., nan]]), window=array([[ 1,  3, -1]]))
    """
    known = ~np.isnan(power)
    highest = np.maximum.reduceat(np.where(known, power, -np.inf), first, axis=1)
    any_known = np.logical_or.reduceat(known, first, axis=1)
    period = np.searchsorted(first, np.arange(power.shape[1]), side="right") - 1
    number = np.where(power == highest[:, period], np.arange(power.shape[1]), power.shape[1])
    window = np.minimum.reduceat(number, first, axis=1)
    return Peak(np.where(any_known, highest, np.nan), np.where(any_known, window, -1))


def duration_curve(power: FloatArray) -> FloatArray:
    """Load duration curve: powers from the highest down, what is not measured last.

    Position k is the power that is reached in more than k windows.

    Examples
    --------
    >>> duration_curve(np.array([[2.0, np.nan, 5.0, 3.0]]))
    array([[ 5.,  3.,  2., nan]])
    """
    curve: FloatArray = -np.sort(-power, axis=-1)  # NaN sorts last either way
    return curve
