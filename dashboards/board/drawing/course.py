"""A value over a day as a line, with the hours below and its range beside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dashboards.board.language import Language
from dashboards.board.sheet import Drawing, Shape

WIDTH, HEIGHT = 352.0, 130.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 348.0, 16.0, 104.0

# Hours of the local clock that are written below the line.
HOURS_APART = 6


def course(
    values: Sequence[tuple[datetime, float | None]],
    *,
    from_zero: bool,
    language: Language,
    unit: str,
    kind: str,
) -> Drawing:
    """Line through values by local time, oldest first; a gap stays a gap, a lone value is a dot.

    Counts are drawn from zero, since their height says how many.
    """
    known = [value for _, value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    low = min(low, 0.0) if from_zero else low
    step = (RIGHT - LEFT) / max(len(values) - 1, 1)

    def point(position: int, value: float) -> tuple[float, float]:
        rise = (value - low) / (high - low) if high > low else 0.5
        return LEFT + position * step, BOTTOM - rise * (BOTTOM - TOP)

    shapes = [Shape("path", {"class": "axis", "d": f"M{LEFT:g} {BOTTOM + 6:g}H{RIGHT:g}"})]
    for position, (time, _) in enumerate(values):
        if time.hour % HOURS_APART == 0 and LEFT + position * step < RIGHT - 18:
            x = LEFT + position * step
            shapes.append(Shape("path", {"class": "axis", "d": f"M{x:.1f} {BOTTOM + 6:g}v4"}))
            shapes.append(
                Shape("text", {"class": "soft middle", "x": f"{x:.1f}", "y": HEIGHT - 4},
                      f"{time.hour}\u00a0h")
            )  # fmt: skip
    for edge in {high, low} if known else ():
        y = point(0, edge)[1]
        shapes.append(
            Shape("text", {"class": "soft end", "x": LEFT - 8, "y": f"{y + 5:.1f}"},
                  language.measured(edge, unit, kind))
        )  # fmt: skip
    line, gap = "", True
    for position, (_, value) in enumerate(values):
        if value is None:
            gap = True
            continue
        x, y = point(position, value)
        alone = gap and (position + 1 == len(values) or values[position + 1][1] is None)
        line += f"{'M' if gap else 'L'}{x:.1f} {y:.1f}" + ("h2" if alone else "")
        gap = False
    shapes.append(Shape("path", {"class": "line", "d": line or "M0 0"}))
    return Drawing(WIDTH, HEIGHT, tuple(shapes))
