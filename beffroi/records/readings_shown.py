"""Readings, changes of them and the log of changes: as text and as JSON."""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict
from zoneinfo import ZoneInfo

from rich.table import Table

from beffroi.terminal import output
from processors.quality import Check
from storage.corrections import Changed
from storage.erasure import Erased
from storage.reading import Flag
from storage.review import Done, Measured, Seen, Span

# Where nobody looks nothing needs to fit: lines stay whole for what reads them.
_KEPT_WIDTH = 250
_TESTS = {
    Check.RANGE: "range",
    Check.SPIKE: "spike",
    Check.FLAT: "flat line",
    Check.RATE: "rate of change",
    Check.GAP: "gap before",
}


def failed_tests(bits: int) -> list[str]:
    """The tests that a reading failed, in words.

    Examples
    --------
    >>> failed_tests(2 + 8)
    ['spike', 'rate of change']
    """
    return [word for test, word in _TESTS.items() if bits & test]


def flag_word(flag: int) -> str:
    """A flag in words.

    Examples
    --------
    >>> flag_word(2)
    'not evaluated'
    """
    return Flag(flag).name.lower().replace("_", " ")


def as_object(
    series: list[Measured], span: Span, assumed: bool, rows: list[Seen], more: bool
) -> dict[str, object]:
    """One JSON object; times in UTC."""
    by_id = {one.series_id: one for one in series}
    return {
        "sensor": series[0].sensor,
        "from": _utc(span.start),
        "to": _utc(span.stop),
        "zone": series[0].timezone,
        "zone_assumed": assumed,
        "more": more,
        "readings": [
            {
                "time": _utc(row.time),
                "metric": by_id[row.series_id].metric,
                "field": by_id[row.series_id].field,
                "value": row.value,
                "unit": by_id[row.series_id].unit,
                "flag": flag_word(row.flag),
                "source": flag_word(row.source),
                "failed_tests": failed_tests(row.failed),
                "person": flag_word(row.person) if row.person else None,
                "original": row.original,
            }
            for row in rows
        ],
    }


def as_table(series: list[Measured], rows: list[Seen], more: bool) -> None:
    """For people; times on the wall clock of the sensor's territory."""
    by_id, zone = {one.series_id: one for one in series}, ZoneInfo(series[0].timezone)
    table = _table("time", "metric", "value", "unit", "flag", "source says", "tests failed")
    table.add_column("person says")
    table.add_column("first stored", justify="right")
    table.columns[2].justify = "right"
    for row in rows:
        one = by_id[row.series_id]
        table.add_row(
            row.time.astimezone(zone).isoformat(), one.metric, _number(row.value), one.unit,
            flag_word(row.flag), flag_word(row.source), ", ".join(failed_tests(row.failed)),
            flag_word(row.person) if row.person else "", _number(row.original),
        )  # fmt: skip
    output(_KEPT_WIDTH).print(table, markup=False)
    if more:
        print(f"These are the first {len(rows):,}; narrow the span, or give a larger --limit.")


def log_object(lines: list[Done]) -> dict[str, object]:
    """One JSON object; times in UTC."""
    return {
        "actions": [
            {
                name: _utc(value) if isinstance(value, datetime.datetime) else value
                for name, value in asdict(line).items()
            }
            for line in lines
        ]
    }


def log_table(lines: list[Done]) -> None:
    """For people."""
    table = _table(
        "when", "who", "what", "sensor", "metric", "from", "to", "readings", "how", "why"
    )
    table.columns[7].justify = "right"
    for line in lines:
        table.add_row(
            _utc(line.done_at)[:16], line.person, line.action, line.sensor or "", line.metric or "",
            _utc(line.start) if line.start else "", _utc(line.stop) if line.stop else "",
            f"{line.readings:,}", line.detail, line.why,
        )  # fmt: skip
    output(_KEPT_WIDTH).print(table, markup=False)


def say_zone(series: Measured, assumed: bool) -> None:
    """How times without an offset were read, where there were any."""
    if assumed:
        print(f"Times without an offset are local times in {series.timezone}.")


def tell_change(
    series: Measured,
    span: Span | None,
    assumed: bool,
    changed: Changed,
    what: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """What a flag or a correction changed."""
    if as_json:
        print(
            json.dumps(
                {
                    "sensor": series.sensor, "metric": series.metric, "field": series.field,
                    "unit": series.unit, **_span_object(series, span, assumed),
                    "readings": changed.readings, "unchanged": changed.there - changed.readings,
                    "missing": changed.valueless, "windows": changed.windows,
                    "dry_run": dry_run, "action_id": changed.action_id,
                }
            )
        )  # fmt: skip
        return
    would = "would be" if dry_run else "were"
    where = f" from {span.start.isoformat()} to {span.stop.isoformat()}" if span else ""
    print(
        f"{changed.readings:,} readings of {series.metric} at {series.sensor}{where} {would} {what} "
        f"and {changed.windows:,} quarter-hours {'would be ' if dry_run else ''}marked to be rolled "
        "up anew."
    )
    if same := changed.there - changed.readings - changed.valueless:
        print(f"{same:,} are so already.")
    if changed.valueless:
        print(f"{changed.valueless:,} have no value; a missing value stays missing.")
    say_zone(series, assumed)


def _span_object(series: Measured, span: Span | None, assumed: bool) -> dict[str, object]:
    return {
        "from": span.start.isoformat() if span else None,
        "to": span.stop.isoformat() if span else None,
        "zone": series.timezone,
        "zone_assumed": assumed,
    }


def _erased_object(
    series: list[Measured], span: Span, assumed: bool, erased: Erased, dry_run: bool
) -> dict[str, object]:
    return {
        "sensor": series[0].sensor,
        **_span_object(series[0], span, assumed),
        "series": [
            {
                "metric": one.metric,
                "field": one.field,
                "readings": erased.readings[one],
                "rollups": erased.rollups[one],
            }
            for one in series
        ],
        "refused_messages": erased.messages,
        "dry_run": dry_run,
        "action_ids": erased.action_ids,
    }


def tell_erased(
    series: list[Measured],
    span: Span,
    assumed: bool,
    erased: Erased,
    dry_run: bool,
    as_json: bool,
) -> None:
    """What was erased."""
    if as_json:
        print(json.dumps(_erased_object(series, span, assumed, erased, dry_run)))
        return
    of = ", ".join(f"{one.metric} {n:,}" for one, n in erased.readings.items() if n)
    readings = sum(erased.readings.values())
    print(
        f"{readings:,} readings of {series[0].sensor}{f' ({of})' if of else ''} from "
        f"{span.start.isoformat()} to {span.stop.isoformat()} {'would be' if dry_run else 'were'} "
        f"erased, with {sum(erased.rollups.values()):,} rollups and {erased.messages:,} refused messages."
    )
    if not dry_run:
        print("What can be computed without them comes back with the processor's next pass.")
        print("Backups, exports and the server's own logs are not reached: see storage/README.md.")
    say_zone(series[0], assumed)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"


def _utc(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
