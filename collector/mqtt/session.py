"""A persistent session on one broker, over as many connections as it takes.

Every connection is a link of its own with a number of its own, and acknowledgements carry
that number.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from collector.mqtt.inbox import Inbox, wall_clock
from collector.mqtt.leaving import Leaving, Stage
from collector.mqtt.linger import Window
from collector.mqtt.link import End, Link
from collector.mqtt.links import Links
from collector.settings import Broker, Settings, SourceName
from collector.source import NO_EXPIRY, Granted, Message, SessionTakenOver

log = logging.getLogger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0


def open_source(
    settings: Settings, topics: Sequence[str], *, clock: Callable[[], int] = wall_clock
) -> MqttSource:
    """The source that the settings ask for; ``clock`` gives microseconds since 1970, UTC."""
    return MqttSource(
        settings.broker,
        topics,
        batch_messages=settings.batch_messages,
        linger_s=settings.linger_s,
        share_group=settings.share_group,
        link=settings.source,
        clock=clock,
    )


class MqttSource:
    """See :class:`collector.source.Source`.

    Received messages are kept across a reconnect: with a lost session nobody would
    deliver them again.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        *,
        batch_messages: int,
        linger_s: float,
        share_group: str | None = None,
        link: SourceName = "auto",
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self._broker = broker
        self._share_group = share_group
        self._topics: tuple[str, ...] = ()
        self._batch_messages = batch_messages
        self._window = Window(broker.receive_maximum, linger_s)
        self._inbox = Inbox(self._window, clock)
        self._links = Links(broker, link)
        self._link: Link | None = None
        self._leaving: Leaving | None = None
        self._closing = False
        self._changed = asyncio.Event()
        self.generation = 0
        self.connected = False
        self.session_present: bool | None = None
        self.granted = Granted()
        self.session_expiry_s = broker.session_expiry_s
        self.reconnects = 0
        self.last_problem = "not connected yet"
        self.subscribe(topics)

    # The connection ---------------------------------------------------------

    async def run(self) -> None:
        """Stay connected until closed or left; a broker that is away is tried again for ever.

        Raises
        ------
        SessionTakenOver
            When another client with this client id came; :meth:`batch` then ends.
        """
        wait = _FIRST_WAIT_S
        while not self._closing:
            link = self._new_link()
            try:
                await link.open()
                await self._attend(link)
                if self._closing:
                    await link.goodbye(end_session=False)
            except (OSError, ValueError) as error:
                link.fail(f"{self._broker.host}:{self._broker.port}: {error}")
            finally:
                if self.connected:
                    wait = _FIRST_WAIT_S
                self.connected, self._link = False, None
                link.drop()
            if link.ended is End.TAKEN_OVER and not self._closing:
                self.last_problem = link.problem
                self.close()
                raise SessionTakenOver(
                    f"another client took over the session of {self._broker.client_id!r};"
                    " give every collector a COLLECTOR_CLIENT_ID of its own"
                )
            if self._closing or self._links.switch(link) or self._forgets_next(link):
                continue
            self.last_problem = link.problem
            # Jitter keeps many collectors from knocking at the same instant.
            pause = wait * random.uniform(0.5, 1.5)
            log.warning("broker away retry_s=%.1f reason=%s", pause, self.last_problem)
            self.reconnects += 1
            await self._pause(pause)
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def _new_link(self) -> Link:
        self.generation += 1
        forgetting = self._leaving is not None and self._leaving.stage is Stage.FORGETTING
        self._link = self._links.kind(
            self._broker, self.generation, self._inbox, self._changed, clean=forgetting
        )
        return self._link

    def _forgets_next(self, link: Link) -> bool:
        """Whether the session is now to be forgotten on a connection of its own."""
        leaving = self._leaving
        return leaving is not None and leaving.stage is Stage.FORGETTING and not link.clean

    async def _attend(self, link: Link) -> None:
        """See one connection through, until it ends or is of no more use."""
        greeted = False
        while not (self._closing or link.ended):
            self._changed.clear()
            link.watch()
            if link.ready and not greeted:
                greeted = True
                if self._links.doubtful(link):
                    return
                self._greet(link)
            if link.refused:
                refused = ", ".join(link.refused)
                link.fail(f"the broker refuses the subscription to {refused}")
            if link.ready and (link.subscribed or not self._topics or self._leaving):
                self.connected = True
                self.last_problem = ""
            if link.ready and self._leaving is not None:
                await self._leaving.step(link)
                if self._leaving.done.is_set():
                    self.close()
            if not (self._closing or link.ended):
                await self._wait(link)

    async def _wait(self, link: Link) -> None:
        try:
            async with asyncio.timeout(min(1.0, link.keepalive_s / 4)):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _pause(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self._closing and (left := end - loop.time()) > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                return

    def _greet(self, link: Link) -> None:
        self.session_present, self.granted = link.session_present, link.granted
        self._window.connected(link.granted.receive_maximum)
        granted = link.granted.session_expiry_s
        if link.protocol != 5:
            # MQTT 3.1.1 has no word for it.
            self.session_expiry_s = NO_EXPIRY
        elif granted is not None:
            self.session_expiry_s = granted
        log.info(
            "broker connected host=%s port=%d mqtt=%s session_present=%s generation=%d",
            self._broker.host, self._broker.port, "5" if link.protocol == 5 else "3.1.1",
            link.session_present, link.generation,
        )  # fmt: skip
        if self._topics and self._leaving is None:
            link.subscribe(self._topics)

    # The interface ----------------------------------------------------------

    async def batch(self) -> Sequence[Message]:
        """See :meth:`collector.source.Source.batch`."""
        taken = await self._inbox.take(self._batch_messages)
        if self._link is not None:
            self._link.taken()
        return taken

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """See :meth:`collector.source.Source.acknowledge`."""
        self._inbox.handed_out -= len(messages)
        if self._link is not None:
            self._link.acknowledge(messages)
        if self._leaving is not None:
            self._changed.set()

    def subscribe(self, topics: Sequence[str]) -> None:
        """See :meth:`collector.source.Source.subscribe`."""
        if self._leaving is not None:
            return
        wanted = tuple(
            f"$share/{self._share_group}/{t}" if self._share_group else t for t in topics
        )
        new = [topic for topic in wanted if topic not in self._topics]
        gone = [topic for topic in self._topics if topic not in wanted]
        self._topics = wanted
        if self._link is not None and self._link.ready and not self._link.ended:
            if new:
                self._link.subscribe(new)
            if gone:
                self._link.unsubscribe(gone)

    def publish(self, topic: str, payload: bytes) -> bool:
        """See :meth:`collector.source.Source.publish`."""
        link = self._link
        if link is None or not link.ready or link.ended:
            return False
        link.publish(topic, payload)
        return True

    async def leave(self) -> None:
        """Leave for good: returns once nothing is queued any more and the session is ended.

        :meth:`batch` and :meth:`acknowledge` must be served meanwhile, and :meth:`run` must
        run. :meth:`close` gives it up; the session then stays.
        """
        if self._leaving is None:
            self._leaving = Leaving(self._topics, self._inbox)
        self._changed.set()
        await self._leaving.done.wait()

    def finish(self) -> None:
        """Receive nothing more. What was received is handed out and, until closed, acknowledged:
        otherwise every stop would have it delivered again."""
        self._inbox.close()
        if self._link is not None and self._link.ready:
            self._link.pause()

    def close(self) -> None:
        """Go without ending the session: the broker keeps what comes meanwhile."""
        self._closing = True
        self._inbox.close()
        self._changed.set()
        if self._leaving is not None:
            self._leaving.done.set()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topic filters listened to."""
        return self._topics

    @property
    def waiting(self) -> int:
        """Messages received and not yet taken."""
        return len(self._inbox.pending)

    @property
    def redelivered(self) -> int:
        """Messages that the broker says it sent before; for information only."""
        return self._inbox.redelivered
