"""The recorded cities, replayed once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from beffroi.embedded.testing import TestBroker, TestCluster
from tests.acceptance.replayed import City, replayed


@pytest.fixture(scope="session")
def city(cluster: TestCluster, broker: TestBroker, shared: Path) -> Iterator[City]:
    """All files, replayed into one fresh database, rolled up, with their figures."""
    with replayed(cluster, broker, shared) as whole:
        yield whole


@pytest.fixture
def connection_of_city(city: City, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """An autocommit connection to the database of the recorded cities; PG* lead there too."""
    for name, value in city.environment.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(city.conninfo, autocommit=True) as connection:
        yield connection
