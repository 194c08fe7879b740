"""`beffroi ledger --check`: the tables counted anew, and in words what is missing where."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from beffroi.progress import bar
from beffroi.records import author
from beffroi.records.ledger import KEPT_WIDTH, connect, name_of, sensor_named
from beffroi.records.question import QuestionError
from beffroi.terminal import output
from storage import audit
from storage.audit import UNREGISTERED, Finding, Recount
from storage.balance import Equation
from storage.books import sensors

_SHOWN = 20


class Meaning(NamedTuple):
    """What a finding probably means, and what to do."""

    means: str
    remedy: str


_ADJUST = 'if that was meant, book it: beffroi ledger --adjust --why "…"'
_ALTERED = Meaning(
    "the ledger itself was changed by hand, or a program counted wrongly",
    "compare pipeline.batch and pipeline.sensor_hour of that hour with a backup",
)
_DROPPED = Meaning(
    "chunks were dropped: the oldest readings kept begin after the sensor's first reception",
    _ADJUST,
)
_DELETED = Meaning(
    "rows were deleted by hand, which leaves no trace (beffroi readings delete does)",
    f"{_ADJUST}; otherwise restore them from a backup",
)
_INSERTED = Meaning(
    "rows were inserted past the collector, or the ledger lost some of its own",
    f"{_ADJUST}; otherwise delete them and send them to the broker",
)
_REFUSALS_DELETED = Meaning(
    "refusals were deleted by hand; those that retention drops are written down", _ADJUST
)
_REFUSALS_INSERTED = Meaning(
    "refusals were inserted by hand, or the ledger lost rows of its own", _ADJUST
)

_WHAT = {
    Equation.MESSAGES: "messages received = decoded + refused",
    Equation.READINGS: "readings decoded = stored + duplicate + refused",
    Equation.STORED: "readings stored = in the tables",
    Equation.REFUSED_READINGS: "readings refused = among the refusals",
    Equation.REFUSED_MESSAGES: "messages refused = among the refusals",
}


def check(sensor: str | None, as_json: bool, why: str | None = None) -> int:
    """Recount and report; with ``why`` book what is missing. 0: balanced or booked, 1: not."""
    began = time.monotonic()
    try:
        who, because = author.named(None), author.reason(why or "")
    except author.UnfitError as error:
        print(f"beffroi: {error}", file=sys.stderr)
        return 2
    with connect() as connection:
        codes = sensors(connection) | {UNREGISTERED: "series that the registry does not know"}
        try:
            only = None if sensor is None else sensor_named(sensor, codes)
        except QuestionError as error:
            print(f"beffroi: {error}", file=sys.stderr)
            return 2
        with bar(Console(stderr=True), "Counting") as bars:
            task = bars.add_task("chunks", total=None)

            def move(done: int, chunks: int) -> None:
                bars.update(task, completed=done, total=chunks)

            if why is None:
                done = audit.recount(connection, only, move)
            else:
                done = audit.adjust(connection, only, who, because, move)
    seconds = time.monotonic() - began
    left = done.findings if why is None else [f for f in done.findings if f.hour is not None]
    if as_json:
        print(json.dumps(_as_object(done, left, codes, seconds)))
    else:
        _print(done, left, codes, seconds, sensor)
    return 1 if left else 0


def meaning(finding: Finding) -> Meaning:
    """What a person would guess."""
    difference = finding.difference
    missing = difference.found < difference.ledger
    match difference.equation:
        case Equation.MESSAGES | Equation.READINGS:
            return _ALTERED
        case Equation.STORED:
            if missing:
                return _DROPPED if finding.dropped else _DELETED
            return _INSERTED
        case _:
            return _REFUSALS_DELETED if missing else _REFUSALS_INSERTED


def _as_object(
    done: Recount, left: list[Finding], codes: dict[int, str], seconds: float
) -> dict[str, object]:
    counts, held = done.total
    return {
        "balanced": not left,
        "total": asdict(counts),
        "held": asdict(held),
        "rows": done.rows,
        "sensors": len(done.counts),
        "adjusted": len(done.findings) - len(left),
        "seconds": round(seconds, 3),
        "findings": [
            {
                "sensor": name_of(finding.sensor_id, codes),
                "hour": finding.hour.isoformat() if finding.hour else None,
                "equation": finding.difference.equation.value,
                "ledger": finding.difference.ledger,
                "found": finding.difference.found,
                **meaning(finding)._asdict(),
            }
            for finding in left
        ],
    }


def _print(
    done: Recount, left: list[Finding], codes: dict[int, str], seconds: float, sensor: str | None
) -> None:
    out = output(KEPT_WIDTH)
    counts, _ = done.total
    of = f"sensor {sensor}" if sensor else f"{len(done.counts):,} sensors"
    out.print(
        f"Counted {done.rows:,} readings and the refusals of {of} in {seconds:.1f} s, beside"
        f" {counts.messages_received:,} messages and {counts.readings_decoded:,} readings received.",
        highlight=False, markup=False,
    )  # fmt: skip
    if booked := len(done.findings) - len(left):
        out.print(
            f"Booked {booked:,} difference{'' if booked == 1 else 's'}: from now on a recount agrees."
        )
    if not left:
        out.print(
            "[green]The ledger balances[/green] and the tables hold what it says: everything that"
            " was received is accounted for."
        )
        return
    out.print(_table(left, codes))
    for meant in dict.fromkeys(meaning(finding) for finding in left):
        out.print(f"Probably {meant.means}:\n  → {meant.remedy}", highlight=False, markup=False)
    places = "1 place" if len(left) == 1 else f"{len(left):,} places"
    out.print(f"[red]The ledger does not balance[/red] in {places}.", highlight=False)


def _table(left: list[Finding], codes: dict[int, str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("sensor")
    table.add_column("received in (UTC)")
    table.add_column("what should be equal")
    for name in ("left", "right", "off by"):
        table.add_column(name, justify="right")
    worst = sorted(left, key=lambda f: -abs(f.difference.found - f.difference.ledger))
    for finding in worst[:_SHOWN]:
        difference = finding.difference
        table.add_row(
            escape(name_of(finding.sensor_id, codes)),
            f"{finding.hour:%Y-%m-%d %H:%M}" if finding.hour else "",
            _WHAT[difference.equation],
            f"{difference.ledger:,}",
            f"{difference.found:,}",
            f"{difference.found - difference.ledger:+,}",
        )
    if len(left) > _SHOWN:
        table.add_row(f"… and {len(left) - _SHOWN:,} more: --json lists all")
    return table
