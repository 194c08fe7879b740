"""The first source: paho-mqtt driven by asyncio.

Every connection is a client of its own with a number of its own, and acknowledgements
carry that number.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.buffered import BufferedSocket
from collector.client import AsyncClient
from collector.frames import publishes
from collector.linger import Window
from collector.settings import Broker
from collector.source import Message

log = logging.getLogger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_PACKETS_PER_TURN = 2000
_QOS0_HIGH, _QOS0_LOW = 20_000, 5_000


class MqttSource:
    """A persistent session on one broker; see :class:`collector.source.Source`.

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
    ) -> None:
        self._broker = broker
        self._share_group = share_group
        self._topics: tuple[str, ...] = ()
        self._asked: dict[int, tuple[str, ...]] = {}
        self._batch_messages = batch_messages
        self._window = Window(broker.receive_maximum, linger_s)
        self._pending: list[Message] = []
        self._arrived = asyncio.Event()
        self._lost = asyncio.Event()
        self._closing = False
        self._client: AsyncClient | None = None
        self._generation = 0
        self._ready = False
        self._paused = False
        self._now_us = 0
        self.connected = False
        self.session_present: bool | None = None
        self.reconnects = 0
        self.last_problem = "not connected yet"
        self.subscribe(topics)

    # The connection ---------------------------------------------------------

    async def run(self) -> None:
        """Stay connected until :meth:`close`; a broker that is away is tried again for ever."""
        wait = _FIRST_WAIT_S
        while not self._closing:
            try:
                await self._connect()
                while not self._closing and not self._lost.is_set():
                    if self.connected:
                        wait = _FIRST_WAIT_S
                    await self._tick()
            except (OSError, ssl.SSLError, ValueError, paho.WebsocketConnectionError) as error:
                self._problem(f"{self._broker.host}:{self._broker.port}: {error}")
            self._disconnected()
            if self._closing:
                break
            # Jitter keeps many collectors from knocking at the same instant.
            pause = wait * random.uniform(0.5, 1.5)
            log.warning("broker away retry_s=%.1f reason=%s", pause, self.last_problem)
            self.reconnects += 1
            try:
                async with asyncio.timeout(pause):
                    await self._closed()
            except TimeoutError:
                wait = min(2 * wait, _LONGEST_WAIT_S)

    async def _closed(self) -> None:
        while not self._closing:
            await asyncio.sleep(0.1)

    async def _connect(self) -> None:
        self._lost.clear()
        self._generation += 1
        client = self._make_client(self._generation)
        self._client = client
        extra: dict[str, Any] = {}
        if self._broker.protocol == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = self._broker.session_expiry_s
            properties.ReceiveMaximum = self._broker.receive_maximum
            properties.MaximumPacketSize = self._broker.maximum_packet
            extra = {"clean_start": False, "properties": properties}
        await client.connect_to_broker(lambda: self._read(client), **extra)

    def _make_client(self, generation: int) -> AsyncClient:
        client = AsyncClient(self._broker, self._broker.protocol, manual_ack=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        pending = self._pending.append
        decode = _topic

        def on_message(_client: paho.Client, _data: Any, m: paho.MQTTMessage) -> None:
            self._now_us += 1
            pending(
                Message(
                    generation, m.mid, m.qos, decode(m), bytes(m.payload), self._now_us, m.retain
                )
            )

        client.on_message = on_message
        return client

    def _on_connect(
        self, client: paho.Client, _data: Any, flags: paho.ConnectFlags, code: ReasonCode,
        properties: Properties | None,
    ) -> None:  # fmt: skip
        if code.is_failure:
            self._problem(f"the broker refused the connection: {code}")
            self._lost.set()
            return
        self.session_present = flags.session_present
        announced = getattr(properties, "ReceiveMaximum", None) if properties else None
        self._window.connected(announced)
        self._subscribe(client, self._topics)
        self._ready = True
        log.info(
            "broker connected host=%s port=%d session_present=%s generation=%d",
            self._broker.host, self._broker.port, flags.session_present, self._generation,
        )  # fmt: skip

    def _subscribe(self, client: paho.Client, topics: Sequence[str]) -> None:
        # QoS 2 is never asked for: paho answers it before we have the message.
        v5 = self._broker.protocol == 5
        # 1: what the broker retains is sent for a new subscription, not at every connection.
        options = SubscribeOptions(qos=1, retainHandling=1) if v5 else 1
        wanted: list[Any] = [(topic, options) for topic in topics]
        _, mid = client.subscribe(wanted)
        if mid is not None:
            self._asked[mid] = tuple(topics)

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, mid: int, codes: list[ReasonCode], _p: Any
    ) -> None:
        asked = self._asked.pop(mid, ())
        refused = [topic for topic, code in zip(asked, codes, strict=False) if code.is_failure]
        if refused:
            self._problem(f"the broker refuses the subscription to {', '.join(refused)}")
            self._lost.set()
            return
        self.connected = True
        self.last_problem = ""

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _p: Any
    ) -> None:
        # A refusal was told already; that the connection then ends is no news.
        if not self._lost.is_set():
            self._problem(f"the connection ended: {code}")
        self._lost.set()

    def _disconnected(self) -> None:
        self.connected = self._ready = False
        client, self._client = self._client, None
        if client is not None:
            client.drop()

    def _problem(self, what: str) -> None:
        self.last_problem = what

    async def _tick(self) -> None:
        try:
            async with asyncio.timeout(1.0):
                await self._lost.wait()
        except TimeoutError:
            if self._client is not None:
                self._client.loop_misc()
                self._client.write()

    # Reading ----------------------------------------------------------------

    def _read(self, client: AsyncClient) -> None:
        if client is not self._client or client.buffered is None:
            return
        before = len(self._pending)
        self._now_us = max(time.time_ns() // 1000, self._now_us)
        buffered = client.buffered
        left = _PACKETS_PER_TURN
        while left > 0:
            taken = self._take_frames(client, buffered, left)
            left -= taken or 1
            # What is no complete PUBLISH is paho's to read, and so is a broken connection.
            if not taken and (
                client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or buffered.drained
            ):
                break
        else:
            # More may wait in our buffer than the socket would ever signal.
            asyncio.get_running_loop().call_soon(self._read, client)
        client.write()
        if len(self._pending) > before:
            self._arrived.set()
            # Only QoS 0 can pass the window; the broker may drop it, we must not swell.
            if len(self._pending) > _QOS0_HIGH and buffered.fileno() >= 0:
                self._paused = True
                asyncio.get_running_loop().remove_reader(buffered.fileno())

    def _take_frames(self, client: AsyncClient, buffered: BufferedSocket, most: int) -> int:
        """Take complete PUBLISH packets past paho; returns how many."""
        if not client.between_packets:
            return 0
        data, at = buffered.peek()
        frames, end = publishes(data, at, self._broker.protocol == 5, most)
        generation, now_us, pending = self._generation, self._now_us, self._pending
        for retain, qos, mid, topic, payload in frames:
            now_us += 1
            name = topic.decode("utf-8", "replace")
            pending.append(Message(generation, mid, qos, name, payload, now_us, retain))
        self._now_us = now_us
        buffered.skip_to(end)
        return len(frames)

    # The interface ----------------------------------------------------------

    async def batch(self) -> Sequence[Message]:
        """See :meth:`collector.source.Source.batch`."""
        while not self._pending:
            if self._closing:
                return []
            self._arrived.clear()
            await self._arrived.wait()
        await self._window.linger(self._pending, self._arrived, lambda: self._closing)
        taken = self._pending[: self._batch_messages]
        del self._pending[: self._batch_messages]
        if self._paused and len(self._pending) < _QOS0_LOW and self._client is not None:
            self._paused = False
            buffered = self._client.buffered
            if buffered is not None and buffered.fileno() >= 0:
                asyncio.get_running_loop().add_reader(buffered.fileno(), self._read, self._client)
        return taken

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """See :meth:`collector.source.Source.acknowledge`."""
        client = self._client
        if client is None or not self._ready or client.buffered is None:
            return
        generation = self._generation
        # A PUBACK is four bytes in both versions; paho would make an object and a call of each.
        client.buffered.send(
            b"".join(
                [
                    b"\x40\x02" + message.mid.to_bytes(2, "big")
                    for message in messages
                    if message.qos and message.generation == generation
                ]
            )
        )
        client.write()

    def subscribe(self, topics: Sequence[str]) -> None:
        """See :meth:`collector.source.Source.subscribe`."""
        wanted = tuple(
            f"$share/{self._share_group}/{t}" if self._share_group else t for t in topics
        )
        new = [topic for topic in wanted if topic not in self._topics]
        gone = [topic for topic in self._topics if topic not in wanted]
        self._topics = wanted
        if self._client is not None and self._ready:
            if new:
                self._subscribe(self._client, new)
            if gone:
                self._client.unsubscribe(gone)
            self._client.write()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topic filters listened to."""
        return self._topics

    @property
    def waiting(self) -> int:
        """Messages received and not yet taken."""
        return len(self._pending)

    def close(self) -> None:
        """Leave without ending the session: the broker keeps what comes meanwhile."""
        self._closing = True
        self._lost.set()
        self._arrived.set()


def _topic(message: paho.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        # The protocol forbids it; the message must still be accounted for.
        return message._topic.decode("utf-8", "replace")
