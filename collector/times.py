"""What devices call a time → microseconds since 1970-01-01 UTC; pure.

Digits beyond the microsecond are cut off, never rounded up, so that a time never leaves
the second it was written in.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?")
_OFFSET = r"([Z]|[+-][0-9:]{2,})?"
_END_OF_DAY = re.compile(rf"(.*[T ])24(:?00(?::?00(?:[.,]0+)?)?){_OFFSET}")
_LEAP_SECOND = re.compile(rf"(.*[T ]23:?59:?)60(?:[.,][0-9]+)?{_OFFSET}")


class NotATime(ValueError):
    """Text or number that no rule of this module reads as a time."""


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """The IANA zone of that name; a name nobody knows is :class:`NotATime`."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise NotATime("the binding names an unknown time zone") from None


def from_text(text: str, timezone: str) -> int:
    """Read ISO 8601, or a number written as text; naive times are local in ``timezone``.

    A local time that occurs twice (autumn) is its first pass; one that never occurs
    (spring) is read as if the clock had not yet been put forward. A date alone is its
    local midnight, 24:00 the end of its day, a leap second the second after it.

    Examples
    --------
    >>> from_text("2024-03-01T00:00:00.123456789+01:00", "UTC")
    1709247600123456
    >>> from_text("2024-10-27 02:30", "Europe/Paris")  # 02:30+02:00
    1729989000000000
    """
    # Only the extended form is read at once: fromisoformat takes some epoch numbers
    # written as text ("1710101012345") for dates of the basic form.
    if text[4:5] != "-":
        return _unusual(text, timezone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _unusual(text, timezone)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(timezone))
    since = moment - EPOCH
    # A third of the cost of dividing timedeltas; every message comes by here.
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_number(number: float) -> int:
    """Read an epoch time, its unit told by its magnitude.

    Below 1e11 seconds (to the year 5138), below 1e14 milliseconds, below 1e17
    microseconds, below 1e20 nanoseconds. Seconds before 1973-03-03 written in
    milliseconds or less would be mistaken; no sensor is that old.

    Examples
    --------
    >>> from_number(1709247600.5), from_number(1709247600500)
    (1709247600500000, 1709247600500000)
    """
    size = abs(number)
    if size < 1e11:
        return number * 1_000_000 if isinstance(number, int) else round(number * 1e6)
    if size < 1e14:
        return number * 1_000 if isinstance(number, int) else round(number * 1e3)
    if size < 1e17:
        return int(number)
    if size < 1e20:
        return int(number) // 1_000
    raise NotATime("a number too large for a time")


def _unusual(text: str, timezone: str) -> int:
    text = text.strip().upper()
    if _NUMBER.fullmatch(text):
        whole = text.lstrip("+-").isdigit()
        return from_number(int(text) if whole else float(text))
    later = timedelta()
    if match := _END_OF_DAY.fullmatch(text):
        day, rest, offset = match.groups()
        text, later = f"{day}00{rest}{offset or ''}", timedelta(days=1)
    elif match := _LEAP_SECOND.fullmatch(text):
        minute, offset = match.groups()
        text, later = f"{minute}59{offset or ''}", timedelta(seconds=1)
    try:
        # Added on the local clock: the day before a change of clocks has not 24 hours.
        moment = datetime.fromisoformat(text) + later
    except (ValueError, OverflowError):
        raise NotATime("neither ISO 8601 nor a number") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(timezone))
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_seconds(seconds: float) -> int:
    """Read seconds since 1970 in full, whatever their size.

    >>> from_seconds(1276020076.001)
    1276020076001000
    """
    if not math.isfinite(seconds) or not -62_135_596_800 <= seconds < 253_402_300_800:
        raise NotATime("a time outside the years 1 to 9999")
    return round(seconds * 1e6)
