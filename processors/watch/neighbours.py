"""What others nearby measure, day by day.

References
----------
.. [1] Miskell, G. et al. (2016). Data verification tools for minimizing management costs of
   dense air-quality monitoring networks. Environmental Science & Technology 50, 835-846: a
   network's own instruments as the reference of one another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.runs import starts
from processors.watch.weeks import middle, stacked
from storage.reading import FloatArray

LEAST_HOURS = 18
"""Hours that a day's median needs: 75 % of 24."""

LEAST_NEIGHBOURS = 3
"""With two, one of which drifts, nobody knows which."""


def day_medians(
    value: FloatArray, day: NDArray[np.intp], days: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Median of the hours of each day, and of how many it is.

    The median of hours, for a mean would follow one hour of a bonfire under the inlet.

    Parameters
    ----------
    value : float64, shape (n, w)
        Hourly values, NaN where there is none. [unit]
    day : intp, shape (w,)
        The day of each hour, -1 for none; days have 23, 24 or 25 hours.
    days : int

    Returns
    -------
    median : float64, shape (n, days)
        NaN where less than 18 hours are known. [unit]
    hours : int64, shape (n, days)

    Examples
    --------
    >>> value = np.r_[np.arange(18.0), np.full(5, np.nan)][None, :]
    >>> day_medians(value, np.zeros(23, np.intp), 1)
    (array([[8.5]]), array([[18]]))
    >>> day_medians(value[:, 1:], np.zeros(22, np.intp), 1)[0]
    array([[nan]])
    """
    cells = stacked(value, day, days)
    hours = (~np.isnan(cells)).sum(axis=-1)
    median = middle(cells)
    median[hours < LEAST_HOURS] = np.nan
    return median, hours


def neighbours(
    value: FloatArray, group: NDArray[np.integer], least: int = LEAST_NEIGHBOURS
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Median of all the others of a group, of every series in every window.

    Nobody is compared with itself: with few neighbours, a drifting one would pull along what
    it is compared with.

    Parameters
    ----------
    value : float64, shape (n, w)
        NaN where there is none. [unit]
    group : int, shape (n,)
        Series of one number are neighbours.
    least : int
        Fewer others than this are no reference.

    Returns
    -------
    median : float64, shape (n, w)
        Also where the series itself is NaN; NaN with too few others. [unit]
    others : int64, shape (n, w)
        How many of the others are known.

    Examples
    --------
    >>> day = np.array([[10.0], [12.0], [11.0], [40.0], [7.0]])
    >>> neighbours(day, np.array([1, 1, 1, 1, 2]))[0].ravel()
    array([12., 11., 12., 11., nan])
    """
    rows, windows = value.shape
    if not rows:
        return np.empty(value.shape), np.zeros(value.shape, np.int64)
    many = np.broadcast_to(group[:, None], value.shape)
    order = np.lexsort((value, many), axis=0)  # by group, then by value with NaN last
    ordered = np.take_along_axis(value, order, axis=0)
    of = group[np.argsort(group, kind="stable")]
    first = starts(of)
    begin = np.repeat(first, np.diff(first, append=rows))  # where each sorted row's group begins
    known = ~np.isnan(ordered)
    size = np.add.reduceat(known.astype(np.int64), first, axis=0)
    size = np.repeat(size, np.diff(first, append=rows), axis=0)
    rank = np.arange(rows)[:, None] - begin[:, None]
    others = size - known

    def at(place: NDArray[np.int64]) -> FloatArray:
        """The value at a place among the others: one's own place is passed over."""
        place = place + (known & (place >= rank))
        return np.take_along_axis(
            ordered, np.minimum(begin[:, None] + place, rows - 1).astype(np.intp), axis=0
        )

    low, high = at(np.maximum(others - 1, 0) // 2), at(others // 2)
    found = np.where(others >= max(least, 1), low + (high - low) / 2, np.nan)
    median, count = np.empty((rows, windows)), np.empty((rows, windows), np.int64)
    np.put_along_axis(median, order, found, axis=0)
    np.put_along_axis(count, order, others, axis=0)
    return median, count
