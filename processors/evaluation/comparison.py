"""Which days before are comparable with which days after: weights that match by calendar.

A contrast gives every day of a series a weight: those after add up to 1, those before to
-1, so that the weighted sum of its values is the change of its mean between comparable
days. Only days that were measured have a weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray

YEAR_D = 364
"""Fifty-two whole weeks: the same season and the same day of the week."""

Days = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Weights of n series over d days.

    Attributes
    ----------
    weight : float64, shape (n, d)
        All 0 for a series that has too few days.
    before, after : int64, shape (n,)
        Days that a weight was given to, or would have been. [d]
    """

    weight: FloatArray
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    @property
    def enough(self) -> NDArray[np.bool_]:
        """Which series have weights, shape (n,)."""
        weighed: NDArray[np.bool_] = (self.weight != 0).any(axis=1)
        return weighed


def year_before(
    value: FloatArray,
    day: Days,
    begin: np.datetime64,
    settled: np.datetime64,
    stop: np.datetime64,
    least: int,
) -> Contrast:
    """Compare every day after with the day 52 weeks earlier, where both were measured.

    Season and day of the week are then the same for every series, however much the series
    differ in how they follow them.

    Parameters
    ----------
    value : float64, shape (n, d)
        Daily values, NaN where not measured. [unit]
    day : datetime64[D], shape (d,)
        One after the other.
    begin : datetime64[D]
        When the measure came into force: days before lie before it.
    settled, stop : datetime64[D]
        Days after are ``[settled, stop)``; those between ``begin`` and ``settled`` are left
        out. Only days whose counterpart lies before ``begin`` count.
    least : int
        Days that a series must have on each side. [d]

    Examples
    --------
    >>> day = np.arange("2025-01-06", "2026-01-12", dtype="datetime64[D]")
    >>> value = np.where(day < np.datetime64("2026-01-05"), 20.0, 17.0)[None, :]
    >>> week = [np.datetime64(one) for one in ("2026-01-05", "2026-01-05", "2026-01-12")]
    >>> made = year_before(value, day, *week, least=7)
    >>> made.before, made.after, round(float((made.weight * value).sum()), 6)
    (array([7]), array([7]), -3.0)
    """
    known = ~np.isnan(value)
    ago = np.timedelta64(YEAR_D, "D")
    wanted = (day >= settled) & (day < stop) & (day - ago < begin)
    used = np.zeros(value.shape, np.bool_)
    used[:, YEAR_D:] = known[:, YEAR_D:] & known[:, :-YEAR_D] & wanted[YEAR_D:]
    days = used.sum(axis=1)
    after = used / np.maximum(days, 1)[:, None]
    weight = after.copy()
    weight[:, :-YEAR_D] -= after[:, YEAR_D:]
    weight[days < max(least, 1)] = 0.0
    return Contrast(weight, days, days)


def same_weekdays(
    value: FloatArray,
    day: Days,
    start: np.datetime64,
    begin: np.datetime64,
    settled: np.datetime64,
    stop: np.datetime64,
    least: int,
) -> Contrast:
    """Compare the days after with those just before, weighted to the same mix of weekdays.

    Parameters
    ----------
    value, day, begin, settled, stop, least
        As for :func:`year_before`.
    start : datetime64[D]
        Days before are ``[start, begin)``.

    Examples
    --------
    A shop street: 900 on weekdays, 1,600 on Saturdays and Sundays, 100 more since.

    >>> day = np.arange("2026-03-02", "2026-03-18", dtype="datetime64[D]")
    >>> value = np.where(np.is_busday(day), 900.0, 1600.0) + 100 * (day >= day[9])
    >>> made = same_weekdays(value[None, :], day, day[0], day[9], day[9], day[-1] + 1, least=3)
    >>> made.before, made.after, round(float((made.weight * value).sum()), 6)
    (array([9]), array([7]), 100.0)
    """
    known = ~np.isnan(value)
    ahead = known & ((day >= start) & (day < begin))
    later = known & ((day >= settled) & (day < stop))
    weekday = (day.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    of = (weekday[:, None] == np.arange(7)).astype(np.float64)
    old, new = ahead @ of, later @ of
    both = (old > 0) & (new > 0)
    old, new = np.where(both, old, 0.0), np.where(both, new, 0.0)
    total = np.maximum(new.sum(axis=1), 1.0)[:, None]
    each_after = both / total
    each_before = new / total / np.maximum(old, 1.0)
    weight = later * each_after[:, weekday] - ahead * each_before[:, weekday]
    before, after = old.sum(axis=1).astype(np.int64), new.sum(axis=1).astype(np.int64)
    weight[np.minimum(before, after) < max(least, 1)] = 0.0
    return Contrast(weight, before, after)
