"""A difference with its interval beside the line that says "no difference"."""

from __future__ import annotations

from typing import NamedTuple

from dashboards.board.sheet import Drawing, Shape

WIDTH, HEIGHT = 352.0, 106.0
LEFT, RIGHT = 60.0, 292.0

# Below this the words at the ends of an interval would touch.
LEAST_APART = 14.0


class Words(NamedTuple):
    """What is written beside the marks; without an `estimate` there is no dot either."""

    zero: str
    estimate: str
    low: str
    high: str
    less: str
    more: str


def interval(estimate: float, low: float, high: float, words: Words) -> Drawing:
    """From `low` to `high`, the estimate as a dot, and zero as a line through the whole.

    The box of the interval is hollow, so that the dot in it needs no colour.
    """
    first, last = min(low, 0.0), max(high, 0.0)
    span = last - first or 1.0

    def across(value: float) -> float:
        return LEFT + (value - first) / span * (RIGHT - LEFT)

    zero, dot = across(0.0), across(estimate)
    start, end = across(low), across(high)
    missing = max(LEAST_APART - (end - start), 0.0) / 2
    measured = (
        _text(words.estimate, dot, 37, "strong", centred=True),
        Shape("circle", {"class": "dot", "cx": f"{dot:.1f}", "cy": "52", "r": "5.5"}),
    )  # fmt: skip
    return Drawing(
        WIDTH, HEIGHT,
        (
            _text(words.zero, zero, 14, "soft", centred=True),
            Shape("rect", {"class": "hollow", "x": f"{start:.1f}", "y": "44",
                           "width": f"{max(end - start, 1.0):.1f}", "height": "16", "rx": "3"}),
            # Over the box, which it may cross, and not down to the numbers.
            Shape("path", {"class": "usual", "d": f"M{zero:.1f} 19V66"}),
            *(measured if words.estimate else ()),
            _text(words.low, start - missing, 80, "end"),
            _text(words.high, end + missing, 80, ""),
            _text(f"← {words.less}", 0, 101, "soft"),
            _text(f"{words.more} →", WIDTH, 101, "soft end"),
        ),
    )  # fmt: skip


def _text(said: str, x: float, y: float, looks: str, *, centred: bool = False) -> Shape:
    """Text that stays in the box: centred unless it stands near an edge."""
    if centred:
        half = len(said) * 4.5
        if x < half:
            x, side = 0.0, ""
        elif x > WIDTH - half:
            x, side = WIDTH, "end"
        else:
            side = "middle"
        looks = f"{looks} {side}".strip()
    attributes: dict[str, str | float] = {"x": f"{x:.1f}", "y": f"{y:g}"}
    return Shape("text", {"class": looks, **attributes} if looks else attributes, said)
