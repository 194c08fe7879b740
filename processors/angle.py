"""Directions: they average on the circle, never as numbers.

References
----------
.. [1] Fisher: Statistical Analysis of Circular Data (1993), sections 2.3.1 and 2.3.2.
"""

from __future__ import annotations

import numpy as np

from storage.reading import FloatArray

STEADY = 0.1
"""Mean vectors shorter than this point nowhere."""


def components(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cosine and sine of directions [deg]; their sums are what combines."""
    radians = np.deg2rad(direction)
    return np.cos(radians), np.sin(radians)


def mean(x: FloatArray, y: FloatArray, n: FloatArray) -> FloatArray:
    """Mean direction from sums of cosines and sines.

    Parameters
    ----------
    x, y : float64, shape (n,)
        Sums of cosines and of sines.
    n : float64, shape (n,)
        How many directions were summed.

    Returns
    -------
    float64, shape (n,)
        In [0, 360); NaN where the directions cancel out (mean vector below 0.1). [deg]

    Examples
    --------
    >>> x, y = components(np.array([350.0, 10.0]))
    >>> mean(x.sum(keepdims=True), y.sum(keepdims=True), np.array([2.0]))
    array([0.])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        steady = np.hypot(x, y) / n >= STEADY
    turn = np.rad2deg(np.arctan2(y, x)) % 360.0
    # A tiny negative angle rounds up to 360, which is 0.
    turn[turn >= 360.0 - 1e-12] = 0.0
    return np.where(steady, turn, np.nan)


def spread(x: FloatArray, y: FloatArray, n: FloatArray) -> FloatArray:
    """Circular standard deviation sqrt(-2 ln R) from the same sums. [deg]

    Examples
    --------
    >>> x, y = components(np.array([350.0, 10.0]))
    >>> spread(x.sum(keepdims=True), y.sum(keepdims=True), np.array([2.0])).round(3)
    array([10.026])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        length = np.minimum(np.hypot(x, y) / n, 1.0)
        return np.rad2deg(np.sqrt(-2.0 * np.log(length)))
