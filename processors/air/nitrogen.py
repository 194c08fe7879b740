"""Nitrogen oxides: a sum of shares of the air, told as a mass of nitrogen dioxide.

References
----------
.. [1] Directive (EU) 2024/2881, article 4(8).
"""

from __future__ import annotations

from storage.gases import MOLAR_MASS
from storage.reading import FloatArray

NO_AS_NO2 = MOLAR_MASS["no2"] / MOLAR_MASS["no"]
"""A microgram of NO is as many molecules as so many of NO2."""


def nitrogen_oxides(no: FloatArray, no2: FloatArray) -> FloatArray:
    """Nitrogen oxides from both gases: every molecule of either counts as one of NO2.

    Masses must not be added as they are, for a molecule of NO weighs two thirds of one of NO2.

    Parameters
    ----------
    no, no2 : float64, any shapes that go together
        NaN where missing. [ug/m3]

    Returns
    -------
    float64
        NaN where either is missing. [ug/m3, as NO2]

    References
    ----------
    .. [1] Directive (EU) 2024/2881, article 4(8): the sum of volume mixing ratios.

    Examples
    --------
    20 ppb of NO and 15 ppb of NO2:

    >>> import numpy as np
    >>> nitrogen_oxides(np.array([20 * 1.2477166]), np.array([15 * 1.9130112])).round(3)
    array([66.955])
    """
    return no2 + no * NO_AS_NO2
