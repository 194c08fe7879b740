"""The link through paho-mqtt, for MQTT 3.1.1 and 5.

paho speaks the protocol; PUBLISH packets, which are nearly all, are taken past it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.mqtt.buffered import BufferedSocket
from collector.mqtt.client import AsyncClient
from collector.mqtt.frames import publishes
from collector.mqtt.link import PUBCOMP, End, Link
from collector.source import Granted, Message

_PACKETS_PER_TURN = 2000
_UNSUPPORTED_VERSION, _TAKEN_OVER = 132, 142


class PahoLink(Link):
    """See :class:`collector.mqtt.link.Link`."""

    # paho sends PUBREC itself, and gives out the message only after that.
    qos2_answer = PUBCOMP
    _client: AsyncClient | None = None
    _counted = 0
    _now_us = 0

    async def open(self) -> None:
        """See :meth:`collector.mqtt.link.Link.open`."""
        broker = self.broker
        self._asked: dict[int, tuple[str, ...]] = {}
        v5 = self.protocol == 5
        client = AsyncClient(broker, self.protocol, manual_ack=True, clean=self.clean)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = lambda *_: self._unsubscribed()
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_pong = self._pong
        extra: dict[str, Any] = {}
        if v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if self.clean else broker.session_expiry_s
            properties.ReceiveMaximum = broker.receive_maximum
            properties.MaximumPacketSize = broker.maximum_packet
            extra = {"clean_start": self.clean, "properties": properties}
        self._client = client
        try:
            await client.connect_to_broker(self._readable, **extra)
        except paho.WebsocketConnectionError as error:
            raise OSError(str(error)) from error
        self._opened = asyncio.get_running_loop().time()

    def subscribe(self, topics: Sequence[str]) -> None:
        """See :meth:`collector.mqtt.link.Link.subscribe`."""
        if self._client is None:
            return
        # QoS 2 is never asked for: paho answers it before we have the message.
        # 1: what is retained is sent for a new subscription, not at every connection.
        options = SubscribeOptions(qos=1, retainHandling=1) if self.protocol == 5 else 1
        wanted: list[Any] = [(topic, options) for topic in topics]
        _, mid = self._client.subscribe(wanted)
        if mid is not None:
            self._asked[mid] = tuple(topics)
        self._client.write()

    def _unsubscribe(self, topics: Sequence[str]) -> None:
        if self._client is not None:
            self._client.unsubscribe(list(topics))
            self._client.write()

    def drop(self) -> None:
        """See :meth:`collector.mqtt.link.Link.drop`."""
        self._finish("dropped")
        if self._client is not None:
            self._client.drop()

    def _send(self, data: bytes) -> None:
        if data and self._client is not None and self._client.buffered is not None:
            self._client.buffered.send(data)
            self._client.write()

    def _read_on(self, reading: bool) -> None:
        client = self._client
        if client is None or client.buffered is None or client.buffered.fileno() < 0:
            return
        loop, number = asyncio.get_running_loop(), client.buffered.fileno()
        if reading:
            loop.add_reader(number, self._readable)
            # What waits in our buffer is announced by nobody.
            loop.call_soon(self._readable)
        else:
            loop.remove_reader(number)

    # Reading ----------------------------------------------------------------

    def _readable(self) -> None:
        client = self._client
        if client is None or client.buffered is None or self.ended or self.paused:
            return
        inbox = self.inbox
        before, self._now_us = len(inbox.pending), inbox.clock.now()
        try:
            self._take_turn(client, client.buffered)
        except Exception as error:
            # Whatever paho stumbles over in what the broker sent.
            self._finish(f"the broker sent a malformed packet: {error!r}")
        self._note_life(client.buffered)
        if count := len(inbox.pending) - before:
            self._received(count, self._now_us)
        client.write()

    def _note_life(self, buffered: BufferedSocket) -> None:
        if buffered.received != self._counted:
            self._counted = buffered.received
            self._alive()

    def _take_turn(self, client: AsyncClient, buffered: BufferedSocket) -> None:
        left = _PACKETS_PER_TURN
        while left > 0:
            taken = self._take_frames(client, buffered, left)
            left -= taken or 1
            # What is no complete PUBLISH is paho's to read, and so is a broken connection.
            if not taken and (self._read_by_paho(client) or buffered.drained):
                break
        else:
            # More may wait in our buffer than the socket would ever signal.
            asyncio.get_running_loop().call_soon(self._readable)

    def _read_by_paho(self, client: AsyncClient) -> bool:
        """Have paho read on; true where the connection is of no more use."""
        code = client.loop_read()
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and code != MQTTErrorCode.MQTT_ERR_AGAIN:
            self._finish(f"the connection ended: {paho.error_string(code)}")
        return self.ended is not None or code != MQTTErrorCode.MQTT_ERR_SUCCESS

    def _take_frames(self, client: AsyncClient, buffered: BufferedSocket, most: int) -> int:
        """Take complete PUBLISH packets past paho; returns how many."""
        if not client.between_packets or not self.ready:
            return 0
        data, at = buffered.peek()
        frames, end = publishes(data, at, self.protocol == 5, most)
        generation, now_us, inbox = self.generation, self._now_us, self.inbox
        append = inbox.pending.append
        for retain, qos, mid, topic, payload, again in frames:
            now_us += 1
            name = topic.decode("utf-8", "replace")
            append(Message(generation, mid, qos, name, payload, now_us, retain))
            if again:
                inbox.redelivered += 1
        self._now_us = now_us
        buffered.skip_to(end)
        return len(frames)

    # paho calls -------------------------------------------------------------

    def _on_connect(
        self, _client: paho.Client, _data: Any, flags: paho.ConnectFlags, code: ReasonCode,
        properties: Properties | None,
    ) -> None:  # fmt: skip
        if code.is_failure:
            end = End.VERSION if code.value == _UNSUPPORTED_VERSION else End.LOST
            self._finish(f"the broker refused the connection: {code}", end)
            return
        granted, keepalive_s = Granted(), None
        if self.protocol == 5:
            # What is absent has the default that the protocol states.
            said = vars(properties) if properties is not None else {}
            granted = Granted(
                receive_maximum=said.get("ReceiveMaximum", 65535),
                session_expiry_s=said.get("SessionExpiryInterval", self.broker.session_expiry_s),
                maximum_packet=said.get("MaximumPacketSize"),
                maximum_qos=said.get("MaximumQoS", 2),
                shared_subscriptions=bool(said.get("SharedSubscriptionAvailable", 1)),
            )
            keepalive_s = said.get("ServerKeepAlive")
        self._connected(bool(flags.session_present), granted, keepalive_s)

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, mid: int, codes: list[ReasonCode], _p: Any
    ) -> None:
        self._answered(self._asked.pop(mid, ()), [code.is_failure for code in codes])

    def _on_disconnect(
        self, client: paho.Client, _data: Any, flags: paho.DisconnectFlags, code: ReasonCode,
        _properties: Any,
    ) -> None:  # fmt: skip
        if self._client is not None and self._client.buffered is not None:
            self._note_life(self._client.buffered)
        if flags.is_disconnect_packet_from_server:
            taken_over = code.value == _TAKEN_OVER
            self._finish(
                f"the broker ended the connection: {code}",
                End.TAKEN_OVER if taken_over else End.LOST,
            )
        else:
            self._closed(str(code))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if not self.ready:
            self._finish("the broker sent a message before CONNACK")
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            # The protocol forbids it; the message must still be accounted for.
            topic = message._topic.decode("utf-8", "replace")
        # MQTT 3.1.1 brokers know no limit of ours. What is cut off here is refused later as
        # too large, where closing the connection would only bring the message again.
        payload = bytes(message.payload[: self.broker.maximum_packet])
        self._now_us += 1
        if message.qos == 2:
            self._saw_qos2 = True
        if message.dup:
            self.inbox.redelivered += 1
        self.inbox.pending.append(
            Message(
                self.generation, message.mid, message.qos, topic, payload, self._now_us,
                message.retain,
            )
        )  # fmt: skip


class PahoLink311(PahoLink):
    """The same for MQTT 3.1.1."""

    protocol = 4
