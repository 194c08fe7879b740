"""``[air]`` of ``city.toml``: instruments, stations, the regulator's day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from storage.facts.air_instruments import Correction, OwnLimit, one_limit_each
from storage.facts.naming import Named, What, each
from storage.profiles import STRICT, Code


class Station(BaseModel):
    """What stands around a measuring site, as networks classify it.

    Attributes
    ----------
    site
        Its code.
    type
        Which emissions prevail: ``traffic``, ``industrial``, or neither (``background``).
    territory
        Code of the site's territory, where several have a site of this code.
    """

    model_config = STRICT
    site: Code
    type: Literal["traffic", "background", "industrial"]
    territory: Code | None = None


class Threshold(BaseModel):
    """A threshold of information or alert that holds from a day on, beside those built in.

    It takes the place of what its law says of the same pollutant and level; without ``over``
    that no longer holds.

    Attributes
    ----------
    law
        ``fr`` for the code de l'environnement, ``eu`` for the directives.
    level
        ``persistence``: the information threshold passed on two local days running.
    over
        Passed by values above it. [ug/m3]
    hours
        Adjacent hours that must pass it; particles have none, for of them the mean of the day
        counts.
    since
        First local day.
    """

    model_config = STRICT
    law: Literal["fr", "eu"]
    pollutant: Literal["no2", "o3", "so2", "pm10", "pm25"]
    level: Literal[
        "information", "persistence", "alert", "emergency_1", "emergency_2", "emergency_3"
    ]
    over: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    hours: int = Field(default=1, ge=1, le=24)
    since: date

    @model_validator(mode="after")
    def _hours_of_gases(self) -> Self:
        if self.hours > 1 and self.pollutant in ("pm10", "pm25"):
            raise ValueError(
                f"of {self.pollutant} the mean of the day passes a threshold, not its hours;"
                " leave out 'hours'"
            )
        return self


class AirFacts(BaseModel):
    """What the air trade must know beside readings.

    Attributes
    ----------
    day_offset_h
        Regulatory days and years are counted at this fixed offset from UTC, so that each
        day has 24 hours: 1 for the networks of France, Belgium and Germany. [h]
    reference
        Sensors of reference quality, by name or pattern (``station-*``). All others are
        indicative, and every figure made of them says so.
    station
        What stands around a site; background where nothing is said.
    eaqi_2019, eaqi_2024
        From which UTC day on the European index takes its bands of 2019, and the revised ones.
    threshold
        Thresholds of information and alert that differ from those built in.
    limit
        Limits of the city's own, counted beside those of the law; one for each pollutant
        and window.
    correction
        How particles of low-cost sensors are corrected for humidity; not at all where
        nothing is said, for a wrong correction is worse than none.
    """

    model_config = STRICT
    day_offset_h: int = Field(default=1, ge=-12, le=14)
    reference: tuple[str, ...] = ()
    station: tuple[Station, ...] = ()
    eaqi_2019: date = date(2019, 1, 1)
    eaqi_2024: date = date(2025, 7, 3)
    threshold: tuple[Threshold, ...] = ()
    limit: Annotated[tuple[OwnLimit, ...], AfterValidator(one_limit_each)] = ()
    correction: tuple[Correction, ...] = ()

    @model_validator(mode="after")
    def _one_type_for_each_site(self) -> Self:
        said = Counter((one.territory, one.site) for one in self.station)
        twice = [site for (_, site), times in said.items() if times > 1]
        if twice:
            raise ValueError(
                f"says twice what stands around {', '.join(map(repr, twice))}:"
                " keep one [[air.station]] for each site"
            )
        return self

    @model_validator(mode="after")
    def _bands_follow_one_another(self) -> Self:
        if self.eaqi_2024 < self.eaqi_2019:
            raise ValueError(
                f"eaqi_2024 = {self.eaqi_2024} lies before eaqi_2019 = {self.eaqi_2019}:"
                " write the day from which each holds, the older first"
            )
        return self

    @model_validator(mode="after")
    def _one_threshold_at_a_time(self) -> Self:
        said = Counter((one.law, one.pollutant, one.level, one.since) for one in self.threshold)
        for (law, pollutant, level, since), times in said.items():
            if times > 1:
                raise ValueError(
                    f"threshold: {law}, {pollutant}, {level} since {since} stands there"
                    f" {times} times; keep one, or write from which day on each holds"
                )
        return self

    def names(self) -> Iterator[Named]:
        """What it names of the city's lists."""
        yield from each(("reference",), What.SENSOR, self.reference)
        for number, one in enumerate(self.station):
            yield Named(("station", number, "site"), What.SITE, one.site, False, one.territory)
        for number, rule in enumerate(self.correction):
            yield Named(("correction", number, "sensors"), What.SENSOR, rule.sensors, True)
