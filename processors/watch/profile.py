"""What is usual in each hour of the week, and how far from it an hour is.

Median and median absolute deviation (MAD) stand where mean and standard deviation would:
one broken day among eight does not move them.

References
----------
.. [1] Iglewicz, B., Hoaglin, D. C. (1993). How to detect and handle outliers. ASQC Basic
   References in Quality Control 16: the modified z score.
.. [2] Rousseeuw, P. J., Croux, C. (1993). Alternatives to the median absolute deviation.
   Journal of the American Statistical Association 88, 1273-1283: the factor 1.4826.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.watch.weeks import middle, stacked
from storage.reading import FloatArray
from storage.watched import HOURS_OF_WEEK

SCALE = 1.4826
"""Times this the MAD of normal values is their standard deviation."""

LEAST = 4
"""Values that an hour of the week needs to have a usual one."""

QUIETEST = 0.5
"""No hour is taken to scatter less than this share of the typical one."""

FLATTEST = 0.1
"""Nor less than this share of what the series scatters over the whole week."""


class Profile(NamedTuple):
    """What is usual: by hour of the week, shape (n, 168), and per series, shape (n,).

    ``known`` values are what median and MAD are made of.
    """

    median: FloatArray
    mad: FloatArray
    known: NDArray[np.int64]
    floor: FloatArray


def profile(value: FloatArray, hour: NDArray[np.intp], least: int = LEAST) -> Profile:
    """Median and MAD by hour of the week, of many series at once.

    A gap only makes the hours it covers rest on fewer values. In the night that has an hour
    twice both count for that hour; in the one that lacks an hour there is one value less.

    Parameters
    ----------
    value : float64, shape (n, w)
        Hourly values, NaN where there is none. [unit]
    hour : intp, shape (w,)
        Hour of the week of each window, -1 for windows that do not count.
    least : int
        Fewer values than this make no usual one.

    Returns
    -------
    Profile
        ``floor`` is the least scatter that any hour is taken to have, so that the first
        bicycle of a night without any is no sensation: half of what the typical hour scatters,
        and at least a tenth of what the series scatters over the week; NaN where nothing is
        known. All in the unit of the values.

    References
    ----------
    .. [1] Rousseeuw, P. J., Croux, C. (1993), as above.

    Examples
    --------
    >>> weeks = np.array([[10.0, 11.0, 12.0, 90.0, np.nan]])
    >>> found = profile(weeks, np.zeros(5, np.intp))
    >>> found.median[0, 0], found.mad[0, 0], found.known[0, 0]
    (np.float64(11.5), np.float64(1.0), np.int64(4))
    >>> profile(weeks[:, 1:], np.zeros(4, np.intp)).median[0, 0]
    np.float64(nan)
    """
    cells = stacked(value, hour, HOURS_OF_WEEK)
    known = (~np.isnan(cells)).sum(axis=-1)
    median = middle(cells)
    mad = middle(np.abs(cells - median[..., None]))
    few = known < least
    median[few] = mad[few] = np.nan
    counted = value[:, hour >= 0]
    whole = SCALE * middle(np.abs(counted - middle(counted)[:, None]))
    floor = np.fmax(QUIETEST * SCALE * middle(mad), FLATTEST * whole)
    return Profile(median, mad, known, floor)


def deviation(
    value: FloatArray, median: FloatArray, mad: FloatArray, floor: FloatArray
) -> FloatArray:
    """How far values are from the usual, in standard deviations: the robust z score.

    Parameters
    ----------
    value, median, mad, floor : float64, of shapes that broadcast
        ``floor`` is the least scatter taken. [unit]

    Returns
    -------
    float64
        NaN where nothing is known or nothing ever varies. [1]

    References
    ----------
    .. [1] Iglewicz, B., Hoaglin, D. C. (1993), as above.

    Examples
    --------
    >>> deviation(np.array([18.0]), np.array([11.5]), np.array([1.0]), np.array([0.5])).round(2)
    array([4.38])
    >>> deviation(np.array([1.0, 0.0]), np.zeros(2), np.zeros(2), np.zeros(2))
    array([nan, nan])
    """
    scatter = np.maximum(SCALE * mad, floor)
    return (value - median) / np.where(scatter > 0, scatter, np.nan)
