"""When a road is busiest: the peak hour and how evenly it is filled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray

QUARTERS = 4
"""Quarter-hours of an hour."""


@dataclass(frozen=True, slots=True)
class PeakHour:
    """The busiest hour of each row, all of shape (...).

    Attributes
    ----------
    volume : float64
        Vehicles in that hour; NaN where no hour is wholly known.
    slot : int64
        Quarter-hour it begins with, the first of several alike; -1 where there is none.
    factor : float64
        Peak hour factor, from 0.25 (all of it in one quarter-hour) to 1 (evenly); NaN where
        there is no hour or nobody came.
    """

    volume: FloatArray
    slot: NDArray[np.int64]
    factor: FloatArray


def peak_hour(count: FloatArray) -> PeakHour:
    """The busiest sixty minutes, sliding by quarter-hours, and their peak hour factor.

    Clock hours would miss a rush that begins at a quarter past. An hour with a gap is no
    candidate: what is found is a lower bound where there are gaps.

    Parameters
    ----------
    count : float64, shape (..., q)
        Vehicles by quarter-hour, neighbours in time; NaN where not counted.

    Returns
    -------
    PeakHour

    References
    ----------
    .. [1] University of Idaho, National Institute for Advanced Transportation Technology, lab
       manual "Peak hour factor": PHF = V / (4 V15).

    Examples
    --------
    >>> peak = peak_hour(np.array([700.0, 900.0, 1000.0, 1200.0, 850.0]))
    >>> float(peak.volume), int(peak.slot), round(float(peak.factor), 2)
    (3950.0, 1, 0.82)
    """
    slots = count.shape[-1] - QUARTERS + 1
    if slots < 1:
        none = np.full(count.shape[:-1], np.nan)
        return PeakHour(none, np.full(none.shape, -1), none.copy())
    parts = [count[..., k : k + slots] for k in range(QUARTERS)]
    hour = parts[0] + parts[1] + parts[2] + parts[3]
    hour = np.where(np.isnan(hour), -np.inf, hour)
    slot = hour.argmax(axis=-1)
    volume = np.take_along_axis(hour, slot[..., None], axis=-1)[..., 0]
    some = volume > -np.inf
    volume = np.where(some, volume, np.nan)
    inside = np.take_along_axis(count, slot[..., None] + np.arange(QUARTERS), axis=-1)
    return PeakHour(volume, np.where(some, slot, -1), peak_hour_factor(inside))


def peak_hour_factor(quarters: FloatArray) -> FloatArray:
    """How evenly an hour is filled: its volume over four times its busiest quarter-hour.

    Parameters
    ----------
    quarters : float64, shape (..., 4)
        Vehicles by quarter-hour; NaN where not counted.

    Returns
    -------
    float64, shape (...)
        From 0.25 to 1; NaN where a quarter-hour is missing or nobody came.

    References
    ----------
    .. [1] As :func:`peak_hour`.

    Examples
    --------
    >>> peak_hour_factor(np.array([900.0, 1000.0, 1200.0, 850.0])).round(2)
    np.float64(0.82)
    """
    volume = quarters.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor: FloatArray = volume / (QUARTERS * quarters.max(axis=-1))
    return factor[()]


def busiest_quarter(count: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """The highest quarter-hour over the last axis and its number; NaN and -1 where none.

    Examples
    --------
    >>> busiest_quarter(np.array([700.0, np.nan, 900.0]))
    (np.float64(900.0), np.int64(2))
    """
    filled = np.where(np.isnan(count), -np.inf, count)
    if not count.shape[-1]:
        return np.full(count.shape[:-1], np.nan)[()], np.full(count.shape[:-1], -1)[()]
    at = filled.argmax(axis=-1)
    most = np.take_along_axis(filled, at[..., None], axis=-1)[..., 0]
    some = most > -np.inf
    return np.where(some, most, np.nan)[()], np.where(some, at, -1)[()]
