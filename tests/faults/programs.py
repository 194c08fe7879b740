"""Collectors, processor and publisher as processes that may be killed and come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from beffroi.embedded.processes import Guard

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """One program, its log, and the most memory that it ever had."""

    def __init__(
        self, name: str, words: list[str], environment: dict[str, str], folder: Path, guard: Guard
    ) -> None:
        self.name = name
        self._words = words
        self.environment = environment
        self.log = folder / f"{name}.log"
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted_to_end = False
        self._log_start = 0
        self.peak_bytes = 0
        self.unwanted_ends = 0
        self.final_words = ""

    def start(self) -> None:
        """Start it; it is stopped, should this process be killed."""
        self._wanted_to_end = False
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._words],
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard.watch(self._process.pid, signal.SIGTERM)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def revive(self) -> None:
        """Start again what ended unasked, as a supervisor would, and count it."""
        self.weigh()
        if self._wanted_to_end or self._process is None:
            return
        if self._process.poll() is not None:
            self.unwanted_ends += 1
            self.final_words = self.last_words(12)
            self.start()

    def kill(self) -> None:
        """kill -9."""
        self.weigh()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self, seconds: float = 30.0) -> int | None:
        """SIGTERM; its exit code, or None where it had to be killed."""
        self.weigh()
        process, self._process = self._process, None
        if process is None:
            return 0
        if not self._wanted_to_end:
            # A second signal would mean: leave at once, with the rest undone.
            process.terminate()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def terminate(self) -> None:
        """SIGTERM, without waiting; :meth:`stop` waits."""
        if self._process is not None:
            self._process.terminate()
            self._wanted_to_end = True

    def says(self, words: str) -> bool:
        """Whether these words stand in what it said since it was last started."""
        return words in self.log.read_bytes()[self._log_start :].decode(errors="replace")

    def weigh(self) -> None:
        """Note the peak of its resident memory so far."""
        if self._process is None:
            return
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_bytes = max(self.peak_bytes, 1024 * int(line.split()[1]))

    def last_words(self, lines: int = 30) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def plain(environment: dict[str, str]) -> dict[str, str]:
    """Our environment without what would mislead the programs, with what is given here."""
    foreign = ("PG", "BEFFROI_MQTT", "COLLECTOR_", "PROCESSORS_")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**ours, **environment}
