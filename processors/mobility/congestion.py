"""How much slower than free: free-flow speed and congestion index.

References
----------
.. [1] Cerema, road congestion indicators: travel time against free-flow travel time,
   CI = T / T_free - 1 = v_free / v - 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.mobility.speed import ranked
from storage.reading import FloatArray


def free_flow_speed(speed: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Speed that drivers choose when nobody is in their way.

    The 85th percentile of space-mean speeds by night and off the peaks.

    Parameters
    ----------
    speed : float64, shape (..., k)
        Space-mean speeds of hours in which traffic is free; NaN where not measured, and
        wherever an hour is not one of these. [km/h]

    Returns
    -------
    free : float64, shape (...)
        NaN where nothing was measured; how much is enough is for the caller to say. [km/h]
    hours : int64, shape (...)
        How many speeds it is taken from.

    References
    ----------
    .. [1] Cerema, road congestion indicators.

    Examples
    --------
    >>> free_flow_speed(np.array([48.0, 50.0, np.nan, 52.0]))
    (np.float64(51.4), np.int64(3))
    """
    return ranked(speed, "linear"), (~np.isnan(speed)).sum(axis=-1)


def congestion_index(speed: ArrayLike, free: ArrayLike) -> FloatArray:
    """How much longer a way takes than when traffic is free: v_free / v - 1.

    Parameters
    ----------
    speed, free : float64
        Space-mean speed and free-flow speed; NaN where unknown. Of travel times: their
        inverses. [km/h]

    Returns
    -------
    float64, what both broadcast to
        0 when free, 1 when it takes twice as long, below 0 when faster than free; NaN where
        one is unknown or nobody moved. [1]

    References
    ----------
    .. [1] Cerema, road congestion indicators.

    Examples
    --------
    >>> congestion_index([32.0, 50.0, 0.0], 50.0)
    array([0.5625, 0.    ,    nan])
    """
    speed = np.asarray(speed, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(speed > 0, np.asarray(free, np.float64) / speed - 1, np.nan)
