"""``[[energy.replacement]]``, ``[[energy.tariff]]``, ``[[energy.lighting]]`` and other meters' keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from storage.facts.days import Day, Instant
from storage.facts.naming import Named, What, each
from storage.profiles import STRICT, Code

NAMED = ConfigDict(**STRICT, populate_by_name=True)
"""``from`` and ``class`` are no names in Python: files say them, the code says others."""

MINUTES = 24 * 60
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Tariff = Literal["offpeak", "full", "peak"]


def minute(text: str) -> int:
    """Minutes after midnight of a time on the wall; 24:00 is the end of the day.

    Examples
    --------
    >>> minute("22:38"), minute("24:00")
    (1358, 1440)
    """
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})", text)
    value = int(found[1]) * 60 + int(found[2]) if found else -1
    if not found or int(found[2]) > 59 or value > MINUTES:
        raise ValueError(f"{text!r} is no time of a day; write one like '22:30'")
    return value


def span(text: str) -> tuple[int, int]:
    """Begin and end in minutes after midnight; over midnight the end is the smaller.

    Examples
    --------
    >>> span("22:00-06:00")
    (1320, 360)
    """
    begin, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is no stretch of a day; write one like '22:00-06:00'")
    both = minute(begin.strip()), minute(end.strip())
    if both[0] == both[1]:
        raise ValueError(f"{text!r} lasts no time; write one like '22:00-06:00'")
    return both


def _stretch(text: str) -> str:
    span(text)
    return text


def _month_day(text: str) -> str:
    try:
        if len(text) != 5:
            raise ValueError
        date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise ValueError(f"{text!r} is no day of a year; write month-day, like '11-01'") from None
    return text


Stretch = Annotated[str, AfterValidator(_stretch)]
MonthDay = Annotated[str, AfterValidator(_month_day)]
Meter = Annotated[str, Field(min_length=1)]


class Replacement(BaseModel):
    """A meter that was replaced: ``[[energy.replacement]]``.

    Attributes
    ----------
    sensor, field
        Whose register; the sensor goes on sending under its name.
    at
        When, with the offset from UTC.
    closing, opening
        What the old register showed last and the new one first, in the metric's own unit
        (kWh, m3).
    """

    model_config = STRICT
    sensor: Code
    field: Annotated[str, Field(min_length=1)]
    at: Instant
    closing: float = Field(ge=0, allow_inf_nan=False)
    opening: float = Field(ge=0, allow_inf_nan=False)

    @field_validator("at")
    @classmethod
    def _with_offset(cls, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError(
                f"{at.isoformat()} may be any of two hours; write its offset from UTC, like "
                "2026-03-29T10:00:00+02:00"
            )
        return at


class Demand(BaseModel):
    """In which clock windows the peak of some meters is counted: ``[[energy.demand]]``.

    Attributes
    ----------
    meters
        Sensors, or ``sensor/field``, by name or pattern.
    window_min
        10 where the French grid operator meters large sites (C1 to C4), 30 for small ones
        (C5), 15 elsewhere in Europe. [min]
    curve
        Whether the mean power of every window is kept as a figure too.
    """

    model_config = STRICT
    meters: tuple[Meter, ...] = Field(min_length=1)
    window_min: Literal[10, 15, 30, 60] = 15
    curve: bool = False


class TariffPeriod(BaseModel):
    """When a tariff counts energy how; what is left out holds at any time.

    Attributes
    ----------
    name
        As on the bill: HPH, HCE …
    class_
        Key ``class``: ``offpeak`` (heures creuses), ``full`` (heures pleines) or ``peak``
        (pointe).
    hours
        Stretches of the local day, like ``22:00-06:00``; over midnight they belong to the
        days they lie in.
    weekdays
        ``mon`` to ``sun``; public holidays count as ``sun``.
    season
        First and last day, as month-day, both included.
    price
        [EUR/kWh]
    """

    model_config = NAMED
    name: Annotated[str, Field(min_length=1)]
    class_: Tariff = Field(alias="class")
    hours: tuple[Stretch, ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    season: tuple[MonthDay, MonthDay] | None = None
    price: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)

    @property
    def always(self) -> bool:
        """Whether it holds at any time."""
        return not (self.hours or self.weekdays or self.season)


class TariffPlan(BaseModel):
    """A tariff of some meters: ``[[energy.tariff]]``.

    Attributes
    ----------
    name
        As in the contract.
    meters
        Sensors, or ``sensor/field``, by name or pattern.
    periods
        The first that holds counts; the last one takes the rest, so that every moment has one.
    since, to
        Keys ``from`` and ``to``: local days ``[from, to)`` it holds; without ``to`` until
        further notice.
    """

    model_config = NAMED
    name: Annotated[str, Field(min_length=1)]
    meters: tuple[Meter, ...] = Field(min_length=1)
    periods: tuple[TariffPeriod, ...] = Field(min_length=1)
    since: Day = Field(alias="from")
    to: Day | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        *others, last = self.periods
        if not last.always:
            raise ValueError(
                f"tariff {self.name!r}: the last period, {last.name!r}, takes the rest; leave out"
                " its hours, weekdays and season"
            )
        for one in others:
            if one.always:
                raise ValueError(
                    f"tariff {self.name!r}: period {one.name!r} always holds, so none after it"
                    " ever does; put it last"
                )
        if self.to is not None and self.to <= self.since:
            raise ValueError(f"tariff {self.name!r} from {self.since} to {self.to} never holds")
        return self


class Dimming(BaseModel):
    """Light turned down: ``factor`` of the power in these hours of the local day."""

    model_config = STRICT
    hours: Stretch
    factor: float = Field(ge=0, le=1)


class Lighting(BaseModel):
    """Street lights behind a cabinet's meter: ``[[energy.lighting]]``.

    Attributes
    ----------
    meters
        Sensors, or ``sensor/field``, by name or pattern; each meters one cabinet.
    power_kw
        Installed power of each, ballasts and drivers included. [kW]
    twilight_min
        The lights go on so long after sunset and off so long before sunrise. [min]
    dimming
        When they are turned down, or off (factor 0).
    """

    model_config = STRICT
    meters: tuple[Meter, ...] = Field(min_length=1)
    power_kw: float = Field(gt=0, le=1e5, allow_inf_nan=False)
    twilight_min: float = Field(default=15, ge=-60, le=60)
    dimming: tuple[Dimming, ...] = ()


class LoadFacts(BaseModel):
    """The keys of ``[energy]`` that meters and loads need.

    Attributes
    ----------
    unoccupied
        Days on which buildings stand empty; public holidays, those of
        ``[[mobility.calendar]]``, are Sundays.
    night
        Hours of the night share.
    base_load
        ``night``: median of the hours from 01:00 to 05:00 on unoccupied days;
        ``percentile``: 5th percentile of all hours.
    integration
        How energy follows from power: ``locf``, a reading holds until the next one;
        ``trapezoid``, straight lines between readings. Neither over more than 2 steps.
    replacement, demand, tariff, lighting
        See :class:`Replacement`, :class:`Demand`, :class:`TariffPlan`, :class:`Lighting`.
        Where several name a meter the first counts.
    """

    unoccupied: tuple[Weekday, ...] = ("sat", "sun")
    night: Stretch = "22:00-06:00"
    base_load: Literal["night", "percentile"] = "night"
    integration: Literal["locf", "trapezoid"] = "locf"
    replacement: tuple[Replacement, ...] = ()
    demand: tuple[Demand, ...] = ()
    tariff: tuple[TariffPlan, ...] = ()
    lighting: tuple[Lighting, ...] = ()

    @model_validator(mode="after")
    def _replaced_once(self) -> Self:
        done = [(one.sensor, one.field, one.at) for one in self.replacement]
        for sensor, field, at in done:
            if done.count((sensor, field, at)) > 1:
                raise ValueError(
                    f"replacement: {sensor}/{field} at {at.isoformat()} stands there twice; keep one"
                )
        return self

    @model_validator(mode="after")
    def _one_plan_at_once(self) -> Self:
        for number, one in enumerate(self.tariff):
            for other in self.tariff[:number]:
                both = sorted(set(one.meters) & set(other.meters))
                apart = (one.to is not None and one.to <= other.since) or (
                    other.to is not None and other.to <= one.since
                )
                if both and not apart:
                    raise ValueError(
                        f"tariff: {other.name!r} and {one.name!r} hold for {both[0]!r} at once;"
                        " end the older with a 'to'"
                    )
        return self

    def names(self) -> Iterator[Named]:
        """What it names of the city's lists."""
        for number, one in enumerate(self.replacement):
            where = ("replacement", number, "field")
            yield Named(where, What.METER, f"{one.sensor}/{one.field}")
        of_meters: dict[str, tuple[Demand | TariffPlan | Lighting, ...]] = {
            "demand": self.demand, "tariff": self.tariff, "lighting": self.lighting,
        }  # fmt: skip
        for kind, said in of_meters.items():
            for number, of in enumerate(said):
                yield from each((kind, number, "meters"), What.METER, of.meters)
