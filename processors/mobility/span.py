"""Days and hours of a frame as a planner sees them: counted or not, of which year, which class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate

import numpy as np
from numpy.typing import NDArray

from processors.calendars import DayClass, day_classes, public_holidays
from processors.frame import Frame
from processors.mobility.counting import day_totals
from storage.facts.counting import Calendar
from storage.facts.mobility import MobilityFacts
from storage.reading import FloatArray, TimeArray
from storage.roster import Roster, Texts

HISTORY = 28
BEFORE = np.timedelta64(2 * HISTORY, "D")
"""How far back a run of zeros must be seen to be judged."""

APART = -1
"""The direction of a series that is declared to be in none."""


def counted_days(
    frame: Frame, now: np.datetime64, accepted_h: float | None
) -> tuple[FloatArray, FloatArray]:
    """Totals of the local days that were whole, and of those that count, shape (n, d).

    The same where only whole days count. Days that are not over are NaN.
    """
    length = np.diff(frame.edges).astype(np.int64) / 3.6e9
    parts = frame.table("sum"), frame.usable(), frame.table("expected"), length
    whole = day_totals(*parts)
    accepted = whole if accepted_h is None else day_totals(*parts, accepted_h)
    over = frame.edges[1:] <= now
    return np.where(over, whole, np.nan), np.where(over, accepted, np.nan)


def counted_hours(frame: Frame, now: np.datetime64) -> FloatArray:
    """Totals of the hours in which nothing is missing, shape (n, w); NaN elsewhere."""
    due = frame.table("expected")
    whole = (due > 0) & (frame.usable() >= due) & (frame.edges[1:] <= now)
    return np.where(whole, frame.table("sum"), np.nan)


def columns(edges: TimeArray, periods: TimeArray) -> Iterator[slice]:
    """The columns that lie in each period."""
    bound = np.searchsorted(edges[:-1], periods)
    for low, high in zip(bound[:-1].tolist(), bound[1:].tolist(), strict=True):
        yield slice(low, high)


def months(days: TimeArray) -> NDArray[np.int64]:
    """Month of each date, 1 to 12."""
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1


def by_calendar(
    territory: Texts, facts: MobilityFacts
) -> Iterator[tuple[NDArray[np.bool_], Calendar | None]]:
    """Each calendar that counts, with the rows of its territories."""
    names, of = np.unique(territory, return_inverse=True)
    said = [facts.calendar_of(name) for name in names.tolist()]
    for calendar in dict.fromkeys(said):
        yield np.array([one == calendar for one in said], np.bool_)[of], calendar


def classes(days: TimeArray, calendar: Calendar | None) -> NDArray[np.int8]:
    """Class of each day; without a calendar there are no public holidays."""
    if calendar is None:
        return day_classes(days, np.zeros(len(days), np.bool_))
    return day_classes(days, public_holidays(days, calendar.country, calendar.subdivision))


def working(days: TimeArray, calendar: Calendar | None) -> NDArray[np.bool_]:
    """Which days are working days."""
    chosen: NDArray[np.bool_] = classes(days, calendar) == DayClass.WORKING_DAY
    return chosen


def directions(roster: Roster, facts: MobilityFacts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The direction that each series measures, and how many its site has.

    Where nothing is declared for a site, all of its series count: direction 0 of none.

    Returns
    -------
    number : int64, shape (n,)
        From 0 within the site; -1 where the site has directions, but the series none.
    size : int64, shape (n,)
    """
    number = np.full(len(roster), APART, np.int64)
    size = np.zeros(len(roster), np.int64)
    sensors, of = np.unique(roster.sensor, return_inverse=True)
    for one in facts.direction:
        here = roster.site == one.site
        if one.territory is not None:
            here &= roster.territory == one.territory
        pattern = re.compile("|".join(translate(sensor) for sensor in one.sensors))
        fits = np.array([pattern.match(name) is not None for name in sensors.tolist()], np.bool_)
        number = np.where(here & fits[of] & (number == APART), size, number)
        size += here
    number[size == 0] = 0
    return number, size
