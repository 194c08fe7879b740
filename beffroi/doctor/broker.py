"""What a broker's answers and its configuration mean to whoever runs it, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from beffroi.doctor.finding import Finding, Level, span, verdict
from beffroi.embedded.mosquitto_conf import OVERHEAD_BYTES, TYPICAL_PAYLOAD_BYTES
from collector.probe import (
    KEPT,
    PUBLISHED,
    RECEIVED_BYTES,
    RECEIVED_MESSAGES,
    ROOT,
    Probe,
    Tried,
)
from collector.settings import Broker
from collector.watch import DROPPED, UPTIME, VERSION

OUTAGE_S = 86_400
_FEW_BYTES = 512
_MEANINGFUL = 100

_PLUGIN_LINES = (
    "in mosquitto.conf of Mosquitto 2.1 or newer: persistence false;"
    " plugin /usr/lib/mosquitto_persist_sqlite.so; plugin_opt_db_file"
    " /var/lib/mosquitto/sessions.sqlite; plugin_opt_flush_period 0; packet_buffer_size 128"
)
_AUTOSAVE_LINES = (
    "in mosquitto.conf: persistence true; autosave_on_changes true; autosave_interval 1"
    " (slow); better: Mosquitto 2.1 with its SQLite plugin, as in deploy/mosquitto"
)
_TELL = "to have it looked at: beffroi doctor --broker-conf FILE"


@dataclass(frozen=True, slots=True)
class Observed:
    """What the ledger saw: messages within so many seconds up to now."""

    messages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / max(self.seconds, 1.0)


def judge(
    broker: Broker,
    found: Probe,
    configuration: Mapping[str, str] | None,
    observed: Observed | None,
    shared: bool = False,
) -> Iterator[Finding]:
    """Everything there is to say about a broker that answered."""
    yield _version(broker, found)
    yield from _limits(broker, found, shared)
    yield from _trial(broker, found)
    yield _crash(found.says.get(VERSION, ""), configuration)
    if observed is not None and observed.messages:
        yield _outage(found, configuration, observed)
    yield _drops(found)


def _version(broker: Broker, found: Probe) -> Finding:
    name = found.says.get(VERSION, "a broker that does not name itself")
    if found.protocol == 5:
        return Finding("broker", Level.OK, f"{name}, speaks MQTT 5")
    if broker.protocol == 4:
        return Finding("broker", Level.OK, f"{name}, spoken to in MQTT 3.1.1 as the setting says")
    return Finding(
        "broker", Level.NOTE, f"{name}, speaks MQTT 3.1.1 and not MQTT 5",
        "it works; but it tells none of its limits, and keeps the session of a collector that"
        " never comes back for ever",
    )  # fmt: skip


def _limits(broker: Broker, found: Probe, shared: bool) -> Iterator[Finding]:
    if found.protocol != 5:
        yield Finding("broker limits", Level.OK, "MQTT 3.1.1 cannot tell them")
        return
    granted = found.granted
    expiry = granted.get("SessionExpiryInterval", broker.session_expiry_s)
    packet = granted.get("MaximumPacketSize")
    said = [
        f"a publisher may have {granted.get('ReceiveMaximum', 65_535):,} messages on their way",
        f"packets up to {packet:,} bytes" if packet else "packets of any size",
        f"an absent collector's session is kept {span(expiry)}",
    ]
    yield Finding("broker limits", Level.OK, ", ".join(said))
    if expiry < broker.session_expiry_s:
        yield Finding(
            "broker session", Level.NOTE,
            f"asked to keep it {span(broker.session_expiry_s)}, the broker grants {span(expiry)}:"
            " a longer absence loses the backlog",
            "raise the broker's limit (Mosquitto: persistent_client_expiration)",
        )  # fmt: skip
    if granted.get("MaximumQoS", 2) == 0:
        yield Finding("broker QoS", Level.BAD, "QoS 0 only: nothing protects any message",
                      "use a broker that offers QoS 1")  # fmt: skip
    if not granted.get("WildcardSubscriptionAvailable", 1):
        yield Finding("broker wildcards", Level.BAD, "it takes no subscription with + or #",
                      "allow them in its configuration")  # fmt: skip
    if not granted.get("SharedSubscriptionAvailable", 1):
        yield Finding(
            "broker sharing", Level.BAD if shared else Level.NOTE,
            "it has no shared subscriptions: collectors cannot split the load",
            "allow them, or leave COLLECTOR_SHARE_GROUP empty",
        )  # fmt: skip
    if not granted.get("RetainAvailable", 1):
        yield Finding("broker retain", Level.NOTE, "it retains nothing: the last value of a sensor"
                      " is not sent to a new collector")  # fmt: skip


def _trial(broker: Broker, found: Probe) -> Iterator[Finding]:
    if found.tried is Tried.FORBIDDEN:
        yield Finding(
            "broker session", Level.NOTE,
            f"not tried out: user {broker.username or '(anonymous)'} may not use {ROOT}/#",
            f"in Mosquitto's acl_file: user {broker.username or 'NAME'}; topic readwrite {ROOT}/#",
        )  # fmt: skip
        return
    if found.tried is Tried.OVERHEARD:
        yield Finding(
            "broker session", Level.NOTE,
            "not tried out: a binding listens to every topic, and the collector would refuse"
            " our trial messages as unreadable",
            "narrow the binding's topic",
        )  # fmt: skip
        return
    window = found.window or 0
    if window >= PUBLISHED:
        yield Finding("broker window", Level.OK, f"{window} messages or more on their way at once")
    else:
        yield Finding(
            "broker window", Level.NOTE,
            f"only {window} messages on their way at once: the collector stores {window} in a"
            f" commit, at 5 ms a commit {window * 200:,} messages/s at most",
            "Mosquitto: max_inflight_messages 1000",
        )  # fmt: skip
    yield verdict(
        "broker session", bool(found.session_present) and found.kept == KEPT,
        f"a persistent session got {found.kept or 0} of {KEPT} messages published in its absence"
        + ("" if found.session_present else ": the broker had forgotten it"),
        "allow persistent sessions and queued messages in the broker's configuration",
    )  # fmt: skip


def _crash(version: str, configuration: Mapping[str, str] | None) -> Finding:
    if configuration is not None:
        return _crash_as_configured(configuration)
    release = re.match(r"mosquitto version (\d+)\.(\d+)", version)
    if release is None:
        return Finding(
            "broker crash", Level.NOTE, "what it would lose cannot be seen from outside",
            "ask its manual when a QoS 1 message is on disk: before or after its PUBACK",
        )  # fmt: skip
    if (int(release[1]), int(release[2])) < (2, 1):
        return Finding(
            "broker crash", Level.NOTE,
            "cannot be seen from outside: unless its configuration says autosave_on_changes true"
            " and autosave_interval 1, everything queued since the last autosave (30 min) is lost;"
            " without persistence true, everything",
            f"{_AUTOSAVE_LINES}; {_TELL}",
        )  # fmt: skip
    return Finding(
        "broker crash", Level.NOTE,
        "cannot be seen from outside: unless its configuration has the SQLite plugin with"
        " plugin_opt_flush_period 0, everything queued in the last 5 s to 30 min is lost;"
        " without any persistence, everything",
        f"{_PLUGIN_LINES}; {_TELL}",
    )  # fmt: skip


def _crash_as_configured(configuration: Mapping[str, str]) -> Finding:
    """What kill -9 was seen to lose with such settings (tests/benchmarks/broker_crash.py)."""
    if "persist_sqlite" in configuration.get("plugin", ""):
        period = _whole(configuration, "plugin_opt_flush_period", 5)
        if period:
            return Finding("broker crash", Level.BAD,
                           f"everything queued in the last {period} s is lost: it writes that often",
                           "set plugin_opt_flush_period 0")  # fmt: skip
        few = _whole(configuration, "packet_buffer_size", 4096) <= _FEW_BYTES
        most = "a message or two of each connection" if few else "4 kB of each connection"
        synced = configuration.get("plugin_opt_sync", "normal") in ("full", "extra")
        cut = "" if synced else "; a power cut of the machine, what was queued in its last seconds"
        return Finding("broker crash", Level.OK if few else Level.NOTE,
                       f"kill -9 can lose {most}, in the moment before the commit{cut}",
                       "" if few else "set packet_buffer_size 128")  # fmt: skip
    if configuration.get("persistence") != "true":
        return Finding("broker crash", Level.BAD, "everything queued is lost: nothing is on disk",
                       _PLUGIN_LINES)  # fmt: skip
    interval = _whole(configuration, "autosave_interval", 1800)
    if configuration.get("autosave_on_changes") == "true" and interval == 1:
        return Finding("broker crash", Level.OK, "kill -9 can lose the messages of its last moment"
                       " (4 kB of each connection); it writes everything anew at every change,"
                       " which is slow")  # fmt: skip
    if configuration.get("autosave_on_changes") == "true":
        lost = f"up to {interval:,} messages are lost: it saves after that many changes"
    elif interval:
        lost = f"everything queued since the last autosave is lost: up to {span(interval)}"
    else:
        lost = "everything queued is lost: it saves only when it is stopped in order"
    return Finding("broker crash", Level.BAD, lost, _PLUGIN_LINES)


def _outage(found: Probe, configuration: Mapping[str, str] | None, observed: Observed) -> Finding:
    messages = observed.rate * OUTAGE_S
    received, octets = found.number(RECEIVED_MESSAGES), found.number(RECEIVED_BYTES)
    measured = bool(received and octets and received >= _MEANINGFUL)
    size = octets / received if measured and received and octets else TYPICAL_PAYLOAD_BYTES
    room = messages * (size + OVERHEAD_BYTES)
    needs = (
        f"a collector away for 24 h at {observed.rate:,.1f} messages/s (as in the last"
        f" {span(observed.seconds)}) leaves {messages:,.0f} messages of {size:,.0f} bytes"
        f"{'' if measured else ' (assumed)'} with the broker, {_octets(room)} of its memory"
    )
    lines = (
        f"Mosquitto: max_queued_messages {_round_up(messages)}; max_queued_bytes"
        f" {_round_up(messages * size) if messages * size < 2**31 else 0}"
    )
    if configuration is None:
        return Finding("broker outage", Level.NOTE, f"{needs}; whether that fits, MQTT cannot tell",
                       f"{lines}; {_TELL}")  # fmt: skip
    limit = _whole(configuration, "max_queued_messages", 1000)
    bytes_limit = _whole(configuration, "max_queued_bytes", 0)
    held = min(limit or float("inf"), (bytes_limit or float("inf")) / size)
    if held >= messages:
        return Finding("broker outage", Level.OK, f"{needs}: that fits")
    return Finding(
        "broker outage", Level.NOTE,
        f"{needs}; it keeps {held:,.0f}, enough for {span(held / observed.rate)}, and then drops"
        " messages that it has acknowledged",
        lines,
    )  # fmt: skip


def _drops(found: Probe) -> Finding:
    dropped = found.number(DROPPED)
    if dropped is None:
        return Finding(
            "broker drops", Level.NOTE, "the broker does not say whether it drops messages",
            "Mosquitto's acl_file: topic read $SYS/#; and sys_interval not 0",
        )  # fmt: skip
    if not dropped:
        return Finding("broker drops", Level.OK, "none since it started")
    since = found.number(UPTIME)
    started = f" {span(since)} ago" if since is not None else ""
    return Finding(
        "broker drops", Level.BAD,
        f"{dropped:,} messages dropped since it started{started}: a queue was full, and their"
        " publishers were told that all is well",
        "raise max_queued_messages and max_queued_bytes; empty or end the sessions that nobody"
        " reads (they are named here where they are ours). The broker's restart clears the count",
    )  # fmt: skip


def _whole(configuration: Mapping[str, str], name: str, default: int) -> int:
    text = configuration.get(name, "")
    return int(text) if text.isdigit() else default


def _round_up(number: float) -> int:
    """To two figures, upward, with a fifth to spare."""
    digits = max(0, len(str(int(number * 1.2))) - 2)
    step: int = 10**digits
    return (int(number * 1.2) // step + 1) * step


def _octets(number: float) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{max(number / 1e6, 0.1):,.1f} MB"
