"""`beffroi ledger`: what came in, what became of it, and whether all of it is accounted for."""

from __future__ import annotations

import datetime
import difflib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import psycopg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from beffroi.records.instants import NotAMoment, read
from beffroi.records.question import QuestionError
from beffroi.terminal import output
from storage.balance import Counts, Grouping, differences
from storage.books import Line, lines, sensors
from storage.intake import UNKNOWN_SENSOR, UNREADABLE_TOPIC

_HOUR = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)
_WORST = 5
_NO_DEVICE = (UNKNOWN_SENSOR, UNREADABLE_TOPIC)
KEPT_WIDTH = 110
_ROOMY = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for on the command line."""

    by: Grouping = Grouping.DAY
    start: str | None = None
    stop: str | None = None
    sensor: str | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Lines of the ledger, and who stands out."""

    lines: list[Line]
    total: Counts
    no_device: dict[int, Counts]
    most_refused: list[tuple[str, Counts]]


def connect() -> psycopg.Connection:
    """A connection that says hours in UTC."""
    return psycopg.connect(autocommit=True, options="-c timezone=UTC")


def show(question: Question) -> int:
    """Print the ledger; the status is 2 where the question cannot be answered."""
    with connect() as connection:
        try:
            start, stop = _span(question, datetime.datetime.now(datetime.UTC))
            codes = sensors(connection)
            only = None if question.sensor is None else sensor_named(question.sensor, codes)
        except OverflowError:
            print("beffroi: --from and --to must lie within the calendar", file=sys.stderr)
            return 2
        except QuestionError as error:
            print(f"beffroi: {error}", file=sys.stderr)
            return 2
        answer = _ask(connection, question, start, stop, only, codes)
    if question.as_json:
        print(json.dumps(_as_object(question, answer, start, stop, codes)))
    else:
        _print(output(KEPT_WIDTH), question, answer, start, stop, codes)
    return 0


def sensor_named(name: str, codes: dict[int, str]) -> int:
    """The id of a sensor; an unknown one is told with its likes."""
    ids = {code: sensor for sensor, code in codes.items()}
    if name in ids:
        return ids[name]
    likes = difflib.get_close_matches(name, ids, n=3, cutoff=0.5)
    hint = (
        f"did you mean {' or '.join(likes)}?" if likes else "beffroi ledger --by sensor lists all"
    )
    raise QuestionError(f"--sensor: no sensor is called {name!r}; {hint}")


def _span(
    question: Question, now: datetime.datetime
) -> tuple[datetime.datetime, datetime.datetime]:
    """The hours asked for; hours are counted whole."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    stop = _time("--to", question.stop) if question.stop else this_hour + _HOUR
    if question.start:
        start = _time("--from", question.start)
    elif question.by is Grouping.HOUR:
        start = stop - _DAY
    else:
        last_day = (stop - datetime.timedelta(microseconds=1)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        start = last_day - 6 * _DAY
    if start >= stop:
        raise QuestionError(
            f"--from ({start:%Y-%m-%d %H:%M} UTC) must be before --to ({stop:%Y-%m-%d %H:%M} UTC)"
        )
    first = start.replace(minute=0, second=0, microsecond=0)
    last = stop.replace(minute=0, second=0, microsecond=0)
    return first, last if last == stop else last + _HOUR


def _time(option: str, text: str) -> datetime.datetime:
    try:
        return read(text, "UTC").time.astimezone(datetime.UTC)
    except NotAMoment as error:
        raise QuestionError(f"{option}: {error}; without an offset it is UTC") from None


def _ask(
    connection: psycopg.Connection,
    question: Question,
    start: datetime.datetime,
    stop: datetime.datetime,
    only: int | None,
    codes: dict[int, str],
) -> Answer:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found = lines(connection, question.by, start, stop, only)
        if question.by is Grouping.SENSOR:
            found.sort(key=lambda line: (line.key in _NO_DEVICE, _key(line, codes)))
            per_sensor = found
        else:
            per_sensor = lines(connection, Grouping.SENSOR, start, stop, only)
    counts = {int(str(line.key)): line.counts for line in per_sensor}
    refused = [
        (name_of(sensor, codes), seen)
        for sensor, seen in counts.items()
        if sensor not in _NO_DEVICE and seen.messages_refused + seen.readings_refused
    ]
    refused.sort(key=lambda one: -(one[1].messages_refused + one[1].readings_refused))
    return Answer(
        lines=found,
        total=sum((line.counts for line in found), Counts()),
        no_device={sensor: counts[sensor] for sensor in _NO_DEVICE if sensor in counts},
        most_refused=refused[:_WORST],
    )


def name_of(sensor: int, codes: dict[int, str]) -> str:
    """A sensor's code; its number where the registry no longer knows it."""
    return codes.get(sensor, f"sensor {sensor}, not registered")


