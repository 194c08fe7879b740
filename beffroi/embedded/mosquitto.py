"""One Mosquitto broker on an unpacked prefix, with the persistence that loses least."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.machine import User
from beffroi.embedded.mosquitto_conf import INFLIGHT, shipped
from beffroi.embedded.postgres import PortTakenError
from beffroi.embedded.processes import (
    Guard,
    Server,
    end_leftovers,
    kill_now,
    plain_environment,
    port_taken,
    until,
)

USER = "beffroi"


class Mosquitto:
    """A broker whose sessions lie in one folder; nobody is let in without the password."""

    def __init__(
        self,
        prefix: Path,
        folder: Path,
        log: Path,
        *,
        user: User | None,
        password: str,
        guard: Guard,
        max_inflight: int = INFLIGHT,
        extra: Sequence[str] = (),
    ) -> None:
        self.prefix = prefix
        self.folder = folder
        self.log = log
        self.user = user
        self.password = password
        self.guard = guard
        self.max_inflight = max_inflight
        self.extra = tuple(extra)
        self.port = 0
        self.server: Server | None = None

    @property
    def url(self) -> str:
        """Where programs connect, credentials included."""
        return f"mqtt://{USER}:{self.password}@127.0.0.1:{self.port}"

    def start(self, port: int | None = None, seconds: float = 60.0) -> None:
        """Start, on the last port unless told otherwise, and wait until it lets a client in."""
        port = port or self.port
        self.end_leftovers()
        if port_taken(port):
            raise _taken(port)
        self._configure(port)
        command = [str(self.prefix / "usr/sbin/mosquitto"), "-c", str(self._configuration)]
        self.server = Server(command, self.folder, self.log, self.user)
        self.port = port
        server = self.server
        self.guard.watch(server.pid, signal.SIGTERM)
        came = until(lambda: not server.alive or self._answers(), seconds)
        if came and server.alive:
            return
        said = server.said()
        self.kill()
        if "Address already in use" in said:
            raise _taken(port)
        last = "\n".join(said.strip().splitlines()[-12:])
        raise EmbeddedError(
            "Mosquitto did not come up.",
            f"Its log ends with:\n{last}",
            f"The whole log is {self.log}.",
        )

    def stop(self, seconds: float = 30.0) -> None:
        """Ask it to save and leave."""
        if self.server is None:
            return
        self.server.send(signal.SIGTERM)
        if not self.server.wait(seconds):
            self.kill()
        self.server = None

    def kill(self) -> None:
        """kill -9: what the broker promised to keep is on disk or lost."""
        if self.server is None:
            return
        if self.server.alive:
            kill_now([self.server.pid])
        self.server.wait(10.0)
        self.server = None

    def end_leftovers(self) -> None:
        """End a broker that a crashed run left behind."""
        mine = ["-c", str(self._configuration)]
        end_leftovers(lambda command: command[1:3] == mine, signal.SIGTERM, 15.0)

    @property
    def _configuration(self) -> Path:
        return self.folder / "mosquitto.conf"

    def _configure(self, port: int) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        found = list(self.prefix.glob("usr/lib/*/mosquitto/mosquitto_persist_sqlite.so"))
        if not found:
            raise EmbeddedError(
                "Mosquitto's SQLite persistence plugin is missing.",
                f"It is not under {self.prefix}.",
                "Delete that folder and try again, so that the packages are fetched anew.",
            )
        self._configuration.write_text(
            shipped(port, self.folder, found[0], self.max_inflight, self.extra)
        )
        passwords = self.folder / "passwords"
        passwords.touch(mode=0o600)
        passwords.write_text(f"{USER}:{self.password}\n")
        # Hashes in place: as an argument the password would show in the list of processes.
        subprocess.run(
            [str(self.prefix / "usr/bin/mosquitto_passwd"), "-U", str(passwords)],
            env=plain_environment(),
            check=True,
            capture_output=True,
        )
        if self.user is not None:
            for path in (self.folder, self._configuration, passwords):
                os.chown(path, self.user.uid, self.user.gid)

    def _answers(self) -> bool:
        return connects(self.port, USER, self.password)


def connects(port: int, user: str, password: str) -> bool:
    """Whether a broker on 127.0.0.1 accepts an MQTT 3.1.1 client with these credentials."""

    def field(text: str) -> bytes:
        return len(text).to_bytes(2, "big") + text.encode()

    # Protocol level 4; user name, password and clean session; a minute of keep-alive.
    body = field("MQTT") + b"\x04\xc2\x00\x3c" + field("") + field(user) + field(password)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"\x10" + bytes([len(body)]) + body)
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")
    except OSError:
        return False
    return answer == b"\x20\x02\x00\x00"


def _taken(port: int) -> PortTakenError:
    return PortTakenError(
        f"Mosquitto cannot have port {port} of 127.0.0.1.",
        "Another program listens there.",
        "Stop that program or choose another port.",
    )
