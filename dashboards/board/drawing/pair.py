"""Before and after at two kinds of places, as lying bars from zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboards.board.sheet import Drawing, Shape

WIDTH = 352.0
LEFT, RIGHT = 66.0, 286.0
ROW, BAR, GAP = 20.0, 12.0, 8.0


class Pair(NamedTuple):
    """One kind of places: its name, and each bar's name, value and the value in words."""

    name: str
    bars: tuple[tuple[str, float | None, str], ...]


def pair(pairs: Sequence[Pair]) -> Drawing:
    """Bars below the name of their places; the last of each is solid, those before it hollow.

    A bar without a value is left out, and its words say why.
    """
    known = [value for each in pairs for _, value, _ in each.bars if value is not None]
    low, high = min([*known, 0.0]), max([*known, 0.0])
    span = high - low or 1.0

    def across(value: float) -> float:
        return LEFT + (value - low) / span * (RIGHT - LEFT)

    shapes: list[Shape] = []
    y = 0.0
    for each in pairs:
        y += ROW
        top = y
        shapes.append(Shape("text", {"class": "strong", "x": 0, "y": f"{y - 5:g}"}, each.name))
        for number, (name, value, said) in enumerate(each.bars):
            y += ROW
            shapes.append(Shape("text", {"class": "soft", "x": 0, "y": f"{y - 5:g}"}, name))
            end = across(0.0)
            if value is not None:
                start, end = sorted((across(0.0), across(value)))
                last = number == len(each.bars) - 1
                shapes.append(
                    Shape("rect", {"class": "bar" if last else "hollow", "x": f"{start:.1f}",
                                   "y": f"{y - BAR - 4:g}", "width": f"{end - start:.1f}",
                                   "height": f"{BAR:g}"})
                )  # fmt: skip
            words = {"class": "strong", "x": f"{end + 8:.1f}", "y": f"{y - 5:g}"}
            shapes.append(Shape("text", dict(words), said))
        shapes.append(Shape("path", {"class": "axis", "d": f"M{across(0.0):.1f} {top:g}V{y:g}"}))
        y += GAP
    return Drawing(WIDTH, y - GAP, tuple(shapes))
