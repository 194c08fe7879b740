"""What is usual: today so far beside the same weekday of the four weeks before; pure.

Everything here is made of published cells, so that no subtraction of what is usual gives back
what a published cell hides.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import get_day_names

from dashboards.board.figures import LEAST_FILLED, NOTHING, Amount, add
from dashboards.board.language import Language

WEEKS = 4
LEAST_DAYS = 2

# Days are compared that measured alike: sensors times hours may differ by this share. Else a
# sensor more would look like more traffic.
ALIKE = 0.1

# Below this share two days are about the same; below this usual amount a share says nothing.
SAME = 0.05
LEAST_COMPARED = 20.0

DAY_MINUTES = 24 * 60


class Cell(NamedTuple):
    """One published cell of one territory.

    `minute` is its beginning by the clock on the wall, from local midnight, and `width` its
    length. [min] `filled_s` are the seconds with usable readings, added over sensors.
    """

    minute: int
    width: int
    amount: Amount
    filled_s: float


class Why(StrEnum):
    """Whether today can be compared, and why not."""

    KNOWN = "known"
    NONE_YET = "none yet"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual.

    Attributes
    ----------
    why
        Whether today so far may be compared with it.
    so_far
        Mean of the usual days up to the local time at which today's last cell ends.
    hours
        Mean by hour of the local clock; hours that too few days know are left out.
    days
        How many days are behind it.
    """

    why: Why
    so_far: Amount
    hours: Mapping[int, Amount]
    days: int


def days_before(now: datetime, timezone: str) -> tuple[tuple[datetime, datetime], ...]:
    """The same weekday of the weeks before, newest first, as UTC times [start, end).

    >>> from datetime import UTC
    >>> [f"{a:%d %H} {b:%d %H}" for a, b in days_before(
    ...     datetime(2026, 4, 7, 12, tzinfo=UTC), "Europe/Paris")][:2]
    ['30 22 31 22', '23 23 24 23']
    """
    zone = ZoneInfo(timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), datetime.min.time())

    def instant(days: int) -> datetime:
        return (midnight + timedelta(days=days)).replace(tzinfo=zone).astimezone(now.tzinfo)

    return tuple((instant(-7 * week), instant(1 - 7 * week)) for week in range(1, WEEKS + 1))


def by_the_clock(
    cells: Mapping[datetime, Amount],
    filled_s: Mapping[datetime, float],
    *,
    timezone: str,
    width: timedelta,
) -> tuple[Cell, ...]:
    """Cells by their start -> the same by the local clock, which shows an hour of autumn twice."""
    zone = ZoneInfo(timezone)
    found = []
    for start, amount in sorted(cells.items()):
        local = start.astimezone(zone)
        found.append(
            Cell(local.hour * 60 + local.minute, int(width.total_seconds()) // 60, amount,
                 filled_s.get(start, 0.0))
        )  # fmt: skip
    return tuple(found)


def usual(
    today: Sequence[Cell], before: Iterable[Sequence[Cell]], *, sensors: int, elapsed_s: float
) -> Usual:
    """What is usual for a place whose cells, of all its territories together, are given by day.

    Parameters
    ----------
    today
        Closed cells only.
    before
        Each of the days of :func:`days_before`; of days of 23 or 25 hours nothing, since their
        clock is no usual one.
    sensors
        How many of them should have measured all the time.
    elapsed_s
        How much of today has closed. [s]

    A usual day needs three quarters of its measurements, up to this time of day and as a whole;
    where today has as much, both must have measured alike.
    """
    until = max((c.minute + c.width for c in today if c.amount.value is not None), default=0)
    measured = filled(today, DAY_MINUTES)
    covered = bool(elapsed_s) and measured >= LEAST_FILLED * sensors * elapsed_s
    days = [
        day
        for day in before
        if filled(day, DAY_MINUTES) >= LEAST_FILLED * sensors * DAY_MINUTES * 60 > 0
        and filled(day, until) >= LEAST_FILLED * sensors * until * 60
        and not (covered and abs(filled(day, until) - measured) > ALIKE * measured)
    ]
    if len(days) < LEAST_DAYS:
        return Usual(Why.NONE_YET, NOTHING, {}, len(days))
    so_far = mean([add(c.amount for c in day if c.minute + c.width <= until) for day in days])
    return Usual(Why.KNOWN if covered else Why.PARTIAL, so_far, _hours(days, sensors), len(days))


def filled(cells: Iterable[Cell], until: int) -> float:
    """Seconds measured before a minute of the day, added over sensors."""
    return math.fsum(cell.filled_s for cell in cells if cell.minute + cell.width <= until)


def mean(amounts: Sequence[Amount]) -> Amount:
    """Mean of those that are known.

    >>> mean([Amount(10.0), NOTHING, Amount(2.5, True)])
    Amount(value=6.25, about=True)
    """
    known = [amount for amount in amounts if amount.value is not None]
    total = add(known)
    return NOTHING if total.value is None else Amount(total.value / len(known), total.about)


def _hours(days: Sequence[Sequence[Cell]], sensors: int) -> dict[int, Amount]:
    found: defaultdict[int, list[Amount]] = defaultdict(list)
    for day in days:
        hours: defaultdict[int, list[Cell]] = defaultdict(list)
        for cell in day:
            hours[cell.minute // 60].append(cell)
        for hour, cells in hours.items():
            if filled(cells, DAY_MINUTES) >= LEAST_FILLED * sensors * 3600:
                found[hour].append(add(cell.amount for cell in cells))
    return {hour: mean(amounts) for hour, amounts in sorted(found.items())
            if len(amounts) >= LEAST_DAYS}  # fmt: skip


def compared(today: Amount, known: Usual, *, least: float = LEAST_COMPARED) -> float | None:
    """Today so far as a difference from the usual, as a share of it; None where that says
    nothing."""
    if known.why is not Why.KNOWN or today.value is None or known.so_far.value is None:
        return None
    if known.so_far.value < least or not known.so_far.value:
        return None
    return today.value / known.so_far.value - 1


def compared_said(
    today: Amount, known: Usual, *, now: datetime, timezone: str, language: Language,
    least: float = LEAST_COMPARED,
) -> str:  # fmt: skip
    """Today so far beside the usual, in plain words; nothing where nothing is measured today."""
    weekday = weekday_said(now, timezone, language)
    if today.value is None:
        return ""
    if known.why is Why.NONE_YET:
        return language.say("no usual {weekday} known yet", weekday=weekday)
    if known.why is Why.PARTIAL:
        return language.say("not compared: too much is missing today")
    share = compared(today, known, least=least)
    if share is None:
        return language.say("too little so far to compare")
    if abs(share) < SAME:
        return language.say("about the same as on a usual {weekday}", weekday=weekday)
    if share >= 1:
        return language.say("more than twice a usual {weekday}", weekday=weekday)
    percent = language.percent(round(abs(share), 2))
    if share > 0:
        return language.say(
            "{percent} more than on a usual {weekday}", percent=percent, weekday=weekday
        )
    return language.say(
        "{percent} less than on a usual {weekday}", percent=percent, weekday=weekday
    )


def weekday_said(now: datetime, timezone: str, language: Language) -> str:
    """The local weekday.

    >>> from datetime import UTC
    >>> from dashboards.board.language import language
    >>> weekday_said(datetime(2026, 4, 2, 23, tzinfo=UTC), "Europe/Paris", language("fr"))
    'vendredi'
    """
    names = get_day_names("wide", locale=language.locale)
    return str(names[now.astimezone(ZoneInfo(timezone)).weekday()])
