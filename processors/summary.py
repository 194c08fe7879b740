"""Summaries of series over windows: from readings, and from finer summaries.

What is kept are parts that add up (counts, sums, extremes, squared deviations, sketches),
so a day combined from hours equals a day computed from its readings.

References
----------
.. [1] Chan, Golub, LeVeque: Algorithms for computing the sample variance, The American
   Statistician 37 (1983), doi:10.1080/00031305.1983.10483115.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors import angle, level, sketch
from processors.runs import Rows, count, lengths, reduce, rows_of, starts
from processors.shares import flows, holds, tracks_of
from processors.windows import window_of
from storage.catalogue import Kind
from storage.reading import Batch, Flag, FlagArray, FloatArray, IntArray, TimeArray
from storage.rollup import Rollups
from storage.series import KIND_CODE, SeriesTable

INDEX, ANGLE, LEVEL, STATE = (
    KIND_CODE[kind] for kind in (Kind.INDEX, Kind.ANGLE, Kind.LEVEL, Kind.STATE)
)
FLOATS = ("sum", "min", "max", "m2", "first", "last", "x", "y")


@dataclass(frozen=True, slots=True)
class _Cells:
    """Runs of usable readings of one series in one window; none of them empty.

    ``position`` is the series' row in the table. Readings outside all windows make cells
    too (windows -1 and n), so that the cells cover the readings without holes.
    """

    position: Rows
    window: Rows
    start: Rows
    length: Rows


def summarise(
    batch: Batch, flag: FlagArray, table: SeriesTable, edges: TimeArray, now: np.datetime64
) -> Rollups:
    """Summarise readings over windows; columns as in :class:`storage.rollup.Rollups`.

    A window gets a row where a reading lies in it, and also where a share of an index
    interval or of a held state does.

    Parameters
    ----------
    batch : Batch of n rows
        By (series, time). Rows outside the windows only serve those within: an index
        wants two usable readings before and two after, a state the last reading before.
    flag : int16, shape (n,)
        Final flags, as :func:`processors.quality.assess` gives them.
    table : SeriesTable
    edges : datetime64[us], shape (w + 1,)
        Ascending; window k is ``[edges[k], edges[k + 1])``.
    now : datetime64
        Windows that end later are provisional, and states are held no longer than this.

    Returns
    -------
    Rollups
        By (series, start).

    Examples
    --------
    >>> from processors.windows import hours
    >>> from storage.reading import batch_of
    >>> table = SeriesTable(*(np.array([v], t) for v, t in [
    ...     (1, "i4"), (0, "i1"), (1200, "i8"), (-60, "f8"), (60, "f8"), (8, "f8"),
    ...     (np.nan, "f8"), (12, "f8"), (np.nan, "f8"), (0, "i2")]), zones=("UTC",))
    >>> batch = batch_of([m * 60_000_000 for m in (0, 20, 60)], [20, 22, 30], [1] * 3, [1] * 3)
    >>> edges = hours(np.datetime64(0, "h"), np.datetime64(2, "h"))
    >>> rows = summarise(batch, batch.flag, table, edges, np.datetime64(2, "h"))
    >>> rows.sum, rows.expected, rows.good
    (array([42., 30.]), array([3, 3], dtype=int32), array([2, 1], dtype=int32))
    """
    windows = len(edges) - 1
    window = window_of(batch.time, edges)
    first = starts(batch.series, window)
    position, window = table.position(batch.series[first]), window[first]
    size = lengths(first, len(batch))
    read = size - count(flag == Flag.MISSING, first)
    suspect = count(flag == Flag.SUSPECT, first)

    sound = flag < Flag.FAIL
    if sound.all():
        value, time, used = batch.value, batch.time, size
    else:
        value, time, used = batch.value[sound], batch.time[sound], count(sound, first)
    some = used > 0
    length = used[some]
    cells = _Cells(position[some], window[some], np.cumsum(length) - length, length)
    flow = flows(tracks_of(cells.position, length), time, value, table, edges)
    held = holds(tracks_of(position, size), batch.time, batch.value, sound, table, edges, now)

    # Rows of the answer: windows with readings, and those only a share reaches.
    inside = (window >= 0) & (window < windows)
    own = (position * windows + window)[inside]
    others = np.concatenate((flow.key, held.key))
    key = np.union1d(own, others) if len(others) else own
    counts = np.zeros((3, len(key)), np.int32)
    counts[:, np.searchsorted(key, own)] = np.stack((read, used - suspect, suspect))[:, inside]

    inside = inside[some]
    row = np.searchsorted(key, cells.position * windows + cells.window)
    kind = table.kind[cells.position]
    columns = {name: np.full(len(key), np.nan) for name in FLOATS}
    for name, part in _parts(cells, kind, value).items():
        columns[name][row[inside]] = part[inside]
    for share in (flow, held):
        to = np.searchsorted(key, share.key)
        for name, part in share.parts.items():
            columns[name][to] = part

    sketched = inside & ~np.isin(kind, (INDEX, ANGLE, STATE))
    code = sketch.codes(value if sketched.all() else value[np.repeat(sketched, length)])
    position, window = np.divmod(key, max(windows, 1))
    begin, end = edges[window], edges[window + 1]
    return Rollups(
        start=begin,
        **columns,
        series=table.series[position],
        expected=due(begin, end, table.step[position], now),
        received=counts[0],
        good=counts[1],
        suspect=counts[2],
        provisional=end > now,
        sketch=sketch.build(code, np.repeat(row[sketched], length[sketched]), len(key)),
    )


def due(start: TimeArray, end: TimeArray, step: NDArray[np.int64], now: np.datetime64) -> IntArray:
    """How many readings a window calls for: whole steps, of an open window those until now.

    At least 1, so that a coarse step never makes a window complete without a reading; 0
    where a series has no step [s].
    """
    elapsed = (np.minimum(end, now) - start).view(np.int64)
    whole = elapsed // np.maximum(step * 1_000_000, 1)
    return np.where(step > 0, np.maximum(whole, 1), 0).astype(np.int32)


def _parts(cells: _Cells, kind: NDArray[np.int8], value: FloatArray) -> dict[str, FloatArray]:
    """What the usable readings of each cell bring to the columns."""
    start, length = cells.start, cells.length
    if not len(start):
        return {}
    total = np.add.reduceat(value, start)
    # Deviations from the cell's own mean: squares of 4.2e8 would drown a variance of 1.
    deviation = np.repeat(total / length, length)
    np.subtract(value, deviation, out=deviation)
    np.square(deviation, out=deviation)
    part = {
        "sum": total,
        "min": np.minimum.reduceat(value, start),
        "max": np.maximum.reduceat(value, start),
        "m2": np.add.reduceat(deviation, start),
        "first": value[start],
        "last": value[start + length - 1],
        "x": np.full(len(start), np.nan),
        "y": np.full(len(start), np.nan),
    }
    for other in (LEVEL, ANGLE):
        chosen = np.flatnonzero(kind == other)
        if not len(chosen):
            continue
        rows = rows_of(start[chosen], length[chosen])
        begin = np.cumsum(length[chosen]) - length[chosen]
        if other == LEVEL:
            part["x"][chosen] = total[chosen]
            part["sum"][chosen] = np.add.reduceat(level.energy(value[rows]), begin)
        else:
            for name, component in zip("xy", angle.components(value[rows]), strict=True):
                part[name][chosen] = np.add.reduceat(component, begin)
    no_sum = np.isin(kind, (INDEX, ANGLE))
    part["sum"][no_sum] = part["m2"][no_sum] = np.nan
    part["min"][kind == ANGLE] = part["max"][kind == ANGLE] = np.nan
    return part


def combine(parts: Rollups, edges: TimeArray, table: SeriesTable, now: np.datetime64) -> Rollups:
    """Combine summaries of finer windows into those of longer ones.

    Equal to summarising the readings: exactly for counts, extremes and sketches, up to
    rounding for sums. A part belongs to the window its start lies in; parts outside all
    windows are left out.

    Parameters
    ----------
    parts : Rollups of n rows
        By (series, start).
    edges : datetime64[us], shape (w + 1,)
        Among the edges of the parts' windows.
    table : SeriesTable
    now : datetime64

    Returns
    -------
    Rollups
        By (series, start).
    """
    window = window_of(parts.start, edges)
    kept = np.flatnonzero((window >= 0) & (window < len(edges) - 1))
    series, window = parts.series[kept], window[kept]
    first = starts(series, window)
    of = np.repeat(np.arange(len(first)), lengths(first, len(kept)))
    kind = table.kind[table.position(series)]

    columns = {name: _total(getattr(parts, name)[kept], first) for name in ("sum", "x", "y")}
    columns["min"] = reduce(np.fmin, parts.min[kept], first)
    columns["max"] = reduce(np.fmax, parts.max[kept], first)
    known = np.flatnonzero(~np.isnan(parts.last[kept]))
    earliest = starts(of[known])
    latest = earliest + lengths(earliest, len(known)) - 1
    for name, found in (("first", known[earliest]), ("last", known[latest])):
        columns[name] = np.full(len(first), np.nan)
        columns[name][of[found]] = getattr(parts, name)[kept][found]

    # Chan's formula for any number of parts: what they vary within, and between.
    used = (parts.good + parts.suspect)[kept]
    size = reduce(np.add, used, first)[of]
    share = np.where(kind == LEVEL, parts.x[kept], parts.sum[kept])
    apart = share / np.where(used, used, np.nan)
    apart -= _total(share, first)[of] / np.where(size, size, np.nan)
    columns["m2"] = _total(parts.m2[kept] + used * apart**2, first)

    begin, end = edges[window[first]], edges[window[first] + 1]
    target = np.full(len(parts), len(first), np.intp)
    target[kept] = of
    return Rollups(
        start=begin,
        **columns,
        series=series[first],
        expected=due(begin, end, table.step[table.position(series[first])], now),
        received=reduce(np.add, parts.received[kept], first),
        good=reduce(np.add, parts.good[kept], first),
        suspect=reduce(np.add, parts.suspect[kept], first),
        provisional=end > now,
        sketch=sketch.merge(parts.sketch, target, len(first)),
    )


def _total(column: FloatArray, first: Rows) -> FloatArray:
    """Sum of what is known; NaN where nothing is, for nothing measured is not zero."""
    unknown = np.isnan(column)
    total = reduce(np.add, np.where(unknown, 0.0, column), first)
    if unknown.any():
        total[reduce(np.logical_and, unknown, first)] = np.nan
    return total
