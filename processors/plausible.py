"""Quality tests that compare a reading with those beside it.

They work on the usable readings of many series at once. A test first picks, by one cheap
comparison, the few readings that could fail it, and judges those alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows, lengths, starts
from storage.reading import FloatArray

STEPS_TO_GAP = 2
"""Readings further apart than this many steps have a gap between them."""

REACH_US = 2 * 3_600_000_000
"""How near a neighbour must be where a series has no step. [us]"""

NEVER = np.iinfo(np.int64).max
"""A time that does not come. [us]"""

RATE_US = 900_000_000
"""No change counts as faster than over this: a step of a sensor's resolution within ten
seconds is no rate. [us]"""

_HOUR_US = 3.6e9


@dataclass(frozen=True, slots=True)
class Tracks:
    """The usable readings of every series that has some, with its limits.

    ``value``, ``time`` [us] and ``jump`` (difference to the reading before, 0 for a first
    one) have a row per reading, all else one per series. ``since`` is the start of the
    first reading's run without change, :data:`NEVER` where unknown [us].
    """

    value: FloatArray
    time: NDArray[np.int64]
    jump: FloatArray
    start: Rows
    length: Rows
    step: NDArray[np.int64]
    spike: FloatArray
    rate: FloatArray
    flat: FloatArray
    since: NDArray[np.int64]

    def of(self, rows: Rows) -> Rows:
        """Which series each reading belongs to."""
        return np.searchsorted(self.start, rows, side="right") - 1

    def spread(self, column: NDArray[Any]) -> NDArray[Any]:
        """A value per series, repeated for its readings."""
        return np.repeat(column, self.length)


def neighbours_before(tracks: Tracks, rows: Rows) -> NDArray[np.bool_]:
    """Whether these readings have a neighbour before them."""
    of = tracks.of(rows)
    reach = np.where(tracks.step > 0, STEPS_TO_GAP * tracks.step, REACH_US)
    near: NDArray[np.bool_] = tracks.time[rows] - tracks.time[rows - 1] <= reach[of]
    return near & (rows > tracks.start[of])


def neighbours_beside(tracks: Tracks, rows: Rows) -> NDArray[np.bool_]:
    """Whether these readings have a neighbour on each side; none is the very last one."""
    return neighbours_before(tracks, rows) & neighbours_before(tracks, rows + 1)


def spikes(tracks: Tracks) -> Rows:
    """Readings above or below both neighbours, and too far from their mean."""
    if np.isnan(tracks.spike).all():
        return np.empty(0, np.intp)
    # A deviation beyond the limit needs a jump beyond it, to the reading or from it.
    steep = np.flatnonzero(np.abs(tracks.jump) > tracks.spread(tracks.spike))
    rows = np.union1d(steep, steep - 1)
    rows = rows[(rows > 0) & (rows < len(tracks.value) - 1)]
    back, ahead = tracks.jump[rows], -tracks.jump[rows + 1]
    outside = np.sign(back) * np.sign(ahead) > 0
    far = np.abs(back + ahead) / 2 > tracks.spike[tracks.of(rows)]
    return rows[np.flatnonzero(outside & far & neighbours_beside(tracks, rows))]


def rates(tracks: Tracks) -> Rows:
    """Readings that changed too fast since the one before."""
    if np.isnan(tracks.rate).all():
        return np.empty(0, np.intp)
    # No interval counts as shorter than a step or RATE_US, so a rate beyond the limit needs
    # this jump.
    enough = tracks.rate * (np.maximum(tracks.step, RATE_US) / _HOUR_US)
    rows = np.flatnonzero(np.abs(tracks.jump) > tracks.spread(enough))
    of = tracks.of(rows)
    interval, step = tracks.time[rows] - tracks.time[rows - 1], tracks.step[of]
    joined = (step == 0) | (interval <= STEPS_TO_GAP * step)
    over = np.maximum(np.maximum(interval, step), RATE_US)
    fast = np.abs(tracks.jump[rows]) > tracks.rate[of] * (over / _HOUR_US)
    return rows[np.flatnonzero(fast & joined)]


def gaps(tracks: Tracks) -> Rows:
    """Readings more than two steps after the one before."""
    limit = np.where(tracks.step > 0, STEPS_TO_GAP * tracks.step, NEVER)
    late = np.zeros(len(tracks.time), np.bool_)
    np.greater(np.diff(tracks.time), tracks.spread(limit)[1:], out=late[1:])
    late[tracks.start] = False
    return np.flatnonzero(late)


def flats(tracks: Tracks) -> Rows:
    """Readings that have been the same for too long."""
    # Only series watched long enough can have stayed flat for long enough.
    oldest = np.minimum(tracks.since, tracks.time[tracks.start])
    watched = tracks.time[tracks.start + tracks.length - 1] - oldest
    limit = tracks.flat * _HOUR_US
    if not (watched >= limit).any():
        return np.empty(0, np.intp)
    same = tracks.jump == 0.0
    same[tracks.start] = tracks.since != NEVER
    repeats = np.flatnonzero(same)
    # A run is a chain of repeats of one series; its first value is the reading before the
    # chain, or older than all where the chain holds the series' first reading.
    track = tracks.of(repeats)
    chain = starts(track, repeats - np.arange(len(repeats)))
    lead, of = repeats[chain], track[chain]
    begun = np.where(lead == tracks.start[of], oldest[of], tracks.time[lead - 1])
    lasted = tracks.time[repeats] - np.repeat(begun, lengths(chain, len(repeats)))
    return repeats[np.flatnonzero(lasted >= limit[track])]
