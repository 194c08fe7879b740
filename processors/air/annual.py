"""Annual means and how much of a year they need.

References
----------
.. [1] Directive 2008/50/EC, annex XI B: 90 % of the hours of the year, losses by calibration
   and normal maintenance apart; annex VII A.2: ozone, 75 % of summer and 75 % of winter.
.. [2] Directive (EU) 2024/2881, annex V B: 85 %.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.capture import CAPTURE_PERCENT
from processors.air.limits import enough
from storage.reading import FloatArray

Counts = NDArray[np.int64]


def annual_mean(hour: FloatArray, due: int) -> tuple[FloatArray, FloatArray, Counts]:
    """Mean of a year's hours, and what it is at least.

    Parameters
    ----------
    hour : float64, shape (n, w)
        Hourly means, NaN where missing. [unit]
    due : int
        Hours of the whole year.

    Returns
    -------
    mean : float64, shape (n,)
        Of the hours measured, however few; NaN where none is. [unit]
    least : float64, shape (n,)
        Were all others 0; 0 where that is not positive. [unit]
    valid : int64, shape (n,)

    References
    ----------
    .. [1] Directive 2008/50/EC, annex XI B.

    Examples
    --------
    >>> annual_mean(np.array([[10.0, np.nan, 20.0, np.nan]]), 4)
    (array([15.]), array([7.5]), array([2]))
    """
    known = ~np.isnan(hour)
    valid = known.sum(axis=-1)
    total = np.where(known, hour, 0.0).sum(axis=-1)
    mean = np.where(valid > 0, total / np.maximum(valid, 1), np.nan)
    return mean, np.maximum(total, 0.0) / max(due, 1), valid


def seasons_measured(
    hour: FloatArray, month: NDArray[np.int64], past: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether summer and winter each have 75 % of their hours, as a year of ozone needs.

    Parameters
    ----------
    hour : float64, shape (n, w)
        Hourly means, NaN where missing. [unit]
    month : int64, shape (w,)
        Month of each hour, 0 is January; summer is April to September.
    past : bool, shape (w,)
        Hours that are due; a season of which none is asks for nothing.

    Returns
    -------
    bool, shape (n,)

    References
    ----------
    .. [1] Directive 2008/50/EC, annex VII A.2: annual mean.

    Examples
    --------
    >>> month = np.array([0, 0, 0, 0, 6, 6, 6, 6])
    >>> hour = np.array([[1.0, 1, 1, np.nan, 1, 1, 1, 1], [1, 1, 1, 1, np.nan, np.nan, 1, 1]])
    >>> seasons_measured(hour, month, np.ones(8, bool))
    array([ True, False])
    """
    known = ~np.isnan(hour)
    summer = (month >= 3) & (month < 9)
    held = np.ones(len(hour), np.bool_)
    for season in (summer & past, ~summer & past):
        due = int(season.sum())
        held &= enough(known[:, season].sum(axis=-1), due, CAPTURE_PERCENT) | (due == 0)
    return held
