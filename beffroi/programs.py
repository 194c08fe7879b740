"""The long-running programs as child processes: started, watched, restarted, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from beffroi.embedded.errors import EmbeddedError
from beffroi.embedded.processes import end_leftovers, free_port, port_taken
from beffroi.embedded.stack import Stack

BOARD_PORT = 8080
_START_S = 60.0
_STOP_S = 20.0
_STEADY_S = 30.0


@dataclass(slots=True)
class _Child:
    name: str
    command: list[str]
    health: str
    process: subprocess.Popen[bytes]
    started: float
    restarts: int = 0
    resume_at: float = 0.0


class Programs:
    """Collector, processor and board on one embedded stack.

    A program that ends by itself is started again, after a pause that grows while it
    keeps ending; its output goes to ``logs/<name>.log`` in the stack's directory.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        board_port: int | None = None,
        board_host: str = "127.0.0.1",
        city_name: str = "",
    ) -> None:
        self._stack = stack
        self._children: list[_Child] = []
        self._board_host = board_host
        self._city_name = city_name
        self._board_port = board_port
        self.board_url = ""
        self.restarted = 0

    def start(self) -> None:
        """Start all three and wait until each says that it is well."""
        marker = self._marker
        end_leftovers(lambda command: marker in command, signal.SIGTERM, _STOP_S)
        board_port = self._choose_board_port()
        host = "127.0.0.1" if self._board_host in ("0.0.0.0", "::") else self._board_host
        self.board_url = f"http://{host}:{board_port}/"
        ports = {"collect": free_port(), "process": free_port(), "board": board_port}
        environment = {
            **os.environ,
            **self._stack.environment(),
            "COLLECTOR_METRICS_PORT": str(ports["collect"]),
            "COLLECTOR_CLIENT_ID": "beffroi",
            "PROCESSORS_METRICS_PORT": str(ports["process"]),
            "PROCESSORS_DISK": str(self._stack.directory),
            "DASHBOARDS_HOST": self._board_host,
            "DASHBOARDS_PORT": str(board_port),
            "DASHBOARDS_NAME": os.environ.get("DASHBOARDS_NAME", self._city_name),
            "PYTHONUNBUFFERED": "1",
        }
        for name, port in ports.items():
            command = [sys.executable, "-m", "beffroi", name, marker]
            process = self._spawn(name, command, environment)
            self._children.append(
                _Child(name, command, f"http://127.0.0.1:{port}/healthz", process, time.monotonic())
            )
        self._environment = environment
        self._write_state()
        deadline = time.monotonic() + _START_S
        for child in self._children:
            self._await_health(child, deadline)

    def watch(self) -> list[str]:
        """Start again what has ended; returns the names. To be called now and then."""
        again = []
        now = time.monotonic()
        for child in self._children:
            if child.process.poll() is None:
                continue
            if not child.resume_at:
                steady = now - child.started > _STEADY_S
                child.restarts = 0 if steady else child.restarts + 1
                child.resume_at = now + min(30.0, 0.5 * 2**child.restarts)
            if now >= child.resume_at:
                child.process = self._spawn(child.name, child.command, self._environment)
                child.started, child.resume_at = now, 0.0
                again.append(child.name)
                self.restarted += 1
        return again

    def memory(self) -> dict[str, int]:
        """Resident memory of each program that runs. [bytes]"""
        page = os.sysconf("SC_PAGE_SIZE")
        found = {}
        for child in self._children:
            try:
                fields = Path(f"/proc/{child.process.pid}/statm").read_text().split()
            except OSError:
                continue
            found[child.name] = int(fields[1]) * page
        return found

    def stop(self) -> None:
        """Ask all to stop, the board last; kill what does not within 20 s."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        for child in self._children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._children.clear()
        state_file(self._stack.directory).unlink(missing_ok=True)

    @property
    def _marker(self) -> str:
        # Left-over programs of a killed run are known by it.
        return f"--stack={self._stack.directory}"

    def _choose_board_port(self) -> int:
        if self._board_port is None:
            return BOARD_PORT if not port_taken(BOARD_PORT) else free_port()
        if self._board_port and port_taken(self._board_port):
            raise EmbeddedError(
                f"The board cannot listen on port {self._board_port}.",
                "Another program uses it.",
                "Choose another with --port, or --port 0 for any that is free.",
            )
        return self._board_port or free_port()

    def _spawn(
        self, name: str, command: list[str], environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        log = self._stack.directory / "logs" / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal must reach us alone: we stop the programs in order.
                start_new_session=True,
            )
        self._stack.stop_after_death(process.pid)
        return process

    def _await_health(self, child: _Child, deadline: float) -> None:
        answer = "it did not answer"
        while time.monotonic() < deadline:
            if child.process.poll() is not None:
                answer = f"it ended with status {child.process.returncode}"
                break
            try:
                with urllib.request.urlopen(child.health, timeout=2) as page:
                    if page.status == 200:
                        return
            except urllib.error.HTTPError as error:
                answer = error.read().decode(errors="replace")[:300]
            except OSError as error:
                answer = str(error)
            time.sleep(0.05)
        log = self._stack.directory / "logs" / f"{child.name}.log"
        last = log.read_text(errors="replace").splitlines()[-8:]
        raise EmbeddedError(
            f"The program '{child.name}' did not come up.",
            "\n".join([answer, *last]),
            f"Read {log} for what it said.",
        )

    def _write_state(self) -> None:
        state = {
            "board_url": self.board_url,
            "pid": os.getpid(),
            "environment": self._stack.environment(),
        }
        path = state_file(self._stack.directory)
        # It holds the broker's password, so nobody else ever sees it open.
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(state, file)


def state_file(directory: Path) -> Path:
    """Where a running installation says what it runs."""
    return directory / "programs.json"
