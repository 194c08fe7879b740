"""Recorded days of real cities, once through broker, collector, database and processors.

Every file under ../shared/data is published over real MQTT and collected by the real
pipeline into one city, which is rolled up and has all its figures computed.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from beffroi.embedded.testing import TestBroker, TestCluster
from collector.mqtt.session import MqttSource
from collector.pipeline import Pipeline
from collector.replay.mapping import load_mapping
from collector.replay.publish import Published, publish
from collector.replay.read import Recording, city_of, read
from collector.settings import Settings, broker_from_url
from collector.topics import filters
from processors import refresh, rollup
from storage.catalogue import DOMAINS
from storage.database import open_pool
from storage.facts.air import AirFacts
from storage.facts.facts import Facts
from storage.registry import register
from storage.rollup import SKETCH_PAIR, Sketches
from storage.trade_store import save_facts
from tests.acceptance.recorded import DATA_SETS, Recorded

MAPPINGS = Path(__file__).parents[1] / "replay"
TABLES = {"15min": "rollup_15min", "h": "rollup_1h", "D": "rollup_1d"}
NOW = np.datetime64("2026-06-23T00:00:00", "us")
"""After the newest recorded day has ended."""

FACTS = Facts(
    # The files count days in their own clock, and were made with the revised bands.
    air=AirFacts(day_offset_h=0, reference=("*",), eaqi_2024=datetime.date(2022, 1, 1)),
)


@dataclass
class City:
    """What went in and what came out."""

    conninfo: str
    environment: dict[str, str]
    broker: TestBroker
    recorded: dict[str, Recorded]
    recordings: dict[str, list[Recording]] = field(default_factory=dict)
    published: dict[str, list[Published]] = field(default_factory=dict)
    ledger: pd.DataFrame = field(default_factory=pd.DataFrame)
    readings: pd.DataFrame = field(default_factory=pd.DataFrame)
    rollups: dict[str, pd.DataFrame] = field(default_factory=dict)

    def rolled(self, length: str, sensor: str, metric: str) -> pd.DataFrame:
        """Rollups of one series, by start."""
        table = self.rollups[length]
        mine = table[(table.sensor == sensor) & (table.metric == metric)]
        return mine.sort_values("start", ignore_index=True)


@contextmanager
def replayed(cluster: TestCluster, broker: TestBroker, shared: Path) -> Iterator[City]:
    """All files, replayed into one fresh database and rolled up."""
    conninfo = cluster.clone("migrated")
    data = shared / "data"
    recorded_here = {name: computed(data) for name, computed in DATA_SETS.items()}
    city = City(conninfo, cluster.environment(conninfo), broker, recorded_here)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in city.environment.items():
            patch.setenv(name, value)
        with psycopg.connect(city.conninfo, autocommit=True) as connection:
            for name, recorded in city.recorded.items():
                mapping = load_mapping(MAPPINGS / f"{recorded.mapping}.toml")
                city.recordings[name] = [read(mapping, data / file) for file in recorded.files]
                for recording in city.recordings[name]:
                    register(connection, city_of(mapping, recording))
            save_facts(connection, FACTS)
            asyncio.run(replay_and_roll_up(city))
            city.ledger = ledger(connection)
            city.readings = fetched(
                connection,
                " UNION ALL ".join(
                    f"SELECT sensor, metric, time, value, flag FROM {d}.readings" for d in DOMAINS
                ),
                "time",
            )
            for length, table in TABLES.items():
                query = " UNION ALL ".join(
                    f"SELECT s.sensor, s.metric, r.* FROM {d}.{table} r"
                    " JOIN public.series s USING (series_id)"
                    for d in DOMAINS
                )
                city.rollups[length] = fetched(connection, query, "start")
    # The variables are gone by now: a test that needs them sets them for itself.
    yield city
    cluster.drop(conninfo)


async def replay_and_roll_up(city: City) -> None:
    for name, done in (await collect(city, list(city.recordings))).items():
        city.published[name] = done
    pool = await open_pool()
    try:
        while not (await rollup.process(pool, NOW)).idle:
            pass
        while not (done := await refresh.refresh(pool, NOW)).idle:
            assert done.failed == []
    finally:
        await pool.close()


async def collect(city: City, names: list[str]) -> dict[str, list[Published]]:
    """Publish the data sets one after the other while a collector stores them."""
    environment = {"COLLECTOR_CLIENT_ID": "replay", "COLLECTOR_SESSION_EXPIRY_S": "60"}
    settings = Settings(broker_from_url(city.broker.url, environment))
    pipeline = Pipeline(settings)
    routes = await pipeline.prepare()
    source = MqttSource(
        settings.broker, filters(routes.bindings), batch_messages=10_000, linger_s=0.05
    )
    published: dict[str, list[Published]] = {}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(source.run())
        tasks.create_task(pipeline.run(source))
        try:
            await until(lambda: source.connected)
            for name in names:
                published[name] = [
                    await publish(recording, city.broker.url, environment={})
                    for recording in city.recordings[name]
                ]
            sent = sum(one.messages for done in published.values() for one in done)
            await until(lambda: pipeline.totals.messages == sent)
        finally:
            pipeline.stop()
            source.close()
    return published


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def fetched(connection: psycopg.Connection, query: str, time: str) -> pd.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        table = pd.DataFrame(cursor.fetchall(), columns=names)
    return table.assign(**{time: pd.to_datetime(table[time], utc=True).dt.as_unit("us")})


def ledger(connection: psycopg.Connection) -> pd.DataFrame:
    query = """
        SELECT n.code AS sensor, sum(messages_received)::int AS received,
               sum(messages_refused)::int AS messages_refused,
               sum(readings_decoded)::int AS decoded, sum(readings_stored)::int AS stored,
               sum(readings_duplicate)::int AS duplicate, sum(readings_refused)::int AS refused
          FROM pipeline.ledger l JOIN city.sensor n USING (sensor_id)
         GROUP BY n.code"""
    with connection.cursor() as cursor:
        cursor.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        return pd.DataFrame(cursor.fetchall(), columns=names).set_index("sensor")


def sketches_of(found: pd.DataFrame) -> Sketches:
    """The sketches of some rollups, in their order."""
    pieces = [bytes(piece) for piece in found.sketch]
    ends = np.cumsum([len(piece) // SKETCH_PAIR.itemsize for piece in pieces])
    offset = np.concatenate(([0], ends)).astype(np.int64)
    return Sketches(offset, np.frombuffer(b"".join(pieces), SKETCH_PAIR))
