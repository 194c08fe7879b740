"""The contract between the collector and every payload format.

A decoder is a pure function of payload, hints and reception time. It either returns
what the message says, or raises :class:`Undecodable`; no payload makes it raise anything
else. Details never quote a value: a value may be a personal identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from collector import personal
from collector.formats.births import Births
from storage.codec import Codec
from storage.reading import Reading, Reason, Refusal


class Hints(NamedTuple):
    """What the topic and its binding in ``city.toml`` say about the messages of one topic.

    sensor: device id from the topic, "" where the topic names none. All readings of a message
        are then of this device; none of another is taken.
    timezone: IANA zone of times without an offset.
    time_field: name (dotted path) of the time member, "" for the usual names.
    topic: the whole topic, in which some formats say what a message is about.
    codec: how the device packs its bytes, for networks that pass on bytes; None: not known.
    births: what Sparkplug birth certificates said, read and filled in turn; None: nothing.
    """

    sensor: str
    timezone: str = "UTC"
    time_field: str = ""
    topic: str = ""
    codec: Codec | None = None
    births: Births | None = None


class Decoded(NamedTuple):
    """Everything one message says, in its own order.

    readings, refusals: what the ledger counts; a reading of a field that nobody registered
        is refused.
    offered: what devices say of themselves besides (battery, link quality, counters). It is
        taken where a series is registered for it, and passed over in silence elsewhere.
    sensor: whose message it is where the topic names no device and there is no reading to
        tell; "" where ``Hints.sensor`` or a reading does.
    """

    readings: list[Reading]
    refusals: list[Refusal]
    offered: Sequence[Reading] = ()
    sensor: str = ""


LONGEST_PATH = 200
"""Characters of a field to which inner names are added; none longer can be registered."""


class Undecodable(Exception):
    """The whole message cannot be read and is refused."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def checked_path(field: str) -> str:
    """``field``, to which the names of what it holds are added.

    Every one of a thousand values would repeat a name that fills the rest of the message.
    """
    if len(field) > LONGEST_PATH:
        raise Undecodable(
            Reason.BAD_PAYLOAD, f"values under a name of more than {LONGEST_PATH} characters"
        )
    return field


def refused_text(field: str, text: str, what: str) -> Refusal:
    """The refusal of text that is no reading: ``what`` it is, unless it is personal."""
    kind = personal.kind(text)
    if kind:
        return Refusal(field, Reason.PERSONAL, f"{kind} must not be sent")
    return Refusal(field, Reason.BAD_VALUE, what)


OF_OTHERS = (
    "the topic names a device and the message others; only where the binding's topic has no"
    " {sensor} may messages name whose they are"
)
"""What is told of a message, or of its part, that speaks of other devices than its topic."""


def of_others(readings: Sequence[Reading]) -> list[Refusal]:
    """What another device than the topic's is said to measure: nobody writes in its name."""
    return [Refusal(one.field, Reason.UNKNOWN_SENSOR, OF_OTHERS) for one in readings]


Decoder = Callable[[bytes, Hints, int], Decoded]
"""``decode(payload, hints, received_us)``; times are microseconds since 1970, UTC."""


class Format(NamedTuple):
    """One payload format, as bindings name it and as people are told of it.

    name: what a binding in ``city.toml`` writes.
    title: the product or standard with its version, for people.
    topic: the topic of a usual binding.
    decode: the decoder.
    fits: whether a topic and a payload look like this format; never raises. The first format
        of the registry that fits is what an unknown device is thought to speak.
    sensor, fields, units, time, passed_over: one sentence each for ``beffroi formats list``:
        whose a reading is where the topic does not say; how fields are named; which units the
        messages declare; which time counts; what is no measurement and left out.
    """

    name: str
    title: str
    topic: str
    decode: Decoder
    fits: Callable[[str, bytes], bool]
    sensor: str
    fields: str
    units: str
    time: str
    passed_over: str = ""
