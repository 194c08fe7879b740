"""What a field may measure, how often it comes, and which lines follow from it."""

from __future__ import annotations

import pytest

from beffroi.sensors.device import Device, Field
from beffroi.sensors.guessing import guess, interval_s, is_part, step_s
from beffroi.sensors.proposal import propose
from storage.catalogue import BY_NAME
from storage.reading import Reading


@pytest.mark.parametrize(
    ("field", "unit", "expected"),
    [
        ("ENERGY.Power", "W", "power"),
        ("emeter/0/power", "W", "power"),
        ("SDS_P1", "ug/m3", "pm10"),
        ("SDS_P2", "ug/m3", "pm25"),
        ("HCHC", "W.h", "energy_import"),
        ("1-0:1.8.1", "kW.h", "energy_import"),
        ("1-0:2.8.1", "kW.h", "energy_export"),
        ("BME280_pressure", "Pa", "pressure"),
        ("temperature", None, "temperature?"),
        ("anything", "V", "voltage?"),
        ("temperature", "V", "voltage?"),
        ("anything", "ug/m3", "?"),
        ("battery", "%", "?"),
        ("0-1:24.2.1", "m3", "?"),
        ("rssi", None, "?"),
        ("TempC_SHT", None, "temperature?"),
        ("airHumidity2", None, "humidity?"),
        ("tempAndHum", None, "?"),
        ("SHT", None, "?"),
        ("power", "a unit that nobody knows", "?"),
    ],
)
def test_a_metric_is_guessed_by_unit_and_name(field: str, unit: str | None, expected: str):
    assert str(guess(field, unit, BY_NAME)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([0, 60], 0), ([0, 60, 120], 60), ([0, 59, 121, 179], 60), ([0, 898, 1803, 2700], 900),
        ([0, 60, 120, 90000], 60), ([0, 0, 0, 0], 0), ([0, 42, 84, 126], 0), ([], 0),
    ],
)  # fmt: skip
def test_a_step_is_the_usual_one_next_to_the_median_interval(seconds: list[int], expected: int):
    assert step_s([one * 1_000_000 for one in seconds]) == expected


def test_an_even_number_of_intervals_has_its_median_between_two():
    assert interval_s([0, 10_000_000, 30_000_000]) == 15.0


def test_registers_of_a_tariff_are_parts_of_a_total_that_is_there():
    assert str(guess("EASF01", "W.h", BY_NAME)) == "energy_import"
    assert is_part("EASF01", {"EAST", "EASF01"}) == "EAST"
    assert is_part("EASF01", {"EASF01"}) == ""
    assert is_part("1-0:1.8.2", {"1-0:1.8.0", "1-0:1.8.2"}) == "1-0:1.8.0"


def device(sensor: str, **more: str) -> Device:
    found = Device(sensor, topics=["a/b"], **more)  # type: ignore[arg-type]
    for name, unit, value in (("no2", None, 12.5), ("temperature", "Cel", 21.5), ("x", None, 1.0)):
        one = found.fields[name] = Field(name, offered=False)
        for minute in range(3):
            one.add(Reading(sensor, name, minute * 60_000_000, value, unit), 0)
        one.guess = guess(name, unit, BY_NAME)
    return found


def test_lines_are_proposed_only_where_the_list_accepts_them():
    odd = [device("a/b"), device(" a"), device("a", territory="99009"), device("a" * 201)]

    found = propose(odd, BY_NAME, {"99001": "UTC"})

    assert found.lines == []
    assert [any(note.startswith(one.sensor) for note in found.notes) for one in odd] == [True] * 4
    assert propose([device("a")], BY_NAME, {"99001": "UTC", "99002": "UTC"}).lines == []


def test_a_part_of_a_total_is_not_proposed_beside_it():
    odd = device("a")
    for name in ("EAST", "EASF01"):
        one = odd.fields[name] = Field(name, offered=False)
        one.add(Reading("a", name, None, 100.0, "W.h"), 0)
        one.guess = guess(name, "W.h", BY_NAME)

    found = propose([odd], BY_NAME, {"99001": "UTC"})

    assert [line["field"] for line in found.lines] == ["no2", "temperature", "EAST"]


def test_a_device_without_territory_gets_the_only_one_there_is():
    found = propose([device("a")], BY_NAME, {"99001": "Europe/Paris"})

    assert [tuple(line.values()) for line in found.lines] == [
        ("99001", "a", "a", "no2", "no2", "ug/m3", "60", "start"),
        ("99001", "a", "a", "temperature", "temperature", "Cel", "60", "start"),
    ]
    assert (
        "a: what these measure cannot be told: x; write a line with the metric for each that is"
        " wanted, and name the others in the binding's ignore"
    ) in found.notes
    assert "a no2: the device declares no unit; ug/m3 is assumed" in found.notes


def test_a_word_of_a_name_is_a_hint_and_no_proposal():
    told = device("a")
    one = told.fields["TempC_SHT"] = Field("TempC_SHT", offered=False)
    one.guess = guess("TempC_SHT", None, BY_NAME)

    found = propose([told], BY_NAME, {"99001": "UTC"})

    assert [line["field"] for line in found.lines] == ["no2", "temperature"]
    assert "cannot be told: x, TempC_SHT (perhaps temperature);" in "\n".join(found.notes)


def test_a_value_that_does_not_fit_the_assumed_unit_is_left_to_people():
    odd = device("a")
    odd.fields["no2"].high = 9_000.0

    found = propose([odd], BY_NAME, {"99001": "UTC"})

    assert [line["field"] for line in found.lines] == ["temperature"]
    assert "a no2: may be no2, but not in ug/m3; name its unit" in found.notes
