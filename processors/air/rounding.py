"""Rounding as regulations mean it.

References
----------
.. [1] European Commission, guidance on Decision 2011/850/EU (IPR), 2013, p. 10: statistics
   are rounded to the accuracy of the limit before they are compared with it.
"""

from __future__ import annotations

import numpy as np

from storage.reading import FloatArray

DUST_DECIMALS = 9
"""Sums of decimal readings are off by some 1e-14; no instrument tells a billionth."""


def undusted(value: FloatArray) -> FloatArray:
    """Values without the last digits that adding decimals leaves behind.

    Examples
    --------
    >>> undusted(np.array([0.1 + 0.2, np.nan]))
    array([0.3, nan])
    """
    return np.round(value, DUST_DECIMALS)


def half_up(value: FloatArray) -> FloatArray:
    """Whole numbers, halves upwards: 50.5 becomes 51, where numpy rounds to the even 50.

    Parameters
    ----------
    value : float64, any shape
        NaN stays NaN. [unit]

    Returns
    -------
    float64, same shape
        [unit]

    Examples
    --------
    >>> half_up(np.array([50.4, 50.5, 49.5, -0.5, np.nan]))
    array([50., 51., 50., -0., nan])
    """
    clean = undusted(value)
    whole = np.floor(clean)
    return np.where(clean - whole >= 0.5, np.ceil(clean), whole)
