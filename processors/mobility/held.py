"""What readings say between one and the next: time held, and time held times value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors import runs
from processors.state import held_until
from processors.windows import overlaps
from storage.reading import FloatArray, TimeArray


@dataclass(frozen=True, slots=True)
class Held:
    """Readings cut into the windows in which they hold.

    Attributes
    ----------
    reading : intp, shape (m,)
        Which reading.
    cell : int64, shape (m,)
        Row of its series times the number of windows, plus the window.
    seconds : float64, shape (m,)
        For how long. [s]
    shape : (int, int)
        Series and windows.
    readings : int
        How many there are, whether they hold in a window or not.
    """

    reading: NDArray[np.intp]
    cell: NDArray[np.int64]
    seconds: FloatArray
    shape: tuple[int, int]
    readings: int

    def sum(self, value: FloatArray | NDArray[np.bool_] | float = 1.0) -> FloatArray:
        """Seconds times what each reading is worth, by series and window; 0 where nothing holds."""
        worth = np.broadcast_to(np.asarray(value, np.float64), (self.readings,))[self.reading]
        size = self.shape[0] * self.shape[1]
        total: FloatArray = np.bincount(self.cell, worth * self.seconds, size).astype(np.float64)
        return total.reshape(self.shape)

    def mean(self, value: FloatArray | NDArray[np.bool_]) -> FloatArray:
        """Mean over the time in which something holds; NaN where nothing does."""
        seconds = self.sum()
        held = self.sum(value)
        return np.where(seconds > 0, held / np.where(seconds > 0, seconds, 1.0), np.nan)


def hold(
    row: NDArray[np.intp],
    time: TimeArray,
    step: NDArray[np.int64],
    edges: TimeArray,
    now: np.datetime64,
) -> Held:
    """How long each reading holds in each window.

    A reading holds until the next one, at most 2 steps (24 h where readings come only on
    change), never beyond ``now``: a feed that went silent says nothing.

    Parameters
    ----------
    row : intp, shape (m,)
        Row of each reading's series, ascending.
    time : datetime64[us], shape (m,)
        Ascending within a series.
    step : int64, shape (n,)
        Of every series; 0 where readings come only on change. [s]
    edges : datetime64[us], shape (p + 1,)
    now : datetime64

    Returns
    -------
    Held
        Of shape (n, p).

    References
    ----------
    .. [1] TimescaleDB Toolkit, time weighted averages: last observation carried forward.

    Examples
    --------
    >>> time = np.array(["2026-03-01T08:00", "2026-03-01T08:05"], "datetime64[us]")
    >>> edges = np.array(["2026-03-01T08:00", "2026-03-01T09:00"], "datetime64[us]")
    >>> held = hold(np.array([0, 0]), time, np.array([600]), edges, np.datetime64("2026-03-02"))
    >>> held.sum() / 60, held.mean(np.array([10.0, 20.0]))
    (array([[25.]]), array([[18.]]))
    """
    shape = len(step), len(edges) - 1
    if not len(row):
        nothing = np.empty(0, np.intp)
        return Held(nothing, nothing, np.empty(0), shape, 0)
    start = runs.starts(row)
    until = held_until(time, start, runs.lengths(start, len(row)), step[row[start]], now)
    reading, window, length = overlaps(time, until, edges)
    return Held(reading, row[reading] * shape[1] + window, length / 1e6, shape, len(row))
