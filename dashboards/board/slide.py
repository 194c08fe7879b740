"""The words *slide* and *part*: what a panel shows at one time, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dashboards.board.sheet import Chart, Fact

S_PER_WORD = 0.5


class Kind(StrEnum):
    """What a part of a slide is."""

    WORDS = "words"
    FACT = "fact"
    CHART = "chart"
    LINK = "link"


class Period(StrEnum):
    """Where it stands of what time a figure speaks: beside its name, or with its age; nowhere
    where the title says it."""

    NAME = "name"
    META = "meta"
    TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something on a slide.

    Attributes
    ----------
    text, key, mark
        A sentence, the key of its live text (empty where only a piece of it is here) and its look.
    fact, period, beside, coverage, stacked, tight,
    level
        A figure, where its period stands, whether its second line and its coverage have room,
        whether the number stands below its name, is smaller than others, and stands on one line
        with its name.
    chart, wide, high, font
        A drawing, its size and that of its text. [rem], [units of the drawing]
    """

    kind: Kind
    text: str = ""
    key: str = ""
    mark: str = ""
    fact: Fact | None = None
    period: Period = Period.NAME
    beside: bool = True
    coverage: bool = True
    stacked: bool = False
    tight: bool = False
    level: bool = False
    chart: Chart | None = None
    wide: float = 0.0
    high: float = 0.0
    font: float = 0.0


@dataclass(frozen=True, slots=True)
class Slide:
    """What is seen at one time.

    `name` is its address: language, view, number. Beside the title stands the period that all
    its figures share, that of `shared`, else the `place`, else nothing. `below`: a banner has room
    below everything, and need not take the title's.
    """

    name: str
    view: str
    title: str
    parts: tuple[Part, ...]
    shared: Fact | None = None
    place: str = ""
    below: bool = False

    @property
    def words(self) -> int:
        """How many there are to read."""
        return sum(len(text.split()) for text in (self.title, self.place, *self._texts()))

    def _texts(self) -> Iterator[str]:
        for part in self.parts:
            yield part.text
            if part.fact is not None:
                fact = part.fact
                yield " ".join((fact.label, fact.note, fact.value, fact.unit, fact.said,
                                fact.age, fact.indicative,
                                "" if part.period is Period.TITLE else fact.period,
                                fact.beside if part.beside else "",
                                fact.coverage if part.coverage else ""))  # fmt: skip
            if part.chart is not None:
                yield " ".join(shape.text for shape in part.chart.drawing.shapes)


def dwell(slide: Slide, least_s: float) -> float:
    """How long a slide stays: as long as reading it takes. [s]"""
    return max(least_s, S_PER_WORD * slide.words)
