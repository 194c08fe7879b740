"""Rows of the database -> what a page shows, as documented frozen dataclasses; pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dashboards.board.facts import AHEAD_S, state_of
from dashboards.board.figures import (
    NOTHING,
    Amount,
    add,
    cell_start,
    complete_cells,
    counted_cells,
    is_counted,
    sampled_cells,
    together,
)
from dashboards.board.rows import Latest, Registered, Rows, Window, is_live
from dashboards.board.sheet import State

DOMAINS = ("air", "mobility", "energy")
DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)

# What speaks only on change is expected to say something twice in a working day. [s]
ON_CHANGE_STEP_S = 4 * 3600


class Period(StrEnum):
    """What time the large number of a figure speaks of."""

    NOW = "now"
    HOUR = "hour"
    TODAY = "today"


@dataclass(frozen=True, slots=True)
class Point:
    """One cell ``[start, start + width)`` of a curve; a value of None is a gap."""

    start: datetime
    amount: Amount


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric at one place.

    Attributes
    ----------
    labels
        Names by language.
    unit
        UCUM.
    amount
        The large number: now, in the last closed hour, or today so far. [unit]
    beside
        The small number: today's mean of a sampled metric, the last closed hour of a
        counted one. [unit]
    at
        Until when the large number speaks, UTC; None where there is no measurement.
    age_s
        From `at` to now. [s]
    step_s
        How often it is expected anew. [s]
    received, expected
        Sensors heard of sensors registered for a figure of now, else readings received
        of readings due today so far.
    points
        The last 24 hours, oldest first, one per cell of `width`.
    indicative
        Whether it is made of sensors that are not of reference quality.
    """

    metric: str
    domain: str
    kind: str
    labels: dict[str, str]
    unit: str
    period: Period
    amount: Amount
    beside: Amount
    state: State
    at: datetime | None
    age_s: float | None
    step_s: float
    received: int
    expected: int
    width: timedelta
    points: tuple[Point, ...]
    indicative: bool

    @property
    def coverage(self) -> float | None:
        """Received share of what was due, at most 1; None where nothing was due."""
        return min(self.received / self.expected, 1.0) if self.expected else None


@dataclass(frozen=True, slots=True)
class Section:
    """One domain at one place: figures shown large, then the rest."""

    domain: str
    headline: tuple[Figure, ...]
    others: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A territory, or the whole installation where `code` is empty."""

    code: str
    name: str
    timezone: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the board knows at one moment; the first place is the whole."""

    now: datetime
    places: tuple[Place, ...]

    @property
    def empty(self) -> bool:
        return not any(section.headline or section.others
                       for place in self.places for section in place.sections)  # fmt: skip


def local_midnight(now: datetime, timezone: str) -> datetime:
    """Start of the local day that holds `now`, in UTC."""
    zone = ZoneInfo(timezone)
    local = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return local.astimezone(now.tzinfo)


@dataclass(frozen=True, slots=True)
class History:
    """What closed windows say of one metric at one place; fields as in :class:`Figure`.

    It stays true until windows are read anew or the next quarter-hour closes, while the
    newest readings come every few seconds.
    """

    period: Period
    amount: Amount
    beside: Amount
    at: datetime | None
    received: int
    expected: int
    width: timedelta
    points: tuple[Point, ...]


Histories = Mapping[tuple[str, str], History]


def _registered(rows: Rows) -> dict[str, dict[str, list[Registered]]]:
    """Entries by place, then metric; the whole installation is the place without a code."""
    found: dict[str, dict[str, list[Registered]]] = {"": {}}
    for row in rows.registry:
        for code in ("", row.territory):
            found.setdefault(code, {}).setdefault(row.metric, []).append(row)
    return found


