"""`beffroi sensors`: what it does to a city that a real collector serves, and what it says."""

from __future__ import annotations

import asyncio
import datetime
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from beffroi.cli import app
from beffroi.embedded.testing import TestBroker
from tests.integration.collecting import collecting, publish, reading, until

HEAD = "territory,site,sensor,metric,field,unit,step_s,stamp\n"
AIR_2 = HEAD + "99001,mairie,air-2,no2,,,60,start\n"
BOTH = AIR_2 + "99001,ecole,air-3,no2,,,60,start\n99001,ecole,air-3,o3,,ug/m3,60,start\n"


def run(*words: str, status: int = 0) -> str:
    """What the command says, on either stream."""
    result = CliRunner().invoke(app, ["sensors", *words])
    assert result.exit_code == status, (result.output, result.exception)
    return " ".join(result.output.split())


def as_json(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["sensors", *words, "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


async def beside(*words: str) -> dict[str, Any]:
    """The same while a collector runs in this process."""
    return await asyncio.to_thread(as_json, *words)


def balanced() -> None:
    result = CliRunner().invoke(app, ["ledger", "--check"])
    assert result.exit_code == 0, result.output


@pytest.fixture
def sensors(tmp_path: Path) -> Path:
    return tmp_path / "sensors.csv"


def topic(sensor: str) -> str:
    return f"city/99001/mairie/{sensor}"


def minute(number: int) -> str:
    return f"2026-03-01T10:{number:02d}:00Z"


async def test_messages_of_two_unknown_devices_wait_and_are_stored_after_the_import(
    broker: TestBroker, city: psycopg.Connection, sensors: Path
):
    sensors.write_text(BOTH)
    async with collecting(broker, "waiting") as (pipeline, _):
        for number in range(3):
            publish(broker, [
                (topic("air-2"), reading(minute(number), no2=20 + number)),
                (topic("air-3"), reading(minute(number), no2=30 + number, o3=40)),
                (topic("air-9"), reading(minute(number), no2=1)),
            ])  # fmt: skip
        await until(lambda: pipeline.totals.messages == 9)
        assert (pipeline.totals.stored, pipeline.totals.refused) == (0, 9)

        tried = await beside("import", str(sensors), "--dry-run")
        assert (tried["waiting_messages"], tried["replayed"]) == (6, None)
        assert city.execute("SELECT count(*) FROM air.reading").fetchone() == (0,)
        done = await beside("import", str(sensors), "--why", "put up in March")
        # The collector takes the new ones up by itself.
        publish(broker, [(topic("air-2"), reading(minute(9), no2=29))])
        await until(lambda: pipeline.totals.messages == 10)

    assert [(c["sensor"], c["became"], c["site"]) for c in done["changes"]] == [
        ("air-2", "new", "99001/mairie"), ("air-3", "new", "99001/ecole")
    ]  # fmt: skip
    assert (done["waiting_messages"], done["replayed"]["stored"]) == (6, 9)
    assert city.execute(
        "SELECT sensor, metric, count(*) FROM air.readings GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall() == [("air-2", "no2", 4), ("air-3", "no2", 3), ("air-3", "o3", 3)]
    assert city.execute("SELECT DISTINCT topic FROM pipeline.refusal").fetchall() == [
        (topic("air-9"),)
    ]
    balanced()
    assert (await asyncio.to_thread(run, "import", str(sensors))).startswith("2 unchanged.")


async def test_a_running_collector_takes_up_a_change_of_unit_a_move_and_a_retirement(
    broker: TestBroker, city: psycopg.Connection, sensors: Path
):
    sensors.write_text(AIR_2)
    await beside("import", str(sensors))
    async with collecting(broker, "changing") as (pipeline, _):

        async def send(*numbers: int, no2: float) -> None:
            wanted = pipeline.totals.messages + len(numbers)
            publish(broker, [(topic("air-2"), reading(minute(n), no2=no2)) for n in numbers])
            await until(lambda: pipeline.totals.messages == wanted)

        await send(0, no2=20)
        sensors.write_text(AIR_2.replace("no2,,,", "no2,,mg/m3,"))
        await beside("import", str(sensors), "--from", minute(10))
        await send(11, no2=0.031)
        await send(9, no2=29)
        await beside("move", "air-2", "--to", "99001/gare", "--site-name", "Gare", "--from",
                     minute(20), "--why", "roadworks")  # fmt: skip
        await send(21, no2=0.041)
        await send(19, no2=0.039)
        await beside("retire", "air-2", "--from", minute(30), "--why", "broken")
        await send(31, no2=0.05)
        await send(29, no2=0.049)

    assert city.execute(
        "SELECT site, extract(minute FROM time)::int, round(value::numeric, 9)::float8"
        "  FROM air.readings WHERE sensor = 'air-2' ORDER BY time"
    ).fetchall() == [
        ("mairie", 0, 20), ("mairie", 9, 29), ("mairie", 11, 31), ("mairie", 19, 39),
        ("gare", 21, 41), ("gare", 29, 49),
    ]  # fmt: skip
    assert city.execute("SELECT field, reason FROM pipeline.refusal").fetchall() == [
        ("no2", "retired")
    ]
    balanced()
    back = await beside("import", str(sensors), "--from", minute(30))
    assert [(c["became"], c["site"]) for c in back["changes"]] == [("back", "99001/mairie")]
    assert back["replayed"]["stored"] == 1
    balanced()


def test_the_list_says_where_a_sensor_stands_and_what_it_sends(city: psycopg.Connection):
    assert as_json("list", "--metric", "temperature")["sensors"] == [
        {
            "sensor": "air-1", "territory": "99001", "site": "mairie", "site_name": "mairie",
            "longitude": None, "latitude": None,
            "fields": [{"field": "temp", "metric": "temperature", "unit": "[degF]", "step_s": 60,
                        "stamp": "start", "from": None, "to": None}],
        }
    ]  # fmt: skip
    told = run("list")
    assert "air-1 99001/mairie no2 no2 ug/m3 60 s temp temperature [degF] 60 s meter-1" in told
    assert run("list", "--site", "ecole").endswith("1 sensor, 1 field")
    assert run("list", "--retired") == "No sensor is retired"


def test_the_history_says_what_was_when_and_who_did_it_why(city: psycopg.Connection):
    run("move", "meter-1", "--to", "99001/gare", "--from", "2026-03-01T00:00", "--why", "roadworks",
        "--person", "Ada")  # fmt: skip
    run("retire", "meter-1", "--from", "2026-04-01T00:00+02:00", "--why", "broken")

    told = as_json("history", "meter-1")
    assert [(s["site"], s["from"], s["to"]) for s in told["series"]] == [
        ("99001/ecole", None, "2026-02-28T23:00:00Z"),
        ("99001/gare", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
    ]  # fmt: skip
    assert told["series"][0]["conversions"] == [
        {"from": None, "unit": "W.h", "scale": 0.001, "shift": 0.0, "stamp": "end"}
    ]
    assert [(c["action"], c["why"]) for c in told["changes"]] == [
        ("new", ""), ("moved", "roadworks"), ("retired", "broken")
    ]  # fmt: skip
    text = run("history", "meter-1")
    assert "Ada: moved since 2026-02-28T23:00:00Z, 99001/ecole → 99001/gare; why: roadworks" in text
    assert (
        "since 2026-02-28T23:00:00Z until 2026-03-31T22:00:00Z: energy_import at 99001/gare,"
        " every 900 s, W.h × 0.001, stamp end" in text
    )
    assert "temp since ever: temperature at 99001/mairie, every 60 s, [degF] × " in run(
        "history", "air-1"
    )


def test_a_change_in_the_past_says_what_stays_and_the_command_that_puts_it_right(
    city: psycopg.Connection, sensors: Path
):
    city.execute(
        "INSERT INTO air.reading SELECT '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute',"
        " 0.02, series_id, 2 FROM city.series, generate_series(0, 3) n WHERE field = 'no2'"
    )
    lines = HEAD + "99001,mairie,air-1,no2,,mg/m3,60,start\n"
    sensors.write_text(lines)

    said = run("import", str(sensors), "--from", minute(2))

    assert (
        "air-1: changed since 2026-03-01T10:02:00Z, 99001/mairie: no2: unit ug/m3 → mg/m3" in said
    )
    assert "2 readings of no2 from 2026-03-01T10:02:00Z were stored before this was known" in said
    command = said.split("To put them right: beffroi ")[1].split(" --why")[0]
    fixed = CliRunner().invoke(app, [*command.split(), "--why", "as it said"])
    assert fixed.exit_code == 0, fixed.output
    assert city.execute("SELECT value FROM air.reading ORDER BY time").fetchall() == [
        (0.02,), (0.02,), (20.0,), (20.0,)
    ]  # fmt: skip


def test_readings_are_corrected_at_the_site_of_their_time(city: psycopg.Connection):
    city.execute(
        "INSERT INTO air.reading SELECT '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute',"
        " 20, series_id, 2 FROM city.series, generate_series(0, 3) n WHERE field = 'no2'"
    )
    run("move", "air-1", "--to", "99001/gare", "--from", minute(2), "--why", "roadworks")
    correct = ["readings", "correct", "--sensor", "air-1", "--metric", "no2", "--value", "30",
               "--why", "by the logbook"]  # fmt: skip

    over = CliRunner().invoke(app, [*correct, "--from", minute(0), "--to", minute(9)])
    assert over.exit_code == 2
    assert "99001/mairie until 2026-03-01" in over.output
    done = CliRunner().invoke(app, [*correct, "--from", minute(0), "--to", minute(2)])
    assert done.exit_code == 0, done.output
    assert city.execute("SELECT value FROM air.reading ORDER BY time").fetchall() == [
        (30.0,), (30.0,), (20.0,), (20.0,)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["move", "air-7", "--to", "99001/gare", "--why", "x"], "did you mean air-1?"),
        (["move", "air-1", "--to", "gare", "--why", "x"], "write TERRITORY/SITE"),
        (["move", "air-1", "--to", "99009/gare", "--why", "x"], "territory '99009' is not registered"),
        (["move", "air-1", "--to", "99001/gare", "--why", " "], "--why is empty"),
        (["move", "air-1", "--to", "99001/gare", "--longitude", "2", "--why", "x"], "or neither"),
        (["retire", "air-1", "--from", "yesterday", "--why", "x"], "'yesterday' is no time"),
        (["retire", "air-1", "--from", "2024-10-27T02:30", "--why", "x"], "happened twice"),
        (["retire", "air-1", "--from", "2999-01-01", "--why", "x"], "'2999-01-01' is yet to come"),
        (["retire", "air-1", "--why", "asked by jean@ville.fr"], "--why holds"),
        (["history", "air-7"], "'air-7' is not registered"),
        (["list", "--metric", "no3"], "did you mean o3"),
        (["list", "--territory", "99002"], "did you mean 99001"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_answered_in_a_sentence(
    city: psycopg.Connection, words: list[str], told: str
):
    assert told in run(*words, status=2)
    assert city.execute("SELECT count(*) FROM city.change WHERE action <> 'new'").fetchone() == (0,)


def test_what_is_stored_beyond_a_retirement_is_flagged_as_it_says_also_after_the_return(
    city: psycopg.Connection, sensors: Path
):
    city.execute(
        "INSERT INTO air.reading SELECT '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute',"
        " 20, series_id, 2 FROM city.series, generate_series(0, 3) n WHERE field = 'no2'"
    )
    said = run("retire", "air-1", "--from", minute(2), "--why", "broken")
    assert "2 readings timed after it are stored and stay" in said
    sensors.write_text(HEAD + "99001,mairie,air-1,no2,,,60,start\n")
    run("import", str(sensors), "--from", minute(30))

    command = said.split("if they are wrong: beffroi ")[1]
    for to in ("no2", minute(10), "[broken]"):
        command = command.replace("…", to, 1)
    flagged = CliRunner().invoke(app, command.split())

    assert flagged.exit_code == 0, flagged.output
    assert city.execute("SELECT count(*) FROM pipeline.reading_flag WHERE flag = 4").fetchone() == (
        2,
    )
    assert "[broken]" in CliRunner().invoke(app, ["readings", "log"]).output


def test_a_local_time_that_is_two_moments_wants_an_offset(city: psycopg.Connection, sensors: Path):
    city.execute(
        "INSERT INTO city.territory (code, name, code_system, timezone)"
        " VALUES ('99002', 'Ailleurs', 'test', 'Asia/Kolkata')"
    )
    sensors.write_text(AIR_2 + "99002,site,air-3,no2,,,60,start\n")

    said = run("import", str(sensors), "--from", "2026-03-01T10:00", status=2)

    assert "another moment in Asia/Kolkata and in Europe/Paris" in said
    run("import", str(sensors), "--from", "2026-03-01T10:00Z")


def test_a_move_to_a_site_that_nobody_knew_says_that_it_is_made(city: psycopg.Connection):
    new = "99001/gare is a new site; --longitude and --latitude put it on maps."
    assert new in run("move", "air-1", "--to", "99001/gare", "--why", "roadworks")
    assert "new site" not in run("move", "meter-1", "--to", "99001/gare", "--why", "roadworks")


def test_a_move_without_a_time_holds_from_now_on(city: psycopg.Connection):
    city.execute(
        "INSERT INTO air.reading SELECT now() - interval '1 minute', 20, series_id, 2"
        "  FROM city.series WHERE field = 'no2'"
    )
    moved = as_json("move", "air-1", "--to", "99001/gare", "--why", "roadworks")

    since = datetime.datetime.fromisoformat(moved["from"])
    assert abs((datetime.datetime.now(datetime.UTC) - since).total_seconds()) < 60
    assert moved["readings_carried"] == 0
    assert "is so already" in run("move", "air-1", "--to", "99001/gare", "--why", "roadworks")
