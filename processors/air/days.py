"""Hours put together by the days they belong to, be those 23, 24 or 25 hours long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray, TimeArray

STRIDE = 8


def by_day(
    value: FloatArray, hours: TimeArray, days: TimeArray
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.intp]]:
    """Hourly values as days: one more axis, filled up with NaN.

    An hour belongs to the day in which it begins; hours outside of all days are left out.
    Days are filled up to a multiple of eight hours, the stride in which sums are added up, and
    lie in one piece, so that a day's sum is the same to the last digit whatever days are beside.

    Parameters
    ----------
    value : float64, shape (n, w)
        [unit]
    hours : datetime64[us], shape (w + 1,)
        Edges of the hours, without holes.
    days : datetime64[us], shape (d + 1,)
        Edges of the days, all covered by the hours.

    Returns
    -------
    table : float64, shape (n, d, k)
        [unit]
    due : int64, shape (d,)
        Hours of each day.
    first : intp, shape (d,)
        Where the hours of each day begin along the last axis of ``value``.

    Examples
    --------
    >>> hours = np.arange("2026-03-28T23", "2026-03-30T22", dtype="datetime64[h]")
    >>> hours = hours.astype("datetime64[us]")
    >>> days = np.array(["2026-03-28T23", "2026-03-29T22", "2026-03-30T21"], "datetime64[us]")
    >>> table, due, first = by_day(np.arange(46.0)[None], hours, days)
    >>> table.shape, due.tolist(), first.tolist()
    ((1, 2, 24), [23, 23], [0, 23])
    """
    edge = np.searchsorted(hours[:-1], days)
    first, due = edge[:-1], np.diff(edge).astype(np.int64)
    longest = -(-int(due.max(initial=0)) // STRIDE) * STRIDE
    column = first[:, None] + np.arange(longest)
    table = np.ascontiguousarray(value[:, np.minimum(column, max(value.shape[1] - 1, 0))])
    if (due < longest).any():
        table[:, np.arange(longest) >= due[:, None]] = np.nan
    return table, due, first
