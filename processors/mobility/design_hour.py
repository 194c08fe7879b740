"""The hour a road is designed for: K, D and the directional design hour volume.

References
----------
.. [1] Federal Highway Administration, Traffic Monitoring Guide (2022), chapter 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.reading import FloatArray

DESIGN_RANK = 30
"""Roads are designed for the 30th highest hour of the year."""


def highest_hour(volume: FloatArray, rank: int = 1) -> tuple[FloatArray, NDArray[np.int64]]:
    """The hour that takes the given rank among all hours, from the highest.

    Parameters
    ----------
    volume : float64, shape (n, w)
        Volumes of hours, NaN where not whole. [count/h]
    rank : int
        1 is the highest.

    Returns
    -------
    volume : float64, shape (n,)
        NaN where fewer hours were counted. [count/h]
    column : int64, shape (n,)
        When: the first of the hours with that volume; -1 where there is none.

    Examples
    --------
    >>> highest_hour(np.array([[5.0, 9.0, np.nan, 9.0, 7.0]]), 3)
    (array([7.]), array([4]))
    """
    if volume.shape[1] < rank:
        return np.full(len(volume), np.nan), np.full(len(volume), -1)
    falling = np.where(np.isnan(volume), np.inf, -volume)
    found = -np.partition(falling, rank - 1, axis=1)[:, rank - 1]
    known = np.isfinite(found)
    column = np.argmax(volume == found[:, None], axis=1)
    return np.where(known, found, np.nan), np.where(known, column, -1)


def k_factor(volume: ArrayLike, aadt: ArrayLike) -> FloatArray:
    """Share of a day's traffic that passes in the design hour (K30: in the 30th highest).

    Parameters
    ----------
    volume : float64, shape (n,)
        [count/h]
    aadt : float64, shape (n,)
        [count/d]

    Returns
    -------
    float64, shape (n,)
        NaN where one is unknown or the AADT is 0. [1]

    Examples
    --------
    >>> k_factor([957.0], [2685.1113]).round(5)
    array([0.35641])
    """
    day = np.asarray(aadt, np.float64)
    factor: FloatArray = np.asarray(volume, np.float64) / np.where(day > 0, day, np.nan)
    return factor


def directional_share(volume: FloatArray, column: NDArray[np.int64]) -> FloatArray:
    """Share of the stronger direction in an hour: D, from 0.5 to 1 of two directions.

    Parameters
    ----------
    volume : float64, shape (n, d, w)
        Of n roads with d directions. [count/h]
    column : int64, shape (n,)
        The hour of each road; -1 for none.

    Returns
    -------
    float64, shape (n,)
        NaN where a direction is unknown or nobody passed. [1]

    Examples
    --------
    >>> directional_share(np.array([[[10.0, 60.0], [20.0, 40.0]]]), np.array([1]))
    array([0.6])
    """
    hour = np.take_along_axis(volume, np.maximum(column, 0)[:, None, None], axis=2)[:, :, 0]
    total = hour.sum(axis=1)
    known = (column >= 0) & (total > 0)
    share: FloatArray = np.where(known, hour.max(axis=1), np.nan) / np.where(known, total, 1.0)
    return share


def ddhv(aadt: ArrayLike, k: ArrayLike, d: ArrayLike) -> FloatArray:
    """Directional design hour volume: AADT by K by D.

    Parameters
    ----------
    aadt : float64
        [count/d]
    k, d : float64
        [1]

    Returns
    -------
    float64
        [count/h]

    Examples
    --------
    >>> float(ddhv(20_000, 0.10, 0.60))
    1200.0
    """
    volume: FloatArray = np.asarray(aadt, np.float64) * np.asarray(k) * np.asarray(d)
    return volume
