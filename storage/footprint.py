"""The word *footprint*: what the platform itself uses, program by program and hour by hour."""

from __future__ import annotations

import datetime
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

_RETRY_S = 60.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one program used in an hour, or in the part of it that is not written down yet.

    Attributes
    ----------
    hour
        When the hour began (UTC).
    seconds
        How long the program ran.
    cpu_s
        Processor time, its own and the system's for it.
    memory_bytes
        The most memory that it held since its start.
    """

    program: str
    hour: datetime.datetime
    seconds: float
    cpu_s: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """Size of a file system, and what is free of it. [bytes]"""

    size: int
    free: int


def disk(folder: str) -> Disk | None:
    """The file system that holds a folder; None where no folder is named or it cannot be seen."""
    if not folder:
        return None
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


class Meter:
    """Tells at every full hour what this process used since it was last told.

    What could not be written down stays, and is told with the next hour.
    """

    def __init__(self, program: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.program = program
        self._clock = clock
        self._told_s, self._told_cpu_s = clock(), 0.0
        self._hour: datetime.datetime | None = None
        self._tried = float("-inf")

    def due(self, now: datetime.datetime) -> bool:
        """Whether an hour is over that nobody was told of; at most once a minute."""
        if self._hour is None:
            self._hour = _hour(now)
        if _hour(now) == self._hour or self._clock() - self._tried < _RETRY_S:
            return False
        self._tried = self._clock()
        return True

    def footprint(self, now: datetime.datetime) -> Footprint:
        """What was used since the last time, as of the hour it was used in."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return Footprint(
            self.program,
            self._hour or _hour(now),
            self._clock() - self._told_s,
            used.ru_utime + used.ru_stime - self._told_cpu_s,
            used.ru_maxrss * 1024,
        )

    def told(self, footprint: Footprint, now: datetime.datetime) -> None:
        """It is written down: count from there on."""
        self._told_s += footprint.seconds
        self._told_cpu_s += footprint.cpu_s
        self._hour = _hour(now)


def _hour(now: datetime.datetime) -> datetime.datetime:
    return now.astimezone(datetime.UTC).replace(minute=0, second=0, microsecond=0)
