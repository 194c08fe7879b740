"""One browser for all tests of a worker, and filled cities that are copied, not filled again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from beffroi.embedded.testing import TestCluster
from storage.migrate import migrate
from tests.board.browser import chromium
from tests.board.city import State, fill


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the browser lives in the event loop that it lives in."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A running Chromium, the same for all tests of a worker."""
    async with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def filled(cluster: TestCluster) -> Iterator[Callable[[State], str]]:
    """The address of a database in a state, one per state and session."""
    made: dict[State, str] = {}

    def city(state: State) -> str:
        if state not in made:
            made[state] = cluster.clone(city_template(cluster, state))
        return made[state]

    yield city
    for conninfo in made.values():
        cluster.drop(conninfo)


@pytest.fixture
def city(cluster: TestCluster) -> Iterator[str]:
    """A fresh city of the test's own, to change as it likes."""
    conninfo = cluster.clone(city_template(cluster, State.FRESH))
    yield conninfo
    cluster.drop(conninfo)


def city_template(cluster: TestCluster, state: State, now: datetime | None = None) -> str:
    """The name of a template that holds a city in that state."""

    def build(conninfo: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            migrate(connection)
            fill(connection, state, now)

    return cluster.template(f"board_{state}", build)
