"""Drift and jumps of series, decided from their daily figures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.watch.drift import LEAST_DAYS, trend
from processors.watch.jump import FINEST, jump
from processors.watch.weeks import middle
from storage.facts.watch import WatchFacts
from storage.reading import FloatArray

DAYS = 28
"""Whole days that are looked at."""

RELEASE = 2 / 3
"""What was told is over below this share of what it took to tell it."""


class Told(NamedTuple):
    """Of every series, shape (n,): whether it begins or ends, since which window, and numbers."""

    begins: NDArray[np.bool_]
    ends: NDArray[np.bool_]
    at: NDArray[np.int64]
    value: FloatArray
    reference: FloatArray


class Assessment(NamedTuple):
    """What the days say: ``value`` and ``reference`` of a drift are its change and the noise,
    of a jump the new level and the one that was to be expected, by the neighbours or by itself."""

    drift: Told
    jump: Told


def assess(median: FloatArray, apart: FloatArray, said: WatchFacts) -> Assessment:
    """Which series have drifted away from their neighbours or jumped to another level.

    Where neighbours are known on half of the days a series is judged by what lies between it
    and them, for the weather is the same for all. Others are judged by themselves, for jumps
    only, and more carefully. What jumps does not drift.

    Parameters
    ----------
    median, apart : float64, shape (n, w)
        Of each day the series' median, and its difference to the neighbours; NaN where there
        is none. [unit]
    said : WatchFacts
        From when on each is told.

    References
    ----------
    .. [1] Sen (1968), for the drift; Bai (1995), for the jump: see ``drift.py``, ``jump.py``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> apart = rng.normal(0.0, 1.0, (1, 28)) + np.arange(28.0) / 3
    >>> found = assess(20.0 + apart, apart, WatchFacts())
    >>> found.drift.begins, found.jump.begins
    (array([ True]), array([False]))
    """
    compared = (~np.isnan(apart)).sum(axis=-1) >= LEAST_DAYS
    shift = jump(np.where(compared[:, None], apart, median))
    least = np.where(compared, said.jump, said.jump_alone)
    # Differences are small numbers; what counts as fine is a share of the level itself.
    fine = FINEST * np.abs(middle(median))
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.fmin(shift.score, np.abs(shift.after - shift.before) / fine)
        jumps, settled = score >= least, score < RELEASE * least
        place = np.arange(median.shape[-1])
        level = middle(np.where(place >= shift.at[:, None], median, np.nan))

        slope = trend(np.where(compared[:, None], apart, np.nan))
        noise = np.fmax(slope.noise, fine)
        sure = (slope.low > 0) | (slope.high < 0)
        drifts = sure & (np.abs(slope.change) >= said.drift * noise) & ~jumps
        calm = np.abs(slope.change) < RELEASE * said.drift * noise
    return Assessment(
        Told(drifts, calm, np.zeros(len(median), np.int64), slope.change, noise),
        Told(jumps, settled, shift.at, level, level - (shift.after - shift.before)),
    )
