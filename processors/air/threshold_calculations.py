"""Which thresholds of information and alert measurements passed on each local day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors import periods
from processors.air.best_hours import ASKING, READS, best_hours
from processors.air.capture import captured_mean, needed
from processors.air.days import by_day
from processors.air.instruments import indicative
from processors.air.rounding import half_up
from processors.air.threshold_table import CONFIGURED, InForce, in_force
from processors.air.thresholds import first, passed, two_running
from processors.calculation import Calculation, Given, Together
from storage.figures import NEVER, Figures, figures, join
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray, TimeArray

PARTICLES = ("pm10", "pm25")
"""Told by the mean of the day, the others by the hour."""

_LONGEST_DAY = np.timedelta64(25, "h")


def _thresholds(given: Given) -> Figures:
    """The highest level of each law on each day, with the day before for what lasts."""
    frame, hour = best_hours(given)
    roster = frame.roster
    begin = given.periods[0]
    yesterday = periods.edges(Period.DAY, begin - np.timedelta64(1, "us"), begin, given.zone)[0]
    days = np.concatenate([[yesterday], given.periods]).astype("datetime64[us]")
    table, due, _ = by_day(hour, frame.edges, days)
    mean, valid = captured_mean(table, due)
    told, hour = half_up(mean), half_up(hour)
    n, due = valid[:, 1:], due[1:]
    enough = n >= needed(due)
    made = []
    for name, law in (("threshold_fr", "fr"), ("threshold_eu", "eu")):
        level = np.zeros(n.shape)
        at = np.full(n.shape, NEVER)
        method = np.zeros(n.shape, np.int16)
        ruled = np.zeros(n.shape, np.bool_)
        methods = len(INDICATORS[POSITION[name]].methods)
        for one in in_force(law, given.facts.air, given.periods, given.zone):
            rows = np.flatnonzero(roster.metric == one.rule.pollutant)
            hit, when = _passed(one, hour[rows], told[rows], frame.edges, days)
            hit &= one.days
            level[rows] = np.where(hit, one.rank, level[rows])
            at[rows] = np.where(hit, when, at[rows])
            number = methods - 1 if one.rule.method == CONFIGURED else one.rule.method
            method[rows] = np.maximum(method[rows], np.where(one.days, number, 0))
            ruled[rows] |= one.days
        of_law = figures(
            name, roster.series, given.periods, np.where((level > 0) | enough, level, np.nan),
            now=given.now, n=n, due=due, at=at, method=method, code=level,
            status=np.where(enough, Status.COMPLETE, Status.PARTIAL), keep=ruled & (n > 0),
            indicative=indicative(roster, given.facts.air)[:, None],
        )  # fmt: skip
        made.append(of_law)
    return join(made)


def _passed(
    one: InForce, hour: FloatArray, told: FloatArray, hours: TimeArray, days: TimeArray
) -> tuple[NDArray[np.bool_], TimeArray]:
    """Days on which a rule was met, and when first; days begin with the one before."""
    over = one.rule.over
    assert over is not None  # a rule without a value is never in force
    if one.rule.pollutant in PARTICLES:
        marked = told > over
        when = np.broadcast_to(days[1:], marked.shape)
    else:
        table, _, begin = by_day(passed(hour, over, one.rule.hours).astype(np.float64), hours, days)
        marked, position = first(table == 1)
        when = hours[begin + position + 1]
    hit = two_running(marked) if one.rule.level == "persistence" else marked[:, 1:].copy()
    return hit, when[:, 1:]


AIR_THRESHOLDS: tuple[Calculation, ...] = (
    Calculation(
        name="thresholds of information and alert",
        makes=("threshold_fr", "threshold_eu"),
        metrics=ASKING,
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.DAY,
        compute=_thresholds,
        before=_LONGEST_DAY,
        after=_LONGEST_DAY,
        reads=READS,
        together=Together.SITE,
    ),
)
