"""``[watch]`` of ``city.toml``: when something about a sensor is worth an alert."""

from __future__ import annotations

from pydantic import BaseModel, Field

from storage.profiles import STRICT


class WatchFacts(BaseModel):
    """When a sensor is said to be silent, and what is unusual.

    Attributes
    ----------
    profile_weeks
        How many weeks say what is usual in an hour of the week.
    unusual
        From how many standard deviations on an hour is unusual. With 8 weeks of normal values
        6 call 3 hours in a thousand unusual, 8 three in ten thousand.
    silence_steps, silence_minutes
        A series may say nothing for so many of its steps, and for so many minutes at least.
    drift
        A drift against the neighbours is told from this on, in standard deviations of what
        lies between them from day to day.
    jump, jump_alone
        A jump is told from this on, in standard deviations; against the neighbours, and of a
        series that has none, where the weather jumps along.
    comparable
        Metrics of which neighbours measure about the same: what surrounds everybody, and not
        what passes by.
    """

    model_config = STRICT
    profile_weeks: int = Field(default=8, ge=4, le=26)
    unusual: float = Field(default=6.0, ge=2, le=100)
    silence_steps: float = Field(default=4.0, ge=2, le=1000)
    silence_minutes: float = Field(default=30.0, ge=1, le=10080)
    drift: float = Field(default=3.0, ge=1, le=100)
    jump: float = Field(default=6.0, ge=2, le=100)
    jump_alone: float = Field(default=8.0, ge=2, le=100)
    comparable: tuple[str, ...] = (
        "no2", "no", "nox", "o3", "so2", "co", "pm10", "pm25", "pm1", "temperature", "dew_point",
        "humidity", "pressure", "wind_speed",
    )  # fmt: skip
