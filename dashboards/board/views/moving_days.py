"""Counts of today and of the days that are usual for it, by place; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboards.board.drawing.bars import Bar
from dashboards.board.figures import (
    NOTHING,
    Amount,
    add,
    cell_start,
    complete_cells,
    counted_cells,
)
from dashboards.board.pages import local_midnight
from dashboards.board.rows import Registered, Window
from dashboards.board.usual import Cell, Usual, by_the_clock, days_before, usual

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)

Days = tuple[tuple[Cell, ...], ...]
"""The usual days of one place and metric, newest first; one that is none is empty."""

Past = Mapping[tuple[str, str], Days]
"""By (place, metric); the whole installation is the place ``""``."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One metric at one place today.

    Attributes
    ----------
    metric
        As registered in the first of its territories.
    total
        Today so far, of closed cells.
    until
        End of the last of them; None where nothing was counted.
    width
        Length of a cell.
    received, expected
        Readings.
    usual
        What is usual for today.
    hours
        The local day.
    """

    metric: Registered
    total: Amount
    until: datetime | None
    width: timedelta
    received: int
    expected: int
    usual: Usual
    hours: tuple[Bar, ...]


def usual_days(
    registry: Sequence[Registered], weeks: Sequence[Sequence[Window]], now: datetime
) -> Past:
    """Windows of the weeks before, newest first, to the usual days of every place."""
    territories = {(row.territory, row.metric): row for row in registry}
    found: defaultdict[tuple[str, str], list[tuple[Cell, ...]]] = defaultdict(list)
    for week, windows in enumerate(weeks):
        own: defaultdict[tuple[str, str], list[Window]] = defaultdict(list)
        widths: defaultdict[str, int] = defaultdict(int)
        for window in windows:
            own[window.territory, window.metric].append(window)
            widths[window.metric] = max(widths[window.metric], window.width_s)
        everywhere: defaultdict[str, list[Cell]] = defaultdict(list)
        for (code, metric), row in territories.items():
            start, end = days_before(now, row.timezone)[week]
            cells: tuple[Cell, ...] = ()
            if end - start == DAY:
                width = width_of(row, widths[metric])
                here = [w for w in own[code, metric] if start <= w.start < end]
                cells = _cells(row, here, start, width)
            found[code, metric].append(cells)
            everywhere[metric].extend(cells)
        for metric, all_cells in everywhere.items():
            found["", metric].append(together(all_cells))
    return {place: tuple(days) for place, days in found.items()}


def together(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Cells of several territories added up by the clock."""
    own: defaultdict[tuple[int, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        own[cell.minute, cell.width].append(cell)
    return tuple(
        Cell(minute, width, add(c.amount for c in same), sum(c.filled_s for c in same))
        for (minute, width), same in sorted(own.items())
    )


def counted(
    registry: Sequence[Registered], windows: Sequence[Window], past: Past, now: datetime
) -> dict[tuple[str, str], Counted]:
    """Today by (place, metric). `windows` reach back over a day, as elsewhere on the board, since
    the longest of them says how long the cells are."""
    by_metric: defaultdict[str, list[Window]] = defaultdict(list)
    for window in windows:
        by_metric[window.metric].append(window)
    entries: defaultdict[tuple[str, str], list[Registered]] = defaultdict(list)
    for row in registry:
        for code in ("", row.territory):
            entries[code, row.metric].append(row)
    return {
        (code, metric): _counted(rows, by_metric[metric], past.get((code, metric), ()), now)
        for (code, metric), rows in entries.items()
    }


def width_of(metric: Registered, widest_s: int) -> timedelta:
    """Length of a published cell: as allowed, and no finer than the windows at hand."""
    return timedelta(seconds=max(metric.public_step_s, widest_s, 900))


def _counted(
    entries: Sequence[Registered], windows: Sequence[Window], days: Days, now: datetime
) -> Counted:
    metric = entries[0]
    width = width_of(metric, max((window.width_s for window in windows), default=0))
    midnights = {e.territory: local_midnight(now, e.timezone) for e in entries}
    zones = {e.territory: e.timezone for e in entries}
    cells: defaultdict[datetime, list[Amount]] = defaultdict(list)
    today: list[Cell] = []
    closed: list[Window] = []
    for code, midnight in midnights.items():
        own = [
            w
            for w in windows
            if w.territory == code
            and w.start >= midnight
            and w.start + timedelta(seconds=w.width_s) <= now
            and cell_start(w.start, midnight, width) + width <= now
        ]
        closed += own
        published = counted_cells(metric, own, midnight, width)
        for start, cell in published.items():
            cells[start].append(cell)
        today += by_the_clock(
            published, _filled(own, midnight, width), timezone=zones[code], width=width
        )
    zero = midnights[metric.territory]
    elapsed_s = (cell_start(now, zero, width) - zero).total_seconds()
    sensors = sum(entry.sensors for entry in entries)
    known = usual(today, days, sensors=sensors, elapsed_s=elapsed_s)
    summed = {start: add(parts) for start, parts in cells.items()}
    return Counted(
        metric=metric, total=add(summed.values()),
        until=max(summed) + width if summed else None, width=width,
        received=sum(w.received for w in closed),
        expected=sum(e.sensors * int(elapsed_s // e.step_s) for e in entries if e.step_s),
        usual=known, hours=_hours(metric, summed, closed, sensors, zero, now, known),
    )  # fmt: skip


def _cells(
    metric: Registered, windows: Sequence[Window], midnight: datetime, width: timedelta
) -> tuple[Cell, ...]:
    return by_the_clock(
        counted_cells(metric, windows, midnight, width), _filled(windows, midnight, width),
        timezone=metric.timezone, width=width,
    )  # fmt: skip


def _filled(
    windows: Iterable[Window], midnight: datetime, width: timedelta
) -> dict[datetime, float]:
    """Seconds measured per cell, added over sensors."""
    found: defaultdict[datetime, float] = defaultdict(float)
    for window in windows:
        found[cell_start(window.start, midnight, width)] += window.sensors * window.width_s
    return found


def _hours(
    metric: Registered,
    cells: Mapping[datetime, Amount],
    windows: Sequence[Window],
    sensors: int,
    midnight: datetime,
    now: datetime,
    known: Usual,
) -> tuple[Bar, ...]:
    """The local day: 23, 24 or 25 hours. An hour of which a quarter is missing has no column,
    since it would look like an hour in which little moved."""
    zone = ZoneInfo(metric.timezone)
    complete = complete_cells(windows, sensors, midnight, HOUR)
    parts: defaultdict[datetime, list[Amount]] = defaultdict(list)
    for start, cell in cells.items():
        parts[cell_start(start, midnight, HOUR)].append(cell)
    # A day that begins before a change of clocks is an hour shorter or longer.
    hours = (local_midnight(midnight + 1.5 * DAY, metric.timezone) - midnight) // HOUR
    found = []
    for number in range(hours):
        start = midnight + number * HOUR
        amount = add(parts[start]) if start in complete else NOTHING
        local = start.astimezone(zone)
        found.append(
            Bar(local, amount, known.hours.get(local.hour, NOTHING), to_come=start + HOUR > now)
        )
    return tuple(found)


def busiest(places: Iterable[Counted]) -> Counted | None:
    """The metric that has most to show today, else that of which most is usual."""
    own = list(places)

    def rank(one: Counted) -> tuple[float, float]:
        usual_day = sum(amount.value or 0.0 for amount in one.usual.hours.values())
        return (-1.0 if one.total.value is None else one.total.value, usual_day)

    shown = [one for one in own if one.total.value is not None or one.usual.hours]
    return max(shown, key=rank, default=None)
