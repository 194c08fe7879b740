"""The words of storing: what a batch of messages became, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.reading import Batch, IntArray, Reason

UNKNOWN_SENSOR, UNREADABLE_TOPIC = 0, -1
"""Sensor ids that stand for messages which no registered device sent."""

ROWS_PER_MESSAGE = 50
"""Refusals of one message; readings beyond them share a row, so that none can fill the disk."""


class Status(IntEnum):
    """What became of a row."""

    STORED = 0
    DUPLICATE = 1
    CONFLICT = 2


class RefusalRow(NamedTuple):
    """What is kept of something that could not become a reading.

    ``field`` is empty where the whole message was refused. ``readings`` of them share the
    row where one message has very many of them. The payload stands in the first row of a
    message only.
    """

    received_us: int
    sensor_id: int
    topic: str
    payload: bytes
    field: str
    reason: Reason
    detail: str
    readings: int = 1
    bytes: int = 0
    masked: bool = False


class BirthRow(NamedTuple):
    """One Sparkplug birth certificate, as it is written down: what its sender's words mean.

    ``device`` is empty for an edge node itself. ``alias`` and ``datatype`` are as long as
    ``name``; None where a metric has no alias. ``ended_us`` is None while it holds. Of one
    that is ``known`` to be written down the names are left out.
    """

    group: str
    node: str
    device: str
    born_us: int
    ended_us: int | None
    bdseq: int | None
    name: list[str]
    alias: list[int | None]
    datatype: list[int]
    known: bool = False


def _as_it_is(row: RefusalRow, message: int) -> RefusalRow:
    return row


@dataclass(frozen=True, slots=True)
class Intake:
    """What one batch of messages became.

    Attributes
    ----------
    batch : Batch, n rows
        Admissible readings in order of arrival.
    domain : int8, shape (n,)
        Index into ``DOMAINS``.
    sensor : int32, shape (n,)
        Sensor id.
    message : int32, shape (n,)
        Which message of the batch the reading came in.
    field : sequence of str, length n
        What the sender calls the reading.
    topic, payload, received_us : length k
        The messages, for the refusal of a conflicting reading.
    message_sensor : int32, shape (k,)
        Sensor id per message; 0 unknown, -1 unreadable topic.
    message_refused : bool, shape (k,)
        The message as a whole was refused.
    message_qos0 : bool, shape (k,)
        It came at QoS 0, which nothing protects.
    refusals : sequence of RefusalRow
        Refused messages and refused readings.
    refusal_message : sequence of int
        Which message each refusal came in.
    message_retained : bool, shape (k,), or None for none
        The broker had kept it: its reception says nothing of its time.
    sent_us : int64, shape (n,), or None where it is the batch's
        The times as they were sent: of an interval that may be its end. [µs]
    mask, mask_payload : callable
        Make personal identifiers unreadable in a row that storage itself writes of a message,
        and in a row's payload. The payloads in ``refusals`` are as they came: reading one
        through costs more than all else, so only those that will be kept are.
    revision : int, or None
        Of the registry that read the messages; nothing is stored under another one.
    births : sequence of BirthRow
        Birth certificates that came or ended, in their last state.
    """

    batch: Batch
    domain: NDArray[np.int8]
    sensor: IntArray
    message: IntArray
    field: Sequence[str]
    topic: Sequence[str]
    payload: Sequence[bytes]
    received_us: NDArray[np.int64]
    message_sensor: IntArray
    message_refused: NDArray[np.bool_]
    message_qos0: NDArray[np.bool_]
    refusals: Sequence[RefusalRow]
    refusal_message: Sequence[int]
    message_retained: NDArray[np.bool_] | None = None
    sent_us: NDArray[np.int64] | None = None
    mask: Callable[[RefusalRow, int], RefusalRow] = _as_it_is
    mask_payload: Callable[[RefusalRow, int], RefusalRow] = _as_it_is
    births: Sequence[BirthRow] = ()
    revision: int | None = None


@dataclass(slots=True)
class Outcome:
    """Counts of one committed batch; readings refused include conflicts."""

    messages: int
    messages_refused: int
    decoded: int
    stored: int
    duplicate: int
    refused: int
    reasons: dict[str, int] = field(default_factory=dict)
