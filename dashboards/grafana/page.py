"""The word *page*: one dashboard, for one audience."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.grafana.panel import Panel
from dashboards.grafana.text import Text


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable that people choose several values of; all are chosen on opening.

    `sql` returns ``__text`` and ``__value``; it may use the variables before it. Where `first`
    is given, it is chosen on opening, and all at once cannot be.
    """

    name: str
    label: Text
    sql: str
    first: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under one heading; a `folded` one asks nothing until it is opened."""

    title: Text
    panels: tuple[Panel, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """Events drawn across every course of a page.

    `sql` returns ``time``, ``timeend`` (NULL: an instant), ``title``, ``text``, ``tags``.
    """

    name: Text
    sql: str
    color: str


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard.

    Attributes
    ----------
    uid
        Never changes: links and bookmarks name it.
    tags
        Besides ``beffroi``.
    since
        Range on opening, up to now.
    refresh
        How often it asks anew while somebody looks.
    """

    uid: str
    title: Text
    description: Text
    tags: tuple[str, ...]
    choices: tuple[Choice, ...]
    sections: tuple[Section, ...]
    marks: tuple[Marks, ...] = ()
    since: str = "now-24h"
    refresh: str = "1m"
