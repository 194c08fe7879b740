"""How much must be counted before an average over a year is given, and called complete."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.indicators.word import Status
from storage.reading import FloatArray

ENOUGH = 0.75
"""Of less than this share of its parts no average is given at all."""


def graded(value: ArrayLike, n: ArrayLike, due: ArrayLike) -> tuple[FloatArray, NDArray[np.int64]]:
    """An average where it is made of enough of its parts, and how complete it is.

    Parameters
    ----------
    value : float64
        [any]
    n, due : int
        Parts there are and parts there should be; broadcast against the value.

    Returns
    -------
    value : float64
        NaN where less than 75 % of the parts are there. [any]
    status : int64
        Complete where none is missing, otherwise partial.

    Examples
    --------
    >>> graded([100.0, 100.0, 100.0], [84, 63, 62], 84)
    (array([100., 100.,  nan]), array([1, 2, 2]))
    """
    parts, wanted = np.asarray(n), np.asarray(due)
    status = np.where(parts >= wanted, int(Status.COMPLETE), int(Status.PARTIAL))
    return np.where(parts >= ENOUGH * wanted, np.asarray(value, np.float64), np.nan), status
