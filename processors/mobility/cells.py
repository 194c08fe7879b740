"""Sums over columns that belong together: the same hour of the day, month and weekday …"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray


def cell_sums(
    value: FloatArray, cell: NDArray[np.int64], size: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Sum of what is measured in each cell, and how many values that is.

    Parameters
    ----------
    value : float64, shape (n, w)
        NaN where not measured. [any]
    cell : int64, shape (w,)
        Which cell each column belongs to; columns with a negative one are left out.
    size : int
        How many cells there are.

    Returns
    -------
    total : float64, shape (n, size)
        0 where nothing is measured: look at ``count``. [any]
    count : int64, shape (n, size)

    Examples
    --------
    >>> cell_sums(np.array([[1.0, 2.0, np.nan, 4.0]]), np.array([0, 1, 1, 0]), 3)
    (array([[5., 2., 0.]]), array([[2, 1, 0]]))
    """
    total = np.zeros((len(value), size))
    count = np.zeros((len(value), size), np.int64)
    order = np.argsort(cell, kind="stable")
    order = order[cell[order] >= 0]
    if not len(order) or not len(value):
        return total, count
    sorted_cell = cell[order]
    start = np.flatnonzero(np.diff(sorted_cell, prepend=-1))
    column = value[:, order]
    known = ~np.isnan(column)
    total[:, sorted_cell[start]] = np.add.reduceat(np.where(known, column, 0.0), start, axis=1)
    count[:, sorted_cell[start]] = np.add.reduceat(known, start, axis=1, dtype=np.int64)
    return total, count


def mean_of(total: FloatArray, count: NDArray[np.int64]) -> FloatArray:
    """Total by count; NaN where nothing was measured."""
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def total_of_all(
    value: FloatArray, group: NDArray[np.int64], size: int, due: NDArray[np.bool_]
) -> FloatArray:
    """Sum over the series of each group where all of them are measured.

    A road's total without one of its lanes is not low, it is unknown.

    Parameters
    ----------
    value : float64, shape (n, w)
        [any]
    group : int64, shape (n,)
        Which group each series belongs to.
    size : int
        How many groups there are.
    due : bool, shape (n, w)
        Where a series is to be measured: a lane that is gone is not waited for.

    Returns
    -------
    float64, shape (size, w)
        NaN where a series of the group is due and not measured, or where none is. [any]

    Examples
    --------
    >>> lanes = np.array([[100.0, 90.0], [50.0, np.nan], [7.0, 8.0]])
    >>> lane, due = np.array([0, 0, 1]), np.ones((3, 2), np.bool_)
    >>> total_of_all(lanes, lane, 3, due)
    array([[150.,  nan],
           [  7.,   8.],
           [ nan,  nan]])
    >>> due[1, 1] = False
    >>> total_of_all(lanes, lane, 3, due)[0]
    array([150.,  90.])
    """
    due = due | ~np.isnan(value)
    value = np.where(due, value, 0.0)
    whole = np.full((size, value.shape[1]), np.nan)
    if len(value):
        order = np.argsort(group, kind="stable")
        start = np.flatnonzero(np.diff(group[order], prepend=-1))
        total = np.add.reduceat(value[order], start, axis=0)
        some = np.logical_or.reduceat(due[order], start, axis=0)
        whole[group[order][start]] = np.where(some, total, np.nan)
    return whole
