"""The register for people and as JSON, and what a measure was before."""

from __future__ import annotations

import json

from rich.markup import escape
from rich.table import Table

from beffroi.measures import wording
from beffroi.terminal import output, printable
from storage import evaluation_store, measure_store
from storage.measure_store import Registered
from storage.measures import COLUMNS
from storage.review import NotNamed, near

_KEPT_WIDTH = 200


def show(territory: str | None, retired: bool, as_json: bool) -> None:
    """A line per measure, with what was found of it last."""
    with wording.connected() as connection:
        every = measure_store.versions(connection, newest=True)
        known = sorted({one.measure.territory for one in every})
        if territory is not None and territory not in known:
            meant = near(territory, known) if known else "none is: beffroi measures add"
            raise NotNamed(f"--territory: {territory!r} has no measure; {meant}")
        found = [
            (one, _last(evaluation_store.evaluations(connection, one.measure.code), one.version))
            for one in every
            if one.retired is retired and territory in (None, one.measure.territory)
        ]
    if as_json:
        told = [
            wording.measure_object(one) | {"evaluation": wording.evaluation_object(last)}
            for one, last in found
        ]
        print(json.dumps({"measures": told}))
        return
    if not found:
        print("No measure is retired." if retired else "No measure is registered.")
        return
    table = Table("measure", "title", "territory", "in force", "expected", "found", box=None)
    for one, last in found:
        measure = one.measure
        said = wording.verdict(last.evaluation) if last else "not evaluated yet"
        cells = (
            measure.code, measure.title, measure.territory, str(measure.in_force),
            f"{wording.what(measure)} {measure.expected}", said,
        )  # fmt: skip
        table.add_row(*(escape(printable(cell)) for cell in cells))
    output(_KEPT_WIDTH).print(table)


def history(code: str, as_json: bool) -> None:
    """Every version: who said so, when, why, and what was different."""
    with wording.connected() as connection:
        measure_store.find(connection, code)
        versions = measure_store.versions(connection, code)
        found = evaluation_store.evaluations(connection, code)
    if as_json:
        told = {
            "versions": [wording.measure_object(one) for one in versions],
            "evaluations": [wording.evaluation_object(one) for one in found],
        }
        print(json.dumps(told))
        return
    before: Registered | None = None
    for one in versions:
        why = f"; why: {one.why}" if one.why else ""
        told_as = "retired" if one.retired else "registered" if before is None else "corrected"
        line = f"version {one.version}, {wording.utc(one.registered_at)} {one.person}: {told_as}"
        print(printable(f"{line}{why}"))
        for change in _changes(before, one) if before else []:
            print(printable(f"  {change}"))
        before = one
    for stored in found:
        when = f"{wording.utc(stored.computed_at)}, version {stored.version}"
        print(printable(f"evaluated {when}: {wording.verdict(stored.evaluation)}"))


def _last(found: list[evaluation_store.Stored], version: int) -> evaluation_store.Stored | None:
    """The newest evaluation of what is registered now."""
    return next((one for one in reversed(found) if one.version == version), None)


def _changes(before: Registered, one: Registered) -> list[str]:
    pairs = [(key, getattr(before.measure, key), getattr(one.measure, key)) for key in COLUMNS]
    return [f"{key}: {_plain(old)} → {_plain(new)}" for key, old, new in pairs if old != new]


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value)) or "none"
    return str(value) if value not in (None, "") else "none"
