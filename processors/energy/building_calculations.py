"""What is made of buildings, and when."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from processors import periods
from processors.calculation import Calculation, Given, Together
from processors.energy.buildings import (
    CARRIER,
    METERED,
    Standing,
    in_force,
    meters,
    of_buildings,
    standing,
    table,
    whole_days,
)
from processors.energy.carbon import emissions, gas_energy, net_energy
from processors.energy.comparison import within_class
from processors.energy.degree_day_calculations import DEGREE_DAYS
from processors.energy.past_calculations import PAST
from processors.energy.saving_calculations import SAVINGS
from processors.energy.signature_calculations import SIGNATURES
from processors.energy.step_calculations import STEPS
from storage.catalogue import Kind
from storage.facts.energy_buildings import CarbonFactor
from storage.figures import Figures, figures, join, no_figures
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray

INTENSITY_SHARE = 0.9
"""Of a year's days that must be known, for a consumption per square metre to be told."""

SCOPE_BIT = {"combustion": 1, "upstream": 2, "life_cycle": 4}
_GAS = 1
_SECOND = 1_000_000


def gas_coefficient(given: Given) -> FloatArray:
    """Energy of a cubic metre of gas on each day; NaN where nobody said. [kWh/m3]"""
    said = given.facts.energy.gas_coefficient
    held = in_force([(one.since, one.to) for one in said], given.periods, given.zone)
    of = np.array([one.kwh_per_m3 for one in said])
    found = (held * of[:, None]).sum(axis=0)
    return np.where(held.any(axis=0), found, np.nan)


def _factors(given: Given) -> tuple[FloatArray, NDArray[np.int64]]:
    """Factor of each carrier on each day, by the gross value of gas; and bits of its scopes."""
    facts = given.facts.energy
    names = ("electricity", "gas", "heat")
    days = len(given.periods) - 1
    factor, scope = np.zeros((len(names), days)), np.zeros((len(names), days), np.int64)
    held = in_force([(f.since, f.to) for f in facts.carbon_factor], given.periods, given.zone)
    for one, when in zip(facts.carbon_factor, held, strict=True):
        factor[names.index(one.energy), when] += _by_gross(one, facts.gas_pcs_per_pci)
        scope[names.index(one.energy), when] |= SCOPE_BIT[one.scope]
    return np.where(scope > 0, factor, np.nan), scope


def _by_gross(factor: CarbonFactor, pcs_per_pci: float | None) -> float:
    """A factor by the net value emits that much of the fewer net kWh in a gross one."""
    if factor.basis == "PCI" and pcs_per_pci is not None:
        return factor.kg_per_kwh * float(net_energy(1.0, pcs_per_pci))
    return factor.kg_per_kwh


def _drawn(given: Given) -> FloatArray:
    """What each series drew on each whole day, as it is metered. [kWh or m3]"""
    frame = given.frame
    amount, count = frame.table("sum"), len(given.periods) - 1
    length = np.diff(frame.edges).astype(np.int64) / _SECOND
    usable, expected = frame.usable(), frame.table("expected")
    counted = (usable > 0) & (usable >= expected)
    register = (frame.roster.kind == Kind.INDEX)[:, None]
    covered = np.where(register, frame.table("y"), np.where(counted, length, 0.0))
    spread = np.where(register, frame.table("x"), 0.0)
    first = int(np.searchsorted(frame.edges, given.periods[0]))
    drawn = whole_days(amount, spread, covered, length)[:, first : first + count]
    # A day that is not over is not whole, whatever it has so far.
    drawn[:, given.periods[1:] > given.now] = np.nan
    return drawn


def _energy(given: Given) -> Figures:
    roster = given.frame.roster
    buildings = standing(roster, given.facts.energy)
    if not len(buildings):
        return no_figures()
    drawn = _drawn(given)
    row, of, lost = meters(roster, buildings)
    carrier = np.array([CARRIER.get(str(one), 0) for one in roster.metric], np.intp)
    days = len(given.periods) - 1
    known, due = np.zeros((2, len(buildings), days), np.int64)
    np.add.at(known, of, ~np.isnan(drawn[row]))
    # A meter that is gone, or yet to come, is not missing.
    there = given.service.of(given.frame.roster.series).registered(
        given.periods[:-1], given.periods[1:]
    )
    np.add.at(due, of, there[row] | ~np.isnan(drawn[row]))
    due += lost[:, None]
    whole = (known == due) & (due > 0)
    part = np.zeros((len(buildings), 3, days))
    np.add.at(part, (of, carrier[row]), np.where(np.isnan(drawn[row]), 0.0, drawn[row]))
    piped = np.where(part[:, _GAS] > 0, gas_energy(part[:, _GAS], gas_coefficient(given)), 0.0)
    part[:, _GAS] = piped
    part[~np.repeat(whole[:, None, :], 3, axis=1)] = np.nan
    factor, scope = _factors(given)
    has = np.zeros((len(buildings), 3), np.bool_)
    has[of, carrier[row]] = True
    bits = np.bitwise_or.reduce(np.where(has[:, :, None], scope[None], 0), axis=1)
    # A carrier that a building has not needs no factor.
    mine = np.where(has[:, :, None], factor[None], 0.0)
    carbon = emissions(part.transpose(0, 2, 1), mine.transpose(0, 2, 1))
    told = partial(figures, now=given.now, n=known, due=due, keep=known > 0)
    return join(
        [
            told("building_energy", buildings.site, given.periods, part.sum(axis=1)),
            told("building_carbon", buildings.site, given.periods, carbon, code=bits),
        ]
    )


