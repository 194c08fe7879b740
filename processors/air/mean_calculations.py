"""Means of hours, of eight and of days, the highest of a day, and when they are computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.capture import captured_mean
from processors.air.days import by_day
from processors.air.hours import heard, valid_hours
from processors.air.instruments import indicative
from processors.air.running import daily_maximum, running_mean
from processors.calculation import Calculation, Given
from storage.figures import NEVER, Figures, figures, join
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import FloatArray

DAY, EIGHT = 24, 8
_REACH = np.timedelta64(EIGHT - 1, "h")

MEANS = ("no2", "o3", "so2", "pm10", "pm25", "co")
EIGHT_HOURS = ("o3", "co")


def _day_statistics(given: Given) -> Figures:
    """Each indicator has one unit: carbon monoxide is told apart, in mg/m3."""
    hour, edges = valid_hours(given.frame), given.frame.edges
    metric = given.frame.roster.metric
    eight = np.isin(metric, EIGHT_HOURS)
    running = np.full(hour.shape, np.nan)
    running[eight] = running_mean(hour[eight], EIGHT)[0]
    running[:, edges[1:] > given.now] = np.nan  # a mean of hours to come is none
    days = by_day(hour, edges, given.periods)[0]
    mean, valid = captured_mean(days, DAY)
    made = [
        _of_rows(given, name, metric_is, mean[metric_is], valid[metric_is])
        for name, metric_is in (
            ("air_day_mean", metric != "co"),
            ("co_day_mean", metric == "co"),
        )
    ]
    highest = (
        ("air_day_max", metric != "co", hour, 0),
        ("air_day_max_8h", metric == "o3", running, 1),
        ("co_day_max_8h", metric == "co", running, 1),
    )
    made += [
        _highest(given, name, rows, table[rows], valid[rows] > 0, dated)
        for name, rows, table, dated in highest
    ]
    return join(made)


def _of_rows(
    given: Given,
    name: str,
    rows: NDArray[np.bool_],
    mean: FloatArray,
    valid: NDArray[np.int64],
) -> Figures:
    some = given.frame.roster.take(rows)
    return figures(
        name, some.series, given.periods, mean, now=given.now, n=valid, due=DAY,
        keep=valid > 0, indicative=indicative(some, given.facts.air)[:, None],
    )  # fmt: skip


def _highest(
    given: Given,
    name: str,
    rows: NDArray[np.bool_],
    hour: FloatArray,
    heard: NDArray[np.bool_],
    dated: int,
) -> Figures:
    """Daily maxima, dated by the start (0) or the end (1) of the hour where they stand.

    What too few hours give is no maximum, but the maximum is at least that: ``low``. Days on
    which nothing was heard have no figure, though a mean of the evening before may reach them.
    """
    some, edges = given.frame.roster.take(rows), given.frame.edges
    table, due, first = by_day(hour, edges, given.periods)
    highest, valid, position, least = daily_maximum(table, due)
    unknown = np.isnan(highest)
    return figures(
        name, some.series, given.periods, highest, now=given.now, n=valid, due=due,
        at=np.where(unknown, NEVER, edges[first + position + dated]),
        low=np.where(unknown, least, np.nan), keep=heard,
        indicative=indicative(some, given.facts.air)[:, None],
    )  # fmt: skip


def _hours(given: Given) -> Figures:
    """Hourly means where 75 % of the hour was measured; of less, that it was too little."""
    frame = given.frame
    mean, usable, due = valid_hours(frame), frame.usable(), frame.table("expected")
    some = heard(frame)
    made = []
    for name, rows in (
        ("air_hour_mean", frame.roster.metric != "co"),
        ("co_hour_mean", frame.roster.metric == "co"),
    ):
        mine = frame.roster.take(rows)
        made.append(figures(
            name, mine.series, given.periods, mean[rows], now=given.now, n=usable[rows],
            due=due[rows], keep=some[rows], indicative=indicative(mine, given.facts.air)[:, None],
        ))  # fmt: skip
    return join(made)


def _running(given: Given) -> Figures:
    """Means of eight hours for every hour that was measured, as that hour's figure."""
    hour = valid_hours(given.frame)
    mean, valid = running_mean(hour, EIGHT)
    size = len(given.periods) - 1
    made = []
    for name, metric in (("air_8h_mean", "o3"), ("co_8h_mean", "co")):
        rows = given.frame.roster.metric == metric
        some = given.frame.roster.take(rows)
        told = figures(
            name, some.series, given.periods, mean[rows, -size:], now=given.now,
            n=valid[rows, -size:], due=EIGHT, keep=~np.isnan(hour[rows, -size:]),
            indicative=indicative(some, given.facts.air)[:, None],
        )  # fmt: skip
        made.append(told)
    return join(made)


AIR_MEANS: tuple[Calculation, ...] = (
    Calculation(
        name="means of hours",
        makes=("air_hour_mean", "co_hour_mean"),
        metrics=MEANS,
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=_hours,
    ),
    Calculation(
        name="means and maxima of regulatory days",
        makes=("air_day_mean", "co_day_mean", "air_day_max", "air_day_max_8h", "co_day_max_8h"),
        metrics=MEANS,
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.AIR_DAY,
        compute=_day_statistics,
        before=_REACH,
        after=_REACH,
    ),
    Calculation(
        name="running 8-hour means",
        makes=("air_8h_mean", "co_8h_mean"),
        metrics=EIGHT_HOURS,
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.HOUR,
        compute=_running,
        before=_REACH,
        after=_REACH,
    ),
)
