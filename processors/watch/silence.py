"""Sensors that say nothing, and sensors that say the same thing over and over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.air.capture import needed
from storage.reading import FloatArray, IntArray, TimeArray

_SECOND = np.timedelta64(1, "s")


def allowed(step: IntArray, steps: float, minutes: float) -> FloatArray:
    """How long a series may say nothing: so many steps, and at least so many minutes. [s]

    NaN for a series that reports on change (step 0): nobody knows when it should speak.

    Examples
    --------
    >>> allowed(np.array([60, 3600, 0]), 4, 30)
    array([ 1800., 14400.,    nan])
    """
    return np.where(step > 0, np.maximum(steps * step, minutes * 60.0), np.nan)


def silent(
    last: TimeArray, limit: FloatArray, now: np.datetime64
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which series have been silent for too long, and which are heard again.

    Between half the limit and the limit neither is said, so that a sensor on the edge does
    not come and go.

    Parameters
    ----------
    last : datetime64[us], shape (n,)
        The newest reading; NaT where there never was one: nothing is said of those.
    limit : float64, shape (n,)
        How long each may say nothing, NaN where that is unknown. [s]
    now : datetime64

    Returns
    -------
    silent, heard : bool, shape (n,)

    Examples
    --------
    >>> last = np.array(["2026-03-01T10:00", "2026-03-01T11:50", "NaT"], "datetime64[us]")
    >>> silent(last, np.full(3, 3600.0), np.datetime64("2026-03-01T12:00"))
    (array([ True, False, False]), array([False,  True, False]))
    """
    with np.errstate(invalid="ignore"):
        age = (now - last) / _SECOND
        return age > limit, age <= limit / 2


class Flat(NamedTuple):
    """The run of one value at the end of each series, shape (n,).

    ``value`` is NaN where there is none; ``first`` the window it began in, -1 then;
    ``windows`` how many it spans, ``measured`` in how many of them something was measured.
    """

    value: FloatArray
    first: NDArray[np.int64]
    windows: NDArray[np.int64]
    measured: NDArray[np.int64]

    def lasts(self, limit: FloatArray) -> NDArray[np.bool_]:
        """Whether it spans so many windows at least, measured in 75 % of them."""
        with np.errstate(invalid="ignore"):
            long = self.windows >= limit
        return long & (self.measured >= needed(self.windows))


def flat(low: FloatArray, high: FloatArray) -> Flat:
    """How long the newest value has stood still.

    What was not measured neither ends the run nor makes it longer at its end.

    Parameters
    ----------
    low, high : float64, shape (n, w)
        Smallest and largest value of each window, NaN where nothing was measured. [unit]

    References
    ----------
    .. [1] U.S. Integrated Ocean Observing System (2020). Manual for real-time quality control
       (QARTOD): flat line test.

    Examples
    --------
    >>> low = np.array([[1.0, 7.0, np.nan, 7.0, np.nan]])
    >>> flat(low, low)
    Flat(value=array([7.]), first=array([1]), windows=array([3]), measured=array([2]))
    """
    rows, windows = low.shape
    if not windows:
        none = np.zeros(rows, np.int64)
        return Flat(np.full(rows, np.nan), none - 1, none, none)
    place = np.arange(windows)
    known = ~np.isnan(low)
    last = np.where(known, place, -1).max(axis=-1)
    value = np.take_along_axis(high, np.maximum(last, 0)[:, None], axis=-1)[:, 0]
    broken = known & ((low != value[:, None]) | (high != value[:, None]))
    end = np.where(broken, place, -1).max(axis=-1)
    inside = known & (place > end[:, None])
    measured = inside.sum(axis=-1)
    stands = measured > 0
    first = np.where(stands, inside.argmax(axis=-1), -1)
    spanned = np.where(stands, last - first + 1, 0)
    return Flat(np.where(stands, value, np.nan), first, spanned, measured)
