"""How one kind of recorded file becomes readings: a mapping in TOML, checked.

Every mistake is reported with file, line and remedy, all of a file at once.
"""

from __future__ import annotations

import codecs
import re
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from storage.catalogue import METRICS, Metric
from storage.city import OwnMetric, Territory
from storage.mistakes import Mistake, MistakesError, parse_toml, read_text
from storage.profiles import Code
from storage.toml_lines import line_of
from storage.units import UnitError, conversion

_STRICT = ConfigDict(extra="forbid", frozen=True)
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")

TIME_FIELD = "time"
"""The member that carries the time in every published message."""


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError(f"{name!r} is no encoding; write one like 'utf-8'") from error
    return name


def zone_of(name: str) -> tzinfo:
    """UTC, a fixed offset such as ``-05:00`` (local standard time all year), or an IANA zone."""
    if name == "UTC":
        return UTC
    if match := _OFFSET.fullmatch(name):
        size = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if size < timedelta(hours=24):
            return timezone(-size if match[1] == "-" else size)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            f"{name!r} is no time zone; write 'UTC', an offset like '-05:00' for local standard "
            "time all year, or a name like 'Europe/Paris'"
        ) from error


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


def _constant(value: object) -> object:
    return {"constant": str(value)} if isinstance(value, str | int | float) else value


class Told(BaseModel):
    """A word the mapping states once, or finds in a column of every row.

    ``empty`` stands for an empty cell; ``words`` translates what the column holds.
    """

    model_config = _STRICT
    constant: str = ""
    column: str = ""
    empty: str = ""
    words: dict[str, str] = {}

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.constant) == bool(self.column):
            raise ValueError('write a text, or { column = "…" }')
        return self

    def word(self, cell: str) -> str:
        """What is meant by a cell of the column."""
        return self.constant or self.words.get(cell, cell) or self.empty


Word = Annotated[Told, BeforeValidator(_constant)]


class File(BaseModel):
    """How bytes become rows."""

    model_config = _STRICT
    kind: Literal["csv", "json"] = "csv"
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8"
    compression: Literal["none", "gzip", "suffix"] = "suffix"
    separator: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    header: tuple[str, ...] = ()
    records: str = ""
    missing: tuple[str, ...] = ("",)
    short_rows: Literal["refuse", "keep"] = "refuse"


class Time(BaseModel):
    """How a cell becomes an instant; an offset in the cell wins over ``zone``."""

    model_config = _STRICT
    column: str = Field(min_length=1)
    format: str = "iso"
    zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    ambiguous: Literal["first", "second", "order"] = "first"
    stamp: Literal["start", "end", "unknown"]
    step_s: int = Field(ge=0, le=366 * 86400)


class Place(BaseModel):
    """Where sensors stand that no ``[[sensor]]`` speaks of; a site is its sensor unless said."""

    model_config = _STRICT
    territory: Word | None = None
    site: Word | None = None
    site_name: Word | None = None
    longitude: Word | None = None
    latitude: Word | None = None


class Value(BaseModel):
    """One column of values."""

    model_config = _STRICT
    column: str = Field(min_length=1)
    sensor: Word
    metric: Word | None = None
    unit: Word | None = None
    field: str = ""
    step_s: int | None = Field(default=None, ge=0, le=366 * 86400)
    stamp: Literal["start", "end", "unknown"] | None = None


class Sensor(BaseModel):
    """What is particular to one sensor."""

    model_config = _STRICT
    code: Code
    territory: str = ""
    site: str = ""
    site_name: str = ""
    longitude: float | None = None
    latitude: float | None = None
    metric: str = ""


class Mapping(BaseModel):
    """A whole mapping; see README.md of this folder for every key."""

    model_config = _STRICT
    file: File = File()
    time: Time
    territory: tuple[Territory, ...] = Field(min_length=1)
    place: Place = Place()
    value: tuple[Value, ...] = Field(min_length=1)
    sensor: tuple[Sensor, ...] = ()
    metric: tuple[OwnMetric, ...] = ()
    _path: str = PrivateAttr("mapping")

    @property
    def path(self) -> str:
        """Where the mapping was read, for messages to people."""
        return self._path

    def metrics(self) -> tuple[Metric, ...]:
        """The catalogue and what this mapping adds to it."""
        return METRICS + tuple(own.metric() for own in self.metric)

    def columns(self) -> list[str]:
        """Every column the mapping reads, the time first."""
        told: list[Told | None] = [
            self.place.territory, self.place.site, self.place.site_name, self.place.longitude,
            self.place.latitude,
        ]  # fmt: skip
        names = [self.time.column]
        for value in self.value:
            names.append(value.column)
            told += [value.sensor, value.metric, value.unit]
        return list(dict.fromkeys(names + [one.column for one in told if one and one.column]))


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping.

    Raises
    ------
    MistakesError
        Listing every mistake with file, line and remedy.
    """
    return parse_mapping(read_text(path), str(path))


def parse_mapping(text: str, name: str = "mapping.toml") -> Mapping:
    """The same from a text."""
    mapping = parse_toml(text, name, Mapping)
    if problems := _contradictions(mapping):
        raise MistakesError([Mistake(name, line_of(text, where), what) for where, what in problems])
    mapping._path = name
    return mapping


def _contradictions(mapping: Mapping) -> list[tuple[tuple[int | str, ...], str]]:
    """What single keys cannot show, each with the key it is about."""
    found: list[tuple[tuple[int | str, ...], str]] = []
    by_name = {metric.name: metric for metric in mapping.metrics()}
    codes = {territory.code for territory in mapping.territory}
    known = ", ".join(sorted(by_name))

    def metric(where: tuple[int | str, ...], name: str) -> None:
        if name not in by_name:
            found.append(
                (where, f"metric {name!r} is unknown; use one of {known}, or add a [[metric]]")
            )

    def territory(where: tuple[int | str, ...], code: str) -> None:
        if code not in codes:
            found.append((where, f"territory {code!r} is unknown; add a [[territory]]"))

    for number, one in enumerate(mapping.territory):
        if one.timezone is None:
            found.append((("territory", number), "timezone: is missing; add it"))
    told = mapping.place.territory
    for code in (told.constant, *told.words.values()) if told else ():
        if code:
            territory(("place", "territory"), code)
    for number, sensor in enumerate(mapping.sensor):
        if sensor.metric:
            metric(("sensor", number, "metric"), sensor.metric)
        if sensor.territory:
            territory(("sensor", number, "territory"), sensor.territory)
    for number, value in enumerate(mapping.value):
        if value.field == TIME_FIELD:
            found.append(
                (("value", number, "field"), f"field {TIME_FIELD!r} is the time; rename the field")
            )
        if value.metric is None:
            if any(not sensor.metric for sensor in mapping.sensor) or not mapping.sensor:
                found.append(
                    (("value", number), "metric: is missing; add it here or in every [[sensor]]")
                )
            continue
        for name in (value.metric.constant, *value.metric.words.values()):
            if name:
                metric(("value", number, "metric"), name)
        constant = by_name.get(value.metric.constant)
        if constant and value.unit and value.unit.constant:
            try:
                conversion(value.unit.constant, constant.unit, constant.name)
            except UnitError as error:
                what = f"{error}; {constant.name} is kept in {constant.unit}"
                found.append((("value", number, "unit"), what))
    return found
