"""Car parks: how full, for how long, and whether anybody counts at all.

References
----------
.. [1] Smart Data Models, OffStreetParking: availableSpotNumber, totalSpotNumber, occupancy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors import runs
from processors.mobility.held import Held
from storage.reading import FloatArray, TimeArray


def occupied(free: ArrayLike, capacity: ArrayLike) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Places taken, from places free; and where the feed says what cannot be.

    Parameters
    ----------
    free : float64
        [places]
    capacity : float64, broadcast against it
        [places]

    Returns
    -------
    occupied : float64
        From 0 to the capacity; NaN where one is unknown. [places]
    clamped : bool
        More places free than there are, or fewer than none.

    Examples
    --------
    >>> occupied([132.0, 500.0, -3.0], 414.0)
    (array([282.,   0., 414.]), array([False,  True,  True]))
    """
    places = np.asarray(capacity, np.float64)
    taken = places - np.asarray(free, np.float64)
    clamped: NDArray[np.bool_] = (taken < 0) | (taken > places)
    return np.clip(taken, 0.0, places), clamped


def rate(taken: ArrayLike, capacity: ArrayLike) -> FloatArray:
    """Share of the places that are taken.

    Parameters
    ----------
    taken, capacity : float64
        [places]

    Returns
    -------
    float64
        NaN where one is unknown. [%]

    Examples
    --------
    >>> rate(282.0, 414.0).round(1)
    np.float64(68.1)
    """
    places = np.asarray(capacity, np.float64)
    share: FloatArray = 100 * np.asarray(taken, np.float64) / np.where(places > 0, places, np.nan)
    return share


class Capacities(NamedTuple):
    """Capacities and from when on they hold; columns of shape (c,), by (row, since).

    Attributes
    ----------
    row : int64
        Row of the series.
    since : datetime64[us]
    places : float64
    """

    row: NDArray[np.int64]
    since: TimeArray
    places: FloatArray


def capacity_at(row: NDArray[np.intp], time: TimeArray, known: Capacities) -> FloatArray:
    """The capacity that held when each reading was taken.

    Places disappear behind building fences and come back: a rate by today's number would be
    wrong for last year.

    Parameters
    ----------
    row : intp, shape (m,)
        Row of each reading's series.
    time : datetime64[us], shape (m,)
    known : Capacities

    Returns
    -------
    float64, shape (m,)
        NaN where none is known for that time. [places]

    Examples
    --------
    >>> since = np.array(["2024-01-01", "2024-06-01"], "datetime64[us]")
    >>> known = Capacities(np.array([0, 0]), since, np.array([400.0, 350.0]))
    >>> time = np.array(["2023-12-31", "2024-05-31", "2024-06-01"], "datetime64[us]")
    >>> capacity_at(np.zeros(3, np.intp), time, known)
    array([ nan, 400., 350.])
    """
    if not len(known.row):
        return np.full(len(row), np.nan)
    # Both sorted as one: by row, then by time, a new capacity before a reading of that instant.
    rows = np.concatenate((known.row, row))
    times = np.concatenate((known.since, time)).astype("datetime64[us]")
    reading = np.repeat([0, 1], [len(known.row), len(row)])
    order = np.lexsort((reading, times, rows))
    position = np.arange(len(order))
    said = np.maximum.accumulate(np.where(reading[order] == 0, position, -1))
    of_row = (said >= 0) & (rows[order][said] == rows[order])
    found = np.where(of_row, np.append(known.places, np.nan)[_first(order[said], known)], np.nan)
    answer = np.empty(len(order))
    answer[order] = found
    return answer[len(known.row) :]


def _first(index: NDArray[np.intp], known: Capacities) -> NDArray[np.intp]:
    """Positions of capacities; the NaN behind them for what is none."""
    return np.minimum(index, len(known.places))


