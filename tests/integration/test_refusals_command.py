"""`beffroi refusals`: what people read, and what they are told of their slips."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import uuid

import psycopg
import pytest
from typer.testing import CliRunner

from beffroi.cli import app
from beffroi.embedded.testing import TestBroker
from collector.source import Message
from tests.integration.collecting import publish
from tests.integration.refused_city import AIR_2, City, collect, connected, message, reading

AIR_1_TOPIC, AIR_2_TOPIC = "city/mairie/air-1", "city/mairie/air-2"


@pytest.fixture
def city(connection: psycopg.Connection) -> City:
    return City(connection)


def run(*words: str, status: int = 0) -> str:
    """What the command says; of a slip, what it says on standard error."""
    result = CliRunner().invoke(app, ["refusals", *words])
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


def refused(*messages: Message) -> None:
    async def main() -> None:
        async with connected() as connection:
            await collect(connection, messages)

    asyncio.run(main())


def test_what_was_refused_is_listed_shown_and_replayed(city: City):
    assert run("list") == "Nothing is refused.\n"
    refused(
        message(AIR_2_TOPIC, reading(1, no2=21.5)),
        message(AIR_1_TOPIC, reading(1, no2=5, odd=1, strange=2)),
        message(AIR_1_TOPIC, b"\xff\xfe\x1b[2J"),
    )

    listed = run("list")
    assert all(len(line) <= 100 for line in listed.splitlines())
    assert [line.split()[0] for line in listed.splitlines()[1:4]] == ["3", "2", "1"]
    assert "unknown_field" in listed
    assert "bad_payload" in run("list", "--by", "reason")
    sums = json.loads(run("list", "--by", "sensor", "--json"))
    assert {one["sensor"]: (one["messages"], one["readings"]) for one in sums} == {
        "air-1": (2, 2), "(unknown sensor)": (1, 0)
    }  # fmt: skip

    shown = run("show", "1")
    for words in ("city/mairie/air-2", '"no2": 21.5', "unknown_sensor", "sensors.csv", "refused"):
        assert words in shown
    assert "ff fe 1b" in run("show", "3")
    whole = json.loads(run("show", "3", "--json"))
    assert (whole["payload"], whole["payload_encoding"]) == ("//4bWzJK", "base64")

    city.add(AIR_2)
    assert "air-2 no2: 21.5 ug/m3 at 2026-03-01T08:01:00" in run("show", "1")
    assert city.refusals() != []
    told = run("replay", "--sensor", "air-2", "--dry-run")
    assert "1 messages would give: 1 readings stored, 0 duplicates, 0 still refused." in told
    told = run("replay", "--all", "--why", "air-2 is known now", "--person", "Eve")
    assert told == "3 messages replayed: 1 readings stored, 0 duplicates, 2 still refused.\n"
    logged = city.connection.execute("SELECT person, why FROM pipeline.action").fetchall()
    assert logged == [("Eve", "air-2 is known now")]
    city.assert_balanced()


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("show", "77"), 1, "no refused message has the id 77"),
        (("list", "--sensor", "air-11"), 2, "did you mean air-1?"),
        (("list", "--reason", "unknown_senser"), 2, "did you mean unknown_sensor?"),
        (("list", "--topic", "a/#/b"), 2, "# may only be its last part"),
        (("list", "--from", "yesterday"), 2, "--from: 'yesterday' is no time"),
        (("list", "--from", "2026-02-01", "--to", "2026-01-01"), 2, "--from must be before --to"),
        (("replay",), 2, "say which"),
        (("replay", "--all", "--sensor", "air-1"), 2, "say which"),
        (("replay", "0"), 2, "ids are whole numbers from 1"),
        (("replay", "--all", "--person", " "), 2, "--person is empty"),
        (("replay", "--all", "--why", "as jean@ville.fr said"), 2, "--why holds an e-mail address"),
    ],
)
def test_a_slip_is_told_with_what_to_write_instead(city: City, words, status: int, told: str):
    assert told in run(*words, status=status)


def test_what_a_running_collector_refused_is_replayed(
    city: City, broker: TestBroker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BEFFROI_MQTT_URL", broker.url)
    monkeypatch.setenv("COLLECTOR_CLIENT_ID", f"refusals-{uuid.uuid4()}")
    monkeypatch.setenv("COLLECTOR_METRICS_PORT", "0")
    collector = subprocess.Popen([sys.executable, "-m", "beffroi", "collect"])
    try:
        # Subscribed once the first message is there; what came before is not the collector's.
        for number in range(100):
            sent = json.dumps(reading(number % 60, no2=number % 50, odd=1)).encode()
            publish(broker, [(AIR_2_TOPIC, sent)])
            time.sleep(0.1)
            if city.refusals():
                break
        city.add(AIR_2)
        told = run("replay", "--sensor", "air-2")
    finally:
        collector.terminate()
        collector.wait(20)

    assert "still refused" in told
    assert {row[:2] for row in city.values()} == {("air-2", "no2")}
    assert {row[1:4] for row in city.refusals()} == {("air-2", "odd", "unknown_field")}
    city.assert_balanced()
