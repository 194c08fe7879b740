"""Loads of months and years: mean, peak, load factor, and what the base load draws."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given
from processors.calendars import local_time
from processors.energy import base_load, load_curve
from processors.energy.consumption import MINUTE_S, total
from processors.energy.demand_calculations import demanded
from processors.energy.load_factor import load_factor
from processors.energy.meters import ENOUGH, LOADS, PARTS, columns, flow
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray, IntArray, TimeArray

WINDOWS_MIN = (10, 15, 30, 60)
"""By position in the methods of peaks. [min]"""

DAILY_PEAKS = tuple(f"load_peak_{window}min_day" for window in WINDOWS_MIN)


class Table(NamedTuple):
    """Figures of one indicator as tables, series by period; NaN, NaT and 0 where there is none."""

    value: FloatArray
    at: TimeArray
    n: NDArray[np.int64]
    complete: NDArray[np.bool_]
    method: NDArray[np.int64]


def table(read: Figures, name: str, series: IntArray, start: TimeArray) -> Table:
    """Those whose period begins at one of ``start``, ascending."""
    mine = read.of(name)
    row, column = np.searchsorted(series, mine.subject), np.searchsorted(start, mine.start)
    here = (row < len(series)) & (column < len(start))
    here[here] = (series[row[here]] == mine.subject[here]) & (
        start[column[here]] == mine.start[here]
    )
    place, shape = (row[here], column[here]), (len(series), len(start))
    found = Table(
        np.full(shape, np.nan), np.full(shape, "NaT", "datetime64[us]"), np.zeros(shape, np.int64),
        np.zeros(shape, np.bool_), np.zeros(shape, np.int64),
    )  # fmt: skip
    found.value[place], found.at[place] = mine.value[here], mine.at[here]
    found.n[place], found.method[place] = mine.n[here], mine.method[here]
    found.complete[place] = mine.status[here] == Status.COMPLETE
    return found


def elapsed_minutes(edges: TimeArray, now: np.datetime64) -> NDArray[np.int64]:
    """How long periods have lasted until now. [min]"""
    until = np.minimum(edges[1:], now.astype("datetime64[us]"))
    gone: NDArray[np.int64] = np.maximum((until - edges[:-1]).astype(np.int64), 0)
    return gone // (MINUTE_S * 1_000_000)


class Highest(NamedTuple):
    """The highest peaks of periods, shape (n, p), and the window they are counted in, (n, 1)."""

    value: FloatArray
    at: TimeArray
    n: NDArray[np.int64]
    window: NDArray[np.int64]


def _highest(given: Given, starts: TimeArray, first: NDArray[np.intp]) -> Highest:
    """From the days' peaks in each series' window: as facts say, else the finest there is."""
    roster = given.frame.roster
    tables = [table(given.figures, name, roster.series, starts) for name in DAILY_PEAKS]
    wanted, _ = demanded(roster, given.facts)
    some = np.stack([~np.isnan(one.value).all(axis=1) for one in tables])
    finest = np.where(some[1], 1, 3)
    said = np.searchsorted(WINDOWS_MIN, wanted)
    there = (wanted > 0) & some[np.minimum(said, 3), np.arange(len(roster))]
    window = np.where(there, said, finest)
    series, pick = np.arange(len(roster)), window
    value = np.stack([one.value for one in tables])[pick, series]
    at = np.stack([one.at for one in tables])[pick, series]
    whole = np.stack([one.complete for one in tables])[pick, series]
    found = load_curve.peak(value, first)
    row = np.arange(len(roster))[:, None]
    dated = np.where(found.window >= 0, at[row, found.window], np.datetime64("NaT", "us"))
    days = np.add.reduceat(whole.astype(np.int64), first, axis=1)
    return Highest(found.value, dated, days, window[:, None])


def _months(given: Given) -> Figures:
    """Mean, peak and load factor of months, from days."""
    frame, periods = given.frame, given.periods
    at = columns(frame.edges, periods)
    starts, series = frame.edges[:-1][at.chosen], frame.roster.series
    amount, _, known = (part[:, at.chosen] for part in flow(frame))
    covered = np.add.reduceat(known, at.first, axis=1)
    minutes = np.round(covered / MINUTE_S).astype(np.int64)
    due = elapsed_minutes(periods, given.now)
    mean = load_curve.mean_power(total(amount, at.first), covered)
    mean[minutes < ENOUGH * due] = np.nan
    whole = minutes >= due
    top = _highest(given, starts, at.first)
    days = np.add.reduceat(starts < given.now, at.first).astype(np.int64)
    every = top.n >= days
    some: dict[str, Any] = {"now": given.now, "method": top.window}
    return join(
        [
            figures(
                "load_mean_month", series, periods, mean, now=given.now, n=minutes, due=due,
                status=np.where(whole, Status.COMPLETE, Status.PARTIAL), keep=minutes > 0,
            ),
            figures(
                "load_peak_month", series, periods, top.value, n=top.n, due=days, at=top.at,
                status=np.where(every, Status.COMPLETE, Status.PARTIAL),
                keep=~np.isnan(top.value), **some,
            ),
            figures(
                "load_factor_month", series, periods, load_factor(mean, top.value), n=top.n,
                due=days, status=np.where(every & whole, Status.COMPLETE, Status.PARTIAL),
                keep=~np.isnan(top.value) & (minutes > 0), **some,
            ),
        ]
    )  # fmt: skip


def _years(given: Given) -> Figures:
    """The same of years, and the base load's energy, from months."""
    periods, series = given.periods, given.frame.roster.series
    months = _month_edges(given)
    starts = months[:-1]
    first = np.searchsorted(starts, periods[:-1])
    length = elapsed_minutes(months, given.now)
    mean = table(given.figures, "load_mean_month", series, starts)
    top = table(given.figures, "load_peak_month", series, starts)
    base = table(given.figures, "base_load_month", series, starts)
    counted = np.where(np.isnan(mean.value), 0, mean.n)
    minutes = np.add.reduceat(counted, first, axis=1)
    due = elapsed_minutes(periods, given.now)
    power = load_curve.mean_power(total(mean.value * counted / 60, first), minutes * 60.0)
    power[minutes < ENOUGH * due] = np.nan
    found = load_curve.peak(top.value, first)
    row, place = np.arange(len(series))[:, None], found.window
    dated = np.where(place >= 0, top.at[row, place], np.datetime64("NaT", "us"))
    factor = load_factor(power, found.value)
    begun = np.add.reduceat(length > 0, first).astype(np.int64)
    whole = np.add.reduceat(top.complete.astype(np.int64), first, axis=1)
    even = (minutes >= due) & (whole >= begun)
    status = np.where(even, Status.COMPLETE, Status.PARTIAL)
    peaks: dict[str, Any] = {
        "now": given.now,
        "method": top.method[row, place],
        "keep": place >= 0,
    }
    hours = np.where(np.isnan(base.value), 0.0, length / 60)
    drawn = total(base_load.base_energy(base.value, length / 60), first)
    lasting = np.add.reduceat(hours, first, axis=1)
    known = np.add.reduceat((~np.isnan(base.value)).astype(np.int64), first, axis=1)
    bases: dict[str, Any] = {
        "now": given.now,
        "n": known,
        "due": begun,
        "keep": known > 0,
        "status": np.where(known < begun, Status.PARTIAL, Status.COMPLETE),
    }
    return join(
        [
            figures(
                "load_peak_year", series, periods, found.value, n=whole, due=begun, at=dated,
                status=np.where(whole >= begun, Status.COMPLETE, Status.PARTIAL), **peaks,
            ),
            figures(
                "load_factor_year", series, periods, factor, n=minutes, due=due, status=status,
                **peaks,
            ),
            figures(
                "utilisation_hours_year", series, periods, factor * due / 60, n=minutes, due=due,
                status=status, **peaks,
            ),
            figures(
                "base_load_year", series, periods,
                load_curve.mean_power(drawn, lasting * 3600), **bases,
            ),
            figures("base_energy_year", series, periods, drawn, **bases),
        ]
    )  # fmt: skip


def _month_edges(given: Given) -> TimeArray:
    """Of all the months of the given years: the local days that begin one."""
    begin = given.frame.edges
    day = local_time(begin, given.zone).astype("datetime64[D]")
    months: TimeArray = begin[day == day.astype("datetime64[M]").astype("datetime64[D]")]
    return months


MONTHS: tuple[Calculation, ...] = (
    Calculation(
        name="loads of months",
        makes=("load_mean_month", "load_peak_month", "load_factor_month"),
        metrics=LOADS,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.MONTH,
        compute=_months,
        parts=PARTS,
        reads=DAILY_PEAKS,
    ),
)

YEARS: tuple[Calculation, ...] = (
    Calculation(
        name="loads of years",
        makes=(
            "load_peak_year", "load_factor_year", "utilisation_hours_year", "base_load_year",
            "base_energy_year",
        ),
        metrics=LOADS,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.YEAR,
        compute=_years,
        parts=("good",),
        reads=("load_mean_month", "load_peak_month", "base_load_month"),
    ),
)  # fmt: skip
