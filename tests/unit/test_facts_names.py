"""What city.toml names of sensors, sites and territories that nobody has."""

from __future__ import annotations

import pytest

from storage.city import parse

CITY = """
[city]
name = "Val-de-Beffroi"
timezone = "Europe/Paris"

[[territory]]
code = "99001"
name = "Beffroi-le-Vieux"

[[territory]]
code = "99002"
name = "Kehlheim"
"""
LINES = """territory,site,sensor,metric,field,step_s
99001,mairie,station-1,no2,,900
99001,mairie,meter-1,energy_import,total,900
99002,gare,station-2,temperature,,900
"""
REPLACED = "at = 2026-03-29T10:00:00+02:00\nclosing = 1\nopening = 1"


def told(trade: str) -> list[str]:
    return [str(mistake) for _, mistake in parse(f"{CITY}{trade}", LINES).unlisted]


SOUND = f"""
[air]
reference = ["station-*", "station-1"]
[[air.station]]
site = "mairie"
type = "traffic"
[[air.correction]]
sensors = "station-[12]"
method = "kappa-koehler"
[[mobility.calendar]]
country = "FR"
[[mobility.direction]]
site = "gare"
territory = "99002"
name = "out"
sensors = ["station-2"]
[[mobility.parking]]
sensor = "station-2"
capacity = 3
[[energy.building]]
site = "mairie"
meters = ["meter-1/total"]
temperature = "station-2"
[[energy.replacement]]
sensor = "meter-1"
field = "total"
{REPLACED}
[[energy.lighting]]
meters = ["*/total"]
power_kw = 1
"""


def test_names_and_patterns_that_fit_something_are_no_mistake():
    assert told(SOUND) == []


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (
            '[air]\nreference = [\n"station-1",\n"staton-*"]',
            "16: air.reference: no sensor fits 'staton-*'; known are 'station-2', 'station-1' …",
        ),
        (
            '[[air.station]]\ntype = "traffic"\nsite = "marie"',
            "15: air.station.site: there is no site 'marie'; known are 'mairie', 'gare'",
        ),
        (
            '[[air.station]]\ntype = "traffic"\nsite = "mairie"\nterritory = "99002"',
            "15: air.station.site: there is no site 'mairie' in territory '99002'; known are 'gare'",
        ),
        (
            '[[air.station]]\ntype = "traffic"\nsite = "mairie"\nterritory = "99003"',
            "15: air.station.site: there is no territory '99003'; known are '99002', '99001'",
        ),
        (
            '[[air.correction]]\nsensors = "air-*"\nmethod = "kappa-koehler"',
            "14: air.correction.sensors: no sensor fits 'air-*'; known are 'meter-1', 'station-1',"
            " 'station-2'",
        ),
        (
            '[[mobility.calendar]]\ncountry = "FR"\nterritory = "57*"',
            "15: mobility.calendar.territory: no territory fits '57*'; known are '99001', '99002'",
        ),
        (
            '[[mobility.station]]\nsensor = "station-*"\ncapacity = 9',
            "14: mobility.station.sensor: there is no sensor 'station-*'; known are 'station-2',"
            " 'station-1' …",
        ),
        (
            f'[[energy.replacement]]\nsensor = "meter-1"\nfield = "totl"\n{REPLACED}',
            "15: energy.replacement.field: there is no meter 'meter-1/totl'; known are"
            " 'meter-1/total', 'meter-1' …",
        ),
        (
            '[[energy.building]]\nsite = "mairie"\nmeters = ["meter-2"]',
            "15: energy.building.meters: there is no meter 'meter-2'; known are 'meter-1',"
            " 'meter-1/total' …",
        ),
    ],
)
def test_a_name_that_nobody_has_is_told_with_its_line_and_those_near_it(said: str, wrong: str):
    (mistake,) = told(said)

    assert mistake == f"city.toml:{wrong}"
