"""Steps of the base load: what a building draws at night, and the day on which that changed.

A pump left on, a freezer added, a ventilation that no longer stops: the lowest hour of the
night moves to another level and stays there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.air.capture import needed
from storage.reading import FloatArray

BEFORE, AFTER = 42, 7
"""Nights that a level is learnt from, and the least that a new one must have lasted."""

BESIDE = 7
"""Nights before those that are told in which a step is looked for too."""

FEWEST_BEFORE, FEWEST_AFTER = 28, 6
"""Nights of these that must be known."""

CERTAIN = 4.0
"""How many standard errors away the new level must be, for a step to be told."""

CLEAR = 2.5
"""How many times the night-to-night variation a step must have."""

LEAST_SHARE = 0.05
"""Of the level before: smaller steps are nobody's concern."""

SHIFT_95 = 1.96
_THIRD = BEFORE // 3
_APART = BEFORE - _THIRD
_SIGMA, _MEAN = 1.4826, 1.2533
"""Standard deviation of a normal distribution over its median and mean absolute deviations."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The step of each series, if any; each array of shape (n,).

    Attributes
    ----------
    night : int64
        Number of the first night at the new level; -1 where there is no step.
    size : float64
        New level less the one expected; 0 where that is no step; NaN where too few nights are
        known. [as the input]
    low, high : float64
        The interval at 95 % of what the nights since differ by, step or not. [as the input]
    level : float64
        What was expected without the step. [as the input]
    known : int64
        Nights known, of all those looked at.
    """

    night: NDArray[np.int64]
    size: FloatArray
    low: FloatArray
    high: FloatArray
    level: FloatArray
    known: NDArray[np.int64]


def night_base(hour: FloatArray, column: NDArray[np.intp]) -> tuple[FloatArray, NDArray[np.int64]]:
    """The lowest hour of each night, where 75 % of its hours are known.

    Parameters
    ----------
    hour : float64, shape (n, h)
        Mean power of each hour, NaN where not known. [kW]
    column : intp, shape (d, k)
        Which hours each night has; -1 beyond its last: nights of changing clocks have an hour
        more or less.

    Returns
    -------
    base : float64, shape (n, d)
        [kW]
    known : int64, shape (n, d)

    Examples
    --------
    >>> hour = np.array([[3.0, 2.0, 2.5, 4.0, 9.0, np.nan, np.nan, 5.0]])
    >>> night_base(hour, np.array([[0, 1, 2, 3], [4, 5, 6, -1]]))
    (array([[ 2., nan]]), array([[4, 1]]))
    """
    padded = np.concatenate([hour, np.full((len(hour), 1), np.nan)], axis=1)
    night = padded[:, column]
    known = (~np.isnan(night)).sum(axis=2)
    due = (column >= 0).sum(axis=1)
    lowest = np.where(np.isnan(night), np.inf, night).min(axis=2, initial=np.inf)
    return np.where((known >= needed(due)) & (known > 0), lowest, np.nan), known


