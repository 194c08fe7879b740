"""Profiles and their codecs in the database, and what the collector gets of them."""

from __future__ import annotations

import psycopg
import pytest

from storage.bindings import load_profiles
from storage.city import parse
from storage.registry import register
from tests.essai import ESSAI
from tests.integration.collecting import registered_routes

TOML = (
    ESSAI
    + """[[binding]]
topic = "lora/{sensor}"
profile = "probe"

[[binding]]
topic = "air/{sensor}"

[[profile]]
name = "probe"
step_s = 600

[profile.fields]
temp = { metric = "temperature", unit = "[degF]", scale = 0.1 }
hum  = { metric = "humidity" }

[profile.codec]
ignore_ports = 5

[[profile.codec.field]]
name = "temp"
offset = 0
type = "i16be"

[[profile.codec.field]]
name = "hum"
offset = -1
scale = 0.5
bits = [0, 7]
when = { length = 3 }

[[profile]]
name = "wifi"
step_s = 60
fields.no2 = { metric = "no2", unit = "ppb" }
"""
)
HEADER = "territory,site,sensor,metric,profile,field,step_s\n"
CSV = HEADER + "99001,mairie,p1,,probe,,\n99001,mairie,p1,no2,,gas,60\n99001,mairie,w1,,wifi,,\n"


def test_a_profile_comes_out_of_the_database_as_it_went_in(connection: psycopg.Connection):
    city = parse(TOML, CSV)
    register(connection, city)

    assert load_profiles(connection) == {profile.name: profile for profile in city.profiles}


def test_the_collector_gets_units_scales_and_codecs(connection: psycopg.Connection):
    city = parse(TOML, CSV)
    register(connection, city)

    known = registered_routes()

    codec = city.profiles[0].codec
    assert known.codecs == {"p1": codec}
    assert {row.topic: row.codec for row in known.bindings} == {
        "replay/{territory}/{site}/{sensor}": None, "lora/{sensor}": codec, "air/{sensor}": None,
    }  # fmt: skip
    scale = {
        (sensor, field): known.scale[position]
        for sensor, (_, fields) in known.sensors.items()
        for field, position in fields.items()
    }
    assert scale == {
        ("p1", "temp"): pytest.approx(0.5 / 9),
        ("p1", "hum"): 1,
        ("p1", "gas"): 1,
        ("w1", "no2"): pytest.approx(1.91301, rel=1e-5),
    }


def test_a_sensor_changes_its_profile_and_loses_it(connection: psycopg.Connection):
    register(connection, parse(TOML, CSV))
    asked = "SELECT code, profile FROM city.sensor WHERE sensor_id > 0 ORDER BY code"
    assert connection.execute(asked).fetchall() == [("p1", "probe"), ("w1", "wifi")]

    rows = "99001,mairie,p1,,wifi,,\n99001,mairie,w1,no2,,no2,60\n"
    register(connection, parse(TOML, HEADER + rows))

    assert connection.execute(asked).fetchall() == [("p1", "wifi"), ("w1", None)]
    assert registered_routes().codecs == {}


def test_a_changed_codec_reaches_the_collector_under_a_new_revision(
    connection: psycopg.Connection,
):
    register(connection, parse(TOML, CSV))
    before = registered_routes()

    register(connection, parse(TOML.replace("scale = 0.5", "scale = 0.25"), CSV))
    after = registered_routes()

    assert after.revision == before.revision + 1
    assert [before.codecs["p1"].field[1].scale, after.codecs["p1"].field[1].scale] == [0.5, 0.25]
    assert dict(after.codecs) != dict(before.codecs)


def test_a_profile_that_leaves_the_city_file_stays_for_the_sensors_that_have_it(
    connection: psycopg.Connection,
):
    register(connection, parse(TOML, CSV))
    toml = TOML[: TOML.index("[[binding]]")] + '[[binding]]\ntopic = "air/{sensor}"\n'

    register(connection, parse(toml, HEADER + "99001,mairie,w1,no2,,no2,60\n"))

    known = registered_routes()
    assert list(known.codecs) == ["p1"]
    assert [row.topic for row in known.bindings][1:] == ["air/{sensor}"]
