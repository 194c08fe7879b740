"""Ozone over a season: AOT40, the peak season, and whether a summer was measured.

References
----------
.. [1] Directive 2008/50/EC, annex VII A: definition of AOT40, criteria for aggregation.
.. [2] WHO global air quality guidelines 2021: peak season of ozone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray, TimeArray

AOT_ABOVE = 80.0  # 40 ppb [ug/m3]
AOT_CAPTURE_PERCENT = 90
MONTH_DAYS = 27
MONTH_CAPTURE_PERCENT = 90
MONTHS_OF_SUMMER = 5
SEASON_MONTHS = 6
SEASON_CAPTURE_PERCENT = 75

_CET = np.timedelta64(1, "h")


def daylight(start: TimeArray, first_month: int = 5, last_month: int = 7) -> NDArray[np.bool_]:
    """Which hours AOT40 looks at: 8:00 to 20:00 Central European Time, May to July.

    Parameters
    ----------
    start : datetime64[us], shape (w,)
        Of the hours, UTC.
    first_month, last_month : int
        1 is January.

    Returns
    -------
    bool, shape (w,)

    References
    ----------
    .. [1] Directive 2008/50/EC, annex VII A.1 and B. The time is CET, in summer too.

    Examples
    --------
    >>> year = np.arange("2021-12-31T23", "2022-12-31T23", dtype="datetime64[h]")
    >>> int(daylight(year.astype("datetime64[us]")).sum())
    1104
    """
    local = start + _CET
    month = local.astype("datetime64[M]").astype(np.int64) % 12 + 1
    hour = local.astype("datetime64[h]").astype(np.int64) % 24
    return (month >= first_month) & (month <= last_month) & (hour >= 8) & (hour < 20)


def aot40(hour: FloatArray, due: int) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Ozone above 40 ppb, added up over the hours of daylight.

    Hours that are missing are made up for in proportion; with less than 90 % there is no
    estimate.

    Parameters
    ----------
    hour : float64, shape (n, k)
        Hourly means of the season's daylight hours; NaN where missing. [ug/m3]
    due : int
        How many there should be.

    Returns
    -------
    estimate : float64, shape (n,)
        Scaled to all hours that are due; NaN where too few are measured. [ug.h/m3]
    measured : float64, shape (n,)
        Not scaled; NaN where nothing is measured. [ug.h/m3]
    valid : int64, shape (n,)

    References
    ----------
    .. [1] Directive 2008/50/EC, annex VII A.1 and note to A.2.

    Examples
    --------
    >>> aot40(np.array([[100.0, 85, 79, 120]]), 4)
    (array([65.]), array([65.]), array([4]))
    """
    known = ~np.isnan(hour)
    valid = known.sum(axis=-1)
    above = np.where(known, np.maximum(hour - AOT_ABOVE, 0.0), 0.0).sum(axis=-1)
    measured = np.where(valid > 0, above, np.nan)
    held = (100 * valid >= AOT_CAPTURE_PERCENT * due) & (valid > 0)
    return np.where(held, above * due / np.maximum(valid, 1), np.nan), measured, valid


def months_of(start: TimeArray, offset_h: int) -> NDArray[np.int64]:
    """The month of each window at a fixed offset from UTC, 0 is January.

    Examples
    --------
    >>> months_of(np.array(["2022-03-31T22", "2022-03-31T23"], "datetime64[us]"), 1)
    array([2, 3])
    """
    return (start + np.timedelta64(offset_h, "h")).astype("datetime64[M]").astype(np.int64) % 12


def summer_measured(
    maximum: FloatArray, day_month: NDArray[np.int64], hour: FloatArray, start: TimeArray
) -> NDArray[np.bool_]:
    """Whether exceedances of a year of ozone may be counted: five of six summer months.

    A month needs 27 daily maxima and 90 % of its hours from 8:00 to 20:00 CET.

    Parameters
    ----------
    maximum : float64, shape (n, days)
        Maximum daily 8-hour means of a year; NaN where not valid. [ug/m3]
    day_month : int64, shape (days,)
        Month of each day, 0 is January.
    hour : float64, shape (n, w)
        Hourly means of the year; NaN where missing. [ug/m3]
    start : datetime64[us], shape (w,)
        Of the hours, UTC.

    Returns
    -------
    bool, shape (n,)

    References
    ----------
    .. [1] Directive 2008/50/EC, annex VII A.2, last two lines of the table.

    Examples
    --------
    >>> days = np.arange("2022-01-01", "2023-01-01", dtype="datetime64[D]")
    >>> hours = np.arange("2021-12-31T23", "2022-12-31T23", dtype="datetime64[h]")
    >>> at, maximum = hours.astype("datetime64[us]"), np.full((1, 365), 90.0)
    >>> month = months_of(days.astype("datetime64[us]"), 0)
    >>> summer_measured(maximum, month, np.full((1, 8760), 60.0), at)
    array([ True])
    >>> maximum[:, (month == 4) | (month == 5)] = np.nan
    >>> summer_measured(maximum, month, np.full((1, 8760), 60.0), at)
    array([False])
    """
    known_days, known_hours = ~np.isnan(maximum), ~np.isnan(hour)
    months = np.zeros(len(maximum), np.int64)
    for month in range(3, 9):  # April to September
        bright = daylight(start, month + 1, month + 1)
        held = known_hours[:, bright].sum(axis=-1) * 100 >= MONTH_CAPTURE_PERCENT * bright.sum()
        months += held & (known_days[:, day_month == month].sum(axis=-1) >= MONTH_DAYS)
    return months >= MONTHS_OF_SUMMER


def peak_season(
    maximum: FloatArray, day_month: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Mean of the maximum daily 8-hour means over the six months where it is highest.

    Six consecutive months of the calendar year, of whose days at least 75 % are valid.

    Parameters
    ----------
    maximum : float64, shape (n, days)
        Of a year; NaN where not valid. [ug/m3]
    day_month : int64, shape (days,)
        Month of each day, 0 is January.

    Returns
    -------
    mean : float64, shape (n,)
        NaN where no six months are measured. [ug/m3]
    valid, due : int64, shape (n,)
        Days of these six months; of the fullest where there is no mean.

    References
    ----------
    .. [1] WHO global air quality guidelines 2021, table 0.1, note on ozone.

    Examples
    --------
    >>> day = np.arange("2022-01-01", "2023-01-01", dtype="datetime64[D]")
    >>> month = months_of(day.astype("datetime64[us]"), 0)
    >>> peak_season(np.where((month >= 3) & (month < 9), 80.0, 40.0)[None], month)
    (array([80.]), array([183]), array([183]))
    """
    known = ~np.isnan(maximum)
    amount = np.where(known, maximum, 0.0)
    of = np.eye(12)[day_month]
    total, valid, due = amount @ of, known @ of, of.sum(axis=0)[None]

    def six(monthly: FloatArray) -> FloatArray:
        spans = np.lib.stride_tricks.sliding_window_view(monthly, SEASON_MONTHS, axis=-1)
        total: FloatArray = spans.sum(axis=-1)
        return total

    valid, due = six(valid), six(due)
    held = (100 * valid >= SEASON_CAPTURE_PERCENT * due) & (valid > 0)
    mean = np.where(held, six(total) / np.maximum(valid, 1), -np.inf)
    best = np.where(held.any(axis=-1), mean.argmax(axis=-1), valid.argmax(axis=-1))
    row = np.arange(len(maximum))
    chosen = mean[row, best]
    return (
        np.where(np.isinf(chosen), np.nan, chosen),
        valid[row, best].astype(np.int64),
        due[0, best].astype(np.int64),
    )
