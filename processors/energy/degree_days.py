"""Degree days: how much a day asks for heating or cooling, by both French methods.

Both take the lowest and highest temperature of a day. They differ where the base lies
between the two: the mean says that nothing was needed, while the night was heated.

References
----------
.. [1] Météo-France and COSTIC, degrés-jours unifiés: the two methods as told by
   fr-academic.com, "Degré jour unifié"; the COSTIC formula for base 18 °C.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.air.capture import needed
from storage.reading import FloatArray


def meteo(low: FloatArray, high: FloatArray, base: float) -> FloatArray:
    """Heating degree days by the mean of the extremes: what it falls short of the base.

    Parameters
    ----------
    low, high : float64, shape (...)
        Lowest and highest temperature of each day, NaN where not measured. [Cel]
    base : float
        [Cel]

    Returns
    -------
    float64, shape (...)
        NaN where either is missing. [K.d]

    References
    ----------
    .. [1] Météo-France: max(0, S - (Tn + Tx) / 2).

    Examples
    --------
    >>> meteo(np.array([5.0, 10, 13, 19]), np.array([12.0, 20, 25, 28]), 18)
    array([9.5, 3. , 0. , 0. ])
    """
    return np.maximum(base - (low + high) / 2, 0.0)


def costic(low: FloatArray, high: FloatArray, base: float) -> FloatArray:
    """Heating degree days of the heating trade: a day that crosses the base counts in part.

    Parameters
    ----------
    low, high : float64, shape (...)
        Lowest and highest temperature of each day, NaN where not measured. [Cel]
    base : float
        [Cel]

    Returns
    -------
    float64, shape (...)
        NaN where either is missing. [K.d]

    References
    ----------
    .. [1] COSTIC: S - (Tn + Tx) / 2 where Tx <= S; 0 where Tn >= S;
       else (S - Tn) (0.08 + 0.42 (S - Tn) / (Tx - Tn)).

    Examples
    --------
    >>> costic(np.array([5.0, 10, 13, 19]), np.array([12.0, 20, 25, 28]), 18)
    array([9.5  , 3.328, 1.275, 0.   ])
    """
    below = base - low
    crosses = (low < base) & (high > base)
    spread = np.where(crosses, high - low, 1.0)
    crossing = below * (0.08 + 0.42 * below / spread)
    found = np.where(crosses, crossing, np.maximum(base - (low + high) / 2, 0.0))
    return np.where(np.isnan(low) | np.isnan(high), np.nan, found)


def cooling(low: FloatArray, high: FloatArray, base: float) -> FloatArray:
    """Cooling degree days: what the mean of the extremes exceeds the base by.

    The mirror image of :func:`meteo`; ``costic(-high, -low, -base)`` is that of the other.

    Parameters
    ----------
    low, high : float64, shape (...)
        Lowest and highest temperature of each day, NaN where not measured. [Cel]
    base : float
        22 or 24 are usual. [Cel]

    Returns
    -------
    float64, shape (...)
        NaN where either is missing. [K.d]

    Examples
    --------
    >>> cooling(np.array([20.0, 15]), np.array([32.0, 25]), 22)
    array([4., 0.])
    """
    return meteo(-high, -low, -base)


def day_extremes(
    low: FloatArray, high: FloatArray, mean: FloatArray, day: NDArray[np.intp], days: int
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Lowest, highest and mean temperature of civil days, where 75 % of the hours are known.

    Days here begin at local midnight. Météo-France takes the lowest from 18 h UTC of the day
    before and the highest until 6 h UTC of the day after, so that single days may differ.

    Parameters
    ----------
    low, high, mean : float64, shape (n, h)
        Of hours, by time; NaN where an hour is not valid. [Cel]
    day : intp, shape (h,)
        Number of the day each hour lies in, ascending; every day has at least one hour.
    days : int

    Returns
    -------
    low, high, mean : float64, shape (n, days)
        NaN where too few hours are known. [Cel]
    known, due : int64, shape (n, days) and (days,)
        Hours known, and hours of the day: 23, 24 or 25.

    Examples
    --------
    >>> hours = np.array([[4.0, 6.0, np.nan, 9.0, np.nan, np.nan]])
    >>> day = np.array([0, 0, 0, 0, 1, 1])
    >>> low, high, mean, known, due = day_extremes(hours, hours, hours, day, 2)
    >>> low, high, known, due
    (array([[ 4., nan]]), array([[ 9., nan]]), array([[3, 0]]), array([4, 2]))
    """
    first = np.searchsorted(day, np.arange(days))
    due = np.bincount(day, minlength=days)
    there = ~(np.isnan(low) | np.isnan(high) | np.isnan(mean))
    if not low.size:
        nothing = np.full((len(low), days), np.nan)
        return nothing, nothing, nothing, np.zeros(nothing.shape, np.int64), due
    known = np.add.reduceat(there.astype(np.int64), first, axis=1)
    enough = known >= needed(due)
    lowest = np.minimum.reduceat(np.where(there, low, np.inf), first, axis=1)
    highest = np.maximum.reduceat(np.where(there, high, -np.inf), first, axis=1)
    total = np.add.reduceat(np.where(there, mean, 0.0), first, axis=1)
    return (
        np.where(enough, lowest, np.nan),
        np.where(enough, highest, np.nan),
        np.where(enough, total / np.maximum(known, 1), np.nan),
        known,
        due,
    )


def scaled_sum(
    value: FloatArray, first: NDArray[np.intp], due: ArrayLike
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Sums over runs of days; where days are missing, scaled to all of them.

    A plain sum would be low without saying so. Below 75 % of the days there is none.

    Parameters
    ----------
    value : float64, shape (n, d)
        Of days, NaN where not known.
    first : intp, shape (p,)
        Where each run begins; it ends where the next does.
    due : int, shape (p,)
        How many days each should have.

    Returns
    -------
    total : float64, shape (n, p)
    known : int64, shape (n, p)

    Examples
    --------
    >>> scaled_sum(np.array([[9.0, np.nan, 9, 6, np.nan, np.nan]]), np.array([0, 4]), [4, 2])
    (array([[32., nan]]), array([[3, 0]]))
    """
    there = ~np.isnan(value)
    known = np.add.reduceat(there.astype(np.int64), first, axis=1)
    total = np.add.reduceat(np.where(there, value, 0.0), first, axis=1)
    wanted = np.asarray(due)
    scaled = total * wanted / np.maximum(known, 1)
    return np.where((known >= needed(wanted)) & (known > 0), scaled, np.nan), known
