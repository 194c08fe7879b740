"""What is drawn when nobody is there: base load, shares of night and weekend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given
from processors.calendars import by_calendar, holidays_of, local_time
from processors.energy import base_load
from processors.energy.clock import dates_around, minutes_in, on_weekdays
from processors.energy.meters import ENOUGH, LOADS, PARTS, columns, power
from storage.facts.counting import Calendar
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray, TimeArray

PERCENT = 100.0


def _quiet(given: Given) -> Figures:
    """Base load, and shares of night and weekend, of the territories of each calendar."""
    territory = given.frame.roster.territory
    return join(
        [
            _of_calendar(replace(given, frame=given.frame.select(rows)), calendar)
            for rows, calendar in by_calendar(territory, given.facts.mobility)
        ]
    )


def _of_calendar(given: Given, calendar: Calendar | None) -> Figures:
    """From hours by the time they begin; public holidays are Sundays."""
    facts, periods, frame = given.facts.energy, given.periods, given.frame
    at = columns(frame.edges, periods)
    load, start = power(frame)[:, at.chosen], frame.edges[:-1][at.chosen]
    wall = local_time(start, given.zone)
    dates = dates_around(frame.edges, given.zone)
    holiday = holidays_of(dates, calendar)
    date = (wall.astype("datetime64[D]") - dates[0]).astype(np.intp)
    minute = ((wall - wall.astype("datetime64[D]")) // np.timedelta64(1, "m")).astype(np.intp)
    empty = on_weekdays(dates, facts.unoccupied, holiday)[date]
    low, high = base_load.QUIET_HOURS
    quiet = empty & (minute >= low * 60) & (minute < high * 60)
    night = minutes_in([facts.night])[minute]
    weekend = on_weekdays(dates, ("sat", "sun"), holiday)[date]
    wanted = quiet if facts.base_load == "night" else np.ones(len(start), np.bool_)
    ends = np.append(at.first[1:], len(start))
    past = start < given.now
    made = []
    for number, (begin, end) in enumerate(zip(at.first.tolist(), ends.tolist(), strict=True)):
        part, span = load[:, begin:end], slice(begin, end)
        gone = past[span]
        edges = periods[number : number + 2]
        counts = [
            _known(part, gone & mask[span]) for mask in (wanted, night, ~night, weekend, ~weekend)
        ]
        base = base_load.base_load(part, quiet[span], facts.base_load)
        method = base_load.METHODS.index(facts.base_load)
        made.append(_monthly("base_load_month", given, edges, base, counts[:1], method))
        for name, mask, seen in (
            ("night_share_month", night, counts[1:3]),
            ("weekend_share_month", weekend, counts[3:5]),
        ):
            value = PERCENT * base_load.share(part[:, gone], (mask[span])[gone])
            made.append(_monthly(name, given, edges, value, seen, 0))
    return join(made)


def _known(load: FloatArray, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """How many of some hours are measured, and how many there are."""
    return (~np.isnan(load[:, mask])).sum(axis=1), int(mask.sum())


def _monthly(
    name: str, given: Given, edges: TimeArray, value: FloatArray,
    seen: list[tuple[NDArray[np.int64], int]], method: int,
) -> Figures:  # fmt: skip
    """A figure of one month, of which three quarters must be known on every side."""
    known, due = sum(n for n, _ in seen), sum(d for _, d in seen)
    enough = np.all([(n >= ENOUGH * d) & (d > 0) for n, d in seen], axis=0)
    return figures(
        name, given.frame.roster.series, edges, np.where(enough, value, np.nan)[:, None],
        now=given.now, n=np.asarray(known)[:, None], due=due, method=method,
        status=np.where(known == due, Status.COMPLETE, Status.PARTIAL)[:, None],
        keep=np.asarray(known)[:, None] > 0,
    )  # fmt: skip


QUIET: tuple[Calculation, ...] = (
    Calculation(
        name="base loads and shares of months",
        makes=("base_load_month", "night_share_month", "weekend_share_month"),
        metrics=LOADS,
        level=Level.HOUR,
        follows=Level.DAY,
        period=Period.MONTH,
        compute=_quiet,
        parts=PARTS,
    ),
)
