"""Emissions: energy times the factor of its own moment.

References
----------
.. [1] ADEME, Base Empreinte: factors have a scope (combustion, upstream), a date, and for
   fuels a basis, gross (PCS) or net (PCI) calorific value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from storage.reading import FloatArray


def gas_energy(volume: ArrayLike, kwh_per_m3: ArrayLike) -> FloatArray:
    """Energy of a volume of gas by its gross calorific value (PCS). [kWh]

    Parameters
    ----------
    volume : float64, shape (...)
        [m3]
    kwh_per_m3 : float64, shape (...)
        The coefficient of the place and the month, as the bill says; NaN where nobody did.

    Examples
    --------
    >>> gas_energy(100.0, 11.2)
    np.float64(1120.0)
    """
    found: FloatArray = np.asarray(volume, np.float64) * np.asarray(kwh_per_m3, np.float64)
    return found[()]


def net_energy(gross: ArrayLike, pcs_per_pci: float) -> FloatArray:
    """Energy by the net calorific value (PCI) from the same by the gross (PCS). [kWh]

    Examples
    --------
    >>> round(float(net_energy(1120.0, 1.11)), 1)
    1009.0
    """
    found: FloatArray = np.asarray(gross, np.float64) / pcs_per_pci
    return found[()]


def emissions(energy: FloatArray, factor: FloatArray) -> FloatArray:
    """What was emitted: each interval with its own factor, never the mean of the factors.

    Parameters
    ----------
    energy : float64, shape (..., w)
        NaN where not known. [kWh]
    factor : float64, broadcasts to (..., w)
        NaN where nobody stated one. [kg/kWh]

    Returns
    -------
    float64, shape (...)
        NaN where a factor or an energy is missing; nothing drawn emits nothing, with or
        without a factor. [kg]

    References
    ----------
    .. [1] m = sum of E_i f_i.

    Examples
    --------
    >>> round(float(emissions(np.array([2.0, 1.0]), np.array([0.040, 0.070]))), 3)
    0.15
    """
    found: FloatArray = np.where(energy == 0, 0.0, energy * factor).sum(axis=-1)
    return found[()]
