"""The words that views are made of: a sheet holds facts, sentences and charts.

A view says *what* is shown, in the reader's language; the templates say how, once for screens,
telephones, paper and JSON. Everything here is plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from dashboards.board.figures import Amount
from dashboards.board.sparkline import Spark


class State(StrEnum):
    """How far a figure may be trusted to speak of now."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    ABSENT = "absent"


class Quantity(NamedTuple):
    """A figure as data: what the JSON says beside the words.

    `value` is None where nothing was measured, and where `below` says that it was too few to
    be told. `at` is until when it speaks. `unit` is UCUM.
    """

    value: float | None = None
    unit: str = ""
    at: datetime | None = None
    below: int | None = None
    about: bool = False
    received: int | None = None
    expected: int | None = None


NO_QUANTITY = Quantity()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One figure in words.

    Attributes
    ----------
    key
        Names it within its view: ``[a-z0-9_]+``.
    label, period
        What it is, and of what time it speaks.
    value, unit
        The large number (or word) and its unit, both empty where nothing was measured.
    note
        In place of the number: "no measurement"; or before it: "about".
    beside
        A second line: what is usual, the mean of the day.
    state, said
        Whether it is fresh, and the same in a word, with the moment where it is stale.
    age, coverage
        How old, and made of how much.
    indicative
        Says so where sensors are not of reference quality; else empty.
    method
        Where its method and data stand, below ``/method/``: a metric or an indicator.
    grade
        Class 1 to 6 of an index, which gives the fact its colour, shape and number; 0: none.
    domain
        ``air``, ``mobility`` or ``energy``: its colour.
    spark, curve, course
        A small drawing, its text alternative and its values by the start of their cells.
    """

    key: str
    label: str
    period: str = ""
    value: str = ""
    unit: str = ""
    note: str = ""
    beside: str = ""
    state: State
    said: str
    age: str = ""
    coverage: str = ""
    indicative: str = ""
    method: str = ""
    grade: int = 0
    domain: str = ""
    spark: Spark | None = None
    curve: str = ""
    course: tuple[tuple[datetime, Amount], ...] = ()
    quantity: Quantity = NO_QUANTITY


class Shape(NamedTuple):
    """One element of a drawing: ``rect``, ``path``, ``text`` … Style comes by `class` only."""

    tag: str
    attributes: dict[str, str | float]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a chart shows, in units of which 16 are as high as the text around it.

    Attributes
    ----------
    width, height
        Of the box, at the height of text that screens have 22 times across: 352 is full width.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The same as a chart, in numbers; the first cell of a row names it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing, its text alternative and its table.

    `key` is as in :class:`Fact`; `said` tells in a sentence or two what is to be seen. `notes`
    are sentences below it: a legend, what is missing. `data` is what the JSON says: series by
    name, each of plain values. `near` is the drawing for pages, where their smaller letters leave
    room to say more.
    """

    key: str
    title: str
    drawing: Drawing
    said: str
    table: Table
    notes: tuple[str, ...] = ()
    data: dict[str, object] = field(default_factory=dict)
    near: Drawing | None = None


class Sentence(NamedTuple):
    """A sentence of its own; `mark` chooses its look.

    ``plain``; ``advice``: what it means for people; ``warning``: something is wrong with it.
    `link`: where all of it leads to, if anywhere.
    """

    key: str
    text: str
    mark: str = "plain"
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything one view shows of one place, in one language.

    Attributes
    ----------
    title
        What the view is.
    lead
        The ten-second answer, a sentence; empty where there is nothing to say.
    facts
        Most telling first; screens show three or four at a time.
    empty
        Says why there is nothing to show; screens leave such a view out.
    """

    view: str
    title: str
    lead: str = ""
    facts: tuple[Fact, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    charts: tuple[Chart, ...] = ()
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """A territory, or the whole installation where `code` is empty.

    `codes` are the territories in it; `timezone` is the territory's own, for the whole that of
    the first.
    """

    code: str
    name: str
    timezone: str
    codes: frozenset[str]
