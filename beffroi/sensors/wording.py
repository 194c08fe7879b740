"""What is asked of `beffroi sensors` understood, and what was done to sensors told."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from beffroi.records import author, instants
from beffroi.records.question import QuestionError
from storage.changes import Change, Kept, Kind
from storage.review import Author
from storage.timeline import BEGINNING

_HEADS = {
    Kind.NEW: "new",
    Kind.BACK: "back in service",
    Kind.MOVED: "moved",
    Kind.CHANGED: "changed",
    Kind.RETIRED: "retired",
}


@contextmanager
def connected() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database that PG* names; every command is one transaction."""
    with psycopg.connect(autocommit=True, application_name="beffroi sensors") as connection:
        yield connection


def who(person: str | None, why: str, needed: bool = True) -> Author:
    """Who does it, and why."""
    if needed and not why.strip():
        raise QuestionError("--why is empty; say in a few words why, for those who will wonder")
    try:
        return Author(author.named(person), author.reason(why))
    except author.UnfitError as error:
        raise QuestionError(str(error)) from None


def moment(text: str | None, zones: set[str]) -> datetime.datetime | None:
    """When a change begins to hold; ``zones`` are those of the territories concerned."""
    if text is None:
        return None
    if text.strip() == "beginning":
        return BEGINNING
    found = {}
    for zone in sorted(zones) or ["UTC"]:
        try:
            one = instants.read(text, zone)
        except instants.NotAMoment as error:
            raise QuestionError(f"--from: {error}; or beginning: since ever") from None
        found[one.time.timestamp()] = one
    if len(found) > 1:
        raise QuestionError(
            f"--from: {text!r} is another moment in {' and in '.join(sorted(zones))}, where these"
            " sensors stand; write it with an offset, like 2024-03-01T12:00:00+01:00"
        )
    since = next(iter(found.values())).time
    if since > datetime.datetime.now(datetime.UTC):
        raise QuestionError(
            f"--from: {text!r} is yet to come; say a change when it holds, or leave --from out"
        )
    return since


def utc(time: datetime.datetime | None) -> str | None:
    """As JSON has it."""
    return (
        None if time is None else time.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    )


def spoken(time: datetime.datetime) -> str:
    """For people: to the second."""
    return utc(time.replace(microsecond=0)) or ""


def as_object(change: Change) -> dict[str, object]:
    """For JSON."""
    return {
        "sensor": change.sensor,
        "became": change.kind.value,
        "site": change.site,
        "site_before": change.site_before,
        "from": utc(change.since),
        "details": list(change.details),
        "readings_carried": change.carried,
        "readings_after_retirement": change.beyond,
        "readings_converted_as_before": [
            {
                "metric": one.metric, "field": one.field, "readings": one.readings,
                "from": utc(one.start), "to": utc(one.stop), "scale": one.scale, "shift": one.shift,
            }
            for one in change.kept
        ],
    }  # fmt: skip


def sentences(change: Change, dry_run: bool) -> Iterator[str]:
    """What became of one sensor, and what is left to be done by people."""
    would = "would be " if dry_run else ""
    where = f"{change.site_before} → {change.site}" if change.site_before else change.site
    since = f" since {spoken(change.since)}" if change.since else ""
    if change.kind is Kind.NEW:
        names = ", ".join(one.removesuffix(": new") for one in change.details)
        yield f"{change.sensor}: {would}new at {where}: {names}"
    else:
        what = f": {'; '.join(change.details)}" if change.details else ""
        yield f"{change.sensor}: {would}{_HEADS[change.kind]}{since}, {where}{what}"
    if change.carried:
        yield (
            f"  {change.carried:,} readings stored since then {'would go' if dry_run else 'went'}"
            " with it; their windows are rolled up anew with the processor's next pass."
        )
    if change.beyond:
        yield (
            f"  {change.beyond:,} readings timed after it are stored and stay; if they are wrong:"
            f" beffroi readings flag --sensor {change.sensor} --metric … --from {utc(change.since)}"
            " --to … --flag fail --why …"
        )
    for kept in change.kept:
        yield from _kept(change, kept, dry_run)


def _kept(change: Change, kept: Kept, dry_run: bool) -> Iterator[str]:
    yield (
        f"  {kept.readings:,} readings of {kept.field} from {utc(kept.start)} were stored before this"
        f" was known and {'would stay' if dry_run else 'stay'} as they were converted then."
    )
    if kept.scale is None or kept.shift is None:
        yield "  Their times would be others too, which no command changes."
    else:
        field = "" if kept.field == kept.metric else f" --field {kept.field}"
        yield (
            f"  To put them right: beffroi readings correct --sensor {change.sensor} --metric"
            f" {kept.metric}{field} --from {utc(kept.start)} --to {utc(kept.stop)}"
            f" --scale {kept.scale:.15g} --shift {kept.shift:.15g} --why …"
        )
