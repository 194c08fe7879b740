"""Rollups of many series as tables: a row per series, a column per window.

Kernels of indicators work on such tables, all series at once. What is not stored is NaN
(or 0, of counts): a frame never invents a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors import angle, level
from processors.runs import Rows
from storage.catalogue import Kind
from storage.reading import FloatArray, IntArray, TimeArray
from storage.rollup import Sketches
from storage.roster import Roster

FLOATS = ("sum", "min", "max", "m2", "first", "last", "x", "y")
COUNTS = ("expected", "received", "good", "suspect")


@dataclass(frozen=True, slots=True)
class Frame:
    """Rollups of n series over w windows.

    Attributes
    ----------
    roster : Roster of n rows
        Who the rows are.
    edges : datetime64[us], shape (w + 1,)
        Of the windows, of one length; window k is ``[edges[k], edges[k + 1])``.
    row, column : intp, shape (m,)
        Where each stored rollup stands.
    parts : columns of :class:`storage.rollup.Rollups`, each of shape (m,)
        Those that were asked for.
    sketch : Sketches or None
        One per stored rollup, if asked for.
    """

    roster: Roster
    edges: TimeArray
    row: Rows
    column: Rows
    parts: Mapping[str, NDArray[np.generic]]
    sketch: Sketches | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Series and windows."""
        return len(self.roster), len(self.edges) - 1

    def table(self, name: str) -> FloatArray:
        """One part as float64, shape (n, w); NaN where nothing is stored, 0 for counts."""
        whole = np.full(self.shape, 0.0 if name in COUNTS else np.nan)
        whole[self.row, self.column] = self.parts[name].astype(np.float64)
        return whole

    def usable(self) -> FloatArray:
        """How many usable readings each window has, shape (n, w)."""
        return self.table("good") + self.table("suspect")

    def mean(self) -> FloatArray:
        """Mean of each window by the kind of its series, shape (n, w); NaN where none.

        Needs the parts sum, good, suspect, and x, y where a series is an angle or a state.
        """
        size = self.usable()
        size[size == 0] = np.nan
        kind = self.roster.kind
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self.table("sum") / size
            loud = kind == Kind.LEVEL
            if loud.any():
                mean[loud] = level.mean(
                    self.table("sum")[loud].ravel(), size[loud].ravel()
                ).reshape(-1, self.shape[1])
            turning, held = kind == Kind.ANGLE, kind == Kind.STATE
            if turning.any():
                parts = (self.table("x")[turning], self.table("y")[turning], size[turning])
                mean[turning] = angle.mean(*(part.ravel() for part in parts)).reshape(
                    -1, self.shape[1]
                )
            if held.any():
                mean[held] = (self.table("x") / self.table("y"))[held]
        mean[kind == Kind.INDEX] = np.nan
        return mean

    def select(self, chosen: NDArray[np.bool_]) -> Frame:
        """Some of the series; without sketches."""
        number = np.cumsum(chosen) - 1
        kept = chosen[self.row]
        return Frame(
            self.roster.take(chosen),
            self.edges,
            number[self.row[kept]],
            self.column[kept],
            {name: part[kept] for name, part in self.parts.items()},
        )


def frame_of(
    roster: Roster,
    edges: TimeArray,
    series: IntArray,
    start: TimeArray,
    parts: Mapping[str, NDArray[np.generic]],
    sketch: Sketches | None = None,
) -> Frame:
    """A frame from rollup columns; those of other series or windows must not be among them."""
    return Frame(
        roster, edges, np.searchsorted(roster.series, series), np.searchsorted(edges, start), parts,
        sketch,
    )  # fmt: skip
