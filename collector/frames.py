"""PUBLISH packets straight out of a buffer.

paho builds a message, a properties and an event object for each, which costs more than
all that follows. Nearly every packet that a subscriber receives is a complete PUBLISH;
only those are taken here. Whatever else comes, or comes in part or malformed, is left for
paho.

References
----------
.. [1] OASIS, MQTT Version 5.0, sections 1.5.5, 2.1 and 3.3; MQTT 3.1.1, section 3.3.
"""

from __future__ import annotations

from typing import NamedTuple

_PUBLISH = 3


class Frame(NamedTuple):
    """One PUBLISH packet; ``mid`` is 0 at QoS 0.

    ``retain``: the broker kept it from some time ago and sends it because of a subscription.
    """

    retain: bool
    qos: int
    mid: int
    topic: bytes
    payload: bytes


def publishes(data: bytes, at: int, v5: bool, most: int) -> tuple[list[Frame], int]:
    """Parse complete PUBLISH packets from ``data[at:]``, at most so many.

    Returns the frames and the position behind the last of them: there begins something
    else, an incomplete packet, or one that is not well-formed.

    Examples
    --------
    >>> publishes(bytes.fromhex("3206 0001 61 0007 21  d000".replace(" ", "")), 0, False, 10)
    ([Frame(retain=False, qos=1, mid=7, topic=b'a', payload=b'!')], 8)
    """
    frames: list[Frame] = []
    size = len(data)
    while len(frames) < most and at + 4 <= size and data[at] >> 4 == _PUBLISH:
        qos = data[at] >> 1 & 3
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
        if v5:
            properties, position = _variable(data, position, end)
            if position < 0:
                break
            position += properties
        if position > end or qos == 3:
            break
        frames.append(Frame(bool(data[at] & 1), qos, mid, topic, data[position:end]))
        at = end
    return frames, at


def _variable(data: bytes, at: int, end: int) -> tuple[int, int]:
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
