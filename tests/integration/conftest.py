"""What several tests of this folder stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import psycopg
import pytest

from storage.city import parse
from storage.registry import register
from tests.integration.collecting import CSV, TOML, Program


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to the fresh database, as the processor opens them."""
    async with asyncpg.create_pool(database, min_size=0, max_size=4) as running:
        yield running


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    """The fresh database with the city of ``collecting`` registered."""
    register(connection, parse(TOML, CSV))
    return connection


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        program.end()
