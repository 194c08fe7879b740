"""Annual average daily traffic (TMJA): one number for a year of counting.

The simple mean leans towards the months and weekdays that were counted best; the AASHTO
method gives each the same weight; the hourly one also uses days that lack some hours.

References
----------
.. [1] Federal Highway Administration, Traffic Monitoring Guide (2022), chapter 3 and
   appendix L.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.mobility.cells import cell_sums, mean_of
from storage.reading import FloatArray

MONTHS, WEEKDAYS, HOURS = 12, 7, 24
CELLS = MONTHS * WEEKDAYS
HOUR_CELLS = CELLS * HOURS


class Average(NamedTuple):
    """An average and what it is made of; columns of shape (n,).

    Attributes
    ----------
    value : float64
        From the cells there are. It is the strict result only where none is missing.
    cells : int64
        How many of them have a value.
    """

    value: FloatArray
    cells: NDArray[np.int64]


def simple(total: FloatArray, chosen: NDArray[np.bool_] | None = None) -> Average:
    """Mean of the daily totals that are whole, of all days or of the chosen ones (TMJO).

    Parameters
    ----------
    total : float64, shape (n, d)
        Daily totals, NaN where a day is not whole. [count/d]
    chosen : bool, shape (d,), optional
        Which days count, for instance working days.

    Returns
    -------
    Average
        With the number of days in ``cells``.

    Examples
    --------
    >>> month = np.array([[100, 120, 110, 130, 120, 140, 60, 50, 40.0]])
    >>> simple(month).value.round(3), simple(month).cells
    (array([96.667]), array([9]))
    """
    part = total if chosen is None else total[:, chosen]
    known = ~np.isnan(part)
    days = known.sum(axis=1)
    return Average(mean_of(np.where(known, part, 0.0).sum(axis=1), days), days)


def monthly(
    total: FloatArray, month: NDArray[np.int64], weekday: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Monthly average daily traffic: the mean over weekdays of the mean over their days.

    Parameters
    ----------
    total : float64, shape (n, d)
        Daily totals, NaN where a day is not whole. [count/d]
    month : int64, shape (d,)
        1 to 12.
    weekday : int64, shape (d,)
        0 is Monday.

    Returns
    -------
    average : float64, shape (n, 12)
        Over the weekdays there are; NaN where the month has none. [count/d]
    cells : int64, shape (n, 12)
        How many of the 7 weekdays have a whole day.

    References
    ----------
    .. [1] Traffic Monitoring Guide (2022), appendix L.

    Examples
    --------
    >>> month = np.array([[100, 120, 110, 130, 120, 140, 60, 50, 40.0]])
    >>> average, cells = monthly(month, np.full(9, 5), np.array([0, 0, 1, 2, 3, 4, 5, 5, 6]))
    >>> average[0, 4].round(3), cells[0, 4]
    (np.float64(100.714), np.int64(7))
    """
    sums, count = cell_sums(total, (month - 1) * WEEKDAYS + weekday, CELLS)
    mean = mean_of(sums, count).reshape(-1, MONTHS, WEEKDAYS)
    known = ~np.isnan(mean)
    cells = known.sum(axis=2)
    return mean_of(np.where(known, mean, 0.0).sum(axis=2), cells), cells


def aashto(total: FloatArray, month: NDArray[np.int64], weekday: NDArray[np.int64]) -> Average:
    """AADT by the method of AASHTO: 12 months by 7 weekdays, 84 cells of equal weight.

    Strictly, a year with an empty cell has no AADT. Where ``cells`` is less than 84 the
    value is the mean over the months there are, each over the weekdays it has.

    Parameters
    ----------
    total : float64, shape (n, d)
        Daily totals of a year, NaN where a day is not whole. [count/d]
    month : int64, shape (d,)
        1 to 12.
    weekday : int64, shape (d,)
        0 is Monday.

    Returns
    -------
    Average

    References
    ----------
    .. [1] Traffic Monitoring Guide (2022), appendix L: AASHTO AADT calculation.

    Examples
    --------
    >>> days = np.arange("2026-01-01", "2027-01-01", dtype="datetime64[D]")
    >>> month = days.astype("datetime64[M]").astype(int) % 12 + 1
    >>> weekday = (days.astype(int) + 3) % 7
    >>> aashto(np.where(weekday < 5, 700.0, 350.0)[None, :], month, weekday)
    Average(value=array([600.]), cells=array([84]))
    """
    average, cells = monthly(total, month, weekday)
    known = ~np.isnan(average)
    value = mean_of(np.where(known, average, 0.0).sum(axis=1), known.sum(axis=1))
    return Average(value, cells.sum(axis=1))


