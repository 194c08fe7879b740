"""Readings of a slice with those beside it, and how far a changed reading reaches.

A result of a window may depend on readings outside it: a spike on both neighbours, a
flat line on all of its run, a register's increase on the reading before, a state on the
last one known. What a window needs is loaded with it; which windows a change reaches is
found by the same rules, read the other way.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray

from processors import quality, state
from processors.dirty import Slice, Spans, merge
from processors.runs import starts
from storage import windows
from storage.catalogue import Domain, Kind
from storage.reading import Batch, Flag, FlagArray, FloatArray, IntArray, TimeArray
from storage.series import KIND_CODE, SeriesTable
from storage.windows import Places

BESIDE = 3
"""Usable readings wanted on each side: a register looks three back and ahead, and the flag
of the first neighbour depends on the second."""

MARGIN_STEPS = 4
"""The neighbours of most series lie this near, and come with the slice's own readings."""

MOST = 0.9
"""From this share of a domain's series on, all are read and the others left out here."""

MOMENT = np.timedelta64(1, "us")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What kernels need of a slice.

    Attributes
    ----------
    batch : Batch
        By (series, time), with the readings beside; a person's flag stands for the source's.
    said_row, said : intp, int16, shape (k,)
        Rows that people flagged, and as what: see :func:`processors.quality.overruled`.
    unchanged_since : datetime64[us], shape (number of series in the batch,)
        As :func:`processors.quality.assess` wants it.
    """

    batch: Batch
    said_row: NDArray[np.intp]
    said: FlagArray
    unchanged_since: TimeArray


async def load(
    connection: asyncpg.Connection, domain: Domain, piece: Slice, table: SeriesTable
) -> Loaded:
    """The readings of a slice and those beside it."""
    margin = _margin(piece, table)
    low, high = piece.start - margin, piece.stop + margin
    # Naming nearly every series costs the server as much again as reading them all.
    most = len(piece.series) > MOST * len(table.series)
    batch = await windows.readings_between(
        connection, domain, low, high, None if most else piece.series
    )
    if most and len(piece.series) < len(table.series):
        batch = batch.take(np.isin(batch.series, piece.series))
    said = await windows.person_flags(connection, domain, low, high, piece.series)
    row, flags = _rows_said(batch, said)
    flag = batch.flag.copy()
    flag[row] = np.where(flag[row] == Flag.MISSING, flag[row], flags)
    batch = Batch(batch.time, batch.value, batch.series, flag)
    sound = quality.usable(batch, table)
    outer = [
        await _missing(connection, domain, piece, table, batch, sound, side, at)
        for side, at in (("before", low), ("after", high))
    ]
    outer.append(await _last_states(connection, domain, piece, table, batch, low))
    batch = _insert(batch, outer)
    since = await _unchanged(connection, domain, table, batch, piece)
    return Loaded(batch, *_rows_said(batch, said), since)


def _margin(piece: Slice, table: SeriesTable) -> np.timedelta64:
    """Some steps of most of the series, while that is little beside the slice itself."""
    step = np.median(table.step[table.position(piece.series)])
    seconds = min(MARGIN_STEPS * float(step), (piece.stop - piece.start) / np.timedelta64(10, "s"))
    return np.timedelta64(int(seconds), "s")


async def _missing(
    connection: asyncpg.Connection,
    domain: Domain,
    piece: Slice,
    table: SeriesTable,
    batch: Batch,
    sound: NDArray[np.bool_],
    side: str,
    at: np.datetime64,
) -> Batch:
    """Usable readings beyond the margin, of series that have too few within it."""
    beyond = batch.time < piece.start if side == "before" else batch.time >= piece.stop
    seen = np.searchsorted(piece.series, batch.series[np.flatnonzero(beyond & sound)])
    few = np.bincount(seen, minlength=len(piece.series)) < BESIDE
    at_ = places(table, piece.series[few], np.full(int(few.sum()), at))
    probe = windows.before if side == "before" else windows.after
    return _of_series(await probe(connection, domain, at_, BESIDE), at_)


async def _last_states(
    connection: asyncpg.Connection,
    domain: Domain,
    piece: Slice,
    table: SeriesTable,
    batch: Batch,
    at: np.datetime64,
) -> Batch:
    """The last reading before of states that have none in the margin, usable or not: a
    failed one says that the state is unknown."""
    seen = np.unique(batch.series[batch.time < piece.start])
    states = table.kind[table.position(piece.series)] == KIND_CODE[Kind.STATE]
    some = piece.series[states & ~np.isin(piece.series, seen)]
    at_ = places(table, some, np.full(len(some), at))
    return _of_series(await windows.before(connection, domain, at_, 1, usable=False), at_)


async def _unchanged(
    connection: asyncpg.Connection, domain: Domain, table: SeriesTable, batch: Batch, piece: Slice
) -> TimeArray:
    """Since when the first usable reading of each series had its value, where that matters:
    where its run without change goes on into the slice."""
    series = batch.series[starts(batch.series)]
    since = np.full(len(series), np.datetime64("NaT"), "datetime64[us]")
    tested = ~np.isnan(table.flat_h[table.position(series)])
    sound = np.flatnonzero(quality.usable(batch, table))
    run = starts(batch.series[sound], batch.value[sound])
    last = np.append(run[1:], len(sound))[: len(run)] - 1
    leading = starts(batch.series[sound[run]])
    first, last = sound[run[leading]], sound[last[leading]]
    first = first[(first < last) & (batch.time[last] >= piece.start)]
    place = np.searchsorted(series, batch.series[first])
    head = batch.take(first[tested[place]])
    since[place[tested[place]]] = await windows.unchanged_since(
        connection, domain, places(table, head.series, head.time), head.value,
        table.flat_h[table.position(head.series)],
    )  # fmt: skip
    return since


async def reach(
    connection: asyncpg.Connection,
    domain: Domain,
    changed: Spans,
    table: SeriesTable,
    now: np.datetime64,
) -> Spans:
    """Where results may differ after readings in ``changed`` did.

    * The reading before may have become a spike, or none.
    * The reading after may be another change, gap, spike; its run without change may have
      begun earlier or later, so all of that run up to where it is flat in any case.
    * Register: all between the third usable readings before and after.
    * State: as long as it is held.
    """
    if not len(changed):
        return changed
    position = table.position(changed.series)
    kind = table.kind[position]
    index = kind == KIND_CODE[Kind.INDEX]
    back = index | ~np.isnan(table.spike[position])
    parts = [changed, held(changed, table, now)]

    some = changed.take(back)
    found = await windows.before(connection, domain, places(table, some.series, some.start), BESIDE)
    farthest, nearest = _ends(found)
    place = found.series[farthest]
    flows = index[back][place]
    parts.append(Spans(some.series[place], found.time[nearest], found.time[nearest] + MOMENT))
    parts.append(Spans(some.series[place], found.time[farthest], some.start[place]).take(flows))

    found = await windows.after(
        connection, domain, places(table, changed.series, changed.stop), BESIDE
    )
    nearest, farthest = _ends(found)
    place = found.series[nearest]
    series, time = changed.series[place], found.time[nearest]
    parts.append(Spans(series, time, time + MOMENT))
    parts.append(
        Spans(series, changed.stop[place], found.time[farthest] + MOMENT).take(index[place])
    )
    flat = ~np.isnan(table.flat_h[position[place]])
    until = await windows.unchanged_until(
        connection, domain, places(table, series[flat], time[flat]), found.value[nearest[flat]],
        table.flat_h[position[place[flat]]],
    )  # fmt: skip
    parts.append(Spans(series[flat], time[flat], until))
    return merge(parts)


def held(spans: Spans, table: SeriesTable, now: np.datetime64) -> Spans:
    """As long after spans as a state of their series could still be held."""
    position = table.position(spans.series)
    chosen = table.kind[position] == KIND_CODE[Kind.STATE]
    some, step = spans.take(chosen), table.step[position[chosen]]
    longest = np.where(step > 0, state.STEPS_HELD * 1_000_000 * step, state.HELD_ON_CHANGE_US)
    return Spans(
        some.series,
        some.stop,
        np.minimum(some.stop + longest.view("timedelta64[us]"), now.astype("datetime64[us]")),
    )


def places(table: SeriesTable, series: IntArray, time: TimeArray) -> Places:
    """Where to look beside, with what is usable there."""
    position = table.position(series)
    low: FloatArray = table.low[position]
    return Places(series, time.astype("datetime64[us]"), low, table.high[position])


def _ends(found: Batch) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last row of every place that has some."""
    first = starts(found.series)
    return first, np.append(first[1:], len(found))[: len(first)] - 1


