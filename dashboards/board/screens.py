"""Which slides a screen shows now; pure.

A view gets a slide of its figures, or two, and one of its drawing. What has no room is left to the
page for telephones, to which the last slide of a round leads.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dashboards.board import summary
from dashboards.board.fitting import LINE, height
from dashboards.board.language import Language
from dashboards.board.panel import GAP, Room
from dashboards.board.sheet import Chart, Fact, Sheet, State
from dashboards.board.slide import Kind, Part, Slide
from dashboards.board.summary import Page, title_of

# Units of a drawing in one rem where text is as high as the text around.
UNITS = 16.0
# Text in a drawing may grow by that much before its labels meet.
MOST_GROWN = 1.17


class Plan(NamedTuple):
    """How many figures, slides of them, and drawings a screen shows of a view."""

    facts: int = 3
    summaries: int = 1
    charts: int = 1


# What a view that is not here shows: a round has to end before people go. The platform's seconds
# of computing are for those who ask, on its page.
PLANS = {
    "now": Plan(facts=6, summaries=2), "air": Plan(facts=4, summaries=2),
    "measure": Plan(charts=2), "platform": Plan(charts=0),
}  # fmt: skip

# A panel that has room for few lines spreads the same over more slides.
LOW, MOST_LOW = 8.0, 3

# The page is loaded anew in this hour of the night, each screen in a minute of its own.
NIGHT_H = 3

PHONE = "phone"


def planned(sheet: Sheet) -> tuple[tuple[Fact, ...], tuple[Chart, ...]]:
    """The figures and drawings that a screen is meant to show."""
    plan = PLANS.get(sheet.view, Plan())
    # What a view is about, then what is known.
    rest = sorted(sheet.facts[1:], key=lambda fact: fact.state is State.ABSENT)
    return (*sheet.facts[:1], *rest)[: plan.facts], sheet.charts[: plan.charts]


def slides(sheet: Sheet, language: Language, room: Room) -> tuple[Slide, ...]:
    """The slides of one view in one language; none where it has nothing to show."""
    if sheet.empty:
        return ()
    facts, charts = planned(sheet)
    most = PLANS.get(sheet.view, Plan()).summaries
    # What a warning takes is given back.
    most += any(sentence.mark == "warning" for sentence in sheet.sentences)
    found = summary.pages(sheet, room, facts)[: max(most, MOST_LOW) if room.content < LOW else most]
    for chart in charts:
        _add(found, chart, room)
    return tuple(
        _slide(f"{language.code}.{sheet.view}.{number}", sheet.view, page)
        for number, page in enumerate(found)
    )


def phone(language: Language, room: Room, address: str) -> Slide:
    """The last of a round: where all of it is, to take along."""
    title = language.say("On your telephone")
    page = Page(title_of(title, room), room)
    # As large as the address leaves it.
    share = 0.8 if room.narrow else 0.5
    high = min(page.free - height(address, room.column, 1.12) - GAP, room.column * share)
    page.put(Part(kind=Kind.LINK, high=high), high)
    text = language.say("Every figure, with how it is made.")
    beside = room.column - high - 2 * GAP
    if beside >= 6 and height(text, beside) <= high:
        page.put(Part(kind=Kind.WORDS, text=text, mark="plain"), 0.0)
    page.put(Part(kind=Kind.WORDS, text=address, mark="address"), 0.0)
    return _slide(f"{language.code}.{PHONE}.0", PHONE, page)


def nothing(language: Language, room: Room) -> Slide:
    """The one slide of a screen of which every view is empty."""
    text = language.say("There is nothing to show here yet.")
    return Slide(f"{language.code}.none.0", "none", "", tuple(summary.told(text, room, 99)))


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
    shape = [slide.title, slide.place, slide.shared and slide.shared.key, slide.below, page, *names]
    shape += [
        f"{part.kind} {part.mark} {part.key or part.text} {part.fact and part.fact.key}"
        f" {part.period} {part.beside} {part.coverage} {part.stacked} {part.tight} {part.level}"
        f" {part.wide}"
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


def _slide(name: str, view: str, page: Page) -> Slide:
    room = page.room
    named = bool(room.side) and page.shared is None and (
        summary.beside_title(page.title, room.place, room)
    )  # fmt: skip
    notes = sum(summary.words_high(part, room) for part in page.parts if part.mark == "note")
    return Slide(name, view, page.title, tuple(page.parts), page.shared,
                 room.place if named else "", below=page.free + notes >= LINE)  # fmt: skip


def _add(found: list[Page], chart: Chart, room: Room) -> None:
    """A chart by itself, with its first note where it has room; where the drawing has none, what
    there is to see in it, beside the figures if they leave room for a sentence."""
    page = Page(title_of(chart.title, room), room)
    drawn = _drawn(chart, room, page.free)
    if drawn is not None:
        page.put(drawn, drawn.high + GAP)
        for note in chart.notes[:1]:
            (part,) = summary.told(note, room, 99, mark="note")
            if (high := summary.words_high(part, room)) - GAP <= page.free:
                page.put(part, high)
        found.append(page)
        return
    (whole,) = summary.told(chart.said, room, 99)
    if found and (high := summary.words_high(whole, room)) <= found[-1].free:
        found[-1].put(whole, high)
        return
    said = chart.said if page.title else f"{chart.title} – {chart.said}"
    for part in summary.told(said, room, int((page.free - GAP) / LINE))[:2]:
        each = Page(page.title, room)
        each.put(part, summary.words_high(part, room))
        found.append(each)


def _drawn(chart: Chart, room: Room, free: float) -> Part | None:
    """A drawing as large as there is room, if its text can be as high as all other."""
    drawing = chart.drawing
    scale = min(room.column / drawing.width, (free - GAP) / drawing.height)
    if scale * UNITS * MOST_GROWN < 1:
        return None
    font = 1.0 / scale
    return Part(kind=Kind.CHART, chart=chart, wide=drawing.width * scale,
                high=drawing.height * scale, font=max(font, UNITS * 0.8))  # fmt: skip
