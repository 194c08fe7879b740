"""One connection to a broker: what is the same whoever speaks the protocol.

A link ends once and is not used again; the session makes another. Everything it has to
say stands in its attributes, and ``changed`` is set when one of them changes.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum

import numpy as np
from mqtt5 import DisconnectPacket

from collector.mqtt.inbox import Inbox
from collector.settings import Broker
from collector.source import Granted, Message

CONNECT_S = 10.0
"""How long the broker may take for name, TCP and TLS, and again for its CONNACK."""

PUBACK, PUBREC, PUBCOMP = 0x4002, 0x5002, 0x7002
_PINGREQ = b"\xc0\x00"
_PUBLISH = 0x30
_GOODBYE_S = 2.0


class End(Enum):
    """Why a connection ended, as far as it decides what comes next."""

    LOST = "lost"
    VERSION = "the broker does not speak this version"
    MUTE = "closed upon CONNECT without a byte"
    TAKEN_OVER = "another client has this client id now"


class Link(ABC):
    """One connection; subclasses write and read the packets."""

    protocol = 5
    # What acknowledges a QoS 2 message; only a session that somebody else began has any.
    qos2_answer = PUBREC

    def __init__(
        self,
        broker: Broker,
        generation: int,
        inbox: Inbox,
        changed: asyncio.Event,
        *,
        clean: bool = False,
    ) -> None:
        self.broker = broker
        self.generation = generation
        self.inbox = inbox
        self.clean = clean
        self.ended: End | None = None
        self.problem = ""
        self.ready = False
        self.session_present: bool | None = None
        self.granted = Granted()
        self.subscribed = False
        self.unsubscribing = 0  # sent and not yet answered
        self.refused: tuple[str, ...] = ()
        self.pongs = 0
        self.paused = False
        self.departing = False
        self.keepalive_s = float(broker.keepalive_s)
        self._changed = changed
        self._saw_qos2 = False
        self._heard_anything = False
        self._opened = self._heard = self._pinged = asyncio.get_running_loop().time()

    # The session asks -------------------------------------------------------

    @abstractmethod
    async def open(self) -> None:
        """Connect and send CONNECT; raises OSError or ValueError where that fails."""

    @abstractmethod
    def subscribe(self, topics: Sequence[str]) -> None:
        """Send SUBSCRIBE at QoS 1; ``subscribed`` or ``refused`` tells the answer."""

    @abstractmethod
    def drop(self) -> None:
        """Close without a word."""

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Write complete packets."""

    @abstractmethod
    def _unsubscribe(self, topics: Sequence[str]) -> None:
        """Send UNSUBSCRIBE."""

    @abstractmethod
    def _read_on(self, reading: bool) -> None:
        """Stop reading, or start again."""

    def unsubscribe(self, topics: Sequence[str]) -> None:
        """Send UNSUBSCRIBE; ``unsubscribing`` counts those without an answer."""
        self.unsubscribing += 1
        self._unsubscribe(topics)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """In one send; messages of other connections are left out."""
        if not self.ready or self.ended:
            return
        mine = self.generation
        # An acknowledgement is four bytes in both versions.
        self._send(
            packets(PUBACK, [m.mid for m in messages if m.qos == 1 and m.generation == mine])
        )
        if self._saw_qos2:
            mids = [m.mid for m in messages if m.qos == 2 and m.generation == mine]
            self._send(packets(self.qos2_answer, mids))

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message at QoS 0."""
        self._send(publish_packet(topic, payload, v5=self.protocol == 5))

    def ping(self) -> None:
        """Ask for a sign of life; ``pongs`` counts the answers."""
        self._pinged = asyncio.get_running_loop().time()
        self._send(_PINGREQ)

    def watch(self) -> None:
        """To be called now and then: pings, and cuts a connection that does not answer."""
        now = asyncio.get_running_loop().time()
        if not self.ready:
            if now - self._opened > CONNECT_S:
                self._finish(f"the broker did not answer CONNECT within {CONNECT_S:.0f} s")
            return
        if self.paused:
            # Its answers wait unread behind the messages.
            self._heard = now
        if now - self._heard > self.keepalive_s:
            self._finish(f"the broker sent nothing for {self.keepalive_s:g} s and was pinged")
        elif now - self._pinged > self.keepalive_s / 2:
            self.ping()

    def pause(self) -> None:
        """Read nothing more for now; acknowledgements and pings still go out."""
        if not self.paused and not self.ended:
            self.paused = True
            self._read_on(False)

    def taken(self) -> None:
        """Messages were taken from the inbox: read on if that was the obstacle."""
        if self.paused and not self.ended and self.inbox.roomy:
            self.paused = False
            self._read_on(True)

    def fail(self, problem: str) -> None:
        """End it for a reason that the session found."""
        self._finish(problem)

    async def goodbye(self, *, end_session: bool) -> None:
        """DISCONNECT, and wait for the broker to close: what it had not yet read would be lost.

        MQTT 3.1.1 cannot end a session so.
        """
        if not self.ready or self.ended:
            return
        self.departing = True
        if self.paused:
            # The end of a connection is only seen by who reads.
            self.paused = False
            self._read_on(True)
        ends_here = end_session and self.protocol == 5
        self._send(DisconnectPacket(session_expiry_interval=0 if ends_here else None).write())
        try:
            async with asyncio.timeout(_GOODBYE_S):
                while not self.ended:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass
        self.drop()

    # Subclasses tell --------------------------------------------------------

    def _alive(self) -> None:
        """Something came from the broker."""
        self._heard = asyncio.get_running_loop().time()
        self._heard_anything = True

    def _connected(self, session_present: bool, granted: Granted, keepalive_s: int | None) -> None:
        self.ready = True
        self.session_present = session_present
        self.granted = granted
        if keepalive_s:
            self.keepalive_s = min(self.keepalive_s, float(keepalive_s))
        self._changed.set()

    def _answered(self, topics: Sequence[str], failed: Sequence[bool]) -> None:
        """SUBACK."""
        self.refused = tuple(t for t, bad in zip(topics, failed, strict=False) if bad)
        self.subscribed = not self.refused
        self._changed.set()

    def _unsubscribed(self) -> None:
        self.unsubscribing -= 1
        self._changed.set()

    def _pong(self) -> None:
        self.pongs += 1
        self._changed.set()

    def _received(self, count: int, last_us: int) -> None:
        """Messages were put in the inbox."""
        self.inbox.added(count, last_us)
        if self.inbox.full and not self.departing:
            self.pause()

    def _closed(self, why: str) -> None:
        """The other end closed, with or without an error."""
        mute = not self.ready and not self._heard_anything
        self._finish(f"the connection ended: {why}", End.MUTE if mute else End.LOST)

    def _finish(self, problem: str, end: End = End.LOST) -> None:
        """The first reason stands: that the connection then ends is no news."""
        if self.ended is None:
            self.ended, self.problem = end, problem
            self._changed.set()


def publish_packet(topic: str, payload: bytes, *, v5: bool) -> bytes:
    """PUBLISH at QoS 0, not retained.

    Examples
    --------
    >>> publish_packet("a", b"!", v5=False).hex(" ")
    '30 04 00 01 61 21'
    """
    name = topic.encode()
    body = len(name).to_bytes(2) + name + (b"\0" if v5 else b"") + payload
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (128 if rest else 0))
        if not rest:
            return bytes([_PUBLISH, *length]) + body


def packets(kind: int, mids: Sequence[int]) -> bytes:
    """Acknowledgements: two bytes of kind and length, two of packet identifier, for each.

    Examples
    --------
    >>> packets(PUBACK, [1, 258]).hex(" ", 4)
    '40020001 40020102'
    """
    both = np.full((len(mids), 2), kind, ">u2")
    both[:, 1] = mids
    return both.tobytes()
