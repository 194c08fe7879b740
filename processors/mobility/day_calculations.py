"""What is made of daily counts, and when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given, Together
from processors.calendars import by_calendar, local_dates, weekdays
from processors.mobility import aadt
from processors.mobility.cells import total_of_all
from processors.mobility.counting import imbalance, suspect_zeros
from processors.mobility.grading import graded
from processors.mobility.span import (
    AHEAD,
    BEFORE,
    columns,
    counted_days,
    dead_days,
    directions,
    months,
    working,
)
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray
from storage.roster import Roster

COUNTED = ("vehicles", "bikes", "pedestrians")
SUSPECT = 1
"""Bit of the code of a day: a long run of zeros."""


def _day_counts(given: Given) -> Figures:
    frame, facts = given.frame, given.facts.mobility
    whole, accepted = counted_days(frame, given.now, facts.day_hours)
    stepless = (frame.roster.step == 0)[:, None] & (frame.edges[1:] <= given.now)
    value = np.where(stepless, frame.table("sum"), accepted)
    zeros = suspect_zeros(value, facts.zero_days)
    complete = ~np.isnan(whole) & ~zeros
    (days,) = columns(frame.edges, given.periods[[0, -1]])
    usable = frame.usable()[:, days]
    return figures(
        "day_count", frame.roster.series, given.periods, value[:, days],
        now=given.now, n=usable, due=frame.table("expected")[:, days],
        status=np.where(complete, Status.COMPLETE, Status.PARTIAL)[:, days],
        method=int(facts.day_hours is not None), code=np.where(zeros, SUSPECT, 0)[:, days],
        keep=(usable > 0) & (given.periods[1:] <= given.now),
    )  # fmt: skip


def believed_days(given: Given) -> FloatArray:
    """Totals of days that averages are made of: counted, and not part of a long run of zeros."""
    facts = given.facts.mobility
    _, total = counted_days(given.frame, given.now, facts.day_hours)
    days = columns(given.frame.edges, given.periods)
    return np.where(dead_days(total, days, facts.zero_days), np.nan, total)


def site_totals(
    total: FloatArray, heard: NDArray[np.bool_], due: NDArray[np.bool_], given: Given, metric: str
) -> FloatArray:
    """What the series of a metric count together at each site, in the order of its ids.

    Where a site's directions are declared, only series of these are added up; series that
    were not heard at all have been taken away and are not waited for, no more than others on
    days that they are not ``due``.
    """
    roster = given.frame.roster
    number, _ = directions(roster, given.facts.mobility)
    mine = (roster.metric == metric) & (number >= 0) & heard
    sites, of = np.unique(roster.site_id, return_inverse=True)
    return total_of_all(total[mine], of[mine], len(sites), due[mine])


def counting_both(roster: Roster) -> NDArray[np.bool_]:
    """Series of sensors that count vehicles and the heavy ones among them.

    A lane in which nobody tells them apart says nothing about their share.
    """
    _, of = np.unique(
        np.char.add(roster.sensor, roster.site_id.astype(np.str_)), return_inverse=True
    )
    size = int(of.max(initial=-1)) + 1
    every, heavy = (
        np.bincount(of[roster.metric == metric], minlength=size) > 0
        for metric in ("vehicles", "heavy_vehicles")
    )
    both: NDArray[np.bool_] = (every & heavy)[of]
    return both


def _averages(given: Given) -> Figures:
    frame, facts, now = given.frame, given.facts.mobility, given.now
    roster, sites = frame.roster, np.unique(frame.roster.site_id)
    total, dates = believed_days(given), local_dates(frame.edges, given.zone)
    method, usable = int(facts.day_hours is not None), frame.usable()
    there = given.service.of(frame.roster.series).registered(frame.edges[:-1], frame.edges[1:])

    def known(metric: str) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.isin(sites, roster.site_id[heard & (roster.metric == metric)])
        return found[:, None]

    made: list[Figures] = []
    for year, days in enumerate(columns(frame.edges, given.periods)):
        edges, part, date = given.periods[year : year + 2], total[:, days], dates[days]
        month, weekday = months(date), weekdays(date)
        heard, lanes = usable[:, days].sum(axis=1) > 0, there[:, days]
        for name, average, due in (
            ("aadt_simple", aadt.simple(part), len(date)),
            ("aadt", aadt.aashto(part, month, weekday), aadt.CELLS),
        ):
            value, status = graded(*average, due)
            made.append(figures(
                name, roster.series, edges, value[:, None], now=now, n=average.cells[:, None],
                due=due, status=status[:, None], method=method, keep=heard[:, None],
            ))  # fmt: skip
        for rows, calendar in by_calendar(roster.territory, facts):
            chosen = working(date, calendar)
            average = aadt.simple(part[rows], chosen)
            value, status = graded(*average, chosen.sum())
            made.append(figures(
                "aadt_working_days", roster.series[rows], edges, value[:, None], now=now,
                n=average.cells[:, None], due=chosen.sum(), status=status[:, None],
                method=int(calendar is None), keep=heard[rows, None],
            ))  # fmt: skip
        for metric in COUNTED:
            average = aadt.aashto(site_totals(part, heard, lanes, given, metric), month, weekday)
            value, status = graded(*average, aadt.CELLS)
            made.append(figures(
                f"site_aadt_{metric}", sites, edges, value[:, None], now=now,
                n=average.cells[:, None], due=aadt.CELLS, status=status[:, None], method=method,
                keep=known(metric),
            ))  # fmt: skip
        both = heard & counting_both(roster)
        heavy, all_of = (
            site_totals(part, both, lanes, given, one) for one in ("heavy_vehicles", "vehicles")
        )
        average = aadt.Average(*aadt.share(heavy, all_of))
        value, status = graded(*average, len(date))
        made.append(figures(
            "aadt_heavy_share", sites, edges, value[:, None], now=now, n=average.cells[:, None],
            due=len(date), status=status[:, None], method=method,
            keep=np.isin(sites, roster.site_id[both])[:, None],
        ))  # fmt: skip
    return join(made)


def _balance(given: Given) -> Figures:
    """Both directions over the days that are whole in both; only sites with two directions."""
    frame, total, usable = given.frame, believed_days(given), given.frame.usable()
    roster = frame.roster
    number, size = directions(roster, given.facts.mobility)
    there = given.service.of(frame.roster.series).registered(frame.edges[:-1], frame.edges[1:])
    made: list[Figures] = []
    for month, days in enumerate(columns(frame.edges, given.periods)):
        heard = (usable[:, days].sum(axis=1) > 0) & (number >= 0) & (size == 2)
        due = days.stop - days.start
        for metric in COUNTED:
            mine = heard & (roster.metric == metric)
            sites, of = np.unique(roster.site_id[mine], return_inverse=True)
            way = total_of_all(
                total[mine, days], 2 * of + number[mine], 2 * len(sites), there[mine, days]
            )
            way = way.reshape(len(sites), 2, due)
            both = ~np.isnan(way[:, 0] + way[:, 1])
            sums = np.where(both[:, None], way, 0.0).sum(axis=2)
            whole = both.sum(axis=1)
            value, status = graded(imbalance(sums[:, 0], sums[:, 1]), whole, due)
            made.append(figures(
                f"imbalance_{metric}", sites, given.periods[month : month + 2], value[:, None],
                now=given.now, n=whole[:, None], due=due, status=status[:, None],
            ))  # fmt: skip
    return join(made)


DAY_COUNTS: tuple[Calculation, ...] = (
    Calculation(
        name="counts of days",
        makes=("day_count",),
        metrics=(*COUNTED, "heavy_vehicles"),
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_day_counts,
        before=BEFORE,
        after=BEFORE,
    ),
    Calculation(
        name="average daily traffic",
        makes=(
            "aadt_simple", "aadt", "aadt_working_days", "site_aadt_vehicles", "site_aadt_bikes",
            "site_aadt_pedestrians", "aadt_heavy_share",
        ),
        metrics=(*COUNTED, "heavy_vehicles"),
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.YEAR,
        compute=_averages,
        together=Together.SITE,
        before=BEFORE,
        after=BEFORE,
        ahead=AHEAD,
        service=True,
    ),
    Calculation(
        name="balance of directions",
        makes=tuple(f"imbalance_{metric}" for metric in COUNTED),
        metrics=COUNTED,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.MONTH,
        compute=_balance,
        together=Together.SITE,
        before=BEFORE,
        after=BEFORE,
        ahead=AHEAD,
        service=True,
    ),
)  # fmt: skip