def without_sensor(free_max: FloatArray, days: int) -> NDArray[np.bool_]:
    """Days on which a car park seems full because nobody counts there.

    Where a feed lists a car park without a sensor, it says 0 free places day and night, for
    ever. A car park that is in use has a free place at some time of the week.

    Parameters
    ----------
    free_max : float64, shape (n, d)
        Most places free on each day; NaN where nothing was said. [places]
    days : int
        How many days running, the last one included, must not have had a free place; what
        was not measured among them does not count against it.

    Returns
    -------
    bool, shape (n, d)
        False on the first ``days - 1`` days, of which nobody can tell.

    Examples
    --------
    >>> without_sensor(np.array([[0.0, 0.0, 0.0, 5.0]]), 3)
    array([[False, False,  True, False]])
    """
    series, size = free_max.shape
    answer = np.zeros((series, size), np.bool_)
    if size >= days:
        view = np.lib.stride_tricks.sliding_window_view(free_max, days, axis=1)
        # The first and the last must have spoken, or a single 0 would be a week of them.
        spoken = ~np.isnan(view[:, :, 0]) & ~np.isnan(view[:, :, -1])
        answer[:, days - 1 :] = spoken & ~(view > 0).any(axis=2)
    return answer


def leaps_to_zero(
    row: NDArray[np.intp],
    time: TimeArray,
    free: FloatArray,
    capacity: FloatArray,
    longest: NDArray[np.int64],
    share: float = 0.25,
) -> NDArray[np.bool_]:
    """Zeros that mean closed or broken, not full: the places vanish or come back at once.

    Car parks without anybody at the gate report 0 free places all night and all places at
    seven in the morning. A car park fills and empties car by car.

    Parameters
    ----------
    row : intp, shape (m,)
        Row of each reading's series, ascending.
    time : datetime64[us], shape (m,)
        Ascending within a series.
    free, capacity : float64, shape (m,)
        [places]
    longest : int64, shape (n,)
        Readings further apart are not compared, by series. [s]
    share : float
        More of the capacity than this between two readings is a leap.

    Returns
    -------
    bool, shape (m,)
        All zeros of a run that begins or ends with a leap.

    Examples
    --------
    >>> time = np.datetime64("2026-03-01T06:00", "us") + np.arange(6) * np.timedelta64(5, "m")
    >>> free, row = np.array([0.0, 0.0, 193.0, 10.0, 0.0, 2.0]), np.zeros(6, np.intp)
    >>> leaps_to_zero(row, time, free, np.full(6, 200.0), np.array([600])).astype(int)
    array([1, 1, 0, 0, 0, 0])
    """
    zero = free == 0
    start = runs.starts(row, zero)
    length = runs.lengths(start, len(row))
    last = start + length - 1

    def leap(inside: NDArray[np.intp], outside: NDArray[np.intp]) -> NDArray[np.bool_]:
        beside = (outside >= 0) & (outside < len(row))
        other = np.where(beside, outside, inside)
        apart = np.abs((time[inside] - time[other]).astype(np.int64))
        near = (row[other] == row[inside]) & (apart <= longest[row[inside]] * 1_000_000)
        found: NDArray[np.bool_] = near & (free[other] > share * capacity[inside])
        return found

    leaping = leap(start, start - 1) | leap(last, last + 1)
    leaps: NDArray[np.bool_] = zero & np.repeat(leaping, length)
    return leaps


class Use(NamedTuple):
    """How a car park was used in each window; shape (n, p).

    Attributes
    ----------
    mean : float64
        Time-weighted; NaN where nothing is known. [%]
    full : float64
        For how long it was above the limit. [min]
    known : float64
        Of how much of the window something is known. [min]
    """

    mean: FloatArray
    full: FloatArray
    known: FloatArray


def use(held: Held, percent: FloatArray, full_percent: float = 90.0) -> Use:
    """Time-weighted occupancy and the minutes in which a place is hard to find.

    Parameters
    ----------
    held : Held
        How long each of m readings holds.
    percent : float64, shape (m,)
        Occupancy; NaN where the capacity is unknown. [%]
    full_percent : float
        Above this a car park counts as full. [%]

    Returns
    -------
    Use

    Examples
    --------
    >>> from processors.mobility.held import hold
    >>> time = np.array(["2026-03-01T08:00", "2026-03-01T08:15"], "datetime64[us]")
    >>> edges = np.array(["2026-03-01T08:00", "2026-03-01T09:00"], "datetime64[us]")
    >>> held = hold(np.array([0, 0]), time, np.array([1800]), edges, np.datetime64("2026-03-02"))
    >>> use(held, np.array([80.0, 96.0]))
    Use(mean=array([[92.]]), full=array([[45.]]), known=array([[60.]]))
    """
    known = ~np.isnan(percent)
    filled = np.where(known, percent, 0.0)
    seconds = held.sum(known)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(seconds > 0, held.sum(filled) / seconds, np.nan)
    return Use(mean, held.sum(known & (percent > full_percent)) / 60, seconds / 60)
