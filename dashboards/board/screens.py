"""Which slides a screen shows now, and what has room on each; pure.

A panel in a hall cannot be enlarged, so that every text on it is as high as EN 301 549 5.1.4 asks
for at the declared distance: that leaves about 23 rem by 13 of a common panel. What a view says is
spread over slides; what has no room on any is left to the page for telephones.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dashboards.board.fitting import BOLD, LINE, SERIF, height, pieces, width, wrapped
from dashboards.board.language import Language
from dashboards.board.sheet import Chart, Fact, Sentence, Sheet, State
from storage.screens import Screen, capital_mm, width_mm

# screen.css sets the typeface so that capitals are this much of the font size; a hundredth more
# than asked for, since browsers round.
CAPITAL = 0.7
MARGIN = 1.01

# More rem across than this is empty paper: panels that are read from near get larger text.
WIDEST, WIDEST_UPRIGHT = 23.2, 14.5

# The same lengths as in screen.css. [rem]
EDGE, GAP, TITLE, QR, BELFRY, VALUE, VALUE_NARROW = 0.4, 0.3, 1.1, 2.6, 1.8, 1.6, 1.2
NARROW = 17.0

# A code in the foot would leave less than that. [rem]
LOWEST = 5.5

# Units of a drawing in one rem where text is as high as the text around.
UNITS = 16.0
# Text in a drawing may grow by that much before its labels meet.
MOST_GROWN = 1.17

MOST_FACTS, MOST_SUMMARIES = 3, 3

# Where a title leaves less than this, it goes.
LEAST_LINES = 4
S_PER_WORD = 0.5

# The page is loaded anew in this hour of the night, each screen in a minute of its own.
NIGHT_H = 3


@dataclass(frozen=True, slots=True)
class Room:
    """A panel in rem: how many go across and down it, and how high its foot is.

    `named`, `linked`, `coded`: whether the foot holds the name of the place, the address of the
    page, its QR code; `rem_mm`: how long a rem is on the panel.
    """

    across: float
    down: float
    foot: float = 0.0
    named: bool = True
    linked: bool = True
    coded: bool = True
    rem_mm: float = 0.0

    @property
    def column(self) -> float:
        """Width for text. [rem]"""
        return self.across - 2 * EDGE

    @property
    def content(self) -> float:
        """Height above the foot. [rem]"""
        return self.down - 2 * EDGE - self.foot

    @property
    def narrow(self) -> bool:
        """Whether a figure stands below its name, not beside it."""
        return self.column < NARROW

    @property
    def root(self) -> str:
        """The font size of the root: a rem, whatever the window is."""
        return f"min({100 / self.across:.4f}vw,{100 / self.down:.4f}vh)"


def room(screen: Screen) -> Room:
    """What there is on a panel; text is at least as high as asked for.

    >>> hall = room(Screen.model_validate({"id": "hall", "views": ("air",)}))
    >>> round(hall.across, 1), round(hall.down, 1)
    (23.0, 13.0)
    """
    across_px, down_px = screen.pixels
    wide_mm = width_mm(screen.diagonal_in, screen.pixels)
    rem_mm = max(
        capital_mm(screen.distance_m) * MARGIN / CAPITAL,
        wide_mm / (WIDEST if across_px > down_px else WIDEST_UPRIGHT),
    )
    across = wide_mm / rem_mm
    return Room(across, across * down_px / across_px, rem_mm=rem_mm)


def footed(bare: Room, place: str, address: str) -> Room:
    """The same with its foot: QR code, place and clock, address; a banner takes their stead.

    An address too long for a line gets a slide of its own, and so does the code on a panel that
    has no more than a few lines.
    """
    column = bare.column - width("88/88") - GAP
    if bare.down - 2 * EDGE - QR - GAP < LOWEST:
        named = len(wrapped(f"{place} · 00:00", column)) == 1
        return replace(bare, foot=LINE + GAP, named=named, linked=False, coded=False)
    column -= QR + GAP + (0.0 if bare.narrow else BELFRY + GAP)
    linked = len(wrapped(address, column)) == 1
    named = len(wrapped(f"{place} · 00:00", column)) <= (1 if linked else 2)
    return replace(bare, foot=QR + GAP, named=named, linked=linked)


def banner(language: Language, room: Room, moment: str) -> str:
    """Of when the data are, where there are none of now: in a line."""
    long = language.say("Last data: {moment}", moment="28. Sept. 23:59")
    if len(wrapped(long, room.column / BOLD)) == 1:
        return language.say("Last data: {moment}", moment=moment)
    return language.say("Data: {moment}", moment=moment)


class Kind(StrEnum):
    """What a part of a slide is."""

    WORDS = "words"
    FACT = "fact"
    CHART = "chart"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something on a slide, from top to bottom.

    Attributes
    ----------
    text, key, mark
        A sentence, the key of its live text (empty where only a piece of it is here) and its look.
    fact, beside, coverage, stacked
        A figure, whether its second line and its coverage have room, and whether the number
        stands below its name.
    chart, wide, high, font
        A drawing, its size and that of its text. [rem], [units of the drawing]
    """

    kind: Kind
    text: str = ""
    key: str = ""
    mark: str = ""
    fact: Fact | None = None
    beside: bool = True
    coverage: bool = True
    stacked: bool = False
    chart: Chart | None = None
    wide: float = 0.0
    high: float = 0.0
    font: float = 0.0


