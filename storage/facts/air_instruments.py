"""``[[air.limit]]`` and ``[[air.correction]]`` of ``city.toml``: own limits, low-cost sensors."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from storage.profiles import STRICT


class OwnLimit(BaseModel):
    """A limit of the city's own, counted beside those of the law: ``[[air.limit]]``.

    Attributes
    ----------
    pollutant, window
        What it is about: means of hours (``hour``) or days (``day``), the maximum daily
        8-hour mean (``8h``), or the mean of the year (``year``).
    over
        What is strictly greater once rounded to the digits written here is an exceedance.
        [the metric's unit]
    allowed
        Exceedances in a year.
    since
        First calendar year in which it is in force.
    """

    model_config = STRICT
    pollutant: Literal["no2", "nox", "o3", "so2", "pm10", "pm25", "co"]
    window: Literal["hour", "day", "8h", "year"]
    over: float = Field(gt=0, le=100_000, allow_inf_nan=False)
    allowed: int = Field(default=0, ge=0, le=365)
    since: int = Field(default=0, ge=0, le=9999)

    @model_validator(mode="after")
    def _has_a_unit(self) -> Self:
        if self.window == "year" and self.pollutant == "co":
            raise ValueError(
                "a mean of the year is told in ug/m3 and carbon monoxide in mg/m3;"
                " write a limit of its hours, days or 8h"
            )
        if self.window == "year" and self.allowed:
            raise ValueError("a mean of the year is above the limit or not; leave out 'allowed'")
        return self


class Correction(BaseModel):
    """How the particles of low-cost sensors are corrected: ``[[air.correction]]``.

    Attributes
    ----------
    sensors
        By name or pattern (``airrohr-*``); the first line that fits a sensor counts.
    method
        ``kappa-koehler`` for any optical sensor, ``us-epa-purpleair`` for the PM2.5 of
        PurpleAir sensors.
    kappa
        Hygroscopicity of the particles, for ``kappa-koehler``. [1]
    """

    model_config = STRICT
    sensors: str = Field(min_length=1)
    method: Literal["kappa-koehler", "us-epa-purpleair"]
    kappa: float | None = Field(default=None, gt=0, le=2, allow_inf_nan=False)

    @model_validator(mode="after")
    def _kappa_where_it_counts(self) -> Self:
        if self.kappa is not None and self.method != "kappa-koehler":
            raise ValueError(
                f"method {self.method!r} has no kappa; leave it out or write 'kappa-koehler'"
            )
        return self


KAPPA = 0.4
"""Where nothing is said: particles of European cities (Crilley et al. 2018)."""


def one_limit_each(limits: tuple[OwnLimit, ...]) -> tuple[OwnLimit, ...]:
    """The same limits, or a message that says which stands twice."""
    seen: set[tuple[str, str]] = set()
    for one in limits:
        if (one.pollutant, one.window) in seen:
            raise ValueError(
                f"limit: {one.pollutant!r} has two limits of window {one.window!r};"
                " keep one [[air.limit]] for each"
            )
        seen.add((one.pollutant, one.window))
    return limits
