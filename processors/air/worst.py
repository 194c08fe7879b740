"""From sub-indices of series to the index of a place: the worst pollutant decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.runs import starts
from storage.reading import FloatArray, IntArray

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Worst:
    """The index of g places over w windows.

    Attributes, each of shape (g, w)
    --------------------------------
    index : float64
        The worst sub-index; NaN where there is none.
    dominant, used : int32
        Pollutants that have that sub-index, and any: a bit each, in their order.
    lesser : bool
        Whether any of those used comes from an indicative instrument.
    """

    index: FloatArray
    dominant: IntArray
    used: IntArray
    lesser: NDArray[np.bool_]


def worst(
    sub: FloatArray,
    place: Places,
    pollutant: Places,
    lesser: NDArray[np.bool_],
    size: tuple[int, int],
) -> Worst:
    """Worst sub-index of each place, which pollutants it is of, and which were there.

    Where a place has several series of a pollutant the worst of them counts; those of
    reference quality come before all others.

    Parameters
    ----------
    sub : float64, shape (n, w)
        Classes of the series; NaN where there is none.
    place, pollutant : intp, shape (n,)
        Where each series stands among the places and the pollutants.
    lesser : bool, shape (n,)
        Which series are of indicative instruments.
    size : two ints
        How many places, and how many pollutants.

    References
    ----------
    .. [1] European Environment Agency, European Air Quality Index: the poorest level of any
       pollutant.
    .. [2] Arrêté du 10 juillet 2020, article 3: le sous-indice le plus dégradé.

    Examples
    --------
    >>> sub = np.array([[3.0, np.nan], [2.0, 2.0], [3.0, 1.0]])
    >>> here, what = np.zeros(3, np.intp), np.array([3, 2, 0])
    >>> found = worst(sub, here, what, np.array([False, True, False]), (1, 5))
    >>> found.index, found.dominant, found.used, found.lesser
    (array([[3., 2.]]), array([[9, 4]], dtype=int32), array([[13,  5]], dtype=int32), array([[ True,  True]]))
    """
    places, pollutants = size
    shape = (places, pollutants, sub.shape[1])
    cell = place * pollutants + pollutant
    best = _highest(sub, cell, ~lesser, shape)
    other = _highest(sub, cell, lesser, shape)
    from_other = np.isnan(best) & ~np.isnan(other)
    table = np.where(from_other, other, best)
    index = np.fmax.reduce(table, axis=1)
    bit = (1 << np.arange(pollutants, dtype=np.int32))[:, None]
    return Worst(
        index,
        np.where(table == index[:, None], bit, 0).sum(axis=1, dtype=np.int32),
        np.where(np.isnan(table), 0, bit).sum(axis=1, dtype=np.int32),
        np.logical_or.reduce(from_other, axis=1),
    )


def _highest(
    sub: FloatArray, cell: Places, chosen: NDArray[np.bool_], shape: tuple[int, int, int]
) -> FloatArray:
    """Highest class of the chosen series in every cell, NaN where there is none."""
    table = np.full((shape[0] * shape[1], shape[2]), np.nan)
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(cell[rows], kind="stable")]
    begin = starts(cell[rows])
    if len(begin):
        table[cell[rows[begin]]] = np.fmax.reduceat(sub[rows], begin, axis=0)
    return table.reshape(shape)
