"""Twenty-four hours as cells in two rows, each with the class of its hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dashboards.board.sheet import Drawing, Shape

WIDTH, HEIGHT = 352.0, 124.0
ROW, CELL, TALL, LEFT = 12, 29.0, 36.0, 2.0
TOPS = (2.0, 66.0)

# Hours of the local clock that are written below their cells.
HOURS_APART = 3

# Whoever reads a number on these colours needs white.
_DARK = frozenset({5, 6})


def strip(hours: Sequence[tuple[datetime, int | None]]) -> Drawing:
    """Classes 1 to 6 by local start of their hour, oldest first; at most 24.

    An hour that was not measured is an empty cell with a dashed edge.
    """
    shapes: list[Shape] = []
    for position, (start, grade) in enumerate(hours):
        x = LEFT + position % ROW * CELL
        y = TOPS[position // ROW]
        look = f"g{grade} outline" if grade else "none"
        shapes.append(
            Shape("rect", {"class": look, "x": x + 1, "y": y, "width": CELL - 2, "height": TALL})
        )
        if grade:
            ink = "on-dark" if grade in _DARK else "on-light"
            shapes.append(_text(f"{ink} strong middle", x, y + 24, f"{grade}"))
        if start.hour % HOURS_APART == 0:
            shapes.append(_text("soft middle", x, y + TALL + 18, f"{start.hour}\u00a0h"))
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _text(look: str, x: float, y: float, words: str) -> Shape:
    return Shape("text", {"class": look, "x": x + CELL / 2, "y": y}, words)
