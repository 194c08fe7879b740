"""What messages are tried against: a city's files, the registered city, or nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from beffroi.mistakes import NO_SCHEMA
from beffroi.records.question import QuestionError
from collector import settings as collector_settings
from collector.certificates import versions
from collector.decode import Decoding
from collector.formats.births import LiveBirths, Version
from storage import births
from storage import city as city_files
from storage import database as storage_database
from storage.draft import routes_of
from storage.registry import load_routes
from storage.routes import Routes

_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE", "PGUSER")
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Against:
    """A registry by a name for people; without routes messages are only read.

    zone: the city's time zone. births: the certificates of Sparkplug devices that are known.
    """

    routes: Routes | None = None
    name: str = ""
    zone: str = "UTC"
    births: Sequence[Version] = ()


def city(file: Path) -> Against:
    """A city's files, checked as at registration."""
    if not file.exists():
        raise QuestionError(f"--city: there is no file {file}; check its name")
    loaded = city_files.load(file)
    return Against(routes_of(loaded), str(file), loaded.timezone)


def database() -> Against:
    """The registered city, where the PG* variables lead to one; else nothing, in silence."""
    if not any(os.environ.get(name) for name in _VARIABLES):
        return Against()
    try:
        return asyncio.run(asyncio.wait_for(_registered(), _PATIENCE_S))
    except (
        OSError, ValueError, TimeoutError, asyncpg.PostgresError, *NO_SCHEMA, *storage_database.AWAY
    ):  # fmt: skip
        return Against()  # it was not asked for: a message can be read without


async def _registered() -> Against:
    connection = await storage_database.connect("beffroi formats")
    try:
        routes = await load_routes(connection)
        known = versions(await births.latest(connection))
    finally:
        await connection.close(timeout=1)
    zones = {row.timezone for row in routes.bindings} - {"UTC"}
    zone = zones.pop() if len(zones) == 1 else "UTC"
    return Against(routes, "the registered city", zone, known)


def decoding(routes: Routes, known: LiveBirths) -> Decoding:
    """What reads messages as the collector would with the same settings."""
    # Nothing is asked of a broker here, so its address may be missing.
    settings = collector_settings.from_environment({"BEFFROI_MQTT_URL": "mqtt://-"} | os.environ)
    return Decoding(
        routes, payload_bytes=settings.payload_bytes, oldest=settings.oldest,
        ahead_s=settings.ahead_s, births=known,
    )  # fmt: skip
