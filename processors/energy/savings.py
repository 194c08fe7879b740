"""Savings against a baseline that is frozen, and how sure they are.

References
----------
.. [1] ASHRAE Guideline 14-2014, annex B; Reddy, Claridge: Uncertainty of "measured" energy
   savings from statistical baseline models, HVAC&R Research 6 (2000): fractional savings
   uncertainty with autocorrelated residuals.
.. [2] CalTRACK Methods 2.0, section 4.3.2: the same with the coefficients of Sun and
   Baltazar (2013) for daily data in place of the factor 1.26.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from storage.reading import FloatArray

CONFIDENCE = 0.90
"""Share of intervals that hold the true saving, as ASHRAE and CalTRACK state it."""

DAYS_A_MONTH = 30.0
_A, _B, _C = -0.00024, 0.03535, 1.00286
_LEAST_MONTHS, _MOST_MONTHS = 1.0, 12.0


def student_t(confidence: float, freedom: ArrayLike) -> FloatArray:
    """Two-sided quantile of Student's t, right to 0.002 from 5 degrees of freedom on.

    Parameters
    ----------
    confidence : float
        Between both quantiles: 0.9 for the 5th and the 95th percentile.
    freedom : float, shape (...)
        Degrees of freedom; below 1 counts as 1.

    Returns
    -------
    float64, shape (...)

    References
    ----------
    .. [1] Abramowitz, Stegun: Handbook of Mathematical Functions, 26.7.5.

    Examples
    --------
    >>> student_t(0.9, [10, 30, 363]).round(3)
    array([1.812, 1.697, 1.649])
    """
    x = NormalDist().inv_cdf((1 + confidence) / 2)
    nu = np.maximum(np.asarray(freedom, np.float64), 1.0)
    g1 = (x**3 + x) / 4
    g2 = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    g3 = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    g4 = (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160
    found: FloatArray = x + g1 / nu + g2 / nu**2 + g3 / nu**3 + g4 / nu**4
    return found


def independent_days(days: ArrayLike, autocorrelation: ArrayLike) -> FloatArray:
    """How many independent days so many autocorrelated ones are worth.

    n' = n (1 - rho) / (1 + rho); a negative rho is not believed, for it would only narrow
    intervals.

    Examples
    --------
    >>> independent_days(365, 0.5)
    np.float64(121.66666666666667)
    """
    rho = np.clip(np.asarray(autocorrelation, np.float64), 0.0, 0.99)
    found: FloatArray = np.asarray(days, np.float64) * (1 - rho) / (1 + rho)
    return found


def uncertainty(
    rmse: ArrayLike,
    mean: ArrayLike,
    baseline_days: ArrayLike,
    parameters: ArrayLike,
    autocorrelation: ArrayLike,
    expected: ArrayLike,
    days: ArrayLike,
    confidence: float = CONFIDENCE,
) -> FloatArray:
    """Half the width of the interval around what was saved over some days.

    The fractional savings uncertainty times the saving: with CV = rmse / mean,

        t (a M^2 + b M + d) CV sqrt(n/n' (1 + 2/n') / m) E

    where E is what the baseline expects of these m days, or of as many days of the baseline
    if that is more: the noise of a mild month is no smaller than that of the year it is
    judged by. M is m in months, from 1 to 12, which the coefficients are made for.

    Parameters
    ----------
    rmse, mean : float64, shape (...)
        Of the baseline. [kWh]
    baseline_days, parameters, autocorrelation
        Of the baseline: n, p, and rho of its residuals, of which n' follows.
    expected : float64, shape (...)
        Sum over the days counted. [kWh]
    days : int, shape (...)
        m, the days counted.

    Returns
    -------
    float64, shape (...)
        NaN where no day is counted. [kWh]

    References
    ----------
    .. [1] CalTRACK Methods 2.0, 4.3.2.4, after ASHRAE Guideline 14 and Sun, Baltazar (2013).

    Examples
    --------
    >>> round(float(uncertainty(10.0, 100.0, 365, 3, 0.0, 3000.0, 30)), 1)
    94.0
    """
    m = np.asarray(days, np.float64)
    n = np.asarray(baseline_days, np.float64)
    effective = np.maximum(independent_days(n, autocorrelation), 1.0)
    months = np.clip(m / DAYS_A_MONTH, _LEAST_MONTHS, _MOST_MONTHS)
    level = np.asarray(mean, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = np.maximum(np.asarray(expected, np.float64), m * level)
        spread = np.sqrt(n / effective * (1 + 2 / effective) / m)
        found: FloatArray = (
            student_t(confidence, effective - np.asarray(parameters))
            * (_A * months**2 + _B * months + _C)
            * (np.asarray(rmse, np.float64) / level)
            * spread
            * whole
        )
    return np.where((m > 0) & (level > 0), found, np.nan)[()]


def cusum(actual: FloatArray, expected: FloatArray) -> FloatArray:
    """What was drawn beyond the baseline, added up; a change of slope is a change of habit.

    Parameters
    ----------
    actual, expected : float64, shape (..., d)
        By time, NaN where not known: such days add nothing. [kWh]

    Returns
    -------
    float64, shape (..., d)
        NaN until the first day that is known. Falling where energy is saved. [kWh]

    References
    ----------
    .. [1] C_t = sum of E_i - Ê_i with the baseline frozen.

    Examples
    --------
    >>> cusum(np.array([10.0, 12, 9, 15]), np.array([10.0, 10, 10, 10]))
    array([0., 2., 1., 6.])
    """
    beyond = actual - expected
    there = ~np.isnan(beyond)
    total = np.cumsum(np.where(there, beyond, 0.0), axis=-1)
    return np.where(np.cumsum(there, axis=-1) > 0, total, np.nan)


def climate_corrected(
    energy: ArrayLike, base: ArrayLike, degree_days: ArrayLike, reference: ArrayLike
) -> FloatArray:
    """What would have been drawn in another climate: the heating part goes with degree days.

    Parameters
    ----------
    energy, base : float64, shape (...)
        All that was drawn, and what of it does not depend on the weather. [kWh]
    degree_days, reference : float64, shape (...)
        Of the same time, and of the climate that is wanted. [K.d]

    Returns
    -------
    float64, shape (...)
        NaN without degree days to judge by. Where less than the base was drawn, that is
        what would have been. [kWh]

    References
    ----------
    .. [1] E_corr = base + (E - base) DJU_ref / DJU.

    Examples
    --------
    >>> round(float(climate_corrected(10_000, 3_000, 2_200, 2_400)), 2)
    10636.36
    """
    drawn, floor = np.asarray(energy, np.float64), np.asarray(base, np.float64)
    here = np.asarray(degree_days, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        weather = np.maximum(drawn - floor, 0.0)
        found = drawn - weather + weather * np.asarray(reference, np.float64) / here
    return np.where(here > 0, found, np.nan)[()]
