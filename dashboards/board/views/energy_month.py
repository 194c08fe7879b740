"""A month of all buildings of a place together, beside the year before and the baseline; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dashboards.board.sheet import Where
from dashboards.board.views.energy_rows import Building

# Fewer days of a month hang on which weekdays they are: until then the month before is told.
LEAST_DAYS = 7


class YearOnYear(NamedTuple):
    """Buildings that are known of both years.

    Attributes
    ----------
    change
        Of their sum, as a share: buildings weigh by what they would have used.
    now_day, then_day
        Their mean day, and that of the year before in the climate of now. [kW.h/d]
    buildings, of
        How many are compared, of how many that are measured.
    corrected
        How many of them were corrected for the climate.
    """

    month: date
    open: bool
    change: float
    now_day: float
    then_day: float
    buildings: int
    of: int
    corrected: int
    until: datetime
    indicative: bool


class Saving(NamedTuple):
    """What buildings with a baseline used less than it expects; `margin` at 90 %. [kW.h]"""

    month: date
    saved: float
    margin: float
    expected: float
    buildings: int

    @property
    def conclusive(self) -> bool:
        """Whether the interval leaves out 0."""
        return abs(self.saved) > self.margin


def year_on_year(rows: Iterable[Building], where: Where, now: datetime) -> YearOnYear | None:
    """This month, or the one before while this one is young; None where neither is known."""
    mine = [row for row in rows if row.territory in where.codes]
    this, former = _months(where, now)
    for month, least in ((this, LEAST_DAYS), (former, 1), (this, 1)):
        there = [row for row in mine if row.month == month]
        # A building that used nothing, or nothing then, has no share to change.
        known = [row for row in there if row.change is not None and row.change > -100]
        if not known or max(row.days for row in known) < least:
            continue
        now_day = math.fsum(row.mean_day for row in known)
        then_day = math.fsum(row.mean_day / (1 + (row.change or 0.0) / 100) for row in known)
        if then_day <= 0:
            continue
        return YearOnYear(
            month, month == this, now_day / then_day - 1, now_day, then_day, len(known),
            len(there), sum(row.corrected is True for row in known),
            max(row.until for row in known), any(row.indicative for row in known),
        )  # fmt: skip
    return None


def saving(rows: Iterable[Building], where: Where, month: date) -> Saving | None:
    """Sums over the buildings that have a baseline; their errors are taken as independent."""
    known = [
        row for row in rows
        if row.territory in where.codes and row.month == month
        and None not in (row.saving, row.expected, row.saving_low, row.saving_high)
    ]  # fmt: skip
    if not known:
        return None
    margins = [((r.saving_high or 0.0) - (r.saving_low or 0.0)) / 2 for r in known]
    return Saving(
        month, math.fsum(row.saving or 0.0 for row in known), math.hypot(*margins),
        math.fsum(row.expected or 0.0 for row in known), len(known),
    )  # fmt: skip


def _months(where: Where, now: datetime) -> tuple[date, date]:
    """The first days of this local month and of the one before."""
    this = now.astimezone(ZoneInfo(where.timezone)).date().replace(day=1)
    return this, (this - timedelta(days=1)).replace(day=1)
