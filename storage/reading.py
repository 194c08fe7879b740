"""The words every program shares: reading, batch, flag, reason.

Time is UTC in microseconds (``datetime64[us]``); windows are ``[start, end)``.
Zero is a measured zero; a missing value is NaN with :attr:`Flag.MISSING`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TimeArray = NDArray[np.datetime64]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
FlagArray = NDArray[np.int16]


class Flag(IntEnum):
    """QARTOD primary flags; readings are flagged, never deleted."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Reason(StrEnum):
    """Why something could not become a reading: a closed set, fit for a metric label."""

    UNREADABLE_TOPIC = "unreadable_topic"
    UNKNOWN_SENSOR = "unknown_sensor"
    UNKNOWN_FIELD = "unknown_field"
    BAD_PAYLOAD = "bad_payload"
    NO_CODEC = "no_codec"
    TOO_LARGE = "too_large"
    BAD_TIME = "bad_time"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    BAD_VALUE = "bad_value"
    BAD_UNIT = "bad_unit"
    OUT_OF_RANGE = "out_of_range"
    CONFLICT = "conflict"
    PERSONAL = "personal"
    REJECTED = "rejected"
    RETIRED = "retired"
    NOT_BORN = "not_born"


class Reading(NamedTuple):
    """One measurement as a decoder understood it, before it is matched to a series.

    ``time_us`` is microseconds since 1970-01-01 UTC, or ``None`` where the message says
    no time and reception counts. ``unit`` is what the message itself declares, or
    ``None`` where only the sensor list knows. A value the source declares absent is NaN
    with :attr:`Flag.MISSING`.
    """

    sensor: str
    field: str
    time_us: int | None
    value: float
    unit: str | None = None
    flag: int = Flag.NOT_EVALUATED


class Refusal(NamedTuple):
    """One reading, or one whole message where ``field`` is empty, that could not be kept."""

    field: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings as equal-length columns.

    Attributes
    ----------
    time : datetime64[us], shape (n,)
        UTC; an interval's value carries the interval's start.
    value : float64, shape (n,)
        In the metric's canonical unit; NaN only with ``Flag.MISSING``.
    series : int32, shape (n,)
        Identifies one metric of one sensor.
    flag : int16, shape (n,)
        What the source said, as :class:`Flag`.
    """

    time: TimeArray
    value: FloatArray
    series: IntArray
    flag: FlagArray

    def __post_init__(self) -> None:
        if not len(self.time) == len(self.value) == len(self.series) == len(self.flag):
            raise ValueError("the columns of a batch must have equal length")

    def __len__(self) -> int:
        return len(self.time)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Batch:
        """Rows chosen by position or mask, in that order."""
        return Batch(self.time[index], self.value[index], self.series[index], self.flag[index])

    def in_key_order(self) -> Batch:
        """Rows by (series, time); rows of one key keep their order of arrival."""
        return self.take(np.lexsort((self.time, self.series)))


def empty_batch() -> Batch:
    """A batch of no readings, with the right types."""
    return Batch(
        np.empty(0, "datetime64[us]"), np.empty(0), np.empty(0, np.int32), np.empty(0, np.int16)
    )


def batch_of(
    time_us: Sequence[int], value: Sequence[float], series: Sequence[int], flag: Sequence[int]
) -> Batch:
    """The one conversion from Python scalars to columns."""
    return Batch(
        np.array(time_us, np.int64).view("datetime64[us]"),
        np.array(value, np.float64),
        np.array(series, np.int32),
        np.array(flag, np.int16),
    )
