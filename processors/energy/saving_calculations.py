"""What buildings save against the baseline that the city has set."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from processors import periods
from processors.air.capture import needed
from processors.calculation import Calculation, Given
from processors.energy.building_days import (
    NO_TIME,
    YEAR,
    by_series,
    calculation,
    calendar,
    outside,
    spans,
)  # fmt: skip
from processors.energy.buildings import Standing, standing, table
from processors.energy.change_points import PARAMETERS
from processors.energy.savings import cusum, uncertainty
from processors.energy.signature import Signature, expected
from processors.energy.signature_calculations import BASELINE
from storage.figures import Figures, figures, join, no_figures
from storage.indicators.word import Period, Status
from storage.reading import FloatArray, TimeArray

LONG = np.timedelta64(3_660, "D")
"""How long savings go on being counted against a baseline, and its changes are followed."""


def _frozen(given: Given, buildings: Standing, end: TimeArray) -> Signature:
    """The baselines as they were stored: in the year in which each of them ended."""
    moment = np.timedelta64(1, "us")
    years = periods.edges(Period.YEAR, end.min() - moment, end.max(), given.zone)
    row, column = np.arange(len(buildings)), np.searchsorted(years, end) - 1
    parts = {}
    for name in BASELINE:
        parts[name] = table(given.figures, f"baseline_{name}", buildings.site, years)[0][
            row, column
        ]
    base = given.figures.of("baseline_base")
    where = table(given.figures, "baseline_base", buildings.site, years)[1][row, column]
    days, model = (np.append(part, 0)[where].astype(np.int64) for part in (base.n, base.code))
    none = np.full(len(buildings), np.nan)
    return Signature(
        **parts, r2=none, cvrmse=none, nmbe=none, coldest=none, warmest=none,
        days=days, parameters=PARAMETERS[model], model=model,
    )  # fmt: skip


def _margin(frozen: Signature, whole: FloatArray, days: NDArray[np.int64]) -> FloatArray:
    return uncertainty(
        frozen.rmse[:, None], frozen.mean[:, None], frozen.days[:, None],
        frozen.parameters[:, None], frozen.autocorrelation[:, None], whole, days,
    )  # fmt: skip


def _with_baseline(given: Given) -> tuple[Standing, TimeArray]:
    every = standing(given.frame.roster, given.facts.energy)
    end = spans(given, every)[1]
    mine = np.flatnonzero(~np.isnat(end))
    return Standing(every.site[mine], tuple(every.facts[k] for k in mine.tolist())), end[mine]


def _savings(given: Given) -> Figures:
    buildings, end = _with_baseline(given)
    if not len(buildings):
        return no_figures()
    series, lesser = outside(given, buildings)
    edges = given.periods
    days = calendar(given, edges[0], edges[-1])
    frozen = _frozen(given, buildings, end)
    after = (days[:-1] >= end[:, None]) & (days[1:] <= given.now)[None, :]
    energy, _ = table(given.figures, "building_energy", buildings.site, days)
    warmth = by_series(given, "outdoor_day_mean", series, days)
    told = np.where(after, expected(frozen, warmth), np.nan)
    there = after & ~np.isnan(energy) & ~np.isnan(told)
    first = np.searchsorted(days, edges[:-1])
    n = np.add.reduceat(there.astype(np.int64), first, axis=1)
    due = np.add.reduceat(after.astype(np.int64), first, axis=1)
    whole = np.add.reduceat(np.where(there, told, 0.0), first, axis=1)
    saved = np.add.reduceat(np.where(there, told - energy, 0.0), first, axis=1)
    enough = (n > 0) & (n >= needed(due))
    margin = _margin(frozen, whole, n)
    known = np.add.reduceat((after & ~np.isnan(energy)).astype(np.int64), first, axis=1) > 0
    told_month = partial(
        figures, now=given.now, n=n, due=due, indicative=lesser[:, None], keep=known,
        status=np.where(n < due, Status.PARTIAL, Status.COMPLETE),
    )  # fmt: skip
    return join(
        [
            figures(
                "building_expected",
                buildings.site,
                days,
                told,
                now=given.now,
                indicative=lesser[:, None],
                keep=~np.isnan(told),
                n=1,
                due=1,
            ),
            told_month(
                "building_expected_month", buildings.site, edges, np.where(enough, whole, np.nan)
            ),
            told_month(
                "building_saving",
                buildings.site,
                edges,
                np.where(enough, saved, np.nan),
                low=np.where(enough, saved - margin, np.nan),
                high=np.where(enough, saved + margin, np.nan),
            ),
        ]
    )


def _cusums(given: Given) -> Figures:
    buildings, end = _with_baseline(given)
    if not len(buildings):
        return no_figures()
    _, lesser = outside(given, buildings)
    months = periods.edges(
        Period.MONTH, min(end.min(), given.periods[0]), given.periods[-1], given.zone
    )
    frozen = _frozen(given, buildings, end)
    saved, where = table(given.figures, "building_saving", buildings.site, months)
    whole, _ = table(given.figures, "building_expected_month", buildings.site, months)
    counts = np.append(given.figures.of("building_saving").n, 0)[where]
    known = ~np.isnan(saved)
    n = np.cumsum(np.where(known, counts, 0), axis=1)
    total = cusum(-saved, np.zeros_like(saved))
    margin = _margin(frozen, np.cumsum(np.where(known, whole, 0.0), axis=1), n)
    days = calendar(given, months[0], months[-1])
    after = (days[:-1] >= end[:, None]) & (days[1:] <= given.now)[None, :]
    passed = np.cumsum(after, axis=1)
    due = passed[:, np.searchsorted(days, months[1:]) - 1]
    mine = slice(int(np.searchsorted(months, given.periods[0])), None)
    return figures(
        "building_cusum", buildings.site, given.periods, total[:, mine], now=given.now,
        n=n[:, mine], due=due[:, mine], low=(total - margin)[:, mine],
        high=(total + margin)[:, mine], indicative=lesser[:, None], keep=(where >= 0)[:, mine],
        status=np.where(n < due, Status.PARTIAL, Status.COMPLETE)[:, mine],
    )  # fmt: skip


_STORED = {f"baseline_{name}": LONG + YEAR for name in BASELINE}

SAVINGS: tuple[Calculation, ...] = (
    calculation(
        "savings",
        ("building_expected", "building_expected_month", "building_saving"),
        Period.MONTH,
        _savings,
        {"building_energy": NO_TIME, "outdoor_day_mean": NO_TIME, **_STORED},
        LONG,
    ),
    calculation(
        "cumulative savings",
        ("building_cusum",),
        Period.MONTH,
        _cusums,
        {"building_saving": LONG, "building_expected_month": LONG, **_STORED},
        LONG,
    ),
)
