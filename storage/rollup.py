"""The word *rollup*: combinable summaries of series over windows, as columns.

Never a bare mean: parts from which means, variances and quantiles of any longer window
follow. The parts are taken over *usable* readings, those flagged neither ``FAIL`` nor
``MISSING``: ``good + suspect`` of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray, IntArray, TimeArray

SKETCH_PAIR = np.dtype([("code", "<i2"), ("count", "<u4")])
"""One bucket of a stored quantile sketch; a sketch is its pairs in ascending code order."""


@dataclass(frozen=True, slots=True)
class Sketches:
    """One quantile sketch per row, laid end to end.

    Attributes
    ----------
    offset : int64, shape (n + 1,)
        Row i owns pairs ``[offset[i], offset[i + 1])``.
    pairs : SKETCH_PAIR, shape (m,)
        Bucket code (monotone in the value, 0 for zero, negative for negative values) and
        how many values fell there; ascending by code within a row.
    """

    offset: NDArray[np.int64]
    pairs: NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Rollups:
    """Summaries of one table (one domain, one window length), one row per (series, window).

    Attributes, each of shape (n,)
    ------------------------------
    start : datetime64[us]
        Start of the window.
    sum : float64
        gauge, count, state: sum of values; index: increase of the register over the
        window; level: sum of 10^(L/10). NaN for angle, and where nothing usable was
        read. [unit]
    min, max, first, last : float64
        Of usable values (for an index: of the register). NaN where there are none, and
        min, max for angles.
    m2 : float64
        Sum of squared deviations from the mean, combined by Chan's formula; of a level in
        dB. NaN for angle and index.
    x, y : float64
        angle: sums of cosines and sines; level: sum of levels in dB, and NaN; state:
        seconds in the state times its value, and seconds known; index: part of ``sum``
        taken across a gap by interpolation, and seconds of which the increase is known.
        NaN otherwise.
    series, expected, received, good, suspect : int32
        Series id; readings due by the step; rows present and not MISSING; usable and not
        suspect; usable and suspect.
    provisional : bool
        The window was still open when this row was computed.
    sketch : Sketches
        Of usable values; empty for angle, index and state.
    """

    start: TimeArray
    sum: FloatArray
    min: FloatArray
    max: FloatArray
    m2: FloatArray
    first: FloatArray
    last: FloatArray
    x: FloatArray
    y: FloatArray
    series: IntArray
    expected: IntArray
    received: IntArray
    good: IntArray
    suspect: IntArray
    provisional: NDArray[np.bool_]
    sketch: Sketches

    def __len__(self) -> int:
        return len(self.start)
