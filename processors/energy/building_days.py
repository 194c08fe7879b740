"""What calculations of buildings share: their days, and the temperature outside them.

These calculations read daily figures; their rollups only say when they are to be made again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from processors import periods, windows
from processors.air.instruments import indicative
from processors.calculation import Calculation, Given, Together
from processors.energy.buildings import METERED, Standing, of_buildings, table, thermometers
from storage.figures import Figures
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import FloatArray, IntArray, TimeArray

NO_TIME = np.timedelta64(0, "D")
YEAR = np.timedelta64(366, "D")


def calendar(given: Given, start: np.datetime64, stop: np.datetime64) -> TimeArray:
    return periods.edges(Period.DAY, start, stop, given.zone)


def outside(given: Given, buildings: Standing) -> tuple[IntArray, NDArray[np.bool_]]:
    """Each building's temperature series, -1 without; and whether it is only indicative."""
    roster = given.frame.roster
    row = thermometers(roster, buildings)
    if not len(roster):
        return np.full(len(buildings), -1, np.int32), np.zeros(len(buildings), np.bool_)
    series = np.where(row >= 0, roster.series[row], -1).astype(np.int32)
    return series, (row >= 0) & indicative(roster, given.facts.air)[row]


def by_series(given: Given, name: str, series: IntArray, days: TimeArray) -> FloatArray:
    """A daily figure of each building's temperature series, shape (buildings, days)."""
    unique, of = np.unique(series, return_inverse=True)
    value, _ = table(given.figures, name, unique, days)
    return value[of]


def spans(given: Given, buildings: Standing) -> tuple[TimeArray, TimeArray]:
    """When each baseline begins and ends; NaT, which nothing comes after, where there is none."""

    def instants(name: str) -> TimeArray:
        days = [getattr(one, name) for one in buildings.facts]
        return np.array(
            [windows.first_instant(d, given.zone) if d else np.datetime64("NaT") for d in days],
            "datetime64[us]",
        )

    return instants("baseline_from"), instants("baseline_to")


def calculation(
    name: str,
    makes: tuple[str, ...],
    period: Period,
    compute: Callable[[Given], Figures],
    reads: dict[str, np.timedelta64],
    after: np.timedelta64,
) -> Calculation:
    """One of buildings, whose temperature may stand at another site of the territory."""
    return Calculation(
        name=name,
        makes=makes,
        metrics=(*METERED, "temperature"),
        level=Level.DAY,
        follows=Level.DAY,
        period=period,
        compute=compute,
        together=Together.TERRITORY,
        after=after,
        parts=("good",),
        reads=tuple(reads),
        recall=reads,
        only=of_buildings,
    )
