"""Try a broker out, as a client that has nothing to lose: what it is, grants and keeps.

Everything happens on topics and in sessions of our own, which are gone afterwards; nothing
is retained. The caller's thread does all the waiting, and every wait has an end.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.mqtt.tls import context_for
from collector.settings import Broker
from collector.watch import DISCONNECTED, DROPPED, STORED, UPTIME, VERSION

ROOT = "beffroi/doctor"
PUBLISHED = 60
KEPT = 5
RECEIVED_MESSAGES = "$SYS/broker/publish/messages/received"
RECEIVED_BYTES = "$SYS/broker/publish/bytes/received"

_SYS = (VERSION, UPTIME, DROPPED, STORED, DISCONNECTED, RECEIVED_MESSAGES, RECEIVED_BYTES)
_ANSWER_S, _QUIET_S, _SYS_S = 4.0, 0.7, 1.5
# More than any usual default, so that the smaller figure is the broker's.
_OUR_WINDOW = 100
_MOST_FIGURES = 18
# Should we be killed in between, the broker forgets our session by itself.
_TRIAL_EXPIRY_S = 60


class Away(Exception):
    """The broker cannot be used; the text says why, ``remedy`` what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


class Tried(Enum):
    """What became of the trial on topics of our own."""

    NO = "not tried"
    YES = "tried"
    FORBIDDEN = "the broker does not let us"
    OVERHEARD = "a binding listens there"


@dataclass(slots=True)
class Probe:
    """What was found; ``None`` where the broker does not say or it was not tried."""

    protocol: int = 5
    granted: dict[str, Any] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    tried: Tried = Tried.NO
    window: int | None = None
    session_present: bool | None = None
    kept: int | None = None

    def number(self, topic: str) -> int | None:
        """A figure from ``$SYS``."""
        found = re.match(r"\d+", self.says.get(topic, ""))
        # Mosquitto says 2^64 - 1 for an uptime of "a moment ago".
        return int(found[0]) if found and len(found[0]) <= _MOST_FIGURES else None


def probe(broker: Broker, filters: Sequence[str] = ()) -> Probe:
    """Everything about a broker that a client can find out, within some ten seconds.

    ``filters`` are the topic filters that collectors listen to: they must not hear us.

    Raises
    ------
    Away
        Where the broker cannot be reached or lets nobody in.
    """
    name = f"beffroi-doctor-{secrets.token_hex(6)}"
    found = Probe()
    with _first_connection(broker, name) as client:
        found.protocol = client.version
        found.granted = dict(client.granted)
        found.says = client.read_sys()
    topic = unheard(f"{ROOT}/{name[-12:]}", filters)
    if topic is None:
        found.tried = Tried.OVERHEARD
        return found
    try:
        _try_out(broker, found, name, topic)
    finally:
        # A clean session ends the one of this name and whatever it holds.
        with contextlib.suppress(Away), _connected(broker, name, found.protocol, clean=True):
            pass
    return found


def unheard(topic: str, filters: Sequence[str]) -> str | None:
    """``topic``, lengthened until no filter fits; ``None`` where one fits everything."""
    for _ in range(8):
        if not any(paho.topic_matches_sub(each, topic) for each in filters):
            return topic
        topic += "/trial"
    return None


def _try_out(broker: Broker, found: Probe, name: str, topic: str) -> None:
    v5 = found.protocol == 5
    expiry = _TRIAL_EXPIRY_S if v5 else None
    with _connected(broker, name, found.protocol, clean=v5, expiry_s=expiry) as client:
        if not client.subscribed(topic):
            found.tried = Tried.FORBIDDEN
            return
        client.send(topic, PUBLISHED)
        # Unacknowledged messages stop coming at the broker's window.
        client.until_quiet(PUBLISHED)
        if client.forbidden or not client.received:
            found.tried = Tried.FORBIDDEN
            return
        found.tried, found.window = Tried.YES, len(client.received)
        client.acknowledge_until(PUBLISHED)
    with _connected(broker, f"{name}-2", found.protocol, clean=True) as other:
        other.send(topic, KEPT)
        other.until(lambda: other.answered >= KEPT, _ANSWER_S)
    with _connected(broker, name, found.protocol, clean=False, expiry_s=expiry) as client:
        found.session_present = client.session_present
        client.acknowledge_until(KEPT if client.session_present else 0)
        found.kept = len({bytes(message.payload) for message in client.received})


def _first_connection(broker: Broker, name: str) -> contextlib.AbstractContextManager[_Client]:
    """Connected by MQTT 5 if the broker speaks it, asking for what the collector asks for."""
    refused = ""
    for protocol in (5, 4) if broker.protocol is None else (broker.protocol,):
        client = _Client(broker, name, protocol, clean=True)
        if client.open(broker.session_expiry_s):
            return client.used()
        refused = client.refused or refused
        # Brokers that know nothing of MQTT 5 say so, or close without a word.
        if client.refused and "protocol version" not in client.refused:
            break
    raise _why(broker, refused)


def _connected(
    broker: Broker, name: str, protocol: int, *, clean: bool, expiry_s: int | None = None
) -> contextlib.AbstractContextManager[_Client]:
    client = _Client(broker, name, protocol, clean=clean)
    if not client.open(expiry_s):
        raise _why(broker, client.refused)
    return client.used()


