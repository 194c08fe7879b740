"""The make-believe city of three days, from messages to figures, alerts and books; two of its
devices fell silent five hours ago.

Everything goes the way it always goes: decoded, stored, rolled up, made into figures, watched
and folded. What no sensor sends is written here: a measure with its evaluation, a change.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import asyncpg
import numpy as np
import psycopg

from beffroi.embedded.testing import TestCluster
from collector.decode import Decoding
from collector.simulation.city import SimulatedCity, make_city
from collector.simulation.devices import Clock
from collector.simulation.messages import Message as Sent
from collector.simulation.messages import Stream, history
from collector.source import Message
from processors import metering, refresh, rollup, upkeep, watching
from processors.settings import Settings
from storage import ingest
from storage.city import parse
from storage.database import connect
from storage.footprint import Meter
from storage.high_water import HighWater
from storage.readers import drop_reader, ensure_reader
from storage.registry import load_routes, register

SENSORS, DAYS = 30, 3
APOSTROPHE = "Quai de l'Écluse d'O'Brien"
"""The name of a site, which a data source must quote."""
OLDEST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_BATCH = 4000


def city() -> SimulatedCity:
    """The city with one site named to be quoted."""
    made = make_city(sensors=SENSORS)
    named = made.sensors_csv.replace("Gare,", f"{APOSTROPHE},")
    return replace(made, sensors_csv=named)


@contextmanager
def reader_city(cluster: TestCluster) -> Iterator[tuple[str, str]]:
    """Addresses of the filled database: its owner's, and that of a reader of everything."""
    conninfo = cluster.clone("migrated")
    role = f"pages_{conninfo.rpartition('_')[2]}"
    kept = {name: os.environ.get(name) for name in cluster.environment(conninfo)}
    os.environ.update(cluster.environment(conninfo))
    try:
        asyncio.run(_live(conninfo))
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    with psycopg.connect(conninfo, autocommit=True) as owner:
        _decide(owner)
        owner.execute("ANALYZE")
        made = ensure_reader(owner, role, None, new_password=True)
    try:
        yield conninfo, f"postgresql://{role}:{made.password}@{conninfo.partition('@')[2]}"
    finally:
        with psycopg.connect(conninfo, autocommit=True) as owner:
            drop_reader(owner, role)
        cluster.drop(conninfo)


async def _live(conninfo: str) -> None:
    made, now = city(), datetime.datetime.now(datetime.UTC)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        register(connection, parse(made.city_toml, made.sensors_csv))
    await _receive(made, now.timestamp())
    moment = np.datetime64(now.replace(tzinfo=None), "us")
    async with asyncpg.create_pool(conninfo, min_size=0, max_size=4) as pool:
        while (await rollup.process(pool, moment)).more:
            pass
        while (await refresh.refresh(pool, moment)).more:
            pass
        await watching.watch(pool, moment)
    connection = await connect("test")
    await upkeep.keep_up(connection, Settings(), now)
    await connection.close()
    await metering.sample(Meter("processor"), Settings(), now)


def _messages(made: SimulatedCity, now: float) -> Iterator[Sent]:
    """Days as devices send what they kept; those without a clock, and the last hour, live."""
    since, counted = now - DAYS * 86400.0, Counter[str]()
    yield from history(made, since, now - 3600.0, counted, mishaps=True)
    unclocked = tuple(fleet for fleet in made.fleets if fleet.kind.clock is Clock.NONE)
    yield from Stream(replace(made, fleets=unclocked)).between(since, now - 3600.0)
    yield from Stream(made).between(now - 3600.0, now)


async def _receive(made: SimulatedCity, now: float) -> None:
    writer = await connect("test")
    high_water = HighWater()
    await high_water.load(writer)
    routes = await load_routes(writer)
    decoding = Decoding(routes, payload_bytes=65536, oldest=OLDEST, ahead_s=600)
    silent = tuple(fleet.topics[0].rpartition("/")[2] for fleet in made.fleets[:2])
    messages = [
        Message(0, number, 1, sent.topic, sent.payload, int(sent.due * 1e6) + number)
        for number, sent in enumerate(_messages(made, now))
        if not (sent.topic.endswith(silent) and sent.due > now - 5 * 3600)
    ]
    for first in range(0, len(messages), _BATCH):
        await ingest.store(writer, decoding.intake(messages[first : first + _BATCH]), high_water)
    await writer.close()


def _decide(owner: psycopg.Connection) -> None:
    """A measure, what was found of it, and a sensor that was moved."""
    owner.execute(
        """
        INSERT INTO city.measure (code, version, person, why, retired, title_fr, title_en, title_de,
               objective, territory, in_force, settled, ends, indicator, metric, daily, expected,
               effect, touched_sensors, touched_sites, comparison, comparison_sensors,
               comparison_sites, min_days, decision, decision_date, decision_url, contact)
        VALUES ('rue-apaisee', 1, 'a person', 'decided', false, 'Rue apaisée', 'Calm street',
               'Beruhigte Straße', 'fewer cars', '99001', current_date - 1, NULL, NULL, 'day_count',
               'vehicles', NULL, 'down', 'percent', '{}', '{s01}', 'elsewhere', '{}', '{}', 14,
               'Délibération 12', current_date - 30, '', 'Mobilités')
        """
    )
    owner.execute(
        """
        INSERT INTO city.evaluation (measure_id, method, verdict, reason, effect, unit, before_from,
               before_to, after_from, after_to, matching, estimate, low, high, basis, touched_before,
               touched_after, comparison_before, comparison_after, touched_sites, touched_series,
               comparison_sites, comparison_series, days_before, days_after, placebo_matching)
        SELECT measure_id, 'difference-1', 'expected', '', effect, '%', in_force - 60, in_force - 1,
               in_force, in_force, 'weekdays', -8.5, -12, -5, 'days', 4200, 3850, 3900, 3880, 1, 2,
               8, 16, 60, 1, 'weekdays'
          FROM city.measure
        """
    )
    owner.execute(
        "INSERT INTO city.change (person, action, sensor_id, since, readings, detail, why)"
        " SELECT 'a person', 'moved', min(sensor_id), now(), 0, '', '' FROM city.sensor"
        "  WHERE sensor_id > 0"
    )
    owner.execute(
        "INSERT INTO pipeline.collector (client_id, share_group, broker, host, session_expiry_s,"
        " connected, messages) VALUES ('collector-1', 'beffroi', 'broker:1883', 'one', 604800, true, 9)"
    )
