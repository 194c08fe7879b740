"""One connection that publishes at QoS 1 and counts what the broker acknowledged."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from collector.mqtt.client import AsyncClient
from collector.settings import Broker

WINDOW = 1_000
"""Messages on their way at once."""
_AGAIN_S = 0.5


class OutletRefusedError(Exception):
    """The broker is away or lets nobody in; the message says why and what remains."""


class Outlet:
    """Publishes and counts; what a broken connection held is sent again on the next."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.published = 0
        self.acknowledged = 0
        self.reconnects = 0
        self._refused = ""
        self._moved = asyncio.Event()
        self._up = asyncio.Event()
        self._closing = False
        # A session that paho keeps across connections, so that nothing published is forgotten.
        client = AsyncClient(broker, 4)
        # No window of paho's own: it walks all messages in flight at every acknowledgement.
        client.max_inflight_messages_set(0)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._client = client
        self._care: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Published and not yet acknowledged."""
        return self.published - self.acknowledged

    async def open(self) -> None:
        """Connect; raises where the broker refuses or cannot be reached."""
        try:
            await self._connect()
        except OSError as error:
            where = f"{self._broker.host}:{self._broker.port}"
            raise OutletRefusedError(
                f"no MQTT broker answers at {where}: {error}; check BEFFROI_MQTT_URL"
            ) from error
        self._care = asyncio.create_task(self._stay_connected(), name="outlet")
        await self._until_up()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand over one message; waits while the window is full."""
        while self.waiting >= WINDOW:
            self._client.write()
            self._moved.clear()
            if self.waiting >= WINDOW:
                await self._until_moved()
        self._client.publish(topic, payload, qos=1)
        self.published += 1

    def flush(self) -> None:
        """Send what was handed over; call after each burst."""
        self._client.write()

    async def drain(self, seconds: float) -> None:
        """Wait until all is acknowledged, or that long."""
        self._client.write()
        end = time.monotonic() + seconds
        while self.waiting and time.monotonic() < end:
            self._moved.clear()
            await self._until_moved(min(0.2, max(0.0, end - time.monotonic())))

    async def close(self) -> None:
        """Disconnect."""
        self._closing = True
        if self._care is not None:
            self._care.cancel()
            await asyncio.gather(self._care, return_exceptions=True)
        self._client.disconnect()
        self._client.write()
        self._client.drop()

    # The connection ---------------------------------------------------------

    async def _connect(self) -> None:
        self._up.clear()
        await self._client.connect_to_broker(self._read)

    async def _stay_connected(self) -> None:
        while not self._closing:
            await asyncio.sleep(_AGAIN_S)
            if self._client.open:
                self._client.loop_misc()
                self._client.write()
                continue
            try:
                await self._connect()
                self.reconnects += 1
            except OSError:
                continue  # The broker is away; it is tried again, and drain() says what is left.

    async def _until_up(self) -> None:
        try:
            async with asyncio.timeout(10.0):
                await self._up.wait()
        except TimeoutError:
            raise OutletRefusedError("the MQTT broker does not answer the connection") from None
        if self._refused:
            raise OutletRefusedError(
                f"the MQTT broker refused the connection: {self._refused}; check BEFFROI_MQTT_URL"
            )

    async def _until_moved(self, seconds: float = 0.2) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return

    def _on_connect(
        self, _client: paho.Client, _data: Any, _flags: paho.ConnectFlags, code: ReasonCode, _p: Any
    ) -> None:
        self._refused = str(code) if code.is_failure else ""
        self._up.set()

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, _code: ReasonCode, _p: Any
    ) -> None:
        self._moved.set()

    def _on_publish(
        self, _client: paho.Client, _data: Any, _mid: int, _code: ReasonCode, _p: Any
    ) -> None:
        self.acknowledged += 1
        self._moved.set()

    def _read(self) -> None:
        client, buffered = self._client, self._client.buffered
        if buffered is None:
            return
        with buffered.corked():
            while client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS and not buffered.drained:
                pass
        client.write()
