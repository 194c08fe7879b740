"""The energy signature: what a building draws by the temperature outside.

    E = a + b max(0, Th - T) + c max(0, T - Tc)

All buildings are fitted at once, over a grid of change points (:mod:`.change_points`).

References
----------
.. [1] Kissock, Haberl, Claridge: Inverse Modeling Toolkit (ASHRAE RP-1050), ASHRAE
   Transactions 109 (2003): change-point models with two to five parameters, grid search.
.. [2] ASHRAE Guideline 14-2014: CV(RMSE) and NMBE with n - p in the denominator.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from processors.energy.change_points import (
    PARAMETERS,
    WITH_COOLING,
    WITH_HEATING,
    Bools,
    Model,
    Sums,
    best,
    solve,
    sums,
    sums_beyond,
)  # fmt: skip
from storage.reading import FloatArray

HEATING_POINTS = np.arange(5.0, 21.01, 0.5)
COOLING_POINTS = np.arange(12.0, 30.01, 0.5)
"""Change points that are tried. [Cel]"""

NOWHERE = 1e6
"""A change point that no day reaches. [Cel]"""


@dataclass(frozen=True, slots=True)
class Signature:
    """Signatures of n buildings; each array of shape (n,), NaN where there is none.

    Attributes
    ----------
    base, heating, cooling : float64
        a [kWh], b and c [kWh/K]; 0 where the model has no such part. A linear one (2P) leans
        on a heating point as warm as its warmest day, and its base is what is drawn there.
    heating_point, cooling_point : float64
        Th and Tc; NaN where the model has no such part. [Cel]
    rmse : float64
        sqrt(SSE / (n - p)). [kWh]
    mean : float64
        Of the days it was fitted to. [kWh]
    r2, cvrmse, nmbe : float64
        Share explained; rmse over mean; bias over mean, (n - p) in its denominator. [1]
    autocorrelation : float64
        Of the residuals of neighbouring days. [1]
    coldest, warmest : float64
        Temperatures it was fitted between. [Cel]
    days, parameters : int64
    model : int64
        As :class:`Model`.
    """

    base: FloatArray
    heating: FloatArray
    cooling: FloatArray
    heating_point: FloatArray
    cooling_point: FloatArray
    rmse: FloatArray
    mean: FloatArray
    r2: FloatArray
    cvrmse: FloatArray
    nmbe: FloatArray
    autocorrelation: FloatArray
    coldest: FloatArray
    warmest: FloatArray
    days: NDArray[np.int64]
    parameters: NDArray[np.int64]
    model: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.base)

    def take(self, rows: NDArray[np.intp]) -> Signature:
        """Some of them, in that order."""
        return Signature(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


def expected(
    signature: Signature, temperature: FloatArray, rows: NDArray[np.intp] | None = None
) -> FloatArray:
    """What the signatures say of other days.

    Parameters
    ----------
    signature : Signature of n buildings
    temperature : float64, shape (n, d)
        Daily means, NaN where not known. [Cel]
    rows : intp, shape (n,)
        Which signature each row of the temperatures wants; in order if not given.

    Returns
    -------
    float64, shape (n, d)
        NaN where there is no temperature or no signature. [kWh]
    """
    one = signature if rows is None else signature.take(rows)
    cold = np.maximum(_or(one.heating_point, -NOWHERE)[:, None] - temperature, 0.0)
    warm = np.maximum(temperature - _or(one.cooling_point, NOWHERE)[:, None], 0.0)
    found: FloatArray = (
        one.base[:, None] + one.heating[:, None] * cold + one.cooling[:, None] * warm
    )
    return found


def fit(
    energy: FloatArray,
    temperature: FloatArray,
    heating_points: FloatArray = HEATING_POINTS,
    cooling_points: FloatArray = COOLING_POINTS,
) -> Signature:
    """Fit the signature with the lowest BIC to every building.

    Tried are the mean, a line falling with the temperature (2P), heating or cooling alone
    (3P), both at one point (4P) and at two (5P); slopes must be positive, each regime needs
    12 days, and of the change points on the grid those with the least squares are taken. BIC
    counts change points as parameters, so that a part must earn its place.

    Parameters
    ----------
    energy : float64, shape (n, d)
        Of whole days, NaN where not known. [kWh]
    temperature : float64, shape (n, d)
        Daily means outside, NaN where not known. [Cel]
    heating_points, cooling_points : float64, shape (k,) and (j,)
        Ascending change points to be tried. [Cel]

    Returns
    -------
    Signature of n buildings
        Without a model below 12 common days.

    References
    ----------
    .. [1] Kissock, Haberl, Claridge: Inverse Modeling Toolkit (ASHRAE RP-1050).

    Examples
    --------
    >>> cold = np.linspace(-5, 25, 120)[None, :]
    >>> found = fit(100 + 20 * np.maximum(0, 16 - cold), cold)
    >>> found.base.round(6), found.heating.round(6), found.heating_point, Model(found.model[0]).name
    (array([100.]), array([20.]), array([16.]), 'HEATING')
    """
    day = ~(np.isnan(energy) | np.isnan(temperature))
    days = day.sum(axis=1)
    mean = np.where(day, energy, 0.0).sum(axis=1) / np.maximum(days, 1)
    y = np.where(day, energy - mean[:, None], 0.0)
    total = (y * y).sum(axis=1)
    warmest = np.where(day, temperature, -np.inf).max(axis=1, initial=-np.inf)
    coldest = np.where(day, temperature, np.inf).min(axis=1, initial=np.inf)
    line = np.where(days > 0, warmest, 0.0)[:, None]
    # What is not known is neither cold nor warm.
    cold = sums_beyond(np.where(day, temperature, np.inf), y, heating_points, below=True)
    warm = sums_beyond(np.where(day, temperature, -np.inf), y, cooling_points, below=False)
    leaning = sums(np.where(day, line - temperature, 0.0), y)
    nothing = Sums(*(np.zeros((len(days), 1)) for _ in range(4)))
    same = heating_points[:, None] == cooling_points
    apart = heating_points[:, None] < cooling_points

    tried = [
        best(Model.MEAN, nothing, nothing, days, total, np.ones((1, 1), np.bool_)),
        best(Model.LINEAR, leaning, nothing, days, total, np.ones((1, 1), np.bool_)),
        best(Model.HEATING, cold, nothing, days, total, np.ones((len(heating_points), 1), np.bool_)),
        best(Model.COOLING, nothing, warm, days, total, np.ones((1, len(cooling_points)), np.bool_)),
        best(Model.BOTH_AT_ONE_POINT, cold, warm, days, total, same),
        best(Model.BOTH, cold, warm, days, total, apart),
    ]  # fmt: skip
    score = np.array([one[0] for one in tried])
    chosen = np.argmin(score, axis=0)
    column = np.arange(len(days))
    some = np.isfinite(score[chosen, column])
    model = np.where(some, chosen + 1, Model.NONE)
    b, c, base, at, to = (np.array([one[k] for one in tried])[chosen, column] for k in range(1, 6))
    has_cold, has_warm = WITH_HEATING[model], WITH_COOLING[model]
    points = (
        np.where(has_cold, heating_points[np.where(has_cold, at, 0).astype(np.intp)], np.nan),
        np.where(has_warm, cooling_points[np.where(has_warm, to, 0).astype(np.intp)], np.nan),
    )
    heating_point = np.where(model == Model.LINEAR, warmest, points[0])
    return _measured(
        energy, temperature, day, mean, total, model,
        np.where(some, base + mean, np.nan), np.where(some, b, np.nan), np.where(some, c, np.nan),
        heating_point, points[1], coldest, warmest, PARAMETERS[model],
    )  # fmt: skip


def fit_fixed(
    energy: FloatArray, temperature: FloatArray, heating_point: float, cooling_point: float
) -> Signature:
    """Least squares with change points that somebody else has set, such as a contract.

    Parameters and answer are those of :func:`fit`; slopes may be of either sign, and three
    parameters are counted.

    Examples
    --------
    >>> t = np.linspace(0, 30, 60)[None, :]
    >>> e = 5 + np.maximum(0, 15 - t) + 2 * np.maximum(0, t - 20)
    >>> found = fit_fixed(e, t, 15.0, 20.0)
    >>> found.base.round(6), found.heating.round(6), found.cooling.round(6)
    (array([5.]), array([1.]), array([2.]))
    """
    day = ~(np.isnan(energy) | np.isnan(temperature))
    days = day.sum(axis=1)
    mean = np.where(day, energy, 0.0).sum(axis=1) / np.maximum(days, 1)
    y = np.where(day, energy - mean[:, None], 0.0)
    cold = sums_beyond(np.where(day, temperature, np.inf), y, np.array([heating_point]), below=True)
    warm = sums_beyond(
        np.where(day, temperature, -np.inf), y, np.array([cooling_point]), below=False
    )
    b, c, _ = solve(cold, warm, days, (y * y).sum(axis=1))
    b, c = b[:, 0, 0], c[:, 0, 0]
    some = (days > 3) & ~np.isnan(b) & ~np.isnan(c)
    base = mean - (b * cold.x[:, 0] + c * warm.x[:, 0]) / np.maximum(days, 1)
    return _measured(
        energy, temperature, day, mean, (y * y).sum(axis=1),
        np.where(some, Model.BOTH, Model.NONE),
        np.where(some, base, np.nan), np.where(some, b, np.nan), np.where(some, c, np.nan),
        np.where(some, heating_point, np.nan), np.where(some, cooling_point, np.nan),
        np.where(day, temperature, np.inf).min(axis=1, initial=np.inf),
        np.where(day, temperature, -np.inf).max(axis=1, initial=-np.inf),
        np.where(some, 3, 0),
    )  # fmt: skip


def _or(value: FloatArray, otherwise: float) -> FloatArray:
    return np.where(np.isnan(value), otherwise, value)


def _measured(
    energy: FloatArray, temperature: FloatArray, day: Bools, mean: FloatArray, total: FloatArray,
    model: NDArray[np.int64], base: FloatArray, b: FloatArray, c: FloatArray,
    heating_point: FloatArray, cooling_point: FloatArray, coldest: FloatArray, warmest: FloatArray,
    parameters: NDArray[np.int64],
) -> Signature:  # fmt: skip
    """The signature with how well it fits."""
    days = day.sum(axis=1)
    blank = np.full(len(days), np.nan)
    bare = Signature(
        base, b, c, heating_point, cooling_point, blank, blank, blank, blank, blank, blank, blank,
        blank, days, parameters, model,
    )  # fmt: skip
    some = model != Model.NONE
    residual = np.where(day & some[:, None], energy - expected(bare, temperature), np.nan)
    left = np.where(np.isnan(residual), 0.0, residual)
    squares, freedom = (left * left).sum(axis=1), np.maximum(days - parameters, 1)
    rmse = np.sqrt(squares / freedom)
    pairs = left[:, 1:] * left[:, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return Signature(
            base, b, c, heating_point, cooling_point,
            rmse=np.where(some, rmse, np.nan),
            mean=np.where(some, mean, np.nan),
            r2=np.where(some & (total > 0), 1 - squares / total, np.nan),
            cvrmse=np.where(some & (mean > 0), rmse / mean, np.nan),
            nmbe=np.where(some & (mean > 0), left.sum(axis=1) / freedom / mean, np.nan),
            autocorrelation=np.where(
                some & (squares > 0), pairs.sum(axis=1) / squares, np.where(some, 0.0, np.nan)
            ),
            coldest=np.where(some, coldest, np.nan),
            warmest=np.where(some, warmest, np.nan),
            days=days, parameters=parameters, model=model,
        )  # fmt: skip
