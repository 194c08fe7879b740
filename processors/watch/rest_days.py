"""Public holidays, whose hours are compared with those of Sundays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.calendars import local_time, public_holidays
from storage.facts.facts import Facts
from storage.reading import TimeArray
from storage.roster import Roster


class Country(NamedTuple):
    """Whose public holidays: as ``[[mobility.calendar]]`` names them."""

    country: str
    subdivision: str


def calendars(roster: Roster, facts: Facts) -> Iterator[tuple[NDArray[np.intp], Country | None]]:
    """The series of each calendar, by their rows; None where the city names none."""
    of: dict[Country | None, list[str]] = {}
    for territory in np.unique(roster.territory).tolist():
        said = facts.mobility.calendar_of(territory)
        country = Country(said.country, said.subdivision) if said else None
        of.setdefault(country, []).append(territory)
    for country, territories in of.items():
        yield np.flatnonzero(np.isin(roster.territory, territories)), country


def rest_days(
    start: TimeArray, zone: str, country: Country | None
) -> NDArray[np.datetime64] | None:
    """The public holidays among the local dates of these instants, ascending.

    Examples
    --------
    >>> at = np.array(["2026-04-30T22:00", "2026-05-02T12:00"], "datetime64[us]")
    >>> rest_days(at, "Europe/Paris", Country("FR", ""))
    array(['2026-05-01'], dtype='datetime64[D]')
    """
    if country is None:
        return None
    days = np.unique(local_time(start, zone).astype("datetime64[D]"))
    chosen: NDArray[np.datetime64] = days[public_holidays(days, *country)]
    return chosen
