"""Values over time -> the numbers of an SVG path; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, PAD = 240.0, 56.0, 4.0


@dataclass(frozen=True, slots=True)
class Spark:
    """A curve in a box of WIDTH x HEIGHT, y downwards.

    Attributes
    ----------
    path
        SVG path data; a gap ends a piece of line, a lone value is a dot-long dash.
    last
        Where the newest value lies, None where the newest cell is a gap.
    low, high
        Smallest and largest value drawn.
    gaps
        Cells without a value.
    """

    path: str
    last: tuple[float, float] | None
    low: float
    high: float
    gaps: int


def spark(values: Sequence[float | None], *, from_zero: bool) -> Spark | None:
    """Curve of evenly spaced values; None where there is none to draw.

    Counts are drawn from zero, since their height says how many; a temperature would
    then be flat, so sampled metrics use their own range.

    >>> spark([0.0, 2.0, None, 1.0], from_zero=True).path
    'M0 52L80 4M238.5 28h1.5'
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    floor = min(low, 0.0) if from_zero else low
    span = high - floor
    step = WIDTH / max(len(values) - 1, 1)

    def place(position: int, value: float) -> tuple[float, float]:
        rise = (value - floor) / span if span else (0.0 if from_zero else 0.5)
        return position * step, HEIGHT - PAD - rise * (HEIGHT - 2 * PAD)

    pieces: list[list[tuple[float, float]]] = []
    gap = True
    for position, value in enumerate(values):
        if value is None:
            gap = True
            continue
        if gap:
            pieces.append([])
            gap = False
        pieces[-1].append(place(position, value))
    last = None if values[-1] is None else pieces[-1][-1]
    path = "".join(_piece(piece) for piece in pieces)
    return Spark(path, last, low, high, len(values) - len(known))


def _piece(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    if not rest:
        return f"M{_short(min(x, WIDTH - 1.5))} {_short(y)}h1.5"
    return f"M{_short(x)} {_short(y)}" + "".join(f"L{_short(a)} {_short(b)}" for a, b in rest)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
