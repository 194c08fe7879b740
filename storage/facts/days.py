"""Days that facts are dated by."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator

FIRST, END = 1900, 2200
"""Years beyond have no local time that can be counted on, and no readings."""


def _in_range(day: date) -> date:
    if not FIRST <= day.year < END:
        raise ValueError(
            f"{day.isoformat()} is no day of {FIRST} to {END - 1}; where something held always, or"
            " holds until further notice, leave the day out or write one of these years"
        )
    return day


def _instant_in_range(at: datetime) -> datetime:
    _in_range(at.date())
    return at


Day = Annotated[date, AfterValidator(_in_range)]
Instant = Annotated[datetime, AfterValidator(_instant_in_range)]
