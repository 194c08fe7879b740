"""A day as columns, one per hour, with what is usual as a dashed line of steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from dashboards.board.figures import NOTHING, Amount
from dashboards.board.language import NO_BREAK, Language
from dashboards.board.sheet import Drawing, Shape

WIDTH, HEIGHT = 352.0, 142.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 350.0, 12.0, 114.0
HOURS_APART = 6

# Part of a column's place that it fills; heights of what is too few to be told, and of nothing.
FILL, FEW, ZERO, MISSING = 0.74, 7.0, 1.5, 20.0


class Bar(NamedTuple):
    """One hour: `start` by the local clock; without an amount it was not measured, unless it is
    still `to_come`."""

    start: datetime
    amount: Amount
    usual: Amount = NOTHING
    to_come: bool = False


def bars(hours: Sequence[Bar], *, language: Language, unit: str, kind: str) -> Drawing:
    """Columns from zero. Too few to be told is a hollow box, not measured a dashed one; zero is
    a line, and an hour to come is empty."""
    top = ceiling(max(
        (a.value for bar in hours for a in (bar.amount, bar.usual) if a.value is not None),
        default=0.0,
    ))  # fmt: skip
    width = (RIGHT - LEFT) / max(len(hours), 1)
    gap = width * (1 - FILL) / 2
    boxes: list[Shape] = []

    def height(value: float) -> float:
        return value / top * (BOTTOM - TOP)

    shapes = [
        Shape("path", {"class": "grid", "d": f"M{LEFT:g} {TOP:g}H{RIGHT:g}"}),
        _text(LEFT - 7, TOP + 5, "soft end", language.measured(top, unit, kind)),
        _text(LEFT - 7, BOTTOM, "soft end", language.number(0)),
    ]
    for position, bar in enumerate(hours):
        x, value = LEFT + position * width, bar.amount.value
        if value is None and bar.to_come:
            name, tall = "", 0.0
        elif value is None:
            name, tall = "none", MISSING
        elif bar.amount.hidden:
            name, tall = "few", FEW
        else:
            name, tall = "bar", max(height(value), ZERO)
        if name:
            # Boxes lie above the line of what is usual, which would cross them out.
            (shapes if name == "bar" else boxes).append(
                Shape("rect", {"class": name, "x": f"{x + gap:.1f}", "y": f"{BOTTOM - tall:.1f}",
                               "width": f"{width - 2 * gap:.1f}", "height": f"{tall:.1f}"})
            )  # fmt: skip
        if bar.start.hour % HOURS_APART == 0 and not bar.start.minute:
            shapes.append(Shape("path", {"class": "axis", "d": f"M{x:.1f} {BOTTOM:g}v5"}))
            shapes.append(
                _text(x + 2, HEIGHT - 5, "soft", f"{bar.start.hour}{NO_BREAK}h")
            )  # fmt: skip
    shapes.append(Shape("path", {"class": "axis", "d": f"M{LEFT:g} {BOTTOM:g}H{RIGHT:g}"}))
    steps = _steps([bar.usual for bar in hours], width, height)
    if steps:
        # A line of paper below, so that the dashes are seen on the columns as well.
        shapes += [Shape("path", {"class": name, "d": steps}) for name in ("halo", "usual")]
    return Drawing(WIDTH, HEIGHT, (*shapes, *boxes))


def ceiling(value: float) -> float:
    """The next round number, so that the axis ends at one.

    >>> [ceiling(value) for value in (0, 3, 12, 140, 260, 999)]
    [5.0, 5.0, 15.0, 150.0, 300.0, 1000.0]
    """
    if value <= 5:
        return 5.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next((step * power for step in steps if step * power >= value), 10 * power)


def _steps(usual: Sequence[Amount], width: float, height: Callable[[float], float]) -> str:
    """A line of steps; a gap stays a gap."""
    line, before = "", None
    for position, amount in enumerate(usual):
        if amount.value is None:
            before = None
            continue
        y = f"{BOTTOM - height(amount.value):.1f}"
        x = LEFT + position * width
        line += (f"M{x:.1f} {y}" if before is None else f"V{y}") + f"H{x + width:.1f}"
        before = y
    return line


def _text(x: float, y: float, name: str, text: str) -> Shape:
    return Shape("text", {"class": name, "x": f"{x:.1f}", "y": f"{y:.1f}"}, text)
