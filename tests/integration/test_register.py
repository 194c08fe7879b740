"""Registering a city, and what may not change behind stored readings."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from beffroi.cli import app
from storage.city import parse
from storage.mistakes import MistakesError
from storage.registry import register
from storage.trade_store import Revised
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


def test_facts_that_change_tell_what_to_run_once_there_are_readings(
    connection: psycopg.Connection,
):
    night = TOML + '[energy]\nnight = "21:00-05:00"\n'
    assert register(connection, parse(TOML, CSV)).revised == ()
    assert register(connection, parse(night, CSV)).revised == ()
    connection.execute(
        "INSERT INTO pipeline.heard (series_id, first, last)"
        " SELECT series_id, '2026-03-01 10:00+00', '2026-03-02 10:00+00' FROM city.series"
    )
    assert register(connection, parse(night, CSV)).revised == ()

    replaced = """[[energy.replacement]]
sensor = "air-1"
field = "x"
at = 2026-03-02T10:00:00+01:00
closing = 10.0
opening = 0.0
"""
    done = register(connection, parse(TOML + "[energy]\n" + replaced, CSV)).revised

    assert done == (Revised("energy", ("night", "replacement"), date(2026, 3, 1)),)


def test_facts_may_name_what_the_list_or_the_registry_has_and_nothing_else(
    connection: psycopg.Connection,
):
    register(connection, parse(TOML, CSV + "99001,gare,air-2,o3,,,60,start\n"))
    said = TOML + '[air]\nreference = ["air-1", "air-2"]\n[[air.station]]\nsite = "gare"\ntype = "traffic"\n'  # fmt: skip

    # The list leaves out what is registered, as that of an import may.
    register(connection, parse(said, CSV))
    with pytest.raises(MistakesError, match="no sensor fits 'air-3'"):
        register(connection, parse(said.replace("air-2", "air-3"), CSV))

    (facts,) = connection.execute("SELECT facts FROM city.trade WHERE domain = 'air'").fetchall()
    assert facts[0]["reference"] == ["air-1", "air-2"]


def test_the_command_says_what_computes_the_past_anew(
    connection: psycopg.Connection, tmp_path: Path
):
    city, runner = tmp_path / "city.toml", CliRunner()
    (tmp_path / "sensors.csv").write_text(CSV)
    city.write_text(TOML)
    assert "revised" not in runner.invoke(app, ["register", str(city)]).output
    connection.execute(
        "INSERT INTO pipeline.heard (series_id, first, last)"
        " SELECT series_id, '2026-03-01 10:00+00', '2026-03-02 10:00+00' FROM city.series"
    )
    city.write_text(TOML + '[[mobility.calendar]]\ncountry = "FR"\n')

    said = runner.invoke(app, ["register", str(city)]).output

    assert "[mobility] is revised: calendar. Figures of the past follow once you run" in said
    assert "\n  beffroi indicators refresh --from 2026-03-01 --to 2" in said
