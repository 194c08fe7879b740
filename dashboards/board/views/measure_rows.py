"""What the view of measures reads: every public measure with its newest evaluation."""

from __future__ import annotations

from datetime import date, datetime, time
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from dashboards.board.views.view import queries
from storage.catalogue import BY_NAME
from storage.evaluations import Reason, Verdict
from storage.indicators.catalogue import INDICATORS
from storage.measures import Effect

_INDICATORS = {each.name: each for each in INDICATORS}

# What is called "the air" when it gets cleaner.
POLLUTANTS = frozenset({"no2", "no", "nox", "o3", "so2", "co", "pm10", "pm25", "pm1"})


class Row(NamedTuple):
    """One measure; evaluated where `verdict` is said. Numbers as in storage/evaluations.py."""

    code: str
    title_fr: str
    title_en: str
    title_de: str
    objective: str
    territory: str
    territory_name: str
    timezone: str
    in_force: date
    settled: date | None
    ends: date | None
    indicator: str
    metric: str
    daily: str | None
    decision: str
    decision_date: date | None
    decision_url: str
    contact: str
    computed_at: datetime | None
    verdict: str | None
    reason: str | None
    effect: str | None
    unit: str | None
    before_from: date | None
    before_to: date | None
    after_from: date | None
    after_to: date | None
    matching: str | None
    estimate: float | None
    low: float | None
    high: float | None
    touched_before: float | None
    touched_after: float | None
    comparison_before: float | None
    comparison_after: float | None
    touched_sites: int | None
    comparison_sites: int | None
    days_before: int | None
    days_after: int | None

    @property
    def conclusive(self) -> bool:
        """Whether an effect may be told."""
        sure = self.verdict in (Verdict.EXPECTED, Verdict.AGAINST)
        return sure and None not in (self.estimate, self.low, self.high)

    @property
    def interval(self) -> tuple[float, float, float] | None:
        """Estimate, low and high, where they mean what they say: that the interval leaves out 0,
        or that chance alone may have made the difference. Else something stands in the way."""
        if self.reason not in (Reason.CLEAR, Reason.COVERS):
            return None
        if self.estimate is None or self.low is None or self.high is None:
            return None
        return self.estimate, self.low, self.high

    @property
    def compared(self) -> bool:
        """Whether there is a before and an after."""
        return self.touched_before is not None and self.touched_after is not None

    @property
    def in_percent(self) -> bool:
        """Whether the level before is set to 100."""
        return self.effect == Effect.PERCENT

    @property
    def kind(self) -> str:
        """Of the metric, as the catalogue has it."""
        known = BY_NAME.get(self.metric)
        return known.kind if known and not self.indicator else "gauge"

    @property
    def domain(self) -> str:
        """``air``, ``mobility`` or ``energy``; empty where nobody knows."""
        known = _INDICATORS.get(self.indicator) or BY_NAME.get(self.metric)
        return known.domain if known else ""

    @property
    def method(self) -> str:
        """The name below ``/method/``."""
        return self.indicator or self.metric

    @property
    def labels(self) -> tuple[dict[str, str], ...]:
        """Names of what is compared: of the indicator and of the metric, where they are known."""
        found = (_INDICATORS.get(self.indicator), BY_NAME.get(self.metric))
        return tuple(each.labels for each in found if each is not None)

    def until(self) -> datetime | None:
        """The moment that the days after end."""
        return self.midnight(self.after_to) if self.after_to else None

    def midnight(self, day: date) -> datetime:
        """The beginning of a local day."""
        return datetime.combine(day, time(), ZoneInfo(self.timezone))


class Rows(NamedTuple):
    """All measures, those begun last first, and which metrics of air are only indicative."""

    measures: tuple[Row, ...] = ()
    indicative: frozenset[str] = frozenset()

    def is_indicative(self, row: Row) -> bool:
        """Whether sensors behind it may be of less than reference quality."""
        if row.domain != "air":
            return False
        # An index of whole sites is made of several metrics.
        return row.metric in self.indicative if row.metric else bool(self.indicative)


async def load(connection: asyncpg.Connection, now: datetime, former: Any) -> Rows:
    """Read them of all territories."""
    asked = queries("measure")
    measures = tuple(Row(*row) for row in await connection.fetch(asked["measures"]))
    if not any(row.domain == "air" for row in measures):
        return Rows(measures)
    patterns = [row[0] for row in await connection.fetch(asked["reference"])]
    lesser = {
        metric
        for metric, sensor in await connection.fetch(asked["sensors"])
        if not any(fnmatchcase(sensor, pattern) for pattern in patterns)
    }
    return Rows(measures, frozenset(lesser))
