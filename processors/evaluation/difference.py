"""Difference in differences of matched means, with an interval that claims no more than it may.

What neighbouring days share, what the series of one site share, and what all touched or all
untouched sites share on one day makes naive intervals far too narrow. Two errors are
estimated, and the wider interval counts:

* **between sites**: every site is one change from before to after, whatever its days have to
  do with one another [1]_. Touched and untouched sites are compared by Welch's test [2]_;
  with fewer than three on a side the spread of both together stands for each, so that one
  touched site is judged by how much untouched ones change by themselves [3]_;
* **over time**: what moves all touched sites apart from all others for days or weeks, a
  windy month, say, is in no spread between sites. Its error comes from the daily gap
  between the two groups, by equally weighted cosines, which allow for any dependence
  between days and have few, honest degrees of freedom [4]_. What is the sites' own in it
  was counted between sites already and is taken off where both add up [5]_.

A wild cluster bootstrap was considered: with few touched sites it is far too sure or never
sure, by its variant [6]_. Days of one site never count as many observations, and a second
sensor at a site adds no certainty.

References
----------
.. [1] M. Bertrand, E. Duflo, S. Mullainathan: How much should we trust
   differences-in-differences estimates? Quarterly Journal of Economics 119 (2004), 249-275.
.. [2] B. L. Welch: The generalization of "Student's" problem when several different
   population variances are involved. Biometrika 34 (1947), 28-35.
.. [3] T. G. Conley, C. R. Taber: Inference with "difference in differences" with a small
   number of policy changes. Review of Economics and Statistics 93 (2011), 113-125; with the
   normal law of S. G. Donald, K. Lang, ibid. 89 (2007), 221-233.
.. [4] E. Lazarus, D. J. Lewis, J. H. Stock, M. W. Watson: HAR inference: recommendations
   for practice. Journal of Business & Economic Statistics 36 (2018), 541-559.
.. [5] S. B. Thompson: Simple formulas for standard errors that cluster by both firm and
   time. Journal of Financial Economics 99 (2011), 1-10.
.. [6] J. G. MacKinnon, M. D. Webb: Randomization inference for difference-in-differences
   with few treated clusters. Journal of Econometrics 218 (2020), 435-450.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.evaluation.student import factor
from storage.evaluations import Basis
from storage.reading import FloatArray, IntArray

FEW = 3
"""Sites on a side whose own spread is worth estimating."""

ROUNDING = 1e-9
"""No interval is narrower than this share of the values: sums of floats are not exact."""

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more the touched series changed than the others; NaN where nothing is known.

    Attributes
    ----------
    estimate, low, high
        The difference and its interval of 95 %. [unit]
    basis
        What the interval is made of.
    touched_before, touched_after, untouched_before, untouched_after
        Matched means over sites. [unit]
    touched_sites, touched_series, untouched_sites, untouched_series
        How many have enough days.
    days_before, days_after
        Days with a value of some touched series that counts. [d]
    """

    estimate: float
    low: float
    high: float
    basis: Basis
    touched_before: float
    touched_after: float
    untouched_before: float
    untouched_after: float
    touched_sites: int
    touched_series: int
    untouched_sites: int
    untouched_series: int
    days_before: int
    days_after: int


@dataclass(frozen=True, slots=True)
class _Error:
    """A variance and its degrees of freedom."""

    variance: float
    degrees: float

    @property
    def reach(self) -> float:
        """Half of the interval of 95 %; NaN without degrees of freedom."""
        return factor(self.degrees) * float(np.sqrt(self.variance))


