"""What the kernels of counts must answer, one value at a time in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

NAN = math.nan


def known(values: list[float]) -> list[float]:
    return [v for v in values if not math.isnan(v)]


def mean(values: list[float]) -> float:
    values = known(values)
    return math.fsum(values) / len(values) if values else NAN


def aashto(total: list[float], days: list[date]) -> tuple[float, int]:
    by_cell: dict[tuple[int, int], list[float]] = defaultdict(list)
    for day, value in zip(days, total, strict=True):
        if not math.isnan(value):
            by_cell[day.month, day.weekday()].append(value)
    months = []
    for month in range(1, 13):
        weekdays = [mean(by_cell[month, k]) for k in range(7) if by_cell.get((month, k))]
        months.append(mean(weekdays))
    return mean(months), sum(1 for values in by_cell.values() if values)


def hourly(count: list[float], days: list[date], hours: list[int], year: int) -> tuple[float, int]:
    by_cell: dict[tuple[int, int, int], list[float]] = defaultdict(list)
    for day, hour, value in zip(days, hours, count, strict=True):
        if not math.isnan(value):
            by_cell[day.month, day.weekday(), hour].append(value)
    whole = [date(year, 1, 1) + timedelta(days=k) for k in range(366)]
    whole = [day for day in whole if day.year == year]
    total = weight = 0.0
    for month in range(1, 13):
        inside = [day for day in whole if day.month == month]
        day_sum = day_weight = 0.0
        for weekday in range(7):
            cells = [mean(by_cell.get((month, weekday, hour), [])) for hour in range(24)]
            if not any(math.isnan(one) for one in cells):
                often = sum(1 for day in inside if day.weekday() == weekday)
                day_sum += often * math.fsum(cells)
                day_weight += often
        if day_weight:
            total += len(inside) * day_sum / day_weight
            weight += len(inside)
    return (total / weight if weight else NAN), len(by_cell)


def share(part: list[float], whole: list[float]) -> tuple[float, int]:
    both = [
        (a, b) for a, b in zip(part, whole, strict=True) if not (math.isnan(a) or math.isnan(b))
    ]
    total = sum(b for _, b in both)
    return (100 * sum(a for a, _ in both) / total if total else NAN), len(both)


def profile(count: list[float], key: list[int], size: int) -> list[float]:
    return [mean([c for c, k in zip(count, key, strict=True) if k == cell]) for cell in range(size)]


def suspect_zeros(count: list[float], longest: int, history: int, whole: bool) -> list[bool]:
    answer = [False] * len(count)
    for at, value in enumerate(count):
        if value != 0:
            continue
        begin = at + 1
        while begin and not count[begin - 1] > 0:
            begin -= 1
        run = sum(1 for one in count[begin : at + 1] if one == 0)
        far = at + 1 - begin >= history
        lately = sum(1 for one in count[max(at + 1 - history, 0) : at + 1] if one == 0)
        before = known(count[max(begin - history, 0) : begin])
        zeros = sum(1 for one in before if one == 0)
        lively = 4 * len(before) >= history and 10 * zeros <= len(before)
        if 2 * lately >= history if far else run >= longest and lively:
            answer[at] = True
            for earlier in range(begin, at) if whole else ():
                answer[earlier] |= count[earlier] == 0
    return answer


def highest(volume: list[float], rank: int) -> tuple[float, int]:
    ordered = sorted(known(volume), reverse=True)
    if len(ordered) < rank:
        return NAN, -1
    return ordered[rank - 1], volume.index(ordered[rank - 1])


def day_total(
    total: float, usable: float, expected: float, length: float, accepted: float | None
) -> float:
    if expected <= 0:
        return NAN
    if usable >= expected:
        return total
    if accepted is not None and round(usable / expected * length, 6) >= accepted:
        return total
    return NAN


def held(
    rows: list[tuple[int, float, float]],
    step: list[int],
    windows: list[tuple[float, float]],
    now: float,
    limit: float,
) -> dict[tuple[int, int], tuple[float, float, float]]:
    """Seconds, mean value and seconds above the limit, by (series, window).

    Rows are (series, second, value); walked second by second.
    """
    found: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for at, (series, time, value) in enumerate(rows):
        end = min(time + 2 * step[series], now)
        if at + 1 < len(rows) and rows[at + 1][0] == series:
            end = min(end, rows[at + 1][1])
        second = time
        while second < end:
            for number, (low, high) in enumerate(windows):
                if low <= second < high:
                    cell = found[series, number]
                    cell[0] += 1
                    cell[1] += value
                    cell[2] += value > limit
            second += 1
    return {key: (s, v / s, a) for key, (s, v, a) in found.items()}


def movements(
    rows: list[tuple[int, float, float]], longest: list[int], windows: list[tuple[float, float]]
) -> dict[tuple[int, int], float]:
    found: dict[tuple[int, int], float] = {}
    for (s, t, v), (series, time, value) in pairwise(rows):
        if s == series and time - t <= longest[series]:
            for number, (low, high) in enumerate(windows):
                if low <= time < high:
                    found[series, number] = found.get((series, number), 0.0) + abs(value - v)
    return found


def mean_wait(headway: list[float]) -> float:
    gaps = known(headway)
    total = sum(gaps)
    return sum(h * h for h in gaps) / (2 * total) if total else NAN


def suppressed(table: list[list[float]], least: int, columns: bool) -> set[tuple[int, int]]:
    """Cells to hide of one table, line by line until nothing changes."""
    hidden = {(r, c) for r, row in enumerate(table) for c, value in enumerate(row) if value < least}
    rows = [[(r, c) for c in range(len(table[0]))] for r in range(len(table))]
    across = [[(r, c) for r in range(len(table))] for c in range(len(table[0]))]
    while True:
        before = len(hidden)
        for lines in [rows, across] if columns else [rows]:
            more = set()
            for line in lines:
                mine = [cell for cell in line if cell in hidden]
                people = sum(table[r][c] for r, c in mine)
                free = [(table[r][c], (r, c)) for r, c in line if (r, c) not in hidden]
                free = [one for one in free if one[0] > 0]
                if mine and (len(mine) < 2 or people < least) and free:
                    more.add(min(free)[1])
            hidden |= more
        if len(hidden) == before:
            return hidden


def leaps(free: list[float], capacity: float) -> list[bool]:
    answer = [False] * len(free)
    for at, value in enumerate(free):
        if value == 0:
            low = high = at
            while low >= 0 and free[low] == 0:
                low -= 1
            while high < len(free) and free[high] == 0:
                high += 1
            before = free[low] if low >= 0 else 0.0
            after = free[high] if high < len(free) else 0.0
            answer[at] = max(before, after) > 0.25 * capacity
    return answer
