"""What of a view a screen cannot show as it is meant: told to whoever hangs the screen up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dashboards.board.fitting import BOLD, SERIF, width
from dashboards.board.language import Language
from dashboards.board.panel import Room
from dashboards.board.screens import planned, slides
from dashboards.board.sheet import Fact, Sheet
from dashboards.board.slide import Kind


@dataclass(frozen=True, slots=True)
class Overflow:
    """Something that has no room: a word wider than the screen, a figure, a drawing."""

    what: str
    text: str


def overflowing(sheet: Sheet, language: Language, room: Room) -> Iterator[Overflow]:
    """What would be broken or left out; nothing where all is shown as meant."""
    if sheet.empty:
        return
    shown = slides(sheet, language, room)
    parts = [part for slide in shown for part in slide.parts]
    meant, drawings = planned(sheet)
    for text, size in _texts(sheet, meant):
        for word in text.replace("\u00a0", " ").split():
            if width(word) * size > room.column:
                yield Overflow("a word is wider than the screen", word)
    facts = {part.fact.key for part in parts if part.fact is not None}
    # The first is what a view is about; of the others, as many are shown as have room.
    for fact in meant[:1]:
        if fact.key not in facts:
            yield Overflow("a figure has no room", fact.label)
    charts = {part.chart.key for part in parts if part.kind is Kind.CHART and part.chart}
    for chart in drawings:
        if chart.key not in charts:
            yield Overflow("a drawing has no room, its sentence stands in", chart.title)


def _texts(sheet: Sheet, facts: tuple[Fact, ...]) -> Iterator[tuple[str, float]]:
    yield sheet.title, BOLD * SERIF
    yield sheet.lead, SERIF
    for sentence in sheet.sentences:
        yield sentence.text, BOLD
    for fact in facts:
        yield fact.label, BOLD
        yield fact.unit, 1.0
