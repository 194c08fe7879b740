"""A rounded outline around points, for places whose own outline nobody knows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

Point = tuple[float, float]


def convex_hull(points: Iterable[Point]) -> list[Point]:
    """Corners of the smallest convex shape that holds all points, clockwise where y grows down.

    >>> convex_hull([(0, 0), (4, 0), (4, 4), (2, 2), (0, 4)])
    [(0, 0), (4, 0), (4, 4), (0, 4)]
    """
    given = sorted(set(points))
    if len(given) < 3:
        return given

    def chain(ordered: Iterable[Point]) -> list[Point]:
        kept: list[Point] = []
        for point in ordered:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return chain(given) + chain(reversed(given))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def rounded(corners: Sequence[Point], margin: float) -> str:
    """SVG path around a convex hull at a distance; a circle around a single point.

    >>> rounded([(10, 10)], 4)
    'M6 10a4 4 0 1 1 8 0a4 4 0 1 1-8 0z'
    """
    r = _short(margin)
    if len(corners) == 1:
        (x, y), wide = corners[0], _short(2 * margin)
        return (f"M{_short(x - margin)} {_short(y)}a{r} {r} 0 1 1 {wide} 0"
                f"a{r} {r} 0 1 1-{wide} 0z")  # fmt: skip
    parts = []
    for position, (x, y) in enumerate(corners):
        to_x, to_y = corners[(position + 1) % len(corners)]
        length = math.hypot(to_x - x, to_y - y)
        # Outwards is to the left of the way, as the way is clockwise where y grows down.
        out_x, out_y = (to_y - y) / length * margin, -(to_x - x) / length * margin
        start = f"{_short(x + out_x)} {_short(y + out_y)}"
        parts.append(f"M{start}" if not position else f"A{r} {r} 0 0 1 {start}")
        parts.append(f"L{_short(to_x + out_x)} {_short(to_y + out_y)}")
    start = parts[0].removeprefix("M")
    return "".join(parts) + f"A{r} {r} 0 0 1 {start}z"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
