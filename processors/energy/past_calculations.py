"""Buildings beside their own past: the same days of the year before, in the climate of now."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from processors import periods, windows
from processors.air.capture import needed
from processors.calculation import Calculation, Given
from processors.energy.building_days import YEAR, by_series, calculation, calendar, outside
from processors.energy.buildings import Standing, standing, table
from processors.energy.change_points import Model
from processors.energy.savings import climate_corrected
from storage.figures import Figures, figures, join, no_figures
from storage.indicators.word import Period, Status
from storage.reading import FloatArray, IntArray, TimeArray

LEAST_DEGREE_DAYS = 1.0
"""Below this mean a month of the year before has no heating to correct. [K.d per day]"""

HEATED = (Model.LINEAR, Model.HEATING, Model.BOTH_AT_ONE_POINT, Model.BOTH)


def _year_on_year(given: Given) -> Figures:
    """Each month against the same days of the year before, in the climate of now."""
    buildings = standing(given.frame.roster, given.facts.energy)
    if not len(buildings):
        return no_figures()
    series, lesser = outside(given, buildings)
    made = []
    for start, stop in zip(given.periods[:-1], given.periods[1:], strict=True):
        days = calendar(given, start, stop)
        passed = int((days[1:] <= given.now).sum())
        before = calendar(given, _year_before(given, start), _year_before(given, stop))
        now_days, then_days = days[: passed + 1], before[: min(passed, len(before) - 1) + 1]
        if not passed:
            continue
        here, n = _mean_day(given, buildings, series, now_days)
        then, m = _mean_day(given, buildings, series, then_days)
        year = periods.edges(Period.YEAR, before[0], before[0], given.zone)
        base, where = table(given.figures, "signature_base", buildings.site, year)
        heated = np.isin(
            np.append(given.figures.of("signature_base").code, 0)[where[:, 0]],
            HEATED,
        )
        corrected = climate_corrected(then[0], base[:, 0], then[1], here[1])
        fit_to = heated & (where[:, 0] >= 0) & (then[1] >= LEAST_DEGREE_DAYS) & ~np.isnan(corrected)
        reference = np.where(fit_to, corrected, then[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where(reference > 0, 100 * (here[0] / reference - 1), np.nan)
        made.append(
            figures(
                "building_year_on_year", buildings.site, np.array([start, stop]), change[:, None],
                now=given.now, n=np.minimum(n, m)[:, None], due=passed,
                status=np.where(np.minimum(n, m) < passed, Status.PARTIAL, Status.COMPLETE)[:, None],
                code=fit_to[:, None], indicative=(lesser & fit_to)[:, None],
                keep=((n > 0) & (m > 0))[:, None],
            )
        )  # fmt: skip
    return join(made)


def _year_before(given: Given, edge: np.datetime64) -> np.datetime64:
    """The first of the same month, a year before."""
    day = windows.local_date(edge, given.zone)
    return windows.first_instant(date(day.year - 1, day.month, 1), given.zone)


def _mean_day(
    given: Given, buildings: Standing, series: IntArray, days: TimeArray
) -> tuple[tuple[FloatArray, FloatArray], NDArray[np.int64]]:
    """Mean energy and mean degree days of the days known; NaN below 75 % of them."""
    energy, _ = table(given.figures, "building_energy", buildings.site, days)
    cold = by_series(given, "heating_degree_days", series, days)
    found = []
    for value in (energy, cold):
        known = ~np.isnan(value)
        count = known.sum(axis=1)
        mean = np.where(known, value, 0.0).sum(axis=1) / np.maximum(count, 1)
        found.append(np.where((count > 0) & (count >= needed(value.shape[1])), mean, np.nan))
    return (found[0], found[1]), (~np.isnan(energy)).sum(axis=1)


PAST: tuple[Calculation, ...] = (
    calculation(
        "buildings beside the year before",
        ("building_year_on_year",),
        Period.MONTH,
        _year_on_year,
        {"building_energy": YEAR, "heating_degree_days": YEAR, "signature_base": 2 * YEAR},
        2 * YEAR,
    ),
)
