"""Which series and sites belong to the city's buildings, and their daily figures as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from processors import windows
from processors.runs import Rows
from storage.facts.energy_buildings import Building, BuildingFacts
from storage.facts.facts import Facts
from storage.figures import Figures
from storage.reading import FloatArray, IntArray, TimeArray
from storage.roster import Roster

CARRIERS = ("electricity", "gas", "heat")
CARRIER = {"energy_import": 0, "energy_used": 0, "gas_import": 1, "heat_import": 2}
"""What each metric of consumption counts, as a position in :data:`CARRIERS`."""

METERED = tuple(CARRIER)

SPREAD_SHARE = 0.25
"""Of a day's sum that may have been spread over gaps."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The buildings whose sites a roster has: ``site[k]`` is the id of ``facts[k]``'s."""

    site: IntArray
    facts: tuple[Building, ...]

    def __len__(self) -> int:
        return len(self.facts)


def standing(roster: Roster, facts: BuildingFacts) -> Standing:
    """The buildings of the city's facts that stand at sites of the roster."""
    first = np.unique(roster.site_id, return_index=True)[1]
    at: dict[str, list[int]] = {}
    for row in first.tolist():
        at.setdefault(str(roster.site[row]), []).append(row)
    found = [
        (int(roster.site_id[row]), building)
        for building in facts.building
        for row in at.get(building.site, ())
        if building.territory in (None, str(roster.territory[row]))
    ]
    return Standing(np.array([site for site, _ in found], np.int32), tuple(one for _, one in found))


def meters(roster: Roster, buildings: Standing) -> tuple[Rows, Rows, NDArray[np.int64]]:
    """Which series a building's consumption adds up.

    Of a sensor that sends both its register and its increments only the register counts.

    Returns
    -------
    series, building : intp, shape (m,)
        Rows of the roster, and of the buildings.
    lost : int64, shape (b,)
        Meters that the facts name and the site has not: without them nothing is whole.
    """
    metered = np.isin(roster.metric, METERED)
    registers = np.unique(roster.sensor[roster.metric == "energy_import"])
    metered &= ~((roster.metric == "energy_used") & np.isin(roster.sensor, registers))
    named = np.char.add(np.char.add(roster.sensor, "/"), roster.field)
    rows, of = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    lost = np.zeros(len(buildings), np.int64)
    for number, building in enumerate(buildings.facts):
        here = metered & (roster.site_id == buildings.site[number])
        wanted = np.array(building.meters)
        mine = np.flatnonzero(here & (np.isin(roster.sensor, wanted) | np.isin(named, wanted)))
        there = np.concatenate([roster.sensor[mine], named[mine]])
        lost[number] = (~np.isin(wanted, there)).sum()
        rows.append(mine)
        of.append(np.full(len(mine), number))
    return np.concatenate(rows), np.concatenate(of), lost


def thermometers(roster: Roster, buildings: Standing) -> NDArray[np.int64]:
    """Row of each building's temperature series in the roster; -1 where there is none."""
    warm = np.flatnonzero(roster.metric == "temperature")
    row = {str(name): int(at) for name, at in zip(roster.sensor[warm], warm, strict=True)}
    return np.array([row.get(one.temperature or "", -1) for one in buildings.facts], np.int64)


def of_buildings(roster: Roster, facts: Facts) -> NDArray[np.bool_]:
    """Which series have a part in any building: its meters, and its temperature outside."""
    buildings = facts.energy.building
    outside = [one.temperature for one in buildings if one.temperature]
    sites = [one.site for one in buildings]
    metered = np.isin(roster.metric, METERED) & np.isin(roster.site, sites)
    chosen: NDArray[np.bool_] = metered | (
        (roster.metric == "temperature") & np.isin(roster.sensor, outside)
    )
    return chosen


def whole_days(
    amount: FloatArray,
    spread: FloatArray,
    covered: FloatArray,
    length: FloatArray,
) -> FloatArray:
    """What was drawn on days that are whole, NaN on others.

    A day is whole where all of it is covered, and at most a quarter of its sum was spread
    over gaps: the sum over a gap is right, its split over the days is not.

    Parameters
    ----------
    amount, spread : float64, shape (n, d)
        Drawn on each day, and what of it was spread over gaps. [unit]
    covered : float64, shape (n, d)
        Of the day. [s]
    length : float64, shape (d,)
        Of each day: 23, 24 or 25 hours. [s]

    Examples
    --------
    >>> amount, day = np.array([[24.0, 24.0, 24.0]]), 86400.0
    >>> whole_days(amount, np.array([[0.0, 5, 9]]), np.full((1, 3), day), np.full(3, day))
    array([[24., 24., nan]])
    """
    # Seconds are sums of microseconds over windows: half a second is rounding, not a hole.
    whole = (covered >= length - 0.5) & (np.abs(spread) <= SPREAD_SHARE * np.abs(amount))
    return np.where(whole, amount, np.nan)


def table(
    figures: Figures, name: str, subject: IntArray, edges: TimeArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Values of one indicator as a row per subject and a column per period; and where each
    figure came from.

    Returns
    -------
    value : float64, shape (s, p)
        NaN where there is no figure, or none that says a value.
    where : int64, shape (s, p)
        Position among ``figures.of(name)``; -1 where there is none.
    """
    mine = figures.of(name)
    order = np.argsort(subject, kind="stable")
    row = np.searchsorted(subject[order], mine.subject)
    column = np.searchsorted(edges, mine.start)
    inside = (row < len(subject)) & (column < len(edges) - 1)
    inside[inside] &= (subject[order[row[inside]]] == mine.subject[inside]) & (
        edges[column[inside]] == mine.start[inside]
    )
    value = np.full((len(subject), len(edges) - 1), np.nan)
    where = np.full(value.shape, -1)
    at = order[row[inside]], column[inside]
    value[at], where[at] = mine.value[inside], np.flatnonzero(inside)
    return value, where


def in_force(
    spans: Sequence[tuple[date, date | None]], edges: TimeArray, zone: str
) -> NDArray[np.bool_]:
    """Which local days each span ``[from, to)`` holds on, shape (spans, days)."""
    rows = [np.empty((0, len(edges) - 1), np.bool_)]
    for since, to in spans:
        begin = windows.first_instant(since, zone)
        held = edges[:-1] >= begin
        if to is not None:
            held &= edges[:-1] < windows.first_instant(to, zone)
        rows.append(held[None, :])
    return np.concatenate(rows)
