"""A regulator's year of one pollutant: its hours, days and maxima, and how much there is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from processors.air.annual import annual_mean, seasons_measured
from processors.air.capture import captured_mean
from processors.air.exposure import months_of, peak_season, summer_measured
from processors.air.limits import count_verdict, enough, exceedances, mean_verdict
from processors.air.percentile import rank_percentile
from processors.air.running import daily_maximum, running_mean
from storage.indicators.limits import Window
from storage.reading import FloatArray, IntArray, TimeArray

DAY, RUN = 24, 8
RUN_UP = RUN - 1
"""Hours before the first day that its first running mean reaches back."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Values of n series that a limit is compared with.

    Attributes
    ----------
    value : float64, shape (n, k)
        NaN where missing, not valid, or still open. [unit]
    valid : int64, shape (n,)
        How many there are.
    due : int
        How many are past.
    captured : bool, shape (n,)
        Whether the rule of completeness is met, by what is past.
    """

    value: FloatArray
    valid: Counts
    due: int
    captured: NDArray[np.bool_]

    def count(self, limit: float, digits: int) -> Counts:
        """Exceedances of each series."""
        number: Counts = exceedances(self.value, limit, digits).sum(axis=-1)
        return number

    def verdict(self, count: Counts, allowed: int, *, still_open: bool) -> Counts:
        """As :func:`processors.air.limits.count_verdict`."""
        return count_verdict(
            count, self.valid, self.due, allowed, self.captured, still_open=still_open
        )

    def percentiles(self, wanted: tuple[int, ...]) -> FloatArray:
        """Percentiles of each series, shape (p, n). [unit]"""
        return rank_percentile(self.value, wanted)[0]


@dataclass(frozen=True, slots=True)
class Mean:
    """Means of n series over a year or a season, as :func:`~processors.air.annual.annual_mean`."""

    mean: FloatArray
    least: FloatArray
    valid: Counts
    due: Counts
    captured: NDArray[np.bool_]

    def verdict(self, limit: float, digits: int, *, still_open: bool) -> Counts:
        """As :func:`processors.air.limits.mean_verdict`."""
        return mean_verdict(
            self.mean, self.least, limit, self.captured, still_open=still_open, digits=digits
        )


@dataclass(frozen=True)
class Year:
    """One year of n series of one pollutant.

    Attributes
    ----------
    number
        The calendar year.
    edges : datetime64[us], shape (2,)
    hour_start : datetime64[us], shape (w,)
    hour, running : float64, shape (n, w)
        Hourly means, and the running 8-hour means that end with each hour; NaN where not
        valid, or where the hour is still open. [unit]
    past : bool, shape (w,)
        Hours that have closed.
    """

    pollutant: str
    number: int
    series: IntArray
    indicative: NDArray[np.bool_]
    edges: TimeArray
    now: np.datetime64
    offset_h: int
    hour_start: TimeArray
    hour: FloatArray
    running: FloatArray
    past: NDArray[np.bool_]

    @property
    def still_open(self) -> bool:
        """Whether some of it is to come."""
        return bool(self.edges[1] > self.now)

    @property
    def past_days(self) -> int:
        """How many of its days have closed."""
        return int(self.past.sum()) // DAY

    @cached_property
    def _hours(self) -> Parts:
        valid = (~np.isnan(self.hour)).sum(axis=-1)
        due = int(self.past.sum())
        return Parts(self.hour, valid, due, enough(valid, due))

    @cached_property
    def _days(self) -> Parts:
        mean, _ = captured_mean(self.hour.reshape(len(self.hour), -1, DAY), DAY)
        mean[:, self.past_days :] = np.nan
        valid = (~np.isnan(mean)).sum(axis=-1)
        return Parts(mean, valid, self.past_days, enough(valid, self.past_days))

    @cached_property
    def _maxima(self) -> Parts:
        highest, *_ = daily_maximum(self.running.reshape(len(self.hour), -1, DAY), DAY)
        highest[:, self.past_days :] = np.nan
        valid = (~np.isnan(highest)).sum(axis=-1)
        captured = enough(valid, self.past_days)
        if self.pollutant == "o3" and not self.still_open:
            captured = summer_measured(highest, self._day_month, self.hour, self.hour_start)
        return Parts(highest, valid, self.past_days, captured)

    @property
    def _day_month(self) -> Counts:
        return months_of(self.hour_start[::DAY], self.offset_h)

    def of(self, window: Window) -> Parts:
        """What limits of a window are compared with: hours, days, or maxima of 8 hours."""
        if window is Window.HOUR:
            return self._hours
        return self._days if window is Window.DAY else self._maxima

    @cached_property
    def _annual(self) -> Mean:
        mean, least, valid = annual_mean(self.hour, len(self.past))
        due = int(self.past.sum())
        if self.pollutant == "o3":
            month = months_of(self.hour_start, self.offset_h)
            captured = seasons_measured(self.hour, month, self.past) & (valid > 0)
        else:
            captured = enough(valid, due)
        return Mean(mean, least, valid, np.full(len(valid), due), captured)

    def annual(self) -> Mean:
        """The mean of the year."""
        return self._annual

    def peak(self) -> Mean:
        """The mean of the six months that are highest in daily maxima of 8 hours."""
        mean, valid, due = peak_season(self._maxima.value, self._day_month)
        least = np.where(np.isnan(mean), 0.0, mean * valid / np.maximum(due, 1))
        return Mean(mean, least, valid, due, ~np.isnan(mean))


def year_of(
    pollutant: str,
    series: IntArray,
    indicative: NDArray[np.bool_],
    hour: FloatArray,
    hour_edges: TimeArray,
    edges: TimeArray,
    now: np.datetime64,
    offset_h: int,
) -> Year:
    """One year out of a table of hours that begins at least seven hours before it.

    ``hour`` has the shape (n, w) and ``hour_edges`` (w + 1,).
    """
    begin, end = (int(one) for one in np.searchsorted(hour_edges, edges))
    closed = hour_edges[1:] <= now
    known = np.where(closed, hour, np.nan)[:, begin - RUN_UP : end]
    running, _ = running_mean(known, RUN)
    past = closed[begin:end]
    # A mean that ends in an open hour could be made of the hours before it.
    later = np.where(past, running[:, RUN_UP:], np.nan)
    number = int((edges[0] + np.timedelta64(offset_h, "h")).astype("datetime64[Y]").astype(int))
    return Year(
        pollutant, number + 1970, series, indicative, edges, now, offset_h,
        hour_edges[begin:end], known[:, RUN_UP:], later, past,
    )  # fmt: skip
