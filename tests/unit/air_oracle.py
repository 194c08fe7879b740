"""What the kernels of air quality must answer, one hour at a time in plain Python.

Slow and obvious on purpose: nothing here is shared with the kernels but the words.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

NAN = math.nan

EAQI = {
    2017: {
        "pm25": [10, 20, 25, 50], "pm10": [20, 35, 50, 100], "no2": [40, 100, 200, 400],
        "o3": [80, 120, 180, 240], "so2": [100, 200, 350, 500],
    },
    2019: {
        "pm25": [10, 20, 25, 50, 75], "pm10": [20, 40, 50, 100, 150],
        "no2": [40, 90, 120, 230, 340], "o3": [50, 100, 130, 240, 380],
        "so2": [100, 200, 350, 500, 750],
    },
    2024: {
        "pm25": [5, 15, 50, 90, 140], "pm10": [15, 45, 120, 195, 270],
        "no2": [10, 25, 60, 100, 150], "o3": [60, 100, 120, 160, 180],
        "so2": [20, 40, 125, 190, 275],
    },
}  # fmt: skip


def enough(there: int, due: int) -> bool:
    """At least 75 %, in whole numbers."""
    return 4 * there >= 3 * due


def rounded(value: float) -> int:
    return int(Decimal(repr(round(value, 9))).quantize(Decimal(1), ROUND_HALF_UP))


def mean(values: list[float], due: int) -> float:
    there = [v for v in values if not math.isnan(v)]
    return math.fsum(there) / len(there) if there and enough(len(there), due) else NAN


def running(values: list[float], length: int) -> list[float]:
    return [mean(values[max(k - length + 1, 0) : k + 1], length) for k in range(len(values))]


def maximum(values: list[float], due: int) -> float:
    there = [v for v in values if not math.isnan(v)]
    return max(there) if there and enough(len(there), due) else NAN


def class_of(value: float, bounds: list[int]) -> float:
    for number, bound in enumerate(bounds, start=1):
        if value <= bound:
            return float(number)
    return NAN if math.isnan(value) else float(len(bounds) + 1)


def eaqi(hours: list[float], pollutant: str, year: int) -> list[float]:
    hours = [h if h >= -5 else NAN for h in hours]
    told = hours
    if year < 2024 and pollutant.startswith("pm"):
        told = [
            NAN if math.isnan(own) else day
            for own, day in zip(hours, running(hours, 24), strict=True)
        ]
    return [NAN if math.isnan(v) else class_of(rounded(v), EAQI[year][pollutant]) for v in told]


def atmo(hours: list[float], pollutant: str, due: int) -> float:
    told = mean(hours, due) if pollutant.startswith("pm") else maximum(hours, due)
    return NAN if math.isnan(told) else class_of(round(told, 9), EAQI[2019][pollutant])


def worst(
    series: list[tuple[str, float, bool]], pollutants: tuple[str, ...]
) -> tuple[float, set[str], set[str], bool]:
    """Index, dominant and used pollutants of (pollutant, class, indicative), one place and hour."""
    classes: dict[str, float] = {}
    lesser = False
    for name in pollutants:
        mine = [(c, low) for what, c, low in series if what == name and not math.isnan(c)]
        better = [c for c, low in mine if not low]
        if mine:
            classes[name] = max(better or [c for c, _ in mine])
            lesser |= not better
    index = max(classes.values(), default=NAN)
    return index, {n for n, c in classes.items() if c == index}, set(classes), lesser


def passed(hours: list[float], over: float, length: int) -> list[bool]:
    answer, run = [], 0
    for value in hours:
        run = run + 1 if not math.isnan(value) and rounded(value) > over else 0
        answer.append(run >= length)
    return answer


def local_days(hours: list[datetime], zone: str) -> list[list[int]]:
    """Positions of hours (UTC, by their start) grouped by the local date, in order."""
    days: dict[object, list[int]] = {}
    for position, hour in enumerate(hours):
        days.setdefault(hour.astimezone(ZoneInfo(zone)).date(), []).append(position)
    return list(days.values())


def hours_from(start: datetime, count: int) -> list[datetime]:
    return [start + timedelta(hours=k) for k in range(count)]