def histories(rows: Rows, now: datetime) -> Histories:
    """The past of every metric at every place, by (place, metric)."""
    windows: defaultdict[str, list[Window]] = defaultdict(list)
    for window in rows.windows:
        windows[window.metric].append(window)
    return {
        (code, metric): history(entries, windows[metric], now)
        for code, metrics in _registered(rows).items()
        for metric, entries in metrics.items()
    }


def board(
    rows: Rows, past: Histories, now: datetime, *, name: str, headline: Sequence[str]
) -> Board:
    """The whole installation first, then its territories by name."""
    latest: defaultdict[str, list[Latest]] = defaultdict(list)
    for reading in rows.latest:
        latest[reading.metric].append(reading)
    territories = {row.territory: row for row in rows.registry}
    alone = next(iter(territories.values())).territory_name if len(territories) == 1 else ""
    zone = rows.registry[0].timezone if rows.registry else "UTC"
    places = []
    for code, metrics in _registered(rows).items():
        figures = [
            figure(entries, past[code, metric], latest[metric], now)
            for metric, entries in metrics.items()
        ]
        own = territories.get(code)
        places.append(
            Place(
                code,
                own.territory_name if own else name or alone,
                own.timezone if own else zone,
                tuple(_sections(figures, headline)),
            )
        )
    return Board(now, tuple(places))


def _sections(figures: Iterable[Figure], headline: Sequence[str]) -> Iterable[Section]:
    rank = {metric: position for position, metric in enumerate(headline)}
    for domain in DOMAINS:
        own = [figure for figure in figures if figure.domain == domain]
        large = sorted((f for f in own if f.metric in rank), key=lambda f: rank[f.metric])
        small = sorted((f for f in own if f.metric not in rank), key=lambda f: f.metric)
        if own:
            yield Section(domain, tuple(large), tuple(small))


def history(entries: Sequence[Registered], windows: Sequence[Window], now: datetime) -> History:
    """The past of one metric over the territories of `entries`, which all speak of it."""
    metric = entries[0]
    midnights = {e.territory: local_midnight(now, e.timezone) for e in entries}
    width = _width(metric, windows)
    here = [w for w in windows if w.territory in midnights]
    closed = [w for w in here if cell_start(w.start, midnights[w.territory], width) + width <= now]
    sensors = sum(entry.sensors for entry in entries)
    zero = midnights[metric.territory]
    end = cell_start(now, zero, width)
    complete = complete_cells(closed, sensors, zero, width)
    received, expected = _coverage(entries, closed, midnights, width, now)

    if is_counted(metric.kind):
        period = Period.TODAY
        amount, cells = _counts(metric, closed, midnights, width)
        beside = add(cell for start, cell in cells.items() if end - HOUR <= start < end)
        at = max(cells) + width if cells else None
        curve = {start: cell for start, cell in cells.items() if start in complete}
    else:
        period = Period.HOUR
        cells = sampled_cells(metric, closed, zero, width)
        curve = {start: cell for start, cell in cells.items() if start in complete}
        beside = _mean_since(metric, curve, zero)
        amount = curve[max(curve)] if curve else NOTHING
        at = max(curve) + width if curve else None
    points = tuple(_points(metric, curve, end, width))
    return History(period, amount, beside, at, received, expected, width, points)


def figure(
    entries: Sequence[Registered], past: History, latest: Sequence[Latest], now: datetime
) -> Figure:
    """One metric at one place, now."""
    metric = entries[0]
    period, amount, at = past.period, past.amount, past.at
    received, expected = past.received, past.expected
    step: float = past.width.total_seconds()
    if is_live(metric.kind, metric.public_step_s):
        period, expected = Period.NOW, sum(entry.sensors for entry in entries)
        here = {entry.territory for entry in entries}
        own = [reading for reading in latest if reading.territory in here]
        amount, at, step, received = spoken(metric, own, now)
    age_s = max((now - at).total_seconds(), 0.0) if at else None
    return Figure(
        metric=metric.metric, domain=metric.domain, kind=metric.kind,
        labels=metric.labels,
        unit=metric.unit, period=period, amount=amount, beside=past.beside,
        state=state_of(age_s if amount.value is not None else None, step),
        at=at, age_s=age_s, step_s=step, received=received, expected=expected, width=past.width,
        points=past.points, indicative=any(entry.indicative for entry in entries),
    )  # fmt: skip


