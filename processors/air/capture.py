"""The 75 % rules: how much must be measured before a mean may be called one.

References
----------
.. [1] Directive 2008/50/EC, annex VII A.2 and annex XI B: criteria for the aggregation of
   data and the calculation of statistical parameters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.reading import FloatArray

CAPTURE_PERCENT = 75


def needed(parts: ArrayLike) -> NDArray[np.int64]:
    """How many of so many parts make a valid whole: 75 %, rounded up, counted in integers.

    Examples
    --------
    >>> needed([4, 8, 23, 24, 25, 60])
    array([ 3,  6, 18, 18, 19, 45])
    """
    return -(-np.asarray(parts, np.int64) * CAPTURE_PERCENT // 100)


def captured_mean(
    value: FloatArray, parts: int | NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mean over the last axis of what is measured, where at least 75 % is.

    Parameters
    ----------
    value : float64, shape (..., k)
        Means of the parts, NaN where one is missing or not valid. [unit]
    parts : int or int64 that broadcasts to (...)
        How many there should be.

    Returns
    -------
    mean : float64, shape (...)
        NaN where too few are measured. [unit]
    valid : int64, shape (...)
        How many were.

    References
    ----------
    .. [1] Directive 2008/50/EC, annex XI B.

    Examples
    --------
    >>> captured_mean(np.array([10.0, 12.0, np.nan, 14.0]), 4)
    (np.float64(12.0), np.int64(3))
    >>> captured_mean(np.array([10.0, np.nan, np.nan, 14.0]), 4)[0]
    np.float64(nan)
    """
    known = ~np.isnan(value)
    valid = known.sum(axis=-1)
    total = np.where(known, value, 0.0).sum(axis=-1)
    enough = valid >= needed(parts)
    return np.where(enough, total / np.maximum(valid, 1), np.nan)[()], valid
