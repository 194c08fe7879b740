"""Edges of the periods that figures count for."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from processors import windows
from storage.indicators.word import Period
from storage.reading import TimeArray

_DAY = np.timedelta64(86_400_000_000, "us")
_TEN_MINUTES, _HALF_HOUR = np.timedelta64(600_000_000, "us"), np.timedelta64(1_800_000_000, "us")
_EPOCH = np.datetime64(0, "us")


def edges(
    period: Period, start: np.datetime64, stop: np.datetime64, zone: str, offset_h: int = 1
) -> TimeArray:
    """Edges of the periods that cover ``[start, stop)``, as UTC instants.

    Days, weeks (from Monday), months and years are local to the zone; air days and air
    years lie at a fixed offset from UTC [h].

    Examples
    --------
    >>> at = np.datetime64("2026-03-29T12:00", "us")
    >>> edges(Period.AIR_DAY, at, at, "Europe/Paris")
    array(['2026-03-28T23:00:00.000000', '2026-03-29T23:00:00.000000'],
          dtype='datetime64[us]')
    >>> np.diff(edges(Period.DAY, at, at, "Europe/Paris")).astype("timedelta64[h]")
    array([23], dtype='timedelta64[h]')
    >>> edges(Period.HALF_HOUR, at, at + np.timedelta64(31, "m"), "UTC").astype("datetime64[m]")
    array(['2026-03-29T12:00', '2026-03-29T12:30', '2026-03-29T13:00'],
          dtype='datetime64[m]')
    >>> edges(Period.MONTH, at, at, "UTC").astype("datetime64[D]")
    array(['2026-03-01', '2026-04-01'], dtype='datetime64[D]')
    """
    stop = max(stop, start + np.timedelta64(1, "us"))
    if period in (Period.TEN_MINUTES, Period.HALF_HOUR):
        length = _HALF_HOUR if period is Period.HALF_HOUR else _TEN_MINUTES
        first = start - (start - _EPOCH) % length
        return np.arange(first, stop + length, length)[: -(-(stop - first) // length) + 1]
    if period is Period.QUARTER_HOUR:
        return windows.quarter_hours(start, stop)
    if period is Period.HOUR:
        return windows.hours(start, stop)
    if period is Period.DAY:
        return windows.local_days(start, stop, zone)
    if period in (Period.AIR_DAY, Period.AIR_YEAR):
        offset = np.timedelta64(offset_h, "h")
        unit = "datetime64[D]" if period is Period.AIR_DAY else "datetime64[Y]"
        first = (start + offset).astype(unit)
        last = (stop + offset - np.timedelta64(1, "us")).astype(unit)
        instants: TimeArray = np.arange(first, last + 2).astype("datetime64[us]")
        return instants - offset
    return _local(period, windows.local_days(start, stop, zone), zone)


def _local(period: Period, days: TimeArray, zone: str) -> TimeArray:
    """Weeks, months or years around local days: the days that begin one."""
    first, last = (windows.local_date(day, zone) for day in (days[0], days[-2]))
    begin, end = _first_of(period, first), _first_of(period, last)
    begins = [begin]
    while begins[-1] <= end:
        begins.append(_next(period, begins[-1]))
    return np.array([windows.first_instant(day, zone) for day in begins], "datetime64[us]")


def _first_of(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day.replace(month=1, day=1)


def _next(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day + timedelta(days=7)
    return _first_of(period, day + timedelta(days=31 if period is Period.MONTH else 366))
