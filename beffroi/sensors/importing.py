"""Lines of ``sensors.csv`` into the registry, and what waited for their sensors into readings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import uvloop
from rich.console import Console

from beffroi.mistakes import NotRunningError
from beffroi.progress import bar, busy
from beffroi.records import refusals_shown, refusals_work
from beffroi.records.question import QuestionError
from beffroi.sensors import wording
from beffroi.terminal import printable
from collector import again
from collector.again import Replayed
from storage import city as city_files
from storage import database, inventory, replaying
from storage.bindings import load_profiles
from storage.changes import Kind
from storage.city import City
from storage.ingest import RegistryChanged
from storage.mistakes import read_text
from storage.reading import Reason
from storage.refused import Selection
from storage.registry import Registered, register
from storage.review import Author
from storage.sensor_list import parse_sensors

_WAITING = (Reason.UNKNOWN_SENSOR, Reason.UNKNOWN_FIELD, Reason.RETIRED)
_TRIES = 10
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Import:
    """What is to be imported, and how."""

    file: Path
    city: Path | None
    start: str | None
    retire_missing: bool
    replay: bool
    dry_run: bool


def import_sensors(wanted: Import, person: str | None, why: str, as_json: bool) -> None:
    """Register, replay, and say what was done."""
    author = wording.who(person, why, needed=False)
    with wording.connected() as connection:
        with busy(_progress(), f"Reading {wanted.file.name}"):
            city = _city(connection, wanted)
        if not city.series:
            raise QuestionError(f"{wanted.file} names no sensor; nothing was changed")
        zones = inventory.zones(connection) | {
            t.code: t.timezone or "UTC" for t in city.territories
        }
        since = wording.moment(
            wanted.start, {zones[placed.line.territory] for placed in city.series}
        )
        with busy(_progress(), f"Registering {len(city.series):,} fields"):
            done = register(
                connection, city, since=since, author=author,
                retire_missing=wanted.retire_missing, dry_run=wanted.dry_run,
            )  # fmt: skip
    sensors = list(dict.fromkeys(placed.line.sensor for placed in city.series))
    waiting, replayed = uvloop.run(_waiting(sensors, author, wanted))
    if as_json:
        print(json.dumps(_as_object(done, waiting, replayed, wanted)))
    else:
        _tell(done, waiting, replayed, wanted)


def _progress() -> Console:
    return Console(stderr=True)


def _city(connection: psycopg.Connection[Any], wanted: Import) -> City:
    if wanted.city is not None:
        return city_files.load(wanted.city, wanted.file)
    series = parse_sensors(
        read_text(wanted.file), str(wanted.file), set(inventory.zones(connection)),
        inventory.metrics(connection), load_profiles(connection),
    )  # fmt: skip
    return City("", "UTC", (), (), (), series)


async def _waiting(
    sensors: Sequence[str], author: Author, wanted: Import
) -> tuple[int, Replayed | None]:
    """How many messages waited for the sensors, and what became of them."""
    selection = Selection(sensors=sensors, reasons=_WAITING)
    try:
        connection = await database.connect("beffroi sensors")
    except (OSError, ValueError) as error:
        raise NotRunningError(f"the database that PG* names does not answer: {error}") from None
    try:
        count = await replaying.count(connection, selection)
        if not count or wanted.dry_run or not wanted.replay:
            return count, None
        total = Replayed()
        with bar(_progress(), "Replaying") as bars:
            task = bars.add_task("messages", total=count)
            for tries in range(_TRIES):
                try:
                    total.add(
                        await again.replay(
                            connection, await refusals_work.decoding(connection), selection,
                            person=author.person, why=author.why or f"import of {wanted.file.name}",
                            progress=lambda seen: bars.update(task, completed=seen),
                        )
                    )  # fmt: skip
                    break
                except RegistryChanged:
                    # What was replayed is stored; the rest is read under the newer registry.
                    if tries == _TRIES - 1:
                        raise
        return count, total
    finally:
        await connection.close(timeout=5)


def _as_object(
    done: Registered, waiting: int, replayed: Replayed | None, wanted: Import
) -> dict[str, object]:
    changed = [one for one in done.changes if one.kind is not Kind.UNCHANGED]
    return {
        "dry_run": wanted.dry_run,
        "changes": [wording.as_object(one) for one in changed],
        "unchanged": len(done.changes) - len(changed),
        "sensors": done.sensors,
        "series": done.series,
        "waiting_messages": waiting,
        "replayed": None
        if replayed is None
        else refusals_shown.replayed_as_object(replayed, False),
    }


def _tell(done: Registered, waiting: int, replayed: Replayed | None, wanted: Import) -> None:
    changed = [one for one in done.changes if one.kind is not Kind.UNCHANGED]
    for one in changed[:_SHOWN]:
        for line in wording.sentences(one, wanted.dry_run):
            print(printable(line))
    if len(changed) > _SHOWN:
        print(f"… and {len(changed) - _SHOWN:,} more; --json has all of them")
    counts = {kind: sum(one.kind is kind for one in done.changes) for kind in Kind}
    said = [f"{count:,} {kind.value}" for kind, count in counts.items() if count]
    begin = "Nothing was changed; it would be " if wanted.dry_run else ""
    print(f"{begin}{', '.join(said)}.")
    if replayed is not None:
        print(refusals_shown.replayed(replayed, False))
        if replayed.refused:
            print(
                "Why they are refused: beffroi refusals list; fields that nobody has registered:"
                " beffroi sensors discover"
            )
    elif waiting:
        later = "" if wanted.dry_run else "; store what they say: beffroi refusals replay"
        print(f"{waiting:,} refused messages wait for them{later}")
