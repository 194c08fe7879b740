"""Public holidays, whose hours are compared with those of Sundays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.calendars import local_time, public_holidays
from storage.facts.counting import Calendar
from storage.reading import TimeArray


def rest_days(
    start: TimeArray, zone: str, calendar: Calendar | None
) -> NDArray[np.datetime64] | None:
    """The public holidays among the local dates of these instants, ascending.

    Examples
    --------
    >>> at = np.array(["2026-04-30T22:00", "2026-05-02T12:00"], "datetime64[us]")
    >>> rest_days(at, "Europe/Paris", Calendar(country="FR"))
    array(['2026-05-01'], dtype='datetime64[D]')
    """
    if calendar is None:
        return None
    days = np.unique(local_time(start, zone).astype("datetime64[D]"))
    chosen: NDArray[np.datetime64] = days[
        public_holidays(days, calendar.country, calendar.subdivision)
    ]
    return chosen
