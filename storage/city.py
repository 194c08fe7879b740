"""A city as its people write it: ``city.toml`` and ``sensors.csv``, checked.

Every mistake is reported with file, line and remedy, all of a file at once.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from storage.catalogue import BY_NAME, METRICS, Domain, Kind, Metric
from storage.mistakes import Mistake, MistakesError, parse_toml, plain, read_text
from storage.units import UnitError, check_unit, conversion


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write one like 'Europe/Paris'") from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Code = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s/+#\x00][^/+#\x00]*$")]
_Strict = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Territory(BaseModel):
    """A commune or a group of communes, under any code system."""

    model_config = _Strict
    code: Code
    name: str = Field(min_length=1)
    code_system: str = "INSEE"
    timezone: Zone | None = None


class Binding(BaseModel):
    """Which topics are read how. Named segments: {territory}, {site}, {sensor}."""

    model_config = _Strict
    topic: str = Field(min_length=1)
    format: Literal["plain", "senml"] = "plain"
    timezone: Zone = "UTC"
    time_field: str = ""
    ignore: tuple[str, ...] = ()

    @field_validator("topic")
    @classmethod
    def _segments(cls, topic: str) -> str:
        segments = topic.split("/")
        if topic.startswith("$"):
            raise ValueError(
                "a topic may not start with '$'; sharing is a setting of the collector"
            )
        names = [segment for segment in segments if segment.startswith("{")]
        if len(names) != len(set(names)):
            raise ValueError("a named segment may stand only once")
        for position, segment in enumerate(segments):
            if segment == "#" and position != len(segments) - 1:
                raise ValueError("'#' may only stand at the end")
            named = re.fullmatch(r"\{(\w+)\}", segment)
            if named and named[1] not in ("territory", "site", "sensor"):
                raise ValueError(f"'{segment}' is none of {{territory}}, {{site}}, {{sensor}}")
            if not named and segment not in ("+", "#") and re.search(r"[{}+#]", segment):
                raise ValueError(f"'{segment}' must be a whole segment: a name, '+', '#' or {{…}}")
        return topic


class OwnMetric(BaseModel):
    """A metric that this city adds to the catalogue."""

    model_config = _Strict
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    domain: Domain
    unit: str
    kind: Kind
    low: float
    high: float
    label_fr: str
    label_en: str
    label_de: str
    spike: float | None = None
    rate_per_h: float | None = None
    flat_h: float | None = None
    public_step_s: int | None = None

    @model_validator(mode="after")
    def _sound(self) -> OwnMetric:
        if self.name in BY_NAME:
            raise ValueError(f"{self.name!r} is in the catalogue already; choose another name")
        if not self.low < self.high:
            raise ValueError("low must be below high")
        check_unit(self.unit)
        return self

    def metric(self) -> Metric:
        """As a line of the catalogue."""
        labels = {"fr": self.label_fr, "en": self.label_en, "de": self.label_de}
        return Metric(
            self.name, self.domain, self.unit, self.kind, self.low, self.high, labels,
            self.spike, self.rate_per_h, self.flat_h, self.public_step_s,
        )  # fmt: skip


def _once(what: str, names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{what} {sorted(twice)[0]!r} stands there twice; remove one")


class _CityHead(BaseModel):
    model_config = _Strict
    name: str = Field(min_length=1)
    timezone: Zone


class _CityFile(BaseModel):
    model_config = _Strict
    city: _CityHead
    territory: tuple[Territory, ...] = Field(min_length=1)
    binding: tuple[Binding, ...] = ()
    metric: tuple[OwnMetric, ...] = ()

    @field_validator("territory")
    @classmethod
    def _territories(cls, territories: tuple[Territory, ...]) -> tuple[Territory, ...]:
        _once("code", [territory.code for territory in territories])
        return territories

    @field_validator("binding")
    @classmethod
    def _bindings(cls, bindings: tuple[Binding, ...]) -> tuple[Binding, ...]:
        _once("topic", [binding.topic for binding in bindings])
        return bindings

    @field_validator("metric")
    @classmethod
    def _metrics(cls, metrics: tuple[OwnMetric, ...]) -> tuple[OwnMetric, ...]:
        _once("name", [metric.name for metric in metrics])
        return metrics


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


_OrEmpty = BeforeValidator(_empty_is_none)


class Series(BaseModel):
    """One line of ``sensors.csv``: one metric of one sensor."""

    model_config = _Strict
    territory: Code
    site: Code
    site_name: str = ""
    longitude: Annotated[
        Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None, _OrEmpty
    ] = None
    latitude: Annotated[
        Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None, _OrEmpty
    ] = None
    sensor: Code
    metric: str
    field: str = ""
    unit: Annotated[str | None, _OrEmpty] = None
    step_s: int = Field(ge=0, le=366 * 86400)
    stamp: Literal["start", "end", "unknown"] = "start"
    register_max: Annotated[Annotated[float, Field(gt=0, allow_inf_nan=False)] | None, _OrEmpty] = (
        None
    )


@dataclass(frozen=True, slots=True)
class PlacedSeries:
    """A series with what its line leads to: names resolved, unit conversion known."""

    line: Series
    metric: Metric
    scale: float
    shift: float
    file: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class City:
    """Everything the registry needs, checked."""

    name: str
    timezone: str
    territories: tuple[Territory, ...]
    bindings: tuple[Binding, ...]
    metrics: tuple[Metric, ...]
    series: tuple[PlacedSeries, ...]


def load(city_file: Path, sensors_file: Path | None = None) -> City:
    """Read both files; ``sensors.csv`` beside ``city.toml`` unless named.

    Raises
    ------
    MistakesError
        Listing every mistake with file, line and remedy.
    """
    sensors_file = sensors_file or city_file.with_name("sensors.csv")
    return parse(read_text(city_file), read_text(sensors_file), str(city_file), str(sensors_file))


def parse(
    toml: str, sensors: str, toml_name: str = "city.toml", csv_name: str = "sensors.csv"
) -> City:
    """The same from texts."""
    head = parse_toml(toml, toml_name, _CityFile)
    metrics = METRICS + tuple(own.metric() for own in head.metric)
    placed = _parse_sensors(sensors, csv_name, head.territory, metrics)
    territories = tuple(
        t if t.timezone else t.model_copy(update={"timezone": head.city.timezone})
        for t in head.territory
    )
    return City(head.city.name, head.city.timezone, territories, head.binding, metrics, placed)


def _parse_sensors(
    text: str, name: str, territories: tuple[Territory, ...], metrics: tuple[Metric, ...]
) -> tuple[PlacedSeries, ...]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    by_name = {metric.name: metric for metric in metrics}
    codes = {territory.code for territory in territories}
    mistakes = [Mistake(name, 1, what) for what in _header_mistakes(reader.fieldnames or ())]
    if mistakes:
        raise MistakesError(mistakes)
    placed: list[PlacedSeries] = []
    seen: dict[tuple[str, str], int] = {}
    home: dict[str, tuple[str, str, int]] = {}
    try:
        for row in reader:
            line = reader.line_num
            if not any(row.values()):
                continue
            problems, entry = _read_line(row, codes, by_name)
            if entry is not None:
                key = (entry.line.sensor, entry.line.field)
                if key in seen:
                    problems.append(
                        f"sensor {key[0]!r} already has field {key[1]!r} in line {seen[key]}; "
                        "remove one of the two or name different fields"
                    )
                place = (entry.line.territory, entry.line.site)
                *other, first = home.setdefault(entry.line.sensor, (*place, line))
                if tuple(other) != place:
                    problems.append(
                        f"sensor {key[0]!r} stands at {'/'.join(map(str, other))} in line {first}; "
                        "a sensor has one site"
                    )
                seen.setdefault(key, line)
                if not problems:
                    placed.append(replace(entry, file=name, number=line))
            mistakes += [Mistake(name, line, problem) for problem in problems]
    except csv.Error as error:
        mistakes.append(Mistake(name, reader.line_num, f"this is not CSV: {error}"))
    if mistakes:
        raise MistakesError(mistakes)
    return tuple(placed)


def _header_mistakes(names: Sequence[str]) -> list[str]:
    if len(names) == 1 and ";" in names[0]:
        return ["the cells are separated by ';'; save the list with commas"]
    needed = [key for key, field in Series.model_fields.items() if field.is_required()]
    found = [f"column {key} is missing; add it" for key in needed if key not in names]
    found += [f"column {key} is not known" for key in names if key not in Series.model_fields]
    found += [f"column {key} stands there twice" for key in set(names) if names.count(key) > 1]
    return found


def _read_line(
    row: dict[str | None, str | None], codes: set[str], by_name: dict[str, Metric]
) -> tuple[list[str], PlacedSeries | None]:
    if None in row:
        return ["has more cells than the header; quote cells that hold a comma"], None
    cells = {key: value for key, value in row.items() if value is not None}
    if any("\0" in value for value in cells.values()):
        return ["holds a NUL character; remove it"], None
    try:
        line = Series.model_validate(cells)
    except ValidationError as error:
        return [plain(problem["loc"], problem["msg"]) for problem in error.errors()], None
    problems = []
    if line.stamp == "end" and not line.step_s:
        problems.append("stamp: 'end' needs a step_s, which says where the interval started")
    if line.territory not in codes:
        problems.append(f"territory {line.territory!r} is not in city.toml; add a [[territory]]")
    metric = by_name.get(line.metric)
    if metric is None:
        close = difflib.get_close_matches(line.metric, by_name, n=3) or sorted(by_name)
        meant = (
            f"did you mean {' or '.join(close)}?"
            if len(close) <= 3
            else f"known are {', '.join(close)}."
        )
        problems.append(f"metric {line.metric!r} is unknown; {meant} Or add a [[metric]]")
        return problems, None
    unit = line.unit if line.unit is not None else metric.unit
    try:
        scale, shift = conversion(unit, metric.unit)
    except UnitError as error:
        return [*problems, f"unit: {error}; {line.metric} is kept in {metric.unit}"], None
    line = line.model_copy(update={"field": line.field or line.metric, "unit": unit})
    return problems, PlacedSeries(line, metric, scale, shift)
