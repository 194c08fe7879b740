"""Target values of ozone: yearly numbers averaged over several years.

References
----------
.. [1] Directive 2008/50/EC, annex VII B, note 3: where the years are not full and
   consecutive, one valid year is enough for health, three for vegetation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.air.limits import mean_verdict
from storage.figures import Figures
from storage.indicators.limits import Verdict
from storage.indicators.word import Status
from storage.reading import FloatArray, IntArray

Counts = NDArray[np.int64]


def mean_of_years(
    value: FloatArray, years: int, fewest: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mean of each year and those before it, of as many as are valid.

    Parameters
    ----------
    value : float64, shape (n, y)
        One for each year, oldest first; NaN where a year is not valid. [unit]
    years : int
        How many are averaged.
    fewest : int
        How many must be valid.

    Returns
    -------
    mean : float64, shape (n, y - years + 1)
        Of the last of each span of years; NaN where too few are valid. [unit]
    valid : int64, same shape
        How many are.

    References
    ----------
    .. [1] Directive 2008/50/EC, annex VII B, note 3.

    Examples
    --------
    >>> mean, valid = mean_of_years(np.array([[20.0, 31.0, 22.0]]), 3, 1)
    >>> mean.round(2), valid
    (array([[24.33]]), array([[3]]))
    """
    spans = np.lib.stride_tricks.sliding_window_view(value, years, axis=-1)
    known = ~np.isnan(spans)
    valid = known.sum(axis=-1)
    total = np.where(known, spans, 0.0).sum(axis=-1)
    return np.where(valid >= fewest, total / np.maximum(valid, 1), np.nan), valid


@dataclass(frozen=True, slots=True)
class MultiYear:
    """Means over several years of n series, for p last years; each of shape (n, p).

    ``least`` is what the mean is at least, were all that is missing 0; ``known`` says whether
    anything at all is measured in the last year.
    """

    mean: FloatArray
    least: FloatArray
    valid: Counts
    verdict: Counts
    known: NDArray[np.bool_]


def multi_year(
    yearly: Figures,
    series: IntArray,
    last: NDArray[np.int64],
    years: int,
    fewest: int,
    limit: float,
    offset_h: int,
    still_open: NDArray[np.bool_],
) -> MultiYear:
    """Means of yearly figures, and what they say of a limit.

    Parameters
    ----------
    yearly : Figures
        Of one indicator; only complete ones make a valid year, and what others have measured
        still counts towards what the mean is at least.
    series : int32, shape (n,)
        Ascending.
    last : int64, shape (p,)
        Consecutive calendar years.
    years, fewest : int
        As for :func:`mean_of_years`.
    limit : float
        Compared with the mean, rounded to whole numbers. [unit]
    offset_h : int
        Of the regulator's years. [h]
    still_open : bool, shape (p,)
    """
    mine = yearly.take(np.isin(yearly.subject, series))
    begin = (mine.start + np.timedelta64(offset_h, "h")).astype("datetime64[Y]").astype(np.int64)
    column = begin + 1970 - (int(last[0]) - years + 1)
    width = len(last) + years - 1
    inside = (column >= 0) & (column < width)
    place = (np.searchsorted(series, mine.subject)[inside], column[inside])
    value, measured = (np.full((len(series), width), np.nan) for _ in range(2))
    complete = mine.status == Status.COMPLETE
    value[place] = np.where(complete, mine.value, np.nan)[inside]
    measured[place] = np.where(np.isnan(mine.low), mine.value, mine.low)[inside]
    mean, valid = mean_of_years(value, years, fewest)
    some, _ = mean_of_years(np.where(np.isnan(measured), 0.0, measured), years, 0)
    closed, so_far = (
        mean_verdict(mean, some, limit, valid == years, still_open=flag) for flag in (False, True)
    )
    # Fewer years are enough to compare, and not to be sure.
    fewer = (closed == Verdict.NOT_ENOUGH) & ~np.isnan(mean)
    verdict = np.where(still_open, so_far, np.where(fewer, Verdict.AS_MEASURED, closed))
    return MultiYear(mean, some, valid, verdict, ~np.isnan(measured[:, years - 1 :]))
