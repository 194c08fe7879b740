"""What an hour of an optical particle sensor is worth: what it cannot have measured.

References
----------
.. [1] Nova Fitness, SDS011 specification: up to 70 % of relative humidity; 0.0 to 999.9 ug/m3.
.. [2] Atmospheric Measurement Techniques 17, 6735 (2024): errors grow faster from 50 % of
   relative humidity on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.air.correction import TOO_HUMID
from storage.indicators.particles import Fault
from storage.reading import FloatArray

SPECIFIED_HUMIDITY = 70.0  # [%]
OVERRANGE = (999.9, 1999.9)
"""What sensors say where they cannot count any more: PM2.5 and PM10 of the SDS011. [ug/m3]"""


def faults(
    mean: FloatArray,
    low: FloatArray,
    high: FloatArray,
    humidity: FloatArray,
    coarser: FloatArray,
    finer: FloatArray,
) -> NDArray[np.int64]:
    """What speaks against each hour of particle sensors, as bits.

    Fine particles are part of the coarse ones, so that a sensor with more PM2.5 than PM10
    is wrong about both. A zero that stands for a whole hour, or the number at which the
    scale ends, is a sensor without an answer.

    Parameters
    ----------
    mean, low, high : float64, shape (n, w)
        Of the hour's readings; NaN where there is none. [ug/m3]
    humidity : float64, shape (n, w)
        NaN where unknown. [%]
    coarser, finer : float64, shape (n, w)
        Mean of the same sensor's next coarser and next finer particles; NaN where it
        measures none. [ug/m3]

    Returns
    -------
    int64, shape (n, w)
        Bits as in :class:`storage.indicators.particles.Fault`; 0 where nothing is measured.

    References
    ----------
    .. [1] Nova Fitness, SDS011 specification.

    Examples
    --------
    >>> mean = np.array([[10.0, 10.0, 0.0, 12.0, np.nan]])
    >>> damp, none = np.array([[50.0, 96.0, 50.0, np.nan, 96.0]]), np.full((1, 5), np.nan)
    >>> coarser = np.array([[20.0, 20.0, 20.0, 11.0, 20.0]])
    >>> faults(mean, mean, mean, damp, coarser, none)
    array([[ 0,  3, 16, 12,  0]])
    """
    above = (mean > coarser) | (finer > mean)
    ends = np.isclose(high[..., None], OVERRANGE, rtol=0, atol=1e-6).any(axis=-1)
    bits = (
        (humidity >= SPECIFIED_HUMIDITY) * int(Fault.HUMID)
        | (humidity >= TOO_HUMID) * int(Fault.TOO_HUMID)
        | np.isnan(humidity) * int(Fault.NO_HUMIDITY)
        | above * int(Fault.FINE_ABOVE_COARSE)
        | ((low == 0) & (high == 0)) * int(Fault.ZERO)
        | ends * int(Fault.END_OF_SCALE)
    )
    answer: NDArray[np.int64] = np.where(np.isnan(mean), 0, bits).astype(np.int64)
    return answer
