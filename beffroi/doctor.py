"""`beffroi doctor`: what works, what does not, and the remedy."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from beffroi.embedded import machine
from beffroi.embedded.errors import EmbeddedError
from collector.settings import SettingError, broker_from_url
from storage.migrate import migrations

_WAIT_S = 5.0
_LOW_DISK_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its outcome in a sentence, and what to do where it failed."""

    check: str
    well: bool
    found: str
    remedy: str = ""


def examine(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Run every check that the environment allows, one after the other."""
    yield _guarded("embedded stack", _embedded)
    yield _guarded("disk", _disk)
    yield from _database()
    yield from _broker(environment)


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except EmbeddedError as error:
        return Finding(name, False, error.what, error.remedy)


def _embedded() -> Finding:
    machine.require_debian()
    found = machine.architecture().debian
    return Finding("embedded stack", True, f"a Debian-family machine, {found}")


def _disk() -> Finding:
    folder = machine.default_cache()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free where {folder} lies"
    if free < _LOW_DISK_BYTES:
        return Finding("disk", False, text, "free some space; a reading takes about 100 bytes")
    return Finding("disk", True, text)


def _database() -> Iterator[Finding]:
    try:
        connection = psycopg.connect(connect_timeout=5)
    except psycopg.OperationalError as error:
        yield Finding(
            "database", False, str(error).strip().splitlines()[0],
            "set PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSFILE, or start one: beffroi up --dir DIR",
        )  # fmt: skip
        return
    with connection:
        connection.autocommit = True
        version = connection.info.server_version
        yield Finding(
            "database", version >= 150000, f"PostgreSQL {version // 10000}.{version % 10000}",
            "" if version >= 150000 else "PostgreSQL 15 or newer is needed",
        )  # fmt: skip
        row = connection.execute(
            "SELECT installed_version, default_version FROM pg_available_extensions"
            " WHERE name = 'timescaledb'"
        ).fetchone()
        if row is None:
            yield Finding("timescaledb", False, "not installed on the server",
                          "install the timescaledb package for this PostgreSQL")  # fmt: skip
            return
        yield Finding(
            "timescaledb", True, f"{row[0] or row[1]}" + ("" if row[0] else ", not enabled yet")
        )
        yield _schema(connection)
        yield from _flow(connection)


def _schema(connection: psycopg.Connection) -> Finding:
    known = connection.execute("SELECT to_regclass('public.migration') IS NOT NULL").fetchone()
    newest = migrations()[-1]
    applied = 0
    if known and known[0]:
        row = connection.execute("SELECT coalesce(max(number), 0) FROM public.migration").fetchone()
        applied = row[0] if row else 0
    if applied != newest[0]:
        return Finding(
            "schema", False, f"at migration {applied} of {newest[0]}", "run: beffroi migrate"
        )
    return Finding("schema", True, f"current, migration {applied}")


def _flow(connection: psycopg.Connection) -> Iterator[Finding]:
    row = connection.execute("SELECT to_regclass('pipeline.batch') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return
    counts = connection.execute(
        """
        SELECT (SELECT count(*) FROM city.series),
               (SELECT extract(epoch FROM now() - max(committed_at)) FROM pipeline.batch),
               (SELECT count(*) FROM pipeline.dirty)
        """
    ).fetchone()
    assert counts is not None
    series, age, marks = counts
    yield Finding(
        "registry", series > 0, f"{series} series registered",
        "" if series else "register your sensors: beffroi register city.toml",
    )  # fmt: skip
    if age is None:
        yield Finding("collector", False, "nothing was ever received",
                      "start it: beffroi collect; then see that sensors publish")  # fmt: skip
    else:
        late = age > 900
        yield Finding(
            "collector", not late, f"last message stored {_ago(float(age))}",
            "see that the collector runs and sensors publish" if late else "",
        )  # fmt: skip
    yield Finding(
        "processor", marks < 100_000, f"{marks} marks wait to be rolled up",
        "" if marks < 100_000 else "see that the processor runs: beffroi process",
    )  # fmt: skip


def _broker(environment: Mapping[str, str]) -> Iterator[Finding]:
    url = environment.get("BEFFROI_MQTT_URL")
    if not url:
        yield Finding("broker", False, "BEFFROI_MQTT_URL is not set",
                      "write mqtt://user:password@host:1883")  # fmt: skip
        return
    try:
        target = broker_from_url(url, environment)
    except SettingError as error:
        yield Finding("broker", False, str(error), "correct the variable")
        return
    heard: dict[str, str] = {}
    answer: list[str] = []
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        f"beffroi-doctor-{os.getpid()}",
        protocol=MQTTProtocolVersion.MQTTv5,
    )
    if target.username is not None:
        client.username_pw_set(target.username, target.password)

    def welcomed(
        asked: paho.Client, _data: object, _flags: object, code: object, _p: object
    ) -> None:
        answer.append(str(code))
        asked.subscribe("$SYS/broker/version")

    client.on_connect = welcomed
    client.on_message = lambda c, u, m: heard.update(
        {m.topic: m.payload.decode("utf-8", "replace")}
    )
    try:
        if target.tls:
            client.tls_set(target.ca_file, target.certificate_file, target.key_file)
        client.connect(target.host, target.port, keepalive=10)
    except (OSError, ValueError) as error:
        yield Finding("broker", False, f"{target.host}:{target.port}: {error}",
                      "see that the broker runs, that host and port are right, and its TLS setting")  # fmt: skip
        return
    client.loop_start()
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline and not heard:
        if answer and answer[0] != "Success":
            break
        time.sleep(0.05)
    client.disconnect()
    client.loop_stop()
    if not answer:
        yield Finding("broker", False, "no answer to CONNECT", "is it an MQTT broker?")
    elif answer[0] != "Success":
        yield Finding("broker", False, f"it refused us: {answer[0]}",
                      "correct user and password in BEFFROI_MQTT_URL")  # fmt: skip
    else:
        version = heard.get("$SYS/broker/version", "an MQTT 5 broker that does not name itself")
        yield Finding("broker", True, version)


def _ago(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.0f} h ago"
