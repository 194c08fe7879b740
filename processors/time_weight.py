"""Means by time: what a value counts is how long it held, not how often it was read.

Integral and seconds of parts add up, so the mean of any longer window follows exactly.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from processors import windows
from processors.runs import Rows
from storage.reading import FloatArray, TimeArray

Between = Literal["held", "linear"]


def integrate(
    time: TimeArray,
    value: FloatArray,
    row: Rows,
    rows: int,
    edges: TimeArray,
    *,
    now: np.datetime64,
    hold: np.timedelta64 | NDArray[np.timedelta64],
    between: Between = "held",
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Integrals of irregular readings over windows, and the time that they cover.

    A reading that came while nothing changed, or ten in a burst, would weigh a plain mean;
    divided by its seconds, an integral does not care how often somebody looked.

    Parameters
    ----------
    time : datetime64[us], shape (m,)
    value : float64, shape (m,)
        NaN where missing: that ends what was before. [unit]
    row : intp, shape (m,)
        Which series each reading is of, below ``rows``; by (row, time).
    rows : int
        How many series.
    edges : datetime64[us], shape (w + 1,)
        Of the windows.
    now : datetime64
        Nothing holds longer.
    hold : timedelta64, or of shape (m,)
        The longest that one reading speaks for: a held value ends then, and between
        readings further apart no line is drawn.
    between : "held" or "linear"
        The last value (LOCF), or a straight line from one reading to the next.

    Returns
    -------
    integral : float64, shape (rows, w)
        0 where nothing is covered. [unit·s]
    covered : int64, shape (rows, w)
        The mean is ``integral / (covered / 1e6)``. [us]

    References
    ----------
    .. [1] TimescaleDB Toolkit, docs/time_weighted_average.md: LOCF and linear.

    Examples
    --------
    >>> time = np.array(["2026-03-01T00:00", "2026-03-01T00:10"], "datetime64[us]")
    >>> whole = np.array(["2026-03-01T00:00", "2026-03-01T00:15"], "datetime64[us]")
    >>> hold, now = np.timedelta64(10, "m"), np.datetime64("2026-03-02")
    >>> value, row = np.array([2.0, 8.0]), np.array([0, 0])
    >>> integral, covered = integrate(time, value, row, 1, whole, now=now, hold=hold)
    >>> integral / (covered / 1e6)
    array([[4.]])
    >>> integral, covered = integrate(
    ...     time, value, row, 1, whole, now=now, hold=hold, between="linear"
    ... )
    >>> integral / (covered / 1e6), covered // 60_000_000
    (array([[5.]]), array([[10]]))
    """
    last = np.ones(len(time), np.bool_)
    last[:-1] = row[1:] != row[:-1]
    end = np.empty_like(time)
    end[:-1] = time[1:]
    until = now.astype("datetime64[us]")
    longest = time + hold.astype("timedelta64[us]")
    if between == "held":
        end = np.minimum(np.where(last, until, end), np.minimum(longest, until))
        kept = ~np.isnan(value)
        after = value
    else:
        after = np.append(value[1:], np.nan)
        kept = ~last & ~np.isnan(value) & ~np.isnan(after) & (end <= longest) & (end <= until)
    begin, end = time[kept], end[kept]
    interval, window, length = windows.overlaps(begin, end, edges)
    first, slope = value[kept][interval], np.zeros(len(interval))
    whole = (end - begin).astype(np.int64)[interval]
    if between == "linear":
        slope = (after[kept][interval] - first) / whole
    lag = np.maximum(edges[window], begin[interval]) - begin[interval]
    middle = first + slope * (lag.astype(np.int64) + length / 2)
    cell = row[kept][interval] * (len(edges) - 1) + window
    cells = rows * (len(edges) - 1)
    integral = np.bincount(cell, middle * (length / 1e6), cells).astype(np.float64)
    covered = np.zeros(cells, np.int64)
    np.add.at(covered, cell, length)
    shape = rows, len(edges) - 1
    return integral.reshape(shape), covered.reshape(shape)


def mean(integral: FloatArray, covered: NDArray[np.int64]) -> FloatArray:
    """Time-weighted mean; NaN where nothing is covered.

    Examples
    --------
    >>> mean(np.array([30.0, 0.0]), np.array([10_000_000, 0]))
    array([ 3., nan])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(covered > 0, integral / (covered / 1e6), np.nan)
