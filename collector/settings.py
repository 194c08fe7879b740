"""``COLLECTOR_*`` and ``BEFFROI_MQTT_URL`` as one frozen dataclass."""

from __future__ import annotations

import datetime
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import unquote, urlsplit

SourceName = Literal["auto", "paho", "mqtt5"]
StopMeans = Literal["keep", "leave"]
Rebirth = Literal["ask", "never"]

T = TypeVar("T")


class SettingError(ValueError):
    """A setting cannot be used; the message names it, its value and the remedy."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to get in.

    ``protocol`` is 5 or 4 (MQTT 5, MQTT 3.1.1), as on the wire; None tries 5 first.
    """

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = None
    protocol: int | None = None
    client_id: str = "beffroi"
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    session_expiry_s: int = 7 * 86400
    receive_maximum: int = 1000
    maximum_packet: int = 1 << 20
    keepalive_s: int = 30


@dataclass(frozen=True, slots=True)
class Settings:
    """What the collector may be told; see collector/README.md for each variable."""

    broker: Broker
    source: SourceName = "auto"
    stop: StopMeans = "keep"
    share_group: str | None = None
    batch_messages: int = 10_000
    linger_s: float = 0.05
    payload_bytes: int = 256 * 1024
    oldest: datetime.datetime = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    ahead_s: int = 600
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9101
    rebirth: Rebirth = "ask"


def broker_from_url(url: str, environment: Mapping[str, str]) -> Broker:
    """Read ``mqtt[s]://user:password@host:port`` and the ``COLLECTOR_MQTT_*`` variables."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise SettingError(
            "BEFFROI_MQTT_URL has a port that is no number from 1 to 65535"
        ) from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        # The value may hold a password, so it is not repeated.
        raise SettingError(
            "BEFFROI_MQTT_URL must look like mqtt://user:password@host:1883, or mqtts:// for TLS"
        )
    tls = parts.scheme == "mqtts"
    return Broker(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        tls=tls,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        protocol=_one_of(
            environment, "COLLECTOR_MQTT_PROTOCOL", {"auto": None, "5": 5, "3.1.1": 4}
        ),
        client_id=environment.get("COLLECTOR_CLIENT_ID") or f"beffroi-{socket.gethostname()}",
        ca_file=_file(environment, "COLLECTOR_MQTT_CA"),
        certificate_file=_file(environment, "COLLECTOR_MQTT_CERTIFICATE"),
        key_file=_file(environment, "COLLECTOR_MQTT_KEY"),
        session_expiry_s=_whole(
            environment, "COLLECTOR_SESSION_EXPIRY_S", 7 * 86400, 60, 2**32 - 2
        ),
        receive_maximum=_whole(environment, "COLLECTOR_RECEIVE_MAXIMUM", 1000, 1, 65535),
    )


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """All settings from variables.

    Raises
    ------
    SettingError
        For the first variable that cannot be used.
    """
    url = environment.get("BEFFROI_MQTT_URL")
    if not url:
        raise SettingError("BEFFROI_MQTT_URL is not set; write mqtt://user:password@host:1883")
    oldest = environment.get("COLLECTOR_OLDEST", "2000-01-01")
    try:
        since = datetime.datetime.fromisoformat(oldest)
    except ValueError as error:
        raise SettingError(
            f"COLLECTOR_OLDEST must be a date like 2000-01-01, got {oldest!r}"
        ) from error
    broker = broker_from_url(url, environment)
    sources: dict[str, SourceName] = {"auto": "auto", "paho": "paho", "mqtt5": "mqtt5"}
    source = _one_of(environment, "COLLECTOR_MQTT_SOURCE", sources)
    if source == "mqtt5" and broker.protocol == 4:
        raise SettingError(
            "COLLECTOR_MQTT_SOURCE is mqtt5, which does not speak COLLECTOR_MQTT_PROTOCOL 3.1.1;"
            " leave one of them out"
        )
    group = environment.get("COLLECTOR_SHARE_GROUP") or None
    if group is not None and not {"/", "+", "#"}.isdisjoint(group):
        # "a/b" would be heard as group "a" and topics below "b".
        raise SettingError(f"COLLECTOR_SHARE_GROUP must be a name without / + #, got {group!r}")
    stops: dict[str, StopMeans] = {"keep": "keep", "leave": "leave"}
    rebirths: dict[str, Rebirth] = {"ask": "ask", "never": "never"}
    return Settings(
        broker=broker,
        source=source,
        stop=_one_of(environment, "COLLECTOR_STOP", stops),
        share_group=group,
        batch_messages=_whole(environment, "COLLECTOR_BATCH_MESSAGES", 10_000, 1, 100_000),
        linger_s=_whole(environment, "COLLECTOR_LINGER_MS", 50, 0, 1000) / 1000,
        payload_bytes=_whole(environment, "COLLECTOR_PAYLOAD_BYTES", 256 * 1024, 64, 1 << 28),
        oldest=since if since.tzinfo else since.replace(tzinfo=datetime.UTC),
        ahead_s=_whole(environment, "COLLECTOR_AHEAD_S", 600, 0, 10**9),
        metrics_host=environment.get("COLLECTOR_METRICS_HOST", "127.0.0.1"),
        metrics_port=_whole(environment, "COLLECTOR_METRICS_PORT", 9101, 0, 65535),
        rebirth=_one_of(environment, "COLLECTOR_SPARKPLUG_REBIRTH", rebirths),
    )


def _whole(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name)
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except ValueError as error:
        raise SettingError(f"{name} must be a whole number, got {text!r}") from error
    if not low <= value <= high:
        raise SettingError(f"{name} must lie between {low} and {high}, got {value}")
    return value


def _one_of(environment: Mapping[str, str], name: str, choices: Mapping[str, T]) -> T:
    """The chosen value; the first where nothing is said."""
    text = environment.get(name) or next(iter(choices))
    if text not in choices:
        *most, last = choices
        raise SettingError(f"{name} must be {', '.join(most)} or {last}, got {text!r}")
    return choices[text]


def _file(environment: Mapping[str, str], name: str) -> str | None:
    text = environment.get(name) or None
    if text is not None and not Path(text).is_file():
        raise SettingError(f"{name} must name a PEM file that can be read, got {text!r}")
    return text
