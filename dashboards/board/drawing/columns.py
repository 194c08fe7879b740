"""Equal columns from zero, some of them named below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboards.board.drawing.bars import ceiling
from dashboards.board.language import Language
from dashboards.board.sheet import Drawing, Shape

WIDTH, HEIGHT = 352.0, 142.0
LEFT, RIGHT, TOP, BOTTOM = 60.0, 350.0, 12.0, 114.0

# Part of a column's place that it fills; heights of a zero, and of what was not measured.
FILL, ZERO, MISSING = 0.74, 1.5, 20.0


def columns(
    values: Sequence[float | None], named: Mapping[int, str], language: Language
) -> Drawing:
    """Columns, oldest first; what was not measured is a low dashed box.

    `named` are texts by the position of their column; their ends stay within the box.
    """
    top = ceiling(max((value for value in values if value is not None), default=0.0))
    width = (RIGHT - LEFT) / max(len(values), 1)
    gap = width * (1 - FILL) / 2
    shapes = [
        Shape("path", {"class": "grid", "d": f"M{LEFT:g} {TOP:g}H{RIGHT:g}"}),
        _text(LEFT - 7, TOP + 5, "soft end", language.number(top)),
        _text(LEFT - 7, BOTTOM, "soft end", language.number(0)),
    ]
    for position, value in enumerate(values):
        tall = MISSING if value is None else max(value / top * (BOTTOM - TOP), ZERO)
        left = LEFT + position * width + gap
        shapes.append(
            Shape("rect", {"class": "none" if value is None else "bar", "x": f"{left:.1f}",
                           "y": f"{BOTTOM - tall:.1f}", "width": f"{width - 2 * gap:.1f}",
                           "height": f"{tall:.1f}"})
        )  # fmt: skip
    shapes.append(Shape("path", {"class": "axis", "d": f"M{LEFT:g} {BOTTOM:g}H{RIGHT:g}"}))
    for position, text in named.items():
        x = LEFT + (position + 0.5) * width
        shapes.append(Shape("path", {"class": "axis", "d": f"M{x:.1f} {BOTTOM:g}v5"}))
        late = x > RIGHT - 40
        shapes.append(_text(RIGHT if late else max(x, LEFT), HEIGHT - 5,
                            "soft end" if late else "soft middle", text))  # fmt: skip
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _text(x: float, y: float, name: str, text: str) -> Shape:
    return Shape("text", {"class": name, "x": f"{x:.1f}", "y": f"{y:.1f}"}, text)
