"""`beffroi formats try` never says anything else than what the collector then does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from beffroi.cli import app
from beffroi.formats import against
from tests.integration.refused_city import City, collect, connected, message

AIR_1 = "city/mairie/air-1"
RECEIVED = "2026-03-01T09:00:00"
PAYLOADS = (
    b'{"time": "2026-03-01T08:00:00Z", "no2": 12.5, "temp": 7.25}',
    b'{"time": "2026-03-01T08:01:00Z", "no2": -50, "temp": 8, "odd": 1}',
    b'{"time": "2026-03-01T08:02:00Z", "no2": "12,5", "temp": null}',
    b'{"time": "2036-03-01T08:03:00Z", "no2": 1}',
    b'{"time": "1986-03-01T08:03:00Z", "no2": 2}',
    b'{"time": "yesterday", "no2": 3}',
    b'{"plate": "AB-123-CD", "time": 1772352240, "no2": 4}',
    b'[{"time": "2026-03-01T08:05:00Z", "no2": 5}, {"time": "no", "no2": 6}]',
    b"not json",
)


@pytest.fixture
def city(connection: psycopg.Connection) -> City:
    return City(connection)


def tried(*words: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["formats", "try", *words, "--received", RECEIVED, "--json"])
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)["messages"]  # type: ignore[no-any-return]


def facts(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: one[k] for k in ("readings", "stored", "refused", "accepted")} for one in messages]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("topic", [AIR_1, "city/mairie/nobody", "elsewhere/air-1"])
def test_what_is_tried_is_what_the_collector_then_stores_and_refuses(
    city: City, connection: psycopg.Connection, topic: str, payload: bytes
):
    [said] = tried("--topic", topic, "--payload", payload.hex(), "--hex")

    async def main() -> None:
        async with connected() as open_connection:
            await collect(open_connection, [message(topic, payload)])

    asyncio.run(main())
    stored = connection.execute(
        """
        SELECT n.code, s.field, s.metric, nullif(r.value, 'nan'), r.flag,
               to_char(r.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
          FROM air.reading r JOIN city.series s USING (series_id) JOIN city.sensor n USING (sensor_id)
        """
    ).fetchall()
    refused = connection.execute("SELECT field, reason::text, detail FROM pipeline.refusal")

    assert sorted(map(str, stored)) == sorted(
        str((o["sensor"], o["field"], o["metric"], o["value"], o["flag"], o["time"]))
        for o in said["stored"]
    )
    assert sorted(refused) == sorted(
        (o["field"], o["reason"], o["detail"]) for o in said["refused"]
    )


def test_a_city_that_is_tried_is_the_city_that_would_be_registered(city: City, tmp_path: Path):
    (tmp_path / "city.toml").write_text(city.toml)
    (tmp_path / "sensors.csv").write_text(city.csv)

    for payload in PAYLOADS:
        words = ("--topic", AIR_1, "--payload", payload.hex(), "--hex")
        of_files = tried(*words, "--city", str(tmp_path / "city.toml"))
        assert facts(of_files) == facts(tried(*words))


def test_a_database_that_is_away_or_empty_is_no_registry(
    database: str, monkeypatch: pytest.MonkeyPatch
):
    assert against.database().name == "the registered city"
    monkeypatch.setenv("PGDATABASE", "nowhere")
    assert against.database().routes is None
    monkeypatch.setenv("PGDATABASE", "postgres")
    assert against.database().routes is None
    monkeypatch.setenv("PGPORT", "1")
    assert against.database().routes is None
    for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER"):
        monkeypatch.delenv(name, raising=False)
    assert against.database().routes is None
