"""Runs: neighbouring rows that belong together, as (start, length).

Rows arrive by (series, time), so everything grouped here is contiguous and no kernel has
to sort.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def starts(*columns: NDArray[Any]) -> Rows:
    """First row of every run of rows that agree in all columns.

    Examples
    --------
    >>> starts(np.array([7, 7, 7, 9]), np.array([0, 0, 1, 1]))
    array([0, 2, 3])
    """
    if not len(columns[0]):
        return np.empty(0, np.intp)
    changed = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        changed |= column[1:] != column[:-1]
    return np.concatenate((np.zeros(1, np.intp), np.flatnonzero(changed) + 1))


def lengths(start: Rows, rows: int) -> Rows:
    """Length of every run, the last one ending at ``rows``.

    Examples
    --------
    >>> lengths(np.array([0, 2, 3]), 4)
    array([2, 1, 1])
    """
    return np.diff(start, append=rows)


def rows_of(start: Rows, length: Rows) -> Rows:
    """Every row of the given runs, run after run.

    Examples
    --------
    >>> rows_of(np.array([0, 10]), np.array([3, 2]))
    array([ 0,  1,  2, 10, 11])
    """
    before = np.cumsum(length) - length
    return np.repeat(start - before, length) + np.arange(int(length.sum()))


def reduce(operation: np.ufunc, column: NDArray[Any], start: Rows) -> NDArray[Any]:
    """Reduce every run to one value; the runs cover the rows without holes.

    Sums are pairwise within a run, and a column keeps its type.

    Examples
    --------
    >>> reduce(np.maximum, np.array([3.0, 5.0, 4.0]), np.array([0, 2]))
    array([5., 4.])
    """
    if not len(start):
        return column[:0]
    reduced: NDArray[Any] = operation.reduceat(column, start, dtype=column.dtype)
    return reduced


def count(mask: NDArray[np.bool_], start: Rows) -> Rows:
    """How many rows of every run are marked; the runs cover the rows without holes.

    Examples
    --------
    >>> count(np.array([True, False, True, True]), np.array([0, 2]))
    array([1, 2])
    """
    if not mask.any():
        return np.zeros(len(start), np.intp)
    return np.add.reduceat(mask, start, dtype=np.intp)
