"""How fast: time-mean and space-mean speed, and the speed that 85 % do not exceed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from processors import sketch
from processors.runs import rows_of
from storage.reading import FloatArray
from storage.rollup import Sketches

V85_PERCENT = 85

SENSOR_ERRORS = (0.0, 255.0)
"""What a detector sends in place of a speed it could not measure: one byte, all 0 or all 1. [km/h]"""

FREE_HEADWAY_S = 5.0
"""Drivers with so much time to the vehicle ahead choose their speed themselves. [s]"""

Rank = Literal["linear", "lower", "higher"]


@dataclass(frozen=True, slots=True)
class MeanSpeeds:
    """Mean speeds over the last axis, each of shape (...).

    Attributes
    ----------
    time, space : float64
        Time-mean and space-mean speed of those that moved; NaN where nobody did. [km/h]
    moving, stopped : float64
        Vehicles that moved, and vehicles whose speed is 0 or missing.
    """

    time: FloatArray
    space: FloatArray
    moving: FloatArray
    stopped: FloatArray


def mean_speeds(speed: FloatArray, vehicles: FloatArray) -> MeanSpeeds:
    """Time-mean and space-mean speed, of single vehicles or of interval means.

    The time-mean speed is what passes a point; the space-mean speed, a harmonic mean, is
    what fills the road (flow = density · space-mean speed), and never exceeds the other.
    Vehicles of speed 0 have no place in a harmonic mean: they, and those whose speed is
    missing, are left out of both and counted as stopped.

    Parameters
    ----------
    speed : float64, shape (..., w)
        Of single vehicles, or means of intervals; NaN where not measured. [km/h]
    vehicles : float64, shape (..., w)
        How many vehicles each stands for: 1 of a single one, the count of an interval. NaN
        where nobody counted, which leaves that speed without a weight.

    Returns
    -------
    MeanSpeeds

    Notes
    -----
    From interval means the space-mean speed is exact as far as these are space-mean; where
    they are time-mean, the spread within intervals is missing and the result lies between
    the two.

    References
    ----------
    .. [1] Wardrop: Some theoretical aspects of road traffic research, ICE Proceedings 1
       (1952), doi:10.1680/ipeds.1952.11259.

    Examples
    --------
    >>> mean = mean_speeds(np.array([60.0, 120.0, 0.0, np.nan]), np.ones(4))
    >>> mean.time, mean.space, mean.moving, mean.stopped
    (np.float64(90.0), np.float64(80.0), np.float64(2.0), np.float64(2.0))
    """
    weight = np.where(np.isnan(vehicles), 0.0, vehicles)
    moves = speed > 0
    moving = np.where(moves, weight, 0.0)
    size = moving.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        time = np.where(moves, speed * moving, 0.0).sum(axis=-1) / size
        hours = np.where(moves, moving / speed, 0.0).sum(axis=-1)
        # Rounding must not lift the harmonic mean of equal speeds above their mean.
        space = np.minimum(size / hours, time)
    return MeanSpeeds(time[()], space[()], size, np.where(moves, 0.0, weight).sum(axis=-1))


def ranked(value: FloatArray, method: Rank) -> FloatArray:
    """The 85th percentile over the last axis of what is there: rank 0.85 (n - 1) from 0.

    Examples
    --------
    >>> ranked(np.array([1.0, np.nan, 3.0]), "linear").round(6)
    np.float64(2.7)
    """
    if not value.shape[-1]:
        return np.full(value.shape[:-1], np.nan)[()]
    ordered = np.sort(value, axis=-1)
    size = (~np.isnan(value)).sum(axis=-1)
    # Hundredths of a rank are whole numbers: nothing is rounded on the way.
    whole, rest = np.divmod(V85_PERCENT * np.maximum(size - 1, 0), 100)
    lower = np.take_along_axis(ordered, whole[..., None], axis=-1)[..., 0]
    higher = np.take_along_axis(ordered, (whole + (rest > 0))[..., None], axis=-1)[..., 0]
    if method == "lower":
        return lower[()]
    if method == "higher":
        return higher[()]
    between: FloatArray = lower + (higher - lower) * (rest / 100)
    return between[()]


def v85(speed: FloatArray, method: Rank = "lower") -> FloatArray:
    """The speed that 85 % of the vehicles do not exceed.

    Parameters
    ----------
    speed : float64, shape (..., n)
        Of single vehicles in free flow; NaN where there is none. 0 and 255 are errors of
        sensors and left out. [km/h]
    method : "linear", "lower" or "higher"
        Between two measured speeds: interpolated, the lower or the higher of them. Swiss
        cantons take the lower.

    Returns
    -------
    float64, shape (...)
        NaN where there is no speed. [km/h]

    References
    ----------
    .. [1] opengisch/OpenComptage, comptages/core/statistics.py: quantile 0.85 with
       interpolation "lower".

    Examples
    --------
    >>> speed = np.array([42, 45, 47, 48, 50, 50, 51, 53, 55, 58, 60, 62, 64, 70, 88.0])
    >>> v85(speed), v85(speed, "higher"), v85(speed, "linear").round(6)
    (np.float64(62.0), np.float64(64.0), np.float64(63.8))
    """
    return ranked(np.where(np.isin(speed, SENSOR_ERRORS), np.nan, speed), method)


def v85_of_classes(count: FloatArray, edges: FloatArray) -> FloatArray:
    """The same from vehicles by class of speed, interpolated within the class.

    Parameters
    ----------
    count : float64, shape (..., c)
        Vehicles in each class; NaN where not counted, and then nothing is said.
    edges : float64, shape (c + 1,)
        Of the classes; the last may be infinite. [km/h]

    Returns
    -------
    float64, shape (...)
        NaN where nobody came, or where it lies in a class without an upper edge. [km/h]

    References
    ----------
    .. [1] Institute of Transportation Engineers, Manual of Transportation Engineering
       Studies: spot speed studies, cumulative frequency curve.

    Examples
    --------
    >>> edges = np.array([0.0, 30.0, 50.0, 70.0, np.inf])
    >>> v85_of_classes(np.array([[10.0, 50.0, 40.0, 0.0], [0.0, 0.0, 0.0, 5.0]]), edges)
    array([62.5,  nan])
    """
    total = count.sum(axis=-1)
    below = np.cumsum(count, axis=-1)
    wanted = V85_PERCENT * total / 100
    last = count.shape[-1] - 1
    one = np.minimum((below < wanted[..., None]).sum(axis=-1), last)[..., None]
    inside = np.take_along_axis(count, one, axis=-1)[..., 0]
    before = np.take_along_axis(below, one, axis=-1)[..., 0] - inside
    low, high = edges[one[..., 0]], edges[one[..., 0] + 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        speed = low + (high - low) * (wanted - before) / inside
    return np.where((total > 0) & np.isfinite(speed), speed, np.nan)[()]


def v85_of_sketch(
    speeds: Sketches,
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64]]:
    """The same from stored sketches: the lower of two speeds, at most 1 % away.

    Parameters
    ----------
    speeds : Sketches of n rows
        Of speeds in free flow. What cannot be told from the errors 0 and 255 is left out:
        0, and speeds within 1 % of 255. [km/h]

    Returns
    -------
    speed, low, high : float64, shape (n,)
        NaN where there is no speed; ``v85(…, "lower")`` of the same speeds lies from low to
        high. [km/h]
    vehicles : int64, shape (n,)
        Speeds it is taken from.

    References
    ----------
    .. [1] As :mod:`processors.sketch`.

    Examples
    --------
    >>> parts = sketch.build(sketch.codes(np.arange(1.0, 101.0)), np.zeros(100, np.intp), 1)
    >>> speed, low, high, vehicles = v85_of_sketch(parts)
    >>> bool(low[0] <= 85 <= high[0]), vehicles
    (True, array([100]))
    """
    none, full = sketch.codes(np.array(SENSOR_ERRORS))
    sound = (speeds.pairs["code"] != none) & (speeds.pairs["code"] != full)
    kept = np.concatenate((np.zeros(1, np.int64), np.cumsum(sound, dtype=np.int64)))
    clean = Sketches(kept[speeds.offset], speeds.pairs[sound])
    seen = np.concatenate((np.zeros(1, np.int64), np.cumsum(clean.pairs["count"], dtype=np.int64)))
    speed = sketch.quantile(clean, np.array([V85_PERCENT / 100]))[:, 0]
    return (
        speed, speed / (1 + sketch.ALPHA), speed / (1 - sketch.ALPHA),
        seen[clean.offset[1:]] - seen[clean.offset[:-1]],
    )  # fmt: skip


def chosen(sketches: Sketches, some: NDArray[np.intp]) -> Sketches:
    """Some of the sketches, in that order.

    Examples
    --------
    >>> parts = sketch.build(sketch.codes(np.array([5.0, 7.0, 9.0])), np.arange(3), 3)
    >>> sketch.values(chosen(parts, np.array([2, 0])).pairs["code"]).round(1)
    array([8.9, 5. ])
    """
    length = np.diff(sketches.offset)[some]
    offset = np.concatenate((np.zeros(1, np.int64), np.cumsum(length, dtype=np.int64)))
    return Sketches(offset, sketches.pairs[rows_of(sketches.offset[:-1][some], length)])


def free_flow(occupancy: FloatArray, rate: FloatArray, bound: float) -> NDArray[np.int64]:
    """Whether drivers choose their speed themselves, as well as it can be told.

    By occupancy, where it is measured; else by the mean headway, five seconds and more.

    Parameters
    ----------
    occupancy : float64, shape (...)
        NaN where not measured. [%]
    rate : float64, shape (...)
        Flow rate of the lane; NaN where not counted. [veh/h]
    bound : float
        Occupancy from which traffic is no longer free. [%]

    Returns
    -------
    int64, shape (...)
        1 free, 0 not free, -1 nobody can tell.

    References
    ----------
    .. [1] Capacity Analysis of Two-Lane Highways, Transportation Research Record 1194, on the
       Highway Capacity Manual of 1985: whoever follows within five seconds is delayed.

    Examples
    --------
    >>> nan = np.nan
    >>> free_flow(np.array([3.0, 20.0, nan, nan, nan]), np.array([nan, 0.0, 700.0, 800.0, nan]), 15)
    array([ 1,  0,  1,  0, -1])
    """
    by_rate = np.where(np.isnan(rate), -1, rate * FREE_HEADWAY_S <= 3600.0)
    return np.where(np.isnan(occupancy), by_rate, occupancy < bound).astype(np.int64)
