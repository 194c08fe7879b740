"""One member of a device's message at a time: what it says as a reading, or why it is none."""

from __future__ import annotations

from functools import partial
from math import isfinite, nan
from typing import Any

from collector import personal
from collector.formats.format import Decoded, refused_text
from storage.reading import Flag, Reading, Reason, Refusal

_MISSING = int(Flag.MISSING)
_UNJUDGED = int(Flag.NOT_EVALUATED)

# Twice as fast as calling Reading, in the loop every message goes through.
_reading = partial(tuple.__new__, Reading)


class Members:
    """What one device says at one time, member by member, in the order of the message.

    ``measured`` is for members that measure: they count as readings, and what cannot be one is
    refused. ``told`` is for what a device says of itself: numbers are offered, nothing is refused.
    """

    __slots__ = ("offered", "readings", "refusals", "sensor", "time_us")

    def __init__(self, sensor: str, time_us: int | None) -> None:
        self.sensor = sensor
        self.time_us = time_us
        self.readings: list[Reading] = []
        self.refusals: list[Refusal] = []
        self.offered: list[Reading] = []

    def decoded(self) -> Decoded:
        """Everything taken in so far."""
        return Decoded(self.readings, self.refusals, self.offered, self.sensor)

    def measured(self, field: str, value: Any, unit: str | None = None) -> None:
        """A number, a truth value, a number as text, or nothing (missing) is a reading."""
        kind = type(value)
        if kind is float or kind is int or kind is bool:
            if isfinite(value):
                self.readings.append(
                    _reading((self.sensor, field, self.time_us, float(value), unit, _UNJUDGED))
                )
            else:
                self._refused(field, "a number that is not finite")
        elif value is None:
            self.missing(field, unit)
        elif kind is str:
            self._text(field, value.strip(), unit)
        else:
            self._refused(field, "an object or a list where a number belongs")

    def missing(self, field: str, unit: str | None = None) -> None:
        """The device says that it has no value."""
        self.readings.append(Reading(self.sensor, field, self.time_us, nan, unit, _MISSING))

    def told(self, field: str, value: Any, unit: str | None = None) -> None:
        """A finite number or a truth value is offered; anything else is passed over."""
        kind = type(value)
        if (kind is float or kind is int or kind is bool) and isfinite(value):
            self.offered.append(
                _reading((self.sensor, field, self.time_us, float(value), unit, _UNJUDGED))
            )
        elif kind is str and value:
            number = number_of(value)
            if number is not None and not personal.kind(value):
                self.told(field, number, unit)

    def _text(self, field: str, text: str, unit: str | None) -> None:
        if not text:
            self.missing(field, unit)
            return
        number = number_of(text)
        if number is None:
            self.refusals.append(refused_text(field, text, "text that is not a number"))
        elif len(text) >= personal.SHORTEST_NUMBER and personal.kind(text):
            self.refusals.append(refused_text(field, text, ""))
        else:
            self.measured(field, number, unit)

    def _refused(self, field: str, what: str) -> None:
        self.refusals.append(Refusal(field, Reason.BAD_VALUE, what))


def number_of(text: str) -> float | None:
    """The number that stands in ``text``, None where none does.

    >>> number_of(" 100.00"), number_of("1_000"), number_of("ON")
    (100.0, None, None)
    """
    # float() also takes "1_000" and digits of other scripts.
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None
