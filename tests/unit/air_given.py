"""What a calculation of the air trade is given, made of hourly means in plain lists."""

from __future__ import annotations

import numpy as np

from processors import dirty, periods
from processors.air.calculations import AIR
from processors.calculation import Calculation, Given
from processors.frame import frame_of
from storage.facts.facts import Facts
from storage.figures import Figures, no_figures
from storage.reading import empty_batch
from storage.roster import Roster

LATER = np.datetime64("2031-01-01", "us")
HOUR = np.timedelta64(1, "h")


def roster_of(lines: list[tuple[str, str, str]], zone: str = "Europe/Paris") -> Roster:
    """Series 1, 2, … of (metric, sensor, site); sites are numbered by name, all in one territory."""
    size = len(lines)
    metric, sensor, site = (np.array(column, np.str_) for column in zip(*lines, strict=True))
    return Roster(
        series=np.arange(1, size + 1, dtype=np.int32),
        site_id=np.unique(site, return_inverse=True)[1].astype(np.int32),
        territory_id=np.full(size, 9, np.int32),
        step=np.full(size, 3600, np.int32),
        domain=np.full(size, "air"),
        metric=metric,
        kind=np.full(size, "gauge"),
        field=np.full(size, "v"),
        sensor=sensor,
        site=site,
        territory=np.full(size, "city"),
        zone=np.full(size, zone),
        longitude=np.full(size, np.nan),
        latitude=np.full(size, np.nan),
    )


def calculation(indicator: str) -> Calculation:
    """The one that makes an indicator."""
    (found,) = (one for one in AIR if indicator in one.makes)
    return found


def given(
    one: Calculation,
    roster: Roster,
    start: str,
    hours: np.ndarray,
    *,
    air: dict[str, object] | None = None,
    now: np.datetime64 = LATER,
    figures: Figures | None = None,
) -> Given:
    """Hourly means (n, w) from ``start`` (UTC) on, every period that they touch to be filled."""
    begin = np.datetime64(start, "us")
    stop = begin + hours.shape[1] * HOUR
    zone = str(roster.zone[0])
    facts = Facts.model_validate({"air": air or {}})
    edges = periods.edges(one.period, begin, stop, zone, facts.air.day_offset_h)
    windows = dirty.edges(one.level, edges[0] - one.before, edges[-1], zone)
    row, column = np.nonzero(~np.isnan(hours))
    ones = np.ones(len(row), np.int32)
    frame = frame_of(
        roster, windows, roster.series[row], begin + column * HOUR,
        {"sum": hours[row, column], "good": ones, "suspect": 0 * ones, "expected": ones},
    )  # fmt: skip
    return Given(frame, edges, zone, now, facts, figures or no_figures(), empty_batch())


def compute(
    indicator: str,
    lines: list[tuple[str, str, str]],
    start: str,
    hours: np.ndarray | list[list[float]],
    *,
    zone: str = "Europe/Paris",
    air: dict[str, object] | None = None,
    now: np.datetime64 = LATER,
    figures: Figures | None = None,
) -> Figures:
    """Figures of one indicator."""
    one = calculation(indicator)
    table = np.array(hours, np.float64)
    roster = roster_of(lines, zone)
    meant = np.isin(roster.metric, one.metrics)
    what = given(one, roster.take(meant), start, table[meant], air=air, now=now, figures=figures)
    return one.compute(what).of(indicator)
