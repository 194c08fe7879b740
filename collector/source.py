"""Where messages come from: one small interface, so that brokers stay exchangeable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

NO_EXPIRY = 2**32 - 1
"""Seconds that mean: for ever, or by the broker's own rule."""


class SessionTakenOver(Exception):
    """Another client took over this client id; to reconnect would throw that one out again.

    What was received and not committed is the other one's: the broker delivers it again.
    """


class Message(NamedTuple):
    """One received message and the right to acknowledge it.

    ``generation`` numbers the connection it came on: after a lost session brokers count
    ``mid`` from 1 again, and an old acknowledgement would destroy a new message.
    ``received_us`` differs for every message, so that messages without a time of their own
    do not fall on one. ``retain``: the broker kept it, so it may be of any age.
    """

    generation: int
    mid: int
    qos: int
    topic: str
    payload: bytes
    received_us: int
    retain: bool = False


class Granted(NamedTuple):
    """What the broker said when it let us in; None where it did not say.

    ``receive_maximum`` is how many messages it takes from us at once, and a good guess at
    how many it sends.
    """

    receive_maximum: int | None = None
    session_expiry_s: int | None = None
    maximum_packet: int | None = None
    maximum_qos: int | None = None
    shared_subscriptions: bool | None = None


class Source(Protocol):
    """Batches of messages in, acknowledgements out, in order."""

    async def batch(self) -> Sequence[Message]:
        """Everything received since the last call; waits for at least one message.

        An empty batch means that the source was closed.
        """

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that these are safe; those of older connections are left out."""

    def subscribe(self, topics: Sequence[str]) -> None:
        """Listen to exactly these topic filters from now on."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send one message at QoS 0, if there is a connection; whether it was handed over."""

    @property
    def waiting(self) -> int:
        """Messages received and not yet taken."""

    @property
    def redelivered(self) -> int:
        """Messages that the broker says it sent before; for information only."""


class LiveSource(Source, Protocol):
    """A source with a connection of its own to look after."""

    @property
    def connected(self) -> bool:
        """Whether the broker let us in and sends what is subscribed to."""

    @property
    def last_problem(self) -> str:
        """Why not, in a sentence."""

    @property
    def session_expiry_s(self) -> int:
        """How long the broker keeps the session while nobody is there. [s]"""

    async def run(self) -> None:
        """Stay connected until closed."""

    async def leave(self) -> None:
        """Unsubscribe, wait until all that was queued is acknowledged, end the session."""

    def finish(self) -> None:
        """Receive nothing more; what was received is handed out and can be acknowledged."""

    def close(self) -> None:
        """Leave without ending the session: the broker keeps what comes meanwhile."""
