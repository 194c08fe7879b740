"""`beffroi readings`: look at readings, judge them, put them right, erase them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    import psycopg

    from storage.corrections import Progress
    from storage.review import Author, Measured, Span

app = typer.Typer(
    help="Look at readings; flag, correct or erase them. All of it is logged.",
    no_args_is_help=True,
)


class Word(StrEnum):
    """What a person can say of a reading; none takes it back."""

    GOOD = "good"
    SUSPECT = "suspect"
    FAIL = "fail"
    NONE = "none"


_Sensor = Annotated[str, typer.Option("--sensor", help="The sensor's code.")]
_Metric = Annotated[str, typer.Option("--metric", help="What it measures, like no2.")]
_AnyMetric = Annotated[str | None, typer.Option("--metric", help="One metric; without: all.")]
_Field = Annotated[
    str | None, typer.Option("--field", help="Where a sensor sends one metric in several fields.")
]
_ISO = "ISO 8601; without an offset in the time zone of the sensor's territory"
_From = Annotated[str, typer.Option("--from", help=f"From this time: {_ISO}.")]
_To = Annotated[str, typer.Option("--to", help="To this time, not included.")]
_FromOrFile = Annotated[
    str | None, typer.Option("--from", help=f"From this time: {_ISO}. Not needed with --file.")
]
_ToOrFile = Annotated[str | None, typer.Option("--to", help="To this time, not included.")]
_Why = Annotated[
    str, typer.Option("--why", help="The reason; kept for ever, so name no values and nobody.")
]
_Person = Annotated[
    str | None, typer.Option("--person", help="Who decided it; without: the user of this machine.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many it would be.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command()
def show(
    sensor: _Sensor,
    start: _From,
    stop: _To,
    metric: _AnyMetric = None,
    field: _Field = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 200,
    as_json: _Json = False,
) -> None:
    """Readings with their flags by source, tests and persons, and values before correction."""
    from beffroi.records import readings_shown

    with _connected() as connection:
        from storage import review

        series = review.named(connection, sensor, metric, field)
        span, assumed = _span(start, stop, series[0].timezone)
        rows: list[review.Seen] = []
        for domain in sorted({one.domain for one in series}):
            mine = [one for one in series if one.domain == domain]
            rows += review.seen(connection, mine, span, limit + 1)
        rows.sort(key=lambda row: (row.time, row.series_id))
        if not rows:
            _nothing(connection, series, span)
    more, rows = len(rows) > limit, rows[:limit]
    if as_json:
        print(json.dumps(readings_shown.as_object(series, span, assumed, rows, more)))
    else:
        readings_shown.as_table(series, rows, more)
        readings_shown.say_zone(series[0], assumed)


@app.command()
def flag(
    sensor: _Sensor,
    metric: _Metric,
    start: _From,
    stop: _To,
    word: Annotated[
        Word,
        typer.Option(
            "--flag", help="A person's word outweighs source and tests; none takes it back."
        ),
    ],
    why: _Why,
    field: _Field = None,
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Say of all readings of a span that they are good, suspect or failed."""
    from beffroi.records import readings_shown
    from storage import corrections
    from storage.reading import Flag

    said = None if word is Word.NONE else Flag[word.name]
    with _connected() as connection:
        series = _one(connection, sensor, metric, field, start, stop)
        span, assumed = _span(start, stop, series.timezone)
        author = _author(person, why)
        with _progress("Flagging") as progress:
            changed = corrections.flag(
                connection, series, span, said, author, dry_run=dry_run, progress=progress
            )
        if not changed.there:
            _nothing(connection, [series], span)
    what = "freed of what persons said" if said is None else f"flagged {word}"
    readings_shown.tell_change(series, span, assumed, changed, what, dry_run, as_json)


