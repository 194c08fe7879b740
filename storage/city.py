"""A city as its people write it: ``city.toml`` and ``sensors.csv``, checked.

Every mistake is reported with file, line and remedy, all of a file at once.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator

from storage.catalogue import BY_NAME, METRICS, Domain, Kind, Metric
from storage.facts.air import AirFacts
from storage.facts.energy import EnergyFacts
from storage.facts.facts import Facts
from storage.facts.mobility import MobilityFacts
from storage.facts.naming import Lists, Named
from storage.facts.watch import WatchFacts
from storage.mistakes import Mistake, MistakesError, parse_toml, plain, read_text
from storage.outlines import Geometry, parse_outlines
from storage.profiles import STRICT, Code, NotMeasuredError, Profile, measured, unknown_profile
from storage.screens import NOTHING_SAID as NO_BOARD
from storage.screens import Board, Said, Screen
from storage.sensor_list import PlacedSeries, parse_sensors
from storage.toml_lines import Path as Where
from storage.toml_lines import line_of
from storage.units import UnitError, check_unit, conversion


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write one like 'Europe/Paris'") from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class Territory(BaseModel):
    """A commune or a group of communes, under any code system."""

    model_config = STRICT
    code: Code
    name: str = Field(min_length=1)
    code_system: str = "INSEE"
    timezone: Zone | None = None


class Binding(BaseModel):
    """Which topics are read how. Named segments: {territory}, {site}, {sensor}."""

    model_config = STRICT
    topic: str = Field(min_length=1)
    format: Literal[
        "plain",
        "airrohr",
        "chirpstack",
        "dsmr",
        "ngsi",
        "senml",
        "sensorthings",
        "shelly",
        "sparkplug",
        "tasmota",
        "tic",
        "tts",
        "zigbee2mqtt",
    ] = "plain"
    timezone: Zone = "UTC"
    time_field: str = ""
    ignore: tuple[str, ...] = ()
    profile: str = ""

    @field_validator("ignore")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if "*" in name and not re.fullmatch(r"[^*]+\*", name):
                raise ValueError(
                    f"{name!r} is no field; '*' may only end a name, as in 'status.*', "
                    "and never stand alone: what is new would vanish unseen"
                )
        return names

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

    model_config = STRICT
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
    model_config = STRICT
    name: str = Field(min_length=1)
    timezone: Zone


class _CityFile(BaseModel):
    model_config = STRICT
    city: _CityHead
    territory: tuple[Territory, ...] = Field(min_length=1)
    binding: tuple[Binding, ...] = ()
    metric: tuple[OwnMetric, ...] = ()
    profile: tuple[Profile, ...] = ()
    air: AirFacts | None = None
    mobility: MobilityFacts | None = None
    energy: EnergyFacts | None = None
    watch: WatchFacts | None = None
    board: Board | None = None
    screen: tuple[Screen, ...] | None = None

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

    @field_validator("profile")
    @classmethod
    def _profiles(cls, profiles: tuple[Profile, ...]) -> tuple[Profile, ...]:
        _once("name", [profile.name for profile in profiles])
        return profiles


NOTHING_SAID = Facts()


@dataclass(frozen=True, slots=True)
class City:
    """Everything the registry needs, checked."""

    name: str
    timezone: str
    territories: tuple[Territory, ...]
    bindings: tuple[Binding, ...]
    metrics: tuple[Metric, ...]
    series: tuple[PlacedSeries, ...]
    profiles: tuple[Profile, ...] = ()
    facts: Facts = NOTHING_SAID
    """What the file says of its trades; only those that it speaks of are registered."""
    unlisted: tuple[tuple[Named, Mistake], ...] = ()
    """Names in the facts that neither file has: mistakes, unless the registry has them."""
    said: Said = NO_BOARD
    """What the file says of the public board."""
    outlines: Mapping[str, Geometry] | None = None
    """Of territories, by code; ``None`` where no file of them was read."""


def load(city_file: Path, sensors_file: Path | None = None) -> City:
    """Read both files; ``sensors.csv`` beside ``city.toml`` unless named.

    Raises
    ------
    MistakesError
        Listing every mistake with file, line and remedy.
    """
    sensors_file = sensors_file or city_file.with_name("sensors.csv")
    return parse(
        read_text(city_file), read_text(sensors_file), str(city_file), str(sensors_file),
        lambda name: read_text(city_file.parent / name),
    )  # fmt: skip


def parse(
    toml: str,
    sensors: str,
    toml_name: str = "city.toml",
    csv_name: str = "sensors.csv",
    beside: Callable[[str], str] | None = None,
) -> City:
    """The same from texts; ``beside`` reads a file that the first one names."""
    head = parse_toml(toml, toml_name, _CityFile)
    metrics = METRICS + tuple(own.metric() for own in head.metric)
    by_name = {metric.name: metric for metric in metrics}
    mistakes = [
        Mistake(toml_name, line_of(toml, where), what)
        for where, what in _contradictions(head, by_name)
    ]
    placed: tuple[PlacedSeries, ...] = ()
    try:
        placed = parse_sensors(
            sensors, csv_name, {territory.code for territory in head.territory}, by_name,
            {profile.name: profile for profile in head.profile},
        )  # fmt: skip
    except MistakesError as error:
        # A profile's own mistakes are told once, not again for every sensor that names it.
        told = {mistake.what.partition(": ")[2] for mistake in mistakes}
        mistakes += [mistake for mistake in error.mistakes if mistake.what not in told]
    outlines = None
    if head.board and head.board.outlines and beside:
        name = head.board.outlines
        try:
            codes = {territory.code for territory in head.territory}
            outlines = parse_outlines(beside(name), str(Path(toml_name).parent / name), codes)
        except MistakesError as error:
            mistakes += error.mistakes
    if mistakes:
        raise MistakesError(mistakes)
    territories = tuple(
        t if t.timezone else t.model_copy(update={"timezone": head.city.timezone})
        for t in head.territory
    )
    said = {one: getattr(head, one) for one in Facts.model_fields if getattr(head, one) is not None}
    facts = Facts(**said)
    lists = Lists(
        {one.code for one in territories},
        {(one.line.territory, one.line.site) for one in placed},
        {one.line.sensor for one in placed},
        {f"{one.line.sensor}/{one.line.field}" for one in placed},
    )
    unlisted = tuple(
        (one, Mistake(toml_name, line_of(toml, one.where), plain(one.where, lists.wrong(one))))
        for one in facts.names()
        if not lists.know(one)
    )
    return City(
        head.city.name, head.city.timezone, territories, head.binding, metrics, placed, head.profile,
        facts, unlisted, Said(head.board, head.screen), outlines,
    )  # fmt: skip


def _contradictions(head: _CityFile, by_name: Mapping[str, Metric]) -> Iterator[tuple[Where, str]]:
    """What single keys cannot show, each with the key it is about."""
    names = [profile.name for profile in head.profile]
    for number, profile in enumerate(head.profile):
        for field, of in profile.series.items():
            where: Where = ("profile", number, "fields", field)
            try:
                measured(of.metric, of.unit, of.scale, by_name)
            except NotMeasuredError as error:
                yield (*where, error.key), f"profile.fields.{field}: {error}"
            if (of.stamp or profile.stamp) == "end" and (
                profile.step_s if of.step_s is None else of.step_s
            ) == 0:
                yield (
                    where,
                    (
                        f"profile.fields.{field}: stamp: 'end' needs a step_s, which says where the "
                        "interval started"
                    ),
                )
        for place, coded in enumerate(profile.codec.field if profile.codec else ()):
            series = profile.series.get(coded.name)
            metric = by_name.get(series.metric) if series else None
            try:
                if coded.unit is not None and metric is not None:
                    conversion(coded.unit, metric.unit, metric.name)
                elif coded.unit is not None:
                    check_unit(coded.unit)
            except UnitError as error:
                where = ("profile", number, "codec", "field", place, "unit")
                yield where, f"profile.codec.field.unit: {error}"
    for name in head.watch.comparable if head.watch else ():
        if name not in by_name:
            known = difflib.get_close_matches(name, by_name, n=3) or sorted(by_name)
            what = f"watch.comparable: metric {name!r} is unknown; known are {', '.join(known)}"
            yield ("watch", "comparable"), what
        elif by_name[name].domain is not Domain.AIR:
            what = f"watch.comparable: {name} is not of the air, which is near to all; remove it"
            yield ("watch", "comparable"), what
    codes, screens = [territory.code for territory in head.territory], set[str]()
    for number, screen in enumerate(head.screen or ()):
        if screen.id in screens:
            what = f"screen.id: {screen.id!r} is another screen's already; choose another"
            yield ("screen", number, "id"), what
        screens.add(screen.id)
        if screen.territory is not None and screen.territory not in codes:
            known = difflib.get_close_matches(screen.territory, codes, n=3) or sorted(codes)[:5]
            what = f"territory {screen.territory!r} is not in this file; known are"
            yield (
                ("screen", number, "territory"),
                f"screen.territory: {what} {', '.join(map(repr, known))}",
            )
    for number, binding in enumerate(head.binding):
        if binding.profile and binding.profile not in names:
            what = unknown_profile(binding.profile, names)
            yield ("binding", number, "profile"), f"binding.profile: {what}"
