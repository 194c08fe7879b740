"""Admissible or refused: the checks a value must pass to be stored. Pure, vectorised.

Admissible is what can be true at all: finite, inside the metric's physical range, from a
clock that is right to within reason. What is merely implausible is stored and flagged later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import Flag, FlagArray, FloatArray, Reason

CHECKS: tuple[Reason, ...] = (
    Reason.BAD_VALUE,
    Reason.OUT_OF_RANGE,
    Reason.TOO_OLD,
    Reason.IN_FUTURE,
)
"""What :func:`check` may find; it answers with 1 + the position here, 0 for admissible."""


def check(
    time_us: NDArray[np.int64],
    value: FloatArray,
    flag: FlagArray,
    low: FloatArray,
    high: FloatArray,
    oldest_us: int,
    newest_us: NDArray[np.int64],
) -> NDArray[np.int8]:
    """Find the first reason against each reading.

    Parameters
    ----------
    time_us, newest_us : int64, shape (n,)
        Time of the reading, and the latest time believable at its reception. [µs]
    value, low, high : float64, shape (n,)
        Canonical value and its metric's range. [unit]
    flag : int16, shape (n,)
        A NaN is admissible only where the source says ``MISSING``.
    oldest_us : int
        Nothing before this is believed. [µs]

    Returns
    -------
    int8, shape (n,)
        0 where admissible, else 1 + index into :data:`CHECKS`.

    Examples
    --------
    >>> now = np.array([1_000, 1_000]); day = np.array([500, 2_000])
    >>> ones = np.ones(2)
    >>> check(day, ones, np.array([2, 2], np.int16), 0 * ones, 9 * ones, 0, now).tolist()
    [0, 4]
    """
    found = np.zeros(len(value), np.int8)
    missing = flag == Flag.MISSING
    found[time_us > newest_us] = 4
    found[time_us < oldest_us] = 3
    # Written so that a NaN is never outside.
    found[((value < low) | (value > high)) & ~missing] = 2
    found[~np.isfinite(value) & ~missing] = 1
    return found
