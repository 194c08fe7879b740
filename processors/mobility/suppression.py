"""Small counts of people between places: what may be shown of a table, and what gives it away.

References
----------
.. [1] Hundepool et al.: Statistical Disclosure Control (2012), chapter 4: primary and secondary
   cell suppression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray

T = TypeVar("T", bound=np.generic)

LEAST = 11
"""Fewer people than this are not shown."""

DOMINANT = 0.85
"""Nor is a cell of which one contributor makes more than this share."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be published of n tables.

    Attributes
    ----------
    count : float64, shape (n, r, c)
        NaN where suppressed or not counted.
    row_total, column_total : float64, shape (n, r) and (n, c)
        NaN where the total itself would tell, or was not asked for.
    primary, complementary : bool, shape (n, r, c)
        Why: too few people; or for the sake of another cell.
    """

    count: FloatArray
    row_total: FloatArray
    column_total: FloatArray
    primary: NDArray[np.bool_]
    complementary: NDArray[np.bool_]


def suppress(
    count: FloatArray,
    least: int = LEAST,
    *,
    row_totals: bool = True,
    column_totals: bool = False,
    zeros: bool = False,
    largest: FloatArray | None = None,
) -> Shown:
    """Hide small counts, and enough beside them that totals do not give them back.

    In a row or column with a published total the hidden cells must be at least two and hold
    at least ``least`` people together; the next smallest is hidden until they do. Where
    nothing is left to hide, the total is not published either. A hidden cell is NaN and
    never 0. Windows must be fixed: those that slide give counts back by their differences.

    Parameters
    ----------
    count : float64, shape (n, r, c)
        From r origins to c destinations, NaN where not counted. [people]
    least : int
        Fewer are hidden.
    row_totals, column_totals : bool
        Which totals are published.
    zeros : bool
        Whether a true 0 may be shown: where it says nothing about anybody.
    largest : float64, shape (n, r, c), optional
        The greatest part of each count that comes from one contributor. [people]

    Returns
    -------
    Shown

    Notes
    -----
    Every pass looks at all rows and then at all columns of all tables at once; passes end
    when nothing more must be hidden, which is after at most r times c of them.

    References
    ----------
    .. [1] Hundepool et al.: Statistical Disclosure Control (2012), chapter 4.

    Examples
    --------
    >>> shown = suppress(np.array([[[120.0, 7.0, 35.0]]]))
    >>> shown.count[0], shown.row_total[0]
    (array([[120.,  nan,  nan]]), array([162.]))
    """
    known = ~np.isnan(count)
    value = np.where(known, count, 0.0)
    primary = known & (value < least)
    if zeros:
        primary &= value > 0
    if largest is not None:
        primary |= known & (value > 0) & (np.nan_to_num(largest) > DOMINANT * value)
    hidden = primary.copy()
    changed = True
    while changed:
        before = int(hidden.sum())
        if row_totals:
            hidden = _protected(value, known, hidden, least)
        if column_totals:
            across = _protected(_turned(value), _turned(known), _turned(hidden), least)
            hidden = _turned(across)
        changed = int(hidden.sum()) > before
    return Shown(
        np.where(known & ~hidden, count, np.nan),
        _totals(value, known, hidden, least, 2, row_totals),
        _totals(value, known, hidden, least, 1, column_totals),
        primary,
        hidden & ~primary,
    )


def _exposed(
    value: FloatArray, hidden: NDArray[np.bool_], least: int, axis: int
) -> NDArray[np.bool_]:
    """Rows (or columns) whose total would tell what is hidden in them."""
    size = hidden.sum(axis=axis)
    people = np.where(hidden, value, 0.0).sum(axis=axis)
    exposed: NDArray[np.bool_] = (size > 0) & ((size < 2) | (people < least))
    return exposed


def _protected(
    value: FloatArray, known: NDArray[np.bool_], hidden: NDArray[np.bool_], least: int
) -> NDArray[np.bool_]:
    """One more cell hidden in every row that needs it: the smallest with anybody in it."""
    free = known & ~hidden & (value > 0)
    rank = np.where(free, value, np.inf)
    smallest = np.argmin(rank, axis=2)
    need = _exposed(value, hidden, least, 2) & free.any(axis=2)
    more = need[:, :, None] & (np.arange(value.shape[2]) == smallest[:, :, None])
    protected: NDArray[np.bool_] = hidden | more
    return protected


def _turned(table: NDArray[T]) -> NDArray[T]:
    return np.swapaxes(table, 1, 2)


def _totals(
    value: FloatArray,
    known: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    least: int,
    axis: int,
    published: bool,
) -> FloatArray:
    total = np.where(known, value, 0.0).sum(axis=axis)
    safe = known.any(axis=axis) & ~_exposed(value, hidden, least, axis)
    return np.where(safe & published, total, np.nan)
