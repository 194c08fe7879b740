"""Cumulative registers: what flowed between two readings of a meter.

Energy and volumes are extensive: a difference belongs to the whole interval between its
readings and is split over windows in proportion, so no split ever loses or gains any.

References
----------
.. [1] TimescaleDB Toolkit, ``counter_agg``: the true increase after a restart from zero
   is the new reading.
.. [2] Home Assistant, ``sensor/recorder``: a small decrease of a total is noise, no restart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows, lengths
from storage.reading import FloatArray, TimeArray

FULL, EMPTY = 0.9, 0.1
"""A register that rolls over was above 0.9 and is below 0.1 of its range."""

NOISE = 0.001
"""A decrease up to this share of the reading before is noise."""

RESTARTED = 0.5
"""A meter that restarted from zero shows at most this share of the reading before."""

LONGEST_US = 31 * 86_400_000_000
"""Longer intervals say nothing about the windows within. [us]"""

STEPS_TO_GAP = 2
_HOUR_US = 3.6e9


@dataclass(frozen=True, slots=True)
class Increments:
    """What flowed in the intervals ``[begin, end)``; each array of shape (m,).

    ``register`` counts the registers as given; ``amount`` is in the register's unit;
    ``gap`` marks intervals longer than 2 steps, over which time within is interpolated.
    """

    register: Rows
    begin: TimeArray
    end: TimeArray
    amount: FloatArray
    gap: NDArray[np.bool_]


def increments(
    time: TimeArray,
    value: FloatArray,
    start: Rows,
    step: NDArray[np.int64],
    register_max: FloatArray,
    rate_per_h: FloatArray,
) -> Increments:
    """Differences of consecutive readings, with rollovers and restarts undone.

    * A reading of exactly 0 is ignored where the next one is back at or above the one
      before: a default of the transmission, no restart.
    * A single reading that only flows faster than ``rate_per_h`` could explain is ignored
      likewise, where the next one goes on from the one before. Two in a row are no spike.
    * A decrease from ``>= 0.9 R`` to ``<= 0.1 R`` is a rollover: R is added.
    * A decrease by at most 0.1 % is noise and counted as it is: it cancels against the
      increase that follows, wherever a window or a batch begins.
    * A decrease to at most half is a restart from zero: the reading is the increase.
    * Any other decrease is an exchange for a meter that had run before: nobody knows.

    Unknown increases are left out, and so are those over more than 31 days and those
    faster than ``rate_per_h`` (an interval counts as one step at least): until a second
    reading confirms it, a leap is neither consumption nor a new meter. All of it looks at
    most three usable readings back and ahead.

    Parameters
    ----------
    time : datetime64[us], shape (n,)
        Of usable readings, by (register, time).
    value : float64, shape (n,)
        [unit]
    start : intp, shape (k,)
        First row of each register.
    step : int64, shape (k,)
        [s]
    register_max : float64, shape (k,)
        R, where the register returns to zero; NaN if unknown. [unit]
    rate_per_h : float64, shape (k,)
        NaN if any is possible. [unit/h]

    Examples
    --------
    >>> hours = np.arange(4) * np.timedelta64(1, "h") + np.datetime64("2026-03-01", "us")
    >>> increments(hours, np.array([99_980.0, 99_985.0, 12.0, 14.0]), np.array([0]),
    ...            np.array([3600]), np.array([100_000.0]), np.array([np.nan])).amount
    array([ 5., 27.,  2.])
    """
    register = np.repeat(np.arange(len(start)), lengths(start, len(time)))
    kept = ~_spikes(time, value, register, step, rate_per_h)
    if not kept.all():
        time, value, register = time[kept], value[kept], register[kept]

    row = np.flatnonzero(register[1:] == register[:-1])
    register, begin, end = register[row], time[row], time[row + 1]
    before, after = value[row], value[row + 1]
    amount = after - before
    fallen = np.flatnonzero(amount < 0)
    if len(fallen):
        amount[fallen] = _after_fall(before[fallen], after[fallen], register_max[register[fallen]])

    interval, step_us = (end - begin).view(np.int64), step[register] * 1_000_000
    fastest = _fastest(interval, register, step, rate_per_h)
    # Comparisons with NaN are false: an unknown limit allows all, an unknown amount goes.
    known = np.flatnonzero((interval <= LONGEST_US) & ~np.isnan(amount) & ~(amount > fastest))
    gap = (step_us > 0) & (interval > STEPS_TO_GAP * step_us)
    return Increments(register[known], begin[known], end[known], amount[known], gap[known])


def _fastest(
    interval: NDArray[np.int64], register: Rows, step: NDArray[np.int64], rate_per_h: FloatArray
) -> FloatArray:
    """The largest possible increases over intervals [us]; NaN if any is possible. [unit]"""
    return rate_per_h[register] * (np.maximum(interval, step[register] * 1_000_000) / _HOUR_US)


def _spikes(
    time: TimeArray,
    value: FloatArray,
    register: Rows,
    step: NDArray[np.int64],
    rate_per_h: FloatArray,
) -> NDArray[np.bool_]:
    """Single readings in a register that goes on as if nothing had happened."""
    found = np.zeros(len(value), np.bool_)
    # What lies outside its neighbours' values is a candidate; in a going register few are.
    row = 1 + np.flatnonzero(
        (value[1:-1] > value[2:]) | (value[1:-1] < value[:-2])
    )  # fmt: skip
    same = (register[row - 1] == register[row]) & (register[row] == register[row + 1])
    row = row[same & (value[row + 1] >= value[row - 1])]
    before, at, after = value[row - 1], value[row], value[row + 1]
    instant = time.view(np.int64)
    come, left = instant[row] - instant[row - 1], instant[row + 1] - instant[row]
    limits = (register[row], step, rate_per_h)
    # Comparisons with NaN are false: without a limit only zeros are known to be wrong.
    leap = (at - before > _fastest(come, *limits)) | (after - at > _fastest(left, *limits))
    back = after - before <= _fastest(come + left, *limits)
    found[row[((at == 0.0) & (before > 0.0)) | (leap & back)]] = True
    # Which of two in a row is wrong nobody knows.
    alone = found.copy()
    alone[1:] &= ~found[:-1]
    alone[:-1] &= ~found[1:]
    return alone


def _after_fall(before: FloatArray, after: FloatArray, register_max: FloatArray) -> FloatArray:
    """Increases behind readings that went down; NaN where unknown."""
    rollover = (before >= FULL * register_max) & (after <= EMPTY * register_max)
    noise = before - after <= NOISE * before
    restart = (after >= 0.0) & (after <= RESTARTED * before)
    return np.select(
        [rollover, noise, restart],
        [after - before + register_max, after - before, after],
        np.nan,
    )
