"""A city as its people write it, and what they are told of their mistakes."""

from __future__ import annotations

import pytest

from storage.city import parse
from storage.mistakes import MistakesError

TOML = """
[city]
name = "Val-de-Beffroi"
timezone = "Europe/Paris"

[[territory]]
code = "99001"
name = "Beffroi-le-Vieux"

[[territory]]
code = "99002"
name = "Kehlheim"
code_system = "AGS"
timezone = "Europe/Berlin"

[[binding]]
topic = "city/{territory}/{site}/{sensor}"
ignore = ["battery"]
"""
HEADER = "territory,site,site_name,longitude,latitude,sensor,metric,field,unit,step_s,stamp,register_max\n"
CSV = HEADER + "99001,mairie,Mairie,2.1,48.9,air-1,temperature,temp,[degF],600,start,\n"


def mistakes(toml: str, csv: str) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        parse(toml, csv)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_correct_city_is_read_with_units_resolved_and_zones_inherited():
    city = parse(TOML, CSV)

    assert [t.timezone for t in city.territories] == ["Europe/Paris", "Europe/Berlin"]
    (series,) = city.series
    assert series.line.field == "temp"
    assert 50 * series.scale + series.shift == pytest.approx(10, abs=1e-12)


def test_an_empty_field_takes_the_metrics_name_and_an_empty_unit_the_canonical_one():
    (series,) = parse(TOML, HEADER + "99001,m,,,,air-1,no2,,,60,start,\n").series

    assert (series.line.field, series.line.unit, series.scale) == ("no2", "ug/m3", 1)


def test_a_mistake_in_toml_is_told_with_its_line():
    assert mistakes(TOML.replace('"Europe/Berlin"', '"Europe/Berlim"'), CSV) == [
        "city.toml:14: territory.timezone: 'Europe/Berlim' is no time zone; "
        "write one like 'Europe/Paris'"
    ]


def test_an_unknown_key_is_told_with_its_line_and_remedy():
    (told,) = mistakes(TOML.replace("ignore =", "ignor ="), CSV)

    assert (
        told == "city.toml:18: binding.ignor: is not a known key; remove it or correct its spelling"
    )


def test_broken_toml_is_told_with_its_line():
    (told,) = mistakes(TOML.replace('name = "Kehlheim"', "name = Kehlheim"), CSV)

    assert told.startswith("city.toml:12: this is not TOML")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            "99009,m,,,,a,no2,,,60,start,",
            "territory '99009' is not in city.toml; add a [[territory]]",
        ),
        (
            "99001,m,,,,a,no3,,,60,start,",
            "metric 'no3' is unknown; did you mean o3 or no or nox? Or add a [[metric]]",
        ),
        (
            "99001,m,,,,a,no2,,Cel,60,start,",
            "unit: 'Cel' does not measure the same thing as 'ug/m3'",
        ),
        ("99001,m,,,,a,no2,,,often,start,", "step_s: Input should be a valid integer"),
        ("99001,m,,,,a,no2,,,60,middle,", "stamp: Input should be 'start', 'end' or 'unknown'"),
        ("99001,m,,,,a/b,no2,,,60,start,", "sensor: String should match pattern"),
        (
            "99001,m,,200,48,a,no2,,,60,start,",
            "longitude: Input should be less than or equal to 180",
        ),
        (
            "99001,m,,,,a,no2,,,60,start,,9",
            "has more cells than the header; quote cells that hold a comma",
        ),
        (
            "99001,mairie,,,,air-1,temperature,temp,,60,start,",
            "sensor 'air-1' already has field 'temp' in line 2",
        ),
        ("99001,n,,,,air-1,no2,,,60,start,", "sensor 'air-1' stands at 99001/mairie in line 2"),
    ],
)
def test_a_mistake_in_the_sensor_list_is_told_with_its_line(row: str, told: str):
    (found,) = mistakes(TOML, CSV + row + "\n")

    assert found.startswith("sensors.csv:3: ")
    assert told in found


def test_all_mistakes_are_told_at_once():
    rows = "99009,m,,,,a,no2,,,60,start,\n99001,m,,,,b,no3,,,60,start,\n"

    assert [told.split(": ")[0] for told in mistakes(TOML, HEADER + rows)] == [
        "sensors.csv:2",
        "sensors.csv:3",
    ]
