"""Local time and kinds of days: working days, Saturdays, Sundays and holidays.

The calendar is the same for every series, so it is worked out once per window; kernels take
its arrays. Public holidays are those of the ``holidays`` library, by country and subdivision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray

from processors import windows
from storage.facts.counting import Calendar, CountingFacts
from storage.reading import TimeArray
from storage.roster import Texts

SAMPLE = timedelta(days=7)
"""No zone changes its clock and changes it back within a week."""


class DayClass(IntEnum):
    """What people do on a day, as far as a calendar can tell.

    WORKING_DAY: Monday to Friday without public holidays. SATURDAY: without public
    holidays. SUNDAY_OR_HOLIDAY: the rest.
    """

    WORKING_DAY = 0
    SATURDAY = 1
    SUNDAY_OR_HOLIDAY = 2


def local_time(instant: TimeArray, zone: str) -> TimeArray:
    """What the clock on the wall says at instants in UTC.

    Parameters
    ----------
    instant : datetime64[us], shape (w,)
        Ascending.
    zone : str
        IANA time zone.

    Returns
    -------
    datetime64[us], shape (w,)

    Examples
    --------
    >>> hours = np.arange("2026-10-24T23", "2026-10-25T03", dtype="datetime64[h]")
    >>> local_time(hours.astype("datetime64[us]"), "Europe/Paris").astype("datetime64[h]")
    array(['2026-10-25T01', '2026-10-25T02', '2026-10-25T02', '2026-10-25T03'],
          dtype='datetime64[h]')
    """
    if not len(instant):
        return instant
    first, last = (one.astype("datetime64[us]").item() for one in (instant[0], instant[-1]))
    change, offset = _offsets(first, last, zone)
    wall: TimeArray = instant + offset[np.searchsorted(change, instant, side="right")]
    return wall


@lru_cache(maxsize=256)
def _offsets(
    first: datetime, last: datetime, zone: str
) -> tuple[TimeArray, NDArray[np.timedelta64]]:
    """When the offset from UTC changes between two instants; the offsets around these."""
    place = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta:
        return at.replace(tzinfo=UTC).astimezone(place).utcoffset() or timedelta()

    samples = [first + k * SAMPLE for k in range((last - first) // SAMPLE + 1)]
    samples.append(last)
    changes, offsets = [], [offset(first)]
    for low, high in pairwise(samples):
        if offset(low) == offset(high):
            continue
        while high - low > timedelta(microseconds=1):
            middle = low + (high - low) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        changes.append(high)
        offsets.append(offset(high))
    return np.array(changes, "datetime64[us]"), np.array(offsets, "timedelta64[us]")


def local_dates(edges: TimeArray, zone: str) -> TimeArray:
    """The date of each local day, from the edges of neighbouring local days.

    Parameters
    ----------
    edges : datetime64[us], shape (d + 1,)
        As :func:`processors.windows.local_days` gives them.
    zone : str

    Returns
    -------
    datetime64[D], shape (d,)

    Examples
    --------
    >>> edges = np.array(["2026-10-24T22", "2026-10-25T23", "2026-10-26T23"], "datetime64[us]")
    >>> local_dates(edges, "Europe/Paris")
    array(['2026-10-25', '2026-10-26'], dtype='datetime64[D]')
    """
    first = np.datetime64(windows.local_date(edges[0], zone), "D")
    last = np.datetime64(windows.local_date(edges[-2], zone), "D")
    days: TimeArray = first + np.arange(len(edges) - 1)
    if days[-1] == last:
        return days
    # The zone left a day out, as Samoa did on the 30th of December 2011.
    return np.array([windows.local_date(edge, zone) for edge in edges[:-1]], "datetime64[D]")


def weekdays(days: TimeArray) -> NDArray[np.int64]:
    """Day of the week of each date: 0 is Monday, 6 is Sunday.

    Examples
    --------
    >>> weekdays(np.array(["2026-03-01", "2026-03-02"], "datetime64[D]"))
    array([6, 0])
    """
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def public_holidays(days: TimeArray, country: str, subdivision: str = "") -> NDArray[np.bool_]:
    """Which dates are public holidays.

    Parameters
    ----------
    days : datetime64[D], shape (d,)
    country : str
        ISO 3166 code, such as FR.
    subdivision : str
        As the library spells it: 57 and 6AE are Moselle and Alsace, which also rest on Good
        Friday and on the 26th of December; NW, ZH …

    Examples
    --------
    >>> days = np.array(["2026-04-03", "2026-04-06", "2026-04-07"], "datetime64[D]")
    >>> public_holidays(days, "FR")
    array([False,  True, False])
    >>> public_holidays(days, "FR", "57")
    array([ True,  True, False])
    """
    dates = days.astype("datetime64[D]")
    years = np.unique(dates.astype("datetime64[Y]").astype(np.int64) + 1970)
    known = [day for year in years.tolist() for day in _holidays(country, subdivision, year)]
    return np.isin(dates, np.array(known, "datetime64[D]"))


def holidays_of(days: TimeArray, calendar: Calendar | None) -> NDArray[np.bool_]:
    """Which dates are public holidays of a calendar; without one none is."""
    if calendar is None:
        return np.zeros(len(days), np.bool_)
    return public_holidays(days, calendar.country, calendar.subdivision)


def by_calendar(
    territory: Texts, facts: CountingFacts
) -> Iterator[tuple[NDArray[np.bool_], Calendar | None]]:
    """Each calendar that counts, with the rows of its territories."""
    names, of = np.unique(territory, return_inverse=True)
    said = [facts.calendar_of(name) for name in names.tolist()]
    for calendar in dict.fromkeys(said):
        yield np.array([one == calendar for one in said], np.bool_)[of], calendar


@lru_cache(maxsize=512)
def _holidays(country: str, subdivision: str, year: int) -> tuple[date, ...]:
    return tuple(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def day_classes(days: TimeArray, holiday: NDArray[np.bool_]) -> NDArray[np.int8]:
    """The class of each day, as :class:`DayClass`.

    Parameters
    ----------
    days : datetime64[D], shape (d,)
    holiday : bool, shape (d,)
        Public holidays; they count as Sundays, whatever day they fall on.

    Examples
    --------
    >>> days = np.array(["2026-05-01", "2026-05-02", "2026-05-03", "2026-05-04"], "datetime64[D]")
    >>> day_classes(days, public_holidays(days, "FR"))
    array([2, 1, 2, 0], dtype=int8)
    """
    weekday = weekdays(days)
    answer = np.full(len(days), DayClass.WORKING_DAY, np.int8)
    answer[weekday == 5] = DayClass.SATURDAY
    answer[(weekday == 6) | holiday] = DayClass.SUNDAY_OR_HOLIDAY
    return answer


def within(days: TimeArray, spans: Sequence[tuple[date, date]]) -> NDArray[np.bool_]:
    """Which dates lie in one of the spans, first and last day included.

    Examples
    --------
    >>> days = np.array(["2026-04-10", "2026-04-11", "2026-04-27"], "datetime64[D]")
    >>> within(days, [(date(2026, 4, 11), date(2026, 4, 26))])
    array([False,  True, False])
    """
    bounds = np.array(spans, "datetime64[D]").reshape(-1, 2)
    dates = days.astype("datetime64[D]")[:, None]
    inside = (dates >= bounds[:, 0]) & (dates <= bounds[:, 1])
    any_of: NDArray[np.bool_] = inside.sum(axis=1) > 0
    return any_of
