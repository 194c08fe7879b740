"""Rollups by quarter-hour for a day's figures, whatever the step of a series.

A series that is too coarse for quarter-hours gives its hours, each spread evenly over its
four: means and sums of days come out right, and nobody takes a sliding hour from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Given
from processors.mobility.flow import scaled
from processors.pairing import partners
from processors.runs import Rows
from storage.catalogue import Kind
from storage.reading import FloatArray, TimeArray
from storage.roster import Roster

QUARTER = np.timedelta64(900, "s")
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What detectors say by window, each of shape (n, w).

    Attributes
    ----------
    count : float64
        Vehicles, scaled where a part of the window is missing; NaN where too much is, and of
        series that do not count.
    observed : float64
        Vehicles that were counted indeed.
    estimated : bool
        Where the count was scaled.
    mean : float64
        Mean of what is no count; NaN where less than 75 % of the window was measured.
    usable, expected : float64
        Readings there, and readings due.
    """

    count: FloatArray
    observed: FloatArray
    estimated: NDArray[np.bool_]
    mean: FloatArray
    usable: FloatArray
    expected: FloatArray


def traffic(
    total: FloatArray, usable: FloatArray, expected: FloatArray, kind: NDArray[np.str_],
    flows: NDArray[np.bool_], seconds: float,
) -> Traffic:  # fmt: skip
    """Sums of readings as counts and means.

    Parameters
    ----------
    total, usable, expected : float64, shape (n, w)
        Sums of readings by window, and how many were there and due.
    kind : str, shape (n,)
        Of each series.
    flows : bool, shape (n,)
        Series that give a flow rate: their mean is a count. [veh/h]
    seconds : float
        How long a window lasts. [s]
    """
    none = np.full(total.shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(usable > 0, total / usable, np.nan)
        part = np.where(expected > 0, np.minimum(usable / expected, 1.0), 1.0)
    counts = kind == Kind.COUNT
    observed = np.where(counts[:, None], total, none)
    observed = np.where(flows[:, None], mean * part * (seconds / HOUR_S), observed)
    count, estimated = scaled(observed, usable, expected)
    enough = ~np.isnan(scaled(mean, usable, expected)[0])
    mean = np.where(enough & ~counts[:, None], mean, np.nan)
    return Traffic(count, observed, estimated, mean, usable, expected)


def by_window(given: Given, seconds: float) -> Traffic:
    """The frame's windows, of so many seconds; hours of coarse series spread over quarters."""
    frame, roster = given.frame, given.frame.roster
    tables = {name: frame.table(name) for name in ("sum", "good", "suspect", "expected")}
    if given.hours is not None:
        row = np.searchsorted(roster.series, given.hours.roster.series)
        hour = given.hours.edges
        # Quarter-hours of the frame, counted from the first of the hours.
        first = int((frame.edges[0] - hour[0]) / QUARTER)
        column = (first + np.arange(frame.shape[1])) // 4
        share = np.where(roster.kind[row] == Kind.COUNT, 0.25, 1.0)[:, None]
        for name, table in tables.items():
            part = given.hours.table(name)[:, column]
            table[row] = part * share if name == "sum" else part
    return traffic(
        tables["sum"], tables["good"] + tables["suspect"], tables["expected"], roster.kind,
        roster.metric == "flow", seconds,
    )  # fmt: skip


def coarse(given: Given) -> NDArray[np.bool_]:
    """Which of the frame's series have hours only, shape (n,)."""
    if given.hours is None:
        return np.zeros(len(given.frame.roster), np.bool_)
    return np.isin(given.frame.roster.series, given.hours.roster.series)


def within(edges: TimeArray, periods: TimeArray) -> Rows:
    """Windows of each period, one period a row; -1 where a shorter one has none.

    Parameters
    ----------
    edges : datetime64[us], shape (w + 1,)
        Of windows of one length.
    periods : datetime64[us], shape (p + 1,)
        Edges of periods that begin and end with a window.

    Returns
    -------
    intp, shape (p, longest)

    Examples
    --------
    >>> edges = np.arange(6).astype("datetime64[h]").astype("datetime64[us]")
    >>> within(edges, edges[[0, 3, 5]])
    array([[ 0,  1,  2],
           [ 3,  4, -1]])
    """
    first = np.searchsorted(edges, periods)
    number = first[:-1, None] + np.arange(int(np.diff(first).max(initial=0)))
    return np.where(number < first[1:, None], number, -1)


def gather(table: FloatArray, window: Rows, filling: float = np.nan) -> FloatArray:
    """A table's columns as :func:`within` numbers them, shape (n, p, longest).

    Examples
    --------
    >>> gather(np.array([[5.0, 7.0, 9.0]]), np.array([[0, 1], [2, -1]]))
    array([[[ 5.,  7.],
            [ 9., nan]]])
    """
    return np.where(window >= 0, table[:, window], filling)


def of_partner(table: FloatArray, partner: Rows) -> FloatArray:
    """Rows of partners; NaN for those without one.

    Examples
    --------
    >>> of_partner(np.array([[5.0], [7.0]]), np.array([1, -1]))
    array([[ 7.],
           [nan]])
    """
    return np.where((partner >= 0)[:, None], table[partner], np.nan)


def counters(roster: Roster, of: NDArray[np.bool_]) -> Rows:
    """Who counts the vehicles that others measure: a count, else a flow rate; -1 where nobody."""
    counted = partners(roster, of, roster.metric == "vehicles")
    rated = partners(roster, of, roster.metric == "flow")
    return np.where(counted < 0, rated, counted)
