"""What the programs used, hour by hour, and the electricity that may have gone into it; pure.

Rows are written by collectors and processors themselves. Several programs of one kind share a
row, so that a row may hold more seconds than an hour has; the first row after a start holds less,
and a row that could not be written in time holds what the next hours used as well.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
HOUR_S = 3600.0

# Of less nothing is said: a program's start is all work, and no day is like it.
LEAST_S = 1800.0


class Used(NamedTuple):
    """One kind of program in one hour; columns as in ``pipeline.footprint``."""

    hour: datetime
    program: str
    seconds: float
    cpu_s: float
    memory_bytes: int
    database_bytes: int | None


class Use(NamedTuple):
    """What was used over a stretch of time.

    Attributes
    ----------
    elapsed_s
        How much of it was measured.
    cpu_s
        Processor time of all programs.
    memory_bytes
        The most that each kind of program held, added up.
    """

    elapsed_s: float
    cpu_s: float
    memory_bytes: int

    @property
    def cores(self) -> float:
        """Processor cores that were busy on average."""
        return self.cpu_s / self.elapsed_s


def last_day(rows: Iterable[Used], now: datetime) -> Use | None:
    """The 24 whole hours up to now; of a younger platform what there is, if it is half an hour."""
    end = now.replace(minute=0, second=0, microsecond=0)
    recent = [row for row in rows if row.hour >= end - DAY]
    whole = [row for row in recent if row.hour < end]
    for rows_of, until in ((whole, end), (recent, now)):
        found = used(rows_of, until)
        if found is not None and found.elapsed_s >= LEAST_S:
            return found
    return None


def used(rows: Sequence[Used], end: datetime) -> Use | None:
    """Rows added up; None where they speak of no time at all."""
    longest: dict[datetime, float] = {}
    peaks: dict[str, int] = {}
    for row in rows:
        longest[row.hour] = max(longest.get(row.hour, 0.0), row.seconds)
        peaks[row.program] = max(peaks.get(row.program, 0), row.memory_bytes)
    hours = sorted(longest)
    if not hours:
        return None
    # No row speaks of more time than passed until the next one, however many programs share it.
    elapsed = sum(
        min(longest[hour], max((after - hour).total_seconds(), 0.0))
        for hour, after in zip(hours, [*hours[1:], end], strict=True)
    )
    if elapsed <= 0:
        return None
    return Use(elapsed, math.fsum(row.cpu_s for row in rows), sum(peaks.values()))


class Coefficients(NamedTuple):
    """Power of one core of a server, idle and fully busy; its memory is in it. [W]"""

    idle: float
    busy: float


MEAN = Coefficients(0.74, 3.5)
HIGHEST = Coefficients(0.78, 4.26)
"""Cloud Carbon Footprint, methodology, appendix I: from the results of SPECpower_ssj2008 for the
servers of three large providers, whose means these are, and the highest of each."""


class Energy(NamedTuple):
    """Electricity of a day, estimated. [Wh]

    `least` is what the work alone adds where the server runs anyway; `value` and `most` count
    the cores that are kept ready for it as well.
    """

    value: float
    least: float
    most: float


def energy(use: Use) -> Energy:
    """Idle power of the cores kept ready, and what their work adds, over 24 hours.

    >>> round(energy(Use(86400.0, 4320.0, 0)).value, 2)
    21.07
    """
    ready, hours = max(math.ceil(use.cores), 1), DAY / HOUR

    def day(power: Coefficients) -> float:
        return hours * (ready * power.idle + use.cores * (power.busy - power.idle))

    return Energy(day(MEAN), hours * use.cores * (MEAN.busy - MEAN.idle), day(HIGHEST))


def by_hour(rows: Iterable[Used], now: datetime) -> dict[datetime, float | None]:
    """Processor time of each of the last 24 whole hours; None where none was measured. [s]"""
    end = now.replace(minute=0, second=0, microsecond=0)
    found: dict[datetime, float | None] = {end - back * HOUR: None for back in range(24, 0, -1)}
    for row in rows:
        if row.hour in found:
            found[row.hour] = (found[row.hour] or 0.0) + row.cpu_s
    return found


def by_day(rows: Iterable[Used], now: datetime, timezone: str, days: int
           ) -> dict[date, float | None]:  # fmt: skip
    """Processor time of each of the last whole local days; None where none was measured. [s]"""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    found: dict[date, float | None] = {
        today - timedelta(days=back): None for back in range(days, 0, -1)
    }
    for row in rows:
        day = row.hour.astimezone(zone).date()
        if day in found:
            found[day] = (found[day] or 0.0) + row.cpu_s
    return found


def bytes_per_reading(
    rows: Iterable[Used], stored: Mapping[datetime, int], days: int
) -> float | None:
    """By how much the database grew for every reading stored: the slope of a straight line
    through its size over the readings stored until then, in the last days of the rows.

    None before a whole day, and where it did not grow.
    """
    sizes = {row.hour: row.database_bytes for row in rows if row.database_bytes is not None}
    if not sizes:
        return None
    last = max(sizes)
    hours = sorted(hour for hour in sizes if hour > last - timedelta(days=days))
    if last - hours[0] < DAY:
        return None
    total: defaultdict[datetime, int] = defaultdict(int)
    sum_so_far = 0
    for hour in sorted({*hours, *(h for h in stored if hours[0] <= h <= last)}):
        total[hour] = sum_so_far
        sum_so_far += stored.get(hour, 0)
    x = [float(total[hour]) for hour in hours]
    y = [float(sizes[hour]) for hour in hours]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = math.fsum((a - mean_x) ** 2 for a in x)
    if not spread:
        return None
    slope = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    return slope if slope > 0 else None
