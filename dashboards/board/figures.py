"""How many sensors and windows become one public figure; pure.

Small counts: a cell (territory and public step) with 1 to 4 people or vehicles could point
at somebody, so it is published as "fewer than 5", and every longer total is added from
published cells only, such a cell standing in as 2.5. No subtraction gives the cell back.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from dashboards.board.rows import Registered, Window

SMALL_COUNT = 5
STAND_IN = 2.5

# A sampled quantity adds up over sensors where its unit says "how many" or "how much
# power"; concentrations and temperatures average.
_ADDING_UNITS = frozenset({"1", "kW", "kV.A"})
_COUNTED = frozenset({"count", "index"})

# Share of sensors x windows that a drawn cell needs: the 75 % rule of air quality law.
LEAST_FILLED = 0.75


class Amount(NamedTuple):
    """A published quantity; `about` where small cells stand in for the true count."""

    value: float | None
    about: bool = False

    @property
    def hidden(self) -> bool:
        """Shown as "fewer than 5"."""
        return self.about and self.value is not None and self.value < SMALL_COUNT

    @property
    def published(self) -> dict[str, float | None]:
        """As in open data: value null and `below` set is counted, but too few to say how many."""
        if self.hidden:
            return {"value": None, "below": SMALL_COUNT}
        return {"value": self.value, "about": True} if self.about else {"value": self.value}


NOTHING = Amount(None)


def adds_up(kind: str, unit: str) -> bool:
    """Whether several sensors together make a sum rather than a mean.

    >>> adds_up("count", "1"), adds_up("gauge", "kW"), adds_up("gauge", "Cel")
    (True, True, False)
    """
    return kind in _COUNTED or (kind == "gauge" and unit in _ADDING_UNITS)


def is_counted(kind: str) -> bool:
    """Whether the metric has totals over windows."""
    return kind in _COUNTED


def together(kind: str, unit: str, values: Sequence[float]) -> float:
    """One value of several sensors read at about the same time; at least one is needed.

    >>> together("gauge", "Cel", [10.0, 12.0])
    11.0
    >>> round(together("angle", "deg", [350.0, 20.0]))
    5
    """
    if adds_up(kind, unit):
        return math.fsum(values)
    if kind == "level":
        return 10 * math.log10(math.fsum(10 ** (value / 10) for value in values) / len(values))
    if kind == "angle":
        x = math.fsum(math.cos(math.radians(value)) for value in values)
        y = math.fsum(math.sin(math.radians(value)) for value in values)
        return math.degrees(math.atan2(y, x)) % 360
    return math.fsum(values) / len(values)


def published(metric: Registered, total: float) -> Amount:
    """A closed cell's count as the public may know it.

    Registers of energy are no counts of people and pass as they are.
    """
    if metric.domain == "mobility" and metric.kind == "count" and 0 < total < SMALL_COUNT:
        return Amount(STAND_IN, about=True)
    return Amount(total)


def add(cells: Iterable[Amount]) -> Amount:
    """Sum of published cells; nothing where none was measured.

    >>> add([Amount(10.0), NOTHING, Amount(2.5, True)])
    Amount(value=12.5, about=True)
    """
    known = [cell for cell in cells if cell.value is not None]
    if not known:
        return NOTHING
    return Amount(math.fsum(cell.value or 0.0 for cell in known), any(c.about for c in known))


def cell_start(time: datetime, midnight: datetime, width: timedelta) -> datetime:
    """Start of the public cell that holds `time`; cells are counted from local midnight."""
    return midnight + (time - midnight) // width * width


def counted_cells(
    metric: Registered, windows: Iterable[Window], midnight: datetime, width: timedelta
) -> dict[datetime, Amount]:
    """Published counts of one territory by the start of their cell, which is `width` long.

    Sensors of quarter-hours and of hours are published apart and then added up: else, once a slow
    sensor has fallen silent and cells become shorter, the hour that was told before would give
    back what one of its quarters hides.
    """
    totals: defaultdict[tuple[int, datetime], list[float]] = defaultdict(list)
    for window in windows:
        if window.total is not None:
            own = timedelta(seconds=max(window.width_s, metric.public_step_s))
            start = cell_start(window.start, midnight, own)
            totals[window.width_s, start].append(window.total)
    cells: defaultdict[datetime, list[Amount]] = defaultdict(list)
    for (_, start), parts in totals.items():
        cells[cell_start(start, midnight, width)].append(published(metric, math.fsum(parts)))
    return {start: add(parts) for start, parts in cells.items()}


def sampled_cells(
    metric: Registered, windows: Iterable[Window], midnight: datetime, width: timedelta
) -> dict[datetime, Amount]:
    """Means of a sampled metric by cell; windows of several territories may be mixed."""
    cells: defaultdict[datetime, list[Window]] = defaultdict(list)
    for window in windows:
        if window.part is not None and window.sensors:
            cells[cell_start(window.start, midnight, width)].append(window)
    return {start: Amount(_mean(metric, members)) for start, members in cells.items()}


def _mean(metric: Registered, members: Sequence[Window]) -> float:
    if adds_up(metric.kind, metric.unit):
        # Over time the mean, over sources the sum.
        times = Counter((window.width_s, window.territory) for window in members)
        return math.fsum(
            (window.part or 0.0) / times[window.width_s, window.territory] for window in members
        )
    mean = math.fsum(w.part or 0.0 for w in members) / sum(w.sensors for w in members)
    return 10 * math.log10(mean) if metric.kind == "level" and mean > 0 else mean


def complete_cells(
    windows: Iterable[Window], sensors: int, midnight: datetime, width: timedelta
) -> set[datetime]:
    """Cells that enough of the sensors filled with enough windows to be drawn.

    Otherwise a silent sensor, or the hour in which all fell silent, would look like a
    fall of the quantity. Today's total does count what an incomplete cell holds.
    """
    filled: defaultdict[datetime, int] = defaultdict(int)
    for window in windows:
        filled[cell_start(window.start, midnight, width)] += window.sensors * window.width_s
    due = sensors * width.total_seconds()
    return {start for start, seconds in filled.items() if seconds >= LEAST_FILLED * due}
