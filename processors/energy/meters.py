"""Meters as tables of energy: what each flowed in each window, and how well that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Given
from processors.frame import Frame
from processors.pairing import fitting
from processors.runs import Rows
from storage.catalogue import Kind
from storage.reading import FloatArray, TimeArray
from storage.roster import Roster

ENERGY = ("energy_import", "energy_export", "heat_import", "energy_used")
"""Metrics in kWh: registers, and energies of intervals."""

VOLUME = ("gas_import", "water_import")
"""Registers in m3."""

LOADS = (*ENERGY, "power")
"""What has a load curve. Apparent power (kVA) is no load: without the phase nobody knows the kW."""

PARTS = ("sum", "x", "y", "good", "suspect", "expected")
"""Rollup columns that these tables are made of."""

ENOUGH = 0.75
"""Share of its readings from which a window's mean power counts."""

QUARTER_HOUR_S = 900


class Flow(NamedTuple):
    """What flowed, series by window; each of shape (n, w).

    ``amount`` is NaN where nothing is known [kWh or m3]; ``interpolated`` is what of it was
    spread over a gap [the same]; ``known`` is the time of which it is known [s].
    """

    amount: FloatArray
    interpolated: FloatArray
    known: FloatArray


def flow(frame: Frame) -> Flow:
    """Registers, energies of intervals and sampled powers as what flowed in each window."""
    kind = frame.roster.kind
    seconds = np.diff(frame.edges).astype(np.int64) / 1e6
    amount, interpolated, known = frame.table("sum"), frame.table("x"), frame.table("y")
    other = kind != Kind.INDEX
    if other.any():
        usable, due = frame.usable()[other], frame.table("expected")[other]
        # Without a step nobody knows how many there should be: what came is all.
        share = np.minimum(usable / np.where(due > 0, due, np.maximum(usable, 1)), 1.0)
        known[other] = share * seconds
        interpolated[other] = 0.0
    sampled = kind == Kind.GAUGE
    if sampled.any():
        size = frame.usable()[sampled]
        mean = amount[sampled] / np.where(size > 0, size, np.nan)
        amount[sampled] = mean * (known[sampled] / 3600)
    silent = np.isnan(amount)
    interpolated[silent] = 0.0
    known[silent | np.isnan(known)] = 0.0
    return Flow(amount, interpolated, known)


def power(frame: Frame) -> FloatArray:
    """Mean power of each window, shape (n, w); NaN where it is not measured. [kW]

    A register or a sum of intervals must be known for all of the window, and nothing
    interpolated over a gap, which would flatten the curve; of sampled powers three quarters
    of the samples do.
    """
    flowed = flow(frame)
    seconds = np.diff(frame.edges).astype(np.int64) / 1e6
    need = np.where(frame.roster.kind == Kind.GAUGE, ENOUGH, 1.0)[:, None] * seconds
    valid = (flowed.known >= need) & (flowed.interpolated == 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(valid, flowed.amount / (flowed.known / 3600), np.nan)


def frames(given: Given) -> Iterator[Frame]:
    """Quarter-hours of the series that have some, then hours of those that do not."""
    fine = given.frame.roster.step <= QUARTER_HOUR_S
    if fine.any():
        yield given.frame.select(fine)
    if given.hours is not None:
        yield given.hours


class Columns(NamedTuple):
    """The windows that lie in periods: which columns, and the first of each period there."""

    chosen: slice
    first: Rows


def columns(edges: TimeArray, periods: TimeArray) -> Columns:
    """Windows by the period they begin in; every period has some.

    Examples
    --------
    >>> edges = np.arange("2026-03-01T00", "2026-03-01T09", dtype="datetime64[h]")
    >>> columns(edges.astype("datetime64[us]"), edges[[1, 4, 8]].astype("datetime64[us]"))
    Columns(chosen=slice(1, 8, None), first=array([0, 3]))
    """
    at = np.searchsorted(edges[:-1], periods)
    return Columns(slice(int(at[0]), int(at[-1])), at[:-1] - at[0])


def matching(roster: Roster, patterns: Iterable[str]) -> NDArray[np.bool_]:
    """Which series are of a sensor, or a ``sensor/field``, by name or pattern."""
    wanted = list(patterns)
    whole = np.char.add(np.char.add(roster.sensor, "/"), roster.field)
    return fitting(roster.sensor, wanted) | fitting(whole, wanted)