def hourly(
    count: FloatArray,
    month: NDArray[np.int64],
    weekday: NDArray[np.int64],
    hour: NDArray[np.int64],
    occurrences: ArrayLike,
) -> Average:
    """AADT from hours, so that a day that lacks some is not lost.

    The mean of each hour of each weekday of each month; over the hours of the day summed,
    over the weekdays weighted by how often they occur in the month, over the months
    weighted by their days. Where ``cells`` is less than 2016 some hours are missing
    altogether: a weekday without one of them is left out of its month, a month without
    any weekday out of the year.

    Parameters
    ----------
    count : float64, shape (n, w)
        Counts of hours, NaN where an hour is not whole. [count/h]
    month, weekday, hour : int64, shape (w,)
        Local: 1 to 12, 0 (Monday) to 6, 0 to 23. An hour that the clock repeats has two
        values, one that it skips has none; neither makes the typical day longer or shorter.
    occurrences : int, shape (12, 7)
        How often each weekday occurs in each month of the year.

    Returns
    -------
    Average

    References
    ----------
    .. [1] Traffic Monitoring Guide (2022), chapter 3: the method of FHWA since 2016.

    Examples
    --------
    >>> month, weekday, hour = (part.ravel() for part in np.indices((12, 7, 24)))
    >>> hourly((10.0 + weekday)[None, :], month + 1, weekday, hour, np.full((12, 7), 4))
    Average(value=array([312.]), cells=array([2016]))
    """
    cell = ((month - 1) * WEEKDAYS + weekday) * HOURS + hour
    mean = mean_of(*cell_sums(count, cell, HOUR_CELLS))
    day = mean.reshape(-1, MONTHS, WEEKDAYS, HOURS).sum(axis=3)  # NaN where an hour is missing
    known = ~np.isnan(day)
    weight = np.asarray(occurrences, np.float64)
    weights = np.where(known, weight, 0.0).sum(axis=2)
    with np.errstate(invalid="ignore"):
        average = np.where(known, day * weight, 0.0).sum(axis=2) / weights
    days = np.where(np.isnan(average), 0.0, weight.sum(axis=1))
    with np.errstate(invalid="ignore"):
        value = np.where(days > 0, average * days, 0.0).sum(axis=1) / days.sum(axis=1)
    return Average(value, (~np.isnan(mean)).sum(axis=1))


def share(part: FloatArray, whole: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Share of a part in the whole over the days that have both (heavy vehicles, PL %).

    Sums by sums: a mean of daily shares would give a quiet Sunday the weight of a Monday.

    Parameters
    ----------
    part, whole : float64, shape (n, d)
        Daily totals, NaN where a day is not whole. [count/d]

    Returns
    -------
    share : float64, shape (n,)
        NaN where nobody passed or no day has both. [%]
    days : int64, shape (n,)
        How many have both.

    Examples
    --------
    >>> share(np.array([[10.0, 1.0, 5.0]]), np.array([[100.0, 100.0, np.nan]]))
    (array([5.5]), array([2]))
    """
    both = ~np.isnan(part) & ~np.isnan(whole)
    some, all_of = (np.where(both, one, 0.0).sum(axis=1) for one in (part, whole))
    answer = np.where(all_of > 0, 100 * some / np.where(all_of > 0, all_of, 1.0), np.nan)
    return answer, both.sum(axis=1)
