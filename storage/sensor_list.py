"""``sensors.csv``: which sensor stands where and what it measures, by lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from storage.catalogue import Metric
from storage.mistakes import Mistake, MistakesError, plain
from storage.profiles import (
    STRICT,
    Code,
    NotMeasuredError,
    Profile,
    RegisterMax,
    Scale,
    Stamp,
    Step,
    measured,
    unknown_profile,
)


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


_OrEmpty = BeforeValidator(_empty_is_none)


class Place(BaseModel):
    """A sensor and where it stands."""

    model_config = STRICT
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


class Series(Place):
    """One metric of one sensor; ``profile`` is the sensor's, "" where it has none."""

    metric: str
    field: str = ""
    unit: Annotated[str | None, _OrEmpty] = None
    scale: Scale = 1.0
    step_s: Step
    stamp: Stamp = "start"
    register_max: Annotated[RegisterMax | None, _OrEmpty] = None
    profile: str = ""


class _Line(Place):
    """One line as it is written: a metric, or all those of a profile."""

    metric: str = ""
    profile: str = ""
    field: str = ""
    unit: Annotated[str | None, _OrEmpty] = None
    scale: Annotated[Scale | None, _OrEmpty] = None
    step_s: Annotated[Step | None, _OrEmpty] = None
    stamp: Annotated[Stamp | None, _OrEmpty] = None
    register_max: Annotated[RegisterMax | None, _OrEmpty] = None


_OF_A_FIELD = ("field", "unit", "scale", "register_max")
_KNOWN = (*Place.model_fields, "metric", "profile", *_OF_A_FIELD, "step_s", "stamp")


@dataclass(frozen=True, slots=True)
class PlacedSeries:
    """A series with what its line leads to: names resolved, unit conversion known."""

    line: Series
    metric: Metric
    scale: float
    shift: float
    file: str = ""
    number: int = 0


def parse_sensors(
    text: str,
    name: str,
    territories: set[str],
    metrics: Mapping[str, Metric],
    profiles: Mapping[str, Profile],
) -> tuple[PlacedSeries, ...]:
    """Every series of the list; ``name`` stands for the file in what is told.

    Raises
    ------
    MistakesError
        Listing every mistake with line and remedy.
    """
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if told := [Mistake(name, 1, what) for what in _header_mistakes(reader.fieldnames or ())]:
        raise MistakesError(told)
    whole = _List(name, territories, metrics, profiles)
    try:
        for row in reader:
            if any(row.values()):
                whole.take(reader.line_num, row)
    except csv.Error as error:
        whole.wrong(reader.line_num, f"this is not CSV: {error}")
    return whole.series()


def _header_mistakes(names: Sequence[str]) -> list[str]:
    if len(names) == 1 and ";" in names[0]:
        return ["the cells are separated by ';'; save the list with commas"]
    needed = [key for key, field in Place.model_fields.items() if field.is_required()]
    needed += [] if "profile" in names else ["metric", "step_s"]
    found = [f"column {key} is missing; add it" for key in needed if key not in names]
    found += [f"column {key} is not known" for key in names if key not in _KNOWN]
    found += [f"column {key} stands there twice" for key in set(names) if names.count(key) > 1]
    return found


