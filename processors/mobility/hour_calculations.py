"""What is made of a year of hours: hourly AADT, weekday profiles, design hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given, Together
from processors.calendars import DayClass, by_calendar, local_time, weekdays, within
from processors.mobility import aadt, design_hour
from processors.mobility.cells import cell_sums, total_of_all
from processors.mobility.grading import ENOUGH, graded
from processors.mobility.span import (
    AHEAD,
    BEFORE,
    classes,
    columns,
    counted_hours,
    dead_days,
    directions,
    months,
)
from processors.mobility.weekday import WEEK_HOURS, day_profile, peak_hour, week_profile
from storage.facts.counting import Calendar
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray, IntArray, TimeArray

COUNTED = ("vehicles", "bikes", "pedestrians")
LEAST = 4
"""A mean of fewer hours is nobody's habit."""

HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True, slots=True)
class _Year:
    """The hours of one year; columns of shape (w,) but for the counts (n, w) and ``heard`` (n,).

    A UTC hour that a year begins in belongs to the year before, as its clock does.
    """

    edges: TimeArray
    count: FloatArray
    heard: NDArray[np.bool_]
    start: TimeArray
    date: TimeArray
    hour: NDArray[np.int64]
    now: np.datetime64

    @property
    def weekday(self) -> NDArray[np.int64]:
        return weekdays(self.date)


def _believed_hours(given: Given) -> FloatArray:
    """Counts of whole hours, without the days that lie in a long run of zeros."""
    count = counted_hours(given.frame, given.now)
    wall = local_time(given.frame.edges[:-1], given.zone).astype("datetime64[D]")
    day = (wall - wall[0]).astype(np.int64)
    size = int(day[-1]) + 1
    total, hours = cell_sums(count, day, size)
    total[hours < np.bincount(day, minlength=size)] = np.nan
    years = (
        slice(int(day[hours.start]), int(day[hours.stop - 1]) + 1)
        for hours in columns(given.frame.edges, given.periods)
    )
    dead = dead_days(total, years, given.facts.mobility.zero_days)
    return np.where(dead[:, day], np.nan, count)


def _years(given: Given) -> Iterator[_Year]:
    count, usable = _believed_hours(given), given.frame.usable()
    start = given.frame.edges[:-1]
    wall = local_time(start, given.zone)
    hour = wall.astype("datetime64[h]").astype(np.int64) % 24
    for number, hours in enumerate(columns(given.frame.edges, given.periods)):
        yield _Year(
            given.periods[number : number + 2], count[:, hours], usable[:, hours].sum(axis=1) > 0,
            start[hours],
            wall[hours].astype("datetime64[D]"), hour[hours], given.now,
        )  # fmt: skip


def _hours_of_a_year(given: Given) -> Figures:
    roster = given.frame.roster
    counted = np.isin(roster.metric, COUNTED)
    made: list[Figures] = []
    for year in _years(given):
        heard = year.heard & counted
        series, count = roster.series[heard], year.count[heard]
        made.append(_hourly(year, series, count))
        made.append(
            _profile("profile_week", year, series, *week_profile(count, year.weekday, year.hour),
                     np.bincount(year.weekday * 24 + year.hour, minlength=WEEK_HOURS))
        )  # fmt: skip
        for rows, calendar in by_calendar(roster.territory[heard], given.facts.mobility):
            free = given.facts.mobility.school_free(calendar.school_zone) if calendar else ()
            made += _profiles(year, series[rows], count[rows], calendar, within(year.date, free))
        made.append(_design_hours(given, year))
    return join(made)


