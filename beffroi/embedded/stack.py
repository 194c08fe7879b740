"""A database and a broker that live in one directory and start and stop together."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from beffroi.embedded import bundles, machine, packages, postgres
from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.mosquitto import Mosquitto
from beffroi.embedded.mosquitto_conf import INFLIGHT
from beffroi.embedded.postgres import PortTakenError, Postgres
from beffroi.embedded.processes import Guard, free_port

DATABASE = "beffroi"
PORT_TRIES = 5


@dataclass
class State:
    """What stack.json keeps from one run to the next."""

    name: str
    postgres_port: int = 0
    mqtt_port: int = 0
    sockets: str = ""
    pid: int = 0
    postgres_pid: int = 0
    mosquitto_pid: int = 0


class Stack:
    """TimescaleDB and Mosquitto under one directory, stopped when this process ends.

    Ports are chosen free at the first start and kept as long as they stay free; a port that the
    caller names is used or refused. The same directory may be started again after any crash.
    """

    def __init__(
        self,
        directory: Path,
        cache: Path | None = None,
        durable: bool = True,
        *,
        postgres_port: int | None = None,
        mqtt_port: int | None = None,
        max_inflight: int = INFLIGHT,
        progress: packages.Listener | None = None,
    ) -> None:
        # Left-over processes are known by this path, so it must have one spelling only.
        self.directory = Path(directory).resolve()
        self.cache = cache
        self.durable = durable
        self.max_inflight = max_inflight
        self.progress = progress
        self._wanted = (postgres_port, mqtt_port)
        self._lock: IO[str] | None = None
        self._guard: Guard | None = None
        self._state = State(name="")
        self.postgres: Postgres
        self.mosquitto: Mosquitto

    def start(self) -> None:
        """Fetch what is missing, clean up after a crash, and start both servers."""
        user = machine.server_user()
        database = packages.fetch(bundles.TIMESCALEDB, self.cache, self.progress)
        broker = packages.fetch(bundles.MOSQUITTO, self.cache, self.progress)
        for prefix in (database, broker):
            machine.require_reach(prefix, user)
        machine.make_folder(
            self.directory,
            "stack",
            f"Choose a folder you may write, such as one in {machine.default_state()}.",
        )
        machine.require_reach(self.directory, user)
        self._claim()
        try:
            self._start(database, broker, user)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers in order and give the directory back."""
        for server in self._servers():
            server.stop()
        self._leave()

    def kill(self) -> None:
        """kill -9 both servers, as a power cut would, and give the directory back."""
        for server in self._servers():
            server.kill()
        self._leave()

    def environment(self) -> dict[str, str]:
        """The variables by which every program of the project finds the two servers."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.postgres.port),
            "PGUSER": postgres.USER,
            "PGDATABASE": DATABASE,
            "PGPASSFILE": str(self.passwords),
            "BEFFROI_MQTT_URL": self.mosquitto.url,
        }

    @property
    def passwords(self) -> Path:
        """The file that libpq reads the password from."""
        return self.directory / "secrets" / "pgpass"

    def revive(self) -> list[str]:
        """Start again, on its port, whichever server ended by itself; returns their names."""
        again = []
        for name, server in (("postgres", self.postgres), ("mosquitto", self.mosquitto)):
            if server.server is not None and not server.server.alive:
                server.kill()  # A dead postmaster may leave children behind.
                server.start()
                again.append(name)
        return again

    def stop_after_death(self, pid: int) -> None:
        """Have a program that uses the stack stopped should this process be killed."""
        if self._guard is not None:
            self._guard.watch(pid, signal.SIGTERM)

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

    def _start(self, database: Path, broker: Path, user: machine.User | None) -> None:
        self._state = self._remembered()
        if self._state.sockets:
            shutil.rmtree(self._state.sockets, ignore_errors=True)
        secret = self._secrets()
        logs = self.directory / "logs"
        logs.mkdir(exist_ok=True)
        self._guard = guard = Guard()
        sockets = socket_folder(user)
        guard.remove(sockets)
        self.postgres = Postgres(
            database,
            self.directory / "pgdata",
            logs / "postgres.log",
            name=self._state.name,
            user=user,
            sockets=sockets,
            guard=guard,
            durable=self.durable,
        )
        self.mosquitto = Mosquitto(
            broker,
            self.directory / "mosquitto",
            logs / "mosquitto.log",
            user=user,
            password=secret["mqtt"],
            guard=guard,
            max_inflight=self.max_inflight,
        )
        self._state.sockets = str(sockets)
        self._state.pid = os.getpid()
        self._save()
        self.postgres.initialise(secret["postgres"])
        wanted_postgres, wanted_mqtt = self._wanted
        start_on_a_port(self.postgres, wanted_postgres, self._state.postgres_port)
        start_on_a_port(self.mosquitto, wanted_mqtt, self._state.mqtt_port)
        self._write_pgpass(secret["postgres"], sockets)
        self.postgres.create_database(DATABASE, self.passwords)
        for server, kind in ((self.postgres, "postgres"), (self.mosquitto, "mosquitto")):
            assert server.server is not None
            setattr(self._state, f"{kind}_pid", server.server.pid)
        self._state.postgres_port = self.postgres.port
        self._state.mqtt_port = self.mosquitto.port
        self._save()

    def _servers(self) -> list[Postgres | Mosquitto]:
        # The broker goes first: what it still holds is saved while the database is there.
        found = [getattr(self, "mosquitto", None), getattr(self, "postgres", None)]
        return [server for server in found if server is not None]

    def _leave(self) -> None:
        if self._state.sockets:
            shutil.rmtree(self._state.sockets, ignore_errors=True)
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _claim(self) -> None:
        if self._lock is not None:
            raise self._running(os.getpid())
        lock = (self.directory / "lock").open("a+")
        try:
            # Freed by the kernel when we die, so a crash never leaves it locked.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise self._running(self._remembered().pid) from None
        self._lock = lock

    def _running(self, pid: int) -> EmbeddedError:
        return EmbeddedError(
            f"The stack in {self.directory} is already running.",
            f"Process {pid} started it.",
            "Use that one, stop it, or choose another directory.",
        )

    @property
    def _file(self) -> Path:
        return self.directory / "stack.json"

    def _remembered(self) -> State:
        if not self._file.exists():
            return State(name=f"beffroi-{secrets.token_hex(4)}")
        return State(**json.loads(self._file.read_text()))

    def _save(self) -> None:
        pending = self._file.with_suffix(".new")
        pending.write_text(json.dumps(asdict(self._state), indent=2) + "\n")
        pending.replace(self._file)

    def _secrets(self) -> dict[str, str]:
        folder = self.directory / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / "passwords.json"
        if not path.exists():
            new = {"postgres": secrets.token_urlsafe(24), "mqtt": secrets.token_urlsafe(24)}
            _write_secret(path, json.dumps(new))
        found: dict[str, str] = json.loads(path.read_text())
        return found

    def _write_pgpass(self, password: str, sockets: Path) -> None:
        port = self.postgres.port
        lines = [f"{host}:{port}:*:{postgres.USER}:{password}" for host in ("127.0.0.1", sockets)]
        _write_secret(self.passwords, "\n".join(lines) + "\n")


def _write_secret(path: Path, text: str) -> None:
    pending = path.with_suffix(".new")
    pending.unlink(missing_ok=True)
    with os.fdopen(os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    pending.replace(path)


def socket_folder(user: machine.User | None) -> Path:
    """A new private folder whose path is short enough for a socket's."""
    # Some hundred bytes at most, which a stack's own directory easily exceeds.
    base = "/tmp" if os.access("/tmp", os.W_OK) else tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="beffroi-", dir=base))
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    return folder


def start_on_a_port(server: Postgres | Mosquitto, wanted: int | None, last: int = 0) -> None:
    """Start a server on the wanted port, else on the last one, else on any that is free."""
    if wanted is not None:
        server.start(wanted)
        return
    for port in [last] * bool(last) + [free_port() for _ in range(PORT_TRIES)]:
        try:
            return server.start(port)
        except PortTakenError as error:
            refusal = error
    raise refusal
