"""Leaving for good, so that nothing queued for this session dies with it.

Unsubscribe, receive and acknowledge what is queued, then end the session. The broker says
nowhere that its queue is empty: it is taken for empty when everything received was
acknowledged and two pings in a row were answered without a message in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum, auto

from collector.mqtt.inbox import Inbox
from collector.mqtt.link import Link

_QUIET_PINGS = 2


class Stage(Enum):
    """How far it has come."""

    UNSUBSCRIBING = auto()
    DRAINING = auto()
    FORGETTING = auto()  # the session itself, which MQTT 3.1.1 does on a clean connection
    GONE = auto()


class Leaving:
    """Goes on over as many connections as it takes."""

    def __init__(self, topics: Sequence[str], inbox: Inbox) -> None:
        self.stage = Stage.UNSUBSCRIBING
        self.done = asyncio.Event()
        self._topics = topics
        self._inbox = inbox
        self._link: Link | None = None
        self._asked = False
        self._quiet = 0
        self._ping: tuple[int, int] | None = None  # pongs and messages when it was sent

    async def step(self, link: Link) -> None:
        """Do what can be done now on a connection that is ready."""
        if link is not self._link:
            self._link, self._asked, self._quiet, self._ping = link, False, 0, None
        if self.stage is Stage.UNSUBSCRIBING:
            self._unsubscribe(link)
        if self.stage is Stage.DRAINING and self._drained(link):
            await link.goodbye(end_session=True)
            self.stage = Stage.GONE if link.protocol == 5 else Stage.FORGETTING
        elif self.stage is Stage.FORGETTING and link.clean:
            await link.goodbye(end_session=True)
            self.stage = Stage.GONE
        if self.stage is Stage.GONE:
            self.done.set()

    def _unsubscribe(self, link: Link) -> None:
        if self._topics and not self._asked:
            self._asked = True
            link.unsubscribe(self._topics)
        elif link.unsubscribing == 0:
            self.stage = Stage.DRAINING

    def _drained(self, link: Link) -> bool:
        if not self._inbox.idle:
            self._quiet, self._ping = 0, None
            return False
        received = self._inbox.received
        if self._ping is not None:
            pongs, before = self._ping
            if link.pongs == pongs:
                return False
            self._quiet = self._quiet + 1 if received == before else 0
        if self._quiet == _QUIET_PINGS:
            return True
        self._ping = link.pongs, received
        link.ping()
        return False
