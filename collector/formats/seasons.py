"""A meter's local time with its season said by a letter → microseconds since 1970; pure.

Meters write the legal time and whether summer time holds, so that no hour of the year is
ambiguous: the letter is believed, also in the minutes around a change of clocks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from collector.times import NotATime, zone

_EPOCH = datetime(1970, 1, 1)
_UNDECLARED = "UTC"


def microseconds(digits: str, summer: bool | None, timezone: str, usual: str) -> int:
    """Read ``YYMMDDhhmmss`` of the years 1970 (the clock was never set) to 2069.

    Parameters
    ----------
    digits
        Twelve decimal digits.
    summer
        Whether summer time holds; None where the meter does not say: then the first pass of
        an hour that occurs twice.
    timezone
        The binding's zone.
    usual
        The zone where such meters stand. A meter with a letter does not run on UTC: this one
        counts where the binding declares none.

    Examples
    --------
    >>> microseconds("161113205757", False, "UTC", "Europe/Amsterdam")  # 19:57:57Z
    1479067077000000
    >>> microseconds("241027023000", True, "Europe/Paris", "Europe/Paris")  # 00:30Z
    1729989000000000
    >>> microseconds("241027023000", False, "Europe/Paris", "Europe/Paris")  # 01:30Z
    1729992600000000
    """
    if len(digits) != 12 or not (digits.isascii() and digits.isdigit()):
        raise NotATime("a time of a meter has twelve digits")
    day, seconds = _day(digits[:6]), _second(digits[6:])
    if summer is None:
        moment = datetime(1970, 1, 1, tzinfo=zone(timezone)) + timedelta(day, seconds)
        offset = moment.utcoffset() or timedelta()
        return (day * 86_400 + seconds - int(offset.total_seconds())) * 1_000_000
    standard, daylight = _offsets(usual if timezone == _UNDECLARED else timezone, digits[:2])
    if summer and standard == daylight:
        raise NotATime("summer time, which the binding's time zone does not know")
    return (day * 86_400 + seconds - (daylight if summer else standard)) * 1_000_000


@lru_cache(maxsize=64)
def _day(digits: str) -> int:
    """Days since 1970."""
    try:
        date = datetime(_year(digits), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        raise NotATime("no date of the calendar") from None
    return (date - _EPOCH).days


def _second(digits: str) -> int:
    hour, minute, second = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if hour > 23 or minute > 59 or second > 59:
        raise NotATime("no time of the day")
    return hour * 3600 + minute * 60 + second


@lru_cache(maxsize=64)
def _offsets(timezone: str, year: str) -> tuple[int, int]:
    """Standard and summer offset from UTC in that year, alike on both hemispheres. [s]"""
    place = zone(timezone)
    found = [
        datetime(_year(year), month, 1, tzinfo=place).utcoffset() or timedelta() for month in (1, 7)
    ]
    return int(min(found).total_seconds()), int(max(found).total_seconds())


def _year(digits: str) -> int:
    short = int(digits[:2])
    return short + (1900 if short >= 70 else 2000)
