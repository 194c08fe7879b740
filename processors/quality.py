"""Quality tests: a flag for every reading, in the words of QARTOD.

The tests know only *plausible*: what is inadmissible the collector has refused. They see
usable readings alone, those neither missing nor failed: a neighbour, a run without change
or a gap is always one of usable readings, so one -999 spoils nothing beside it.

References
----------
.. [1] U.S. IOOS: Manual for Real-Time Quality Control of in-situ data (QARTOD); flags,
   gross range, spike, rate of change and flat line tests.
.. [2] ioos_qc, ``qartod.py``: the order in which results override each other.
"""

from __future__ import annotations

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from processors import plausible
from processors.plausible import Tracks
from processors.runs import Rows, lengths, rows_of, starts
from storage.catalogue import Kind
from storage.reading import Batch, Flag, FlagArray, TimeArray
from storage.series import KIND_CODE, SeriesTable


class Check(IntFlag):
    """Which test a reading failed."""

    RANGE = 1
    SPIKE = 2
    FLAT = 4
    RATE = 8
    GAP = 16


def range_failures(batch: Batch, table: SeriesTable) -> Rows:
    """Rows whose value lies outside the admissible range; those called MISSING have none."""
    first = starts(batch.series)
    if not len(first):
        return first
    position = table.position(batch.series[first])
    low, high = table.low[position], table.high[position]
    # Whole series are cleared by their extremes.
    smallest = np.fmin.reduceat(batch.value, first)
    largest = np.fmax.reduceat(batch.value, first)
    doubtful = ~((np.isnan(low) | (smallest >= low)) & (np.isnan(high) | (largest <= high)))
    length = lengths(first, len(batch))[doubtful]
    rows = rows_of(first[doubtful], length)
    value = batch.value[rows]
    outside = (value < np.repeat(low[doubtful], length)) | (
        value > np.repeat(high[doubtful], length)
    )
    return rows[np.flatnonzero(outside & (batch.flag[rows] != Flag.MISSING))]


def usable(batch: Batch, table: SeriesTable) -> NDArray[np.bool_]:
    """Which rows the neighbour tests see: with a value, in range, not failed at the source."""
    sound = ~(np.isnan(batch.value) | (batch.flag >= Flag.FAIL))
    sound[range_failures(batch, table)] = False
    return sound


def assess(
    batch: Batch, table: SeriesTable, unchanged_since: TimeArray | None = None
) -> tuple[FlagArray, NDArray[np.int16]]:
    """Test every reading and combine the results with what its source said.

    The source's flag and the results override each other in the order MISSING <
    NOT_EVALUATED < GOOD < SUSPECT < FAIL. So NOT_EVALUATED becomes GOOD when a test could
    run and none failed. Two things are no vote but a fact: a reading without a value is
    MISSING, and what the source calls MISSING stays so. Tests with a NaN limit do not run.

    * range: outside ``low .. high`` is FAIL.
    * spike: above or below both neighbours, and further than the limit from their mean,
      is SUSPECT. Neighbours lie within 2 steps (2 h without a step). Not for angles and
      states. A spike pulls the mean its own neighbours are judged by, so one of those may
      be suspect with it.
    * rate of change: a change since the reading before, over no gap, faster than the
      limit is SUSPECT. Times shorter than the step or 15 min count as that: a jittering clock
      makes no rate. Not for angles and states.
    * flat line: without any change for ``flat_h`` hours or longer is SUSPECT, from the
      reading that completes the time. Unusable readings and gaps do not break the run.
    * gap: more than 2 steps since the reading before. Informative: leaves the flag alone.

    Parameters
    ----------
    batch : Batch of n rows
        By (series, time). Rows near the ends of a series want their neighbours in the
        batch: one on each side. Never altered.
    table : SeriesTable
    unchanged_since : datetime64[us], shape (number of distinct series,), optional
        In order of first appearance: since when the usable readings of the series have
        had the value of its first usable reading (see :func:`usable`) in this batch. NaT
        where unknown: the run then begins in the batch.

    Returns
    -------
    flag : int16, shape (n,)
        Final flag.
    tests : int16, shape (n,)
        Failed tests, as bits of :class:`Check`.

    Examples
    --------
    >>> from storage.reading import batch_of
    >>> table = SeriesTable(*(np.array([v], t) for v, t in [
    ...     (1, "i4"), (0, "i1"), (600, "i8"), (-60, "f8"), (60, "f8"), (8, "f8"),
    ...     (np.nan, "f8"), (12, "f8"), (np.nan, "f8"), (0, "i2")]), zones=("UTC",))
    >>> minutes = [0, 10, 20, 30, 70]
    >>> batch = batch_of([m * 60_000_000 for m in minutes], [20, 35, 20, 85, 21], [1] * 5, [2] * 5)
    >>> assess(batch, table)
    (array([1, 3, 1, 4, 1], dtype=int16), array([ 0,  2,  0,  1, 16], dtype=int16))
    """
    flag = batch.flag.copy()
    tests = np.zeros(len(batch), np.int16)
    if not len(batch):
        return flag, tests
    failed = range_failures(batch, table)
    tracks, row = _tracks(batch, table, failed, unchanged_since)

    evaluated = _evaluated(batch, table, tracks, row)
    np.copyto(flag, Flag.GOOD, where=evaluated & (flag == Flag.NOT_EVALUATED))
    for test, rows in (
        (Check.SPIKE, plausible.spikes(tracks)),
        (Check.RATE, plausible.rates(tracks)),
        (Check.FLAT, plausible.flats(tracks)),
    ):
        found = rows if row is None else row[rows]
        tests[found] |= test
        flag[found] = Flag.SUSPECT
    gaps = plausible.gaps(tracks)
    tests[gaps if row is None else row[gaps]] |= Check.GAP
    tests[failed] |= Check.RANGE
    flag[failed] = Flag.FAIL
    missing = (batch.flag == Flag.MISSING) | np.isnan(batch.value)
    np.copyto(flag, Flag.MISSING, where=missing)
    return flag, tests


