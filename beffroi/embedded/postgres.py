"""One TimescaleDB server on an unpacked prefix: create, start, ask, stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.machine import User
from beffroi.embedded.processes import (
    Guard,
    Server,
    as_user,
    descendants,
    end_leftovers,
    kill_now,
    plain_environment,
    until,
)

USER = "beffroi"
BINARIES = "usr/lib/postgresql/17/bin"
ZONES = Path("/usr/share/zoneinfo")

# Sized for a small machine that has other work to do.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "password_encryption": "scram-sha-256",
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    # Chunks multiply the locks that one statement takes.
    "max_locks_per_transaction": "256",
    # The compiler's library is not unpacked; costly queries would fail for want of it.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # A worker in every database would hold up its copying and its removal.
    "timescaledb.max_background_workers": "0",
    # No checkpoint disturbs a test; nothing is ever recovered.
    "checkpoint_timeout": "1h",
    "max_wal_size": "512MB",
}
ACCESS = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class PortTakenError(EmbeddedError):
    """Somebody else listens on the port; another one may be free."""


class Postgres:
    """A server whose data lies in one folder; survives its own crash when durable."""

    def __init__(
        self,
        prefix: Path,
        data: Path,
        log: Path,
        *,
        name: str,
        user: User | None,
        sockets: Path,
        guard: Guard,
        durable: bool = True,
    ) -> None:
        self.binaries = prefix / BINARIES
        self.data = data
        self.log = log
        # Shown in every process title, by which a crashed run's processes are recognised.
        self.name = name
        self.user = user
        self.sockets = sockets
        self.guard = guard
        self.durable = durable
        self.port = 0
        self.server: Server | None = None

    def initialise(self, password: str) -> None:
        """Create an empty cluster unless there is one; a half-made one is made anew."""
        if self.data.exists():
            return
        if not (ZONES / "UTC").exists():
            raise EmbeddedError(
                "PostgreSQL needs the time zones of this machine.",
                f"{ZONES} is missing.",
                "Install them: apt-get install tzdata.",
            )
        new = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        secret = new.with_name("password.new")
        secret.write_text(password)
        secret.chmod(0o600)
        for path in (new, secret):
            self._give(path)
        try:
            done = subprocess.run(
                [
                    str(self.binaries / "initdb"),
                    f"--pgdata={new}",
                    f"--username={USER}",
                    f"--pwfile={secret}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--data-checksums",
                    "--no-instructions",
                    *([] if self.durable else ["--no-sync"]),
                ],
                cwd=new,
                env=plain_environment(),
                capture_output=True,
                text=True,
                **as_user(self.user),
            )
        finally:
            secret.unlink()
        if done.returncode != 0:
            raise EmbeddedError(
                "A new PostgreSQL cluster could not be created.",
                _last(done.stdout + done.stderr),
                f"Check the room on the disk of {self.data.parent} and try again.",
            )
        new.rename(self.data)

    def start(self, port: int | None = None, seconds: float = 300.0) -> None:
        """Start, on the last port unless told otherwise, and wait until it has recovered."""
        port = port or self.port
        self.end_leftovers()
        settings = {
            **SETTINGS,
            **(DURABLE if self.durable else THROWAWAY),
            "port": str(port),
            "cluster_name": self.name,
            "unix_socket_directories": str(self.sockets),
        }
        self._write("postgresql.conf", "".join(f"{k} = '{v}'\n" for k, v in settings.items()))
        self._write("pg_hba.conf", ACCESS)
        command = [str(self.binaries / "postgres"), "-D", str(self.data)]
        self.server = Server(command, self.data, self.log, self.user)
        self.port = port
        server = self.server
        self.guard.watch(server.pid, signal.SIGINT)
        came = until(lambda: self._ready(server) or not server.alive, seconds)
        if came and server.alive:
            return
        said = server.said()
        self.kill()
        if "Address already in use" in said:
            raise PortTakenError(
                f"PostgreSQL cannot have port {port} of 127.0.0.1.",
                "Another program listens there.",
                "Stop that program or choose another port.",
            )
        raise EmbeddedError(
            "PostgreSQL did not come up.",
            f"Its log ends with:\n{_last(said)}",
            f"The whole log is {self.log}.",
        )

    def stop(self, seconds: float = 30.0) -> None:
        """Fast shutdown; immediate, with recovery at the next start, if that takes too long."""
        if self.server is None:
            return
        for order, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 10.0)):
            self.server.send(order)
            if self.server.wait(patience):
                self.server = None
                return
        self.kill()

    def kill(self) -> None:
        """kill -9 of the server and all its workers at once, as a power cut would."""
        if self.server is None:
            return
        family = [self.server.pid, *descendants(self.server.pid)]
        kill_now(family if self.server.alive else family[1:])
        self.server.wait(10.0)
        self.server = None
        self.end_leftovers()

    def end_leftovers(self) -> None:
        """Remove what a crashed run left: its processes, and a claim on the data gone stale."""
        title = f"postgres: {self.name}: "
        main = ["-D", str(self.data)]
        end_leftovers(lambda command: command[1:3] == main, signal.SIGINT, 15.0)
        end_leftovers(lambda command: "".join(command[:1]).startswith(title), signal.SIGQUIT, 2.0)
        claim = self.data / "postmaster.pid"
        try:
            pid = int(claim.read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        # PostgreSQL itself sees through the claim of a process that is gone. A number that now
        # belongs to another process, or to a zombie, would make it refuse to start.
        if Path(f"/proc/{pid}").exists():
            claim.unlink()

    def run(self, sql: str, passwords: Path, database: str = "postgres") -> str:
        """Run SQL through psql and return what it prints, unaligned and without headers."""
        done = subprocess.run(
            [str(self.binaries / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            input=sql,
            env={
                **plain_environment(),
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port),
                "PGUSER": USER,
                "PGDATABASE": database,
                "PGPASSFILE": str(passwords),
            },
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise EmbeddedError(
                "PostgreSQL refused a statement.", done.stderr.strip(), f"See {self.log}."
            )
        return done.stdout.strip()

    def create_database(self, name: str, passwords: Path) -> None:
        """Create a database unless it exists."""
        quoted = name.replace("'", "''")
        found = self.run(f"SELECT 1 FROM pg_database WHERE datname = '{quoted}'", passwords)
        if not found:
            self.run('CREATE DATABASE "{}"'.format(name.replace('"', '""')), passwords)

    def _ready(self, server: Server) -> bool:
        # The eighth line of this file is how pg_ctl itself learns it.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(server.pid) and lines[7].strip() == "ready"

    def _write(self, name: str, text: str) -> None:
        path = self.data / name
        path.write_text(text)
        path.chmod(0o600)
        self._give(path)

    def _give(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)


def _last(text: str, lines: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
