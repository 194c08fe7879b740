"""Throw-away servers for tests: a database cluster with fast clones, and brokers to break."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import LiteralString, Self

import psycopg
from psycopg import sql

from beffroi.embedded import bundles, machine, packages, postgres
from beffroi.embedded.mosquitto import Mosquitto
from beffroi.embedded.mosquitto_conf import INFLIGHT
from beffroi.embedded.postgres import Postgres
from beffroi.embedded.processes import Guard
from beffroi.embedded.stack import socket_folder, start_on_a_port

# Containers get 64 MB of it unless told otherwise, and fill it with one query.
MEMORY_ROOM = 4_000_000_000

GONE_WITHIN_MS = 200


class _Temporary:
    """A folder that the servers may enter, gone at the end even if this process is killed."""

    # pytest would otherwise take TestCluster and TestBroker for collections of tests.
    __test__ = False

    def __init__(self, cache: Path | None, progress: packages.Listener | None) -> None:
        self.cache = cache
        self.progress = progress

    def start(self) -> None:
        """Fetch, if need be, and start."""
        self._user = machine.server_user()
        self._guard = Guard()
        self.folder = Path(tempfile.mkdtemp(prefix="beffroi-test-", dir=fast_disk()))
        self.folder.chmod(0o755)
        self._guard.remove(self.folder)

    def stop(self) -> None:
        """Stop and delete everything."""
        self._guard.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class TestCluster(_Temporary):
    """A TimescaleDB that is fast because nothing in it outlives a crash."""

    def __init__(
        self, cache: Path | None = None, progress: packages.Listener | None = None
    ) -> None:
        super().__init__(cache, progress)
        self._numbers = itertools.count(1)
        self._templates: set[str] = set()

    def start(self) -> None:
        """Start an empty cluster."""
        prefix = packages.fetch(bundles.TIMESCALEDB, self.cache, self.progress)
        super().start()
        sockets = socket_folder(self._user)
        self._guard.remove(sockets)
        self._password = secrets.token_urlsafe(24)
        self.postgres = Postgres(
            prefix,
            self.folder / "pgdata",
            self.folder / "postgres.log",
            name=f"beffroi-{secrets.token_hex(4)}",
            user=self._user,
            sockets=sockets,
            guard=self._guard,
            durable=False,
        )
        try:
            self.postgres.initialise(self._password)
            start_on_a_port(self.postgres, None)
            self._admin = psycopg.connect(self.conninfo("postgres"), autocommit=True)
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Stop at once and delete everything."""
        self._admin.close()
        self._end()

    def conninfo(self, database: str) -> str:
        """An address that psycopg and asyncpg both take."""
        return (
            f"postgresql://{postgres.USER}:{self._password}"
            f"@127.0.0.1:{self.postgres.port}/{database}"
        )

    def environment(self, conninfo: str) -> dict[str, str]:
        """The PG* variables for programs that are to use one of the databases."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.postgres.port),
            "PGUSER": postgres.USER,
            "PGPASSWORD": self._password,
            "PGDATABASE": _database(conninfo),
        }

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """Build a database once; later calls with the same name return at once."""
        if name in self._templates:
            return name
        self._run("CREATE DATABASE {}", name)
        build(self.conninfo(name))
        # Copying needs a database that nobody is connected to, now and later.
        self._run("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        self._cut_off(name)
        self._templates.add(name)
        return name

    def clone(self, template: str) -> str:
        """A database of one's own with all that the template holds; returns its address."""
        name = f"{template}_{next(self._numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return self.conninfo(name)

    def drop(self, conninfo: str) -> None:
        """Delete a clone, cutting off whoever is still connected."""
        name = _database(conninfo)
        # DROP DATABASE itself looks only every 100 ms whether those have gone.
        for _ in range(GONE_WITHIN_MS):
            if self._cut_off(name) == 0:
                break
            time.sleep(0.001)
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _cut_off(self, name: str) -> int:
        """Tell who is connected to a database to go; returns how many were."""
        return self._admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        ).rowcount

    def _run(self, statement: LiteralString, *names: str) -> None:
        self._admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _end(self) -> None:
        self.postgres.stop()
        shutil.rmtree(self.postgres.sockets, ignore_errors=True)
        super().stop()


class TestBroker(_Temporary):
    """A Mosquitto to publish to, and to kill and start again on the same port.

    ``extra`` are lines of configuration; see :func:`beffroi.embedded.mosquitto_conf.shipped`.
    """

    def __init__(
        self,
        max_inflight: int = INFLIGHT,
        cache: Path | None = None,
        progress: packages.Listener | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        super().__init__(cache, progress)
        self.max_inflight = max_inflight
        self.extra = extra

    def start(self) -> None:
        """Start a broker without any session."""
        prefix = packages.fetch(bundles.MOSQUITTO, self.cache, self.progress)
        super().start()
        self.mosquitto = Mosquitto(
            prefix,
            self.folder / "mosquitto",
            self.folder / "mosquitto.log",
            user=self._user,
            password=secrets.token_urlsafe(24),
            guard=self._guard,
            max_inflight=self.max_inflight,
            extra=self.extra,
        )
        try:
            start_on_a_port(self.mosquitto, None)
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """mqtt://user:password@127.0.0.1:port."""
        return self.mosquitto.url

    def kill(self) -> None:
        """kill -9."""
        self.mosquitto.kill()

    def restart(self) -> None:
        """Start again on the same port with the sessions that were saved."""
        self.mosquitto.stop()
        self.mosquitto.start()

    def stop(self) -> None:
        """Stop and delete everything."""
        self.mosquitto.stop()
        super().stop()


def fast_disk() -> str:
    """Memory where there is plenty: a clone then takes 20 ms however busy the disk is."""
    # Never pytest's own temporary folder: that one is closed to other users, and under root the
    # servers run as another user.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_ROOM
    return str(memory) if roomy and os.access(memory, os.W_OK) else "/tmp"


def _database(conninfo: str) -> str:
    return conninfo.rpartition("/")[2]