def _key(line: Line, codes: dict[int, str]) -> str:
    if isinstance(line.key, datetime.datetime):
        return f"{line.key:%Y-%m-%d %H:%M}"
    return name_of(line.key, codes) if isinstance(line.key, int) else line.key.isoformat()


def _as_object(
    question: Question,
    answer: Answer,
    start: datetime.datetime,
    stop: datetime.datetime,
    codes: dict[int, str],
) -> dict[str, object]:
    return {
        "from": start.isoformat(),
        "to": stop.isoformat(),
        "sensor": question.sensor,
        "by": question.by.value,
        "balanced": all(not differences(line.counts) for line in answer.lines),
        "lines": [
            {question.by.value: _key(line, codes), **asdict(line.counts)} for line in answer.lines
        ],
        "total": asdict(answer.total),
        "unknown_devices": asdict(answer.no_device.get(UNKNOWN_SENSOR, Counts())),
        "unreadable_topics": asdict(answer.no_device.get(UNREADABLE_TOPIC, Counts())),
        "most_refused": [{"sensor": name, **asdict(seen)} for name, seen in answer.most_refused],
    }


def _print(
    out: Console,
    question: Question,
    answer: Answer,
    start: datetime.datetime,
    stop: datetime.datetime,
    codes: dict[int, str],
) -> None:
    of = f" of {question.sensor}" if question.sensor else ""
    span = f"{start:%Y-%m-%d %H:%M} to {stop:%Y-%m-%d %H:%M} UTC"
    if not answer.lines:
        out.print(f"Nothing{of} was received from {span}.", highlight=False, markup=False)
        return
    out.print(f"[bold]Received{escape(of)}[/bold], {span}", highlight=False)
    out.print(_table(question.by, answer, codes, out.width))
    for remark in _remarks(answer):
        out.print(remark, highlight=False, markup=False)
    wrong = [_key(line, codes) for line in answer.lines if differences(line.counts)]
    if wrong:
        more = " …" if len(wrong) > _WORST else ""
        out.print(
            f"[red]It does not balance[/red] in {escape(', '.join(wrong[:_WORST]))}{more}:"
            " beffroi ledger --check says where.",
            highlight=False,
        )
    else:
        out.print(
            "[green]It balances:[/green] every message received was decoded or refused, and every"
            " reading decoded was stored, a duplicate or refused."
        )


def _table(by: Grouping, answer: Answer, codes: dict[int, str], width: int) -> Table:
    qos0 = answer.total.messages_qos0 > 0
    table = Table(
        box=None, pad_edge=False, header_style="dim", padding=(0, 2 if width >= _ROOMY else 1, 0, 0)
    )
    table.add_column(f"\n{by.value}")
    for name in ("messages\nreceived", "\ndecoded", "\nrefused"):
        table.add_column(name, justify="right")
    if qos0:
        table.add_column("of these\nat QoS 0", justify="right")
    for name in ("readings\ndecoded", "\nstored", "\nduplicate", "\nrefused"):
        table.add_column(name, justify="right")
    for line in answer.lines:
        style = "red" if differences(line.counts) else ""
        key = line.key
        # The year is in the title.
        name = f"{key:%m-%d %H:%M}" if isinstance(key, datetime.datetime) else _key(line, codes)
        table.add_row(escape(name), *_cells(line.counts, qos0), style=style)
    if len(answer.lines) > 1:
        table.add_section()
        table.add_row("total", *_cells(answer.total, qos0), style="bold")
    return table


def _cells(counts: Counts, qos0: bool) -> list[str]:
    columns = asdict(counts)
    unprotected = columns.pop("messages_qos0")
    cells = [f"{number:,}" for number in columns.values()]
    # "Of these" means those received, so it stands behind what became of them.
    return [*cells[:3], *([f"{unprotected:,}"] if qos0 else []), *cells[3:]]


def _remarks(answer: Answer) -> Iterator[str]:
    unknown = answer.no_device.get(UNKNOWN_SENSOR, Counts()).messages_received
    if unknown:
        yield (
            f"{unknown:,} of the messages came from devices that nobody registered:"
            " beffroi refusals list --reason unknown_sensor"
        )
    unreadable = answer.no_device.get(UNREADABLE_TOPIC, Counts()).messages_received
    if unreadable:
        yield (
            f"{unreadable:,} of the messages had topics that no binding reads:"
            " beffroi refusals list --reason unreadable_topic"
        )
    if answer.total.messages_qos0:
        yield (
            f"{answer.total.messages_qos0:,} of the messages came at QoS 0, which nothing protects"
            " on its way here: publish at QoS 1."
        )
    if answer.most_refused:
        worst = ", ".join(
            f"{name} ({seen.messages_refused + seen.readings_refused:,})"
            for name, seen in answer.most_refused
        )
        yield f"Most refused: {worst}"
