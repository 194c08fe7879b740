"""Servers as child processes: started, watched, stopped, and found again after a crash."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from beffroi.embedded.machine import User

LOG_LIMIT = 10_000_000


class Guard:
    """A helper process that stops the servers should this process die without doing so."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def watch(self, pid: int, stop: signal.Signals) -> None:
        """Ask the guard to stop a server, with this signal, after our death."""
        self._order(f"watch {pid} {int(stop)}")

    def remove(self, folder: Path) -> None:
        """Ask the guard to delete a folder after our death."""
        self._order(f"remove {folder}")

    def release(self) -> None:
        """Send the guard home: everything was stopped in order."""
        self._order("release")
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _order(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{text}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # Somebody killed the guard; the next start cleans up in its place.


class Server:
    """One running server; what it prints goes to a log file."""

    def __init__(self, command: Sequence[str], folder: Path, log: Path, user: User | None) -> None:
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        self.log = log
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal must reach us alone: we stop the servers in order.
                start_new_session=True,
                **as_user(user),
            )
        self.pid = self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def said(self) -> str:
        """What this run has printed so far."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Signal it, if it still runs."""
        self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within that time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def as_user(user: User | None) -> dict[str, Any]:  # Any: subprocess types each keyword by itself
    """Arguments that make subprocess run a command as that user."""
    if user is None:
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def plain_environment() -> dict[str, str]:
    """An environment in which none of the caller's PG* or loader variables misleads a server."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody used a moment ago; the caller must cope with a race."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_taken(port: int) -> bool:
    """Whether somebody listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool], seconds: float, pause_s: float = 0.02) -> bool:
    """Wait for a condition; False when time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


def end_leftovers(ours: Callable[[list[str]], bool], stop: signal.Signals, seconds: float) -> int:
    """End processes that an earlier, crashed run left behind; the number found.

    They are known by their command line, which names the stack's own folder, and held by a
    descriptor before it is read a second time: a reused process number is never signalled.
    """
    held = []
    for pid in _pids():
        if pid == os.getpid() or not ours(command_of(pid)):
            continue
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if ours(command_of(pid)):
            held.append(process)
        else:
            os.close(process)
    deadline = time.monotonic() + seconds
    for process in held:
        _send(process, stop)
    for process in held:
        if not select.select([process], [], [], max(0.0, deadline - time.monotonic()))[0]:
            _send(process, signal.SIGKILL)
            select.select([process], [], [], 5)
        os.close(process)
    return len(held)


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    parents = {each: _parent(each) for each in _pids()}
    found = [pid]
    for known in found:
        found += [each for each, parent in parents.items() if parent == known]
    return found[1:]


def kill_now(pids: Sequence[int]) -> None:
    """kill -9, ignoring those already gone."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _send(process: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        return


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def command_of(pid: int) -> list[str]:
    """The words a process was started with; empty when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    words = text.decode(errors="replace").rstrip("\0")
    return words.split("\0") if words else []


def _parent(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name, in brackets, may itself hold spaces and brackets.
    return int(text.rpartition(")")[2].split()[1])
