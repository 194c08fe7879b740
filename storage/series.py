"""What the programs need to know of every series, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.catalogue import Kind
from storage.reading import FloatArray, IntArray

KIND_CODE: dict[Kind, int] = {kind: code for code, kind in enumerate(Kind)}
"""Kind as int8 in columns: 0 gauge, 1 count, 2 index, 3 angle, 4 level, 5 state."""


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

    def position(self, series: IntArray) -> NDArray[np.intp]:
        """Row of each series id; every id must be registered."""
        return np.searchsorted(self.series, series)
