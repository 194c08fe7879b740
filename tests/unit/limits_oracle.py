"""What the kernels of limits must answer, one value at a time in plain Python.

Slow and obvious on purpose: nothing here is shared with the kernels.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


def rounded(value: float, digits: int) -> Decimal:
    """Half up, of the decimal number that a person would write."""
    return Decimal(f"{value:.9f}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def exceeds(value: float, limit: float, digits: int) -> bool:
    return not math.isnan(value) and rounded(value, digits) > rounded(limit, digits)


def rank(size: int, percentile: int) -> int:
    place = math.floor(Fraction(size * percentile, 10_000) + Fraction(1, 2))
    return min(max(place, min(size, 1)), size)


def percentile(values: list[float], which: int) -> float:
    known = sorted(value for value in values if not math.isnan(value))
    return known[rank(len(known), which) - 1] if known else math.nan


def verdict(
    count: int, valid: int, due: int, allowed: int, captured: bool, still_open: bool
) -> int:
    if count > allowed:
        return 4
    if still_open:
        return 5
    if count + (due - valid) <= allowed:
        return 1
    if valid and Fraction(count, valid) > Fraction(allowed, due):
        return 3
    return 2 if captured else 0


def mean_verdict(mean: float, least: float, limit: float, captured: bool, still_open: bool) -> int:
    if exceeds(least, limit, 0):
        return 4
    if math.isnan(mean):
        return 0
    if exceeds(mean, limit, 0):
        return 4 if captured and not still_open else 3
    if still_open:
        return 5
    return 1 if captured else 0


def aot40(values: list[float], due: int) -> tuple[float, float, int]:
    known = [value for value in values if not math.isnan(value)]
    measured = math.fsum(value - 80 for value in known if value > 80)
    if not known:
        return math.nan, math.nan, 0
    enough = Fraction(len(known), due) >= Fraction(90, 100)
    return (measured * due / len(known) if enough else math.nan), measured, len(known)


def in_daylight(start: datetime) -> bool:
    local = start + timedelta(hours=1)
    return 5 <= local.month <= 7 and 8 <= local.hour < 20


def seasons_measured(hours: list[tuple[datetime, float]]) -> bool:
    """From (local start, value) pairs of hours that are due."""
    for summer in (True, False):
        mine = [value for at, value in hours if (4 <= at.month <= 9) is summer]
        known = [value for value in mine if not math.isnan(value)]
        if mine and Fraction(len(known), len(mine)) < Fraction(3, 4):
            return False
    return True


def summer_measured(
    maxima: list[tuple[datetime, float]], hours: list[tuple[datetime, float]]
) -> bool:
    """From (local day, maximum) and (UTC start, hourly mean) pairs."""
    months = 0
    for month in range(4, 10):
        days = [v for at, v in maxima if at.month == month and not math.isnan(v)]
        bright = [
            value
            for at, value in hours
            for local in (at + timedelta(hours=1),)
            if local.month == month and 8 <= local.hour < 20
        ]
        known = [value for value in bright if not math.isnan(value)]
        months += len(days) >= 27 and Fraction(len(known), len(bright)) >= Fraction(9, 10)
    return months >= 5


def peak_season(maxima: list[tuple[datetime, float]]) -> float:
    best = math.nan
    for first in range(1, 8):
        mine = [value for at, value in maxima if first <= at.month < first + 6]
        known = [value for value in mine if not math.isnan(value)]
        if known and Fraction(len(known), len(mine)) >= Fraction(3, 4):
            mean = math.fsum(known) / len(known)
            best = mean if math.isnan(best) else max(best, mean)
    return best


def mean_of_years(values: list[float], fewest: int) -> tuple[float, int]:
    known = [value for value in values if not math.isnan(value)]
    mean = math.fsum(known) / len(known) if known and len(known) >= fewest else math.nan
    return mean, len(known)


def dry_mass(particles: float, humidity: float, kappa: float) -> float:
    if math.isnan(particles) or math.isnan(humidity) or humidity >= 95:
        return math.nan
    if humidity == 0:
        return particles
    return particles / (1 + (kappa / 1.65) / (1 / (humidity / 100) - 1))


def faults(
    mean: float, low: float, high: float, humidity: float, coarser: float, finer: float
) -> int:
    if math.isnan(mean):
        return 0
    bits = 4 if math.isnan(humidity) else (humidity >= 70) * 1 + (humidity >= 95) * 2
    if (not math.isnan(coarser) and mean > coarser) or (not math.isnan(finer) and finer > mean):
        bits += 8
    if low == 0 == high:
        bits += 16
    return bits + (32 if high in (999.9, 1999.9) else 0)