@app.command()
def correct(
    sensor: _Sensor,
    metric: _Metric,
    why: _Why,
    start: _FromOrFile = None,
    stop: _ToOrFile = None,
    value: Annotated[
        float | None, typer.Option(help="One value for all, in the metric's unit.")
    ] = None,
    scale: Annotated[float | None, typer.Option(help="New value = scale × old + shift.")] = None,
    shift: Annotated[
        float | None,
        typer.Option(help="As above, in the metric's unit; 0 if only --scale is given."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="CSV with columns time,value; values in the metric's unit.")
    ] = None,
    field: _Field = None,
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Put values right; the first one stored is kept beside, and may be set again."""
    from beffroi.records import corrections_file, readings_shown
    from storage import corrections

    if [value is not None, scale is not None or shift is not None, file is not None].count(
        True
    ) != 1:
        _fail("give one of --value, --scale with --shift, or --file", 2)
    with _connected() as connection:
        series = _one(connection, sensor, metric, field, start, stop)
        author = _author(person, why)
        span, assumed, new = None, False, None
        if file is not None:
            if start is not None or stop is not None:
                _fail("--file names its times itself; leave out --from and --to", 2)
            new = corrections_file.read(file, series)
            assumed = True
        elif start is None or stop is None:
            _fail("give both --from and --to", 2)
        else:
            span, assumed = _span(start, stop, series.timezone)
        given = new or (
            corrections.Constant(_finite("--value", value))
            if value is not None
            else corrections.Linear(_scale(scale), _finite("--shift", shift or 0.0))
        )
        with _progress("Correcting") as progress:
            changed = corrections.correct(
                connection, series, span, given, author, dry_run=dry_run, progress=progress
            )
        if not changed.there and span:
            _nothing(connection, [series], span)
    readings_shown.tell_change(
        series, span, assumed, changed, f"corrected, in {series.unit},", dry_run, as_json
    )


@app.command()
def delete(
    sensor: _Sensor,
    start: _From,
    stop: _To,
    why: _Why,
    metric: _AnyMetric = None,
    field: _Field = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Erase readings where the law asks for it; what is merely wrong is flagged or corrected."""
    from beffroi.records import readings_shown
    from storage import erasure, review

    with _connected() as connection:
        series = review.named(connection, sensor, metric, field)
        span, assumed = _span(start, stop, series[0].timezone)
        author = _author(person, why)
        if not (yes or dry_run):
            _confirm(sensor, span)
        with _progress("Erasing") as progress:
            erased = erasure.erase(
                connection, series, span, author, dry_run=dry_run, progress=progress
            )
        if erased.nothing:
            _nothing(connection, series, span)
    readings_shown.tell_erased(series, span, assumed, erased, dry_run, as_json)


@app.command()
def log(
    sensor: Annotated[str | None, typer.Option(help="Of one sensor; without: of all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    as_json: _Json = False,
) -> None:
    """Who changed what, when and why, newest first."""
    from beffroi.records import readings_shown
    from storage import review

    with _connected() as connection:
        sensor_id = review.named(connection, sensor)[0].sensor_id if sensor else None
        lines = review.log(connection, sensor_id, limit)
    if as_json:
        print(json.dumps(readings_shown.log_object(lines)))
    elif lines:
        readings_shown.log_table(lines)
    else:
        print("Nobody has changed anything yet.")


@contextmanager
def _connected() -> Iterator[psycopg.Connection[Any]]:
    """A connection; what people named wrongly ends the program with a sentence."""
    import psycopg

    from storage.corrections import NotDone
    from storage.review import NotNamed

    with psycopg.connect(autocommit=True, application_name="beffroi readings") as connection:
        try:
            yield connection
        except NotNamed as error:
            _fail(str(error), 2)
        except NotDone as error:
            _fail(str(error), 1)


def _fail(message: str, status: int) -> NoReturn:
    print(f"beffroi: {message}", file=sys.stderr)
    raise typer.Exit(status)


def _one(
    connection: psycopg.Connection[Any], sensor: str, metric: str, field: str | None,
    start: str | None, stop: str | None,
) -> Measured:  # fmt: skip
    from storage import review

    found = review.named(connection, sensor, metric, field)
    names = list(dict.fromkeys(one.field for one in found))
    if len(names) == 1 and len(found) > 1:
        return _at_its_time(found, start, stop)
    if len(names) > 1:
        fields = ", ".join(names)
        _fail(f"sensor {sensor!r} sends {metric} in several fields: {fields}; choose by --field", 2)
    return found[0]


def _at_its_time(found: list[Measured], start: str | None, stop: str | None) -> Measured:
    """Of the series that a field has been one after the other, the one of the span."""
    if start is None or stop is None:
        return found[-1]
    span, _ = _span(start, stop, found[-1].timezone)
    # What was stored after one ended, before its end was known, is its own until the next begins.
    begins = [one.begins for one in found[1:]]
    meant = [
        one for one, ends in zip(found, [*begins, None], strict=True)
        if replace(one, ends=ends).overlaps(span)
    ]  # fmt: skip
    if len(meant) > 1:
        ends = ", ".join(
            f"{one.site} until {one.ends.isoformat()}" for one in meant[:-1] if one.ends
        )
        _fail(
            f"the span reaches over a change of the sensor, which was at {ends}; change what was"
            " before and what came after one by one",
            2,
        )
    return meant[0] if meant else found[-1]


def _span(start: str, stop: str, zone: str) -> tuple[Span, bool]:
    """The span, and whether a time was written without an offset."""
    from beffroi.records import instants
    from storage.review import Span

    try:
        first, last = instants.read(start, zone), instants.read(stop, zone)
    except instants.NotAMoment as error:
        _fail(str(error), 2)
    # Local times of one zone are compared by the clock on the wall: not across a change.
    if first.time.timestamp() >= last.time.timestamp():
        _fail(f"--from {start} is not before --to {stop}; the span is empty", 2)
    return Span(first.time, last.time), first.local or last.local


def _author(person: str | None, why: str) -> Author:
    from beffroi.records import author
    from storage.review import Author

    if not why.strip():
        _fail("--why is empty; say in a few words why, for those who will wonder", 2)
    try:
        return Author(author.named(person), author.reason(why))
    except author.UnfitError as error:
        _fail(str(error), 2)


def _finite(option: str, number: float) -> float:
    if not abs(number) < float("inf"):
        _fail(f"{option} must be a finite number, got {number}", 2)
    return number


def _scale(scale: float | None) -> float:
    if scale == 0:
        _fail("--scale 0 would make all values the same; that is --value", 2)
    return 1.0 if scale is None else _finite("--scale", scale)


def _confirm(sensor: str, span: Span) -> None:
    if not _at_a_terminal():
        _fail("erasing cannot be undone; see what it would be by --dry-run, then give --yes", 2)
    print(
        f"Erasing {sensor} from {span.start.isoformat()} to {span.stop.isoformat()}: no way back."
    )
    if typer.prompt("Type the sensor's code to go on", default="", show_default=False) != sensor:
        _fail("that is not the sensor's code; nothing was erased", 1)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    from beffroi.progress import bar

    with bar(Console(stderr=True), what) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _nothing(connection: psycopg.Connection[Any], series: list[Measured], span: Span) -> NoReturn:
    from zoneinfo import ZoneInfo

    from storage import review

    told = []
    for one in series[:5]:
        held = review.extent(connection, one, None)
        zone = ZoneInfo(one.timezone)
        between = (
            "none at all"
            if held is None
            else f"{held.start.astimezone(zone).isoformat()} to {held.stop.astimezone(zone).isoformat()}"
        )
        told.append(f"{one.metric} {between}")
    _fail(
        f"sensor {series[0].sensor!r} has no reading from {span.start.isoformat()} to "
        f"{span.stop.isoformat()}; it has {', '.join(told)}",
        1,
    )
