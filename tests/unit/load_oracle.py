"""What the kernels of meters and loads must answer, one value at a time in plain Python.

Slow and obvious on purpose: nothing here is shared with the kernels.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

NAN = math.nan
Row = list[float]


def consumption(
    amount: Row, interpolated: Row, known: Row, seconds: Row, first: list[int]
) -> list[tuple[float, float, int, int, int]]:
    """(value, low, minutes, status, code) of each period of one series."""
    answer = []
    for begin, end in zip(first, [*first[1:], len(amount)], strict=True):
        rows = range(begin, end)
        there = [k for k in rows if not math.isnan(amount[k])]
        value = math.fsum(amount[k] for k in there) if there else NAN
        gap = any(interpolated[k] != 0 for k in rows)
        covered, whole = sum(known[k] for k in rows), sum(seconds[k] for k in rows)
        low = min(value, value - math.fsum(interpolated[k] for k in rows)) if gap else NAN
        short = covered < whole - 0.5
        status = 2 if gap or short else 1
        answer.append((value, low, round(covered / 60), status, gap + 2 * short))
    return answer


def integrated(
    seconds: Row, value: Row, hold: float, edges: Row, now: float, linear: bool
) -> list[tuple[float, float]]:
    """(energy in value-hours, seconds known) of each window, second by second in between."""
    answer = []
    for low, high in pairwise(edges):
        energy = known = 0.0
        for k, begin in enumerate(seconds):
            last = k + 1 == len(seconds)
            if linear:
                if last or seconds[k + 1] - begin > hold or seconds[k + 1] > now:
                    continue
                end, to = seconds[k + 1], value[k + 1]
            else:
                end = min(begin + hold, now, *([] if last else [seconds[k + 1]]))
                to = value[k]
            start, stop = max(begin, low), min(end, high)
            if start < stop:
                slope = (to - value[k]) / (end - begin)
                middle = value[k] + slope * ((start + stop) / 2 - begin)
                energy += middle * (stop - start) / 3600
                known += stop - start
        answer.append((energy, known))
    return answer


def spread(intervals: list[tuple[float, float, float]], edges: Row) -> list[tuple[float, float]]:
    """(energy, seconds known) of each window."""
    answer = []
    for low, high in pairwise(edges):
        laps = [(min(e, high) - max(b, low), a / (e - b)) for b, e, a in intervals]
        answer.append(
            (
                sum(lap * rate for lap, rate in laps if lap > 0),
                sum(lap for lap, _ in laps if lap > 0),
            )
        )
    return answer


def peak(power: Row, first: list[int]) -> list[tuple[float, int]]:
    """(highest, first window that has it) of each period; (NaN, -1) where none is measured."""
    answer = []
    for begin, end in zip(first, [*first[1:], len(power)], strict=True):
        best, at = NAN, -1
        for k in range(begin, end):
            if not math.isnan(power[k]) and (at < 0 or power[k] > best):
                best, at = power[k], k
        answer.append((best, at))
    return answer


def mean_of_runs(power: Row, size: int, apart: int) -> Row:
    """Means of runs of ``size`` windows that begin ``apart`` windows after one another."""
    return [sum(power[k : k + size]) / size for k in range(0, len(power) - size + 1, apart)]


def duration_curve(power: Row) -> Row:
    known = sorted((p for p in power if not math.isnan(p)), reverse=True)
    return known + [NAN] * (len(power) - len(known))


def quantile(value: Row, q: float) -> float:
    known = sorted(v for v in value if not math.isnan(v))
    if not known:
        return NAN
    rank = q * (len(known) - 1)
    lower = int(rank)
    upper = min(lower + 1, len(known) - 1)
    return known[lower] + (known[upper] - known[lower]) * (rank - lower)


def share(power: Row, inside: list[bool]) -> float:
    energies = []
    for side in (True, False):
        rows = [p for p, where in zip(power, inside, strict=True) if where is side]
        known = [p for p in rows if not math.isnan(p)]
        if rows and not known:
            return NAN
        energies.append(sum(known) / len(known) * len(rows) if rows else 0.0)
    return energies[0] / sum(energies) if sum(energies) > 0 else NAN


def mean_where(power: Row, mask: list[bool], first: list[int]) -> Row:
    answer = []
    for begin, end in zip(first, [*first[1:], len(power)], strict=True):
        used = [power[k] for k in range(begin, end) if mask[k] and not math.isnan(power[k])]
        answer.append(sum(used) / len(used) if used else NAN)
    return answer


def minutes_between(begin: datetime, end: datetime, zone: str) -> list[datetime]:
    """The clock on the wall at every minute of ``[begin, end)``, both in UTC."""
    place = ZoneInfo(zone)
    count = int((end - begin).total_seconds() // 60)
    return [
        (begin + timedelta(minutes=k)).replace(tzinfo=UTC).astimezone(place).replace(tzinfo=None)
        for k in range(count)
    ]


def holds(
    wall: datetime, hours: list[str], weekdays: list[str], season: tuple[str, str] | None,
    holidays: set[object],
) -> bool:  # fmt: skip
    """Whether a period of a tariff holds at a time on the wall."""
    day = "sun" if wall.date() in holidays else wall.strftime("%a").lower()
    if weekdays and day not in weekdays:
        return False
    if season:
        today, (first, last) = wall.strftime("%m-%d"), season
        if not (first <= today <= last if first <= last else today >= first or today <= last):
            return False
    if not hours:
        return True
    now = wall.strftime("%H:%M")
    for stretch in hours:
        begin, end = stretch.split("-")
        if begin < end and begin <= now < end:
            return True
        if begin > end and (now >= begin or now < end):
            return True
    return False
