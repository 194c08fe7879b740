"""Slow drift: a trend in what lies between a series and its neighbours.

References
----------
.. [1] Sen, P. K. (1968). Estimates of the regression coefficient based on Kendall's tau.
   Journal of the American Statistical Association 63, 1379-1389.
.. [2] Gilbert, R. O. (1987). Statistical methods for environmental pollution monitoring.
   Van Nostrand Reinhold, section 16.5: interval of Sen's slope.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.watch.profile import SCALE
from processors.watch.weeks import middle
from storage.reading import FloatArray

LEAST_DAYS = 14
"""A slope of less than half the four weeks looked at says little."""

SURE = 3.29
"""Normal quantile of an interval of 99.9 %."""


class Trend(NamedTuple):
    """Of every series, shape (n,); NaN where too little is known.

    ``slope`` per window with its interval ``low`` to ``high``, ``change`` over all windows,
    ``noise``: what is left around the line, as a standard deviation; ``known`` windows.
    """

    slope: FloatArray
    low: FloatArray
    high: FloatArray
    change: FloatArray
    noise: FloatArray
    known: NDArray[np.int64]


def trend(value: FloatArray, least: int = LEAST_DAYS) -> Trend:
    """The median of the slopes between all pairs of windows (Theil and Sen), of many series.

    Up to 29 % of the windows may be wrong by any amount, and gaps do no harm: each pair is
    divided by its own distance in time.

    Parameters
    ----------
    value : float64, shape (n, w)
        A value per day, NaN where there is none. [unit]
    least : int
        Fewer known values than this make no trend.

    Returns
    -------
    Trend
        The interval is of 99.9 %. Where days resemble the one before, what they say together
        is less: the variance is widened by (1 + r) / (1 - r), r the correlation of what is left
        around the line with that of the day before, if above 0.

    References
    ----------
    .. [1] Sen (1968); Gilbert (1987), as above.
    .. [2] Bayley, G. V., Hammersley, J. M. (1946). The effective number of independent
       observations in an autocorrelated time series. Supplement to the Journal of the Royal
       Statistical Society 8, 184-197.

    Examples
    --------
    >>> line = 2.0 + 0.5 * np.arange(20.0)
    >>> line[7] = 900.0
    >>> found = trend(line[None, :])
    >>> found.slope[0], found.change[0], found.known[0]
    (np.float64(0.5), np.float64(9.5), np.int64(20))
    """
    windows = value.shape[-1]
    known = (~np.isnan(value)).sum(axis=-1)
    first, second = np.triu_indices(windows, 1)
    slopes = np.sort((value[:, second] - value[:, first]) / (second - first), axis=-1)
    slope = middle(slopes)
    rest = value - slope[:, None] * np.arange(windows)
    rest -= middle(rest)[:, None]
    noise = SCALE * middle(np.abs(rest))
    pairs = known * (known - 1) / 2
    variance = known * (known - 1) * (2 * known + 5) / 18 * _widened(rest)
    reach = SURE * np.sqrt(variance)
    at = np.stack((np.floor((pairs - reach) / 2) - 1, np.ceil((pairs + reach) / 2)), axis=-1)
    inside = (at[:, 0] >= 0) & (at[:, 1] < pairs)
    place = np.clip(at, 0, np.maximum(pairs - 1, 0)[:, None]).astype(np.intp)
    low, high = np.take_along_axis(slopes, place, axis=-1).T
    low = np.where(inside, low, -np.inf)
    high = np.where(inside, high, np.inf)
    enough = known >= max(least, 2)
    few = ~enough
    change = slope * (windows - 1)
    for column in (slope, low, high, change, noise):
        column[few] = np.nan
    return Trend(slope, low, high, change, noise, known)


def _widened(rest: FloatArray) -> FloatArray:
    """How much the variance grows because neighbouring days resemble one another."""
    # Signs, not values: one day that is far off must not decide.
    sign = np.sign(rest)
    both = sign[:, 1:] * sign[:, :-1]
    joined = ~np.isnan(both)
    agreed = np.where(joined, both, 0.0).sum(axis=-1) / np.maximum(joined.sum(axis=-1), 1)
    # Of normal values the correlation of signs is 2/pi times the arc sine of their own.
    alike = np.clip(np.sin(np.pi / 2 * agreed), 0.0, 0.9)
    wide: FloatArray = (1 + alike) / (1 - alike)
    return wide
