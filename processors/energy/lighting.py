"""Street lights behind a meter: what they should draw, and what of it fails or burns by day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows
from storage.reading import FloatArray

DAY_BURNER = 0.05
"""Share of the night's power from which lights burn by day."""

FAILED = 0.8
"""Share of what is installed below which lamps or a phase have failed."""


def expected_energy(
    dark: FloatArray, power_kw: FloatArray, dimming: FloatArray, hours: FloatArray
) -> FloatArray:
    """Energy that lights draw as installed: power x hours of night x dimming.

    Parameters
    ----------
    dark : float64, shape (n, w)
        For how much of each window it is night.
    power_kw : float64, shape (n,)
        Installed. [kW]
    dimming : float64, shape (n, w)
        What of it is left on.
    hours : float64, shape (w,)
        How long the windows are. [h]

    Returns
    -------
    float64, shape (n, w)
        [kWh]

    Examples
    --------
    >>> half = np.array([[0.0, 0.5, 1.0]])
    >>> expected_energy(half, np.array([2.0]), np.ones((1, 3)), np.ones(3))
    array([[0., 1., 2.]])
    """
    return dark * power_kw[:, None] * dimming * hours


def mean_where(power: FloatArray, mask: NDArray[np.bool_], first: Rows) -> FloatArray:
    """Mean of the marked windows of each period that are measured; NaN where none is.

    Parameters
    ----------
    power : float64, shape (n, w)
        [kW]
    mask : bool, shape (n, w)
    first : intp, shape (p,)
        First window of each period.

    Returns
    -------
    float64, shape (n, p)
        [kW]

    Examples
    --------
    >>> power = np.array([[2.0, 4.0, np.nan, 9.0]])
    >>> mean_where(power, np.array([[True, True, True, False]]), np.array([0]))
    array([[3.]])
    """
    used = mask & ~np.isnan(power)
    size = np.add.reduceat(used.astype(np.int64), first, axis=1)
    total = np.add.reduceat(np.where(used, power, 0.0), first, axis=1)
    return np.where(size > 0, total / np.maximum(size, 1), np.nan)


def day_burning(noon: FloatArray, night: FloatArray, installed: FloatArray) -> FloatArray:
    """Power at noon as a share of the night's; of what is installed where nights are dark.

    Parameters
    ----------
    noon, night, installed : float64, of shapes that fit
        Mean powers at noon and at night, and what the night should draw. [kW]

    Returns
    -------
    float64
        Above 0.05 lights burn by day. [1]

    Examples
    --------
    >>> day_burning(np.array([0.2, 1.0]), np.array([2.0, 0.0]), np.array([2.0, 2.0]))
    array([0.1, 0.5])
    """
    base = np.where(night > 0, night, np.where(np.isnan(night), np.nan, installed))
    return noon / base


def night_ratio(night: FloatArray, installed: FloatArray) -> FloatArray:
    """Power at night as a share of what the same windows should draw; below 0.8 some failed.

    Examples
    --------
    >>> night_ratio(np.array([1.5]), np.array([2.0]))
    array([0.75])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(installed > 0, night / installed, np.nan)
