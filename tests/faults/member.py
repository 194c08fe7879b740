"""`beffroi collect` with a clock that the fault run puts forward and back.

The file that FAULTS_CLOCK names holds by how many seconds the clock is wrong.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from beffroi.collect import collect
from beffroi.run import until_stopped


class Clock:
    """The machine's clock plus the step in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = -1
        self._step_us = 0

    def __call__(self) -> int:
        """Microseconds since 1970, as this clock has it."""
        changed = self._file.stat().st_mtime_ns
        if changed != self._changed:
            self._changed = changed
            self._step_us = round(float(self._file.read_text()) * 1e6)
        return time.time_ns() // 1000 + self._step_us


async def _collect(stop: asyncio.Event) -> None:
    await collect(stop, clock=Clock(Path(os.environ["FAULTS_CLOCK"])))


if __name__ == "__main__":
    until_stopped(_collect)
