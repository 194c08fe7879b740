"""Load curves and the peaks of days, in the clock windows that meters are counted in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors import register
from processors.calculation import Calculation, Given
from processors.energy import integration, load_curve
from processors.energy.integration import Energy
from processors.energy.meters import LOADS, PARTS, columns, frames, matching, power
from processors.runs import starts
from storage.catalogue import Kind
from storage.facts.facts import Facts
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import Batch, FloatArray, IntArray, TimeArray
from storage.roster import Roster

QUARTER_HOUR_MIN, HOUR_MIN = 15, 60
FROM_READINGS = (10, 30)
"""Windows that no rollup has. [min]"""

UNREAD = 0.5
"""Less than this of a window may be unknown: rounding. [s]"""


def demanded(roster: Roster, facts: Facts) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The window that facts say for each series, 0 where none; and whether to keep its curve."""
    window, curve = np.zeros(len(roster), np.int64), np.zeros(len(roster), np.bool_)
    for one in reversed(facts.energy.demand):
        mine = matching(roster, one.meters)
        window[mine], curve[mine] = one.window_min, one.curve
    return window, curve


def read_anew(roster: Roster, facts: Facts) -> NDArray[np.bool_]:
    """Which series have a window that only readings can fill, and send often enough for it."""
    window, _ = demanded(roster, facts)
    return np.isin(window, FROM_READINGS) & (roster.step <= window * 60)


def _peak_figures(
    name: str, given: Given, series: IntArray, edges: TimeArray, load: FloatArray
) -> Figures:
    """The highest window of each period, with how many windows are measured."""
    at = columns(edges, given.periods)
    inside, start = load[:, at.chosen], edges[:-1][at.chosen]
    if not len(start):
        return join([])
    found = load_curve.peak(inside, at.first)
    known = np.add.reduceat((~np.isnan(inside)).astype(np.int64), at.first, axis=1)
    due = np.diff(at.first, append=len(start))
    return figures(
        name, series, given.periods, found.value, now=given.now, n=known, due=due,
        at=np.where(found.window >= 0, start[found.window], np.datetime64("NaT", "us")),
        status=np.where(known < due, Status.PARTIAL, Status.COMPLETE), keep=known > 0,
    )  # fmt: skip


def _curve_figures(
    name: str, given: Given, series: IntArray, edges: TimeArray, load: FloatArray
) -> Figures:
    """Every window that is measured, of the days that are over."""
    over = edges[1:] <= given.periods[given.periods <= given.now].max(initial=edges[0])
    return figures(
        name, series, edges, load, now=given.now, n=1, due=1, keep=~np.isnan(load) & over
    )  # fmt: skip


def _from_rollups(given: Given) -> Figures:
    """Quarter-hours and clock hours; a peak of the hours of those that have no quarter-hours."""
    made = []
    for frame in frames(given):
        series, load = frame.roster.series, power(frame)
        at = columns(frame.edges, given.periods)
        load = load[:, at.chosen]
        edges = frame.edges[at.chosen.start : at.chosen.stop + 1]
        if edges[1] - edges[0] < np.timedelta64(1, "h"):
            window, curve = demanded(frame.roster, given.facts)
            kept = curve & ~np.isin(window, (*FROM_READINGS, HOUR_MIN))
            made.append(_peak_figures("load_peak_15min_day", given, series, edges, load))
            made.append(_curve_figures("load_15min", given, series[kept], edges, load[kept]))
            # Local days begin with a clock hour, and last whole ones.
            load, edges = load_curve.fixed(load, HOUR_MIN // QUARTER_HOUR_MIN), edges[::4]
        made.append(_peak_figures("load_peak_60min_day", given, series, edges, load))
    return join(made)


def flows(roster: Roster, read: Batch, edges: TimeArray, now: np.datetime64) -> Energy:
    """What readings say of each window, series by window; gaps are not interpolated."""
    row = np.searchsorted(roster.series, read.series)
    shape = len(roster), len(edges) - 1
    amount, known = np.zeros(shape), np.zeros(shape)
    for kind in (Kind.INDEX, Kind.COUNT, Kind.GAUGE):
        mine = (roster.kind == kind)[row]
        part = _of_kind(kind, roster, read.take(mine), row[mine], edges, now)
        amount += part.amount
        known += part.known
    return Energy(amount, known)


def _of_kind(
    kind: Kind, roster: Roster, read: Batch, row: NDArray[np.intp], edges: TimeArray,
    now: np.datetime64,
) -> Energy:  # fmt: skip
    if kind is Kind.GAUGE:
        return integration.energy(read.time, read.value, row, roster.step, edges, now=now)
    if kind is Kind.COUNT:
        end = read.time + (roster.step[row].astype(np.int64) * 1_000_000).astype("timedelta64[us]")
        return integration.spread(read.time, end, read.value, row, len(roster), edges)
    first = starts(row)
    unknown = np.full(len(first), np.nan)
    flow = register.increments(
        read.time, read.value, first, roster.step[row[first]].astype(np.int64), unknown, unknown
    )
    sure = ~flow.gap
    return integration.spread(
        flow.begin[sure], flow.end[sure], flow.amount[sure], row[first][flow.register[sure]],
        len(roster), edges,
    )  # fmt: skip


def _from_readings(given: Given) -> Figures:
    """Ten minutes and half-hours, of the meters that are counted in them."""
    roster, made = given.frame.roster, []
    window, curve = demanded(roster, given.facts)
    for length in FROM_READINGS:
        mine = window == length
        edges = np.arange(
            given.periods[0],
            given.periods[-1] + np.timedelta64(1, "us"),
            np.timedelta64(length, "m"),
        )
        here = roster.take(mine)
        found = flows(
            here, given.readings.take(np.isin(given.readings.series, here.series)), edges, given.now
        )
        load = load_curve.mean_power(found.amount, found.known)
        load[found.known < length * 60 - UNREAD] = np.nan
        made.append(_peak_figures(f"load_peak_{length}min_day", given, here.series, edges, load))
        kept = curve[mine]
        made.append(
            _curve_figures(f"load_{length}min", given, here.series[kept], edges, load[kept])
        )
    return join(made)


DEMAND: tuple[Calculation, ...] = (
    Calculation(
        name="peaks of quarter-hours and hours",
        makes=("load_15min", "load_peak_15min_day", "load_peak_60min_day"),
        metrics=LOADS,
        level=Level.QUARTER_HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_from_rollups,
        parts=PARTS,
        coarse=True,
    ),
    Calculation(
        name="peaks of ten minutes and half-hours",
        makes=("load_10min", "load_30min", "load_peak_10min_day", "load_peak_30min_day"),
        metrics=LOADS,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_from_readings,
        before=np.timedelta64(2, "h"),
        after=np.timedelta64(2, "h"),
        ahead=np.timedelta64(2, "h"),
        parts=("good",),
        raw=True,
        only=read_anew,
    ),
)
