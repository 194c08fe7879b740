"""The word *measure*: what a city decided, where, since when, and what it should change.

Measures are read from TOML (``[[measure]]``) or CSV, every mistake told with its line.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from storage.mistakes import Mistake, MistakesError, parse_toml, plain
from storage.profiles import STRICT, Code
from storage.toml_lines import line_of


class Direction(StrEnum):
    """Where the number should go."""

    DOWN = "down"
    UP = "up"


class Daily(StrEnum):
    """What of a metric's day counts."""

    MEAN = "mean"
    TOTAL = "total"


class Effect(StrEnum):
    """How a change is told: in the unit, or in per cent of each series' own mean before."""

    ABSOLUTE = "absolute"
    PERCENT = "percent"


class Scope(StrEnum):
    """Among which untouched series one compares, where none are named."""

    CITY = "city"
    TERRITORY = "territory"
    ELSEWHERE = "elsewhere"


def _listed(value: object) -> object:
    """A cell of CSV names several, separated by semicolons."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    return value


def _day(value: object) -> object:
    if isinstance(value, datetime.datetime):
        raise ValueError(f"{value} has a time of day; write a day like 2026-03-01")
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value if value[4:5] == "-" else "")
        except ValueError:
            raise ValueError(f"{value!r} is no day; write one like 2026-03-01") from None
    if not isinstance(value, datetime.date | None):
        raise ValueError(f"{value!r} is no day; write one like 2026-03-01")
    return value


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


_Text = Annotated[str, Field(max_length=2000)]
_Names = Annotated[tuple[Code, ...], BeforeValidator(_listed)]
_Site = Annotated[str, Field(pattern=r"^[^/]+(/[^/]+)?$")]
_Sites = Annotated[tuple[_Site, ...], BeforeValidator(_listed)]
_Date = Annotated[datetime.date, BeforeValidator(_day)]
_Maybe = Annotated[
    Annotated[datetime.date, BeforeValidator(_day)] | None, BeforeValidator(_empty_is_none)
]


class Measure(BaseModel):
    """A public measure, as the city decided it.

    Attributes
    ----------
    code
        Short and lasting; what commands and tables call it.
    title_fr, title_en, title_de
        At least one.
    objective
        What it is for.
    territory
        By code; sites named without one lie there.
    in_force
        The first day it holds: days before it are days before.
    settled
        The first day that counts as after, where it came little by little: the days
        between are left out.
    ends
        The first day it no longer holds, of a trial.
    indicator
        A daily indicator of the catalogue, of series or sites; or none, and
    metric, daily
        the mean or the total of a metric's day. An indicator of several metrics needs a
        metric too.
    expected
        Where the number should go.
    effect
        How the change is told: ``percent`` for counts, which differ much between places.
    touched_sensors, touched_sites
        What it touches; without any, everything of the metric in the territory.
    comparison, comparison_sensors, comparison_sites
        What it does not touch: those named, or all others that no measure touches, in the
        whole city, in the same territory, or in the other ones.
    min_days
        Days that a series must have on each side. [d]
    decision, decision_date, decision_url
        The deliberation or order.
    contact
        A service, not a person.
    """

    model_config = STRICT
    code: Code
    title_fr: _Text = ""
    title_en: _Text = ""
    title_de: _Text = ""
    objective: Annotated[_Text, Field(min_length=1)]
    territory: Code
    in_force: _Date
    settled: _Maybe = None
    ends: _Maybe = None
    indicator: str = ""
    metric: str = ""
    daily: Annotated[Daily | None, BeforeValidator(_empty_is_none)] = None
    expected: Direction
    effect: Annotated[
        Effect, BeforeValidator(lambda said: said if said != "" else Effect.ABSOLUTE)
    ] = Effect.ABSOLUTE
    touched_sensors: _Names = ()
    touched_sites: _Sites = ()
    comparison: Annotated[
        Scope, BeforeValidator(lambda said: said if said != "" else Scope.CITY)
    ] = Scope.CITY
    comparison_sensors: _Names = ()
    comparison_sites: _Sites = ()
    min_days: Annotated[
        Annotated[int, Field(ge=14, le=364)],
        BeforeValidator(lambda said: said if said != "" else 28),
    ] = 28
    decision: Annotated[_Text, Field(min_length=1)]
    decision_date: _Maybe = None
    decision_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$", max_length=2000)] = ""
    contact: _Text = ""

    @property
    def title(self) -> str:
        """In the first language that has one."""
        return self.title_fr or self.title_en or self.title_de

    @property
    def begins(self) -> datetime.date:
        """The first day after."""
        return self.settled or self.in_force

    @property
    def lists_comparison(self) -> bool:
        """Whether the untouched ones are named."""
        return bool(self.comparison_sensors or self.comparison_sites)

    def placed(self, sites: Sequence[str]) -> tuple[str, ...]:
        """Sites with their territory."""
        return tuple(one if "/" in one else f"{self.territory}/{one}" for one in sites)


COLUMNS: tuple[str, ...] = tuple(Measure.model_fields)
YEARS = range(1990, 2101)


def contradictions(measure: Measure) -> Iterator[tuple[str, str]]:
    """What cannot be meant together: the key, and what to write instead."""
    if not measure.title:
        yield "title_fr", "is missing; give title_fr, title_en or title_de"
    for key in ("in_force", "settled", "ends"):
        day: datetime.date | None = getattr(measure, key)
        if day is not None and day.year not in YEARS:
            yield key, f"{day} is no day to compare with; the year lies between 1990 and 2100"
    if measure.settled is not None and measure.settled < measure.in_force:
        yield "settled", f"{measure.settled} lies before in_force, {measure.in_force}"
    if measure.ends is not None and measure.ends <= measure.begins:
        yield "ends", f"{measure.ends} is not after {measure.begins}, the first day that counts"
    if measure.indicator and measure.daily:
        yield "daily", "says how a metric's day counts; leave it out, or the indicator"
    if not measure.indicator and not (measure.metric and measure.daily):
        yield "indicator", "is missing; name an indicator, or a metric and daily (mean or total)"
    if measure.decision_date is not None and measure.decision_date > measure.in_force:
        yield (
            "decision_date",
            f"{measure.decision_date} lies after in_force, {measure.in_force}; a measure holds"
            " once it is decided",
        )
    sites = {*measure.placed(measure.touched_sites)} & {*measure.placed(measure.comparison_sites)}
    if both := sorted(sites | ({*measure.touched_sensors} & {*measure.comparison_sensors})):
        yield "comparison_sites", f"{', '.join(both)} cannot be touched and untouched"


def parse_measures(text: str, name: str) -> tuple[Measure, ...]:
    """Every measure of a list; one whose name ends in ``.csv`` is CSV, others are TOML.

    Raises
    ------
    MistakesError
        Listing every mistake with line and remedy.
    """
    found = list(_from_csv(text, name) if name.lower().endswith(".csv") else _from_toml(text, name))
    mistakes = [
        Mistake(name, lines.get(key, lines[""]), plain([key], what))
        for measure, lines in found
        for key, what in contradictions(measure)
    ]
    first: dict[str, int] = {}
    for measure, lines in found:
        line = lines.get("code", lines[""])
        if first.setdefault(measure.code, line) != line:
            what = f"measure {measure.code!r} stands in line {first[measure.code]} already"
            mistakes.append(Mistake(name, line, what))
    if mistakes:
        raise MistakesError(sorted(mistakes, key=lambda mistake: mistake.line))
    return tuple(measure for measure, _ in found)


class _File(BaseModel):
    model_config = STRICT
    measure: tuple[Measure, ...] = ()


def _from_toml(text: str, name: str) -> Iterator[tuple[Measure, dict[str, int]]]:
    """Measures, each with the lines of its keys; ``""`` is its own."""
    for number, measure in enumerate(parse_toml(text, name, _File).measure):
        where = ("measure", number)
        lines = {key: line_of(text, (*where, key)) for key in COLUMNS}
        yield measure, {**lines, "": line_of(text, where)}


def _from_csv(text: str, name: str) -> Iterator[tuple[Measure, dict[str, int]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    mistakes = [Mistake(name, 1, what) for what in _header(reader.fieldnames or ())]
    if mistakes:
        raise MistakesError(mistakes)
    found = []
    try:
        for row in reader:
            if any(row.values()):
                number = reader.line_num
                measure, wrong = _line(row)
                mistakes += [Mistake(name, number, what) for what in wrong]
                if measure is not None:
                    found.append((measure, {"": number}))
    except csv.Error as error:
        mistakes.append(Mistake(name, reader.line_num, f"this is not CSV: {error}"))
    if mistakes:
        raise MistakesError(mistakes)
    yield from found


def _header(names: Sequence[str]) -> list[str]:
    if len(names) == 1 and ";" in names[0]:
        return ["the cells are separated by ';'; save the list with commas"]
    needed = [key for key, field in Measure.model_fields.items() if field.is_required()]
    found = [f"column {key} is missing; add it" for key in needed if key not in names]
    found += [f"column {key} is not known" for key in names if key not in COLUMNS]
    return found + [f"column {key} stands there twice" for key in COLUMNS if names.count(key) > 1]


def _line(row: dict[str | Any, str | Any]) -> tuple[Measure | None, list[str]]:
    if None in row:
        return None, ["has more cells than the header; quote cells that hold a comma"]
    cells = {key: value for key, value in row.items() if value is not None}
    if any("\0" in value for value in cells.values()):
        return None, ["holds a NUL character; remove it"]
    return understood(cells)


def understood(cells: dict[str, str]) -> tuple[Measure | None, list[str]]:
    """A measure from texts by key, as a line of CSV has them; or what is wrong with each."""
    try:
        return Measure.model_validate(cells), []
    except ValidationError as error:
        return None, [plain(problem["loc"], problem["msg"]) for problem in error.errors()]