def difference(
    value: FloatArray, weight: FloatArray, touched: NDArray[np.bool_], site: IntArray
) -> Difference:
    """Change of the touched sites' mean less that of the untouched ones', with its interval.

    Series of one site and side are averaged first; sites count alike.

    Parameters
    ----------
    value : float64, shape (n, d)
        Daily values, NaN where not measured. [unit]
    weight : float64, shape (n, d)
        A contrast; see :mod:`processors.evaluation.comparison`. Series without weights are
        left out.
    touched : bool, shape (n,)
    site : int32, shape (n,)
        Where each stands.

    References
    ----------
    See :mod:`processors.evaluation.difference`.

    Examples
    --------
    Two touched streets and three others, four days before and four after.

    >>> level = np.array([20.0, 22.0, 21.0, 19.0, 23.0])[:, None]
    >>> after = np.array([-6.0, -4.0, 1.0, 0.0, -1.0])[:, None]
    >>> value = np.hstack([np.tile(level, 4), np.tile(level + after, 4)])
    >>> weight = np.tile([-0.25] * 4 + [0.25] * 4, (5, 1))
    >>> touched = np.array([True, True, False, False, False])
    >>> made = difference(value, weight, touched, np.arange(5, dtype=np.int32))
    >>> made.estimate, round(made.low, 2), round(made.high, 2)
    (-5.0, -8.35, -1.65)
    """
    used = (weight != 0).any(axis=1)
    value, weight, touched, site = value[used], weight[used], touched[used], site[used]
    at = np.where(np.isnan(value), 0.0, value)
    old, new = np.clip(-weight, 0.0, None), np.clip(weight, 0.0, None)
    before, after = (old * at).sum(axis=1), (new * at).sum(axis=1)
    key, place, size = np.unique(
        2 * site.astype(np.int64) + touched, return_inverse=True, return_counts=True
    )
    side = key % 2 == 1
    share = 1.0 / size[place]
    mean_before: FloatArray = np.bincount(place, before * share, len(key)).astype(np.float64)
    mean_after: FloatArray = np.bincount(place, after * share, len(key)).astype(np.float64)
    sites, others = int(side.sum()), int((~side).sum())
    told: dict[str, Any] = {
        "touched_before": _mean(mean_before[side]), "touched_after": _mean(mean_after[side]),
        "untouched_before": _mean(mean_before[~side]),
        "untouched_after": _mean(mean_after[~side]),
        "touched_sites": sites, "touched_series": int(touched.sum()),
        "untouched_sites": others, "untouched_series": int((~touched).sum()),
        "days_before": int((old[touched] > 0).any(axis=0).sum()),
        "days_after": int((new[touched] > 0).any(axis=0).sum()),
    }  # fmt: skip
    if not sites or not others:
        return Difference(NAN, NAN, NAN, Basis.NONE, **told)
    change: FloatArray = mean_after - mean_before
    estimate = float(change[side].mean() - change[~side].mean())
    part = share * np.where(touched, 1.0 / sites, -1.0 / others)
    gone = part[:, None] * old * (at - before[:, None])
    come = part[:, None] * new * (at - after[:, None])
    total, own = _over_time(_by_site(gone, place, len(key)), _by_site(come, place, len(key)))
    reach, basis = _reach(_between(change, side), total, own)
    least = ROUNDING * max(float(np.abs(at).max()), abs(estimate))
    reach = max(reach, least)
    return Difference(estimate, estimate - reach, estimate + reach, basis, **told)


def _mean(value: FloatArray) -> float:
    return float(value.mean()) if len(value) else NAN


def _between(change: FloatArray, side: NDArray[np.bool_]) -> _Error | None:
    """From the spread of sites; ``None`` where there are only one and one."""
    sizes = np.array([side.sum(), (~side).sum()], np.float64)
    squares = np.array([np.square(one - one.mean()).sum() for one in (change[side], change[~side])])
    if sizes.min() < FEW:
        degrees = sizes.sum() - 2
        if sizes[1] < 2 or degrees < 1:
            return None
        return _Error(float(squares.sum() / degrees * (1 / sizes).sum()), float(degrees))
    of = squares / (sizes - 1) / sizes
    return _Error(float(of.sum()), _joint(of, sizes - 1))


def _joint(variance: FloatArray, degrees: FloatArray) -> float:
    """Degrees of freedom of a sum of variances, by Welch and Satterthwaite."""
    if not variance.sum() > 0:
        return float(degrees.sum())
    share = variance / variance.sum()
    return float(1 / (np.square(share) / degrees).sum())


def _by_site(score: FloatArray, place: NDArray[np.intp], sites: int) -> FloatArray:
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], np.arange(sites))
    whole: FloatArray = np.add.reduceat(score[order], first, axis=0)
    return whole


def _over_time(gone: FloatArray, come: FloatArray) -> tuple[_Error, float]:
    """Error of what all sites of a side share, and the part in it that is the sites' own."""
    total, own, degrees = np.zeros(2), 0.0, np.ones(2)
    for number, score in enumerate((gone, come)):
        days = np.flatnonzero((score != 0).any(axis=0))
        if len(days):
            score = score[:, days[0] : days[-1] + 1]
            waves = _cosines(score.shape[1])
            along = score @ waves
            degrees[number] = waves.shape[1]
            total[number] = 2 / degrees[number] * float(np.square(along.sum(axis=0)).sum())
            own += 2 / degrees[number] * float(np.square(along).sum())
    return _Error(float(total.sum()), _joint(total, degrees)), own


def _cosines(days: int) -> FloatArray:
    """The slowest cosines over so many days, shape (days, 0.4 days^(2/3))."""
    number = np.arange(1, max(1, int(0.4 * days ** (2 / 3))) + 1)
    return np.cos(np.pi * (np.arange(days)[:, None] + 0.5) * number / days)


def _reach(between: _Error | None, total: _Error, own: float) -> tuple[float, Basis]:
    """Half of the interval: the widest of what the two errors say alone and together."""
    if between is None:
        return total.reach, Basis.TIME
    both = _Error(
        max(between.variance + total.variance - own, 0.0),
        _joint(
            np.array([between.variance, total.variance]),
            np.array([between.degrees, total.degrees]),
        ),
    )
    return max(between.reach, total.reach, both.reach), Basis.SITES_AND_TIME
