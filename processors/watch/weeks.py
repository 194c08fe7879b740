"""The hour of the week by the clock on the wall, and what is known in each of its hours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.calendars import local_time, weekdays
from storage.reading import FloatArray, TimeArray

_HOUR = np.timedelta64(3_600_000_000, "us")
_SUNDAY = 6


def hours_of_week(
    start: TimeArray, zone: str, as_sunday: NDArray[np.datetime64] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.datetime64]]:
    """Which of the 168 hours of its week each window begins in, and that week's Monday.

    Parameters
    ----------
    start : datetime64[us], shape (w,)
        UTC, ascending.
    zone : str
        IANA time zone.
    as_sunday : datetime64[D], shape (h,)
        Local dates that are like Sundays: public holidays.

    An hour that the clock shows twice is the same hour twice, one that it leaves out is missing.

    Returns
    -------
    hour : intp, shape (w,)
        0 is Monday from 00:00 local time, 167 Sunday from 23:00.
    monday : datetime64[D], shape (w,)

    Examples
    --------
    >>> at = np.array(["2026-05-01T09:00", "2026-05-03T22:00"], "datetime64[us]")
    >>> hours_of_week(at, "Europe/Paris")
    (array([107,   0]), array(['2026-04-27', '2026-05-04'], dtype='datetime64[D]'))
    >>> hours_of_week(at, "Europe/Paris", np.array(["2026-05-01"], "datetime64[D]"))[0]
    array([155,   0])
    """
    shown = local_time(start, zone)
    date = shown.astype("datetime64[D]")
    weekday = weekdays(date)
    hour = (shown - date.astype("datetime64[us]")) // _HOUR
    monday: NDArray[np.datetime64] = date - weekday.astype("timedelta64[D]")
    if as_sunday is not None and len(as_sunday):
        weekday = np.where(np.isin(date, as_sunday), _SUNDAY, weekday)
    return (weekday * 24 + hour).astype(np.intp), monday


def stacked(value: FloatArray, cell: NDArray[np.intp], cells: int) -> FloatArray:
    """Values of windows that share a cell, side by side.

    Parameters
    ----------
    value : float64, shape (n, w)
        NaN where nothing was measured.
    cell : intp, shape (w,)
        Which cell each window belongs to; windows of -1 belong to none.
    cells : int

    Returns
    -------
    float64, shape (n, cells, k)
        k is what the fullest cell holds; the others are filled with NaN.

    Examples
    --------
    >>> stacked(np.array([[1.0, 2.0, 3.0]]), np.array([0, 1, 0]), 2)
    array([[[ 1.,  3.],
            [ 2., nan]]])
    """
    order = np.argsort(cell, kind="stable")
    order = order[cell[order] >= 0]
    mine = cell[order]
    size = np.bincount(mine, minlength=cells)
    place = np.arange(len(mine)) - (np.cumsum(size) - size)[mine]
    table = np.full((len(value), cells, int(size.max(initial=1))), np.nan)
    table[:, mine, place] = value[:, order]
    return table


def middle(value: FloatArray) -> FloatArray:
    """Median over the last axis of what is known, NaN where nothing is.

    Examples
    --------
    >>> middle(np.array([[3.0, np.nan, 1.0], [np.nan, np.nan, np.nan]]))
    array([ 2., nan])
    """
    if not value.shape[-1]:
        return np.full(value.shape[:-1], np.nan)
    known = (~np.isnan(value)).sum(axis=-1)
    ordered = np.sort(value, axis=-1)  # NaN comes last
    # An even number has two in the middle, an odd one the same twice.
    pair = np.stack((np.maximum(known - 1, 0) // 2, known // 2), axis=-1)
    both = np.take_along_axis(ordered, np.minimum(pair, value.shape[-1] - 1), axis=-1)
    return both[..., 0] + (both[..., 1] - both[..., 0]) / 2
