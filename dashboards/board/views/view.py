"""The word *view*: what it reads, how often, and how it says that of one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from dashboards.board.language import Language
from dashboards.board.sheet import Sheet, Where
from dashboards.board.statements import statements


@dataclass(frozen=True, slots=True)
class Asked:
    """Of where, for whom and as of when a sheet is asked for; `measure`: the public measure that a
    screen chose."""

    where: Where
    language: Language
    now: datetime
    measure: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One view.

    Attributes
    ----------
    name
        In addresses and in city.toml.
    title
        English; languages translate it.
    load
        Reads what the view shows of all places, as of a moment, in a read-only transaction. A
        view that keeps something from one reading to the next gets its former rows.
    say
        Rows to the sheet of one place; pure.
    short
        The same in a word or two, for menus.
    every_s
        Age at which rows are read anew while somebody looks; 0: whenever readings came in. [s]
    """

    name: str
    title: str
    load: Callable[[asyncpg.Connection, datetime, Any], Awaitable[Any]]
    say: Callable[[Any, Asked], Sheet]
    every_s: float = 60.0
    short: str = ""


def queries(name: str) -> dict[str, str]:
    """The named statements of a view's file of SQL."""
    return statements("dashboards.board.views", name)
