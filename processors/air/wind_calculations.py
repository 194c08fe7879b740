"""What is made of wind vanes and anemometers, and when."""

from __future__ import annotations

import numpy as np

from processors.air.capture import needed
from processors.air.instruments import indicative
from processors.calculation import Calculation, Given, Together
from processors.pairing import partners
from processors.wind import vector_wind
from storage.figures import Figures, figures, join
from storage.indicators.word import Period
from storage.level import Level

HOURS = 24


def _day_vectors(given: Given) -> Figures:
    """The vector wind of every vane that has an anemometer."""
    frame, roster, days = given.frame, given.frame.roster, len(given.periods) - 1
    partner = partners(roster, roster.metric == "wind_direction", roster.metric == "wind_speed")
    vane = np.flatnonzero(partner >= 0)
    size = frame.usable()
    enough = size >= needed(frame.table("expected"))
    with np.errstate(invalid="ignore", divide="ignore"):
        speed, x, y = (
            np.where(enough, frame.table(name) / size, np.nan)[rows].reshape(len(vane), days, HOURS)
            for name, rows in (("sum", partner[vane]), ("x", vane), ("y", vane))
        )
    mean = vector_wind(speed, x, y)
    valid = mean.parts >= needed(HOURS)
    lesser = indicative(roster, given.facts.air)
    lesser = (lesser[vane] | lesser[partner[vane]])[:, None]
    # A calm day, or one whose wind went round, is measured and yet has no direction.
    columns = (
        ("wind_day_direction", mean.direction, ~(valid & np.isnan(mean.direction))),
        ("wind_day_speed", mean.speed, True),
        ("wind_day_steadiness", mean.steadiness, ~(valid & np.isnan(mean.steadiness))),
    )
    return join(
        [
            figures(
                name, roster.series[vane], given.periods, np.where(valid, value, np.nan),
                now=given.now, n=mean.parts, due=HOURS, keep=(mean.parts > 0) & told,
                indicative=lesser,
            )
            for name, value, told in columns
        ]
    )  # fmt: skip


WIND: tuple[Calculation, ...] = (
    Calculation(
        name="vector wind",
        makes=("wind_day_direction", "wind_day_speed", "wind_day_steadiness"),
        metrics=("wind_direction", "wind_speed"),
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.AIR_DAY,
        compute=_day_vectors,
        together=Together.SITE,
        parts=("sum", "good", "suspect", "expected", "x", "y"),
    ),
)
