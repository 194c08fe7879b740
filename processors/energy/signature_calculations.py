"""Signatures of buildings, of each year and of the baselines that the city has set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.capture import needed
from processors.calculation import Calculation, Given
from processors.energy.building_days import (
    NO_TIME,
    by_series,
    calculation,
    calendar,
    outside,
    spans,
)  # fmt: skip
from processors.energy.buildings import Standing, standing, table
from processors.energy.change_points import PARAMETERS, Model
from processors.energy.signature import Signature, fit
from storage.facts.energy_buildings import LONGEST_BASELINE
from storage.figures import Figures, figures, join, no_figures
from storage.indicators.word import Period, Status
from storage.reading import TimeArray

SIGNATURE = ("base", "heating", "cooling", "heating_point", "cooling_point", "r2", "cvrmse")
BASELINE = (
    "base", "heating", "cooling", "heating_point", "cooling_point", "rmse", "mean",
    "autocorrelation",
)  # fmt: skip
PERCENT = {"cvrmse": 100.0}
_BASELINE = np.timedelta64(LONGEST_BASELINE.days + 1, "D")


def _signatures(given: Given) -> Figures:
    buildings = standing(given.frame.roster, given.facts.energy)
    if not len(buildings):
        return no_figures()
    series, lesser = outside(given, buildings)
    made = []
    for start, stop in zip(given.periods[:-1], given.periods[1:], strict=True):
        days = calendar(given, start, stop)
        energy, _ = table(given.figures, "building_energy", buildings.site, days)
        found = fit(energy, by_series(given, "outdoor_day_mean", series, days))
        due = int((days[1:] <= given.now).sum())
        made += _told(
            given, "signature", SIGNATURE, buildings, np.array([start, stop]), found,
            np.full(len(buildings), due), lesser, (~np.isnan(energy)).sum(axis=1) > 0,
        )  # fmt: skip
    return join(made)


def _told(
    given: Given, kind: str, names: tuple[str, ...], buildings: Standing, edges: TimeArray,
    found: Signature, due: NDArray[np.int64], lesser: NDArray[np.bool_], keep: NDArray[np.bool_],
) -> list[Figures]:  # fmt: skip
    """The parameters of signatures as figures; a part that a model has not makes none."""
    whole = found.days >= needed(due)
    status = np.where(whole, Status.COMPLETE, Status.PARTIAL)[:, None]
    return [
        figures(
            f"{kind}_{name}", buildings.site, edges, value[:, None], now=given.now,
            n=found.days[:, None], due=due[:, None], code=found.model[:, None], status=status,
            indicative=lesser[:, None],
            keep=(keep & ~(np.isnan(value) & (found.model != Model.NONE)))[:, None],
        )
        for name in names
        for value in [getattr(found, name) * PERCENT.get(name, 1.0)]
    ]  # fmt: skip


def _baselines(given: Given) -> Figures:
    """Fitted in the year in which the baseline ends, from all of its days."""
    buildings = standing(given.frame.roster, given.facts.energy)
    if not len(buildings):
        return no_figures()
    series, lesser = outside(given, buildings)
    begin, end = spans(given, buildings)
    made = []
    for start, stop in zip(given.periods[:-1], given.periods[1:], strict=True):
        mine = np.flatnonzero((end > start) & (end <= stop))
        if not len(mine):
            continue
        some = Standing(buildings.site[mine], tuple(buildings.facts[k] for k in mine.tolist()))
        days = calendar(given, start - np.timedelta64(LONGEST_BASELINE.days, "D"), stop)
        within = (days[:-1] >= begin[mine, None]) & (days[:-1] < end[mine, None])
        energy, _ = table(given.figures, "building_energy", some.site, days)
        energy = np.where(within, energy, np.nan)
        found = fit(energy, by_series(given, "outdoor_day_mean", series[mine], days))
        due = within.sum(axis=1)
        # A baseline of which much is missing is none: nothing is saved against it.
        short = found.days < needed(due)
        none = np.full(len(mine), np.nan)
        parts = {n: np.where(short, none, getattr(found, n)) for n in BASELINE}
        model = np.where(short, Model.NONE, found.model)
        told = Signature(
            **parts, r2=none, cvrmse=none, nmbe=none, coldest=none, warmest=none,
            days=found.days, parameters=PARAMETERS[model], model=model,
        )  # fmt: skip
        made += _told(
            given, "baseline", BASELINE, some, np.array([start, stop]), told, due, lesser[mine],
            (~np.isnan(energy)).sum(axis=1) > 0,
        )  # fmt: skip
    return join(made)


SIGNATURES: tuple[Calculation, ...] = (
    calculation(
        "energy signatures",
        tuple(f"signature_{name}" for name in SIGNATURE),
        Period.YEAR,
        _signatures,
        {"building_energy": NO_TIME, "outdoor_day_mean": NO_TIME},
        NO_TIME,
    ),
    calculation(
        "frozen baselines",
        tuple(f"baseline_{name}" for name in BASELINE),
        Period.YEAR,
        _baselines,
        {"building_energy": _BASELINE, "outdoor_day_mean": _BASELINE},
        _BASELINE,
    ),
)
