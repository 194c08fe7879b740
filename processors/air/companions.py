"""Which series of a site stand beside one another: the humidity of a particle sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray
from storage.roster import Roster

Rows = NDArray[np.intp]

NOBODY = -1


def same_sensor(roster: Roster, metric: str) -> Rows:
    """Row of each series' companion at the same sensor, -1 where there is none.

    Parameters
    ----------
    roster : Roster of n rows
    metric : str
        What the companion measures.

    Returns
    -------
    intp, shape (n,)
        The first of several.
    """
    _, sensor = np.unique(np.char.add(np.char.add(roster.site_id.astype(str), "/"), roster.sensor),
                          return_inverse=True)  # fmt: skip
    return _companion(sensor, roster.metric == metric)


def same_site(roster: Roster, metric: str) -> Rows:
    """The same, at the same site: the sensor's own, else the first of the site."""
    near = _companion(np.unique(roster.site_id, return_inverse=True)[1], roster.metric == metric)
    own = same_sensor(roster, metric)
    return np.where(own == NOBODY, near, own)


def _companion(group: Rows, chosen: NDArray[np.bool_]) -> Rows:
    first = np.full(int(group.max(initial=-1)) + 1, NOBODY, np.intp)
    rows = np.flatnonzero(chosen)[::-1]  # of several the first is written last
    first[group[rows]] = rows
    return first[group]


def of_companions(table: FloatArray, companion: Rows) -> FloatArray:
    """Each series' companion's row of a table; NaN where it has none.

    Examples
    --------
    >>> of_companions(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, -1]))
    array([[ 3.,  4.],
           [nan, nan]])
    """
    found: FloatArray = np.where((companion == NOBODY)[:, None], np.nan, table[companion])
    return found