class _List:
    """The lines so far. What a line of its own says of a field comes before its profile."""

    def __init__(
        self, name: str, territories: set[str], metrics: Mapping[str, Metric],
        profiles: Mapping[str, Profile],
    ) -> None:  # fmt: skip
        self._name = name
        self._territories = territories
        self._metrics = metrics
        self._profiles = profiles
        self._mistakes: list[Mistake] = []
        self._home: dict[str, tuple[str, str, int]] = {}
        self._profile: dict[str, tuple[str, int]] = {}
        self._said: dict[tuple[str, str], int] = {}
        self._strangers: set[str] = set()
        self._placed: dict[tuple[str, str], PlacedSeries] = {}

    def wrong(self, number: int, what: str) -> None:
        self._mistakes.append(Mistake(self._name, number, what))

    def series(self) -> tuple[PlacedSeries, ...]:
        sensors = {sensor for sensor, _ in self._placed}
        for sensor, (profile, number) in self._profile.items():
            if sensor not in sensors and not self._profiles[profile].series:
                self.wrong(
                    number,
                    f"profile {profile!r} has no fields and sensor {sensor!r} no other line; add "
                    "[profile.fields] to the profile, or lines with a metric",
                )
        if self._mistakes:
            raise MistakesError(sorted(self._mistakes, key=lambda mistake: mistake.line))
        return tuple(
            replace(placed, line=placed.line.model_copy(update={"profile": of[0]}))
            if (of := self._profile.get(placed.line.sensor))
            else placed
            for placed in self._placed.values()
        )

    def take(self, number: int, row: dict[str | None, str | None]) -> None:
        """One line of the file."""
        if None in row:
            self.wrong(number, "has more cells than the header; quote cells that hold a comma")
            return
        cells = {key: value for key, value in row.items() if value is not None}
        if any("\0" in value for value in cells.values()):
            self.wrong(number, "holds a NUL character; remove it")
            return
        try:
            line = _Line.model_validate(cells)
        except ValidationError as error:
            for problem in error.errors():
                self.wrong(number, plain(problem["loc"], problem["msg"]))
            return
        for what in self._misplaced(line, number):
            self.wrong(number, what)
        if line.profile:
            self._take_profile(line, number)
        elif line.metric:
            self._take_metric(line, number)
        else:
            self.wrong(number, "metric: is missing; name a metric or a profile")

    def _misplaced(self, line: _Line, number: int) -> Iterator[str]:
        if line.territory not in {*self._territories, *self._strangers}:
            self._strangers.add(line.territory)
            yield f"territory {line.territory!r} is not in city.toml; add a [[territory]]"
        place = (line.territory, line.site)
        *other, first = self._home.setdefault(line.sensor, (*place, number))
        if tuple(other) != place:
            yield (
                f"sensor {line.sensor!r} stands at {'/'.join(map(str, other))} in line {first}; "
                "a sensor has one site"
            )

    def _take_profile(self, line: _Line, number: int) -> None:
        if line.metric:
            self.wrong(number, "names a metric and a profile; write a line for each")
            return
        for column in _OF_A_FIELD:
            if getattr(line, column) not in (None, ""):
                self.wrong(
                    number,
                    f"{column}: is said by the profile for each field; leave it empty, or write "
                    "a line of its own for the field",
                )
        profile = self._profiles.get(line.profile)
        if profile is None:
            self.wrong(number, unknown_profile(line.profile, self._profiles))
            return
        known, first = self._profile.setdefault(line.sensor, (line.profile, number))
        if first != number:
            self.wrong(
                number,
                f"sensor {line.sensor!r} already has profile {known!r} in line {first}; "
                "a sensor has one profile",
            )
            return
        for field, of in profile.series.items():
            steps = (line.step_s, of.step_s, profile.step_s)
            said = {
                "metric": of.metric, "field": field, "unit": of.unit, "scale": of.scale,
                "step_s": next((step for step in steps if step is not None), None),
                "stamp": line.stamp or of.stamp or profile.stamp,
                "register_max": of.register_max,
            }  # fmt: skip
            if said["step_s"] is None:
                self.wrong(
                    number, f"step_s: is missing; say it here or in profile {line.profile!r}"
                )
                return
            if (line.sensor, field) not in self._said:
                self._place(line.model_copy(update=said), number)

    def _take_metric(self, line: _Line, number: int) -> None:
        if line.step_s is None:
            self.wrong(
                number,
                "step_s: is missing; add the seconds between readings, 0 if they come only on "
                "change",
            )
            return
        key = (line.sensor, line.field or line.metric)
        if key in self._said:
            self.wrong(
                number,
                f"sensor {key[0]!r} already has field {key[1]!r} in line {self._said[key]}; "
                "remove one of the two or name different fields",
            )
            return
        self._said[key] = number
        self._place(line, number)

    def _place(self, line: _Line, number: int) -> None:
        if line.stamp == "end" and not line.step_s:
            self.wrong(number, "stamp: 'end' needs a step_s, which says where the interval started")
        scale = 1.0 if line.scale is None else line.scale
        try:
            what = measured(line.metric, line.unit, scale, self._metrics)
        except NotMeasuredError as error:
            self.wrong(number, str(error))
            return
        field = line.field or line.metric
        series = Series.model_construct(
            **dict(line)
            | {"field": field, "unit": what.unit, "scale": scale, "stamp": line.stamp or "start"}
        )
        self._placed[line.sensor, field] = PlacedSeries(
            series, what.metric, what.scale, what.shift, self._name, number
        )
