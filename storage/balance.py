"""The ledger's words: counts that must balance, and what the tables hold beside them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum


class Grouping(StrEnum):
    """What one line of the ledger speaks of."""

    HOUR = "hour"
    DAY = "day"
    SENSOR = "sensor"


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in and what became of it: the columns of ``pipeline.ledger``.

    ``messages_qos0`` are some of those received; nothing protected them on their way, so
    of their senders' other messages the ledger can say nothing.
    """

    messages_received: int = 0
    messages_qos0: int = 0
    messages_decoded: int = 0
    messages_refused: int = 0
    readings_decoded: int = 0
    readings_stored: int = 0
    readings_duplicate: int = 0
    readings_refused: int = 0

    def __add__(self, other: Counts) -> Counts:
        return self._by(operator.add, other)

    def __sub__(self, other: Counts) -> Counts:
        return self._by(operator.sub, other)

    def _by(self, combine: Callable[[int, int], int], other: Counts) -> Counts:
        return Counts(*(combine(getattr(self, name), getattr(other, name)) for name in COLUMNS))


COLUMNS = tuple(field.name for field in fields(Counts))


@dataclass(frozen=True, slots=True)
class Held:
    """What the tables hold, and with it what is known to have left them.

    ``readings`` are rows and those that people erased; ``refused_readings`` and
    ``refused_messages`` are refusals kept and forgotten; all with the adjustments that
    followed earlier recounts.
    """

    readings: int = 0
    refused_readings: int = 0
    refused_messages: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(
            self.readings + other.readings,
            self.refused_readings + other.refused_readings,
            self.refused_messages + other.refused_messages,
        )


class Equation(StrEnum):
    """What must be equal: two sums of the ledger, and three of it and the tables."""

    MESSAGES = "messages"
    """messages received = decoded + refused"""
    READINGS = "readings"
    """readings decoded = stored + duplicate + refused"""
    STORED = "stored"
    """readings stored = rows of the hypertables and what people erased"""
    REFUSED_READINGS = "refused_readings"
    """readings refused = those of the refusals kept and forgotten"""
    REFUSED_MESSAGES = "refused_messages"
    """messages refused = refusals of whole messages kept and forgotten"""


@dataclass(frozen=True, slots=True)
class Difference:
    """An equation that does not hold: what the ledger says and what it should be equal to."""

    equation: Equation
    ledger: int
    found: int


def differences(counts: Counts, held: Held | None = None) -> list[Difference]:
    """The equations that do not hold; none: everything is accounted for.

    Every one is linear, so they hold for any sum of counts for whose parts they hold: one
    sensor, one hour, a span of time, a city.

    Examples
    --------
    >>> differences(Counts(messages_received=3, messages_decoded=2, messages_refused=1))
    []
    >>> differences(Counts(), Held(readings=1))[0].found
    1
    """
    sides = [
        (
            Equation.MESSAGES,
            counts.messages_received,
            counts.messages_decoded + counts.messages_refused,
        ),
        (
            Equation.READINGS,
            counts.readings_decoded,
            counts.readings_stored + counts.readings_duplicate + counts.readings_refused,
        ),
    ]
    if held is not None:
        sides += [
            (Equation.STORED, counts.readings_stored, held.readings),
            (Equation.REFUSED_READINGS, counts.readings_refused, held.refused_readings),
            (Equation.REFUSED_MESSAGES, counts.messages_refused, held.refused_messages),
        ]
    return [
        Difference(equation, ledger, found) for equation, ledger, found in sides if ledger != found
    ]
