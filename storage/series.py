"""What the programs need to know of every series, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.catalogue import Kind
from storage.reading import FloatArray, IntArray, TimeArray

KIND_CODE: dict[Kind, int] = {kind: code for code, kind in enumerate(Kind)}
"""Kind as int8 in columns: 0 gauge, 1 count, 2 index, 3 angle, 4 level, 5 state."""


@dataclass(frozen=True, slots=True)
class Replacements:
    """Meters that were replaced, with what both registers showed.

    Attributes, each of shape (n,)
    ------------------------------
    series : int32
        Ids, ascending; those of one series by time.
    at : datetime64[us]
        When it was done.
    closing, opening : float64
        The last of the old register and the first of the new one. [unit]
    """

    series: IntArray
    at: TimeArray
    closing: FloatArray
    opening: FloatArray

    def __len__(self) -> int:
        return len(self.series)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Replacements:
        """Rows chosen by position or mask."""
        return Replacements(
            self.series[rows], self.at[rows], self.closing[rows], self.opening[rows]
        )


NONE_REPLACED = Replacements(
    np.empty(0, np.int32), np.empty(0, "datetime64[us]"), np.empty(0), np.empty(0)
)


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """Every registered series of one domain, ascending by id.

    Attributes, each of shape (n,)
    ------------------------------
    series : int32
        Series ids, ascending.
    kind : int8
        As in :data:`KIND_CODE`.
    step : int64
        Expected time between readings; 0 where readings come only on change. [s]
    low, high : float64
        Admissible range. [unit]
    spike, rate_per_h, flat_h : float64
        Plausible limits, NaN where not tested. [unit], [unit/h], [h]
    register_max : float64
        Where an index returns to zero; NaN if unknown. [unit]
    timezone : int16
        Index into ``zones``.
    zones : tuple of str
        IANA names.
    replaced : Replacements
        Of series of the table.
    """

    series: IntArray
    kind: NDArray[np.int8]
    step: NDArray[np.int64]
    low: FloatArray
    high: FloatArray
    spike: FloatArray
    rate_per_h: FloatArray
    flat_h: FloatArray
    register_max: FloatArray
    timezone: NDArray[np.int16]
    zones: tuple[str, ...]
    replaced: Replacements = NONE_REPLACED

    def position(self, series: IntArray) -> NDArray[np.intp]:
        """Row of each series id; every id must be registered."""
        return np.searchsorted(self.series, series)