def _counts(
    metric: Registered,
    windows: Sequence[Window],
    midnights: Mapping[str, datetime],
    width: timedelta,
) -> tuple[Amount, dict[datetime, Amount]]:
    """(today's total, cells of all territories together), both added from published cells."""
    today: list[Amount] = []
    cells: defaultdict[datetime, list[Amount]] = defaultdict(list)
    for code, midnight in midnights.items():
        own = counted_cells(metric, [w for w in windows if w.territory == code], midnight, width)
        for start, cell in own.items():
            cells[start].append(cell)
            if start >= midnight:
                today.append(cell)
    return add(today), {start: add(parts) for start, parts in cells.items()}


def _width(metric: Registered, windows: Sequence[Window]) -> timedelta:
    """Public cell: never finer than allowed, nor than the coarsest windows at hand."""
    widest = max((window.width_s for window in windows), default=0)
    return timedelta(seconds=max(metric.public_step_s, widest, 900))


def spoken(
    metric: Registered, latest: Sequence[Latest], now: datetime
) -> tuple[Amount, datetime | None, float, int]:
    """What the newest readings of one metric say together: (value, time of the newest, its step
    [s], sensors heard within six steps)."""
    if not latest:
        return NOTHING, None, 1.0, 0

    def step(reading: Latest) -> int:
        return reading.step_s or ON_CHANGE_STEP_S

    latest = not_ahead(latest, now)
    heard = [r for r in latest if (now - r.time).total_seconds() <= 6 * step(r)]
    newest = max(latest, key=lambda reading: reading.time)
    # Where all are silent, the last words of those that fell silent together.
    used = heard or [r for r in latest if (newest.time - r.time).total_seconds() <= 6 * step(r)]
    value = together(metric.kind, metric.unit, [reading.value for reading in used])
    return Amount(value), newest.time, step(newest), len(heard)


def not_ahead(latest: Sequence[Latest], now: datetime) -> Sequence[Latest]:
    """Readings without those of a time to come, unless there are no others."""
    sound = [r for r in latest if (r.time - now).total_seconds() <= AHEAD_S]
    return sound or latest


def _coverage(
    entries: Sequence[Registered],
    windows: Sequence[Window],
    midnights: Mapping[str, datetime],
    width: timedelta,
    now: datetime,
) -> tuple[int, int]:
    """Readings received and due in today's closed cells; on-change series owe none."""
    received = sum(w.received for w in windows if w.start >= midnights[w.territory])
    expected = 0
    for entry in entries:
        midnight = midnights[entry.territory]
        elapsed = (cell_start(now, midnight, width) - midnight).total_seconds()
        if entry.step_s:
            expected += entry.sensors * int(elapsed // entry.step_s)
    return received, expected


def _mean_since(metric: Registered, curve: Mapping[datetime, Amount], since: datetime) -> Amount:
    """Mean over time of a sampled metric's cells."""
    values = [a.value for start, a in curve.items() if start >= since and a.value is not None]
    if not values or metric.kind == "angle":
        return NOTHING
    if metric.kind == "level":
        return Amount(together("level", metric.unit, values))
    # Over time even a power averages; only over sensors does it add up.
    return Amount(math.fsum(values) / len(values))


def _points(
    metric: Registered, curve: Mapping[datetime, Amount], end: datetime, width: timedelta
) -> Iterable[Point]:
    """24 hours of cells up to the last closed one. A direction has no curve."""
    if metric.kind == "angle":
        return
    for back in range(DAY // width, 0, -1):
        start = end - back * width
        yield Point(start, curve.get(start, NOTHING))
