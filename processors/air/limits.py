"""Measured years against a limit: exceedances, and what they prove with data missing.

References
----------
.. [1] Directive 2008/50/EC, annexes I, VII and XI.
.. [2] Directive (EU) 2024/2881, annex V: 85 % of the data; B to D: what is conclusive with
   less counts all the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.air.rounding import half_up
from storage.indicators.limits import Verdict
from storage.reading import FloatArray

CAPTURE_PERCENT = 85
"""Least share of a year's data: 2024/2881 says so; 2008/50 says 90 %, of which calibration and
maintenance may take 5 (Commission guidance on Decision 2011/850/EU)."""

Counts = NDArray[np.int64]


def exceedances(value: FloatArray, limit: float, digits: int = 0) -> NDArray[np.bool_]:
    """Which values are above a limit, as the law counts them.

    A value is rounded, halves upwards, to as many digits as the limit is written with; an
    exceedance is strictly greater. What is missing exceeds nothing.

    Parameters
    ----------
    value : float64, any shape
        Means of hours or days, or daily maxima; NaN where missing. [unit]
    limit : float
        [the same unit]
    digits : int
        Decimals the limit is written with.

    Returns
    -------
    bool, same shape

    References
    ----------
    .. [1] European Commission, guidance on Decision 2011/850/EU, 2013, p. 10: rounding.
    .. [2] European Environment Agency, Europe's air quality, 1992: "greater than".

    Examples
    --------
    >>> exceedances(np.array([50.4, 50.5, 50.0, np.nan]), 50)
    array([False,  True, False, False])
    """
    scale = 10.0**digits
    return half_up(value * scale) > half_up(np.asarray(limit * scale))


def enough(valid: ArrayLike, due: ArrayLike, percent: int = CAPTURE_PERCENT) -> NDArray[np.bool_]:
    """Whether so many of so many parts are the share that is asked, in whole numbers.

    Examples
    --------
    >>> enough([310, 311, 0], [365, 365, 0])
    array([False,  True, False])
    """
    valid, due = np.asarray(valid, np.int64), np.asarray(due, np.int64)
    return (100 * valid >= percent * due) & (due > 0)


def count_verdict(
    count: Counts,
    valid: Counts,
    due: ArrayLike,
    allowed: int,
    captured: NDArray[np.bool_],
    *,
    still_open: bool,
) -> Counts:
    """What so many exceedances among so many valid parts say of a limit.

    A count only grows, so more than is allowed is exceeded for certain, whatever is missing
    or to come. It is respected where even the missing parts, all of them too high, would not
    change that. In between an exceedance is possible where the share of what was measured
    is over the allowed share of the year, which is what the directive's percentiles tell of
    incomplete years; else the rule of completeness decides.

    Parameters
    ----------
    count, valid : int64, shape (n,)
        Exceedances, and valid parts.
    due : int or int64, shape (n,)
        Parts that are past: of a closed year, all of them.
    allowed : int
        Exceedances that are allowed.
    captured : bool, shape (n,)
        Whether the rule of completeness is met.
    still_open : bool
        Whether the year goes on.

    Returns
    -------
    int64, shape (n,)
        As :class:`storage.indicators.limits.Verdict`.

    References
    ----------
    .. [1] Directive 2008/50/EC, annex I A, note on PM10: with incomplete data the 90.4
       percentile says more than the count.
    .. [2] Directive (EU) 2024/2881, annex V B and D.

    Examples
    --------
    >>> of, yes = np.array([365, 340, 340, 200, 200, 40]), np.array([True] * 3 + [False] * 3)
    >>> over = np.array([35, 12, 34, 10, 30, 36])
    >>> count_verdict(over, of, 365, 35, yes, still_open=False)
    array([1, 2, 3, 0, 3, 4])
    """
    missing = np.asarray(due, np.int64) - valid
    too_often = count * np.asarray(due, np.int64) > allowed * valid
    closed = np.select(
        [count + missing <= allowed, too_often, captured],
        [Verdict.RESPECTED, Verdict.POSSIBLE, Verdict.AS_MEASURED],
        Verdict.NOT_ENOUGH,
    )
    answer: Counts = np.where(
        count > allowed, Verdict.CERTAIN, Verdict.SO_FAR if still_open else closed
    ).astype(np.int64)
    return answer


def mean_verdict(
    mean: FloatArray,
    least: FloatArray,
    limit: float,
    captured: NDArray[np.bool_],
    *,
    still_open: bool,
    digits: int = 0,
) -> Counts:
    """What a mean over a year says of a limit.

    Parameters
    ----------
    mean : float64, shape (n,)
        Of what was measured; NaN where nothing was. [unit]
    least : float64, shape (n,)
        What the mean of the whole year is at least, were everything missing or to come 0. [unit]
    limit : float
        [unit]
    captured : bool, shape (n,)
        Whether the rule of completeness is met.
    still_open : bool
        Whether the year goes on.
    digits : int
        Decimals the limit is written with.

    Returns
    -------
    int64, shape (n,)
        As :class:`storage.indicators.limits.Verdict`. A mean needs no more than the rule of
        completeness, so that it is never only "as measured".

    References
    ----------
    .. [1] Directive 2008/50/EC, annex XI A and B.

    Examples
    --------
    >>> yes = np.array([True, True, False, False])
    >>> mean, least = np.array([40.4, 40.5, 60.0, 90.0]), np.array([39.0, 39.5, 30.0, 45.0])
    >>> mean_verdict(mean, least, 40, yes, still_open=False)
    array([1, 4, 3, 4])
    >>> mean_verdict(mean, least, 40, yes, still_open=True)
    array([5, 3, 3, 4])
    """
    over = exceedances(mean, limit, digits)
    proven = exceedances(least, limit, digits) | (over & captured & (not still_open))
    within = Verdict.SO_FAR if still_open else Verdict.RESPECTED
    below = np.where(captured | still_open, within, Verdict.NOT_ENOUGH)
    answer: Counts = np.select(
        [proven, np.isnan(mean), over], [Verdict.CERTAIN, Verdict.NOT_ENOUGH, Verdict.POSSIBLE],
        below,
    ).astype(np.int64)  # fmt: skip
    return answer


def unproven(verdict: Counts) -> Counts:
    """The same of an instrument that is only indicative: nothing is certain.

    Examples
    --------
    >>> unproven(np.array([0, 1, 2, 3, 4, 5]))
    array([0, 2, 2, 3, 3, 5])
    """
    weaker = np.arange(len(Verdict))
    weaker[Verdict.CERTAIN] = Verdict.POSSIBLE
    weaker[Verdict.RESPECTED] = Verdict.AS_MEASURED
    return weaker[verdict]
