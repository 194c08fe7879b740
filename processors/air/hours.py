"""Hourly means that are valid, which all that the air trade makes begins with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.capture import needed
from processors.frame import Frame
from storage.reading import FloatArray


def valid_hours(frame: Frame) -> FloatArray:
    """Hourly means that are valid: 75 % of what an hour's step calls for. [unit]

    Shape (n, w), NaN elsewhere. A series without a step has no rule, and one value is enough.
    Only of gauges, whose mean is the sum divided by the number: pollutants are.
    """
    sound = _usable(frame)
    enough = sound >= np.maximum(needed(frame.parts["expected"].astype(np.int64)), 1)
    mean = np.full(frame.shape, np.nan)
    total = frame.parts["sum"][enough].astype(np.float64)
    mean[frame.row[enough], frame.column[enough]] = total / sound[enough]
    return mean


def heard(frame: Frame) -> NDArray[np.bool_]:
    """Hours of which any reading can be used, valid or not: shape (n, w)."""
    any_ = np.zeros(frame.shape, np.bool_)
    any_[frame.row, frame.column] = _usable(frame) > 0
    return any_


def _usable(frame: Frame) -> NDArray[np.int64]:
    """How many usable readings each stored rollup has."""
    return frame.parts["good"].astype(np.int64) + frame.parts["suspect"].astype(np.int64)
