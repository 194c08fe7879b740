"""The figures of a view on slides: as many on one as have room, three on a common panel; pure.

A figure takes two lines: its name and its value, then its state, its age and what it is made of.
State and age never go; a third line, what is usual, stands where all figures of the slide have room
for theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dashboards.board.fitting import BOLD, LINE, SERIF, height, pieces, width, wrapped
from dashboards.board.panel import GAP, Room
from dashboards.board.sheet import Fact, Sentence, Sheet, State
from dashboards.board.slide import Kind, Part, Period

# The same lengths as in screen.css: below a title; font sizes of a number, the number's own line,
# what a figure takes besides its lines, the gap between a name and its value. [rem]
TITLE_GAP, VALUE, VALUE_TIGHT, VALUE_LINE, FACT_LINE = 0.25, 1.5, 1.2, 1.15, 1.1
FRAME, FRAME_TIGHT, BETWEEN, DOT = 0.4, 0.3, 0.6, 0.4

# Where a title leaves less than this, it goes.
LEAST_LINES = 4

FACTS_A_SLIDE = 3

# Views in which what is usual is the message: it matters more than coverage.
COMPARING = ("moving", "energy")


@dataclass(slots=True)
class Page:
    """A slide in the making."""

    title: str
    room: Room
    parts: list[Part] = field(default_factory=list)
    shared: Fact | None = None
    free: float = 0.0

    def __post_init__(self) -> None:
        self.free = self.room.content - title_high(self.title, self.room)

    def put(self, part: Part, high: float, *, first: bool = False) -> None:
        """Add a part, below all others or above them."""
        self.parts.insert(0 if first else len(self.parts), part)
        self.free -= high


def title_of(text: str, room: Room) -> str:
    """The title, on a panel that has lines to give."""
    return text if room.content - title_high(text, room) >= LEAST_LINES * LINE else ""


def title_high(text: str, room: Room) -> float:
    """How high a title stands. [rem]"""
    lines = len(wrapped(text, room.column, BOLD * SERIF)) if text else 0
    return lines * LINE + TITLE_GAP if lines else 0.0


def beside_title(title: str, text: str, room: Room) -> bool:
    """Whether something has room in the title's line."""
    needed = width(title) * BOLD * SERIF + BETWEEN + width(text)
    return bool(title) and needed <= room.column


def pages(sheet: Sheet, room: Room, facts: Sequence[Fact]) -> list[Page]:
    """Warnings, the lead where it says more than the first figure, figures, what they mean for
    people; then what else has room."""
    title = title_of(sheet.title, room)
    made = [Page(title, room)]
    marked = {mark: [s for s in sheet.sentences if s.mark == mark] for mark in
              ("warning", "advice", "plain")}  # fmt: skip
    lead = Sentence("lead", sheet.lead, "lead")
    repeats = bool(facts) and bool(facts[0].value) and facts[0].value in sheet.lead
    for each in marked["warning"]:
        _say(made, each, sheet.view)
    # After a warning there may be no room for it: then figures matter more.
    if lead.text and not repeats and (not made[-1].parts or _has_room(made[-1], lead, sheet.view)):
        _say(made, _shortened(lead, made[-1], facts, sheet), sheet.view)
    first = 1 if marked["advice"] else len(facts)
    _figures(made, facts[:first], sheet, bare=bool(marked["advice"]))
    for each in marked["advice"]:
        _say(made, each, sheet.view)
    _figures(made, facts[first:], sheet)
    _widen(made[0], sheet)
    # A lead of more sentences than one says more, though it begins with the figure.
    if repeats and ". " in lead.text and _has_room(made[0], lead, sheet.view):
        (part,) = _words(lead, sheet.view, room, most=99)
        made[0].put(part, words_high(part, room), first=True)
    for each in marked["plain"]:
        if _has_room(made[-1], each, sheet.view):
            _say(made, each, sheet.view)
    return [page for page in made if page.parts]


