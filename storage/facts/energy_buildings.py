"""``[[energy.building]]``, ``[[energy.carbon_factor]]`` and what else buildings need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from storage.facts.days import Day
from storage.facts.naming import Named, What, each
from storage.profiles import STRICT, Code

LONGEST_BASELINE = timedelta(days=731)
Name = Annotated[str, Field(min_length=1)]


NAMED = ConfigDict(**STRICT, populate_by_name=True)
"""``class`` and ``from`` are no names in Python: files say them, the code says others."""


class Building(BaseModel):
    """A building: the site it stands on, its meters, what it is compared with.

    Attributes
    ----------
    site
        Code of the site; its figures carry the site's name.
    class_
        Key ``class``: buildings of one class are compared with one another.
    area_m2
        Floor area; without it there is no kWh per square metre. [m2]
    meters
        Sensors at the site whose consumption adds up to the building's: main meters, no
        submeters. ``sensor/field`` names one register of a sensor that has several.
    temperature
        Sensor of the air temperature outside, anywhere in the same territory.
    baseline_from, baseline_to
        Local days ``[from, to)`` that savings are counted against: usually the year before
        the works, at most 731 days.
    territory
        Code of the site's territory, where several have a site of this code.
    """

    model_config = NAMED
    site: Code
    class_: Name | None = Field(default=None, alias="class")
    area_m2: float | None = Field(default=None, gt=0, le=1e7, allow_inf_nan=False)
    meters: tuple[Name, ...] = Field(min_length=1)
    temperature: Code | None = None
    baseline_from: Day | None = None
    baseline_to: Day | None = None
    territory: Code | None = None

    @model_validator(mode="after")
    def _baseline(self) -> Self:
        first, end = self.baseline_from, self.baseline_to
        if (first is None) != (end is None):
            raise ValueError(
                f"building {self.site!r} has half a baseline; write both baseline_from and"
                " baseline_to"
            )
        if first is not None and end is not None:
            if not first < end <= first + LONGEST_BASELINE:
                raise ValueError(
                    f"building {self.site!r} has a baseline from {first} to {end}; it must end"
                    f" after it begins and last at most {LONGEST_BASELINE.days} days"
                )
            if self.temperature is None:
                raise ValueError(
                    f"building {self.site!r} has a baseline and no temperature; name the sensor"
                    " of the air temperature outside"
                )
        return self


class CarbonFactor(BaseModel):
    """What a kilowatt-hour emits, while it holds: ``[[energy.carbon_factor]]``.

    Attributes
    ----------
    energy
        ``electricity``, ``gas`` or ``heat``.
    kg_per_kwh
        [kg of CO2 equivalent per kWh]
    scope
        ``combustion`` (or production), ``upstream``, or ``life_cycle``, which is both.
    basis
        Of gas: whether a kWh is counted by the gross (``PCS``) or net (``PCI``) calorific value.
    since, to
        Keys ``from`` and ``to``: local days ``[from, to)`` it holds; without ``to`` until
        further notice.
    source
        Who says so: publication, table, date.
    """

    model_config = NAMED
    energy: Literal["electricity", "gas", "heat"]
    kg_per_kwh: float = Field(ge=0, le=10, allow_inf_nan=False)
    scope: Literal["combustion", "upstream", "life_cycle"]
    basis: Literal["PCS", "PCI"] | None = None
    since: Day = Field(alias="from")
    to: Day | None = None
    source: Name

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.energy == "gas") != (self.basis is not None):
            raise ValueError(
                "a factor of gas needs basis = 'PCS' or 'PCI', one of another energy none"
            )
        if self.to is not None and self.to <= self.since:
            raise ValueError(f"a factor from {self.since} to {self.to} never holds")
        return self


class GasCoefficient(BaseModel):
    """What a cubic metre of gas holds, as the bill says: ``[[energy.gas_coefficient]]``.

    ``kwh_per_m3`` counts by the gross calorific value (PCS), on local days ``[from, to)``.
    """

    model_config = NAMED
    kwh_per_m3: float = Field(ge=5, le=15, allow_inf_nan=False)
    since: Day = Field(alias="from")
    to: Day | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.to is not None and self.to <= self.since:
            raise ValueError(f"a coefficient from {self.since} to {self.to} never holds")
        return self


def overlap(spans: Sequence[tuple[date, date | None]]) -> tuple[date, date] | None:
    """Where two spans first hold at once: the beginnings of both; None where none do."""
    latest: tuple[date, date | None] | None = None
    for since, to in sorted(spans, key=lambda span: span[0]):
        if latest is not None and (latest[1] is None or since < latest[1]):
            return latest[0], since
        latest = since, to
    return None


class BuildingFacts(BaseModel):
    """The keys of ``[energy]`` that buildings need.

    Attributes
    ----------
    heating_base_c, cooling_base_c
        Bases of degree days: 18 in French contracts (17 in the statistics of the SDES), and
        22 or 24. [Cel]
    heating_season
        First and last day, as month-day: 1 October to 20 May.
    class_minimum
        A class of fewer buildings is not compared.
    gas_pcs_per_pci
        Gross over net calorific value of the gas; needed by factors of basis PCI.
    building, carbon_factor, gas_coefficient
        See :class:`Building`, :class:`CarbonFactor`, :class:`GasCoefficient`.
    """

    heating_base_c: float = Field(default=18, ge=5, le=25)
    cooling_base_c: float = Field(default=22, ge=15, le=35)
    heating_season: tuple[str, str] = ("10-01", "05-20")
    class_minimum: int = Field(default=5, ge=3)
    gas_pcs_per_pci: float | None = Field(default=None, ge=1, le=1.2)
    building: tuple[Building, ...] = ()
    carbon_factor: tuple[CarbonFactor, ...] = ()
    gas_coefficient: tuple[GasCoefficient, ...] = ()

    @model_validator(mode="after")
    def _season(self) -> Self:
        for day in self.heating_season:
            try:
                if len(day) != 5:
                    raise ValueError
                date.fromisoformat(f"2023-{day}")
            except ValueError:
                raise ValueError(
                    f"heating_season: {day!r} is no day of a year; write month-day, like '10-01'"
                ) from None
        first, last = self.heating_season
        if first <= last:
            raise ValueError(
                f"heating_season runs from {first} to {last}; write the day it begins in autumn"
                " and the day it ends in the year after"
            )
        return self

    @model_validator(mode="after")
    def _buildings_apart(self) -> Self:
        sites = [(one.territory, one.site) for one in self.building]
        for place in sites:
            if sites.count(place) > 1:
                raise ValueError(f"building: site {place[1]!r} stands there twice; keep one")
        return self

    @model_validator(mode="after")
    def _never_two_at_once(self) -> Self:
        for energy in ("electricity", "gas", "heat"):
            mine = [one for one in self.carbon_factor if one.energy == energy]
            for scope in ("combustion", "upstream"):
                # A life-cycle factor holds combustion and upstream already.
                found = overlap([(o.since, o.to) for o in mine if o.scope in (scope, "life_cycle")])
                if found:
                    raise ValueError(
                        f"carbon_factor: two of {energy} count {scope} at once, from {found[0]} and"
                        f" from {found[1]}; end the older with a 'to'"
                    )
            if self.gas_pcs_per_pci is None and any(one.basis == "PCI" for one in mine):
                raise ValueError(
                    "carbon_factor: gas counted by PCI needs gas_pcs_per_pci, the gross over the"
                    " net calorific value of your gas (the supplier says it)"
                )
        found = overlap([(one.since, one.to) for one in self.gas_coefficient])
        if found:
            raise ValueError(
                f"gas_coefficient: two hold at once, from {found[0]} and from {found[1]};"
                " end the older with a 'to'"
            )
        return self

    def names(self) -> Iterator[Named]:
        """What it names of the city's lists."""
        for number, one in enumerate(self.building):
            key = ("building", number)
            yield Named((*key, "site"), What.SITE, one.site, False, one.territory)
            yield from each((*key, "meters"), What.METER, one.meters, pattern=False)
            if one.temperature is not None:
                yield Named((*key, "temperature"), What.SENSOR, one.temperature)
