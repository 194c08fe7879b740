"""Particles that an optical sensor saw swollen by humidity, as they would be dry.

Light scattered by particles that took up water is more than that of dry ones, which limit
values mean. A correction is right for some instruments, places and seasons and wrong for
others, so that none is applied that nobody asked for.

References
----------
.. [1] Crilley et al. 2018, Evaluation of a low-cost optical particle counter (Alphasense
   OPC-N2) for ambient air monitoring, Atmospheric Measurement Techniques 11, 709.
.. [2] Barkjohn, Gantt and Clements 2021, Development and application of a United
   States-wide correction for PM2.5 data collected with the PurpleAir sensor, Atmospheric
   Measurement Techniques 14, 4617.
"""

from __future__ import annotations

import numpy as np

from storage.reading import FloatArray

TOO_HUMID = 95.0
"""From here on a reading is mostly water, and no formula recovers the dry mass. [%]"""

PARTICLE_DENSITY = 1.65  # [g/cm3]


def growth(humidity: FloatArray, kappa: float | FloatArray) -> FloatArray:
    """How much more than dry particles an optical sensor reports, by kappa-Köhler theory.

    Parameters
    ----------
    humidity : float64, any shape
        Relative; NaN where missing. [%]
    kappa : float, or float64 of a shape that goes with it
        Hygroscopicity of the particles: about 0.4 in European cities, more by the sea. [1]

    Returns
    -------
    float64, same shape
        1 in dry air; NaN where the humidity is missing or 95 % and more. [1]

    References
    ----------
    .. [1] Crilley et al. 2018.

    Examples
    --------
    >>> growth(np.array([0.0, 80.0, 95.0, np.nan]), 0.4).round(5)
    array([1.    , 1.9697,    nan,    nan])
    """
    share = np.where(humidity < TOO_HUMID, humidity, np.nan) / 100
    return 1 + kappa / PARTICLE_DENSITY * share / (1 - share)


def dry_mass(particles: FloatArray, humidity: FloatArray, kappa: float | FloatArray) -> FloatArray:
    """Particles as they would weigh dry, by kappa-Köhler theory.

    Parameters
    ----------
    particles : float64, any shape
        As the sensor reports them. [ug/m3]
    humidity : float64, a shape that goes with it
        Relative, of the air that the sensor breathes. [%]
    kappa : float, or float64 of a shape that goes with it
        [1]

    Returns
    -------
    float64
        NaN where either is missing or the air 95 % humid and more. [ug/m3]

    References
    ----------
    .. [1] Crilley et al. 2018.

    Examples
    --------
    >>> dry_mass(np.array([25.0, 25.0]), np.array([80.0, 97.0]), 0.4).round(3)
    array([12.692,    nan])
    """
    return particles / growth(humidity, kappa)


def us_epa_purpleair(fine: FloatArray, humidity: FloatArray) -> FloatArray:
    """PM2.5 of a PurpleAir sensor by the correction of the United States' agency.

    A straight line through 24 h means beside reference instruments all over the United
    States; below 300 ug/m3, beyond which it tells too little of wildfire smoke. It may be
    a little below zero in clean damp air, as reference instruments are.

    Parameters
    ----------
    fine : float64, any shape
        PM2.5 as the sensor reports it (``cf_1``). [ug/m3]
    humidity : float64, a shape that goes with it
        As the same sensor reports it, raw. [%]

    Returns
    -------
    float64
        NaN where either is missing or the air 95 % humid and more. [ug/m3]

    References
    ----------
    .. [1] Barkjohn, Gantt and Clements 2021.

    Examples
    --------
    >>> us_epa_purpleair(np.array([30.0]), np.array([60.0])).round(3)
    array([16.298])
    """
    damp = np.where(humidity < TOO_HUMID, humidity, np.nan)
    return 0.524 * fine - 0.0862 * damp + 5.75
