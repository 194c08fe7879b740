"""A plan of territories as a map: each filled by its class, with its number and its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dashboards.board.drawing.plan import Area, Plan
from dashboards.board.sheet import Drawing, Shape

WIDTH, HEIGHT = 352.0, 140.0
MAP_WIDTH = 200.0
"""Of the map; what its legend leaves besides is room for names."""

BADGE, GAP = 20.0, 3.0
_LINE = 24.0
_APART = 14.0
# A number and the space that it needs to be read, from its middle.
_HALF_WIDE, _HALF_HIGH, _ROOM = 6.0, 8.0, 7.5
_NOTHING = "\u2013"


class Letters(NamedTuple):
    """How high a line of text is, and how wide its letters are on average."""

    high: float
    wide: float


FAR = Letters(18.0, 10.8)
"""On screens, which write with up to 18.7 units; letters are less than 0.58 as wide."""

NEAR = Letters(15.0, 7.6)
"""On pages, which write with 13 units."""


class Named(NamedTuple):
    """A territory by name, and its class from 1 to 6; 0: nothing known."""

    name: str
    grade: int


class Entry(NamedTuple):
    """A line of the legend."""

    grade: int
    word: str


class Box(NamedTuple):
    """Something that nothing else may cover."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        return (self.left < other.right and other.left < self.right
                and self.top < other.bottom and other.top < self.bottom)  # fmt: skip

    def within(self, width: float, height: float) -> bool:
        return self.left >= 0 and self.top >= 0 and self.right <= width and self.bottom <= height


def classes(
    plan: Plan, named: Mapping[str, Named], legend: Sequence[Entry], letters: Letters = FAR
) -> tuple[Drawing, frozenset[str]]:
    """The map and its legend, and which territories it calls by name.

    Numbers come before names and large territories before small ones; what does not fit without
    covering something else is left to the table.
    """
    key, left = _legend(legend, letters)
    aside = max((left - _APART - plan.width) / 2, 0.0)
    width = plan.width + 2 * aside
    areas = [area._replace(x=area.x + aside) for area in plan.areas]
    shapes = [_fill(area, named[area.code].grade, aside) for area in areas]
    large = sorted(areas, key=lambda area: -area.size)
    numbers: dict[str, Box] = {}
    for area in large:
        inside = area.room >= _ROOM
        half_x, half_y = (_HALF_WIDE, _HALF_HIGH) if inside else (BADGE / 2, BADGE / 2)
        box = Box(area.x - half_x, area.y - half_y, area.x + half_x, area.y + half_y)
        box = box if inside else _kept(box, width, plan.height)
        if not any(box.meets(other) for other in numbers.values()):
            numbers[area.code] = box
            grade = named[area.code].grade
            shapes += _number(area, grade) if inside else badge(box.left, box.top, grade)
    # A name never hides another area's number, nor the middle of another area.
    middles = {area.code: Box(area.x - area.room, area.y - area.room, area.x + area.room,
                              area.y + area.room) for area in areas}  # fmt: skip
    taken = list(numbers.values())
    called = set()
    for area in large:
        around = numbers.get(area.code)
        if around is None:
            continue
        name = named[area.code].name
        found = None
        if len(name) * letters.wide > area.bounds[2] - area.bounds[0]:
            # It does not fit into its area: better wholly beside than across the edge.
            others = [_around(other, aside) for other in areas if other is not area]
            found = _free(
                name, _around(area, aside), [*taken, *others], width, plan.height, letters
            )
        hearts = [box for code, box in middles.items() if code != area.code]
        found = found or _free(name, around, [*taken, *hearts], width, plan.height, letters)
        if found:
            box, lines = found
            taken.append(box)
            called.add(area.code)
            shapes += _plate(box, lines, letters)
    return Drawing(WIDTH, HEIGHT, (*shapes, *key)), frozenset(called)


def dots(plan: Plan, numbers: Mapping[str, int]) -> Drawing:
    """One territory and its sites as dots, with their numbers where there is room."""
    shapes = [Shape("path", {"class": "land", "fill-rule": "evenodd", "d": area.path})
              for area in plan.areas]  # fmt: skip
    places = {name: plan.points[name] for name in numbers if name in plan.points}
    taken = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in places.values()]
    for name, (x, y) in places.items():
        shapes.append(Shape("circle", {"class": "dot", "cx": _at(x), "cy": _at(y), "r": 4}))
        text = str(numbers[name])
        around = Box(x - 5, y - 5, x + 5, y + 5)
        found = _free(text, around, taken, plan.width, plan.height, FAR)
        if found:
            taken.append(found[0])
            shapes += _plate(*found, FAR)
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _around(area: Area, aside: float) -> Box:
    left, top, right, bottom = area.bounds
    return Box(left + aside, top, right + aside, bottom)


def _fill(area: Area, grade: int, aside: float) -> Shape:
    look: dict[str, str | float] = {"class": f"g{grade} outline" if grade else "none",
                                    "fill-rule": "evenodd", "d": area.path}  # fmt: skip
    if aside:
        look["transform"] = f"translate({_at(aside)} 0)"
    return Shape("path", look)


def _ink(grade: int) -> str:
    return "strong middle" + (f" {'on-dark' if grade > 4 else 'on-light'}" if grade else "")


