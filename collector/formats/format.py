"""The contract between the collector and every payload format.

A decoder is a pure function of payload, binding and reception time. It either returns
what the message says, or raises :class:`Undecodable`; no payload makes it raise anything
else. Details never quote a value: a value may be a personal identifier.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from collector import personal
from storage.reading import Reading, Reason, Refusal


class Hints(NamedTuple):
    """What a binding in ``city.toml`` says about the messages of its topics.

    sensor: device id from the topic, "" where the topic names none.
    timezone: IANA zone of times without an offset.
    time_field: name (dotted path) of the time member, "" for the usual names.
    """

    sensor: str
    timezone: str = "UTC"
    time_field: str = ""


class Decoded(NamedTuple):
    """Everything one message says, in its own order."""

    readings: list[Reading]
    refusals: list[Refusal]


class Undecodable(Exception):
    """The whole message cannot be read and is refused."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def refused_text(field: str, text: str, what: str) -> Refusal:
    """The refusal of text that is no reading: ``what`` it is, unless it is personal."""
    kind = personal.kind(text)
    if kind:
        return Refusal(field, Reason.PERSONAL, f"{kind} must not be sent")
    return Refusal(field, Reason.BAD_VALUE, what)


Decoder = Callable[[bytes, Hints, int], Decoded]
"""``decode(payload, hints, received_us)``; times are microseconds since 1970, UTC."""
