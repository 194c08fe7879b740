"""Least squares with change points: every building and every pair of points in closed form.

For given change points the least squares follow from a few sums. Since a day is never colder
than Th and warmer than Tc >= Th at the same time, the sums are taken for each point alone and
combined afterwards: a grid of 33 by 37 points costs 70 passes over the days, not 1,221.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray

REGIME_DAYS = 12
"""Days that must lie on each side of a change point."""

Bools = NDArray[np.bool_]


class Model(IntEnum):
    """Which of its parts a signature has; the number of parameters counts change points."""

    NONE = 0
    MEAN = 1
    LINEAR = 2
    HEATING = 3
    COOLING = 4
    BOTH_AT_ONE_POINT = 5
    BOTH = 6


PARAMETERS = np.array([0, 1, 2, 3, 3, 4, 5])
"""How many parameters each :class:`Model` estimates."""

WITH_HEATING = np.array([False, False, False, True, False, True, True])
WITH_COOLING = np.array([False, False, False, False, True, True, True])
"""Which models have a change point of heating, and of cooling."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Over the days of each building, for k change points; energies less their mean.

    ``x`` and ``xx`` of the degrees beyond a point, ``xy`` with the energy, ``days`` beyond it;
    each of shape (n, k).
    """

    x: FloatArray
    xx: FloatArray
    xy: FloatArray
    days: FloatArray


def sums(degrees: FloatArray, y: FloatArray) -> Sums:
    """Of one change point."""
    x, xx = degrees.sum(axis=1), (degrees * degrees).sum(axis=1)
    beyond = (degrees > 0).sum(axis=1).astype(np.float64)
    return Sums(*(part[:, None] for part in (x, xx, (degrees * y).sum(axis=1), beyond)))


def sums_beyond(temperature: FloatArray, y: FloatArray, points: FloatArray, *, below: bool) -> Sums:
    """Of every change point: a loop over the grid, each pass over all buildings and days."""
    sign = 1.0 if below else -1.0
    parts = [sums(np.maximum(sign * (point - temperature), 0.0), y) for point in points.tolist()]
    return Sums(
        *(np.concatenate([getattr(p, f.name) for p in parts], axis=1) for f in fields(Sums))
    )


def solve(
    cold: Sums, warm: Sums, days: NDArray[np.int64], total: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slopes and sum of squares for every pair of change points, shape (n, k, j); NaN if none.

    Degrees below one point and above another never meet, so their product sums to 0.
    """
    size = np.maximum(days, 1)[:, None, None].astype(np.float64)
    hx, cx = cold.x[:, :, None], warm.x[:, None, :]
    hh = cold.xx[:, :, None] - hx * hx / size
    cc = warm.xx[:, None, :] - cx * cx / size
    hc = -hx * cx / size
    hy, cy = cold.xy[:, :, None], warm.xy[:, None, :]
    scale = np.where(hh > 0, hh, 1.0) * np.where(cc > 0, cc, 1.0)
    both = hh * cc - hc * hc
    one_only = (hh <= 0) | (cc <= 0)
    sound = both > 1e-9 * scale
    with np.errstate(divide="ignore", invalid="ignore"):
        b = np.where(one_only, np.where(hh > 0, hy / hh, 0.0), (hy * cc - cy * hc) / both)
        c = np.where(one_only, np.where(cc > 0, cy / cc, 0.0), (cy * hh - hy * hc) / both)
    lost = ~(one_only | sound)
    b, c = np.where(lost, np.nan, b), np.where(lost, np.nan, c)
    return b, c, total[:, None, None] - b * hy - c * cy


def best(
    model: Model, cold: Sums, warm: Sums, days: NDArray[np.int64], total: FloatArray, pairs: Bools
) -> tuple[FloatArray, ...]:
    """The best change points of one model: its BIC, slopes, base less the mean, and which."""
    b, c, squares = solve(cold, warm, days, total)
    parameters = int(PARAMETERS[model])
    size = days[:, None, None]
    beyond = cold.days[:, :, None], warm.days[:, None, :]
    allowed = pairs & (size >= np.maximum(REGIME_DAYS, parameters + 1))
    for has, slope, there in (
        (WITH_HEATING[model], b, beyond[0]),
        (WITH_COOLING[model], c, beyond[1]),
    ):
        if has:
            allowed = allowed & (slope > 0) & (there >= REGIME_DAYS)
    if model is Model.LINEAR:
        allowed = allowed & (b != 0)
    elif model not in (Model.MEAN, Model.BOTH_AT_ONE_POINT):
        allowed = allowed & (size - beyond[0] - beyond[1] >= REGIME_DAYS)
    # Rounding may leave a perfect fit a little below zero.
    floor = 1e-12 * np.maximum(total, 1e-12)[:, None, None]
    squares = np.where(allowed, np.maximum(squares, floor), np.inf)
    shape = squares.shape
    at = np.argmin(squares.reshape(len(days), -1), axis=1)
    row, i, j = np.arange(len(days)), at // shape[2], at % shape[2]
    least = squares[row, i, j]
    counted = np.maximum(days, 1)
    score = counted * np.log(least / counted) + parameters * np.log(counted)
    b, c = np.where(np.isfinite(least), b[row, i, j], 0.0), c[row, i, j]
    c = np.where(np.isfinite(least), c, 0.0)
    base = -(b * cold.x[row, i] + c * warm.x[row, j]) / counted
    return score, b, c, base, i.astype(np.float64), j.astype(np.float64)