@dataclass(frozen=True, slots=True)
class Slide:
    """What is seen at one time. `name` is its address: language, view, number."""

    name: str
    view: str
    title: str
    parts: tuple[Part, ...]

    @property
    def words(self) -> int:
        """How many there are to read."""
        return sum(len(text.split()) for text in (self.title, *self._texts()))

    def _texts(self) -> Iterator[str]:
        for part in self.parts:
            yield part.text
            if part.fact is not None:
                fact = part.fact
                yield " ".join((fact.label, fact.period, fact.note, fact.value, fact.unit, fact.said,
                                fact.age, fact.indicative,
                                fact.beside if part.beside else "",
                                fact.coverage if part.coverage else ""))  # fmt: skip
            if part.chart is not None:
                yield " ".join(shape.text for shape in part.chart.drawing.shapes)


def dwell(slide: Slide, least_s: float) -> float:
    """How long a slide stays: as long as reading it takes. [s]"""
    return max(least_s, S_PER_WORD * slide.words)


def slides(sheet: Sheet, language: Language, room: Room) -> tuple[Slide, ...]:
    """The slides of one view in one language; none where it has nothing to show."""
    if sheet.empty:
        return ()
    found = [*_summaries(sheet, room), *_charts(sheet, room)]
    if found and not room.linked:
        # As large as two lines of address leave it.
        high = min(room.content - 2 * LINE - GAP, 6.0)
        found.append(("", [Part(kind=Kind.LINK, high=high)]))
    return tuple(
        Slide(f"{language.code}.{sheet.view}.{number}", sheet.view, title, tuple(parts))
        for number, (title, parts) in enumerate(found)
    )


def nothing(language: Language, room: Room) -> Slide:
    """The one slide of a screen of which every view is empty."""
    text = language.say("There is nothing to show here yet.")
    return Slide(f"{language.code}.none.0", "none", "", tuple(_words(text, "", "plain", room)))


def night(now: datetime, timezone: str, name: str) -> str:
    """Changes once a night, in an hour in which halls are empty.

    >>> from datetime import UTC
    >>> [night(datetime(2026, 3, 2, hour, tzinfo=UTC), "Europe/Paris", "hall") for hour in (1, 3)]
    ['2026-03-01', '2026-03-02']
    """
    minute = zlib.crc32(name.encode()) % 60
    local = now.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return (local - timedelta(hours=NIGHT_H, minutes=minute)).date().isoformat()


def fingerprint(slide: Slide, names: Iterable[str], page: str) -> str:
    """Changes with whatever live texts cannot bring up to date."""
    shape = [slide.title, page, *names]
    shape += [
        f"{part.kind} {part.mark} {part.key or part.text} {part.fact and part.fact.key}"
        f" {part.beside} {part.coverage} {part.stacked} {part.wide}"
        for part in slide.parts
    ]
    return f"{zlib.crc32(repr(shape).encode()):08x}"


def chosen(programme: Sequence[Slide], name: str) -> int:
    """Where a slide stands; the next of its view or language where it is no more."""
    names = [slide.name for slide in programme]
    if name in names:
        return names.index(name)
    for depth in (2, 1):
        start = ".".join(name.split(".")[:depth]) + "."
        near = [n for n, other in enumerate(names) if other.startswith(start)]
        if near:
            return near[-1] if depth == 2 else near[0]
    return 0


def _title(text: str, room: Room) -> str:
    """The title where it takes one line of a panel that has some to give."""
    return text if room.content - _title_high(text, room) >= LEAST_LINES * LINE else ""


def _title_high(text: str, room: Room) -> float:
    lines = len(wrapped(text, room.column, TITLE * BOLD * SERIF)) if text else 0
    return lines * LINE * TITLE + GAP if lines else 0.0


def _summaries(sheet: Sheet, room: Room) -> list[tuple[str, list[Part]]]:
    """Warnings, the lead, facts, then the other sentences, in as many slides as they take."""
    title = _title(sheet.title, room)
    free_at_top = room.content - _title_high(title, room)
    found: list[tuple[str, list[Part]]] = [(title, [])]
    free = free_at_top
    by_mark: Mapping[bool, list[Sentence]] = {
        warns: [s for s in sheet.sentences if (s.mark == "warning") == warns]
        for warns in (True, False)
    }
    queue: list[Sentence | Fact] = [*by_mark[True]]
    if sheet.lead:
        queue.append(Sentence("lead", sheet.lead, "lead"))
    facts = sheet.facts[:MOST_FACTS]
    advice = [s for s in by_mark[False] if s.mark == "advice"]
    queue += [*facts[:1], *advice, *facts[1:], *(s for s in by_mark[False] if s.mark != "advice")]
    for each in queue:
        if isinstance(each, Fact):
            part, high = _placed(each, room, free)
            if part is None:
                part, high = _placed(each, room, free_at_top)
                if part is None:
                    # Without a title, or not at all: the telephone has it.
                    part, high = _placed(each, room, room.content, least=True)
                    if part is None:
                        continue
                    _add(found, "", part)
                    free = room.content - high
                    continue
                if found[-1][1]:
                    found.append((title, []))
                    free = free_at_top
            found[-1][1].append(part)
            free -= high
            continue
        for part in _words(each.text, f"{sheet.view}.{each.key}", each.mark, room,
                           high=free_at_top):  # fmt: skip
            high = _words_high(part, room)
            if high > free:
                if found[-1][1]:
                    found.append((title, []))
                free = free_at_top
            found[-1][1].append(part)
            free -= high
    return [one for one in found if one[1]][:MOST_SUMMARIES]


