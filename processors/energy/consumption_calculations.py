"""What flowed: energy and volumes of hours, days and months, and the energy of powers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given
from processors.energy import integration
from processors.energy.consumption import MINUTE_S, consumption
from processors.energy.meters import ENERGY, PARTS, VOLUME, columns, flow
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import TimeArray

DAY = np.timedelta64(24, "h")


def minutes(edges: TimeArray) -> NDArray[np.int64]:
    """How long periods are. [min]"""
    length: NDArray[np.int64] = np.diff(edges).astype(np.int64) // (MINUTE_S * 1_000_000)
    return length


def _flowed(length: str) -> Callable[[Given], Figures]:
    """The sums of one length of period, of energies and of volumes."""

    def compute(given: Given) -> Figures:
        frame, periods = given.frame, given.periods
        at = columns(frame.edges, periods)
        seconds = np.diff(frame.edges)[at.chosen].astype(np.int64) / 1e6
        amount, interpolated, known = (part[:, at.chosen] for part in flow(frame))
        found = consumption(amount, interpolated, known, seconds, at.first)
        made = []
        for name, metrics in (("energy", ENERGY), ("volume", VOLUME)):
            mine = np.isin(frame.roster.metric, metrics)
            value = found.value[mine]
            made.append(
                figures(
                    f"{name}_{length}",
                    frame.roster.series[mine],
                    periods,
                    value,
                    now=given.now,
                    n=found.minutes[mine],
                    due=minutes(periods),
                    status=found.status[mine],
                    low=found.low[mine],
                    code=found.code[mine],
                    keep=~np.isnan(value),
                )
            )
        return join(made)

    return compute


def _integrated(given: Given) -> Figures:
    """Energy of powers, from readings."""
    roster, periods, read = given.frame.roster, given.periods, given.readings
    method = given.facts.energy.integration
    found = integration.energy(
        read.time, read.value, np.searchsorted(roster.series, read.series), roster.step,
        periods, now=given.now, method=method,
    )  # fmt: skip
    known = np.round(found.known / MINUTE_S).astype(np.int64)
    due = minutes(periods)
    return figures(
        "power_energy_day", roster.series, periods, found.amount, now=given.now, n=known, due=due,
        status=np.where(known < due, Status.PARTIAL, Status.COMPLETE),
        method=integration.METHODS.index(method), keep=found.known > 0,
    )  # fmt: skip


def _calculation(length: str, level: Level, follows: Level, period: Period) -> Calculation:
    return Calculation(
        name=f"consumption by {length}",
        makes=(f"energy_{length}", f"volume_{length}"),
        metrics=(*ENERGY, *VOLUME),
        level=level,
        follows=follows,
        period=period,
        compute=_flowed(length),
        parts=PARTS,
    )


CONSUMPTION: tuple[Calculation, ...] = (
    _calculation("hour", Level.HOUR, Level.HOUR, Period.HOUR),
    _calculation("day", Level.DAY, Level.DAY, Period.DAY),
    _calculation("month", Level.DAY, Level.DAY, Period.MONTH),
    Calculation(
        name="energy of powers",
        makes=("power_energy_day",),
        metrics=("power",),
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_integrated,
        before=DAY,
        after=DAY,
        ahead=np.timedelta64(2, "h"),
        parts=("good",),
        raw=True,
    ),
)