def median(value: FloatArray) -> FloatArray:
    """Median over the last axis of what is known; NaN where nothing is.

    NaN sort last, so that one sort serves all series, whatever each of them lacks.

    Examples
    --------
    >>> median(np.array([[3.0, np.nan, 1.0], [np.nan, np.nan, np.nan]]))
    array([ 2., nan])
    """
    if not value.shape[-1]:
        return np.full(value.shape[:-1], np.nan)
    ordered = np.sort(value, axis=-1)
    known = (~np.isnan(value)).sum(axis=-1)
    places = np.stack([np.maximum(known - 1, 0) // 2, known // 2], axis=-1)
    places = np.minimum(places, value.shape[-1] - 1)
    both = np.take_along_axis(ordered, places, axis=-1)
    return np.where(known > 0, both.sum(axis=-1) / 2, np.nan)


def base_load_step(base: FloatArray, first: int, last: int) -> Steps:
    """Find the night between two from which on the base load is another, if there is one.

    Nights before give a level, a trend (the median of their last third less that of the first)
    and a variation, and the trend is carried on: a season that comes or goes moves what is
    expected too. For each candidate the nights since have a shift, the median of what they
    differ by, which neither a night alone nor a hole moves. The candidate is taken that leaves
    the least to explain, in absolute deviations; steps that belong to the week before, or to
    the nights that follow, are found where they are and left to their own turn. A step is told
    where its shift is 4 standard errors, 2.5 times the variation from night to night and 5 %
    of the level.

    Without a step one is told in fewer than 1 of 2,000 weeks of independent nights, and in
    fewer than 1 of 500 where neighbouring nights are correlated by 0.5.

    References
    ----------
    .. [1] Rousseeuw, Croux: Alternatives to the median absolute deviation, JASA 88 (1993):
       1.4826 MAD estimates a standard deviation in spite of outliers.

    Parameters
    ----------
    base : float64, shape (n, d)
        Of nights, by time; NaN where not known.
    first, last : int
        Told are the nights ``first`` to ``last`` inclusive; 49 nights lie before the first,
        and 7 or more begin with the last.

    Returns
    -------
    Steps of n series

    Examples
    --------
    >>> night = np.tile([5.0, 5.1, 4.9, 5.0, 5.2, 4.8, 5.0], 9)[None, :]
    >>> night[0, 51:] += 2
    >>> found = base_load_step(night, 49, 55)
    >>> found.night, found.size.round(2)
    (array([51]), array([2.]))
    """
    start = first - BESIDE
    before, since = base[:, start - BEFORE : start], base[:, start:]
    level, slope, spread, worth = _learnt(before)
    ahead = np.arange(since.shape[1]) + (BEFORE + 1) / 2
    beyond = since - level[:, None] - slope[:, None] * ahead
    n = len(base)
    night, least = np.full(n, -1), np.full(n, np.inf)
    size, error, count = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64)
    for candidate in range(since.shape[1]):
        shift = median(beyond[:, candidate:])
        left = np.abs(beyond[:, candidate:] - shift[:, None])
        cost = _total(np.abs(beyond[:, :candidate])) + _total(left)
        # What the level, the trend carried on and the nights since add to the variance.
        distance = (ahead[candidate] + ahead[-1]) / 2
        nights = _known(beyond[:, candidate:])
        share = (1 / BEFORE + 2 / _THIRD * (distance / _APART) ** 2) + 1 / np.maximum(nights, 1)
        # A night that is not known cannot be the first of a new level.
        better = ~np.isnan(beyond[:, candidate]) & (cost < least)
        night[better], least[better] = start + candidate, cost[better]
        size[better], count[better] = shift[better], nights[better]
        error[better] = (spread * np.sqrt(np.pi / 2 * share / worth))[better]
    sound = (_known(before) >= FEWEST_BEFORE) & (_known(since) >= BESIDE + FEWEST_AFTER)
    # Few nights at the new level: what there was to find is younger than these nights.
    enough = sound & (count >= FEWEST_AFTER)
    told = (
        enough
        & (night >= first)
        & (night <= last)
        & (np.abs(size) > CERTAIN * error)
        & (np.abs(size) > CLEAR * spread)
        & (np.abs(size) >= LEAST_SHARE * np.abs(level))
    )
    shown = np.where(told, size, 0.0)
    half = np.where(sound, SHIFT_95 * error, np.nan)
    return Steps(
        night=np.where(told, night, -1),
        size=np.where(sound, shown, np.nan),
        low=size - half,
        high=size + half,
        level=np.where(sound, level, np.nan),
        known=_known(before) + _known(since),
    )


def _known(value: FloatArray) -> NDArray[np.int64]:
    count: NDArray[np.int64] = (~np.isnan(value)).sum(axis=-1)
    return count


def _total(value: FloatArray) -> FloatArray:
    total: FloatArray = np.where(np.isnan(value), 0.0, value).sum(axis=-1)
    return total


def _learnt(before: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Level in the middle, trend per night, variation; and what a night is worth of an
    independent one, by the correlation from one to the next."""
    slope = (median(before[:, -_THIRD:]) - median(before[:, :_THIRD])) / _APART
    slope = np.where(np.isnan(slope), 0.0, slope)
    flat = before - slope[:, None] * (np.arange(BEFORE) - (BEFORE - 1) / 2)
    level = median(flat)
    left = flat - level[:, None]
    known = np.maximum(_known(left), 1)
    # Of counted pulses most nights are equal, and the MAD too small: the mean deviation helps.
    spread = np.maximum(_SIGMA * median(np.abs(left)), _MEAN * _total(np.abs(left)) / known)
    cut = np.clip(left, -3 * spread[:, None], 3 * spread[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = _total(cut[:, 1:] * cut[:, :-1]) / _total(cut * cut)
    rho = np.clip(np.where(np.isnan(rho), 0.0, rho), 0.0, 0.9)
    return level, slope, spread, (1 - rho) / (1 + rho)
