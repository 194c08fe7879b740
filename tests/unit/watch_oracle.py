"""What the kernels that watch must answer, one value at a time in plain Python.

Slow and obvious on purpose: nothing here is shared with the kernels.
"""

from __future__ import annotations

import datetime
import itertools
import math
import statistics
from zoneinfo import ZoneInfo

NAN = math.nan
Row = list[float]


def known(values: Row) -> Row:
    return [one for one in values if not math.isnan(one)]


def median(values: Row) -> float:
    return statistics.median(known(values)) if known(values) else NAN


def mad(values: Row) -> float:
    return median([abs(one - median(values)) for one in known(values)])


def hour_of_week(
    instant: datetime.datetime, zone: str, sundays: set[datetime.date]
) -> tuple[int, datetime.date]:
    local = instant.astimezone(ZoneInfo(zone))
    monday = local.date() - datetime.timedelta(days=local.weekday())
    weekday = 6 if local.date() in sundays else local.weekday()
    return weekday * 24 + local.hour, monday


def profile(values: Row, hours: list[int], least: int) -> tuple[Row, Row, list[int], float]:
    medians, mads, counts = [], [], []
    for cell in range(168):
        mine = known([value for value, hour in zip(values, hours, strict=True) if hour == cell])
        enough = len(mine) >= least
        medians.append(median(mine) if enough else NAN)
        mads.append(mad(mine) if enough else NAN)
        counts.append(len(mine))
    counted = [value for value, hour in zip(values, hours, strict=True) if hour >= 0]
    candidates = known([0.5 * 1.4826 * median(mads), 0.1 * 1.4826 * mad(counted)])
    return medians, mads, counts, max(candidates) if candidates else NAN


def deviation(value: float, middle: float, scatter: float, floor: float) -> float:
    if any(math.isnan(one) for one in (value, middle, scatter, floor)):
        return NAN
    least = max(1.4826 * scatter, floor)
    return (value - middle) / least if least > 0 else NAN


def day_medians(values: Row, days: list[int], count: int) -> tuple[Row, list[int]]:
    mine = [
        known([v for v, d in zip(values, days, strict=True) if d == day]) for day in range(count)
    ]
    return [median(of) if len(of) >= 18 else NAN for of in mine], [len(of) for of in mine]


def neighbours(column: Row, group: list[int], least: int) -> tuple[Row, list[int]]:
    answer, counts = [], []
    for row in range(len(column)):
        others = known([
            value for other, value in enumerate(column) if other != row and group[other] == group[row]
        ])  # fmt: skip
        counts.append(len(others))
        answer.append(median(others) if len(others) >= max(least, 1) else NAN)
    return answer, counts


def trend(values: Row, least: int) -> tuple[float, float, float, float, float, int]:
    at = [k for k, value in enumerate(values) if not math.isnan(value)]
    size = len(at)
    if size < max(least, 2):
        return NAN, NAN, NAN, NAN, NAN, size
    slopes = sorted((values[j] - values[i]) / (j - i) for i in at for j in at if i < j)
    slope = statistics.median(slopes)
    rest = [value - slope * k for k, value in enumerate(values)]
    middle = median(rest)
    rest = [one - middle for one in rest]
    signs = [
        math.copysign(1, a) * math.copysign(1, b) if a and b else 0.0
        for a, b in itertools.pairwise(rest)
        if not math.isnan(a + b)
    ]
    alike = min(max(math.sin(math.pi / 2 * sum(signs) / max(len(signs), 1)), 0.0), 0.9)
    variance = size * (size - 1) * (2 * size + 5) / 18 * (1 + alike) / (1 - alike)
    reach = 3.29 * math.sqrt(variance)
    low, high = math.floor((len(slopes) - reach) / 2) - 1, math.ceil((len(slopes) + reach) / 2)
    return (
        slope,
        slopes[low] if low >= 0 else -math.inf,
        slopes[high] if high < len(slopes) else math.inf,
        slope * (len(values) - 1),
        1.4826 * median([abs(one) for one in rest]),
        size,
    )


def jump(values: Row, side: int) -> tuple[int, float, float, float, float]:
    best = (math.inf, -1, NAN, NAN, NAN)
    for split in range(side, len(values) - side + 1):
        old, new = known(values[:split]), known(values[split:])
        if len(old) < side or len(new) < side or math.isnan(values[split]):
            continue
        before, after = statistics.median(old), statistics.median(new)
        apart = [abs(v - before) for v in old] + [abs(v - after) for v in new]
        if math.fsum(apart) < best[0] * (1 - 1e-9):
            best = math.fsum(apart), split, before, after, 1.4826 * statistics.median(apart)
    _, at, before, after, noise = best
    if at < 0:
        return at, NAN, NAN, NAN, NAN
    least = max(noise, 0.01 * max(abs(before), abs(after)))
    return at, before, after, noise, 0.0 if before == after else abs(after - before) / least


def flat(low: Row, high: Row) -> tuple[float, int, int, int]:
    value, first, last, measured = NAN, -1, -1, 0
    for k in reversed(range(len(low))):
        if math.isnan(low[k]):
            continue
        if last < 0:
            value, last = high[k], k
        if low[k] != value or high[k] != value:
            break
        first, measured = k, measured + 1
    return (value, first, last - first + 1, measured) if measured else (NAN, -1, 0, 0)
