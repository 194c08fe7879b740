"""One value per hour of every series, fit to be compared with other hours."""

from __future__ import annotations

import numpy as np

from processors.air.capture import needed
from processors.frame import Frame
from storage.catalogue import Kind
from storage.reading import FloatArray

PARTS = ("sum", "good", "suspect", "expected", "x", "y")
"""Of rollups, which :func:`hourly` reads."""

GUESSED = 0.25
"""Share of a register's increase that may come from across a gap."""


def hourly(frame: Frame) -> FloatArray:
    """What each series measured in each hour, where 75 % of it was.

    Gauges and levels: the mean; counts: the mean per interval, so that an hour that lacks one
    is not a quiet hour; registers: the increase, unless more than a quarter of it was spread
    over the hour from across a gap. Angles and states have no distance from the usual: NaN.

    Parameters
    ----------
    frame : Frame
        With :data:`PARTS`.

    Returns
    -------
    float64, shape (n, w)
        NaN where there is none. [the metric's unit]
    """
    value = frame.mean()
    kind = frame.roster.kind
    index = kind == Kind.INDEX
    if index.any():
        total, guessed = frame.table("sum")[index], frame.table("x")[index]
        with np.errstate(invalid="ignore"):
            sound = ~(np.abs(guessed) > GUESSED * np.abs(total))
        value[index] = np.where(sound, total, np.nan)
    few = frame.usable() < needed(frame.table("expected").astype(np.int64))
    value[few & ~index[:, None]] = np.nan
    value[(kind == Kind.ANGLE) | (kind == Kind.STATE)] = np.nan
    return value