def _shortened(lead: Sentence, page: Page, facts: Sequence[Fact], sheet: Sheet) -> Sentence:
    """The lead, without its last sentences where the first figure needs their room; two stay."""
    said = re.split(r"(?<=[.!?]) ", lead.text)
    for number in range(len(said), 1, -1):
        text = " ".join(said[:number])
        (part,) = _words(lead._replace(text=text), sheet.view, page.room, most=99)
        left = Page(page.title, page.room, [part])
        left.free = page.free - words_high(part, page.room)
        if facts and _group(left, facts[:1], sheet, bare=True):
            return lead if number == len(said) else Sentence("", text, lead.mark)
    return lead


def _has_room(page: Page, said: Sentence, view: str) -> bool:
    (part,) = _words(said, view, page.room, most=99)
    return words_high(part, page.room) - GAP <= page.free


def _say(made: list[Page], said: Sentence, view: str) -> None:
    """A sentence where there is room, in pieces where it is longer than a slide."""
    page = made[-1]
    fresh = Page(page.title, page.room)
    for part in _words(said, view, page.room, most=int((fresh.free - GAP) / LINE)):
        high = words_high(part, page.room)
        if high - GAP > made[-1].free and made[-1].parts:
            made.append(Page(page.title, page.room))
        made[-1].put(part, high)


def _words(said: Sentence, view: str, room: Room, *, most: int) -> list[Part]:
    found = pieces(said.text, _words_wide(said.mark, room), max(most, 1))
    key = f"{view}.{said.key}" if len(found) == 1 and said.key else ""
    return [Part(kind=Kind.WORDS, text=piece, key=key, mark=said.mark) for piece in found]


def told(text: str, room: Room, most: int, mark: str = "plain") -> list[Part]:
    """A sentence that is no live text, in pieces of so many lines."""
    return _words(Sentence("", text, mark), "", room, most=most)


def _words_wide(mark: str, room: Room) -> float:
    return (room.column - (0.7 if mark == "advice" else 0.0)) / (
        SERIF if mark == "lead" else BOLD if mark == "warning" else 1.0
    )


def words_high(part: Part, room: Room) -> float:
    """How high a sentence stands. [rem]"""
    return height(part.text, _words_wide(part.mark, room)) + GAP


def _figures(made: list[Page], facts: Sequence[Fact], sheet: Sheet, *, bare: bool = False) -> None:
    """As many on a slide as have room; on a new one where this has none.

    `bare`: without the line below, since what follows matters more.
    """
    rest = list(facts)
    while rest:
        page = made[-1]
        group = rest[:FACTS_A_SLIDE]
        placed = _group(page, group, sheet, bare=bare)
        if not placed and page.parts:
            page = Page(page.title, page.room)
            placed = _group(page, group, sheet, bare=bare)
            if placed:
                made.append(page)
        if not placed and page.title:
            # Without a title, or not at all: the telephone has it.
            page = Page("", page.room)
            placed = _group(page, group, sheet, bare=True)
            if placed:
                if not made[-1].parts:
                    made.pop()
                made.append(page)
        for part, high in placed:
            page.put(part, high)
        rest = rest[max(len(placed), 1) :]


def _widen(page: Page, sheet: Sheet) -> None:
    """The line below of a first figure that did without, where there is room in the end."""
    part = page.parts[0] if page.parts else None
    if part is None or part.fact is None or part.beside or not part.fact.beside:
        return
    if sum(each.fact is not None for each in page.parts) > 1:
        return
    high = len(wrapped(part.fact.beside, page.room.column)) * FACT_LINE
    if high <= page.free:
        page.parts[0] = replace(part, beside=True)
        page.free -= high


class _Choice(NamedTuple):
    """How many figures, how many of them with the line below, whether with coverage, and how."""

    figures: int
    besides: int
    coverage: bool
    tight: bool = False


