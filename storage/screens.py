"""The words *board* and *screen*: what ``city.toml`` says of the public board; sizes and hours."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, model_validator

from storage.profiles import STRICT, Code

VIEWS = ("now", "air", "moving", "energy", "map", "measure", "platform")
"""What a screen can show, by name."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_CAPITAL_DEG = 0.7
_INCH_MM = 25.4


class Opening(NamedTuple):
    """One line of opening hours.

    Attributes
    ----------
    days
        0 is Monday.
    start, stop
        Since local midnight, ``stop`` not included; beyond 24 h it lies on the next day. [min]
    """

    days: frozenset[int]
    start: int
    stop: int


@lru_cache(maxsize=1024)
def opening(line: str) -> Opening:
    """A line of opening hours, understood.

    Examples
    --------
    >>> opening("sat 20:00-02:00")
    Opening(days=frozenset({5}), start=1200, stop=1560)
    """
    found = re.fullmatch(r"(\S+) +(\d\d?):(\d\d) *[-–] *(\d\d?):(\d\d)", line.strip().lower())
    if found is None:
        raise ValueError(f"{line!r} is no opening hours; write them like 'mon-fri 08:00-18:30'")
    start, stop = (
        60 * int(hour) + int(minute) if int(minute) < 60 else _DAY_MINUTES + 1
        for hour, minute in (found.group(2, 3), found.group(4, 5))
    )
    if start >= _DAY_MINUTES or stop > _DAY_MINUTES:
        raise ValueError(f"{line!r} holds a time that no clock shows; the last one is 24:00")
    if start == stop:
        raise ValueError(f"{line!r} ends when it begins; a whole day is 00:00-24:00")
    return Opening(_days(found[1]), start, stop if stop > start else stop + _DAY_MINUTES)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        ends = part.split("-")
        for day in ends:
            if day not in DAYS:
                close = difflib.get_close_matches(day, DAYS, n=1)
                meant = f"did you mean {close[0]!r}? " if close else ""
                raise ValueError(f"{day!r} is no day; {meant}Days are {', '.join(DAYS)}")
        if len(ends) > 2:
            raise ValueError(f"{part!r} is no span of days; write it like 'mon-fri'")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        # A span may go over the end of the week: 'fri-mon'.
        days.update((first + n) % 7 for n in range((last - first) % 7 + 1))
    return frozenset(days)


def is_open(lines: tuple[str, ...], now: datetime, timezone: str) -> bool:
    """Whether a screen with these opening hours is on; without any it always is.

    The clock on the wall decides, also in the night in which it is set: of an hour that comes
    twice both count, of one that never comes none.

    Examples
    --------
    >>> monday = datetime.fromisoformat("2026-03-02T07:30+00:00")
    >>> is_open(("mon-fri 08:00-18:30",), monday, "Europe/Paris")
    True
    >>> is_open(("mon-fri 08:00-18:30",), monday, "Europe/London")
    False
    """
    if not lines:
        return True
    wall = now.astimezone(ZoneInfo(timezone))
    today, minute = wall.weekday(), 60 * wall.hour + wall.minute
    yesterday = (today - 1) % 7
    return any(
        (today in one.days and one.start <= minute < one.stop)
        or (yesterday in one.days and minute + _DAY_MINUTES < one.stop)
        for one in map(opening, lines)
    )


def capital_mm(distance_m: float) -> float:
    """How high a capital H must be where text cannot be enlarged (EN 301 549, 5.1.4). [mm]

    It subtends 0.7 degrees at the distance from which people read.

    Examples
    --------
    >>> round(capital_mm(3), 1)
    36.7
    """
    return 2000 * distance_m * math.tan(math.radians(_CAPITAL_DEG / 2))


def width_mm(diagonal_in: float, pixels: tuple[int, int]) -> float:
    """How wide a panel of square pixels is. [mm]

    Examples
    --------
    >>> round(width_mm(55, (1920, 1080)))
    1218
    """
    return diagonal_in * _INCH_MM * pixels[0] / math.hypot(*pixels)


