"""How many vehicles: flow rate, headway, passenger car equivalents, heavy share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.reading import FloatArray

CAPTURE_PERCENT = 75
"""What must be measured of an interval before its count is scaled to the whole."""

CAR, HEAVY, TWO_WHEELER = 1.0, 2.0, 0.4
"""Passenger car units in French usage; two to three for a heavy vehicle on a slope."""

HOUR_S = 3600.0


def flow_rate(count: ArrayLike, seconds: ArrayLike) -> FloatArray:
    """Vehicles an hour, from vehicles in so many seconds.

    Parameters
    ----------
    count : float64
        NaN where nobody counted; 0 where nobody came.
    seconds : float64
        Broadcasts to ``count``. [s]

    Returns
    -------
    float64, the shape of both
        [veh/h]

    References
    ----------
    .. [1] Transportation Research Board, Highway Capacity Manual: flow rate
       q = 3600 N / Δt.

    Examples
    --------
    >>> flow_rate([197.0, 0.0, np.nan], 300)
    array([2364.,    0.,   nan])
    """
    rate: FloatArray = HOUR_S * np.asarray(count, np.float64) / np.asarray(seconds, np.float64)
    return rate


def scaled(
    observed: FloatArray, usable: FloatArray, expected: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Counts made whole: what a gap would have held, where 75 % of the interval is known.

    A sum over an interval with gaps is a lower bound. It is divided by the part of the
    interval that was counted; where that is below 75 %, nothing is said.

    Parameters
    ----------
    observed : float64, shape (...)
        What was counted; NaN where nothing was.
    usable, expected : float64, shape (...)
        Readings there, and readings due. Where none are due (series that report on change)
        there is nothing to scale.

    Returns
    -------
    whole : float64, shape (...)
        NaN where too little is known.
    estimated : bool, shape (...)
        Where it is more than was counted.

    References
    ----------
    .. [1] Directive 2008/50/EC, annex XI: 75 %; the same share is usual for traffic counts.

    Examples
    --------
    >>> scaled(np.array([300.0, 200.0, 390.0]), np.array([3.0, 2.0, 4.0]), np.full(3, 4.0))
    (array([400.,  nan, 390.]), array([ True, False, False]))
    """
    short = usable < expected
    enough = (usable > 0) & (100 * usable >= CAPTURE_PERCENT * expected) & ~np.isnan(observed)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = np.where(short, observed * expected / usable, observed)
    return np.where(enough, whole, np.nan), short & enough


def headway(rate: ArrayLike) -> FloatArray:
    """Mean time from one vehicle's front to the next one's. [s]

    Parameters
    ----------
    rate : float64
        Flow rate. [veh/h]

    Returns
    -------
    float64, the same shape
        NaN where no vehicle came: between none there is no time.

    References
    ----------
    .. [1] Transportation Research Board, Highway Capacity Manual: headway = Δt / N.

    Examples
    --------
    >>> headway([1800.0, 0.0])
    array([ 2., nan])
    """
    rate = np.asarray(rate, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(rate > 0, HOUR_S / rate, np.nan)


def gap(headway_s: ArrayLike, speed: ArrayLike, length_m: ArrayLike) -> FloatArray:
    """Time between one vehicle's rear and the next one's front. [s]

    Parameters
    ----------
    headway_s : float64
        [s]
    speed : float64
        [km/h]
    length_m : float64
        Of a vehicle. [m]

    Returns
    -------
    float64, what the three broadcast to
        NaN where a speed is missing or 0, and where the vehicle would not fit.

    References
    ----------
    .. [1] Transportation Research Board, Highway Capacity Manual: gap = headway - L / v.

    Examples
    --------
    >>> gap(2.0, 54.0, 4.5)
    array(1.7)
    """
    speed = np.asarray(speed, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        free = np.asarray(headway_s) - np.asarray(length_m) / (speed / 3.6)
        return np.where((speed > 0) & (free >= 0), free, np.nan)


def passenger_cars(count: FloatArray, coefficient: ArrayLike) -> FloatArray:
    """Counts of several classes as passenger cars (UVP, PCU).

    Parameters
    ----------
    count : float64, shape (c, ...)
        Vehicles by class; NaN where a class was not counted, and then the sum is unknown.
    coefficient : float64, shape (c,)
        Passenger cars that one vehicle of the class counts for.

    Returns
    -------
    float64, shape (...)

    References
    ----------
    .. [1] Cerema (formerly Sétra), road design guides: unité de véhicule particulier, a car 1,
       a heavy vehicle 2 (2 to 3 on slopes), a two-wheeler 0.3 to 0.5.

    Examples
    --------
    >>> passenger_cars(np.array([[900.0, 900.0], [100.0, np.nan]]), [1.0, 2.0])
    array([1100.,   nan])
    """
    total: FloatArray = np.tensordot(np.asarray(coefficient, np.float64), count, axes=1)
    return total


def heavy_share(every: FloatArray, heavy: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Share of heavy vehicles among all over the last axis: of sums, never a mean of shares.

    Parameters
    ----------
    every, heavy : float64, shape (..., w)
        All vehicles and heavy ones by interval; NaN where not counted.

    Returns
    -------
    share : float64, shape (...)
        NaN where nobody came. [%]
    both : int64, shape (...)
        Intervals in which both were counted; only these are used.

    References
    ----------
    .. [1] Cerema, traffic counts: TV (tous véhicules) and %PL (poids lourds).

    Examples
    --------
    >>> heavy_share(np.array([10.0, 190.0, 50.0]), np.array([5.0, 5.0, np.nan]))
    (np.float64(5.0), np.int64(2))
    """
    both = ~np.isnan(every) & ~np.isnan(heavy)
    total = np.where(both, every, 0.0).sum(axis=-1)
    part = np.where(both, heavy, 0.0).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, 100 * part / total, np.nan)
    return share[()], both.sum(axis=-1)
