"""What facts name of the city's lists: sensors, their fields, sites, territories."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Set
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple


class What(StrEnum):
    """What a fact names; ``METER`` is a sensor, or one field of it as ``sensor/field``."""

    SENSOR = "sensor"
    METER = "meter"
    SITE = "site"
    TERRITORY = "territory"


class Named(NamedTuple):
    """One name, and the keys that lead to it within its trade's table.

    A ``pattern`` means all that fit it. ``territory`` is that of a site, where the fact says it.
    """

    where: tuple[str | int, ...]
    what: What
    name: str
    pattern: bool = False
    territory: str | None = None


def each(
    key: tuple[str | int, ...], what: What, names: Iterable[str], *, pattern: bool = True
) -> Iterable[Named]:
    """Names in a list, each with its place there."""
    return [Named((*key, number), what, name, pattern) for number, name in enumerate(names)]


@dataclass(frozen=True, slots=True)
class Lists:
    """The names that there are: territories, ``(territory, site)``, sensors, ``sensor/field``."""

    territories: Set[str]
    sites: Set[tuple[str, str]]
    sensors: Set[str]
    fields: Set[str]

    def know(self, one: Named) -> bool:
        """Whether the name is there, or anything that fits it."""
        names = self._names(one)
        return one.name in names or (
            one.pattern and any(fnmatchcase(name, one.name) for name in names)
        )

    def wrong(self, one: Named) -> str:
        """What to tell of a name that nobody knows."""
        if one.territory is not None and one.territory not in self.territories:
            return self.wrong(Named(one.where, What.TERRITORY, one.territory))
        names = self._names(one)
        there = "" if one.territory is None else f" in territory {one.territory!r}"
        beginning = f"no {one.what}{there} fits" if one.pattern else f"there is no {one.what}"
        close = difflib.get_close_matches(one.name, names, n=3)
        some = close or sorted(names)[:5]
        known = ", ".join(map(repr, some)) + (" …" if len(some) < len(names) else "")
        remedy = f"known are {known}" if some else "none is known yet"
        return f"{beginning} {one.name!r}{'' if one.pattern else there}; {remedy}"

    def _names(self, one: Named) -> Set[str]:
        if one.what is What.SENSOR:
            return self.sensors
        if one.what is What.METER:
            return self.sensors | self.fields
        if one.what is What.TERRITORY:
            return self.territories
        return {site for at, site in self.sites if one.territory in (None, at)}
