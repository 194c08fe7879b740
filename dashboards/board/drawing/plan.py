"""Outlines on the globe -> areas in a box: projected, simplified, with a place for a label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from dashboards.board.drawing.hull import Point, convex_hull, rounded

PATH_BYTES = 6000
"""What the outlines of a page may weigh together."""

PAD = 2.0

# Points closer together than this are one, before anything else is asked. [units]
_FINEST = 0.25
_TOLERANCE, _COARSER = 0.35, 1.35
_GRID = 12

Ring = list[Point]


class Area(NamedTuple):
    """One territory in the box.

    Attributes
    ----------
    path
        SVG path data; holes by the rule *evenodd*.
    x, y
        Well within it: where a label goes.
    room
        From there to its nearest edge.
    size
        Of its largest part. [square units]
    bounds
        How far that reaches: left, top, right, bottom.
    known
        Whether this is its own outline, rather than one around its sites.
    """

    code: str
    path: str
    x: float
    y: float
    room: float
    size: float
    bounds: tuple[float, float, float, float]
    known: bool


class Plan(NamedTuple):
    """Areas and points in a box of `width` x `height`; `lost` have neither outline nor place."""

    width: float
    height: float
    areas: tuple[Area, ...]
    points: Mapping[str, Point]
    lost: tuple[str, ...]


def plan(
    outlines: Mapping[str, Mapping[str, Any] | None],
    around: Mapping[str, Sequence[Point]],
    points: Mapping[str, Point],
    *,
    width: float,
    height: float,
    margin: float,
) -> Plan:
    """Lay territories out in a box, north up.

    Parameters
    ----------
    outlines
        GeoJSON Polygon or MultiPolygon by territory (WGS84); None where there is none.
    around
        Where a territory's sites are (longitude, latitude): stands in for an outline.
    points
        What else is to be placed, by name.
    margin
        Between sites and the outline drawn around them. [units]
    """
    rings = {code: _rings(outline) for code, outline in outlines.items() if outline}
    hulls = {code: list(around.get(code, ())) for code in outlines if not rings.get(code)}
    everything = [p for parts in rings.values() for ring in parts for p in ring]
    everything += [p for places in hulls.values() for p in places] + list(points.values())
    place = _projection(everything, width, height, PAD + (margin if any(hulls.values()) else 0))
    drawn = {code: [_thin([place(p) for p in ring]) for ring in parts]
             for code, parts in rings.items() if parts}  # fmt: skip
    drawn, paths = _fitting(drawn)
    areas = [_area(code, drawn[code], path) for code, path in paths.items()]
    for code, places in hulls.items():
        placed = [place(point) for point in places]
        corners = convex_hull((round(x, 1), round(y, 1)) for x, y in placed)
        if corners:
            x, y = (sum(c[axis] for c in corners) / len(corners) for axis in (0, 1))
            size = _surface(corners) + math.pi * margin**2
            areas.append(Area(code, rounded(corners, margin), x, y, margin, size,
                              _bounds(corners, margin), False))  # fmt: skip
    lost = tuple(code for code, places in hulls.items() if not places)
    order = {code: position for position, code in enumerate(outlines)}
    areas.sort(key=lambda area: order[area.code])
    return Plan(width, height, tuple(areas), {n: place(p) for n, p in points.items()}, lost)


def _rings(outline: Mapping[str, Any]) -> list[Ring]:
    """Every ring, outer ones and holes alike."""
    coordinates = outline["coordinates"]
    polygons = [coordinates] if outline["type"] == "Polygon" else coordinates
    return [[(float(p[0]), float(p[1])) for p in ring] for polygon in polygons for ring in polygon]


class _Placing(NamedTuple):
    """Equirectangular at the mean latitude, which is true enough for a city."""

    west: float
    north: float
    shrink: float
    scale: float
    left: float
    top: float

    def __call__(self, point: Point) -> Point:
        return (self.left + (point[0] - self.west) * self.shrink * self.scale,
                self.top + (self.north - point[1]) * self.scale)  # fmt: skip


def _projection(points: Sequence[Point], width: float, height: float, pad: float) -> _Placing:
    if not points:
        return _Placing(0, 0, 1, 1, 0, 0)
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    shrink = math.cos(math.radians((south + north) / 2))
    wide, high = (east - west) * shrink, north - south
    room_x, room_y = width - 2 * pad, height - 2 * pad
    scale = min(room_x / wide if wide else math.inf, room_y / high if high else math.inf)
    if math.isinf(scale):
        scale = 1.0
    return _Placing(west, north, shrink, scale, pad + (room_x - wide * scale) / 2,
                    pad + (room_y - high * scale) / 2)  # fmt: skip


def _thin(ring: Ring) -> Ring:
    """Without the closing point, and without points that lie upon each other."""
    kept = ring[:1]
    for point in ring[1:]:
        if math.dist(point, kept[-1]) >= _FINEST:
            kept.append(point)
    while len(kept) > 1 and math.dist(kept[0], kept[-1]) < _FINEST:
        kept.pop()
    return kept


def _fitting(drawn: Mapping[str, list[Ring]]) -> tuple[dict[str, list[Ring]], dict[str, str]]:
    """Simplified just enough for all of it to be light."""
    tolerance = _TOLERANCE
    while True:
        simple = {code: _simple(rings, tolerance) for code, rings in drawn.items()}
        paths = {code: "".join(map(_path, rings)) for code, rings in simple.items()}
        if sum(map(len, paths.values())) <= PATH_BYTES or tolerance > 100:
            return simple, paths
        tolerance *= _COARSER


def _simple(rings: list[Ring], tolerance: float) -> list[Ring]:
    """Its rings with fewer corners; what has become too small to be seen goes, but for the
    largest."""
    done = [simplify(ring, tolerance) for ring in rings]
    largest = max(range(len(done)), key=lambda n: _surface(done[n]))
    return [ring for n, ring in enumerate(done)
            if n == largest or (len(ring) > 2 and _surface(ring) > 4 * tolerance**2)]  # fmt: skip


def simplify(ring: Ring, tolerance: float) -> Ring:
    """Douglas and Peucker: corners may go that lie within the tolerance of the line without.

    >>> simplify([(0, 0), (5, 0.1), (10, 0), (10, 10), (0, 10)], 0.5)
    [(0, 0), (10, 0), (10, 10), (0, 10)]
    """
    if len(ring) < 5:
        return ring
    far = max(range(len(ring)), key=lambda n: math.dist(ring[0], ring[n]))
    closed = [*ring, ring[0]]
    kept, waiting = {0, far, len(ring)}, [(0, far), (far, len(ring))]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        away, worst = max(
            (_distance(closed[n], closed[first], closed[last]), n) for n in range(first + 1, last)
        )
        if away > tolerance:
            kept.add(worst)
            waiting += [(first, worst), (worst, last)]
    found = [closed[n] for n in sorted(kept)[:-1]]
    # A ring needs three corners to be one.
    return found if len(found) > 2 else ring[:: max(len(ring) // 4, 1)]


def _distance(point: Point, a: Point, b: Point) -> float:
    """From a point to a stretch of line."""
    wide, high = b[0] - a[0], b[1] - a[1]
    square = wide * wide + high * high
    along = ((point[0] - a[0]) * wide + (point[1] - a[1]) * high) / square if square else 0.0
    along = min(max(along, 0.0), 1.0)
    return math.hypot(point[0] - a[0] - along * wide, point[1] - a[1] - along * high)


def _path(ring: Ring) -> str:
    """Steps from corner to corner, in tenths that do not add up to an error."""
    tenths = [(round(x * 10), round(y * 10)) for x, y in ring]
    if len(set(tenths)) < 3:
        # Too small for a shape of its own.
        return f"M{_tenth(tenths[0][0])} {_tenth(tenths[0][1])}h1v1h-1z"
    text = f"M{_tenth(tenths[0][0])} {_tenth(tenths[0][1])}l"
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(tenths)]
    words = [_tenth(number) for step in steps if step != (0, 0) for number in step]
    for position, word in enumerate(words):
        text += word if not position or word.startswith("-") else f" {word}"
    return text + "z"


def _tenth(number: int) -> str:
    return f"{number / 10:.1f}".removesuffix(".0")


def _surface(ring: Sequence[Point]) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1]
                   for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))) / 2  # fmt: skip


def _area(code: str, rings: list[Ring], path: str) -> Area:
    largest = max(rings, key=_surface)
    (x, y), room = _within(rings, largest)
    return Area(code, path, x, y, room, _surface(largest), _bounds(largest), True)


def _bounds(ring: Sequence[Point], margin: float = 0.0) -> tuple[float, float, float, float]:
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    return min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin


def _within(rings: list[Ring], largest: Ring) -> tuple[Point, float]:
    """The point of a grid over the largest part that is farthest from every edge, and how far."""
    left, top, right, bottom = _bounds(largest)
    edges = [(a, b) for ring in rings for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
    best, found = 0.0, ((left + right) / 2, (top + bottom) / 2)
    for row in range(1, _GRID):
        for column in range(1, _GRID):
            point = (left + (right - left) * column / _GRID, top + (bottom - top) * row / _GRID)
            if _holds(edges, point):
                away = min(_distance(point, a, b) for a, b in edges)
                if away > best:
                    best, found = away, point
    return found, best


def _holds(edges: Sequence[tuple[Point, Point]], point: Point) -> bool:
    x, y = point
    crossed = sum(1 for a, b in edges if (a[1] > y) != (b[1] > y)
                  and x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))  # fmt: skip
    return crossed % 2 == 1
