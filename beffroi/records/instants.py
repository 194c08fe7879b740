"""Times as people write them on the command line: ISO 8601, never guessed."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo


class NotAMoment(ValueError):
    """The text names no moment, or two; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, and whether it was written without an offset."""

    time: datetime.datetime
    local: bool


def read(text: str, zone: str) -> Moment:
    """Read ISO 8601; without an offset it is local time in ``zone``, a date alone its midnight.

    Examples
    --------
    >>> read("2024-03-01T12:00", "Europe/Paris").time.isoformat()
    '2024-03-01T12:00:00+01:00'
    >>> read("2024-10-27T02:30", "Europe/Paris")
    Traceback (most recent call last):
    beffroi.records.instants.NotAMoment: '2024-10-27T02:30' happened twice in Europe/Paris; write \
2024-10-27T02:30:00+02:00 or 2024-10-27T02:30:00+01:00
    """
    text = text.strip()
    try:
        # Only the extended form: the basic one takes some plain numbers for dates.
        time = datetime.datetime.fromisoformat(text if text[4:5] == "-" else "")
    except ValueError:
        raise NotAMoment(
            f"{text!r} is no time; write one like 2024-03-01T12:00 or 2024-03-01T12:00:00+01:00"
        ) from None
    if time.tzinfo is not None:
        return Moment(_in_calendar(time, text), False)
    early, late = (time.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    _in_calendar(early, text)
    if early.utcoffset() == late.utcoffset():
        return Moment(early, True)
    if early.astimezone(datetime.UTC).astimezone(early.tzinfo).replace(tzinfo=None) == time:
        raise NotAMoment(
            f"{text!r} happened twice in {zone}; write {early.isoformat()} or {late.isoformat()}"
        )
    # In the hour that is skipped the earlier reading uses the offset of before, and so is later.
    ends = late.astimezone(datetime.UTC), early.astimezone(datetime.UTC)
    options = " or ".join(end.astimezone(early.tzinfo).isoformat() for end in ends)
    raise NotAMoment(f"{text!r} never happened in {zone}, the clock went forward; write {options}")


def _in_calendar(time: datetime.datetime, text: str) -> datetime.datetime:
    try:
        time.astimezone(datetime.UTC)
    except OverflowError:
        raise NotAMoment(f"{text!r} is beyond the calendar; write a year from 2 to 9998") from None
    return time
