"""Which series belong together: a speed and a count of the same detector, sensors of a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate

import numpy as np
from numpy.typing import NDArray

from processors.runs import Rows
from storage.roster import Roster, Texts


def named(roster: Roster, patterns: Sequence[str]) -> NDArray[np.bool_]:
    """Which series are of sensors with one of these names, or that fit a pattern (``loop-*``)."""
    return fitting(roster.sensor, patterns)


def fitting(names: Texts, patterns: Sequence[str]) -> NDArray[np.bool_]:
    """Which names are one of the patterns, or fit one.

    Examples
    --------
    >>> fitting(np.array(["loop-1", "loop-2", "gate"]), ["loop-*", "gate"])
    array([ True,  True,  True])
    """
    found: NDArray[np.bool_] = np.isin(names, patterns)
    # Names need no search, however many there are; patterns are few.
    wild = "|".join(translate(one) for one in patterns if set("*?[") & set(one))
    if wild:
        pattern = re.compile(wild)
        some, of = np.unique(names, return_inverse=True)
        found |= np.array([pattern.match(one) is not None for one in some.tolist()], np.bool_)[of]
    return found


def partners(roster: Roster, of: NDArray[np.bool_], among: NDArray[np.bool_]) -> Rows:
    """For each series the one that measures the same traffic, or air, in another metric.

    That is the series of the same sensor. Where a sensor has as many of the one as of the
    other (lanes), they are matched in the order of their fields. Where a sensor has none,
    and the site has just one of each, it is that one.

    Parameters
    ----------
    roster : Roster of n rows
    of, among : bool, shape (n,)
        Series that look for a partner, and those that may be one.

    Returns
    -------
    intp, shape (n,)
        Row of the partner; -1 where there is none, or more than one, or nobody looks.
    """
    sensor = _matched(roster, _sensors(roster), of, among, most=len(roster))
    site = np.unique(roster.site_id, return_inverse=True)[1]
    return np.where(sensor < 0, _matched(roster, site, of, among, most=1), sensor)


def _matched(
    roster: Roster, group: Rows, of: NDArray[np.bool_], among: NDArray[np.bool_], most: int
) -> Rows:
    """Partners within groups that have as many of the one as of the other, and at most so many."""
    answer = np.full(len(roster), -1)
    looks, may = np.flatnonzero(of), np.flatnonzero(among)
    one, other = (np.bincount(group[rows], minlength=len(roster)) for rows in (looks, may))
    fits = (one == other) & (one <= most)
    looks, may = (_in_order(roster, group, rows[fits[group[rows]]]) for rows in (looks, may))
    answer[looks] = may
    return answer


def _sensors(roster: Roster) -> Rows:
    """A number for every sensor: codes are unique only within a site."""
    code = np.unique(roster.sensor, return_inverse=True)[1]
    place = np.unique(roster.site_id, return_inverse=True)[1]
    number: Rows = np.unique(place * len(roster) + code, return_inverse=True)[1]
    return number


def _in_order(roster: Roster, group: Rows, rows: Rows) -> Rows:
    """By group and then by field."""
    return rows[np.lexsort((roster.series[rows], roster.field[rows], group[rows]))]
