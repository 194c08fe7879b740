"""A city as its people write it, and what they are told of their mistakes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from collector.formats.registry import FORMATS
from storage.catalogue import BY_NAME
from storage.city import Binding, parse
from storage.mistakes import MistakesError, read_text
from storage.sensor_list import parse_sensors

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


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "Kehlheim"', 'name = "Kehl\\u0000heim"', "city.toml:12: holds a NUL character"),
        ("{territory}/{site}", "{sensor}/{site}", "a named segment may stand only once"),
        ('"city/{territory}', '"$share/g/{territory}', "a topic may not start with '$'"),
        ("ignore =", 'format = "cbor"\nignore =', "binding.format: Input should be 'plain', "),
        ('"Europe/Berlin"', '"Europe"', "'Europe' is no time zone"),
        ('"99002"', '"99001"', "code '99001' stands there twice"),
    ],
)
def test_what_would_stop_a_collector_later_is_told_now(old: str, new: str, told: str):
    (found,) = mistakes(TOML.replace(old, new), CSV)

    assert told in found


OWN = """
[[metric]]
name = "NAME"
domain = "air"
unit = "UNIT"
kind = "gauge"
low = 0
high = 9
label_fr = "x"
label_en = "x"
label_de = "x"
"""


@pytest.mark.parametrize(
    ("name", "unit", "told"),
    [("temperature", "K", "is in the catalogue already"), ("mine", "no such", "cannot be read")],
)
def test_a_metric_of_ones_own_has_a_new_name_and_a_real_unit(name: str, unit: str, told: str):
    (found,) = mistakes(TOML + OWN.replace("NAME", name).replace("UNIT", unit), CSV)

    assert told in found


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (HEADER.replace(",", ";"), "the cells are separated by ';'; save the list with commas"),
        (HEADER.replace("sensor,", ""), "column sensor is missing; add it"),
        (HEADER.replace("stamp", "stamps"), "column stamps is not known"),
        (HEADER.replace("site_name", "site"), "column site stands there twice"),
    ],
)
def test_a_wrong_header_is_told_once(header: str, told: str):
    assert mistakes(TOML, header + "x\n") == [f"sensors.csv:1: {told}"]


def test_the_formats_a_binding_may_name_are_those_the_collector_reads():
    assert set(get_args(Binding.model_fields["format"].annotation)) == set(FORMATS)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "sensors.csv:1: there is no such file; check its name"),
        (b"a\n\xe9cole\n", "sensors.csv:2: this is no UTF-8 text; save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_the_remedy(
    tmp_path: Path, written: bytes | None, told: str
):
    path = tmp_path / "sensors.csv"
    if written is not None:
        path.write_bytes(written)

    with pytest.raises(MistakesError, match=re.escape(told)):
        read_text(path)


def test_a_territory_that_nobody_knows_is_told_once_and_of_many_mistakes_the_first_fifty():
    head = "territory,site,sensor,metric,step_s\n"
    lines = "".join(f"99009,mairie,air-{n},no2,60\n" for n in range(3))
    bad = "".join(f"99001,mairie,bad-{n},no2,soon\n" for n in range(60))

    with pytest.raises(MistakesError) as strange:
        parse_sensors(head + lines, "sensors.csv", {"99001"}, BY_NAME, {})
    with pytest.raises(MistakesError) as many:
        parse_sensors(head + bad, "sensors.csv", {"99001"}, BY_NAME, {})

    assert len(strange.value.mistakes) == 1
    assert str(many.value).splitlines()[50:] == ["… and 10 more"]