def _add(found: list[tuple[str, list[Part]]], title: str, part: Part) -> None:
    if found[-1][1]:
        found.append((title, [part]))
    else:
        found[-1] = (title, [part])


def _words(text: str, key: str, mark: str, room: Room, high: float | None = None) -> list[Part]:
    """A text as one part, or as pieces of which each has room on a slide of its own."""
    lines = int(((high or room.content) - GAP) / LINE)
    found = pieces(text, _words_wide(mark, room), max(lines, 1))
    return [
        Part(kind=Kind.WORDS, text=piece, key=key if len(found) == 1 else "", mark=mark)
        for piece in found
    ]


def _words_wide(mark: str, room: Room) -> float:
    return (room.column - (0.7 if mark == "advice" else 0.0)) / (
        1.03 * SERIF if mark == "lead" else BOLD if mark == "warning" else 1.0
    )


def _words_high(part: Part, room: Room) -> float:
    return height(part.text, _words_wide(part.mark, room)) + GAP


def _placed(fact: Fact, room: Room, free: float, *, least: bool = False
            ) -> tuple[Part | None, float]:  # fmt: skip
    """A figure with as much beside it as has room: its age always, coverage if need be not."""
    size = VALUE_NARROW if room.narrow else VALUE
    number = (
        width(fact.value) * size * BOLD + width(fact.unit) + width(fact.note)
        + (2.2 if fact.grade else 0.0) + 0.5 * sum(map(bool, (fact.unit, fact.note, fact.grade)))
    )  # fmt: skip
    name = f"{fact.label} · {fact.period}" if fact.period else fact.label
    beside_name = room.column - number - 1.0
    stacked = room.narrow or beside_name < 9
    lines = -(-number // room.column) if stacked else 1
    amount = lines * LINE * size
    if stacked:
        head = height(name, room.column / BOLD) + amount
    else:
        head = max(height(name, beside_name / BOLD), amount)
    # What is fresh says so by its age; where that changes, the slide is made anew.
    said = "" if fact.state is State.FRESH else fact.said
    choices = ((True, True), (False, True)) if not least else ((False, True), (False, False))
    for beside, coverage in choices:
        meta = " · ".join(filter(None, (
            f"● {said}".rstrip(), fact.age, fact.coverage if coverage else "", fact.indicative,
        )))  # fmt: skip
        high = head + height(meta, room.column / 1.04) + 0.5
        if beside:
            high += height(fact.beside, room.column)
        if high <= free:
            return (
                Part(kind=Kind.FACT, fact=fact, beside=beside, coverage=coverage, stacked=stacked),
                high,
            )
    return None, 0.0


def _charts(sheet: Sheet, room: Room) -> list[tuple[str, list[Part]]]:
    """Each chart by itself; where it has no room, what there is to see in it as a sentence."""
    found: list[tuple[str, list[Part]]] = []
    for chart in sheet.charts:
        title = _title(chart.title, room)
        free = room.content - _title_high(title, room)
        note = chart.notes[0] if chart.notes else ""
        for said in (note, ""):
            drawn = _drawn(chart, room, free - height(said, room.column) - GAP * bool(said))
            if drawn is not None:
                below = [Part(kind=Kind.WORDS, text=said, mark="plain")] if said else []
                found.append((title, [drawn, *below]))
                if note and not said:
                    found += _told(title, note, room, free)
                break
        else:
            said = chart.said if title else f"{chart.title} – {chart.said}"
            found += _told(title, said, room, free)
    return found


def _told(title: str, text: str, room: Room, free: float) -> list[tuple[str, list[Part]]]:
    return [(title, [part]) for part in _words(text, "", "plain", room, high=free)][:2]


def _drawn(chart: Chart, room: Room, free: float) -> Part | None:
    """A drawing as large as there is room, if its text can be as high as all other."""
    drawing = chart.drawing
    scale = min(room.column / drawing.width, free / drawing.height)
    if scale * UNITS * MOST_GROWN < 1:
        return None
    font = 1.0 / scale
    return Part(kind=Kind.CHART, chart=chart, wide=drawing.width * scale,
                high=drawing.height * scale, font=max(font, UNITS * 0.8))  # fmt: skip
