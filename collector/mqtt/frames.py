"""PUBLISH packets straight out of a buffer, without a look at what else they say.

paho builds a message, a properties and an event object for each, which costs more than
all that follows. Nearly every packet that a subscriber receives is a complete PUBLISH at
QoS 0 or 1; only those are taken here. Whatever else comes, or comes in part or malformed,
is left for the caller. Properties are passed over unread.

MQTT 3.1.1 brokers are read so, at less than half the processor time of paho alone over
the full path (tests/benchmarks/sources.py), and so are the few packets of MQTT 5 that the
codec ``mqtt5`` will not have.

References
----------
.. [1] OASIS, MQTT Version 5.0, sections 1.5.5, 2.1 and 3.3; MQTT 3.1.1, section 3.3.
"""

from __future__ import annotations

from typing import NamedTuple

from collector.source import Message

_PUBLISH = 3


class Frame(NamedTuple):
    """One PUBLISH packet; ``mid`` is 0 at QoS 0.

    ``retain``: the broker kept it from some time ago and sends it because of a subscription.
    ``again``: the broker sent it before; not to be relied on.
    """

    retain: bool
    qos: int
    mid: int
    topic: bytes
    payload: bytes
    again: bool = False

    def message(self, generation: int, received_us: int) -> Message:
        """As the source hands it out; a topic that is no UTF-8 is forbidden, and accounted for."""
        topic = self.topic.decode("utf-8", "replace")
        return Message(
            generation, self.mid, self.qos, topic, self.payload, received_us, self.retain
        )


def publishes(data: bytes, at: int, v5: bool, most: int) -> tuple[list[Frame], int]:
    """Parse complete PUBLISH packets from ``data[at:]``, at most so many.

    Returns the frames and the position behind the last of them: there begins something
    else, an incomplete packet, or one that is not well-formed.

    Examples
    --------
    >>> publishes(bytes.fromhex("3206 0001 61 0007 21  d000".replace(" ", "")), 0, False, 10)
    ([Frame(retain=False, qos=1, mid=7, topic=b'a', payload=b'!', again=False)], 8)
    """
    frames: list[Frame] = []
    size = len(data)
    while len(frames) < most and at + 4 <= size and data[at] >> 4 == _PUBLISH:
        qos = data[at] >> 1 & 3
        if qos > 1:
            break
        length, body = _variable(data, at + 1, size)
        end = body + length
        if body < 0 or end > size or length < 2:
            break
        position = body + 2 + (data[body] << 8 | data[body + 1])
        topic = data[body + 2 : position]
        mid = 0
        if qos:
            if position + 2 > end:
                break
            mid = data[position] << 8 | data[position + 1]
            position += 2
            if not mid:
                break
        if v5:
            properties, position = _variable(data, position, end)
            if position < 0:
                break
            position += properties
        if position > end:
            break
        frames.append(
            Frame(bool(data[at] & 1), qos, mid, topic, data[position:end], bool(data[at] & 8))
        )
        at = end
    return frames, at


def packet_end(data: bytes | memoryview, at: int) -> int | None:
    """Where the packet that begins at ``at`` ends; None while its length is not complete."""
    length, body = _variable(data, at + 1, len(data))
    return None if body < 0 else body + length


def _variable(data: bytes | memoryview, at: int, end: int) -> tuple[int, int]:
    """A variable byte integer and the position behind it, -1 where it does not end in time."""
    if at < end and data[at] < 128:
        return data[at], at + 1
    value = 0
    for shift in range(0, 28, 7):
        if at >= end:
            break
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
    return 0, -1
