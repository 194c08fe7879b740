"""The words of watching: since when a series is in service, and what is usual for it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray, IntArray, TimeArray

HOURS_OF_WEEK = 168

_NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Service:
    """When series can be expected to speak, ascending by id.

    Attributes, each of shape (n,)
    ------------------------------
    series : int32
    since : datetime64[us]
        In service, and heard, since; NaT where it was never heard.
    until : datetime64[us]
        Not included; NaT where no end is known.
    flat_h : float64
        How long a value may stand still; NaN where it may for ever. [h]
    begun : datetime64[us]
        Registered since; NaT where since ever.
    """

    series: IntArray
    since: TimeArray
    until: TimeArray
    flat_h: FloatArray
    begun: TimeArray

    def of(self, series: IntArray) -> Service:
        """Of these series, in their order; one that is not there was never heard."""
        if not len(self.series):
            nobody = np.full(len(series), _NEVER)
            return Service(series, nobody, nobody, np.full(len(series), np.nan), nobody)
        row = np.minimum(np.searchsorted(self.series, series), len(self.series) - 1)
        known = self.series[row] == series
        return Service(
            series,
            np.where(known, self.since[row], _NEVER),
            np.where(known, self.until[row], _NEVER),
            np.where(known, self.flat_h[row], np.nan),
            np.where(known, self.begun[row], _NEVER),
        )

    def registered(self, start: TimeArray, stop: TimeArray) -> NDArray[np.bool_]:
        """Whether each was to be there in some of each period, heard or not, shape (n, p).

        A sensor that was moved, replaced or retired is not waited for once it is gone.
        """
        early = self.begun[:, None] >= stop[None, :]
        late = self.until[:, None] <= start[None, :]
        return ~(early | late)  # comparisons with NaT are false

    def whole(self, start: TimeArray, stop: TimeArray) -> NDArray[np.bool_]:
        """Whether each was in service and heard before all of each period, shape (n, p)."""
        begun = self.since[:, None] <= start[None, :]
        ended = ~np.isnat(self.until)[:, None] & (self.until[:, None] < stop[None, :])
        return begun & ~ended


@dataclass(frozen=True, slots=True)
class WeekProfiles:
    """What is usual in each hour of the week, one row per (series, week).

    Attributes, each of shape (m,) or (m, 168)
    ------------------------------------------
    series : int32
    week : datetime64[D]
        The Monday since when it is in force; it is made of the weeks before.
    floor : float64
        No hour is taken to scatter less. [unit]
    median, mad : float64, shape (m, 168)
        By hours from Monday 00:00, local time; NaN where too little is known. [unit]
    count : uint8, shape (m, 168)
        How many values each is made of.
    """

    series: IntArray
    week: NDArray[np.datetime64]
    floor: FloatArray
    median: FloatArray
    mad: FloatArray
    count: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.series)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> WeekProfiles:
        """Rows chosen by position or mask, in that order."""
        return WeekProfiles(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


def no_service() -> Service:
    """Nobody."""
    never = np.empty(0, "datetime64[us]")
    return Service(np.empty(0, np.int32), never, never, np.empty(0), never)


def no_profiles() -> WeekProfiles:
    """None at all, with the right types."""
    table = np.empty((0, HOURS_OF_WEEK))
    return WeekProfiles(
        np.empty(0, np.int32), np.empty(0, "datetime64[D]"), np.empty(0), table, table,
        table.astype(np.uint8),
    )  # fmt: skip
