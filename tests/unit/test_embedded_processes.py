"""Servers are stopped when their parent dies, and found again when nobody did."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from beffroi.embedded import processes
from beffroi.embedded.mosquitto import connects

SLEEPER = "import signal, time; signal.pause()"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for ever."""
    process = subprocess.Popen([sys.executable, "-c", SLEEPER])
    yield process
    process.kill()
    process.wait()


def parent(script: str) -> subprocess.Popen[str]:
    """A process that starts a guard, prints one line and waits."""
    text = f"from beffroi.embedded.processes import *\nimport sys\n{script}\nsys.stdin.read()"
    root = Path(processes.__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_the_guard_stops_servers_and_removes_folders_when_the_parent_is_killed(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    watcher = parent(
        f"guard = Guard(); guard.watch({sleeper.pid}, signal.SIGUSR1)\n"
        f"guard.remove(Path({str(folder)!r})); print('ready', flush=True)"
    )
    assert watcher.stdout is not None
    watcher.stdout.readline()

    end(watcher)

    assert sleeper.wait(10) == -signal.SIGUSR1
    assert processes.until(lambda: not folder.exists(), 10)


def test_a_guard_sent_home_touches_nothing(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    guard = processes.Guard()
    guard.watch(sleeper.pid, signal.SIGKILL)
    guard.remove(tmp_path)

    guard.release()

    assert sleeper.poll() is None
    assert tmp_path.exists()


def test_a_guard_that_was_killed_does_not_break_its_parent() -> None:
    guard = processes.Guard()
    guard._process.kill()
    guard._process.wait()

    guard.remove(Path("/nowhere"))
    guard.release()


def test_leftovers_are_known_by_their_command_line(sleeper: subprocess.Popen[bytes]) -> None:
    marked = f"{SLEEPER}  # {uuid4()}"
    other = subprocess.Popen([sys.executable, "-c", marked])
    assert processes.until(lambda: processes.command_of(other.pid)[2:] == [marked], 5)

    found = processes.end_leftovers(lambda command: command[2:] == [marked], signal.SIGTERM, 5)

    assert found == 1
    assert other.wait(5) == -signal.SIGTERM
    assert sleeper.poll() is None


def test_a_leftover_that_will_not_go_is_killed() -> None:
    deaf = (
        "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
        f"  # {uuid4()}"
    )
    other = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()

    processes.end_leftovers(lambda command: command[2:] == [deaf], signal.SIGTERM, 0.1)

    assert other.wait(5) == -signal.SIGKILL
    other.stdout.close()


def test_a_server_prints_to_its_log_and_long_logs_are_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "server.log"
    log.write_text("an earlier run\n")

    first = processes.Server(["echo", "one"], tmp_path, log, None)
    assert first.wait(5)
    monkeypatch.setattr(processes, "LOG_LIMIT", 5)
    second = processes.Server(["echo", "two"], tmp_path, log, None)
    assert second.wait(5)

    assert (tmp_path / "server.log.1").read_text() == "an earlier run\none\n"
    assert second.said() == log.read_text() == "two\n"


def test_variables_of_the_caller_do_not_reach_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGDATA", "PGHOST", "LD_LIBRARY_PATH", "LD_PRELOAD"):
        monkeypatch.setenv(name, "/misleading")

    server = processes.Server(["env"], tmp_path, tmp_path / "log", None)

    assert server.wait(5)
    assert "misleading" not in server.said()


def test_a_taken_port_is_told_from_a_free_one() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert processes.port_taken(listener.getsockname()[1])

    assert not processes.port_taken(processes.free_port())


def test_a_port_without_a_broker_lets_nobody_in() -> None:
    assert not connects(processes.free_port(), "beffroi", "secret")
