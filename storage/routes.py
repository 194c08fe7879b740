"""The registry as the collector uses it, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from storage.codec import Codec
from storage.reading import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class BindingRow:
    """One topic pattern and how its messages are read."""

    topic: str
    format: str
    timezone: str
    time_field: str
    ignore: frozenset[str]
    codec: Codec | None = None


RETIRED, NOT_YET = -1, -2
"""Instead of a position: nobody measures this any more, or did so yet."""

SINCE_EVER_US = -(1 << 63)
_NEVER_US = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Timelines:
    """Which position a field of a sensor has when, for the few that have had several.

    Attributes
    ----------
    row : int32, shape (n,)
        By position: the line of the field's history, -1 where there is only the present.
    since_us : int64, shape (t, k)
        From which time stamp on, as it is sent; ascending, the first since ever. [µs]
    position : intp, shape (t, k)
        A position, :data:`RETIRED` or :data:`NOT_YET`.
    """

    row: IntArray
    since_us: NDArray[np.int64]
    position: NDArray[np.intp]

    @classmethod
    def of_histories(
        cls, positions: int, histories: Sequence[Sequence[tuple[int, int]]]
    ) -> Timelines:
        """From lists of (since, position) of so many positions in all."""
        row = np.full(positions, -1, np.int32)
        shape = len(histories), max(len(history) for history in histories)
        since_us, position = np.full(shape, _NEVER_US), np.full(shape, RETIRED, np.intp)
        for line, history in enumerate(histories):
            for place, (since, at) in enumerate(history):
                since_us[line, place], position[line, place] = since, at
                if at >= 0:
                    row[at] = line
        return cls(row, since_us, position)

    def at(self, position: NDArray[np.intp], time_us: NDArray[np.int64]) -> NDArray[np.intp]:
        """The positions at these times instead of any others of the same fields."""
        row = self.row[position]
        several = np.flatnonzero(row >= 0)
        if not several.size:
            return position
        row = row[several]
        begun = self.since_us[row] <= time_us[several, None]
        last = begun.shape[1] - 1 - np.argmax(begun[:, ::-1], axis=1)
        found = position.copy()
        found[several] = self.position[row, last]
        return found

    def one_at(self, position: int, time_us: int) -> int:
        """The same of one reading."""
        return int(self.at(np.array([position], np.intp), np.array([time_us], np.int64))[0])


@dataclass(frozen=True, slots=True)
class Routes:
    """Everything a message can belong to; columns are indexed by a position.

    A position is one series as it was converted for some time; fields lead to the newest.

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
    codecs : sensor code -> how that device packs its bytes, where its profile says so
    timelines : which of its positions a field has when; ``None`` where none has several
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
    timelines: Timelines | None = None
    codecs: Mapping[str, Codec] = field(default_factory=dict)
