"""How full a road is: occupancy of lanes, density, state, level of service."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.runs import Rows
from storage.reading import FloatArray

STATES = ("unknown", "free-flowing", "close to saturation", "saturated", "blocked")
"""Inconnu, fluide, pré-saturé, saturé, bloqué; by the number that :func:`state` gives."""

LEVELS_OF_SERVICE = ("unknown", "A", "B", "C", "D", "E", "F")
"""By the number that :func:`level_of_service` gives."""

MILE_DENSITIES = (11.0, 18.0, 26.0, 35.0, 45.0)
"""Upper bounds of A to E on basic motorway segments. [passenger cars per mile and lane]"""

KM_DENSITIES = (7.0, 11.0, 16.0, 22.0, 28.0)
"""The same in metric editions, rounded there. [passenger cars per km and lane]"""


def mean_of_lanes(
    occupancy: FloatArray, site: Rows, sites: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Occupancy of a road: the plain mean of its lanes.

    Parameters
    ----------
    occupancy : float64, shape (n, w)
        Of lanes; NaN where not measured. [%]
    site : intp, shape (n,)
        Which road each lane belongs to, below ``sites``.
    sites : int

    Returns
    -------
    mean : float64, shape (sites, w)
        Of the lanes that were measured; NaN where none was. [%]
    measured : int64, shape (sites, w)
        How many were.

    Examples
    --------
    >>> mean_of_lanes(np.array([[10.0, 4.0], [20.0, np.nan]]), np.array([0, 0]), 1)
    (array([[15.,  4.]]), array([[2, 1]]))
    """
    known = ~np.isnan(occupancy)
    total = np.zeros((sites, occupancy.shape[1]))
    measured = np.zeros(total.shape, np.int64)
    np.add.at(total, site, np.where(known, occupancy, 0.0))
    np.add.at(measured, site, known)
    with np.errstate(invalid="ignore"):
        return np.where(measured > 0, total / np.maximum(measured, 1), np.nan), measured


def over_time(occupancy: FloatArray, seconds: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Occupancy of a longer period: the mean of its parts by how long each lasts.

    Parameters
    ----------
    occupancy : float64, shape (..., w)
        Of parts; NaN where not measured. [%]
    seconds : float64, shape (..., w)
        How long each part lasts; broadcasts. [s]

    Returns
    -------
    mean : float64, shape (...)
        Over what was measured; NaN where nothing was. [%]
    measured : float64, shape (...)
        How long that is, so that means combine further. [s]

    Examples
    --------
    >>> over_time(np.array([10.0, 40.0, np.nan]), [900.0, 300.0, 900.0])
    (np.float64(17.5), np.float64(1200.0))
    """
    known = ~np.isnan(occupancy)
    weight = np.where(known, np.asarray(seconds, np.float64), 0.0)
    measured = weight.sum(axis=-1)
    total = (np.where(known, occupancy, 0.0) * weight).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(measured > 0, total / measured, np.nan)[()], measured


def density(occupancy: ArrayLike, vehicle_m: float, loop_m: float) -> FloatArray:
    """Vehicles on a kilometre of lane, estimated from the time a detector is covered.

    A vehicle covers a detector for as long as it takes to move its own and the detector's
    length.

    Parameters
    ----------
    occupancy : float64
        [%]
    vehicle_m, loop_m : float
        Mean length of a vehicle and length of the detector. [m]

    Returns
    -------
    float64, the same shape
        [veh/km]

    References
    ----------
    .. [1] Gerlough, Huber: Traffic Flow Theory, TRB Special Report 165 (1975), section 2:
       k = o / (L + l).

    Examples
    --------
    >>> density(np.array([12.0]), 4.5, 2.0).round(2)
    array([18.46])
    """
    k: FloatArray = np.asarray(occupancy, np.float64) * (10.0 / (vehicle_m + loop_m))
    return k


def density_of_flow(rate: ArrayLike, speed: ArrayLike) -> FloatArray:
    """Vehicles on a kilometre from flow rate and space-mean speed: k = q / v.

    Parameters
    ----------
    rate : float64
        [veh/h]
    speed : float64
        Space-mean speed; with a time-mean speed the density would be too low. [km/h]

    Returns
    -------
    float64, what both broadcast to
        NaN where the speed is missing or 0. [veh/km]

    References
    ----------
    .. [1] Gerlough, Huber: Traffic Flow Theory, TRB Special Report 165 (1975): q = k v.

    Examples
    --------
    >>> density_of_flow([1600.0, 0.0, 5.0], [80.0, 80.0, 0.0])
    array([20.,  0., nan])
    """
    speed = np.asarray(speed, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(speed > 0, np.asarray(rate, np.float64) / speed, np.nan)


def state(occupancy: FloatArray, bounds: ArrayLike = (15.0, 30.0, 50.0)) -> NDArray[np.int64]:
    """State of the traffic as Paris says it.

    Parameters
    ----------
    occupancy : float64, shape (...)
        NaN where not measured. [%]
    bounds : float64, shape (3,)
        Occupancies from which traffic is close to saturation, saturated, blocked. [%]

    Returns
    -------
    int64, shape (...)
        1 fluide, 2 pré-saturé, 3 saturé, 4 bloqué; 0 where nothing was measured.

    References
    ----------
    .. [1] Ville de Paris, open data "Comptage routier, données trafic issues des capteurs
       permanents": etat_trafic by rate of occupancy.

    Examples
    --------
    >>> state(np.array([14.75, 15.0, 37.43, 63.33, np.nan]))
    array([1, 2, 3, 4, 0])
    """
    number = np.searchsorted(np.asarray(bounds, np.float64), occupancy, side="right") + 1
    return np.where(np.isnan(occupancy), 0, number)


def level_of_service(density: FloatArray, bounds: ArrayLike = KM_DENSITIES) -> NDArray[np.int64]:
    """Level of service of a basic motorway segment, by density.

    Parameters
    ----------
    density : float64, shape (...)
        Of passenger car units in one lane; NaN where unknown. [pc/km/lane]
    bounds : float64, shape (5,)
        Densities up to which the level is A, B, C, D, E. [the same unit]

    Returns
    -------
    int64, shape (...)
        1 for A to 6 for F; 0 where unknown.

    References
    ----------
    .. [1] Transportation Research Board, Highway Capacity Manual, basic freeway segments.

    Examples
    --------
    >>> level_of_service(np.array([7.0, 7.1, 28.0, 28.1, np.nan]))
    array([1, 2, 5, 6, 0])
    >>> level_of_service(np.array([11.0, 45.5]), MILE_DENSITIES)
    array([1, 6])
    """
    number = np.searchsorted(np.asarray(bounds, np.float64), density, side="left") + 1
    return np.where(np.isnan(density), 0, number)
