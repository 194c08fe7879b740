"""A sensor moved, or taken out of service."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from beffroi.records.question import QuestionError
from beffroi.sensors import wording
from beffroi.terminal import printable
from storage import inventory, registry, review
from storage.changes import Change, Kind
from storage.registry import Site
from storage.review import Author


def site(to: str, name: str, longitude: float | None, latitude: float | None) -> Site:
    """The place that was named."""
    territory, slash, code = to.strip().partition("/")
    if not (territory and slash and code) or "/" in code:
        raise QuestionError(f"--to {to!r} is no place; write TERRITORY/SITE, both by their codes")
    if set(code) & set("+#\0") or code != code.strip():
        raise QuestionError(
            f"--to: a site's code holds no + or # and no space at its ends: {code!r}"
        )
    if (longitude is None) != (latitude is None):
        raise QuestionError("give both --longitude and --latitude, or neither")
    return Site(territory, code, name.strip(), longitude, latitude)


def move(
    sensor: str, to: Site, start: str | None, author: Author, dry_run: bool, as_json: bool
) -> None:
    """Move it, and say what became of what is stored."""
    with wording.connected() as connection:
        zones = inventory.zones(connection)
        here = _zones(connection, sensor) | {zones.get(to.territory, "UTC")}
        since = wording.moment(start, here)
        known = set(inventory.sites(connection).values())
        done = registry.move(connection, sensor, to, since=since, author=author, dry_run=dry_run)
    _tell(done, dry_run, as_json)
    if not as_json and done.site not in known:
        placed = "" if to.longitude is not None else "; --longitude and --latitude put it on maps"
        print(f"  {done.site} {'would be' if dry_run else 'is'} a new site{placed}.")


def retire(sensor: str, start: str | None, author: Author, dry_run: bool, as_json: bool) -> None:
    """Retire it, and say what is stored beyond."""
    with wording.connected() as connection:
        since = wording.moment(start, _zones(connection, sensor))
        done = registry.retire(connection, sensor, since=since, author=author, dry_run=dry_run)
    _tell(done, dry_run, as_json)


def _zones(connection: psycopg.Connection[Any], sensor: str) -> set[str]:
    """Where it stands now."""
    return {review.named(connection, sensor)[-1].timezone}


def _tell(done: Change, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(wording.as_object(done) | {"dry_run": dry_run}))
    elif done.kind is Kind.UNCHANGED:
        print(f"{done.sensor}: nothing to change; it is so already, at {done.site}.")
    else:
        for line in wording.sentences(done, dry_run):
            print(printable(line))
