"""The part of ``[mobility]`` that counts over a year, car parks and stations need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase
from typing import Self

import holidays
from pydantic import BaseModel, ConfigDict, Field, model_validator

from storage.facts.days import Day
from storage.facts.naming import Named, What
from storage.profiles import STRICT, Code

DATED = ConfigDict(**STRICT, validate_by_name=True, validate_by_alias=True)


class Calendar(BaseModel):
    """Which days people have off: ``[[mobility.calendar]]``.

    Attributes
    ----------
    territory
        Code of the territory it holds for, or a pattern; the first that fits counts.
    country
        Whose public holidays: ISO 3166 code, such as FR, BE, DE, LU, CH.
    subdivision
        Where a part of the country has its own: 57 and 6AE are Moselle and Alsace; NW, ZH …
    school_zone
        Which of the ``[[mobility.school_holidays]]`` hold there.
    """

    model_config = STRICT
    territory: str = Field(default="*", min_length=1)
    country: str = Field(min_length=1)
    subdivision: str = ""
    school_zone: str = ""

    @model_validator(mode="after")
    def _known(self) -> Self:
        supported = holidays.list_supported_countries(include_aliases=True)
        if self.country not in supported:
            raise ValueError(
                f"country {self.country!r} is not known;"
                " write its ISO 3166 code in capital letters, such as FR"
            )
        if self.subdivision and self.subdivision not in supported[self.country]:
            known = ", ".join(supported[self.country]) or "none"
            raise ValueError(
                f"subdivision {self.subdivision!r} of {self.country} is not known;"
                f" write one of these, or leave it out: {known}"
            )
        return self


class SchoolHolidays(BaseModel):
    """Days without school: ``[[mobility.school_holidays]]``.

    Attributes
    ----------
    zone
        As calendars name it: A, B, C, or any other name.
    name
        For people.
    first, last
        Days, both included; written ``from`` and ``to``.
    """

    model_config = DATED
    zone: str = Field(min_length=1)
    name: str = ""
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError(
                f"school holidays to {self.last} end before they begin, from {self.first};"
                " write the first and the last day without school"
            )
        return self


class Capacity(BaseModel):
    """How many places there are from a day on: ``[[mobility.parking]]``, ``[[mobility.station]]``.

    Attributes
    ----------
    sensor
        Its name.
    capacity
        Places for cars, or for vehicles of the station.
    since
        First local day on which this holds, written ``from``; without it, for ever.
    """

    model_config = DATED
    sensor: Code
    capacity: int = Field(gt=0, le=1_000_000)
    since: date = Field(default=date.min, alias="from")


def _once(kind: str, said: Iterable[Capacity]) -> None:
    seen: defaultdict[str, set[date]] = defaultdict(set)
    for one in said:
        if one.since in seen[one.sensor]:
            day = "for ever" if one.since == date.min else f"from {one.since}"
            raise ValueError(
                f"{kind} {one.sensor!r} has two capacities {day};"
                " keep one, or write from which day on each holds"
            )
        seen[one.sensor].add(one.since)


class CountingFacts(BaseModel):
    """What counts over a year, car parks and stations need beside readings.

    Attributes
    ----------
    calendar
        Public holidays and school zones of the territories. Without one for a territory,
        every Monday to Friday is a working day there, and figures say so by their method.
    school_holidays
        Days without school, by zone.
    day_hours
        Accept days of which at least so many hours were counted, as they are; without it a
        day counts only if nothing is missing. Networks accept 19. [h]
    zero_days
        So many days of 0 in a row of a counter that usually counts somebody are suspect.
    full_percent
        Above this occupancy a car park is as good as full. [%]
    parking, station
        Capacities of car parks and of stations of shared vehicles.
    """

    model_config = STRICT
    calendar: tuple[Calendar, ...] = ()
    school_holidays: tuple[SchoolHolidays, ...] = ()
    day_hours: int | None = Field(default=None, ge=12, le=24)
    zero_days: int = Field(default=3, ge=2, le=28)
    full_percent: float = Field(default=90.0, gt=0, le=100)
    parking: tuple[Capacity, ...] = ()
    station: tuple[Capacity, ...] = ()

    @model_validator(mode="after")
    def _one_capacity_at_a_time(self) -> Self:
        _once("parking", self.parking)
        _once("station", self.station)
        return self

    @model_validator(mode="after")
    def _zones_have_days(self) -> Self:
        known = {one.zone for one in self.school_holidays}
        for calendar in self.calendar:
            if calendar.school_zone and calendar.school_zone not in known:
                raise ValueError(
                    f"calendar of territory {calendar.territory!r} names school zone"
                    f" {calendar.school_zone!r}, of which there are no holidays; write them as"
                    " [[mobility.school_holidays]] or leave school_zone out"
                )
        return self

    def names(self) -> Iterator[Named]:
        """What it names of the city's lists."""
        for number, one in enumerate(self.calendar):
            yield Named(("calendar", number, "territory"), What.TERRITORY, one.territory, True)
        for kind, said in (("parking", self.parking), ("station", self.station)):
            for number, place in enumerate(said):
                yield Named((kind, number, "sensor"), What.SENSOR, place.sensor)

    def calendar_of(self, territory: str) -> Calendar | None:
        """The calendar that holds in a territory."""
        fitting = (one for one in self.calendar if fnmatchcase(territory, one.territory))
        return next(fitting, None)

    def school_free(self, zone: str) -> tuple[tuple[date, date], ...]:
        """First and last days of the school holidays of a zone."""
        return tuple((one.first, one.last) for one in self.school_holidays if one.zone == zone)
