"""The clock on the wall, minute by minute: which rule holds when, and for how much of a window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from processors.calendars import local_time, weekdays
from storage.facts.energy_loads import MINUTES, span
from storage.reading import FloatArray, TimeArray

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE = np.timedelta64(60_000_000, "us")


def minutes_in(stretches: Sequence[str]) -> NDArray[np.bool_]:
    """Which minutes of a local day lie in one of the stretches, shape (1440,).

    Examples
    --------
    >>> minutes_in(["22:00-06:00", "12:00-14:00"]).sum() / 60
    np.float64(10.0)
    """
    inside = np.zeros(MINUTES, np.bool_)
    for begin, end in map(span, stretches):
        if begin < end:
            inside[begin:end] = True
        else:
            inside[begin:] = inside[:end] = True
    return inside


def on_weekdays(
    dates: TimeArray, names: Sequence[str], holiday: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which dates are one of these days of the week; holidays are Sundays.

    Examples
    --------
    >>> dates = np.array(["2026-05-01", "2026-05-02"], "datetime64[D]")
    >>> on_weekdays(dates, ["sat", "sun"], np.array([True, False]))
    array([ True,  True])
    """
    number = np.where(holiday, WEEKDAYS.index("sun"), weekdays(dates))
    return np.isin(number, [WEEKDAYS.index(name) for name in names])


def in_season(dates: TimeArray, season: tuple[str, str]) -> NDArray[np.bool_]:
    """Which dates lie from the first month-day to the last, both included, also over New Year.

    Examples
    --------
    >>> dates = np.array(["2026-03-31", "2026-04-01", "2026-11-01"], "datetime64[D]")
    >>> in_season(dates, ("11-01", "03-31"))
    array([ True, False,  True])
    """
    day = dates.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    number = (month.astype(np.int64) % 12 + 1) * 100 + (day - month).astype(np.int64) + 1
    first, last = (int(text.replace("-", "")) for text in season)
    begun, going = number >= first, number <= last
    inside: NDArray[np.bool_] = begun & going if first <= last else begun | going
    return inside


def dates_around(edges: TimeArray, zone: str) -> TimeArray:
    """Every local date that the windows touch, ascending."""
    first, last = local_time(edges[[0, -1]], zone).astype("datetime64[D]")
    dates: TimeArray = np.arange(first, last + 1)
    return dates


def minute_of(
    edges: TimeArray, zone: str, dates: TimeArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Date (as a position among ``dates``) and minute of the local day of every minute.

    Parameters
    ----------
    edges : datetime64[us], shape (w + 1,)
        Of windows that are whole minutes long, all equally.
    zone : str
    dates : datetime64[D], shape (d,)
        Neighbouring dates around the windows.

    Returns
    -------
    date, minute : intp, shape (w, k)
        k is how many minutes a window has.
    """
    wall = local_time(np.arange(edges[0], edges[-1], _MINUTE), zone)
    day = wall.astype("datetime64[D]")
    date = (day - dates[0]).astype(np.intp).reshape(len(edges) - 1, -1)
    minute = ((wall - day) // _MINUTE).astype(np.intp).reshape(date.shape)
    return date, minute


def mean_over(table: FloatArray, edges: TimeArray, zone: str, dates: TimeArray) -> FloatArray:
    """Mean of a table of local minutes over windows.

    Parameters
    ----------
    table : float64, shape (d, 1440)
        A value for every minute of every date.
    edges : datetime64[us], shape (w + 1,)
    zone : str
    dates : datetime64[D], shape (d,)

    Returns
    -------
    float64, shape (w,)

    Examples
    --------
    Off-peak from 22:38 begins within the hour from 22:00:

    >>> dates = np.array(["2026-03-01"], "datetime64[D]")
    >>> hour = np.array(["2026-03-01T21", "2026-03-01T22"], "datetime64[us]")
    >>> table = minutes_in(["22:38-06:38"])[None, :].astype(float)
    >>> mean_over(table, hour, "Europe/Paris", dates) * 60
    array([22.])
    """
    mean: FloatArray = table[minute_of(edges, zone, dates)].mean(axis=1)
    return mean
