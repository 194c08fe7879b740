"""What the view of today's air reads, as plain rows, and the one place that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import asyncpg

from dashboards.board import air_index
from dashboards.board.air_index import EUROPEAN, AirIndex, dominant
from dashboards.board.views.view import queries

POLLUTANTS = ("no2", "o3", "pm10", "pm25")
"""Those that are shown one by one; the index knows sulphur dioxide as well."""

TOMORROW = "air_index_tomorrow"
"""The metric by which a commune relays the official forecast."""

_OF_INDEX = (*POLLUTANTS, "so2")


class Sensors(NamedTuple):
    """How many series of a territory measure a pollutant, and at which sites."""

    territory: str
    metric: str
    series: int
    sites: frozenset[str]


class Hour(NamedTuple):
    """The European index of a territory in ``[start, stop)``: that of its worst site."""

    territory: str
    start: datetime
    stop: datetime
    value: int
    dominant: tuple[str, ...]
    site: str
    site_name: str
    indicative: bool
    sites: int

    @property
    def as_index(self) -> AirIndex:
        """The same as an index of the territory."""
        return AirIndex(
            self.territory, EUROPEAN, self.start, self.stop, self.stop, self.value, 0, 0, "",
            self.dominant, self.site, self.site_name, self.sites, self.indicative,
        )  # fmt: skip


class Mean(NamedTuple):
    """A series' newest hourly mean [ug/m3], and its class of the European index; 0: none."""

    metric: str
    territory: str
    start: datetime
    stop: datetime
    value: float
    indicative: bool
    grade: int


class Passed(NamedTuple):
    """A threshold that a series passed today: level 1 to 6 of a law, first at a time."""

    territory: str
    law: str
    metric: str
    site_name: str
    level: int
    at: datetime | None
    indicative: bool


class Forecast(NamedTuple):
    """The class that is expected for the day after the one on which it came in."""

    territory: str
    time: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Air:
    """Everything that is known of the air of all territories."""

    names: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    sensors: Sequence[Sensors] = ()
    indices: Mapping[str, AirIndex] = field(default_factory=dict)
    hours: Sequence[Hour] = ()
    means: Sequence[Mean] = ()
    passed: Sequence[Passed] = ()
    forecasts: Sequence[Forecast] = ()


async def load(connection: asyncpg.Connection, now: datetime, former: Air | None) -> Air:
    """Read all of it; what was known before does not matter."""
    asked = queries("air")
    places = await connection.fetch(asked["places"])
    sensors = await connection.fetch(asked["sensors"], list(_OF_INDEX))
    hours = await connection.fetch(asked["hours"], now)
    passed = await connection.fetch(asked["passed"], now)
    forecasts = await connection.fetch(asked["forecasts"])
    return Air(
        names={row["territory"]: row["name"] for row in places},
        zones={row["territory"]: row["timezone"] for row in places},
        sensors=[
            Sensors(territory, metric, series, frozenset(sites))
            for territory, metric, series, sites in sensors
        ],
        indices=await air_index.read(connection, now),
        hours=[
            Hour(territory, start, stop, int(value), dominant(words), site, name, indicative, sites)
            for territory, start, stop, value, words, site, name, indicative, sites in hours
        ],
        means=await _means(connection, now),
        passed=[
            Passed(
                territory, law.removeprefix("threshold_"), metric, name, int(level), at, indicative
            )
            for territory, law, metric, name, level, at, indicative in passed
        ],
        forecasts=[Forecast(*row) for row in forecasts],
    )


async def _means(connection: asyncpg.Connection, now: datetime) -> list[Mean]:
    """Begin with what the index begins with: corrected where the city corrects, without faults."""
    asked, metrics = queries("air"), list(POLLUTANTS)
    rows = await connection.fetch(asked["means"], now, metrics)
    classes = {
        (row["series_id"], row["start"]): int(row["value"])
        for row in await connection.fetch(asked["classes"], now, metrics)
    }
    faults = {tuple(row) for row in await connection.fetch(asked["faults"], now)}
    corrected = {row["series_id"] for row in rows if row["indicator"] == "pm_corrected"}
    found = []
    for indicator, series, metric, territory, start, stop, value, indicative in rows:
        wanted = "pm_corrected" if series in corrected else "air_hour_mean"
        if indicator == wanted and value is not None and (series, start) not in faults:
            grade = classes.get((series, start), 0)
            found.append(Mean(metric, territory, start, stop, value, indicative, grade))
    return found
