"""What the air trade makes of its rollups, and when."""

from __future__ import annotations

import numpy as np

from processors.air.capture import captured_mean, needed
from processors.air.instruments import indicative
from processors.calculation import Calculation, Given
from processors.frame import Frame
from storage.figures import Figures, figures
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import FloatArray

HOURS = 24


def valid_hours(frame: Frame) -> FloatArray:
    """Hourly means that are valid: 75 % of what an hour's step calls for. [unit]

    Shape (n, w), NaN elsewhere. A series without a step has no rule, and one value is enough.
    """
    mean = frame.mean()
    enough = frame.usable() >= needed(frame.table("expected").astype(np.int64))
    mean[~enough] = np.nan
    return mean


def _day_means(given: Given) -> Figures:
    series, days = len(given.frame.roster), len(given.periods) - 1
    mean, valid = captured_mean(valid_hours(given.frame).reshape(series, days, HOURS), HOURS)
    return figures(
        "air_day_mean", given.frame.roster.series, given.periods, mean,
        now=given.now, n=valid, due=HOURS, keep=valid > 0,
        indicative=indicative(given.frame.roster, given.facts.air)[:, None],
    )  # fmt: skip


AIR: tuple[Calculation, ...] = (
    Calculation(
        name="daily means",
        makes=("air_day_mean",),
        metrics=("no2", "o3", "so2", "pm10", "pm25", "co"),
        level=Level.HOUR,
        follows=Level.HOUR,
        period=Period.AIR_DAY,
        compute=_day_means,
    ),
)
