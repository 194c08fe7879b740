"""Means that move on from hour to hour, and the highest of a day.

References
----------
.. [1] Directive 2008/50/EC, annex VII A.2, annex XI B, and notes to both: the maximum daily
   8-hour mean is selected from running 8-hour means, each assigned to the day on which it
   ends; 6 of 8 hours make a mean, 18 of 24 running means a maximum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.capture import needed
from storage.reading import FloatArray


def running_mean(value: FloatArray, length: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mean over each hour and those before it, where at least 75 % of them are measured.

    Parameters
    ----------
    value : float64, shape (..., w)
        Hourly means, oldest first, NaN where one is missing or not valid. [unit]
    length : int
        How many hours each mean covers, its own the last.

    Returns
    -------
    mean : float64, shape (..., w)
        NaN where too few are measured; what lies before the first column is missing. [unit]
    valid : int64, shape (..., w)
        How many were.

    References
    ----------
    .. [1] Directive 2008/50/EC, annex VII A.2.

    Examples
    --------
    >>> hours = np.array([30, np.nan, 34, 28, np.nan, 31, 29, 33])
    >>> mean, valid = running_mean(hours, 8)
    >>> mean[-1].round(4), valid[-1]
    (np.float64(30.8333), np.int64(6))
    >>> hours[2] = np.nan
    >>> running_mean(hours, 8)[0][-1]
    np.float64(nan)
    """
    known = ~np.isnan(value)
    known_value = np.where(known, value, 0.0)
    total = np.zeros(value.shape)
    valid = np.zeros(value.shape, np.int64)
    width = value.shape[-1]
    # Added anew for each mean: a cumulated sum would carry its rounding from hour to hour.
    for back in range(min(length, width)):
        total[..., back:] += known_value[..., : width - back]
        valid[..., back:] += known[..., : width - back]
    mean = np.where(valid >= needed(length), total / np.maximum(valid, 1), np.nan)
    return mean, valid


def daily_maximum(
    value: FloatArray, due: int | NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.intp], FloatArray]:
    """Highest value of each day, where at least 75 % of its values are there.

    Parameters
    ----------
    value : float64, shape (..., k)
        Hourly or running means that belong to one day, NaN where there is none. [unit]
    due : int or int64 that broadcasts to (...)
        How many there should be; k, unless days are filled up to the longest.

    Returns
    -------
    maximum : float64, shape (...)
        NaN where too few are there. [unit]
    valid : int64, shape (...)
        How many are there.
    position : intp, shape (...)
        Where the maximum stands first along the last axis; 0 where nothing is there.
    least : float64, shape (...)
        Highest of what is there, however little: the maximum is this or more. [unit]

    References
    ----------
    .. [1] Directive 2008/50/EC, annex VII A.2.

    Examples
    --------
    >>> daily_maximum(np.array([10.0, 12.0, np.nan, 12.0]), 4)
    (np.float64(12.0), np.int64(3), np.int64(1), np.float64(12.0))
    >>> daily_maximum(np.array([10.0, 12.0, np.nan, np.nan]), 4)
    (np.float64(nan), np.int64(2), np.int64(1), np.float64(12.0))
    """
    known = ~np.isnan(value)
    valid = known.sum(axis=-1)
    low = np.where(known, value, -np.inf)
    position = low.argmax(axis=-1)
    least = np.where(valid > 0, low.max(axis=-1), np.nan)
    return np.where(valid >= needed(due), least, np.nan)[()], valid, position, least[()]
