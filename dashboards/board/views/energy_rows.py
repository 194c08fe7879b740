"""What the view of energy reads: hours of today and of usual days, and buildings by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from dashboards.board.usual import days_before
from dashboards.board.views.view import queries

HOUR = timedelta(hours=1)

# This month and the one before it, whatever the time zone.
MONTHS_BACK = timedelta(days=64)

# What is over may still be corrected; buildings are computed by the day.
PAST_EVERY = timedelta(hours=1)


class Source(NamedTuple):
    """A kind of energy, and the metrics that count it."""

    name: str
    metrics: tuple[str, ...]
    unit: str
    produced: bool = False


SOURCES = (
    Source("electricity", ("energy_import", "energy_used"), "kW.h"),
    Source("heat", ("heat_import",), "kW.h"),
    Source("gas", ("gas_import",), "m3"),
    Source("produced", ("energy_export",), "kW.h", produced=True),
)
_METRICS = [metric for source in SOURCES for metric in source.metrics]


class Meters(NamedTuple):
    """How many meters of a territory are in service, and at how many sites."""

    metric: str
    territory: str
    sensors: int
    sites: int


class Hour(NamedTuple):
    """What flowed in one hour in one territory; `filled_s`: measured, added over meters. [s]"""

    metric: str
    territory: str
    start: datetime
    total: float
    filled_s: float


class Building(NamedTuple):
    """One building in one month, from the figures of the energy trade.

    Attributes
    ----------
    month
        Its first local day.
    mean_day, days, until
        Mean of its days that are known, how many, and the end of the last. [kW.h/d]
    change, corrected
        On the same days of the year before, and whether in the climate of now. [%]
    expected, saving, saving_low, saving_high
        By the baseline that the city has set; the interval is at 90 %. [kW.h]
    indicative
        Whether the thermometer outside is of less than reference quality.
    """

    territory: str
    site: str
    month: date
    mean_day: float
    days: int
    until: datetime
    change: float | None
    corrected: bool | None
    expected: float | None
    saving: float | None
    saving_low: float | None
    saving_high: float | None
    indicative: bool


@dataclass(frozen=True, slots=True)
class Energy:
    """Everything that is read. `past` are the usual days' hours by time zone, newest day first."""

    meters: tuple[Meters, ...] = ()
    today: tuple[Hour, ...] = ()
    past: Mapping[str, tuple[tuple[Hour, ...], ...]] = field(default_factory=dict)
    buildings: tuple[Building, ...] = ()
    past_of: tuple[object, ...] = ()


async def load(connection: asyncpg.Connection, now: datetime, former: Energy | None) -> Energy:
    """Today anew, what is over once an hour, on a new day and where meters came or went."""
    asked = queries("energy")
    meters = tuple(Meters(*row) for row in await connection.fetch(asked["meters"], _METRICS))
    zones = sorted({row[0] for row in await connection.fetch(
        "SELECT DISTINCT timezone FROM board.territories")})  # fmt: skip
    if not meters:
        return Energy()
    midnights = [_midnight(now, zone) for zone in zones]
    # Windows that are still open tell of less than an hour.
    closed = now.replace(minute=0, second=0, microsecond=0)
    today = await _hours(connection, min(midnights), closed)
    past_of = (meters, tuple(midnights), int(now.timestamp() // PAST_EVERY.total_seconds()))
    if former is not None and former.past_of == past_of:
        return Energy(meters, today, former.past, former.buildings, past_of)
    past = {}
    for zone in zones:
        days = [await _hours(connection, *day) for day in days_before(now, zone)]
        past[zone] = tuple(days)
    buildings = tuple(
        Building(*row)
        for row in await connection.fetch(asked["months"], now - MONTHS_BACK, now)
    )  # fmt: skip
    return Energy(meters, today, past, buildings, past_of)


def _midnight(now: datetime, zone: str) -> datetime:
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)


async def _hours(
    connection: asyncpg.Connection, start: datetime, stop: datetime
) -> tuple[Hour, ...]:
    rows = await connection.fetch(queries("energy")["hours"], start, stop, _METRICS)
    return tuple(Hour(*row) for row in rows)
