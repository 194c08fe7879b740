"""Which series rest on which days."""

from __future__ import annotations

import numpy as np

from processors.watch.rest_days import Country, calendars, rest_days
from storage.facts.facts import Facts
from storage.roster import Roster


def roster(*territories: str) -> Roster:
    size = len(territories)
    number, text, degrees = np.arange(size, dtype=np.int32), np.full(size, ""), np.zeros(size)
    return Roster(
        number, text, text, text, number, text, text, number, text, number, np.array(territories),
        text, degrees, degrees,
    )  # fmt: skip


def test_each_territory_has_the_calendar_that_fits_first_and_others_have_none():
    said = [
        {"territory": "57*", "country": "FR", "subdivision": "57"},
        {"territory": "[0-9]*", "country": "FR"},
    ]
    facts = Facts.model_validate({"mobility": {"calendar": said}})

    found = {country: rows.tolist() for rows, country in calendars(
        roster("57463", "75056", "lux", "57672", "69123"), facts
    )}  # fmt: skip

    assert found == {Country("FR", "57"): [0, 3], Country("FR", ""): [1, 4], None: [2]}


def test_good_friday_is_a_sunday_in_metz_and_a_friday_in_paris():
    at = np.array(["2026-04-03T10:00"], "datetime64[us]")

    assert rest_days(at, "Europe/Paris", Country("FR", "57")) == np.array(["2026-04-03"], "M8[D]")
    paris = rest_days(at, "Europe/Paris", Country("FR", ""))
    assert paris is not None
    assert paris.size == 0
    assert rest_days(at, "Europe/Paris", None) is None
