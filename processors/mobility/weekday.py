"""Weekday profiles: what an hour of a Monday, a Saturday, a holiday usually brings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.mobility.cells import cell_sums, mean_of
from storage.reading import FloatArray

HOURS = 24
WEEK_HOURS = 168


def day_profile(
    count: FloatArray, hour: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mean of each local hour over the chosen hours.

    Parameters
    ----------
    count : float64, shape (n, w)
        Counts of hours, NaN where not whole. [count/h]
    hour : int64, shape (w,)
        Hour on the local clock, 0 to 23. What the clock repeats counts twice, and what it
        skips not at all.
    chosen : bool, shape (w,)
        Hours of the days of one class.

    Returns
    -------
    mean : float64, shape (n, 24)
        NaN where the hour was never counted. [count/h]
    size : int64, shape (n, 24)
        Over how many.

    Examples
    --------
    >>> count = np.array([[10.0, 40.0, 20.0, np.nan]])
    >>> mean, size = day_profile(count, np.array([7, 8, 7, 8]), np.ones(4, bool))
    >>> mean[0, 7:9], size[0, 7:9]
    (array([15., 40.]), array([2, 1]))
    """
    total, size = cell_sums(count, np.where(chosen, hour, -1), HOURS)
    return mean_of(total, size), size


def week_profile(
    count: FloatArray, weekday: NDArray[np.int64], hour: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mean of each hour of the week, from Monday 00:00.

    Parameters and returned values as :func:`day_profile`, of shape (n, 168); ``weekday`` is
    0 on Mondays.

    Examples
    --------
    >>> mean, _ = week_profile(np.array([[10.0, 40.0]]), np.array([1, 1]), np.array([8, 8]))
    >>> mean[0, 32]
    np.float64(25.0)
    """
    total, size = cell_sums(count, weekday * HOURS + hour, WEEK_HOURS)
    return mean_of(total, size), size


def peak_hour(profile: FloatArray) -> FloatArray:
    """The hour of a profile with the most; the first of equals.

    Parameters
    ----------
    profile : float64, shape (n, 24)
        [count/h]

    Returns
    -------
    float64, shape (n,)
        Hour on the local clock, in which it begins; NaN where an hour is unknown or where
        nobody ever passed. [h]

    Examples
    --------
    >>> day = np.zeros((2, 24))
    >>> day[0, 17] = 9.0
    >>> peak_hour(day)
    array([17., nan])
    """
    highest = profile.max(axis=1)  # NaN where one of them is
    return np.where(highest > 0, np.argmax(np.nan_to_num(profile), axis=1), np.nan)
