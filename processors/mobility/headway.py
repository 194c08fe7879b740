"""Regularity of public transport: what passengers wait who do not look at the timetable."""

from __future__ import annotations

import numpy as np

from storage.reading import FloatArray


def mean_wait(headway: FloatArray) -> FloatArray:
    """Mean wait of passengers who come at any time: ``Σh² / 2Σh``.

    More of them come into a long gap than into a short one, so irregular vehicles are waited
    for longer than half the mean headway.

    Parameters
    ----------
    headway : float64, shape (n, w)
        Times between vehicles, NaN where not observed. [min]

    Returns
    -------
    float64, shape (n,)
        NaN where no vehicle is known to have come. [min]

    References
    ----------
    .. [1] Osuna, Newell: Control strategies for an idealized public transportation system,
       Transportation Science 6 (1972).

    Examples
    --------
    >>> mean_wait(np.array([[5.0, 5.0, 15.0]]))
    array([5.5])
    """
    known = np.where(np.isnan(headway), 0.0, headway)
    total = known.sum(axis=1)
    squares = (known * known).sum(axis=1)
    return np.where(total > 0, squares / np.where(total > 0, 2 * total, 1.0), np.nan)


def excess_wait(headway: FloatArray, scheduled: FloatArray) -> FloatArray:
    """How much longer passengers wait than if vehicles came as planned.

    Parameters
    ----------
    headway : float64, shape (n, w)
        Observed. [min]
    scheduled : float64, shape (n, v)
        Planned. [min]

    Returns
    -------
    float64, shape (n,)
        NaN where one is unknown. [min]

    Examples
    --------
    >>> excess_wait(np.array([[5.0, 5.0, 15.0]]), np.full((1, 3), 25 / 3)).round(3)
    array([1.333])
    """
    return mean_wait(headway) - mean_wait(scheduled)
