"""Which series rest on which days."""

from __future__ import annotations

import numpy as np

from processors.calendars import by_calendar
from processors.watch.rest_days import rest_days
from storage.facts.counting import Calendar
from storage.facts.facts import Facts


def test_each_territory_has_the_calendar_that_fits_first_and_others_have_none():
    said = [
        {"territory": "57*", "country": "FR", "subdivision": "57"},
        {"territory": "[0-9]*", "country": "FR"},
    ]
    facts = Facts.model_validate({"mobility": {"calendar": said}})

    territories = np.array(["57463", "75056", "lux", "57672", "69123"])
    found = {
        calendar.subdivision if calendar else None: np.flatnonzero(rows).tolist()
        for rows, calendar in by_calendar(territories, facts.mobility)
    }

    assert found == {"57": [0, 3], "": [1, 4], None: [2]}


def test_good_friday_is_a_sunday_in_metz_and_a_friday_in_paris():
    at = np.array(["2026-04-03T10:00"], "datetime64[us]")

    assert rest_days(at, "Europe/Paris", Calendar(country="FR", subdivision="57")) == np.array(
        ["2026-04-03"], "M8[D]"
    )
    paris = rest_days(at, "Europe/Paris", Calendar(country="FR"))
    assert paris is not None
    assert paris.size == 0
    assert rest_days(at, "Europe/Paris", None) is None
