"""The registry as the collector uses it, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class BindingRow:
    """One topic pattern and how its messages are read."""

    topic: str
    format: str
    timezone: str
    time_field: str
    ignore: frozenset[str]


@dataclass(frozen=True, slots=True)
class Routes:
    """Everything a message can belong to; columns are indexed by a series' position.

    Attributes
    ----------
    sensors : sensor code -> (sensor id, field -> position)
    series, domain : int32, int8, shape (n,)
        Series id; index into :data:`storage.catalogue.DOMAINS`.
    scale, shift, low, high : float64, shape (n,)
        Unit conversion and admissible range. [canonical unit]
    back_us : int64, shape (n,)
        What to take off a time stamp so that it marks the interval's start. [µs]
    metric, unit : tuples of str
        Name and unit sent, for messages to people.
    """

    revision: int
    bindings: tuple[BindingRow, ...]
    sensors: dict[str, tuple[int, dict[str, int]]]
    series: IntArray
    domain: NDArray[np.int8]
    scale: FloatArray
    shift: FloatArray
    low: FloatArray
    high: FloatArray
    back_us: NDArray[np.int64]
    metric: tuple[str, ...]
    unit: tuple[str, ...]
    canonical: tuple[str, ...]