def _group(page: Page, facts: Sequence[Fact], sheet: Sheet, *, bare: bool
           ) -> list[tuple[Part, float]]:  # fmt: skip
    """The first of these figures, all alike, as many and with as much as has room."""
    for choice in _choices(facts, sheet.view):
        group = facts[: choice.figures]
        if bare and choice.besides:
            continue
        shared = None
        if not page.parts and choice.figures > 1 and len({fact.period for fact in group}) == 1 and (
            beside_title(page.title, group[0].period, page.room)
        ):  # fmt: skip
            shared = group[0]
        titled = [
            not fact.period
            or shared is not None
            or _repeats(fact.period, page.title or sheet.title)
            for fact in group
        ]
        # Beside its name in all of them, or in none.
        for period in (Period.NAME, Period.META):
            placed = [
                _placed(fact, page.room, beside=number < choice.besides, coverage=choice.coverage,
                        tight=choice.tight, period=Period.TITLE if titled[number] else period)
                for number, fact in enumerate(group)
            ]  # fmt: skip
            if period is Period.NAME and not all(
                part.level or part.stacked for part, _ in placed if part.period is period
            ):
                continue
            if sum(high for _, high in placed) <= page.free:
                if shared and not _repeats(shared.period, page.title):
                    page.shared = shared
                return placed
    return []


def _choices(facts: Sequence[Fact], view: str) -> Iterator[_Choice]:
    """The best first."""
    most = len(facts)
    known = {fact.beside for fact in facts if fact.state is not State.ABSENT}
    # The same of all says nothing of any of them.
    compares = view in COMPARING and (most == 1 or len(known) > 1)
    yield _Choice(most, most, True)
    if compares:
        yield _Choice(most, most, False)
        if most > 2:
            yield _Choice(2, 2, True)
            yield _Choice(2, 2, False)
            yield _Choice(2, 2, False, tight=True)
        yield _Choice(most, 1, False)
        yield _Choice(2, 1, False)
    for count in range(most, 0, -1):
        if count < most:
            yield _Choice(count, count, True)
        yield _Choice(count, 0, True)
        yield _Choice(count, 0, False)
        yield _Choice(count, 0, False, tight=True)


def _repeats(period: str, title: str) -> bool:
    """Whether the title says already of what time a figure speaks.

    >>> _repeats("aujourd’hui", "L’air aujourd’hui"), _repeats("dernière heure", "En ce moment")
    (True, False)
    """
    return bool(period) and period.casefold() in title.casefold()


def _placed(fact: Fact, room: Room, *, beside: bool, coverage: bool, tight: bool,
            period: Period) -> tuple[Part, float]:  # fmt: skip
    """A figure and how high it stands."""
    size = VALUE_TIGHT if room.narrow or tight else VALUE
    number = (
        width(fact.value) * size * BOLD + width(fact.unit) + width(fact.note)
        + (2.2 if fact.grade else 0.0) + 0.5 * sum(map(bool, (fact.unit, fact.note, fact.grade)))
    )  # fmt: skip
    beside_value = room.column - number - BETWEEN
    stacked = room.narrow or len(wrapped(fact.label, beside_value / BOLD)) > 2
    column = room.column if stacked else max(beside_value, 1.0)
    name = width(fact.label) * BOLD
    if period is Period.NAME:
        name += width(f" · {fact.period}")
    amount = -(-number // room.column) * size * VALUE_LINE if stacked else size * VALUE_LINE
    level = not stacked and name <= column
    text = f"{fact.label} · {fact.period}" if period is Period.NAME else fact.label
    lines = FACT_LINE * (1 if level else len(wrapped(text, column / BOLD)))
    # What is fresh says so by its age; where that changes, the slide is made anew.
    said = "" if fact.state is State.FRESH else fact.said
    meta = " · ".join(filter(None, (
        f"● {said}".rstrip() if said or not fact.age else f"● {fact.age}",
        fact.age if said else "", fact.period if period is Period.META else "",
        fact.coverage if coverage else "", fact.indicative,
    )))  # fmt: skip
    high = lines + amount if stacked else max(lines, amount)
    below = len(wrapped(meta, room.column - DOT))
    if beside and fact.beside:
        below += len(wrapped(fact.beside, room.column))
    high += below * FACT_LINE + (FRAME_TIGHT if tight else FRAME)
    part = Part(kind=Kind.FACT, fact=fact, period=period, beside=beside, coverage=coverage,
                stacked=stacked, tight=tight, level=level)  # fmt: skip
    return part, high