def _of_series(found: Batch, at: Places) -> Batch:
    """Rows numbered by place, named by series."""
    return Batch(found.time, found.value, at.series[found.series], found.flag)


def _rows_said(batch: Batch, said: Batch) -> tuple[NDArray[np.intp], FlagArray]:
    """Which rows people flagged, and as what; a flag whose reading is not there is left out."""
    rows, flags = [np.empty(0, np.intp)], [np.empty(0, np.int16)]
    for series in np.unique(said.series) if len(batch) else ():
        low, high = np.searchsorted(batch.series, [series, series + 1])
        mine = said.take(said.series == series)
        row = np.minimum(np.searchsorted(batch.time[low:high], mine.time) + low, len(batch) - 1)
        hit = (batch.time[row] == mine.time) & (batch.series[row] == series)
        rows.append(row[hit])
        flags.append(mine.flag[hit])
    return np.concatenate(rows), np.concatenate(flags)


def _insert(batch: Batch, outer: list[Batch]) -> Batch:
    """Few readings into many, without sorting the many.

    All of ``outer`` lie before or after the batch's own of their series.
    """
    names = ("time", "value", "series", "flag")
    more = Batch(*(np.concatenate([getattr(part, n) for part in outer]) for n in names))
    if not len(more):
        return batch
    more = more.in_key_order()
    twice = (more.series[1:] == more.series[:-1]) & (more.time[1:] == more.time[:-1])
    more = more.take(np.append(True, ~twice))
    low = np.searchsorted(batch.series, more.series)
    high = np.searchsorted(batch.series, more.series, side="right")
    early = np.zeros(len(more), np.bool_)
    own = low < high
    early[own] = more.time[own] < batch.time[low[own]]
    at = np.where(early, low, high)
    return Batch(*(np.insert(getattr(batch, n), at, getattr(more, n)) for n in names))


def worth_keeping(tests: NDArray[np.int16], time: TimeArray, piece: Slice) -> NDArray[np.bool_]:
    """Which readings of a slice failed a test; a gap before alone is no fault of theirs."""
    failed: NDArray[np.bool_] = (tests & ~np.int16(quality.Check.GAP)) != 0
    return failed & (time >= piece.start) & (time < piece.stop)
