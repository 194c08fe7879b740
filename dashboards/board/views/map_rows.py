"""What the map reads: territories with their outlines, sites, sensors that speak, today's index."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import orjson

from dashboards.board import air_index
from dashboards.board import rows as look
from dashboards.board.air_index import AirIndex
from dashboards.board.drawing.map import HEIGHT, MAP_WIDTH, WIDTH
from dashboards.board.drawing.plan import Plan, plan
from dashboards.board.figures import Amount, cell_start, complete_cells, sampled_cells
from dashboards.board.pages import Histories, histories, local_midnight
from dashboards.board.rows import Registered, Rows, Window
from dashboards.board.views.view import queries

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)

POLLUTANTS = ("no2", "pm25", "pm10", "o3")
"""The first of them that was measured stands for a commune's air in the table."""

ENERGY = ("energy_import", "energy_used")
"""Registers before pulses: a building may send both, and is counted once."""

BIKES = "bikes"

# An hour's mean is told while it is among the last so many hours.
_RECENT = timedelta(hours=3)

# Around sites whose commune has no outline: on the map of all, which may be crowded, and alone.
_MARGINS, _ALONE = (8.0, 13.0), 30.0


class Place(NamedTuple):
    """A territory."""

    code: str
    name: str
    timezone: str


class Site(NamedTuple):
    """Where sensors are; None where nobody said so."""

    territory: str
    code: str
    name: str
    longitude: float | None
    latitude: float | None


class Heard(NamedTuple):
    """Sensors of a site and those that speak; readings received and due in 24 whole hours."""

    territory: str
    site: str
    sensors: int
    speaking: int
    received: int
    due: int
    air: bool
    mobility: bool
    energy: bool


class HourMean(NamedTuple):
    """Mean of a pollutant over the sensors of a territory, in the newest whole hour."""

    metric: str
    amount: Amount
    unit: str
    start: datetime


@dataclass(frozen=True, slots=True)
class MapRows:
    """Everything the map knows; `hour` is when the last whole hour ended.

    `whole` is the plan of all territories, `plans` are those of each with its sites, which are
    named by their codes. `outlines` are as read, so that plans are laid out anew only where they
    or the sites changed.
    """

    hour: datetime
    places: Sequence[Place] = ()
    sites: Sequence[Site] = ()
    heard: Sequence[Heard] = ()
    index: Mapping[str, AirIndex] = field(default_factory=dict)
    means: Mapping[str, HourMean] = field(default_factory=dict)
    past: Histories = field(default_factory=dict)
    outlines: Mapping[str, str | None] = field(default_factory=dict)
    whole: Plan = field(default_factory=lambda: Plan(MAP_WIDTH, HEIGHT, (), {}, ()))
    plans: Mapping[str, Plan] = field(default_factory=dict)
    european: Mapping[str, AirIndex] = field(default_factory=dict)


async def load(connection: asyncpg.Connection, now: datetime, former: MapRows | None) -> MapRows:
    """Read what is shown, and lay the plans out where they changed."""
    asked = queries("map")
    hour = now.replace(minute=0, second=0, microsecond=0)
    territories = await connection.fetch(asked["territories"])
    sites = tuple(Site(*row) for row in await connection.fetch(asked["sites"]))
    heard = tuple(
        Heard(*row) for row in await connection.fetch(asked["heard"], hour - DAY, hour, now)
    )
    index, european = await air_index.read_both(connection, now)
    wanted = {*POLLUTANTS, *ENERGY, BIKES}
    registry = [row for row in await look.registered(connection) if row.metric in wanted]
    windows = [
        Window(*row) for row in await connection.fetch(
            look.queries()["windows"], now - look.REACH, now, sorted({r.metric for r in registry}))
    ]  # fmt: skip
    places = tuple(Place(row[0], row[1], row[2]) for row in territories)
    outlines = {row[0]: row[3] for row in territories}
    if former is not None and (former.outlines, former.sites) == (outlines, sites):
        whole, plans = former.whole, former.plans
    else:
        whole, plans = await asyncio.to_thread(lay_out, outlines, sites)
    means, past = await asyncio.to_thread(_figures, registry, windows, now)
    return MapRows(hour, places, sites, heard, index, means, past, outlines, whole, plans,
                   european)  # fmt: skip


def lay_out(
    outlines: Mapping[str, str | None], sites: Sequence[Site]
) -> tuple[Plan, dict[str, Plan]]:
    """The plan of all territories, and that of each with its sites."""
    shapes: dict[str, dict[str, Any] | None] = {
        code: orjson.loads(text) if text else None for code, text in outlines.items()
    }
    points: defaultdict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for site in sites:
        if site.longitude is not None and site.latitude is not None:
            points[site.territory][site.code] = (site.longitude, site.latitude)
    around = {code: list(of.values()) for code, of in points.items()}
    least, most = _MARGINS
    share = math.sqrt(MAP_WIDTH * HEIGHT / max(len(shapes), 1))
    margin = min(max(share * 0.4, least), most)
    whole = plan(shapes, around, {}, width=MAP_WIDTH, height=HEIGHT, margin=margin)
    each = {
        code: plan({code: shape}, around, points[code], width=WIDTH, height=HEIGHT, margin=_ALONE)
        for code, shape in shapes.items()
    }
    return whole, each


def _figures(
    registry: Sequence[Registered], windows: Sequence[Window], now: datetime
) -> tuple[dict[str, HourMean], Histories]:
    counted = [row for row in registry if row.metric not in POLLUTANTS]
    names = {row.metric for row in counted}
    past = histories(Rows(counted, (), [w for w in windows if w.metric in names]), now)
    return hour_means(registry, windows, now), past


def hour_means(
    registry: Sequence[Registered], windows: Sequence[Window], now: datetime
) -> dict[str, HourMean]:
    """By territory, the first of the pollutants that has a mean of a recent whole hour."""
    of: defaultdict[tuple[str, str], list[Window]] = defaultdict(list)
    for window in windows:
        of[window.territory, window.metric].append(window)
    series: defaultdict[tuple[str, str], list[Registered]] = defaultdict(list)
    for row in registry:
        series[row.territory, row.metric].append(row)
    found: dict[str, HourMean] = {}
    for metric in POLLUTANTS:
        for (territory, name), rows in series.items():
            if name != metric or territory in found:
                continue
            midnight = local_midnight(now, rows[0].timezone)
            end = cell_start(now, midnight, HOUR)
            here = of[territory, metric]
            cells = sampled_cells(rows[0], here, midnight, HOUR)
            whole = complete_cells(here, sum(row.sensors for row in rows), midnight, HOUR)
            recent = [s for s in cells if s in whole and end - _RECENT <= s < end]
            if recent:
                start = max(recent)
                found[territory] = HourMean(metric, cells[start], rows[0].unit, start)
    return found
