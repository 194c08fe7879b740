"""Before and after, computed one day and one series at a time in plain Python.

Slow and obvious on purpose: shares nothing with the kernels.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

Values = list[list[float | None]]
Weights = list[list[float]]


def by_year(
    value: Values,
    day: list[datetime.date],
    begin: datetime.date,
    settled: datetime.date,
    stop: datetime.date,
    least: int,
) -> Weights:
    """Every day after against the day 364 days earlier."""
    answer = []
    for of in value:
        pairs = []
        for late, when in enumerate(day):
            early = late - 364
            wanted = settled <= when < stop and early >= 0 and day[early] < begin
            if wanted and of[late] is not None and of[early] is not None:
                pairs.append((early, late))
        weight = [0.0] * len(day)
        if len(pairs) >= least:
            for early, late in pairs:
                weight[late] += 1 / len(pairs)
                weight[early] -= 1 / len(pairs)
        answer.append(weight)
    return answer


def by_weekday(
    value: Values,
    day: list[datetime.date],
    start: datetime.date,
    begin: datetime.date,
    settled: datetime.date,
    stop: datetime.date,
    least: int,
) -> Weights:
    """Days after, against days just before in the same mix of weekdays."""
    answer = []
    for of in value:
        old: dict[int, list[int]] = {weekday: [] for weekday in range(7)}
        new: dict[int, list[int]] = {weekday: [] for weekday in range(7)}
        for k, when in enumerate(day):
            if of[k] is not None and start <= when < begin:
                old[when.weekday()].append(k)
            if of[k] is not None and settled <= when < stop:
                new[when.weekday()].append(k)
        both = [weekday for weekday in range(7) if old[weekday] and new[weekday]]
        before = sum(len(old[weekday]) for weekday in both)
        after = sum(len(new[weekday]) for weekday in both)
        weight = [0.0] * len(day)
        if min(before, after) >= least:
            for weekday in both:
                share = len(new[weekday]) / after
                for k in new[weekday]:
                    weight[k] = 1 / after
                for k in old[weekday]:
                    weight[k] = -share / len(old[weekday])
        answer.append(weight)
    return answer


@dataclass
class Answer:
    estimate: float
    reach: float
    means: tuple[float, float, float, float]


def difference(value: Values, weight: Weights, touched: list[bool], site: list[int]) -> Answer:
    """The estimate and half of its interval, by the text of the method."""
    groups: dict[tuple[bool, int], list[int]] = {}
    for row, of in enumerate(weight):
        if any(of):
            groups.setdefault((touched[row], site[row]), []).append(row)
    old: dict[int, float] = {}
    new: dict[int, float] = {}
    for rows in groups.values():
        for row in rows:
            pairs = [(w, v) for w, v in zip(weight[row], value[row], strict=True) if v is not None]
            old[row] = sum(-w * v for w, v in pairs if w < 0)
            new[row] = sum(w * v for w, v in pairs if w > 0)
    mean = {
        key: (
            sum(old[row] for row in rows) / len(rows),
            sum(new[row] for row in rows) / len(rows),
        )
        for key, rows in groups.items()
    }
    sides = {
        side: [after - before for (of, _), (before, after) in mean.items() if of is side]
        for side in (True, False)
    }
    means = tuple(
        _mean([pair[when] for (of, _), pair in mean.items() if of is side])
        for side in (True, False)
        for when in (0, 1)
    )
    estimate = _mean(sides[True]) - _mean(sides[False])
    between = _between(sides[True], sides[False])
    parts = []
    for when in ("before", "after"):
        scores: dict[tuple[bool, int], list[float]] = {}
        for key, rows in groups.items():
            share = (1 if key[0] else -1) / len(sides[key[0]]) / len(rows)
            scores[key] = [0.0] * len(weight[0])
            for row in rows:
                for k, w in enumerate(weight[row]):
                    v = value[row][k]
                    if v is not None and when == "before" and w < 0:
                        scores[key][k] += share * -w * (v - old[row])
                    if v is not None and when == "after" and w > 0:
                        scores[key][k] += share * w * (v - new[row])
        parts.append(_cosines(list(scores.values())))
    total = sum(part[0] for part in parts)
    own = sum(part[1] for part in parts)
    freedom = _welch([part[0] for part in parts], [part[2] for part in parts])
    reach = student(freedom) * math.sqrt(total)
    if between is not None:
        variance, degrees = between
        both = max(variance + total - own, 0.0)
        together = _welch([variance, total], [degrees, freedom])
        reach = max(
            reach, student(degrees) * math.sqrt(variance), student(together) * math.sqrt(both)
        )
    return Answer(estimate, reach, means)  # type: ignore[arg-type]


def _mean(of: list[float]) -> float:
    return sum(of) / len(of)


def _squares(of: list[float]) -> float:
    return sum((one - _mean(of)) ** 2 for one in of)


def _between(touched: list[float], others: list[float]) -> tuple[float, float] | None:
    if len(others) < 2:
        return None
    if min(len(touched), len(others)) < 3:
        degrees = len(touched) + len(others) - 2
        pooled = (_squares(touched) + _squares(others)) / degrees
        return pooled * (1 / len(touched) + 1 / len(others)), degrees
    each = [_squares(of) / (len(of) - 1) / len(of) for of in (touched, others)]
    return sum(each), _welch(each, [len(touched) - 1, len(others) - 1])


def _welch(variance: list[float], degrees: list[float]) -> float:
    if not sum(variance) > 0:
        return sum(degrees)
    return sum(variance) ** 2 / sum(v**2 / d for v, d in zip(variance, degrees, strict=True))


def _cosines(scores: list[list[float]]) -> tuple[float, float, float]:
    days = [k for k in range(len(scores[0])) if any(of[k] for of in scores)]
    if not days:
        return 0.0, 0.0, 1.0
    first, length = days[0], days[-1] - days[0] + 1
    number = max(1, int(0.4 * length ** (2 / 3)))
    total = own = 0.0
    for j in range(1, number + 1):
        along = [
            sum(of[first + t] * math.cos(math.pi * j * (t + 0.5) / length) for t in range(length))
            for of in scores
        ]
        total += sum(along) ** 2
        own += sum(one**2 for one in along)
    return 2 / number * total, 2 / number * own, number


def student(degrees: float) -> float:
    """The two-sided factor of 95 %, by halving an interval and Simpson's rule."""
    degrees = min(degrees, 1e4)
    constant = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    constant /= math.sqrt(degrees * math.pi)

    def inside(t: float) -> float:
        # With t = sqrt(n) tan a the long tail is a short span.
        end, steps = math.atan(t / math.sqrt(degrees)), 400
        total = 0.0
        for k in range(steps + 1):
            factor = 1 if k in (0, steps) else 4 if k % 2 else 2
            total += factor * math.cos(end * k / steps) ** (degrees - 1)
        return 2 * constant * math.sqrt(degrees) * total * end / steps / 3

    low, high = 1.0, 20.0
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < 0.95 else (low, middle)
    return (low + high) / 2