def _hourly(year: _Year, series: IntArray, count: FloatArray) -> Figures:
    middle = year.date[len(year.date) // 2]
    first = middle.astype("datetime64[Y]")
    days = np.arange(first.astype("datetime64[D]"), (first + 1).astype("datetime64[D]"))
    cell = (months(days) - 1) * aadt.WEEKDAYS + weekdays(days)
    occurrences = np.bincount(cell, minlength=aadt.CELLS).reshape(aadt.MONTHS, aadt.WEEKDAYS)
    average = aadt.hourly(count, months(year.date), year.weekday, year.hour, occurrences)
    value, status = graded(*average, aadt.HOUR_CELLS)
    return figures(
        "aadt_hourly", series, year.edges, value[:, None], now=year.now,
        n=average.cells[:, None], due=aadt.HOUR_CELLS, status=status[:, None],
    )  # fmt: skip


def _profiles(
    year: _Year,
    series: IntArray,
    count: FloatArray,
    calendar: Calendar | None,
    school_free: NDArray[np.bool_],
) -> list[Figures]:
    days, of = np.unique(year.date, return_inverse=True)
    kind, method = classes(days, calendar)[of], int(calendar is None)
    working = kind == DayClass.WORKING_DAY
    chosen = {
        "profile_working_day": (working, method),
        "profile_saturday": (kind == DayClass.SATURDAY, method),
        "profile_sunday_holiday": (kind == DayClass.SUNDAY_OR_HOLIDAY, method),
    }
    if school_free.any():
        chosen["profile_school_term"] = working & ~school_free, 0
        chosen["profile_school_holidays"] = working & school_free, 0
    made = []
    for name, (mine, how) in chosen.items():
        mean, size = day_profile(count, year.hour, mine)
        due = np.bincount(year.hour[mine], minlength=24)
        made.append(_profile(name, year, series, mean, size, due, how))
        if name == "profile_working_day":
            known = np.where(size >= LEAST, mean, np.nan)
            _, status = graded(mean, size, due)
            made.append(figures(
                "weekday_peak_hour", series, year.edges, peak_hour(known)[:, None], now=year.now,
                n=size.min(axis=1)[:, None], due=due.min(), method=how,
                status=np.max(status, axis=1)[:, None],
            ))  # fmt: skip
    return made


def _profile(
    name: str,
    year: _Year,
    series: IntArray,
    mean: FloatArray,
    size: NDArray[np.int64],
    due: NDArray[np.int64],
    method: int = 0,
) -> Figures:
    """Hours of a profile as figures: hour k stands from the k-th hour of the year to its end."""
    edges = year.edges[0] + np.arange(mean.shape[1] + 1) * HOUR
    status = np.where(size >= ENOUGH * due, Status.COMPLETE, Status.PARTIAL)
    made = figures(
        name, series, edges, np.where(size >= LEAST, mean, np.nan), now=year.now, n=size, due=due,
        status=status, method=method,
    )  # fmt: skip
    return replace(
        made,
        stop=np.full(len(made), year.edges[1]),
        provisional=np.full(len(made), year.edges[1] > year.now),
    )


def _design_hours(given: Given, year: _Year) -> Figures:
    """Volumes of whole roads, both directions together, and what is designed for."""
    roster = given.frame.roster
    number, size = directions(roster, given.facts.mobility)
    mine = (roster.metric == "vehicles") & (number >= 0) & year.heard
    sites, of = np.unique(roster.site_id[mine], return_inverse=True)
    count = year.count[mine]
    edges = np.append(year.start, year.start[-1:] + HOUR)
    due = given.service.of(given.frame.roster.series).registered(edges[:-1], edges[1:])[mine]
    volume = total_of_all(count, of, len(sites), due)
    known = (~np.isnan(volume)).sum(axis=1)
    day, whole = _site_aadt(given.figures, sites, year.edges[0])
    enough = known >= ENOUGH * len(year.start)
    status = np.where(whole & enough, Status.COMPLETE, Status.PARTIAL)[:, None]

    def made(name: str, value: FloatArray, column: NDArray[np.int64]) -> Figures:
        at = np.where(column >= 0, year.start[np.maximum(column, 0)], np.datetime64("NaT"))
        return figures(
            name, sites, year.edges, np.where(enough, value, np.nan)[:, None], now=year.now,
            n=known[:, None], due=len(year.start), status=status, at=at[:, None],
        )  # fmt: skip

    top, top_at = design_hour.highest_hour(volume)
    design, design_at = design_hour.highest_hour(volume, design_hour.DESIGN_RANK)
    share = _stronger(count, due, of, number[mine], size[mine], len(sites), design_at)
    k = design_hour.k_factor(design, day)
    parts = [
        made("design_hour_volume", design, design_at),
        made("k30", k, design_at),
        made("k_max", design_hour.k_factor(top, day), top_at),
    ]
    two = np.isin(np.arange(len(sites)), of[size[mine] >= 2])
    for name, value in (("d_factor", share), ("ddhv", design_hour.ddhv(day, k, share))):
        whole_of = made(name, value, design_at)
        parts.append(whole_of.take(two))
    return join(parts)


def _site_aadt(
    read: Figures, sites: IntArray, start: np.datetime64
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """AADT of each site in the year that begins then, and whether it is complete."""
    mine = read.of("site_aadt_vehicles")
    mine = mine.take(np.isin(mine.subject, sites) & (mine.start == start))
    day, whole = np.full(len(sites), np.nan), np.zeros(len(sites), np.bool_)
    at = np.searchsorted(sites, mine.subject)
    day[at], whole[at] = mine.value, mine.status == Status.COMPLETE
    return day, whole


def _stronger(
    count: FloatArray,
    due: NDArray[np.bool_],
    of: NDArray[np.int64],
    number: NDArray[np.int64],
    size: NDArray[np.int64],
    sites: int,
    column: NDArray[np.int64],
) -> FloatArray:
    """Share of the stronger direction; sites by how many directions they have."""
    share = np.full(sites, np.nan)
    for ways in np.unique(size[size >= 2]).tolist():
        mine = size == ways
        road = np.unique(of[mine])
        group = np.searchsorted(road, of[mine]) * ways + number[mine]
        volume = total_of_all(count[mine], group, len(road) * ways, due[mine])
        volume = volume.reshape(len(road), ways, -1)
        share[road] = design_hour.directional_share(volume, column[road])
    return share


HOUR_COUNTS: tuple[Calculation, ...] = (
    Calculation(
        name="hours of a year",
        makes=(
            "aadt_hourly", "profile_working_day", "profile_saturday", "profile_sunday_holiday",
            "profile_school_term", "profile_school_holidays", "profile_week",
            "weekday_peak_hour", "design_hour_volume", "k30", "k_max", "d_factor", "ddhv",
        ),
        metrics=COUNTED,
        level=Level.HOUR,
        follows=Level.DAY,
        period=Period.YEAR,
        compute=_hours_of_a_year,
        together=Together.SITE,
        before=BEFORE,
        after=BEFORE,
        ahead=AHEAD,
        service=True,
        reads=("site_aadt_vehicles",),
    ),
)  # fmt: skip
