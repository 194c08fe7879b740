"""Consumption of periods from what registers counted in windows.

Energy and volumes are extensive: the parts of a period add up to it, and an interval that
crosses its edge is split in proportion to time. Nothing is filled forward, and no register
reading is ever averaged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows
from storage.indicators.word import Status
from storage.reading import FloatArray

INTERPOLATED, NOT_COVERED = 1, 2
"""Bits of the code: some was spread over a gap; some time is not known at all."""

MINUTE_S = 60


class Consumption(NamedTuple):
    """What flowed in periods, and how well that is known; each of shape (n, p).

    ``value`` is NaN where nothing is known, ``low`` what flowed at least where some of it
    was interpolated, else NaN [kWh or m3]; ``minutes`` of which it is known.
    """

    value: FloatArray
    low: FloatArray
    minutes: NDArray[np.int64]
    status: NDArray[np.int64]
    code: NDArray[np.int64]


def total(value: FloatArray, first: Rows) -> FloatArray:
    """Sums over periods of what is known, NaN where nothing is.

    Parameters
    ----------
    value : float64, shape (n, w)
        [unit]
    first : intp, shape (p,)
        First window of each period; the last period ends with the windows.

    Returns
    -------
    float64, shape (n, p)

    Examples
    --------
    >>> total(np.array([[1.0, 2.0, np.nan, np.nan]]), np.array([0, 1, 2]))
    array([[ 1.,  2., nan]])
    """
    known = ~np.isnan(value)
    summed = np.add.reduceat(np.where(known, value, 0.0), first, axis=1)
    return np.where(np.logical_or.reduceat(known, first, axis=1), summed, np.nan)


def consumption(
    amount: FloatArray,
    interpolated: FloatArray,
    known: FloatArray,
    seconds: FloatArray,
    first: Rows,
) -> Consumption:
    """Consumption of periods with what is not certain about it.

    Complete is what was counted all the time without a gap. Where a gap was bridged, the
    sum over the gap is right and its split is not: the value is partial, and at least
    ``low`` flowed. Where some time is not known at all, the value is what was counted.

    Parameters
    ----------
    amount, interpolated : float64, shape (n, w)
        What flowed in each window, NaN if not known, and what of it was interpolated.
        [kWh or m3]
    known : float64, shape (n, w)
        Time of which it is known. [s]
    seconds : float64, shape (w,)
        How long the windows are. [s]
    first : intp, shape (p,)
        First window of each period.

    References
    ----------
    .. [1] TimescaleDB Toolkit, docs/counter_agg.md: increases of registers.

    Examples
    --------
    Registers read 1000 at 00:10 and 1012 at 03:10, four hours of one period:

    >>> amount = np.array([[10 / 3, 4.0, 4.0, 2 / 3]])
    >>> hour = np.full(4, 3600.0)
    >>> known = np.array([[3000.0, 3600.0, 3600.0, 600.0]])
    >>> found = consumption(amount, amount, known, hour, np.array([0]))
    >>> found.value.round(9), found.low, found.minutes, found.code
    (array([[12.]]), array([[0.]]), array([[180]]), array([[3]]))
    """
    value = total(amount, first)
    guessed = np.add.reduceat(interpolated, first, axis=1)
    covered = np.add.reduceat(known, first, axis=1)
    whole = np.add.reduceat(seconds, first)
    # Seconds are sums of microseconds over windows: half a second is rounding, not a gap.
    short = covered < whole - 0.5
    gap = np.add.reduceat((interpolated != 0.0).astype(np.int64), first, axis=1) > 0
    low = np.where(gap, np.minimum(value, value - guessed), np.nan)
    return Consumption(
        value,
        np.where(np.abs(low) < 1e-9 * np.abs(value), 0.0, low),
        np.round(covered / MINUTE_S).astype(np.int64),
        np.where(gap | short, Status.PARTIAL, Status.COMPLETE).astype(np.int64),
        gap * INTERPOLATED + short * NOT_COVERED,
    )
