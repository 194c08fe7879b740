"""Shares: what the intervals between readings bring to the windows they cross.

A register's increase and a held state belong to a time span, not to an instant; a span
that crosses edges is cut there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors import register, state
from processors.replacement import divide
from processors.runs import Rows, reduce, rows_of, starts
from processors.windows import overlaps
from storage.catalogue import Kind
from storage.reading import FloatArray, TimeArray
from storage.series import KIND_CODE, SeriesTable


@dataclass(frozen=True, slots=True)
class Shares:
    """Amounts for every (series, window) that some interval reaches, in that order.

    ``key`` is the series' row in the table times the number of windows, plus the window;
    ``parts`` are named as the columns of rollups that they fill.
    """

    key: Rows
    parts: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Where the readings of some series stand; ``position`` is the series' table row."""

    position: Rows
    start: Rows
    length: Rows

    def only(self, kind: Kind, table: SeriesTable) -> Tracks:
        """Those of one kind."""
        chosen = table.kind[self.position] == KIND_CODE[kind]
        return Tracks(self.position[chosen], self.start[chosen], self.length[chosen])


def tracks_of(position: Rows, length: Rows) -> Tracks:
    """The series in neighbouring runs of rows that each lie in one series."""
    first = starts(position)
    whole = reduce(np.add, length, first)
    return Tracks(position[first], np.cumsum(whole) - whole, whole)


def flows(
    tracks: Tracks, time: TimeArray, value: FloatArray, table: SeriesTable, edges: TimeArray
) -> Shares:
    """Increases of registers in each window, what of them was taken across gaps, and the
    seconds of which the increase is known.

    Readings are usable ones; intervals are split in proportion to time.
    """
    tracks = tracks.only(Kind.INDEX, table)
    rows, position = rows_of(tracks.start, tracks.length), tracks.position
    runs = divide(
        time[rows], value[rows], np.cumsum(tracks.length) - tracks.length,
        table.series[position], table.replaced,
    )  # fmt: skip
    position = position[runs.register]
    flow = register.increments(
        runs.time, runs.value, runs.start,
        table.step[position], table.register_max[position], table.rate_per_h[position],
    )  # fmt: skip
    interval, window, length = overlaps(flow.begin, flow.end, edges)
    whole = (flow.end - flow.begin).view(np.int64)[interval]
    amount = flow.amount[interval] * (length / whole)
    key = position[flow.register[interval]] * (len(edges) - 1) + window
    return _sum(key, sum=amount, x=amount * flow.gap[interval], y=length / 1e6)


def holds(
    tracks: Tracks,
    time: TimeArray,
    value: FloatArray,
    usable: NDArray[np.bool_],
    table: SeriesTable,
    edges: TimeArray,
    now: np.datetime64,
) -> Shares:
    """States times the seconds they were held in each window, and the seconds.

    Readings are all there are: one that is not usable ends the state before it.
    """
    tracks = tracks.only(Kind.STATE, table)
    rows = rows_of(tracks.start, tracks.length)
    begin, first = time[rows], np.cumsum(tracks.length) - tracks.length
    end = state.held_until(begin, first, tracks.length, table.step[tracks.position], now)
    telling = np.flatnonzero(usable[rows])
    interval, window, length = overlaps(begin[telling], end[telling], edges)
    row, seconds = telling[interval], length / 1e6
    key = np.repeat(tracks.position, tracks.length)[row] * (len(edges) - 1) + window
    return _sum(key, x=value[rows][row] * seconds, y=seconds)


def _sum(key: Rows, **parts: FloatArray) -> Shares:
    # Intervals of a series follow each other, so the keys never fall.
    first = starts(key)
    return Shares(key[first], {name: reduce(np.add, part, first) for name, part in parts.items()})
