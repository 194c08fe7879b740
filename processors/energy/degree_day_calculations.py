"""Degree days of temperature series: of days, months and heating seasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from processors import periods, windows
from processors.air.capture import needed
from processors.air.instruments import indicative
from processors.calculation import Calculation, Given
from processors.energy.buildings import table
from processors.energy.degree_days import cooling, costic, day_extremes, meteo, scaled_sum
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import TimeArray

HEATING_METHOD = {18.0: 0, 17.0: 1, 15.0: 2}
COOLING_METHOD = {22.0: 0, 24.0: 1}
OTHER_HEATING, OTHER_COOLING = 3, 2
"""Positions in the methods of the indicators: which base a figure was made with."""

DAILY = ("heating_degree_days", "heating_degree_days_costic", "cooling_degree_days")
SEASONAL = ("heating_season_degree_days", "heating_season_degree_days_costic")


def _methods(given: Given) -> tuple[int, int, int]:
    facts = given.facts.energy
    heating = HEATING_METHOD.get(facts.heating_base_c, OTHER_HEATING)
    return heating, heating, COOLING_METHOD.get(facts.cooling_base_c, OTHER_COOLING)


def _days(given: Given) -> Figures:
    frame, facts, count = given.frame, given.facts.energy, len(given.periods) - 1
    day = windows.window_of(frame.edges[:-1], given.periods)
    inside = (day >= 0) & (day < count)
    usable = frame.usable()
    valid = (usable > 0) & (usable >= needed(frame.table("expected").astype(np.int64)))
    low, high, mean = (
        np.where(valid, one, np.nan)[:, inside]
        for one in (frame.table("min"), frame.table("max"), frame.mean())
    )
    low, high, mean, known, due = day_extremes(low, high, mean, day[inside], count)
    heating, cool = facts.heating_base_c, facts.cooling_base_c
    values = (meteo(low, high, heating), costic(low, high, heating), cooling(low, high, cool), mean)
    lesser = indicative(frame.roster, given.facts.air)[:, None]
    return join(
        [
            figures(
                name,
                frame.roster.series,
                given.periods,
                value,
                now=given.now,
                n=known,
                due=due,
                method=method,
                indicative=lesser,
                keep=known > 0,
            )
            for name, value, method in zip(
                (*DAILY, "outdoor_day_mean"), values, (*_methods(given), 0), strict=True
            )
        ]
    )


def _calendar(given: Given, start: np.datetime64, stop: np.datetime64) -> TimeArray:
    return periods.edges(Period.DAY, start, stop, given.zone)


def _months(given: Given) -> Figures:
    """Sums of months, of the open one of the days that have passed."""
    series, edges = given.frame.roster.series, given.periods
    days = _calendar(given, edges[0], edges[-1])
    first = np.searchsorted(days, edges[:-1])
    closed = np.concatenate([[0], np.cumsum(days[1:] <= given.now)])
    due = closed[np.searchsorted(days, edges[1:])] - closed[first]
    lesser = indicative(given.frame.roster, given.facts.air)[:, None]
    made = []
    for name, method in zip(DAILY, _methods(given), strict=True):
        value, _ = table(given.figures, name, series, days)
        value[:, days[1:] > given.now] = np.nan
        total, known = scaled_sum(value, first, due)
        made.append(
            figures(
                f"{name}_month",
                series,
                edges,
                total,
                now=given.now,
                n=known,
                due=due,
                status=np.where(known < due, Status.PARTIAL, Status.COMPLETE),
                method=method,
                indicative=lesser,
                keep=known > 0,
            )
        )
    return join(made)


def season_days(year: int, season: tuple[str, str]) -> tuple[date, date]:
    """First day of the heating season that begins in a year, and the day after its last.

    Examples
    --------
    >>> begin, end = season_days(2025, ("10-01", "05-20"))
    >>> (end - begin).days
    232
    """
    first, last = (
        date.fromisoformat(f"{y}-{d}") for y, d in zip((year, year + 1), season, strict=True)
    )
    return first, last + timedelta(days=1)


def _seasons(given: Given) -> Figures:
    """Sums of heating seasons, month by month, so that a hole in winter is filled with winter."""
    series = given.frame.roster.series
    lesser = indicative(given.frame.roster, given.facts.air)[:, None]
    made = []
    for edge in given.periods[:-1]:
        year = windows.local_date(edge, given.zone).year
        begin, end = (
            windows.first_instant(day, given.zone)
            for day in season_days(year, given.facts.energy.heating_season)
        )
        days = _calendar(given, begin, end)
        passed = int((days[1:] <= given.now).sum())
        if not passed:
            continue
        months = periods.edges(Period.MONTH, begin, end, given.zone)
        first: NDArray[np.intp] = np.unique(np.searchsorted(days[:passed], months[:-1]))
        first = first[first < passed]
        due = np.diff(np.append(first, passed))
        for name, to, method in zip(DAILY, SEASONAL, _methods(given), strict=False):
            value, _ = table(given.figures, name, series, days)
            total, known = scaled_sum(value[:, :passed], first, due)
            n = known.sum(axis=1)[:, None]
            one = figures(
                to,
                series,
                np.array([begin, end]),
                total.sum(axis=1)[:, None],
                now=given.now,
                n=n,
                due=passed,
                status=np.where(n < passed, Status.PARTIAL, Status.COMPLETE),
                method=method,
                indicative=lesser,
                keep=n > 0,
            )
            made.append(replace(one, provisional=one.stop > given.now))
    return join(made)


_TEMPERATURE = ("temperature",)
DEGREE_DAYS: tuple[Calculation, ...] = (
    Calculation(
        name="degree days",
        makes=(*DAILY, "outdoor_day_mean"),
        metrics=_TEMPERATURE,
        level=Level.HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_days,
        parts=("sum", "good", "suspect", "expected", "min", "max"),
    ),
    Calculation(
        name="degree days of months",
        makes=tuple(f"{name}_month" for name in DAILY),
        metrics=_TEMPERATURE,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.MONTH,
        compute=_months,
        parts=("good",),
        reads=DAILY,
    ),
    Calculation(
        name="degree days of heating seasons",
        makes=SEASONAL,
        metrics=_TEMPERATURE,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.YEAR,
        compute=_seasons,
        parts=("good",),
        reads=DAILY[:2],
        # A season runs on into the next year, until the middle of summer at the latest.
        ahead=np.timedelta64(366, "D"),
    ),
)
