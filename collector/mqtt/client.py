"""paho-mqtt on an event loop, through a socket that reads and writes in large pieces.

Shared by the source and by the publishers. Never ``loop_start``: an exception in a
callback kills paho's thread silently, and an ``ack()`` during its reconnect is sent before
CONNECT.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from collector.mqtt.buffered import BufferedSocket
from collector.mqtt.tls import context_for
from collector.settings import Broker


class AsyncClient(paho.Client):
    """A paho client without a thread, with a persistent session where the protocol asks here."""

    buffered: BufferedSocket | None = None

    def __init__(
        self, broker: Broker, protocol: int, *, manual_ack: bool = False, clean: bool = False
    ) -> None:
        v5 = protocol == 5
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            # MQTT 5 says it with CONNECT.
            clean_session=None if v5 else clean,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=manual_ack,
            # paho would try older versions by itself, past the event loop.
            reconnect_on_failure=False,
        )
        self.connect_timeout = 10.0
        if broker.username is not None:
            self.username_pw_set(broker.username, broker.password)
        self.on_pong: Callable[[], None] = lambda: None
        # Set so that paho asks for a write instead of writing at every packet.
        self.on_socket_register_write = lambda *_: None
        self._broker = broker

    def _create_socket(self) -> Any:
        self.buffered = BufferedSocket(super()._create_socket())
        return self.buffered

    def _handle_pingresp(self) -> MQTTErrorCode:
        self.on_pong()
        return super()._handle_pingresp()

    @property
    def between_packets(self) -> bool:
        """Whether paho has read no part of a packet that it has not finished."""
        return self._in_packet["command"] == 0

    @property
    def open(self) -> bool:
        """Whether there is a socket."""
        return self.buffered is not None and self.buffered.fileno() >= 0

    async def connect_to_broker(self, readable: Callable[[], None], **more: Any) -> None:
        """Connect and send CONNECT; ``readable`` is called whenever something arrived.

        Name look-up, TCP and TLS block, so they happen in a thread; nothing else does.
        """
        loop, broker = asyncio.get_running_loop(), self._broker

        def connect() -> None:
            if broker.tls:
                self.tls_set_context(context_for(broker))
            self.connect(broker.host, broker.port, keepalive=broker.keepalive_s, **more)

        await loop.run_in_executor(None, connect)
        buffered = self.buffered
        assert buffered is not None
        buffered.setsockopt_nodelay()
        number = buffered.fileno()

        def forget() -> None:
            loop.remove_reader(number)
            loop.remove_writer(number)

        buffered.before_close = forget
        loop.add_reader(number, readable)
        self.write()

    def write(self) -> None:
        """Send what paho has queued, in one piece, now or when the socket takes it."""
        buffered = self.buffered
        if buffered is None or buffered.fileno() < 0:
            return
        if self.want_write():
            with buffered.corked():
                self.loop_write()
        if buffered.unsent and buffered.fileno() >= 0:
            asyncio.get_running_loop().add_writer(buffered.fileno(), self._flush, buffered)

    def drop(self) -> None:
        """Close the socket without a word."""
        if self.buffered is not None:
            self.buffered.close()

    def _flush(self, buffered: BufferedSocket) -> None:
        if buffered.flush() and buffered.fileno() >= 0:
            asyncio.get_running_loop().remove_writer(buffered.fileno())
