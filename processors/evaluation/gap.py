"""The gap between touched and untouched series by the day, for eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.evaluation.comparison import Days
from processors.evaluation.judgement import Window
from storage.measures import Effect
from storage.reading import FloatArray


def daily_gap(
    value: FloatArray,
    day: Days,
    touched: NDArray[np.bool_],
    window: Window,
    effect: Effect = Effect.ABSOLUTE,
) -> FloatArray:
    """Mean of the touched series less that of the others, each from its own mean before.

    Only for looking at: nothing is matched, and days of few series count like others.

    Parameters
    ----------
    value, day, touched, window, effect
        As for :func:`processors.evaluation.judgement.judge`. [unit]

    Returns
    -------
    float64, shape (d,)
        NaN on days when one side was not measured. [unit, or %]

    Examples
    --------
    >>> day = np.arange("2026-03-01", "2026-03-05", dtype="datetime64[D]")
    >>> value = np.array([[20.0, 22, 15, np.nan], [8.0, 10, 10, 9]])
    >>> window = Window(day[0], day[2], day[2], day[-1] + 1)
    >>> daily_gap(value, day, np.array([True, False]), window)
    array([ 0.,  0., -7., nan])
    """
    known = ~np.isnan(value)
    early = known & ((day >= window.start) & (day < window.begin))
    days = early.sum(axis=1)
    mean = np.where(early, value, 0.0).sum(axis=1) / np.maximum(days, 1)
    sound = (days > 0) & ((mean > 0) | (effect is Effect.ABSOLUTE))
    known &= sound[:, None]
    scale = 100 / np.where(sound, mean, 1.0) if effect is Effect.PERCENT else np.ones(len(mean))
    away = np.where(known, (value - mean[:, None]) * scale[:, None], 0.0)
    sides = [(away[side].sum(axis=0), known[side].sum(axis=0)) for side in (touched, ~touched)]
    means = [np.where(size > 0, total / np.maximum(size, 1), np.nan) for total, size in sides]
    return means[0] - means[1]
