"""What is made of the rollups of all trades, and when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.air.instruments import indicative
from processors.calculation import Calculation, Given, Together
from processors.calendars import by_calendar
from processors.watch.hourly import PARTS, hourly
from processors.watch.neighbours import (
    LEAST_NEIGHBOURS,
    day_medians,
    neighbours,
)
from processors.watch.profile import deviation
from processors.watch.rest_days import rest_days
from processors.watch.weeks import hours_of_week
from storage.catalogue import DOMAINS, Domain
from storage.figures import Figures, figures, join
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import FloatArray, TimeArray
from storage.roster import Roster
from storage.watched import WeekProfiles

_HOUR_S = 3600
_ABOVE, _BELOW = 1, 2


def _by_trade(name: str) -> tuple[str, ...]:
    return tuple(f"{domain}_{name}" for domain in DOMAINS)


def _told(
    name: str,
    given: Given,
    value: FloatArray,
    keep: NDArray[np.bool_],
    trades: Sequence[str] = DOMAINS,
    *,
    n: ArrayLike,
    due: ArrayLike,
    code: ArrayLike = 0,
) -> list[Figures]:
    """The figures of one indicator, each with the trade of its series."""
    roster, made = given.frame.roster, []
    rough = indicative(roster, given.facts.air)
    n, due, code = (np.broadcast_to(column, value.shape) for column in (n, due, code))
    for domain in trades:
        mine = roster.domain == domain
        if mine.any():
            made.append(
                figures(
                    f"{domain}_{name}",
                    roster.series[mine],
                    given.periods,
                    value[mine],
                    now=given.now,
                    n=n[mine],
                    due=due[mine],
                    code=code[mine],
                    keep=keep[mine],
                    indicative=rough[mine][:, None] & (domain == Domain.AIR),
                )
            )
    return made


def usual(
    profiles: WeekProfiles, roster: Roster, start: TimeArray, zone: str, given: Given
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64]]:
    """Median, MAD, floor and count that are in force for each series in each hour, (n, w)."""
    shape = (len(roster), len(start))
    median, mad, floor = (np.full(shape, np.nan) for _ in range(3))
    count = np.zeros(shape, np.int64)
    if not len(profiles):
        return median, mad, floor, count
    # One number for (series, week): profiles come in that order.
    of = profiles.series.astype(np.int64) << 32 | profiles.week.astype(np.int64)
    for rows, calendar in by_calendar(roster.territory, given.facts.mobility):
        members = np.flatnonzero(rows)
        hour, monday = hours_of_week(start, zone, rest_days(start, zone, calendar))
        wanted = roster.series[members].astype(np.int64)[:, None] << 32 | monday.astype(np.int64)
        row = np.minimum(np.searchsorted(of, wanted), len(of) - 1)
        known = of[row] == wanted
        median[members] = np.where(known, profiles.median[row, hour], np.nan)
        mad[members] = np.where(known, profiles.mad[row, hour], np.nan)
        floor[members] = np.where(known, profiles.floor[row], np.nan)
        count[members] = np.where(known, profiles.count[row, hour], 0)
    return median, mad, floor, count


def _unusual_hours(given: Given) -> Figures:
    """Only hours that are unusual have a figure: of ten thousand series that is enough."""
    frame, watch = given.frame, given.facts.watch
    median, mad, floor, count = usual(
        given.profiles, frame.roster, frame.edges[:-1], given.zone, given
    )
    score = deviation(hourly(frame), median, mad, floor)
    with np.errstate(invalid="ignore"):
        far = np.abs(score) >= watch.unusual
    return join(
        _told(
            "unusual",
            given,
            score,
            far,
            n=count,
            due=watch.profile_weeks,
            code=np.where(score > 0, _ABOVE, _BELOW),
        )
    )


def _received(given: Given) -> Figures:
    """Of each day what was received and good; a sensor that said nothing received 0."""
    frame, roster = given.frame, given.frame.roster
    received, expected = frame.table("received"), frame.table("expected")
    start, stop = given.periods[:-1], given.periods[1:]
    heard = frame.table("received") > 0
    silent = ~heard & given.service.whole(start, stop) & (stop <= given.now)[None, :]
    step = np.maximum(roster.step.astype(np.int64), 1)[:, None]
    due = (stop - start).astype("timedelta64[s]").astype(np.int64)[None, :] // step
    expected = np.where(silent, np.maximum(due, 1), expected)
    expected[roster.step == 0] = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = 100 * received / np.where(expected > 0, expected, np.nan)
        good = 100 * frame.table("good") / np.where(heard, received, np.nan)
    return join(
        [
            # A device that sends more often than it was registered covers all and no more.
            *_told(
                "coverage", given, np.minimum(coverage, 100), expected > 0, n=received, due=expected
            ),
            *_told(
                "good_share",
                given,
                np.minimum(good, 100),
                heard,
                n=frame.table("good"),
                due=received,
            ),
        ]
    )


def _spoken(given: Given) -> Figures:
    """Hours heard, the day's median, and its distance from the neighbours'."""
    frame, roster = given.frame, given.frame.roster
    days, start = len(given.periods) - 1, frame.edges[:-1]
    day = np.searchsorted(given.periods, start, side="right") - 1
    day[day == days] = -1
    inside = np.flatnonzero((day >= 0) & (start < given.now))  # hours to come are not silent
    hours = np.bincount(day[inside], minlength=days)[None, :]
    heard = np.zeros((len(roster), days))
    np.add.at(heard.T, day[inside], (frame.table("received") > 0).T[inside])
    regular = ((roster.step > 0) & (roster.step <= _HOUR_S))[:, None]
    begin, stop = given.periods[:-1], given.periods[1:]
    silent = given.service.whole(begin, stop) & (stop <= given.now)[None, :]
    speaks = regular & ((heard > 0) | silent)
    median, known = day_medians(hourly(frame), day, days)
    comparable = np.isin(roster.metric, given.facts.watch.comparable) & (
        roster.domain == Domain.AIR
    )
    group = np.unique(roster.metric, return_inverse=True)[1]
    group = group * (int(roster.territory_id.max(initial=0)) + 1) + roster.territory_id
    reference, others = neighbours(np.where(comparable[:, None], median, np.nan), group)
    judged = comparable[:, None] & ~np.isnan(median) & (others > 0)
    return join(
        [
            *_told(
                "availability",
                given,
                100 * heard / np.maximum(hours, 1),
                speaks,
                n=heard,
                due=hours,
            ),
            *_told("day_median", given, median, regular & (known > 0), n=known, due=hours),
            *_told(
                "neighbour_difference",
                given,
                median - reference,
                judged,
                (Domain.AIR,),
                n=others,
                due=LEAST_NEIGHBOURS,
            ),
        ]
    )


WATCH: tuple[Calculation, ...] = (
    Calculation(
        name="unusual hours",
        makes=_by_trade("unusual"),
        metrics=(),
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=_unusual_hours,
        parts=PARTS,
        profiles=True,
    ),
    Calculation(
        name="readings of a day",
        makes=(*_by_trade("coverage"), *_by_trade("good_share")),
        metrics=(),
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_received,
        together=Together.TERRITORY,
        parts=("received", "expected", "good"),
        service=True,
    ),
    Calculation(
        name="hours of a day",
        makes=(*_by_trade("availability"), *_by_trade("day_median"), "air_neighbour_difference"),
        metrics=(),
        level=Level.HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_spoken,
        together=Together.NEIGHBOURS,
        parts=(*PARTS, "received"),
        service=True,
    ),
)
