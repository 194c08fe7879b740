"""`beffroi doctor`: what works, what does not, and the remedy."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TypeVar

from beffroi.doctor.broker import judge
from beffroi.doctor.database import Database
from beffroi.doctor.finding import Finding, Level, verdict
from beffroi.embedded import machine, mosquitto_conf
from beffroi.embedded.errors import EmbeddedError
from collector.probe import Away, probe
from collector.settings import Broker, SettingError, broker_from_url

# Names that nobody answers for, and servers that accept and fall silent, included: what is
# left of the whole time is the broker's.
PATIENCE_S = 17.0
_DATABASE_S = 6.0
_LOW_DISK_BYTES = 2_000_000_000

T = TypeVar("T")


def examine(
    environment: Mapping[str, str], broker_configuration: Path | None = None
) -> Iterator[Finding]:
    """Run every check that the environment allows, one after the other.

    ``broker_configuration`` is the broker's own file, where it is at hand.
    """
    began = time.monotonic()
    yield _guarded("embedded stack", _embedded)
    yield _guarded("disk", _disk)
    database = Database()
    yield from _database(database)
    left = PATIENCE_S - (time.monotonic() - began)
    yield from _broker(environment, database, broker_configuration, left)


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except EmbeddedError as error:
        return Finding(name, Level.BAD, error.what, error.remedy)


def _embedded() -> Finding:
    machine.require_debian()
    found = machine.architecture().debian
    return Finding("embedded stack", Level.OK, f"a Debian-family machine, {found}")


def _disk() -> Finding:
    folder = machine.default_cache()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return verdict(
        "disk", free >= _LOW_DISK_BYTES, f"{free / 1e9:.1f} GB free where {folder} lies",
        "free some space; a reading takes about 100 bytes",
    )  # fmt: skip


def _database(database: Database) -> Iterator[Finding]:
    found: list[Finding] = []

    def examine() -> bool:
        # One by one: what hangs must not hide what was found before.
        for finding in database.examine():
            found.append(finding)
        return True

    ended = _within(_DATABASE_S, examine)
    yield from list(found)
    if not ended:
        yield Finding("database", Level.BAD, f"no complete answer within {_DATABASE_S:.0f} s",
                      "see that the server is not stopped or overloaded, and that PGHOST and PGPORT"
                      " are right")  # fmt: skip


def _broker(
    environment: Mapping[str, str], database: Database, given: Path | None,
    seconds: float,
) -> Iterator[Finding]:  # fmt: skip
    url = environment.get("BEFFROI_MQTT_URL")
    if not url:
        yield Finding("broker", Level.BAD, "BEFFROI_MQTT_URL is not set",
                      "write mqtt://user:password@host:1883")  # fmt: skip
        return
    try:
        target = broker_from_url(url, environment)
    except SettingError as error:
        yield Finding("broker", Level.BAD, str(error), "correct the variable")
        return
    try:
        found = _within(seconds, lambda: probe(target, database.filters))
    except Away as error:
        yield Finding("broker", Level.BAD, str(error), error.remedy)
        return
    if found is None:
        yield Finding("broker", Level.BAD, f"no complete answer within {seconds:.0f} s",
                      "see that host and port are right and nothing swallows the packets")  # fmt: skip
        return
    configuration: Mapping[str, str] | None = None
    path = given or own_configuration(target, environment)
    if path is not None:
        try:
            configuration = mosquitto_conf.read(path)
        except OSError as error:
            yield Finding("broker configuration", Level.NOTE, f"{path}: {error.strerror}",
                          "name a file that you may read")  # fmt: skip
    shared = bool(environment.get("COLLECTOR_SHARE_GROUP"))
    yield from judge(target, found, configuration, database.observed, shared)


def _within(seconds: float, work: Callable[[], T]) -> T | None:
    """What ``work`` answers or raises; None where that takes longer."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:
            answer.set_exception(error)

    # Left behind should it hang: neither a name look-up nor a silent server can be interrupted.
    threading.Thread(target=run, name="doctor", daemon=True).start()
    if not wait([answer], timeout=seconds).done:
        return None
    return answer.result()


def own_configuration(target: Broker, environment: Mapping[str, str]) -> Path | None:
    """The configuration of the embedded broker, if it is that one we are pointed at."""
    if target.host not in ("127.0.0.1", "localhost", "::1"):
        return None
    base = machine.default_state()
    folders = sorted(base.glob("*/")) if base.is_dir() else []
    passwords = environment.get("PGPASSFILE")
    if passwords:
        folders.append(Path(passwords).parent.parent)
    for folder in folders:
        try:
            port = json.loads((folder / "stack.json").read_text()).get("mqtt_port")
        except (OSError, ValueError, AttributeError):
            continue
        path = folder / "mosquitto" / "mosquitto.conf"
        if port == target.port and path.exists():
            return path
    return None