def _known_view(name: str) -> str:
    if name not in VIEWS:
        close = difflib.get_close_matches(name, VIEWS, n=3)
        meant = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise ValueError(f"{name!r} is no view; {meant}Views are {', '.join(VIEWS)}")
    return name


def _hours(line: str) -> str:
    opening(line)
    return line


def _reachable(contact: str) -> str:
    if not re.fullmatch(r"https?://\S+|[^@\s]+@[^@\s]+\.[^@\s]+|\+?\d[\d .]{4,}\d", contact):
        raise ValueError(
            f"{contact!r} reaches nobody; write an e-mail address, a telephone number of digits and"
            " spaces, or an address that begins with https://"
        )
    return contact


Text = Annotated[str, Field(min_length=1, max_length=200)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class Board(BaseModel):
    """``[board]``: who answers for the public board.

    Attributes
    ----------
    contact
        An e-mail address, a telephone number or a URL, which every page shows.
    operator
        Who answers for it.
    outlines
        A GeoJSON file of the territories' outlines, beside ``city.toml``.
    """

    model_config = STRICT
    contact: Annotated[Text, AfterValidator(_reachable)]
    operator: Text
    outlines: Text | None = None


class Screen(BaseModel):
    """``[[screen]]``: one panel on a wall, and what it shows.

    Attributes
    ----------
    territory
        By code; the whole installation without one.
    language, languages
        One, or several: the views are gone through in one, then in the next.
    views
        In their order; names of :data:`VIEWS`.
    measure
        Which public measure the view of that name shows; the newest with a verdict without it.
    diagonal_in, pixels, distance_m
        Of the panel, and from how far it is read, which decides how large the text is. [in], [m]
    open
        Lines of opening hours, beyond which it is black.
    dwell_s
        For how long a view stays at least. [s]
    address
        What is printed beside the QR code, for those who type it.
    """

    model_config = STRICT
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    title: Text | None = None
    territory: Code | None = None
    language: Language | None = None
    languages: tuple[Language, ...] = Field(default=(), min_length=1)
    views: tuple[Annotated[str, AfterValidator(_known_view)], ...] = Field(min_length=1)
    measure: Code | None = None
    diagonal_in: float = Field(default=55, ge=5, le=300, allow_inf_nan=False)
    distance_m: float = Field(default=3, ge=0.3, le=50, allow_inf_nan=False)
    pixels: tuple[Annotated[int, Field(ge=320, le=16384)], Annotated[int, Field(ge=320, le=16384)]]\
        = (1920, 1080)  # fmt: skip
    theme: Literal["light", "dark", "auto"] = "auto"
    open: tuple[Annotated[str, AfterValidator(_hours)], ...] = Field(default=(), min_length=1)
    dwell_s: float = Field(default=15, ge=5, le=600, allow_inf_nan=False)
    address: Annotated[str, Field(pattern=r"^\S+$", max_length=80)] | None = None

    @model_validator(mode="after")
    def _sound(self) -> Screen:
        if self.language is not None and self.languages:
            raise ValueError("language and languages say the same; keep one of them")
        for key in ("views", "languages"):
            names = getattr(self, key)
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{key} names {twice[0]!r} twice; remove one")
        if self.measure is not None and "measure" not in self.views:
            raise ValueError("measure names one, but the view 'measure' is not among the views")
        return self

    @property
    def spoken(self) -> tuple[str, ...]:
        """Its languages, one after the other."""
        return self.languages or (self.language or "fr",)

    def measure_of(self, view: str) -> str:
        """Which public measure a view is asked for; empty where it has none, or any is welcome."""
        return (self.measure or "") if view == "measure" else ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a city says of its board; ``None`` of what it does not speak of."""

    board: Board | None = None
    screens: tuple[Screen, ...] | None = None


NOTHING_SAID = Said()
