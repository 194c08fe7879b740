"""Public holidays, school holidays, local time; and what the city says of them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.calendars import (
    DayClass,
    day_classes,
    local_time,
    public_holidays,
    weekdays,
    within,
)
from storage.facts.mobility import MobilityFacts

YEAR = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")


def holidays_of(country: str, subdivision: str = "") -> list[str]:
    return [str(day) for day in YEAR[public_holidays(YEAR, country, subdivision)]]


def test_france_has_11_public_holidays_in_2024_and_moselle_and_alsace_13():
    everywhere = [
        "2024-01-01", "2024-04-01", "2024-05-01", "2024-05-08", "2024-05-09", "2024-05-20",
        "2024-07-14", "2024-08-15", "2024-11-01", "2024-11-11", "2024-12-25",
    ]  # fmt: skip

    assert holidays_of("FR") == everywhere
    for subdivision in ("57", "6AE"):
        assert holidays_of("FR", subdivision) == sorted([*everywhere, "2024-03-29", "2024-12-26"])


@pytest.mark.parametrize(
    ("country", "subdivision", "day"),
    [
        ("DE", "NW", "2024-10-03"),
        ("DE", "NW", "2024-05-30"),
        ("BE", "", "2024-07-21"),
        ("LU", "", "2024-06-23"),
        ("CH", "ZH", "2024-08-01"),
    ],
)
def test_neighbours_rest_on_their_own_days(country: str, subdivision: str, day: str):
    assert day in holidays_of(country, subdivision)
    assert day not in holidays_of("FR")


def test_a_year_in_france_has_252_working_days_52_saturdays_and_62_others():
    kinds = day_classes(YEAR, public_holidays(YEAR, "FR"))

    assert [int((kinds == kind).sum()) for kind in DayClass] == [252, 52, 62]
    assert kinds[YEAR.tolist().index(date(2024, 5, 9))] == DayClass.SUNDAY_OR_HOLIDAY


def test_a_public_holiday_on_a_saturday_is_no_saturday():
    day = np.array(["2025-11-01"], "datetime64[D]")

    assert weekdays(day).tolist() == [5]
    assert day_classes(day, public_holidays(day, "FR")).tolist() == [DayClass.SUNDAY_OR_HOLIDAY]


def test_school_holidays_include_their_first_and_last_day():
    spans = [(date(2024, 2, 10), date(2024, 2, 26)), (date(2024, 12, 21), date(2025, 1, 5))]

    assert int(within(YEAR, spans).sum()) == 17 + 11
    assert not within(YEAR, []).any()


@settings(max_examples=100, deadline=None)
@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2035, 1, 1)),
    st.sampled_from(
        ["Europe/Paris", "Asia/Kolkata", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia",
         "Australia/Lord_Howe", "UTC"]
    ),
)  # fmt: skip
def test_the_clock_on_the_wall_is_that_of_the_zone(start: datetime, zone: str):
    hours = np.datetime64(start, "h").astype("datetime64[us]") + np.arange(
        0, 9000, 97
    ) * np.timedelta64(1, "h")

    wall = local_time(hours, zone)

    place = ZoneInfo(zone)
    plain = [
        instant.replace(tzinfo=UTC).astimezone(place).replace(tzinfo=None)
        for instant in hours.tolist()
    ]
    assert wall.tolist() == plain


@pytest.mark.parametrize(
    ("utc", "hours"),
    [("2024-03-31T00", [1, 3, 4]), ("2024-10-27T00", [2, 2, 3])],
)
def test_the_clock_changes_at_1_utc_to_the_microsecond(utc: str, hours: list[int]):
    instant = np.datetime64(utc, "us") + np.arange(3) * np.timedelta64(1, "h")

    wall = local_time(instant, "Europe/Paris")
    just_before = local_time(instant - np.timedelta64(1, "us"), "Europe/Paris")

    assert [one.hour for one in wall.tolist()] == hours
    assert just_before.tolist()[1].hour == hours[0]


# What the city says


def facts(**said: object) -> MobilityFacts:
    return MobilityFacts.model_validate(said)


def test_what_the_city_says_survives_being_stored():
    said = facts(
        calendar=[{"country": "FR", "subdivision": "57", "school_zone": "B"}],
        school_holidays=[{"zone": "B", "name": "Hiver", "from": "2024-02-24", "to": "2024-03-10"}],
        parking=[{"sensor": "p1", "capacity": 400}, {"sensor": "p1", "capacity": 350, "from": date(2024, 6, 1)}],
        day_hours=19,
    )  # fmt: skip

    assert MobilityFacts.model_validate(json.loads(said.model_dump_json())) == said
    assert said.school_free("B") == ((date(2024, 2, 24), date(2024, 3, 10)),)
    assert said.school_free("A") == ()


def test_the_first_calendar_that_fits_a_territory_counts():
    said = facts(
        calendar=[
            {"territory": "kehl", "country": "DE", "subdivision": "BW"},
            {"country": "FR", "subdivision": "6AE"},
        ]
    )

    assert said.calendar_of("kehl").country == "DE"
    assert said.calendar_of("strasbourg").country == "FR"
    assert facts().calendar_of("strasbourg") is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"calendar": [{"country": "FX"}]}, "write its ISO 3166 code in capital letters, such as FR"),
        ({"calendar": [{"country": "FR", "subdivision": "67"}]}, "write one of these, or leave it out: 57, 6AE"),
        ({"calendar": [{"country": "FR", "school_zone": "A"}]}, r"names school zone 'A'.* write them as \[\[mobility.school_holidays"),
        ({"school_holidays": [{"zone": "A", "from": "2024-03-10", "to": "2024-02-24"}]}, "write the first and the last day without school"),
        ({"parking": [{"sensor": "p", "capacity": 3}, {"sensor": "p", "capacity": 4}]}, "parking 'p' has two capacities for ever"),
        ({"station": [{"sensor": "s", "capacity": 3, "from": "2024-01-01"}] * 2}, "station 's' has two capacities from 2024-01-01"),
        ({"parking": [{"sensor": "p", "capacity": 0}]}, "greater than 0"),
        ({"day_hours": 30}, "less than or equal to 24"),
        ({"zero_days": 1}, "greater than or equal to 2"),
        ({"calender": []}, "Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_facts_is_said_with_what_to_write(
    said: dict[str, object], message: str
):
    with pytest.raises(ValidationError, match=message):
        facts(**said)
