"""What all views stand on: territories, and what the city says of its board."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from dashboards.board.sheet import Where


@dataclass(frozen=True, slots=True)
class Ground:
    """Territories by name, and the tables [board] and [[screen]] as the city wrote them."""

    places: tuple[Where, ...] = ()
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def contact(self) -> str:
        """How people reach whoever answers for the board; empty where the city says nothing."""
        return str(self.said.get("board", {}).get("contact", ""))

    @property
    def contact_link(self) -> str:
        """The same as an address of a link, where it is one."""
        return reached(self.contact)

    def where(self, code: str, name: str = "") -> Where | None:
        """The territory of that code; without one the whole installation, called `name`.

        An installation of one territory is called like it.
        """
        if code:
            return next((place for place in self.places if place.code == code), None)
        alone = self.places[0].name if len(self.places) == 1 else ""
        zone = self.places[0].timezone if self.places else "UTC"
        return Where("", name or alone, zone, frozenset(place.code for place in self.places))


def reached(contact: str) -> str:
    """The address of a link by which people reach that contact; empty where it is none.

    >>> reached("mairie@example.org"), reached("03 20 00 00 00"), reached("at the counter")
    ('mailto:mairie@example.org', 'tel:0320000000', '')
    """
    if re.fullmatch(r"[^@\s]+@[^@\s]+", contact):
        return f"mailto:{contact}"
    if re.fullmatch(r"\+?[\d .]{6,}", contact):
        return "tel:" + re.sub(r"[ .]", "", contact)
    return contact if contact.startswith(("https://", "http://")) else ""


async def load(connection: asyncpg.Connection, now: datetime, former: Ground | None) -> Ground:
    """Read territories and settings."""
    rows = await connection.fetch(
        "SELECT territory, name, timezone FROM board.territories ORDER BY name, territory"
    )
    said = await connection.fetchval("SELECT said FROM board.said")
    return Ground(
        tuple(Where(code, name, zone, frozenset((code,))) for code, name, zone in rows),
        orjson.loads(said) if said else {},
    )


@dataclass(frozen=True, slots=True)
class GroundReads:
    """How the ground is read."""

    name: str = "ground"
    every_s: float = 10.0
    load: Callable[[asyncpg.Connection, datetime, Any], Awaitable[Any]] = load