def _number(area: Area, grade: int) -> list[Shape]:
    """The number of a class on an area of its colour."""
    return [Shape("text", {"class": _ink(grade), "x": _at(area.x), "y": _at(area.y + 5.5)},
                  str(grade) if grade else _NOTHING)]  # fmt: skip


def badge(left: float, top: float, grade: int, size: float = BADGE) -> list[Shape]:
    """The number of a class on its colour; a dash where there is no class."""
    look: dict[str, str | float] = {"x": _at(left), "y": _at(top), "width": _at(BADGE),
                                    "height": _at(size), "rx": 4}  # fmt: skip
    return [
        Shape("rect", {"class": f"g{grade} outline" if grade else "none", **look}),
        Shape("text", {"class": _ink(grade), "x": _at(left + BADGE / 2), "y": _at(top + size / 2 + 5.5)},
              str(grade) if grade else _NOTHING),
    ]  # fmt: skip


def _plate(box: Box, lines: Sequence[str], letters: Letters) -> list[Shape]:
    """Text on paper, as what lies below may be of any colour."""
    middle = _at((box.left + box.right) / 2)
    return [
        Shape("rect", {"class": "plate", "x": _at(box.left), "y": _at(box.top),
                       "width": _at(box.right - box.left), "height": _at(box.bottom - box.top),
                       "rx": 3}),
        *(Shape("text", {"class": "middle", "x": middle,
                         "y": _at(box.top + letters.high * 0.8 + number * letters.high)}, line)
          for number, line in enumerate(lines)),
    ]  # fmt: skip


def _free(
    text: str, around: Box, taken: Sequence[Box], width: float, height: float, letters: Letters
) -> tuple[Box, list[str]] | None:
    """Room for a text beside, below or above something, on one line or on two."""
    x, y = (around.left + around.right) / 2, (around.top + around.bottom) / 2
    for lines in _lines(text):
        wide = max(map(len, lines)) * letters.wide + 4
        high = len(lines) * letters.high + 1
        beside = [(left, y - high / 2 + down) for down in (0, -8, 8)
                  for left in (around.right + GAP, around.left - GAP - wide)]  # fmt: skip
        over = [(min(max(x - wide * part, 0.0), max(width - wide, 0.0)), top) for part in (0.5, 0.3, 0.7, 0.1, 0.9)
                for top in (around.bottom + 1, around.top - high - 1)]  # fmt: skip
        short = len(text) < 3
        for left, top in (*beside, *over) if short else (*over[:2], *beside, *over[2:]):
            box = Box(left, top, left + wide, top + high)
            if box.within(width, height) and not any(box.meets(other) for other in taken):
                return box, lines
    return None


def _lines(text: str) -> list[list[str]]:
    """The text as it is, and broken where its halves are most alike.

    >>> _lines("Saint-Aubry-les-Tilleuls")
    [['Saint-Aubry-les-Tilleuls'], ['Saint-Aubry-', 'les-Tilleuls']]
    """
    ends = [n + 1 for n, letter in enumerate(text[:-1]) if letter in "- " and n]
    if not ends:
        return [[text]]
    end = min(ends, key=lambda n: max(n, len(text) - n))
    return [[text], [text[:end].rstrip(), text[end:]]]


def _kept(box: Box, width: float, height: float) -> Box:
    """A box moved as little as it takes to lie within the drawing."""
    right = max(1 - box.left, 0.0) - max(box.right - width + 1, 0.0)
    down = max(1 - box.top, 0.0) - max(box.bottom - height + 1, 0.0)
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def _legend(entries: Sequence[Entry], letters: Letters) -> tuple[list[Shape], float]:
    """Classes that are there, worst below, then what a dash means, at the right edge; and where
    it begins. Long words stand on two lines."""
    lines = [(entry, _broken(entry.word, letters)) for entry in entries]
    widest = max((len(word) for _, words in lines for word in words), default=0)
    left = WIDTH - BADGE - 6 - widest * letters.wide
    rooms = [max(_LINE, letters.high * len(words) + 4) for _, words in lines]
    # All six classes and a dash are rare; then they stand closer.
    tight = min(HEIGHT / max(sum(rooms), 1.0), 1.0)
    top = (HEIGHT - tight * sum(rooms)) / 2
    shapes: list[Shape] = []
    for (entry, words), wanted in zip(lines, rooms, strict=True):
        room = wanted * tight
        size = min(BADGE, room - 1)
        shapes += badge(left, top + (room - size) / 2, entry.grade, size)
        for number, word in enumerate(words):
            y = (
                top
                + room / 2
                + 5.5
                + (number - (len(words) - 1) / 2) * min(letters.high, room / len(words))
            )
            shapes.append(Shape("text", {"x": _at(left + BADGE + 6), "y": _at(y)}, word))
        top += room
    return shapes, left


def _broken(word: str, letters: Letters) -> list[str]:
    """On two lines where it would take the map's place."""
    if len(word) * letters.wide <= WIDTH - MAP_WIDTH - _APART - BADGE - 6 or " " not in word:
        return [word]
    first, _, rest = word.rpartition(" ")
    return [first, rest]


def _at(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
