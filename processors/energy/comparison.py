"""A building beside others of its class.

A class of few buildings is not compared: each could be told from the rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray


def within_class(
    value: FloatArray, member: NDArray[np.intp], minimum: int
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Rank and median among the buildings of a class, for every year at once.

    Parameters
    ----------
    value : float64, shape (n, p)
        What is compared, such as kWh per square metre; NaN where not known.
    member : intp, shape (n,)
        Number of each building's class; negative where it has none.
    minimum : int
        With fewer known buildings nothing is said.

    Returns
    -------
    rank : float64, shape (n, p)
        1 for the lowest; equals share the mean of their ranks. NaN where not compared.
    median : float64, shape (n, p)
        Of the class; NaN where not compared.
    size : int64, shape (n, p)
        Buildings known of the class; 0 without a class.

    Examples
    --------
    >>> value = np.array([[80.0], [120.0], [100.0], [100.0], [np.nan], [60.0]])
    >>> rank, median, size = within_class(value, np.array([0, 0, 0, 0, 0, 1]), 3)
    >>> rank[:, 0], median[:, 0], size[:, 0]
    (array([1. , 4. , 2.5, 2.5, nan, nan]), array([100., 100., 100., 100., 100.,  nan]), array([4, 4, 4, 4, 4, 1]))
    """
    classes = int(member.max(initial=-1)) + 1
    known = ~np.isnan(value) & (member >= 0)[:, None]
    # One long column: (year, class) groups side by side, each sorted by value.
    group = np.arange(value.shape[1])[None, :] * classes + np.maximum(member, 0)[:, None]
    flat, where = value[known], group[known]
    size = np.bincount(where, minlength=max(classes * value.shape[1], 1))
    begin = np.cumsum(size) - size
    order = np.lexsort((flat, where))
    ordered = flat[order]
    middle = np.full(len(size), np.nan)
    some = size > 0
    low, high = begin[some] + (size[some] - 1) // 2, begin[some] + size[some] // 2
    middle[some] = (ordered[low] + ordered[high]) / 2
    place = np.arange(len(flat)) - begin[where[order]] + 1.0
    fresh = np.ones(len(flat), np.bool_)
    fresh[1:] = (ordered[1:] != ordered[:-1]) | (where[order][1:] != where[order][:-1])
    tie = np.cumsum(fresh) - 1
    shared = np.bincount(tie, place) / np.maximum(np.bincount(tie), 1) if len(flat) else place
    ranks = np.empty(len(flat))
    ranks[order] = shared[tie]
    rank = np.full(value.shape, np.nan)
    rank[known] = ranks
    of = np.where((member >= 0)[:, None], size[group], 0)
    enough = of >= minimum
    return (
        np.where(enough, rank, np.nan),
        np.where(enough, middle[group], np.nan),
        of,
    )
