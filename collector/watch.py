"""What the broker says of itself: above all whether it drops messages.

A broker whose queue is full drops messages while acknowledging them to the publisher; its own
counter under ``$SYS`` is the only trace of that. It is read on a connection of its own, so
that the session with the backlog is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import secrets
from dataclasses import replace
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode
from prometheus_client import Counter, Gauge

from collector.mqtt.client import AsyncClient
from collector.settings import Broker

log = logging.getLogger(__name__)

UPTIME, VERSION = "$SYS/broker/uptime", "$SYS/broker/version"
DROPPED = "$SYS/broker/publish/messages/dropped"
STORED, STORED_BYTES = "$SYS/broker/messages/stored", "$SYS/broker/store/messages/bytes"
DISCONNECTED = "$SYS/broker/clients/disconnected"
# Either of them goes down only when the broker starts again and counts from nothing.
_CLOCKS = (UPTIME, "$SYS/broker/bytes/received")

DROPPED_TOTAL = Counter(
    "beffroi_broker_dropped_messages_total", "Messages that the broker says it dropped"
)
GAUGES = {
    STORED: Gauge("beffroi_broker_stored_messages", "Messages that the broker holds"),
    STORED_BYTES: Gauge("beffroi_broker_stored_bytes", "Payload of these"),
    DISCONNECTED: Gauge(
        "beffroi_broker_disconnected_clients", "Persistent sessions without a connection"
    ),
}
TELLS = Gauge("beffroi_broker_tells", "1 while the broker tells what it drops")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
# Mosquitto sends what changed every 10 s unless told otherwise; what it retains comes at once.
_SILENCE_S = 25.0
_MOST_FIGURES = 18


class Watch:
    """Follows ``$SYS`` of one broker until closed; never raises.

    ``dropped`` is the broker's own count since it started, ``None`` while it does not say;
    ``dropped_since_start`` counts from the start of this watch, across restarts of the broker.
    """

    def __init__(self, broker: Broker, *, silence_s: float = _SILENCE_S) -> None:
        # A standby has the same client id: with a common name the two would throw each other out.
        name = f"{broker.client_id}-watch-{secrets.token_hex(3)}"
        self._broker = replace(broker, client_id=name)
        self._silence_s = silence_s
        self._protocol = broker.protocol or 5
        self._closing = asyncio.Event()
        self._lost = asyncio.Event()
        self._said_nothing = False
        self._clocks: dict[str, int] = {}
        self._counted = 0
        self.dropped: int | None = None
        self.dropped_since_start: int | None = None
        self.version = ""

    async def run(self) -> None:
        """Stay connected until :meth:`close`; a broker that is away is the source's to report."""
        wait = _FIRST_WAIT_S
        while not self._closing.is_set():
            client = self._make_client()
            try:
                await client.connect_to_broker(
                    lambda client=client: self._read(client),  # type: ignore[misc]
                    **({"clean_start": True} if self._protocol == 5 else {}),
                )
                if await self._attend(client):
                    wait = _FIRST_WAIT_S
            except (OSError, ValueError, paho.WebsocketConnectionError) as error:
                log.debug("broker watch away reason=%s", error)
            finally:
                TELLS.set(0)
                client.drop()
            if await _set_within(self._closing, wait * random.uniform(0.5, 1.5)):
                break
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def close(self) -> None:
        """End :meth:`run`."""
        self._closing.set()
        self._lost.set()

    def _make_client(self) -> AsyncClient:
        self._lost.clear()
        client = AsyncClient(self._broker, self._protocol, clean=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = lambda *_: self._lost.set()
        return client

    async def _attend(self, client: AsyncClient) -> bool:
        """See one connection through; whether the broker told anything on it."""
        told, elapsed = False, 0.0
        while not self._lost.is_set():
            client.loop_misc()
            client.write()
            await _set_within(self._lost, 1.0)
            elapsed += 1.0
            told = told or self.dropped is not None
            if self.dropped is None and elapsed >= self._silence_s:
                self._silent("it sent nothing under $SYS")
        return told

    def _read(self, client: AsyncClient) -> None:
        buffered = client.buffered
        while buffered is not None and client.open:
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lost.set()
                return
            if buffered.drained:
                break
        client.write()

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _p: Any
    ) -> None:
        if code.is_failure:
            if "protocol version" in str(code):
                self._protocol = 4 if self._protocol == 5 else 5
            self._lost.set()
            return
        # The clocks first: they tell whether the counter behind them began anew.
        client.subscribe([(topic, 0) for topic in (*_CLOCKS, DROPPED, VERSION, *GAUGES)])

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _p: Any
    ) -> None:
        if codes[2].is_failure:
            self._silent(f"it refuses to let us read it: {codes[2]}")

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        text = message.payload.decode("utf-8", "replace")
        if message.topic == VERSION:
            self.version = text
            return
        number = re.match(r"\d+", text)
        if number is None:
            return
        # Mosquitto says 2^64 - 1 for an uptime of "a moment ago".
        value = int(number[0]) if len(number[0]) <= _MOST_FIGURES else 0
        if message.topic in _CLOCKS:
            if value < self._clocks.get(message.topic, 0):
                self._counted = 0
            self._clocks[message.topic] = value
        elif message.topic == DROPPED:
            self._count(value)
        elif message.topic in GAUGES:
            GAUGES[message.topic].set(value)

    def _count(self, dropped: int) -> None:
        TELLS.set(1)
        # Fewer than before: the broker was started again meanwhile, and counts from nothing.
        grown = dropped - self._counted if dropped >= self._counted else dropped
        first = self.dropped_since_start is None
        self._counted = self.dropped = dropped
        self.dropped_since_start = (self.dropped_since_start or 0) + (0 if first else grown)
        if not grown:
            return
        DROPPED_TOTAL.inc(grown)
        log.error(
            "broker dropped messages: dropped=%d%s since_broker_start=%d; a queue was full, and"
            " its publishers were told that all is well. These messages are lost. Raise"
            " max_queued_messages and max_queued_bytes in the broker's configuration, and look"
            " with beffroi doctor for sessions that nobody empties",
            grown, " before this collector looked" if first else "", dropped,
        )  # fmt: skip

    def _silent(self, why: str) -> None:
        self.dropped = None
        if not self._said_nothing:
            self._said_nothing = True
            log.warning(
                "the broker does not say whether it drops messages: %s; with Mosquitto, let the"
                " collector read it with the ACL line: topic read $SYS/#",
                why,
            )


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
