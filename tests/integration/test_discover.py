"""Devices that nobody registered: heard through a real collector, listed, proposed, imported."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from beffroi.cli import app
from beffroi.embedded.testing import TestBroker
from storage.city import parse
from storage.registry import register
from tests.essai import ESSAI
from tests.integration.collecting import collecting, publish, until

TOML = (
    ESSAI
    + """[[binding]]
topic = "city/{territory}/{site}/{sensor}"
[[binding]]
topic = "teleinfo/{sensor}"
format = "tic"
timezone = "Europe/Paris"
[[binding]]
topic = "p1/{sensor}/telegram"
format = "dsmr"
[[binding]]
topic = "senml/#"
format = "senml"
"""
)
CSV = """territory,site,sensor,metric,field,unit,step_s,stamp
99001,mairie,air-1,no2,,,60,start
"""


def minute(number: int) -> str:
    return f"2026-03-01T10:{number:02d}:00Z"


def tic(number: int) -> bytes:
    base = f"BASE 00797090{number}".encode()
    papp = b"PAPP 00860"
    groups = (b"ADCO 021528603314", base, papp)
    lines = [b"\n" + one + b" " + bytes([(sum(one) & 63) + 32]) + b"\r" for one in groups]
    return b"\x02" + b"".join(lines) + b"\x03"


def telegram(number: int) -> bytes:
    return (
        b"/KFM5KAIFA-METER\r\n\r\n0-0:1.0.0(26030110%02d00W)\r\n0-0:96.1.1(0000)\r\n"
        b"1-0:1.8.1(00158%d.123*kWh)\r\n1-0:1.8.2(001435.706*kWh)\r\n1-0:1.7.0(02.027*kW)\r\n"
        b"0-0:96.7.21(00015)\r\n!\r\n" % (number, number)
    )


def air(number: int, **values: object) -> bytes:
    said = {"time": minute(number), "temperature": 20 + number, "no2": 12.5, "wifi": -60}
    return json.dumps(said | values).encode()


def run(*words: str, status: int = 0) -> str:
    """What the command says; of a slip, what it says on standard error."""
    result = CliRunner().invoke(app, ["sensors", *words])
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    register(connection, parse(TOML, CSV))
    return connection


def hear(broker: TestBroker, name: str, messages: list[tuple[str, bytes]]) -> None:
    async def main() -> None:
        async with collecting(broker, name) as (pipeline, _):
            publish(broker, messages)
            await until(lambda: pipeline.totals.messages == len(messages))

    asyncio.run(main())


def discovered(*words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run("discover", "--json", *words))
    return found


def messages() -> list[tuple[str, bytes]]:
    senml = '[{"bn": "urn:dev:b:", "bt": %d, "n": "temperature", "u": "Cel", "v": 21.5}]'
    return [
        *(("city/99001/parc/air-9", air(number)) for number in range(5)),
        *(("teleinfo/linky-1", tic(number)) for number in range(3)),
        *(("p1/p1-7/telegram", telegram(number)) for number in range(4)),
        *(("senml/x", (senml % (1772359200 + 900 * number)).encode()) for number in range(4)),
    ]


def test_devices_of_four_formats_are_listed_with_what_they_say(
    broker: TestBroker, city: psycopg.Connection
):
    hear(broker, "four", messages())

    found = discovered()
    devices = {one["sensor"]: one for one in found["devices"]}  # type: ignore[attr-defined]

    assert {name: (one["format"], one["messages"]) for name, one in devices.items()} == {
        "air-9": ("plain", 5), "linky-1": ("tic", 3), "p1-7": ("dsmr", 4), "urn:dev:b": ("senml", 4)
    }  # fmt: skip
    assert (devices["air-9"]["territory"], devices["air-9"]["site"]) == ("99001", "parc")
    fields = {one["field"]: one for one in devices["air-9"]["fields"]}
    assert (fields["temperature"]["last"], fields["temperature"]["min"]) == (24.0, 20.0)
    assert (fields["temperature"]["max"], fields["temperature"]["step_s"]) == (24.0, 60)
    assert (fields["wifi"]["metric"], fields["wifi"]["guess"]) == (None, "none")
    p1 = {one["field"]: one for one in devices["p1-7"]["fields"]}
    assert (p1["1-0:1.8.1"]["metric"], p1["1-0:1.8.1"]["unit"]) == ("energy_import", "kW.h")
    assert p1["0-0:96.7.21"]["of_itself"] is True
    assert devices["urn:dev:b"]["fields"][0]["step_s"] == 900
    assert "021528603314" not in json.dumps(found)


def test_what_is_proposed_is_imported_and_what_waited_is_stored(
    broker: TestBroker, city: psycopg.Connection, tmp_path: Path
):
    hear(broker, "propose", messages())
    file = tmp_path / "new.csv"

    said = run("discover", "--write", str(file))

    assert f"beffroi sensors import {file}" in said.replace("\n", "")
    assert file.read_text().splitlines()[0] == (
        "territory,site,sensor,metric,field,unit,step_s,stamp"
    )
    assert {
        "99001,parc,air-9,temperature,temperature,Cel,60,start",
        "99001,linky-1,linky-1,energy_import,BASE,W.h,0,start",
        "99001,p1-7,p1-7,power,1-0:1.7.0,kW,60,start",
        "99001,urn:dev:b,urn:dev:b,temperature,temperature,Cel,900,start",
    } <= set(file.read_text().splitlines())
    run("import", str(file))
    assert city.execute("SELECT count(*) FROM air.reading").fetchall() == [(5 + 5 + 4,)]
    # Three registers and present values of the frames, two registers and a power of telegrams.
    assert city.execute("SELECT count(*) FROM energy.reading").fetchall() == [(3 * 2 + 4 * 3,)]
    assert discovered()["devices"] == []


def test_a_file_that_exists_is_never_written_over(
    broker: TestBroker, city: psycopg.Connection, tmp_path: Path
):
    hear(broker, "exists", messages())
    file = tmp_path / "sensors.csv"
    file.write_text("mine")

    said = run("discover", "--write", str(file), status=2)

    assert "exists already and stays as it is" in said
    assert file.read_text() == "mine"


def test_unknown_fields_of_a_known_sensor_are_told_apart(
    broker: TestBroker, city: psycopg.Connection
):
    hear(broker, "fields", [("city/99001/mairie/air-1", air(n, humidity=55 + n)) for n in range(3)])

    found = discovered()

    assert (found["devices"], found["registered_by_now"]) == ([], {})
    [sensor] = found["known_sensors"]  # type: ignore[misc]
    assert (sensor["sensor"], sensor["messages"]) == ("air-1", 3)
    assert {one["field"]: one["last"] for one in sensor["fields"]} == {
        "temperature": 22.0, "humidity": 57.0, "wifi": -60.0
    }  # fmt: skip
    assert "Fields of known sensors" in run("discover")


def test_what_waits_of_a_sensor_registered_by_now_is_told_to_be_replayed(
    broker: TestBroker, city: psycopg.Connection, tmp_path: Path
):
    hear(broker, "by-now", messages())
    file = tmp_path / "new.csv"
    run("discover", "--write", str(file), "--format", "tic")
    run("import", str(file), "--no-replay")

    assert discovered()["registered_by_now"] == {"linky-1": 3}
    assert "beffroi refusals replay --sensor linky-1" in run("discover")


def test_nothing_that_waits_is_said_with_what_to_look_at(city: psycopg.Connection):
    said = run("discover")

    assert said.startswith("No message of an unknown device is kept since ")
    assert "beffroi doctor" in said


def test_masked_and_cut_messages_are_counted(broker: TestBroker, city: psycopg.Connection):
    topic = "city/99001/parc/cam-1"
    large = b'{"no2": 1, "x": "' + b"y" * 300_000 + b'"}'
    hear(broker, "masked", [(topic, air(1, seen="AB-123-CD")), (topic, air(2)), (topic, large)])

    [device] = discovered()["devices"]  # type: ignore[misc]

    assert (device["sensor"], device["messages"]) == ("cam-1", 3)
    assert (device["masked"], device["cut"]) == (1, 1)
    assert "seen" not in {one["field"] for one in device["fields"]}
    assert "AB-123-CD" not in json.dumps(device)


def test_messages_under_the_wrong_binding_are_recognised_and_not_proposed(
    broker: TestBroker, city: psycopg.Connection
):
    hear(broker, "wrong", [("city/99001/parc/meter-5", tic(1)), ("senml/y", b"[1]")])

    found = discovered()

    devices = {one["sensor"]: one for one in found["devices"]}  # type: ignore[attr-defined]
    assert devices["meter-5"]["looks_like"] == "tic"
    assert found["proposal"]["lines"] == []  # type: ignore[index]
    said = run("discover")
    assert "look like tic" in said
    assert "messages on senml/y cannot be read: record 0" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "lately"], "--since: 'lately' is neither a time like 2026-03-01 nor a while"),
        (["--format", "tik"], "did you mean tic"),
        (["--write", "/nowhere/x.csv"], "--write: /nowhere/x.csv cannot be written"),
    ],
)
def test_a_slip_is_told_with_its_remedy(
    broker: TestBroker, city: psycopg.Connection, words: list[str], said: str
):
    hear(broker, f"slip-{words[0]}", messages()[:5])

    assert said in run("discover", *words, status=2)


def test_only_the_format_that_is_asked_for_is_listed(broker: TestBroker, city: psycopg.Connection):
    hear(broker, "one", messages())

    found = discovered("--format", "tic")

    assert [one["sensor"] for one in found["devices"]] == ["linky-1"]  # type: ignore[attr-defined]
    said = run("discover", "--since", "1h")
    assert all(len(line) <= 120 for line in said.splitlines() if line.startswith("  "))


def test_of_many_alike_the_first_are_shown_and_what_is_to_decide_is_said_once(
    broker: TestBroker, city: psycopg.Connection
):
    topic = "city/99001/mairie/many-"
    hear(broker, "many", [(f"{topic}{n:02}", b'{"no2": 5, "odd": 1}') for n in range(60)])

    said = run("discover")

    assert "60 unknown devices" in said
    assert "… and 10 more; --json has all of them" in said
    assert "many-49" in said
    assert "many-50" not in said.split("Proposed for sensors.csv")[0]
    assert " ".join(said.split()).count("what these measure cannot be told: odd") == 1
    assert len(discovered()["devices"]) == 60  # type: ignore[arg-type]
