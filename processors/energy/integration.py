"""Energy from power: readings hold until the next one, or lie on straight lines.

Which of the two is right depends on the device, so it is declared. Either speaks for two
reporting steps at most: what a silent meter drew nobody knows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows
from processors.state import HELD_ON_CHANGE_US, STEPS_HELD
from processors.time_weight import integrate
from processors.windows import overlaps
from storage.reading import FloatArray, TimeArray

METHODS = ("locf", "trapezoid")
"""Ways to integrate, by position."""


class Energy(NamedTuple):
    """What flowed in windows, 0 where nothing is known, and of how much time; shape (k, w)."""

    amount: FloatArray
    known: FloatArray


def energy(
    time: TimeArray,
    value: FloatArray,
    row: Rows,
    step: NDArray[np.integer],
    edges: TimeArray,
    *,
    now: np.datetime64,
    method: str = "locf",
) -> Energy:
    """Integrate active power over windows.

    ``locf`` carries the last observation forward for at most 2 steps (24 h where readings
    come only on change). ``trapezoid`` joins readings that are at most as far apart, and
    says nothing after the last one.

    Parameters
    ----------
    time : datetime64[us], shape (m,)
    value : float64, shape (m,)
        Active power; apparent power (VA) is none. [kW]
    row : intp, shape (m,)
        Series of each reading, below k; by (row, time).
    step : int, shape (k,)
        0 where readings come only on change. [s]
    edges : datetime64[us], shape (w + 1,)
    now : datetime64
        Nothing holds longer.
    method : str
        One of :data:`METHODS`.

    Returns
    -------
    Energy
        [kWh], [s]

    References
    ----------
    .. [1] TimescaleDB Toolkit, docs/time_weighted_average.md: LOCF and linear.

    Examples
    --------
    1 kW at 0 s, 2 kW at 600 s, 0.5 kW at 1800 s; 3.9 MJ until 3600 s:

    >>> at = np.array([0, 600, 1800]).astype("datetime64[s]").astype("datetime64[us]")
    >>> hour = np.array([0, 3600]).astype("datetime64[s]").astype("datetime64[us]")
    >>> one = at, np.array([1.0, 2.0, 0.5]), np.zeros(3, int), np.array([900]), hour
    >>> energy(*one, now=hour[1]).amount.round(6)
    array([[1.083333]])
    >>> energy(*one, now=hour[1], method="trapezoid").amount.round(6)
    array([[0.666667]])
    """
    longest = np.where(step > 0, STEPS_HELD * 1_000_000 * step.astype(np.int64), HELD_ON_CHANGE_US)
    found, covered = integrate(
        time, value, row, len(step), edges, now=now,
        hold=longest.astype("timedelta64[us]")[row],
        between="held" if method == "locf" else "linear",
    )  # fmt: skip
    return Energy(found / 3600, covered / 1e6)


def spread(
    begin: TimeArray, end: TimeArray, amount: FloatArray, row: Rows, rows: int, edges: TimeArray
) -> Energy:
    """Energies of intervals, split over windows in proportion to time.

    Parameters
    ----------
    begin, end : datetime64[us], shape (m,)
        Intervals ``[begin, end)`` that do not overlap within a series.
    amount : float64, shape (m,)
        [kWh]
    row : intp, shape (m,)
        Series of each, below ``rows``.
    edges : datetime64[us], shape (w + 1,)

    Returns
    -------
    Energy
        [kWh], [s]

    Examples
    --------
    >>> at = np.array(["2026-03-01T00:10", "2026-03-01T03:10"], "datetime64[us]")
    >>> hour = np.arange("2026-03-01T00", "2026-03-01T05", dtype="datetime64[h]")
    >>> one = at[:1], at[1:], np.array([12.0]), np.array([0]), 1, hour.astype("datetime64[us]")
    >>> spread(*one).amount.round(3)
    array([[3.333, 4.   , 4.   , 0.667]])
    """
    interval, window, length = overlaps(begin, end, edges)
    whole = (end - begin).astype(np.int64)[interval]
    cell = row[interval] * (len(edges) - 1) + window
    shape = rows, len(edges) - 1
    share = amount[interval] * (length / whole)
    return Energy(
        np.bincount(cell, share, rows * shape[1]).astype(np.float64).reshape(shape),
        np.bincount(cell, length / 1e6, rows * shape[1]).astype(np.float64).reshape(shape),
    )
