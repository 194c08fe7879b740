"""What the kernels of traffic and wind must answer, one number at a time in plain Python.

Slow and obvious on purpose: nothing here is shared with the kernels.
"""

from __future__ import annotations

import math
from itertools import pairwise

NAN = math.nan


def known(values: list[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def scaled(observed: float, usable: int, expected: int) -> tuple[float, bool]:
    if math.isnan(observed) or usable == 0 or 4 * usable < 3 * expected:
        return NAN, False
    if usable < expected:
        return observed * expected / usable, True
    return observed, False


def heavy_share(every: list[float], heavy: list[float]) -> float:
    pairs = [
        (a, b) for a, b in zip(every, heavy, strict=True) if not math.isnan(a) and not math.isnan(b)
    ]
    total = sum(a for a, _ in pairs)
    return 100 * sum(b for _, b in pairs) / total if total > 0 else NAN


def mean_speeds(speed: list[float], vehicles: list[float]) -> tuple[float, float, float, float]:
    moving = stopped = distance = hours = 0.0
    for v, n in zip(speed, vehicles, strict=True):
        if math.isnan(n):
            continue
        if math.isnan(v) or v <= 0:
            stopped += n
        else:
            moving += n
            distance += n * v
            hours += n / v
    if moving == 0:
        return NAN, NAN, moving, stopped
    return distance / moving, moving / hours, moving, stopped


def v85(speed: list[float], method: str) -> float:
    ordered = sorted(v for v in known(speed) if v not in (0.0, 255.0))
    if not ordered:
        return NAN
    hundredths = 85 * (len(ordered) - 1)
    whole, rest = hundredths // 100, hundredths % 100
    low = ordered[whole]
    high = ordered[whole + 1] if rest else low
    return {"lower": low, "higher": high, "linear": low + (high - low) * rest / 100}[method]


def v85_of_classes(count: list[float], edges: list[float]) -> float:
    if known(count) != count or sum(count) == 0:
        return NAN
    wanted, below = 85 * sum(count) / 100, 0.0
    for n, (low, high) in zip(count, pairwise(edges), strict=True):
        if below + n >= wanted:
            return low + (high - low) * (wanted - below) / n if math.isfinite(high) else NAN
        below += n
    return NAN


def peak_hour(count: list[float]) -> tuple[float, int, float]:
    best, slot = NAN, -1
    for k in range(len(count) - 3):
        hour = count[k : k + 4]
        if len(known(hour)) == 4 and (slot < 0 or sum(hour) > best):
            best, slot = sum(hour), k
    if slot < 0 or best == 0:
        return best, slot, NAN
    return best, slot, best / (4 * max(count[slot : slot + 4]))


def mean_of_lanes(lanes: list[float]) -> float:
    there = known(lanes)
    return sum(there) / len(there) if there else NAN


def over_time(occupancy: list[float], seconds: list[float]) -> tuple[float, float]:
    total = measured = 0.0
    for o, s in zip(occupancy, seconds, strict=True):
        if not math.isnan(o):
            total, measured = total + o * s, measured + s
    return (total / measured if measured else NAN), measured


def state(occupancy: float, bounds: tuple[float, float, float]) -> int:
    if math.isnan(occupancy):
        return 0
    return 1 + sum(occupancy >= bound for bound in bounds)


def level_of_service(density: float, bounds: tuple[float, ...]) -> int:
    if math.isnan(density):
        return 0
    return 1 + sum(density > bound for bound in bounds)


def free_flow(occupancy: float, rate: float, bound: float) -> int:
    if not math.isnan(occupancy):
        return int(occupancy < bound)
    if math.isnan(rate):
        return -1
    return int(rate == 0 or 3600 / rate >= 5)


def vector_wind(speed: list[float], direction: list[float]) -> tuple[float, float, float, int]:
    east = north = total = 0.0
    parts = 0
    for s, d in zip(speed, direction, strict=True):
        if not math.isnan(s) and not math.isnan(d):
            north += s * math.cos(math.radians(d))
            east += s * math.sin(math.radians(d))
            total, parts = total + s, parts + 1
    if parts == 0:
        return NAN, NAN, NAN, 0
    length = math.hypot(north, east)
    steady = length / total if total else NAN
    undefined = total / parts < 0.5 or not steady >= 0.1
    turn = NAN if undefined else math.degrees(math.atan2(east, north)) % 360
    return turn, length / parts, steady, parts


def integrate(
    readings: list[tuple[int, float]],
    begin: int,
    end: int,
    *,
    now: int,
    hold: int,
    between: str,
) -> tuple[float, int]:
    """Second by second over whole seconds: the value in the middle of each second."""
    total, covered = 0.0, 0
    for second in range(begin, min(end, now)):
        before = [(t, v) for t, v in readings if t <= second]
        after = [(t, v) for t, v in readings if t > second]
        if not before:
            continue
        t0, v0 = before[-1]
        if between == "held":
            if math.isnan(v0) or second >= t0 + hold:
                continue
            total, covered = total + v0, covered + 1
        elif after:
            t1, v1 = after[0]
            if math.isnan(v0) or math.isnan(v1) or t1 - t0 > hold or t1 > now:
                continue
            total += v0 + (v1 - v0) * (second + 0.5 - t0) / (t1 - t0)
            covered += 1
    return total, covered


def partners(series: list[tuple[str, str, int, str]], of: str, among: str) -> list[int]:
    """Rows of (metric, sensor, site, field): the row of each one's partner, or -1."""
    answer = [-1] * len(series)
    for row, (metric, sensor, site, _) in enumerate(series):
        if metric != of:
            continue
        for place in ((sensor, site), (None, site)):
            near = [
                (field, k, metric)
                for k, (metric, code, where, field) in enumerate(series)
                if where == place[1] and place[0] in (None, code)
            ]
            mine = sorted((field, k) for field, k, metric in near if metric == of)
            other = sorted((field, k) for field, k, metric in near if metric == among)
            alone = place[0] is not None or len(mine) == 1
            if answer[row] < 0 and len(mine) == len(other) and alone:
                answer[row] = other[[k for _, k in mine].index(row)][1]
    return answer
