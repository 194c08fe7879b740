"""Stations of shared vehicles: whether one finds a vehicle, or a place to leave it.

References
----------
.. [1] General Bikeshare Feed Specification (GBFS) 3.0, station_status.json.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors import runs
from processors.mobility.held import Held
from storage.reading import FloatArray, TimeArray


def usable(available: ArrayLike, installed: ArrayLike, renting: ArrayLike) -> FloatArray:
    """Vehicles that somebody can take.

    A feed counts vehicles as available even while the station does not rent: they would be
    available if it did.

    Parameters
    ----------
    available : float64
        ``num_vehicles_available``. [vehicles]
    installed, renting : bool
        ``is_installed`` and ``is_renting``.

    Returns
    -------
    float64
        0 while the station does not rent; NaN where it is not installed. [vehicles]

    Examples
    --------
    >>> usable([4.0, 4.0, 4.0], [True, True, False], [True, False, True])
    array([ 4.,  0., nan])
    """
    value = np.asarray(available, np.float64)
    rented = np.where(np.asarray(renting, np.bool_), value, 0.0 * value)
    return np.where(np.asarray(installed, np.bool_), rented, np.nan)


def consistent(
    available: ArrayLike, disabled: ArrayLike, docks: ArrayLike, capacity: ArrayLike
) -> NDArray[np.bool_]:
    """Whether a station has at most as many vehicles and docks as it has room for.

    What is unknown (NaN) is not held against it.

    Examples
    --------
    >>> consistent([4.0, 12.0], [1.0, np.nan], [15.0, 9.0], 20.0)
    array([ True, False])
    """
    parts = np.broadcast_arrays(
        *(np.asarray(one, np.float64) for one in (available, disabled, docks))
    )
    held = np.nansum(np.stack(parts), axis=0)
    agrees: NDArray[np.bool_] = ~(held > np.asarray(capacity, np.float64))
    return agrees


def share_of_time(held: Held, condition: NDArray[np.bool_], known: NDArray[np.bool_]) -> FloatArray:
    """Share of the known time in which something was so: no vehicle, no free dock.

    Parameters
    ----------
    held : Held
        How long each of m readings holds.
    condition : bool, shape (m,)
    known : bool, shape (m,)
        Readings that can tell; the others count neither way.

    Returns
    -------
    float64, shape (n, p)
        NaN where no reading can tell. [%]

    Examples
    --------
    >>> from processors.mobility.held import hold
    >>> time = np.array(["2026-03-01T08:00", "2026-03-01T08:15"], "datetime64[us]")
    >>> edges = np.array(["2026-03-01T08:00", "2026-03-01T09:00"], "datetime64[us]")
    >>> held = hold(np.array([0, 0]), time, np.array([1800]), edges, np.datetime64("2026-03-02"))
    >>> share_of_time(held, np.array([2.0, 0.0]) == 0, np.ones(2, bool))
    array([[75.]])
    """
    seconds = held.sum(known)
    so = held.sum(condition & known)
    return np.where(seconds > 0, 100 * so / np.where(seconds > 0, seconds, 1.0), np.nan)


def movements(
    row: NDArray[np.intp],
    time: TimeArray,
    value: FloatArray,
    longest: NDArray[np.int64],
    edges: TimeArray,
) -> tuple[FloatArray, NDArray[np.int64]]:
    """At least so many vehicles came or left: the sum of all changes between readings.

    One that comes while another leaves is not seen, and vehicles that a lorry brings are not
    told from those that people ride: a lower bound of movements, not a count of trips.

    Parameters
    ----------
    row : intp, shape (m,)
        Row of each reading's series, ascending.
    time : datetime64[us], shape (m,)
        Ascending within a series.
    value : float64, shape (m,)
        Vehicles at the station. [vehicles]
    longest : int64, shape (n,)
        Readings further apart are not compared, by series. [s]
    edges : datetime64[us], shape (p + 1,)

    Returns
    -------
    moved : float64, shape (n, p)
        Changes that were seen in each window, by the later reading; NaN where no two
        readings could be compared. [vehicles]
    compared : int64, shape (n, p)
        Pairs of readings.

    Examples
    --------
    >>> time = np.array(["2026-03-01T08:00", "2026-03-01T08:05", "2026-03-01T08:10"], "M8[us]")
    >>> edges = np.array(["2026-03-01T08:00", "2026-03-01T09:00"], "datetime64[us]")
    >>> movements(np.zeros(3, int), time, np.array([5.0, 3.0, 4.0]), np.array([600]), edges)
    (array([[3.]]), array([[2]]))
    """
    series, size = len(longest), len(edges) - 1
    later = np.ones(len(row), np.bool_)
    later[runs.starts(row)] = False
    at = np.flatnonzero(later)
    apart = (time[at] - time[at - 1]).astype(np.int64)
    change = np.abs(value[at] - value[at - 1])
    window = np.searchsorted(edges, time[at], side="right") - 1
    inside = (window >= 0) & (window < size) & (apart <= longest[row[at]] * 1_000_000)
    inside &= ~np.isnan(change)
    cell = row[at][inside] * size + window[inside]
    compared = np.bincount(cell, minlength=series * size).reshape(series, size)
    moved = np.bincount(cell, change[inside], series * size).reshape(series, size)
    return np.where(compared > 0, moved, np.nan), compared
