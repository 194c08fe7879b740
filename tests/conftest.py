"""Real parts for every test that needs them: TimescaleDB and Mosquitto, embedded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from xdist.scheduler import LoadFileScheduling

from beffroi.embedded.testing import TestBroker, TestCluster
from storage.migrate import migrate

RECORDED = ("tests/acceptance/test_replay.py", "tests/acceptance/test_expected.py")

SHARED = Path(__file__).resolve().parents[2] / "shared"


class FileByFile(LoadFileScheduling):
    """A worker takes a file as a whole, and both that look at the recorded cities: these take
    minutes to replay."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return RECORDED[0] if file in RECORDED else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileByFile | None:
    """Ours for ``--dist loadfile``, else the plugin's own."""
    return FileByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[TestCluster]:
    """A database server of this test session's own, with a migrated template."""

    def build(conninfo: str) -> None:
        with psycopg.connect(conninfo) as connection:
            migrate(connection)

    with TestCluster() as running:
        running.template("migrated", build)
        yield running


@pytest.fixture
def database(cluster: TestCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fresh migrated database; PG* variables lead to it."""
    conninfo = cluster.clone("migrated")
    for name, value in cluster.environment(conninfo).items():
        monkeypatch.setenv(name, value)
    yield conninfo
    cluster.drop(conninfo)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """An autocommit connection to the fresh database, for looking and preparing."""
    with psycopg.connect(database, autocommit=True) as open_connection:
        yield open_connection


@pytest.fixture(scope="session")
def broker() -> Iterator[TestBroker]:
    """A broker of this test session's own, with the shipped settings."""
    with TestBroker() as running:
        yield running


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded readings; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no ../shared/data beside the repository: recorded readings are not here")
    return SHARED
