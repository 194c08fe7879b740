"""How congested a day was, against what the nights before say is free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from processors import windows
from processors.calculation import Given
from processors.calendars import local_time
from processors.mobility import congestion, flow, speed
from processors.mobility.day_figures import QUARTER_S, weights
from processors.mobility.quarters import by_window, gather, within
from processors.pairing import named
from processors.runs import Rows
from storage.figures import NEVER, Figures, figures, join, no_figures
from storage.indicators.word import Status
from storage.reading import FloatArray

NIGHTS = 14
"""Days whose nights say what is free: this one and those before."""

LEAST_PERCENT = 25
"""Of the night hours that there should be: with less, nobody knows what is free."""

BEFORE = np.timedelta64(NIGHTS, "D")
# A day of 25 hours may lie between.
AFTER = np.timedelta64((NIGHTS - 1) * 24 + 2, "h")


@dataclass(frozen=True, slots=True)
class _Hours:
    """Speeds by local day and hour, each of shape (n, days, hours).

    ``space`` is NaN where too little is measured; ``due`` says where vehicles passed, as far
    as is known; ``stood`` where all of them stood still.
    """

    space: FloatArray
    due: NDArray[np.bool_]
    stood: NDArray[np.bool_]


def congested(given: Given) -> Figures:
    """Free-flow speed, congestion index and hours of congestion of every whole day."""
    roster, facts = given.frame.roster, given.facts.mobility
    rows = np.flatnonzero((roster.metric == "speed") | (roster.metric == "travel_time"))
    if not len(rows):
        return no_figures()
    said = by_window(given, QUARTER_S)
    value = said.mean[rows]
    taken = (roster.metric[rows] == "travel_time")[:, None]
    with np.errstate(divide="ignore"):
        value = np.where(taken, np.where(value > 0, 3600.0 / value, np.nan), value)
    days = windows.local_days(given.frame.edges[0], given.periods[-1], given.zone)
    first = int(np.searchsorted(days, given.periods[0]))
    window = _by_hour(within(given.frame.edges, days[first - NIGHTS + 1 :]))
    single = named(roster, facts.individual_speeds)[rows]
    weight, _ = weights(given, said, rows, single, window)
    value = gather(value, window)
    hour = _hours(value, weight)
    free, n, due = _free(hour, _night(given, window))
    enough = (n >= NIGHTS) & (100 * n >= LEAST_PERCENT * due)
    free = np.where(enough, free, np.nan)
    part = 100 * n < flow.CAPTURE_PERCENT * due
    closed = given.periods[1:] <= given.now
    fast = roster.metric[rows] == "speed"
    measured = (~np.isnan(_days(value)[:, NIGHTS - 1 :])).sum(axis=-1) > 0
    made = figures(
        "free_flow_speed", roster.series[rows][fast], given.periods, free[fast], now=given.now,
        n=n[fast], due=due[fast], status=np.where(part, Status.PARTIAL, Status.COMPLETE)[fast],
        keep=closed & measured[fast],
    )  # fmt: skip
    whole = speed.mean_speeds(_days(value), _days(weight))
    return join([made, _index(given, rows, window, hour, whole.space, free, part)])


def _by_hour(window: Rows) -> Rows:
    """Quarter-hours of days as hours of days, shape (days, hours, 4)."""
    short = -window.shape[1] % 4
    padded = np.pad(window, ((0, 0), (0, short)), constant_values=-1)
    return padded.reshape(len(window), -1, 4)


def _days(table: FloatArray) -> FloatArray:
    return table.reshape(*table.shape[:2], -1)


def _hours(value: FloatArray, weight: FloatArray) -> _Hours:
    """Space-mean speeds of hours of which 75 % is measured."""
    measured = ~np.isnan(value) & (weight > 0)
    # A missing speed is no vehicle that stands: only those of known speed are asked.
    mean = speed.mean_speeds(value, np.where(np.isnan(value), np.nan, weight))
    due = (~(weight == 0)).sum(axis=-1)
    valid = (measured.sum(axis=-1) * 100 >= flow.CAPTURE_PERCENT * due) & (due > 0)
    return _Hours(
        np.where(valid, mean.space, np.nan), due > 0,
        valid & (mean.moving == 0) & (mean.stopped > 0),
    )  # fmt: skip


def _night(given: Given, window: Rows) -> NDArray[np.bool_]:
    """Which hours are those of free traffic by the clock on the wall, shape (days, hours)."""
    start = given.frame.edges[:-1]
    wall = local_time(start, given.zone)
    hour = ((wall - wall.astype("datetime64[D]")) // np.timedelta64(1, "h")).astype(np.int64)
    begin, end = given.facts.mobility.night
    free = (hour >= begin) & (hour < end) if begin < end else (hour >= begin) | (hour < end)
    first = window[..., 0]
    night: NDArray[np.bool_] = (first >= 0) & free[first]
    return night


def _free(
    hour: _Hours, night: NDArray[np.bool_]
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Free-flow speed by day, hours it is taken from and hours there should be, shape (n, p)."""
    most = int(night.sum(axis=1).max(initial=0))
    by_night = np.sort(np.where(night, hour.space, np.nan), axis=-1)[..., :most]
    nights = sliding_window_view(by_night, NIGHTS, axis=1)
    free, n = congestion.free_flow_speed(nights.reshape(*nights.shape[:2], -1))
    due = sliding_window_view((hour.due & night).sum(axis=-1), NIGHTS, axis=1).sum(axis=-1)
    return free, n, due


def _index(
    given: Given, rows: Rows, window: Rows, hour: _Hours, day: FloatArray, free: FloatArray,
    part: NDArray[np.bool_],
) -> Figures:  # fmt: skip
    last = slice(NIGHTS - 1, None)
    space, stood = hour.space[:, last], hour.stood[:, last]
    # Hours that a shorter day does not have are not due.
    due = (hour.due & (window[..., 0] >= 0))[:, last].sum(axis=-1)
    index = congestion.congestion_index(space, free[..., None])
    n = (~np.isnan(space) | stood).sum(axis=-1)
    enough = 100 * n >= flow.CAPTURE_PERCENT * due
    slow = ((index >= given.facts.mobility.congested_above) | stood).sum(axis=-1)
    whole = congestion.congestion_index(day[:, last], free)
    filled = np.where(np.isnan(index), -np.inf, index)
    worst = filled.argmax(axis=-1)
    peak = np.take_along_axis(filled, worst[..., None], axis=-1)[..., 0]
    start = given.frame.edges[window[last][np.arange(len(given.periods) - 1), worst, 0]]
    at = np.where(np.isfinite(peak), start, NEVER)
    known = enough & ~np.isnan(free)
    closed = given.periods[1:] <= given.now
    gaps = part | (n < due)
    standing = stood.any(axis=-1)
    columns = (
        ("congestion_index", whole, NEVER, part | standing),
        ("peak_congestion_index", np.where(np.isfinite(peak), peak, np.nan), at, gaps | standing),
        ("congested_hours", slow.astype(np.float64), NEVER, gaps),
    )
    return join(
        [
            figures(
                name, given.frame.roster.series[rows], given.periods,
                np.where(known, value, np.nan), now=given.now, n=n, due=due, at=when,
                status=np.where(lesser, Status.PARTIAL, Status.COMPLETE), keep=closed & (n > 0),
            )
            for name, value, when, lesser in columns
        ]
    )  # fmt: skip
