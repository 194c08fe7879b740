"""Days and hours of a frame as a planner sees them: counted or not, of which year, which class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from processors.calendars import DayClass, day_classes, holidays_of
from processors.frame import Frame
from processors.mobility.counting import day_totals, suspect_zeros
from processors.pairing import named
from storage.facts.counting import Calendar
from storage.facts.mobility import MobilityFacts
from storage.reading import FloatArray, TimeArray
from storage.roster import Roster

HISTORY = 28
BEFORE = np.timedelta64(2 * HISTORY + 1, "D")
"""How far back a run of zeros must be seen to be judged, and an hour that a clock is put forward."""

AHEAD = np.timedelta64(HISTORY, "D")
"""How far on a run of zeros that lasts when a period ends is followed, to be judged as a whole."""

CLOCK_CHANGE_H = 23
"""Hours that are enough of a day of 23 or 25."""

APART = -1
"""The direction of a series that is declared to be in none."""


def counted_days(
    frame: Frame, now: np.datetime64, accepted_h: float | None
) -> tuple[FloatArray, FloatArray]:
    """Totals of the local days that were whole, and of those that count, shape (n, d).

    The same where only whole days count, but for the days on which the clock changes: 23
    hours are enough of these [1]_, for loggers on local time write 24 values of 25 hours.
    Days that are not over are NaN.

    References
    ----------
    .. [1] FHWA, Traffic Monitoring Guide 2022, appendix L: days of 23 and 25 hours.
    """
    length = np.diff(frame.edges).astype(np.int64) / 3.6e9
    parts = frame.table("sum"), frame.usable(), frame.table("expected"), length
    whole = day_totals(*parts)
    accepted = whole if accepted_h is None else day_totals(*parts, accepted_h)
    of_change = day_totals(*parts, min(CLOCK_CHANGE_H, accepted_h or CLOCK_CHANGE_H))
    accepted = np.where(length == 24, accepted, of_change)
    over = frame.edges[1:] <= now
    return np.where(over, whole, np.nan), np.where(over, accepted, np.nan)


def counted_hours(frame: Frame, now: np.datetime64) -> FloatArray:
    """Totals of the hours in which nothing is missing, shape (n, w); NaN elsewhere."""
    due = frame.table("expected")
    whole = (due > 0) & (frame.usable() >= due) & (frame.edges[1:] <= now)
    return np.where(whole, frame.table("sum"), np.nan)


def dead_days(total: FloatArray, periods: Iterable[slice], longest: int) -> NDArray[np.bool_]:
    """Days of periods that lie in a suspect run of zeros, whatever else is known.

    Each period is judged by itself, from :data:`BEFORE` it to :data:`AHEAD` of it, so that it
    does not matter which periods are computed together.

    Parameters
    ----------
    total : float64, shape (n, d)
        Of each day; NaN where it is not known.
    periods : slices
        Columns of each.
    longest : int
        Days of 0 that are believed, and one.

    Returns
    -------
    bool, shape (n, d)
        False on days of no period.
    """
    dead = np.zeros(total.shape, np.bool_)
    for days in periods:
        first = max(days.start - 2 * HISTORY, 0)
        seen = suspect_zeros(total[:, first : days.stop + HISTORY], longest, whole=True)
        dead[:, days] = seen[:, days.start - first : days.stop - first]
    return dead


def columns(edges: TimeArray, periods: TimeArray) -> Iterator[slice]:
    """The columns that lie in each period."""
    bound = np.searchsorted(edges[:-1], periods)
    for low, high in zip(bound[:-1].tolist(), bound[1:].tolist(), strict=True):
        yield slice(low, high)


def months(days: TimeArray) -> NDArray[np.int64]:
    """Month of each date, 1 to 12."""
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1


def classes(days: TimeArray, calendar: Calendar | None) -> NDArray[np.int8]:
    """Class of each day; without a calendar there are no public holidays."""
    return day_classes(days, holidays_of(days, calendar))


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
    for one in facts.direction:
        here = roster.site == one.site
        if one.territory is not None:
            here &= roster.territory == one.territory
        mine = here & named(roster, one.sensors)
        number = np.where(mine & (number == APART), size, number)
        size += here
    number[size == 0] = 0
    return number, size
