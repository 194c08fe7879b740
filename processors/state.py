"""States: a reading tells the condition until the next one, for a while."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows
from storage.reading import TimeArray

STEPS_HELD = 2
HELD_ON_CHANGE_US = 24 * 3_600_000_000
"""How long a state is believed where readings come only on change. [us]"""


def held_until(
    time: TimeArray, start: Rows, length: Rows, step: NDArray[np.int64], now: np.datetime64
) -> TimeArray:
    """Until when each reading holds.

    A reading holds until the next one of its series, whatever that one's flag (a failed
    reading says that the state is unknown), at most 2 steps, 24 h without a step, and not
    beyond ``now``: nobody knows how long it will last.

    Parameters
    ----------
    time : datetime64[us], shape (n,)
        By (series, time).
    start, length : intp, shape (k,)
        The rows of each series.
    step : int64, shape (k,)
        0 where readings come only on change. [s]
    now : datetime64

    Returns
    -------
    datetime64[us], shape (n,)

    Examples
    --------
    >>> time = np.array(["2026-03-01T08:00", "2026-03-01T08:05"], "datetime64[us]")
    >>> held_until(time, np.array([0]), np.array([2]), np.array([600]),
    ...            np.datetime64("2026-03-01T12:00"))
    array(['2026-03-01T08:05:00.000000', '2026-03-01T08:25:00.000000'],
          dtype='datetime64[us]')
    """
    longest = np.where(step > 0, STEPS_HELD * 1_000_000 * step, HELD_ON_CHANGE_US)
    read = time.view(np.int64)
    end = read + np.repeat(longest, length)
    unlimited = end[start + length - 1]
    np.minimum(end[:-1], read[1:], out=end[:-1])
    end[start + length - 1] = unlimited
    np.minimum(end, now.astype("datetime64[us]").astype(np.int64), out=end)
    held: TimeArray = end.view("datetime64[us]")
    return held
