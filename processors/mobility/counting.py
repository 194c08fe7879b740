"""Daily totals of counters: which are whole, which are suspect, do both ways agree.

References
----------
.. [1] Schéma "comptage des mobilités" of the French national access point (etalab): a count
   of 0 means that nobody passed, an empty one that nobody counted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.windows import overlaps
from storage.reading import FloatArray, TimeArray

CLOCK_CHANGE_US = 3_600_000_000


def day_totals(
    total: FloatArray,
    usable: FloatArray,
    expected: FloatArray,
    length: FloatArray,
    accepted_h: float | None = None,
) -> FloatArray:
    """Totals of the days that were counted as a whole; NaN elsewhere.

    A day that lacks a slot is not a quiet day: its total is unknown, not low.

    Parameters
    ----------
    total : float64, shape (n, d)
        Sum of what was counted; NaN where nothing was. [count]
    usable, expected : float64, shape (n, d)
        Slots counted and due. Without a step nothing is due, and nobody can say whether
        the day is whole. [slots]
    length : float64, shape (d,)
        23, 24 or 25. [h]
    accepted_h : float, optional
        Accept a day of which so many hours were counted, as it is: a lower bound. Without
        it every slot is wanted. [h]

    Returns
    -------
    float64, shape (n, d)
        [count]

    References
    ----------
    .. [1] Estimating AADT using statewide traffic data programs, Sustainability 17 (2025)
       9896: days with at least 19 hourly values are accepted in practice.

    Examples
    --------
    >>> total, slots = np.array([[240.0, 230.0, 180.0]]), np.array([[24.0, 23.0, 19.0]])
    >>> day_totals(total, slots, np.array([[24.0, 23.0, 24.0]]), np.array([24.0, 23.0, 24.0]))
    array([[240., 230.,  nan]])
    >>> day_totals(total, slots, np.full((1, 3), 24.0), np.full(3, 24.0), 19)
    array([[240., 230., 180.]])
    """
    whole = (usable >= expected) & (expected > 0)
    if accepted_h is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            # Rounded, so that 19 slots of 24 are 19 hours whatever the division says.
            hours = np.round(usable / expected * length, 6)
        whole |= (hours >= accepted_h) & (expected > 0)
    return np.where(whole, total, np.nan)


def suspect_zeros(
    count: FloatArray, longest: int = 3, history: int = 28, *, whole: bool = False
) -> NDArray[np.bool_]:
    """Zeros of a counter that is out of service rather than passed by nobody.

    Some counters report 0 when they fail. A run of at least ``longest`` zeros is suspect if,
    of the ``history`` windows before it, at least a quarter was counted and at most one in
    ten of these was 0; and so is any once nobody has passed for ``history`` windows of which
    at least half were counted. What is not measured neither ends a run nor lengthens it.

    Parameters
    ----------
    count : float64, shape (n, w)
        0 where nobody passed, NaN where nobody counted. [count]
    longest : int
        How many zeros in a row are believed, and one. [windows]
    history : int
        [windows]
    whole : bool
        Mark a suspect run from its first zero, for spans that are known to their end;
        otherwise from the window on that makes it long enough, as could be said that day.

    Returns
    -------
    bool, shape (n, w)

    Notes
    -----
    A window's answer depends on the ``2 * history`` windows before it and, unless ``whole``,
    on none after it.

    References
    ----------
    .. [1] U.S. IOOS, Manual for real-time quality control: flat line test.

    Examples
    --------
    >>> count = np.array([[90.0] * 7 + [0.0] * 4 + [80.0, 0.0]])
    >>> suspect_zeros(count)[0, 6:].astype(int)
    array([0, 0, 0, 1, 1, 0, 0])
    >>> suspect_zeros(count, whole=True)[0, 6:].astype(int)
    array([0, 1, 1, 1, 1, 0, 0])
    """
    series, size = count.shape
    known, zero, passed = ~np.isnan(count), count == 0, count > 0
    column = np.arange(size)
    # Where the latest run could have begun: after the last window with somebody in it.
    begin = np.maximum.accumulate(np.where(passed, column + 1, 0), axis=1)
    nothing = np.zeros((series, 1), np.int64)
    zeros = np.concatenate((nothing, np.cumsum(zero, axis=1)), axis=1)
    counted = np.concatenate((nothing, np.cumsum(known, axis=1)), axis=1)
    run = zeros[:, 1:] - np.take_along_axis(zeros, begin, 1)
    # A run is followed so far back and no further: gaps could stretch it without end.
    far = column + 1 - begin >= history
    lately = zeros[:, 1:] - zeros[:, np.maximum(column + 1 - history, 0)]
    early = np.maximum(begin - history, 0)

    def before(total: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.take_along_axis(total, begin, 1) - np.take_along_axis(total, early, 1)

    lively = (4 * before(counted) >= history) & (10 * before(zeros) <= before(counted))
    suspect = zero & np.where(far, 2 * lately >= history, (run >= longest) & lively)
    if whole:
        # A run is known by where it begins: does the next suspect zero lie in the same one?
        run_of = np.where(suspect, begin, size + 1)[:, ::-1]
        following = np.minimum.accumulate(run_of, axis=1)[:, ::-1]
        suspect = zero & (following == begin)
    marked: NDArray[np.bool_] = suspect
    return marked


def imbalance(into: ArrayLike, out: ArrayLike) -> FloatArray:
    """How far two ways differ: ``|in - out| / (in + out)``, from 0 to 1.

    Whoever goes comes back; far from 0 over weeks means that one way is not counted well.

    Parameters
    ----------
    into, out : float64, of one shape
        [count]

    Returns
    -------
    float64, of that shape
        NaN where one is missing or nobody passed. [1]

    Examples
    --------
    >>> imbalance([600.0, 0.0, np.nan], [400.0, 0.0, 10.0])
    array([0.2, nan, nan])
    """
    one, other = np.asarray(into, np.float64), np.asarray(out, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference: FloatArray = np.abs(one - other) / (one + other)
    return difference


def covered_days(begin: TimeArray, end: TimeArray, edges: TimeArray) -> NDArray[np.bool_]:
    """Which local days are covered by counted intervals.

    Exports write the day on which the clock is set back as 24 h that start an hour late,
    though its count is of all 25: an hour that is missing only there, and only at the
    change of the clock, is no gap.

    Parameters
    ----------
    begin, end : datetime64[us], shape (m,)
        Intervals ``[begin, end)`` in UTC that do not overlap.
    edges : datetime64[us], shape (d + 1,)
        Of the local days.

    Returns
    -------
    bool, shape (d,)

    References
    ----------
    .. [1] The daily example of Eco-Compteur in the schéma "comptage des mobilités": the 30th
       of October 2022 runs from 00:00+01:00, the day before ends at 00:00+02:00.

    Examples
    --------
    >>> day = np.array(["2022-10-28T22", "2022-10-29T22", "2022-10-30T23"], "datetime64[us]")
    >>> begin = np.array(["2022-10-28T22", "2022-10-29T23"], "datetime64[us]")
    >>> covered_days(begin, day[1:], day)
    array([ True,  True])
    >>> covered_days(begin, np.array(["2022-10-29T21", "2022-10-30T23"], "datetime64[us]"), day)
    array([False,  True])
    """
    _, window, length = overlaps(begin, end, edges)
    covered = np.bincount(window, length, len(edges) - 1)
    due = np.diff(edges).astype(np.int64)
    long_day = due > 24 * CLOCK_CHANGE_US
    answer: NDArray[np.bool_] = covered >= due - np.where(long_day, CLOCK_CHANGE_US, 0)
    return answer