def overruled(flag: FlagArray, tests: NDArray[np.int16], row: Rows, said: FlagArray) -> FlagArray:
    """Flags after people had the last word.

    Two facts stand against it, for no number could be used all the same: a missing reading
    stays MISSING, one outside the admissible range stays FAIL.

    Parameters
    ----------
    flag, tests : int16, shape (n,)
        From :func:`assess`, whose batch had the people's flags for the source's. Never altered.
    row, said : intp, int16, shape (k,)
        Rows that people flagged, and as what.

    References
    ----------
    .. [1] QARTOD manuals: the operator in the loop may override every test.

    Examples
    --------
    >>> flag, tests = np.array([3, 1, 9, 4], np.int16), np.array([2, 0, 0, 1], np.int16)
    >>> overruled(flag, tests, np.array([0, 1, 2, 3]), np.array([1, 4, 1, 1], np.int16))
    array([1, 4, 9, 4], dtype=int16)
    """
    final = flag.copy()
    open_ = (flag[row] != Flag.MISSING) & ((tests[row] & Check.RANGE) == 0)
    final[row[open_]] = said[open_]
    return final


def _tracks(
    batch: Batch, table: SeriesTable, failed: Rows, unchanged_since: TimeArray | None
) -> tuple[Tracks, Rows | None]:
    """The usable readings, and the rows they came from; ``None`` where those are all rows."""
    first = starts(batch.series)
    position = table.position(batch.series[first])
    length = lengths(first, len(batch))
    since = np.full(len(first), plausible.NEVER)
    if unchanged_since is not None:
        known = ~np.isnat(unchanged_since)
        since[known] = unchanged_since.astype("datetime64[us]").view(np.int64)[known]

    value, time, row = batch.value, batch.time.view(np.int64), None
    if len(failed) or batch.flag.max() >= Flag.FAIL or np.isnan(value).any():
        sound = ~(np.isnan(value) | (batch.flag >= Flag.FAIL))
        sound[failed] = False
        row = np.flatnonzero(sound)
        value, time = value[row], time[row]
        length = np.add.reduceat(sound, first, dtype=np.intp)
        some = length > 0
        length, position, since = length[some], position[some], since[some]
        first = np.cumsum(length) - length

    jump = np.empty_like(value)
    np.subtract(value[1:], value[:-1], out=jump[1:])
    jump[first] = 0.0
    steady = np.isin(table.kind[position], (KIND_CODE[Kind.ANGLE], KIND_CODE[Kind.STATE]))
    tracks = Tracks(
        value, time, jump, first, length, table.step[position] * 1_000_000,
        np.where(steady, np.nan, table.spike[position]),
        np.where(steady, np.nan, table.rate_per_h[position]),
        table.flat_h[position], since,
    )  # fmt: skip
    return tracks, row


def _evaluated(
    batch: Batch, table: SeriesTable, tracks: Tracks, row: Rows | None
) -> NDArray[np.bool_]:
    """Where a test could run: always with a range or a flat line limit, else near others."""
    first = starts(batch.series)
    position = table.position(batch.series[first])
    always = ~(
        np.isnan(table.low[position])
        & np.isnan(table.high[position])
        & np.isnan(table.flat_h[position])
    )
    if always.all():
        return np.ones(len(batch), np.bool_)
    evaluated = np.repeat(always, lengths(first, len(batch)))
    near = plausible.neighbours_before(tracks, np.arange(len(tracks.time)))
    on_both_sides = near & np.append(near[1:], np.False_)
    joined = near | tracks.spread(tracks.step == 0)
    joined[tracks.start] = False
    beside = (joined & tracks.spread(~np.isnan(tracks.rate))) | (
        on_both_sides & tracks.spread(~np.isnan(tracks.spike))
    )
    evaluated[np.flatnonzero(beside) if row is None else row[beside]] = True
    return evaluated
