"""Registering a city, and what may not change behind stored readings."""

from __future__ import annotations

import psycopg
import pytest

from storage.city import parse
from storage.mistakes import MistakesError
from storage.registry import register
from tests.essai import ESSAI

TOML = ESSAI
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp
99001,mairie,air-1,no2,x,,60,start
"""
OWN = """
[[metric]]
name = "mine"
domain = "air"
unit = "m"
kind = "gauge"
low = 0
high = 9
label_fr = "x"
label_en = "x"
label_de = "x"
"""


def test_registering_twice_changes_nothing_but_the_revision(connection: psycopg.Connection):
    first = register(connection, parse(TOML, CSV))
    second = register(connection, parse(TOML, CSV))

    assert first == second
    assert connection.execute("SELECT revision FROM city.revision").fetchone() == (2,)


def test_a_field_may_not_become_another_metric(connection: psycopg.Connection):
    register(connection, parse(TOML, CSV))

    with pytest.raises(
        MistakesError, match=r"sensors\.csv:2: field 'x' of sensor 'air-1' is registered as no2"
    ):
        register(connection, parse(TOML, CSV.replace("no2", "vehicles")))

    assert connection.execute("SELECT metric FROM series").fetchall() == [("no2",)]


def test_a_metric_of_ones_own_may_not_change_its_unit(connection: psycopg.Connection):
    register(connection, parse(TOML + OWN, CSV))

    with pytest.raises(
        MistakesError, match="metric 'mine' is registered with another domain, unit"
    ):
        register(connection, parse(TOML + OWN.replace('"m"', '"km"'), CSV))


def test_topics_stay_where_a_city_names_none(connection: psycopg.Connection):
    bound = TOML + '[[binding]]\ntopic = "a/{sensor}"\n'
    register(connection, parse(bound, CSV))
    register(connection, parse(TOML, CSV))

    assert connection.execute("SELECT topic FROM city.binding").fetchall() == [("a/{sensor}",)]


def test_the_chunk_interval_follows_the_rate_of_the_city(connection: psycopg.Connection):
    fast = "".join(f"99001,mairie,n{k},no2,,,1,start\n" for k in range(100))
    register(connection, parse(TOML, CSV + fast))

    found = connection.execute(
        "SELECT hypertable_schema, time_interval::text FROM timescaledb_information.dimensions"
        " WHERE hypertable_name = 'reading' ORDER BY 1"
    ).fetchall()
    assert found == [("air", "12:00:00"), ("energy", "28 days"), ("mobility", "28 days")]