def _closed_days(given: Given) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Days of each period, and those of them that are over."""
    days = periods.edges(Period.DAY, given.periods[0], given.periods[-1], given.zone)
    whole = np.searchsorted(days, given.periods)
    over = np.concatenate([[0], np.cumsum(days[1:] <= given.now)])
    return np.diff(whole), np.diff(over[whole])


def _years(given: Given) -> Figures:
    buildings = standing(given.frame.roster, given.facts.energy)
    if not len(buildings):
        return no_figures()
    edges = given.periods
    days = periods.edges(Period.DAY, edges[0], edges[-1], given.zone)
    first = np.searchsorted(days, edges[:-1])
    every, due = _closed_days(given)
    made = []
    for name in ("building_energy", "building_carbon"):
        value, where = table(given.figures, name, buildings.site, days)
        known = np.add.reduceat((~np.isnan(value)).astype(np.int64), first, axis=1)
        total = np.add.reduceat(np.where(np.isnan(value), 0.0, value), first, axis=1)
        code = given.figures.of(name).code
        bits = np.where(where >= 0, np.append(code, 0)[where], 0)
        seen = np.add.reduceat((where >= 0).astype(np.int64), first, axis=1)
        made.append(
            figures(
                f"{name}_year",
                buildings.site,
                edges,
                np.where(known > 0, total, np.nan),
                now=given.now,
                n=known,
                due=due,
                keep=seen > 0,
                status=np.where(known < due, Status.PARTIAL, Status.COMPLETE),
                code=np.bitwise_or.reduceat(bits, first, axis=1),
            )
        )
        if name == "building_energy":
            made.append(_intensity(given, buildings, total, known, every))
    return join(made)


def _intensity(
    given: Given,
    buildings: Standing,
    total: FloatArray,
    known: NDArray[np.int64],
    every: NDArray[np.int64],
) -> Figures:
    area = np.array([one.area_m2 or np.nan for one in buildings.facts])[:, None]
    enough = known >= INTENSITY_SHARE * every
    value = np.where(enough, total * every / np.maximum(known, 1) / area, np.nan)
    return figures(
        "building_intensity",
        buildings.site,
        given.periods,
        value,
        now=given.now,
        n=known,
        due=every,
        status=np.where(known < every, Status.PARTIAL, Status.COMPLETE),
        keep=(known > 0) & ~np.isnan(area),
    )


def _classes(given: Given) -> Figures:
    facts = given.facts.energy
    buildings = standing(given.frame.roster, facts)
    if not len(buildings):
        return no_figures()
    value, where = table(given.figures, "building_intensity", buildings.site, given.periods)
    names = sorted({one.class_ for one in buildings.facts if one.class_})
    member = np.array([names.index(b.class_) if b.class_ else -1 for b in buildings.facts])
    rank, median, size = within_class(value, member.astype(np.intp), facts.class_minimum)
    told = partial(
        figures,
        now=given.now,
        n=size,
        due=facts.class_minimum,
        keep=(where >= 0) & (member >= 0)[:, None],
    )
    return join(
        [
            told("building_class_median", buildings.site, given.periods, median),
            told("building_class_rank", buildings.site, given.periods, rank),
        ]
    )


BUILDINGS: tuple[Calculation, ...] = (
    *DEGREE_DAYS,
    Calculation(
        name="energy and emissions of buildings",
        makes=("building_energy", "building_carbon"),
        metrics=METERED,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_energy,
        together=Together.SITE,
        parts=("sum", "x", "y", "good", "suspect", "expected"),
        only=of_buildings,
        service=True,
    ),
    Calculation(
        name="years of buildings",
        makes=("building_energy_year", "building_carbon_year", "building_intensity"),
        metrics=METERED,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.YEAR,
        compute=_years,
        together=Together.SITE,
        parts=("good",),
        reads=("building_energy", "building_carbon"),
        only=of_buildings,
    ),
    Calculation(
        name="buildings within their class",
        makes=("building_class_median", "building_class_rank"),
        metrics=METERED,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.YEAR,
        compute=_classes,
        together=Together.CITY,
        parts=("good",),
        reads=("building_intensity",),
        only=of_buildings,
    ),
    *SIGNATURES,
    *SAVINGS,
    *PAST,
    *STEPS,
)
