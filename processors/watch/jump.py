"""Jumps: a level that shifts from one day to the next and stays.

References
----------
.. [1] Bai, J. (1995). Least absolute deviation estimation of a shift. Econometric Theory 11,
   403-436: one shift, found as the split whose two medians fit best.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.watch.profile import SCALE
from processors.watch.weeks import middle
from storage.reading import FloatArray

SIDE = 5
"""Known days that each side of a jump needs: a level that stays, not a day."""

FINEST = 0.01
"""The scatter is taken as at least this share of the larger level."""


class Jump(NamedTuple):
    """Of every series, shape (n,).

    ``at``: the first window of the new level, -1 where no split can be judged; the levels
    ``before`` and ``after``, the ``noise`` around them as a standard deviation, and the
    ``score``: their difference over the noise.
    """

    at: NDArray[np.int64]
    before: FloatArray
    after: FloatArray
    noise: FloatArray
    score: FloatArray


def jump(value: FloatArray, side: int = SIDE) -> Jump:
    """The split whose two medians fit best, of many series, and how far they lie apart.

    Parameters
    ----------
    value : float64, shape (n, w)
        A value per day, NaN where there is none. [unit]
    side : int
        Known days that each side needs.

    Returns
    -------
    Jump
        The best split leaves the least sum of absolute deviations from the two medians; of
        equal ones the first that has a value on its first day. NaN where nothing can be said.

    References
    ----------
    .. [1] Bai (1995), as above.

    Examples
    --------
    >>> found = jump(np.array([[10.0, 11, 10, 9, 10, 10, 30, 31, 29, 30, 30, np.nan]]))
    >>> found.at, found.before, found.after
    (array([6]), array([10.]), array([30.]))
    """
    rows, windows = value.shape
    known = ~np.isnan(value)
    best = np.full(rows, np.inf)
    at = np.full(rows, -1, np.int64)
    before, after, noise = (np.full(rows, np.nan) for _ in range(3))
    for split in range(side, windows - side + 1):
        old, new = middle(value[:, :split]), middle(value[:, split:])
        apart = np.abs(
            value - np.concatenate(
                (np.repeat(old[:, None], split, 1), np.repeat(new[:, None], windows - split, 1)), 1
            )
        )  # fmt: skip
        enough = (known[:, :split].sum(-1) >= side) & (known[:, split:].sum(-1) >= side)
        total = np.where(enough & known[:, split], np.nansum(apart, axis=-1), np.inf)
        better = total < best * (1 - 1e-12)
        best[better], at[better] = total[better], split
        before[better], after[better] = old[better], new[better]
        noise[better] = (SCALE * middle(apart))[better]
    scatter = np.fmax(noise, FINEST * np.fmax(np.abs(before), np.abs(after)))
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(before == after, 0.0, np.abs(after - before) / scatter)
    return Jump(at, before, after, noise, np.where(at < 0, np.nan, score))
