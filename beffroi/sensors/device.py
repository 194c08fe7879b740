"""A device as its messages showed it: what it said, how often, and what that may measure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import numpy as np

from beffroi.sensors.guessing import NOTHING, Guess, interval_s, step_s
from storage.reading import Reading


@dataclass(slots=True)
class Field:
    """What a device said under one name, in the unit that it sends.

    ``offered`` is what it says of itself, which is only taken where it is registered.
    """

    name: str
    offered: bool
    unit: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    times_us: list[int] = field(default_factory=list)
    guess: Guess = NOTHING

    def add(self, reading: Reading, received_us: int) -> None:
        """Take in one reading; messages come oldest first."""
        self.times_us.append(received_us if reading.time_us is None else reading.time_us)
        self.unit = self.unit if reading.unit is None else reading.unit
        if not np.isfinite(reading.value):
            return
        self.value = reading.value
        self.low = self.value if self.low is None else min(self.low, self.value)
        self.high = self.value if self.high is None else max(self.high, self.value)

    @property
    def step_s(self) -> int:
        """The usual step that fits; 0 where it cannot be told. [s]"""
        return step_s(self.times_us)


@dataclass(slots=True)
class Device:
    """One device, or, of a registered one, the fields that are not.

    looks_like: the format that its messages bear the marks of, where that is another than the
        binding's. unread: why messages could not be read, with their number.
    """

    sensor: str
    binding: str = ""
    form: str = ""
    looks_like: str = ""
    territory: str = ""
    site: str = ""
    topics: list[str] = field(default_factory=list)
    messages: int = 0
    first: datetime.datetime | None = None
    last: datetime.datetime | None = None
    sampled: int = 0
    cut: int = 0
    masked: int = 0
    received_us: list[int] = field(default_factory=list)
    fields: dict[str, Field] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)

    @property
    def interval_s(self) -> float:
        """The median time between messages, 0 where it cannot be told. [s]"""
        return interval_s(self.received_us)
