"""What the kernels of buildings must answer, one value at a time in plain Python.

Slow and obvious on purpose: nothing here is shared with the kernels but their limits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

Row = Sequence[float]
NAN = math.nan


def known(values: Row) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def meteo(low: float, high: float, base: float) -> float:
    return NAN if math.isnan(low + high) else max(0.0, base - (low + high) / 2)


def costic(low: float, high: float, base: float) -> float:
    if math.isnan(low + high):
        return NAN
    if high <= base:
        return base - (low + high) / 2
    if low >= base:
        return 0.0
    below = base - low
    return below * (0.08 + 0.42 * below / (high - low))


def extremes(hours: Row) -> tuple[float, float, float]:
    """Lowest, highest, mean; NaN where fewer than 75 % of the hours are known."""
    there = known(hours)
    if not there or 4 * len(there) < 3 * len(hours):
        return NAN, NAN, NAN
    return min(there), max(there), sum(there) / len(there)


def scaled_sum(days: Row) -> float:
    there = known(days)
    if not there or 4 * len(there) < 3 * len(days):
        return NAN
    return sum(there) * len(days) / len(there)


def least_squares(rows: list[list[float]], y: list[float]) -> list[float] | None:
    """Coefficients by elimination on the normal equations; None where they have none."""
    size = len(rows[0])
    matrix = [
        [sum(r[i] * r[j] for r in rows) for j in range(size)]
        + [sum(r[i] * v for r, v in zip(rows, y, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(matrix[k][i]))
        if abs(matrix[pivot][i]) < 1e-9:
            return None
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        for k in range(size):
            if k != i:
                factor = matrix[k][i] / matrix[i][i]
                matrix[k] = [a - factor * b for a, b in zip(matrix[k], matrix[i], strict=True)]
    return [matrix[i][size] / matrix[i][i] for i in range(size)]


def signature(
    energy: Row, temperature: Row, heating: Row, cooling: Row
) -> tuple[int, float, list[float]]:
    """Model, BIC and its coefficients [a, b, c, Th, Tc] by trying every one of them."""
    days = [
        (e, t)
        for e, t in zip(energy, temperature, strict=True)
        if not math.isnan(e) and not math.isnan(t)
    ]
    best: tuple[float, int, list[float]] = (math.inf, 0, [NAN] * 5)
    if len(days) < 12:
        return 0, math.inf, best[2]
    y = [e for e, _ in days]
    n, warmest = len(days), max(t for _, t in days)
    mean = sum(y) / n
    floor = 1e-12 * max(sum((v - mean) ** 2 for v in y), 1e-12)
    tried: list[tuple[int, int, float | None, float | None]] = [(1, 1, None, None)]
    tried.append((2, 2, warmest, None))
    tried += [(3, 3, h, None) for h in heating] + [(4, 3, None, c) for c in cooling]
    tried += [(5, 4, h, c) for h in heating for c in cooling if h == c]
    tried += [(6, 5, h, c) for h in heating for c in cooling if h < c]
    for model, parameters, h, c in tried:
        cold = [max(0.0, h - t) if h is not None else 0.0 for _, t in days]
        warm = [max(0.0, t - c) if c is not None else 0.0 for _, t in days]
        below, above = sum(v > 0 for v in cold), sum(v > 0 for v in warm)
        if model != 2 and (
            (h is not None and below < 12)
            or (c is not None and above < 12)
            or (model in (3, 4, 6) and n - below - above < 12)
        ):
            continue
        rows = [
            [1.0, *([one] if h is not None else []), *([two] if c is not None else [])]
            for one, two in zip(cold, warm, strict=True)
        ]
        found = least_squares(rows, y)
        if found is None:
            continue
        b = found[1] if h is not None else 0.0
        s = found[-1] if c is not None else 0.0
        if model > 2 and ((h is not None and b <= 0) or (c is not None and s <= 0)):
            continue
        squares = sum(
            (v - sum(x * k for x, k in zip(row, found, strict=True))) ** 2
            for v, row in zip(y, rows, strict=True)
        )
        score = n * math.log(max(squares, floor) / n) + parameters * math.log(n)
        if score < best[0] - 1e-9:
            points = [NAN if h is None else h, NAN if c is None else c]
            best = score, model, [found[0], b, s, *points]
    return best[1], best[0], best[2]


def emissions(energy: Row, factor: Row) -> float:
    total = 0.0
    for drawn, each in zip(energy, factor, strict=True):
        total += 0.0 if drawn == 0 else drawn * each
    return total


def within_class(values: list[float], member: list[int], minimum: int) -> list[tuple[float, float]]:
    """Rank and median of each building."""
    answer = []
    for value, mine in zip(values, member, strict=True):
        others = known([v for v, m in zip(values, member, strict=True) if m == mine and mine >= 0])
        if len(others) < minimum:
            answer.append((NAN, NAN))
            continue
        lower, equal = sum(v < value for v in others), sum(v == value for v in others)
        rank = NAN if math.isnan(value) else lower + (equal + 1) / 2
        answer.append((rank, median(others)))
    return answer


def step(nights: Row, first: int, last: int) -> tuple[int, float]:
    """The first night at a new level and its size; -1 and 0 without one, NaN if unknown."""
    start = first - 7
    before, since = nights[start - 42 : start], nights[start:]
    if len(known(before)) < 28 or len(known(since)) < 13:
        return -1, NAN
    early, late = known(before[:14]), known(before[-14:])
    slope = (median(late) - median(early)) / 28 if early and late else 0.0
    flat = [v - slope * (k - 20.5) for k, v in enumerate(before)]
    level = median(known(flat))
    left = [v - level for v in flat]
    spread = max(
        1.4826 * median([abs(v) for v in known(left)]),
        1.2533 * sum(abs(v) for v in known(left)) / len(known(left)),
    )
    cut = [v if math.isnan(v) else max(-3 * spread, min(3 * spread, v)) for v in left]
    squares = sum(v * v for v in known(cut))
    pairs = sum(known([a * b for a, b in pairwise(cut)]))
    rho = min(max(pairs / squares if squares else 0.0, 0.0), 0.9)
    ahead = [k + 21.5 for k in range(len(since))]
    beyond = [v - level - slope * a for v, a in zip(since, ahead, strict=True)]
    best, night, size, error, count = math.inf, -1, NAN, NAN, 0
    for candidate in range(len(since)):
        rest = known(beyond[candidate:])
        if math.isnan(beyond[candidate]):
            continue
        shift = median(rest)
        cost = sum(abs(v) for v in known(beyond[:candidate])) + sum(abs(v - shift) for v in rest)
        if cost < best:
            distance = (ahead[candidate] + ahead[-1]) / 2
            share = 1 / 42 + 2 / 14 * (distance / 28) ** 2 + 1 / len(rest)
            best, night, size, count = cost, start + candidate, shift, len(rest)
            error = spread * math.sqrt(math.pi / 2 * share * (1 + rho) / (1 - rho))
    told = (
        count >= 6
        and first <= night <= last
        and abs(size) > 4 * error
        and abs(size) > 2.5 * spread
        and abs(size) >= 0.05 * abs(level)
    )
    return (night, size) if told else (-1, 0.0)


def night_base(hours: Row) -> float:
    there = known(hours)
    return min(there) if there and 4 * len(there) >= 3 * len(hours) else NAN