def _why(broker: Broker, refused: str) -> Away:
    if not refused:
        return Away(
            f"{broker.host}:{broker.port} is open, but does not answer CONNECT",
            "is it an MQTT broker? With TLS on that port, write mqtts:// in BEFFROI_MQTT_URL",
        )
    return Away(f"it refused us: {refused}", "correct user and password in BEFFROI_MQTT_URL")


class _Client(paho.Client):
    """A client that is driven by hand and acknowledges by hand."""

    def __init__(self, broker: Broker, name: str, protocol: int, *, clean: bool) -> None:
        v5 = protocol == 5
        super().__init__(
            CallbackAPIVersion.VERSION2,
            name,
            clean_session=None if v5 else clean,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self.version, self._clean, self._broker = protocol, clean, broker
        self.connect_timeout = _ANSWER_S
        self.max_inflight_messages_set(PUBLISHED)
        self.refused, self.session_present = "", False
        self.granted: dict[str, Any] = {}
        self.received: list[paho.MQTTMessage] = []
        self.answered, self.forbidden = 0, False
        self._welcome, self._ended = False, False
        self._subscribed: list[bool] = []
        if broker.username is not None:
            self.username_pw_set(broker.username, broker.password)
        self.on_connect = self._when_connected
        self.on_disconnect = self._when_disconnected
        self.on_subscribe = self._when_subscribed
        self.on_publish = self._when_published
        self.on_message = lambda _c, _d, message: self.received.append(message)

    def open(self, expiry_s: int | None) -> bool:
        """Connect; ``refused`` says why not, empty where nothing was answered."""
        broker = self._broker
        extra: dict[str, Any] = {}
        if self.version == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = expiry_s or 0
            properties.ReceiveMaximum = _OUR_WINDOW
            extra = {"clean_start": self._clean, "properties": properties}
        try:
            if broker.tls:
                self.tls_set_context(context_for(broker))
            # paho takes the keep-alive for the time that a TLS handshake may last, too.
            self.connect(broker.host, broker.port, keepalive=int(_ANSWER_S), **extra)
        except (OSError, ValueError) as error:
            self.close()
            raise Away(
                f"{broker.host}:{broker.port}: {error}",
                "see that the broker runs, that host and port are right, and its TLS setting",
            ) from error
        self.until(lambda: self._welcome or bool(self.refused), _ANSWER_S)
        if not self._welcome:
            self.close()
        return self._welcome

    @contextlib.contextmanager
    def used(self) -> Iterator[_Client]:
        """Says goodbye at the end; the session stays as long as it was asked for."""
        try:
            yield self
        finally:
            self.disconnect()
            self.until(lambda: False, 1.0)
            self.close()

    def close(self) -> None:
        """Give every socket back."""
        self._reset_sockets()

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Read and write until it is so, the connection has ended, or time is up."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or self._ended or self._sock is None:
                return False
            self.loop(min(left, 0.1))
        return True

    def subscribed(self, topic: str) -> bool:
        """Subscribe at QoS 1; whether the broker agreed."""
        self.subscribe(topic, 1)
        return self.until(lambda: bool(self._subscribed), _ANSWER_S) and self._subscribed[0]

    def send(self, topic: str, messages: int) -> None:
        """Publish so many at QoS 1."""
        for number in range(messages):
            self.publish(topic, b"%d" % number, qos=1)

    def until_quiet(self, messages: int) -> None:
        """Until that many came, or no more come."""
        deadline = time.monotonic() + _ANSWER_S
        came, moved = -1, 0.0
        while len(self.received) < messages and time.monotonic() < deadline:
            now = time.monotonic()
            if len(self.received) + self.answered != came:
                came, moved = len(self.received) + self.answered, now
            elif now - moved > _QUIET_S:
                return
            self.until(lambda: False, 0.05)

    def acknowledge_until(self, messages: int) -> None:
        """Acknowledge what came and what comes, until it is that many."""
        done = 0

        def all_here() -> bool:
            nonlocal done
            for message in self.received[done:]:
                self.ack(message.mid, message.qos)
            done = len(self.received)
            return done >= messages

        self.until(all_here, _ANSWER_S)
        self.until(lambda: not self.want_write(), 1.0)

    def read_sys(self) -> dict[str, str]:
        """What it retains under ``$SYS``; empty where it has none or lets us not read it."""
        self.subscribe([(topic, 0) for topic in _SYS])
        if self.until(lambda: bool(self._subscribed), _ANSWER_S) and any(self._subscribed):
            wanted = {VERSION, DROPPED}
            self.until(lambda: wanted <= {m.topic for m in self.received}, _SYS_S)
        return {m.topic: m.payload.decode("utf-8", "replace") for m in self.received}

    def _when_connected(self, _c: Any, _d: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self.refused = str(code)
            return
        self._welcome, self.session_present = True, flags.session_present
        if properties is not None:
            self.granted = {
                key: value
                for key, value in vars(properties).items()
                if not key.startswith("_") and isinstance(value, int)
            }

    def _when_disconnected(self, _c: Any, _d: Any, _f: Any, code: Any, _p: Any) -> None:
        self._ended = True

    def _when_subscribed(self, _c: Any, _d: Any, _mid: int, codes: Any, _p: Any) -> None:
        self._subscribed = [not code.is_failure for code in codes]

    def _when_published(self, _c: Any, _d: Any, _mid: int, code: Any, _p: Any) -> None:
        self.answered += 1
        self.forbidden = self.forbidden or code.is_failure
