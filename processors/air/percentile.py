"""Percentiles as air quality law means them: a value that was measured, found by its rank.

References
----------
.. [1] Council Decision 97/101/EC on exchange of information: of N values in
   ascending order the one at k = q·N, rounded to the nearest whole number; nothing is
   interpolated. National law points there for percentiles, among others the British Air
   Quality Standards Regulations 2007, schedule 12.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.reading import FloatArray


def rank(size: ArrayLike, percentile: int) -> NDArray[np.int64]:
    """Which of so many values in ascending order is the percentile, from 1; 0 of none.

    Counted in whole numbers, halves upwards.

    Parameters
    ----------
    size : int or int64, any shape
        How many values there are.
    percentile : int
        [0.01 %]

    Returns
    -------
    int64, same shape

    References
    ----------
    .. [1] Council Decision 97/101/EC.

    Examples
    --------
    Of 365 days the 90.4 percentile is the 36th highest: 35 may be above it.

    >>> 365 - rank(365, 9040) + 1
    np.int64(36)
    """
    whole = np.asarray(size, np.int64)
    place = (whole * percentile + 5_000) // 10_000
    return np.clip(place, np.minimum(whole, 1), whole)[()]


def rank_percentile(
    value: FloatArray, percentiles: tuple[int, ...]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Percentiles of what is measured along the last axis.

    Exact, from the values themselves; sketches would be off by up to a percent of the value.

    Parameters
    ----------
    value : float64, shape (n, k)
        Means of hours or days, or daily maxima; NaN where missing. [unit]
    percentiles : ints
        [0.01 %]

    Returns
    -------
    percentile : float64, shape (p, n)
        NaN where nothing is measured. [unit]
    valid : int64, shape (n,)
        How many values are measured.

    References
    ----------
    .. [1] Council Decision 97/101/EC.

    Examples
    --------
    >>> days = np.r_[np.arange(1.0, 366.0), np.nan]
    >>> rank_percentile(days[None], (9040, 9510))
    (array([[330.],
           [347.]]), array([365]))
    """
    valid = (~np.isnan(value)).sum(axis=-1)
    if not value.shape[-1]:
        return np.full((len(percentiles), len(value)), np.nan), valid
    ordered = np.sort(value, axis=-1)  # what is missing comes last
    row = np.arange(len(value))
    # Of nothing the first place is asked, where NaN stands.
    place = np.stack([np.maximum(rank(valid, one) - 1, 0) for one in percentiles])
    return ordered[row, place], valid
