"""``[mobility]`` of ``city.toml``: what roads, detectors and planners take for granted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, Field, field_validator, model_validator

from storage.facts.counting import CountingFacts
from storage.facts.naming import Named, What, each
from storage.profiles import STRICT, Code

Coefficient = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
Metres = Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)]
Hour = Annotated[int, Field(ge=0, le=23)]
Bound = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Percent = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


def ascending(bounds: tuple[float, ...]) -> tuple[float, ...]:
    """The same bounds, or a message that says which two are the wrong way round."""
    for low, high in pairwise(bounds):
        if low >= high:
            raise ValueError(f"{high:g} stands after {low:g}; write the bounds in ascending order")
    return bounds


class Direction(BaseModel):
    """One direction of travel at a site: ``[[mobility.direction]]``.

    Attributes
    ----------
    site
        Code of the site.
    name
        For people: where it leads ("towards the centre").
    sensors
        Sensors of the site that measure this direction, by name or pattern (``north-*``).
    territory
        Code of the site's territory, where several have a site of this code.
    """

    model_config = STRICT
    site: Code
    name: str = Field(min_length=1)
    sensors: tuple[Code, ...] = Field(min_length=1)
    territory: Code | None = None


class MobilityFacts(CountingFacts):
    """What the mobility trade must know beside readings.

    Attributes
    ----------
    direction
        Which sensors measure which direction of a site.
    heavy_pcu
        Passenger cars that a heavy vehicle counts for: 2 in French usage, up to 3 on slopes.
    vehicle_length_m, loop_length_m
        Mean length of a vehicle and of a detector along the road: what occupancy is divided
        by for a density. [m]
    state_bounds
        Occupancies from which a road is close to saturation, saturated, blocked. [%]
    night
        First and last hour on the wall between which traffic is free: 22 and 6 are the
        hours from 22:00 to 06:00. [h]
    congested_above
        Congestion index from which an hour counts as congested.
    individual_speeds
        Sensors whose speeds are those of single vehicles, by name or pattern; of all others
        a reading of speed is a mean over an interval.
    motorway
        Sensors in the lanes of motorways, by name or pattern: only these have a level of
        service by density.
    los_bounds
        Densities up to which the level of service is A, B, C, D, E. [passenger cars per km
        and lane]
    """

    model_config = STRICT
    direction: tuple[Direction, ...] = ()
    heavy_pcu: Coefficient = 2.0
    vehicle_length_m: Metres = 4.5
    loop_length_m: Metres = 2.0
    state_bounds: tuple[Percent, Percent, Percent] = (15.0, 30.0, 50.0)
    night: tuple[Hour, Hour] = (22, 6)
    congested_above: float = Field(default=0.5, gt=0, le=100)
    individual_speeds: tuple[str, ...] = ()
    motorway: tuple[str, ...] = ()
    los_bounds: tuple[Bound, Bound, Bound, Bound, Bound] = (7.0, 11.0, 16.0, 22.0, 28.0)

    @field_validator("state_bounds", "los_bounds")
    @classmethod
    def _ascending(cls, bounds: tuple[float, ...]) -> tuple[float, ...]:
        return ascending(bounds)

    @field_validator("night")
    @classmethod
    def _lasts(cls, night: tuple[int, int]) -> tuple[int, int]:
        if night[0] == night[1]:
            raise ValueError(
                f"from {night[0]} to {night[1]} there is no hour; write two hours like [22, 6]"
            )
        return night

    @model_validator(mode="after")
    def _apart(self) -> MobilityFacts:
        known: dict[tuple[str | None, str], dict[str, str]] = {}
        for one in self.direction:
            there = known.setdefault((one.territory, one.site), {})
            if one.name in there.values():
                raise ValueError(
                    f"direction: site {one.site!r} has two directions named {one.name!r}; "
                    "name the sensors of both in one of them"
                )
            for sensor in one.sensors:
                if sensor in there:
                    raise ValueError(
                        f"direction: sensor {sensor!r} of site {one.site!r} is in {there[sensor]!r} "
                        f"and in {one.name!r}; leave it in one of them"
                    )
            there |= dict.fromkeys(one.sensors, one.name)
        return self

    def names(self) -> Iterator[Named]:
        """What it names of the city's lists."""
        yield from super().names()
        for number, one in enumerate(self.direction):
            key = ("direction", number)
            yield Named((*key, "site"), What.SITE, one.site, False, one.territory)
            yield from each((*key, "sensors"), What.SENSOR, one.sensors)
        yield from each(("individual_speeds",), What.SENSOR, self.individual_speeds)
        yield from each(("motorway",), What.SENSOR, self.motorway)
