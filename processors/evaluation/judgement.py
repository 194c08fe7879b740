"""What one may say about a measure: the difference, the same before it came, the verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.evaluation.comparison import YEAR_D, Contrast, Days, same_weekdays, year_before
from processors.evaluation.difference import Difference, difference
from storage.evaluations import Basis, Matching, Reason, Verdict
from storage.measures import Direction, Effect
from storage.reading import FloatArray, IntArray

PLACEBO_LEAST = 10
"""Days on each side that a look at the time before is worth."""

KEPT = 0.75
"""Of the series with enough days just before so many must have the year before for it to count."""


@dataclass(frozen=True, slots=True)
class Window:
    """The days of a comparison: ``[start, begin)`` before, ``[settled, stop)`` after."""

    start: np.datetime64
    begin: np.datetime64
    settled: np.datetime64
    stop: np.datetime64

    @staticmethod
    def around(begin: np.datetime64, settled: np.datetime64, stop: np.datetime64) -> Window:
        """At most a year after, and as many days before.

        Examples
        --------
        >>> day = np.array(["2026-03-01", "2026-03-08", "2026-05-01"], "datetime64[D]")
        >>> around = Window.around(*day)
        >>> around.start, around.stop
        (np.datetime64('2026-01-06'), np.datetime64('2026-05-01'))
        """
        stop = min(stop, settled + np.timedelta64(YEAR_D, "D"))
        return Window(begin - max(stop - settled, np.timedelta64(0, "D")), begin, settled, stop)

    @property
    def earlier(self) -> Window:
        """The same length wholly before the measure, as though it had come that much sooner."""
        length = self.begin - self.start
        return Window(self.start - length, self.start, self.start, self.begin)

    @property
    def halves(self) -> Window:
        """The days before, the later half against the earlier."""
        middle = self.start + (self.begin - self.start) // 2
        return Window(self.start, middle, middle, self.begin)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of a measure, and why."""

    verdict: Verdict
    reason: Reason
    difference: Difference
    matching: Matching
    placebo: Difference | None
    placebo_matching: Matching


def judge(
    value: FloatArray,
    day: Days,
    touched: NDArray[np.bool_],
    site: IntArray,
    window: Window,
    expected: Direction,
    *,
    effect: Effect = Effect.ABSOLUTE,
    least: int = 28,
) -> Judgement:
    """Compare before and after, touched and untouched, and say what can be said.

    Days are matched with the same season of the year before where at least three quarters of
    the series of each side have it, else with the weekdays just before. The same comparison
    is then made wholly before the measure: a difference there means that the two groups were
    going different ways already, and nothing is concluded.

    Parameters
    ----------
    value : float64, shape (n, d)
        Daily values, NaN where not measured. [unit]
    day : datetime64[D], shape (d,)
        One after the other.
    touched : bool, shape (n,)
    site : int32, shape (n,)
    window : Window
    expected : Direction
    effect : Effect
        Per cent: of every series' own matched mean before; series where that is not above 0
        are left out.
    least : int
        Days that a series must have on each side. [d]

    References
    ----------
    See :mod:`processors.evaluation.difference`; the comparison before the measure is the
    placebo of M. Bertrand, E. Duflo, S. Mullainathan there.

    Examples
    --------
    >>> day = np.arange("2026-01-05", "2026-05-04", dtype="datetime64[D]")
    >>> rng = np.random.default_rng(1)
    >>> value = 30 + rng.normal(0, 2, (8, len(day)))
    >>> touched = np.arange(8) < 3
    >>> value[:3, 60:] -= 6
    >>> window = Window.around(day[60], day[60], day[-1] + 1)
    >>> made = judge(value, day, touched, np.arange(8, dtype=np.int32), window, Direction.DOWN)
    >>> print(made.verdict, made.reason)
    expected clear
    >>> round(made.difference.estimate)
    -6
    """
    contrast, matching = _matched(value, day, touched, window, least)
    main = _compare(value, contrast, touched, site, effect)
    placebo, placebo_matching = _placebo(value, day, touched, site, window, effect, least)
    reason = _reason(value, day, touched, window, main, placebo, least)
    verdict = Verdict.OPEN
    if reason is Reason.CLEAR:
        wanted = (main.estimate < 0) is (expected is Direction.DOWN)
        verdict = Verdict.EXPECTED if wanted else Verdict.AGAINST
    return Judgement(verdict, reason, main, matching, placebo, placebo_matching)


def _matched(
    value: FloatArray, day: Days, touched: NDArray[np.bool_], window: Window, least: int
) -> tuple[Contrast, Matching]:
    """By the year before where most series have it, by weekdays otherwise."""
    near = same_weekdays(value, day, window.start, window.begin, window.settled, window.stop, least)
    far = year_before(value, day, window.begin, window.settled, window.stop, least)
    sides = [(far.enough[side].sum(), near.enough[side].sum()) for side in (touched, ~touched)]
    if all(year and year >= KEPT * just_before for year, just_before in sides):
        return far, Matching.YEAR
    return near, Matching.WEEKDAYS


def _compare(
    value: FloatArray,
    contrast: Contrast,
    touched: NDArray[np.bool_],
    site: IntArray,
    effect: Effect,
) -> Difference:
    weight = contrast.weight
    if effect is Effect.PERCENT:
        known = np.where(np.isnan(value), 0.0, value)
        mean = (np.clip(-weight, 0.0, None) * known).sum(axis=1)
        sound = mean > 0
        value = value * (100 / np.where(sound, mean, 1.0))[:, None]
        weight = np.where(sound[:, None], weight, 0.0)
    return difference(value, weight, touched, site)


def _placebo(
    value: FloatArray,
    day: Days,
    touched: NDArray[np.bool_],
    site: IntArray,
    window: Window,
    effect: Effect,
    least: int,
) -> tuple[Difference | None, Matching]:
    """The first comparison before the measure that can be made; ``None`` where none can."""
    for earlier, days in ((window.earlier, least), (window.halves, PLACEBO_LEAST)):
        contrast, matching = _matched(value, day, touched, earlier, days)
        made = _compare(value, contrast, touched, site, effect)
        if made.basis is not Basis.NONE:
            return made, matching
    return None, Matching.NONE


def _reason(
    value: FloatArray,
    day: Days,
    touched: NDArray[np.bool_],
    window: Window,
    main: Difference,
    placebo: Difference | None,
    least: int,
) -> Reason:
    """The first thing that stands in the way of a conclusion."""
    if not (~np.isnan(value[touched])).any():
        return Reason.NOTHING
    if window.stop <= window.settled:
        return Reason.EARLY
    if not main.touched_sites:
        known = ~np.isnan(value[touched])
        later = known[:, (day >= window.settled) & (day < window.stop)].sum(axis=1)
        return Reason.FEW_AFTER if later.max(initial=0) < least else Reason.FEW_BEFORE
    if not main.untouched_sites:
        return Reason.NO_OTHERS
    if main.basis is not Basis.SITES_AND_TIME:
        return Reason.ONE_OTHER
    if placebo is not None and (placebo.low > 0 or placebo.high < 0):
        return Reason.TRENDS
    if main.low <= 0 <= main.high:
        return Reason.COVERS
    return Reason.CLEAR if placebo is not None else Reason.UNCHECKED
