"""Refusals on a terminal and as JSON."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from beffroi.terminal import printable
from collector.again import Replayed
from collector.remedies import REMEDIES
from storage.intake import Intake
from storage.refused import By, RefusedMessage, Summary
from storage.routes import Routes

WIDTH = 100
_SHOWN_CHARACTERS = 2000
_SHOWN_ROWS = 20
_LONGEST_NAME = 24
_SHORTEST_WORDS = 10
_HEADINGS = ("id", "received (UTC)", "sensor or topic", "reason", "refused")
_NONE = "Nothing is refused."
_NONE_SUCH = "No refusal fits."


class Became(NamedTuple):
    """One reading as it would be decoded now; ``reason`` is empty where it would be stored."""

    sensor: str
    field: str
    time: str
    value: float | None
    unit: str
    reason: str
    detail: str


def becoming(intake: Intake, routes: Routes) -> list[Became]:
    """What decoding one message under the present registry gives; nothing was looked up."""
    code = {sensor_id: name for name, (sensor_id, _) in routes.sensors.items()}
    position = {series: at for at, series in enumerate(routes.series.tolist())}
    found = []
    for row in range(len(intake.batch)):
        value = float(intake.batch.value[row])
        found.append(
            Became(
                code.get(int(intake.sensor[row]), ""),
                intake.field[row],
                str(np.datetime_as_string(intake.batch.time[row], timezone="UTC")),
                value if np.isfinite(value) else None,
                routes.canonical[position[int(intake.batch.series[row])]],
                "",
                "",
            )
        )
    for one in intake.refusals:
        sensor = code.get(one.sensor_id, "")
        found.append(Became(sensor, one.field, "", None, "", one.reason, one.detail))
    return found


def print_list(
    console: Console, messages: list[RefusedMessage], more: bool, everything: bool
) -> None:
    """One line per message."""
    if not messages:
        console.print(_NONE if everything else _NONE_SUCH)
        return
    lines = [_line(message) for message in messages]
    widths = [
        max(len(name), *(len(line[column]) for line in lines))
        for column, name in enumerate(_HEADINGS)
    ]
    # The last column takes what room is left; the table alone would take it from all, and an
    # id that is cut is none. Where too little is left for words, the name gets it.
    room = console.width - sum(widths) + widths[2] - 2 * len(widths)
    rest = room - min(widths[2], _LONGEST_NAME)
    worded = rest >= _SHORTEST_WORDS
    widths[2] = room - rest if worded else max(_SHORTEST_WORDS, min(widths[2], room + 2))
    table = Table(box=None, pad_edge=False, header_style="bold")
    headings = (*_HEADINGS, "first of them") if worded else _HEADINGS
    for heading, width in zip(headings, (*widths, rest), strict=False):
        table.add_column(
            heading, justify="right" if heading in ("id", "refused") else "left", width=width,
            no_wrap=True, overflow="ellipsis",
        )  # fmt: skip
    for line in lines:
        table.add_row(*map(escape, line[: len(headings)]))
    console.print(table)
    if more:
        console.print(f"The newest {len(messages)}; --limit shows more, --by reason sums up.")
    console.print("All of one: beffroi refusals show ID", style="dim")


def print_summary(
    console: Console, by: By, found: list[Summary], more: bool, everything: bool
) -> None:
    """One line per reason, sensor or topic."""
    if not found:
        console.print(_NONE if everything else _NONE_SUCH)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(by, max_width=32, overflow="ellipsis", no_wrap=True)
    table.add_column("messages", justify="right")
    table.add_column("readings", justify="right")
    table.add_column("first (UTC)", no_wrap=True)
    table.add_column("last (UTC)", no_wrap=True)
    table.add_column("e.g. id", justify="right", no_wrap=True)
    for one in found:
        table.add_row(
            escape(printable(one.key)),
            f"{one.messages:,}",
            f"{one.readings:,}",
            f"{one.first:%Y-%m-%d %H:%M}",
            f"{one.last:%Y-%m-%d %H:%M}",
            str(one.message_id),
        )
    console.print(table)
    if more:
        console.print(f"The {len(found)} most frequent; --limit shows more.")


def print_message(console: Console, message: RefusedMessage, now: list[Became] | None) -> None:
    """Everything of one message."""
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("received", f"{message.received_at:%Y-%m-%d %H:%M:%S.%f} UTC")
    facts.add_row("topic", escape(printable(message.topic)))
    facts.add_row("sensor", escape(printable(message.rows[0].sensor)))
    facts.add_row("payload", f"{message.bytes:,} bytes" + _state(message))
    console.print(facts)
    text = readable(message.payload)
    if text:
        console.print()
        console.print(Text(text[:_SHOWN_CHARACTERS]), soft_wrap=True)
        if len(text) > _SHOWN_CHARACTERS:
            console.print("… the beginning; --json gives all of it", style="dim")
    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("refused")
    table.add_column("reason", no_wrap=True)
    table.add_column("why", overflow="fold")
    for row in message.rows[:_SHOWN_ROWS]:
        what = escape(printable(row.field)) or "the message"
        count = max(row.messages if not row.field else row.readings, 1)
        what += f" ({count:,})" if count > 1 else ""
        table.add_row(what, row.reason, escape(printable(row.detail)))
    console.print(table)
    if len(message.rows) > _SHOWN_ROWS:
        rest = len(message.rows) - _SHOWN_ROWS
        console.print(f"… and {rest} more; --json gives all of them", style="dim")
    console.print()
    for reason in dict.fromkeys(row.reason for row in message.rows):
        console.print(f"[bold]{reason}[/bold]: {escape(REMEDIES[reason])}", soft_wrap=True)
    console.print()
    if now is None:
        console.print("It cannot be replayed: not all of its payload is kept.")
        return
    console.print("[bold]Replayed now it would become[/bold]")
    for one in now[:_SHOWN_ROWS]:
        console.print("  " + escape(printable(_words(one))), soft_wrap=True)
    if len(now) > _SHOWN_ROWS:
        console.print(f"  … and {len(now) - _SHOWN_ROWS} more", style="dim")
    if not now:
        console.print("  nothing: all of its fields are ignored")
    if any(not one.reason for one in now):
        console.print(
            "What is stored already counts as duplicate, or as conflict where it differs.",
            style="dim",
        )


def readable(payload: bytes) -> str:
    """JSON indented, other text with escapes, anything else in hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" ")
    try:
        value = json.loads(text)
        if isinstance(value, dict | list):
            # JSON escapes of the signs that move the cursor some, not all.
            lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
            return "\n".join(map(_escaped, lines))
    except (ValueError, RecursionError):
        pass
    return _escaped(text)


def _escaped(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def as_object(message: RefusedMessage) -> dict[str, object]:
    """A message without its payload."""
    return {
        "id": message.message_id,
        "received_at": message.received_at.isoformat(),
        "topic": message.topic,
        "sensor": message.rows[0].sensor,
        "bytes": message.bytes,
        "masked": message.masked,
        "cut": message.cut,
        "refused": [
            {
                "field": row.field, "sensor": row.sensor, "reason": row.reason,
                "detail": row.detail, "readings": row.readings if row.field else 0,
                "messages": row.messages, "remedy": REMEDIES[row.reason],
            }
            for row in message.rows
        ],
    }  # fmt: skip


def as_whole_object(message: RefusedMessage, now: list[Became] | None) -> dict[str, object]:
    """A message with all of its payload, as text where it is text."""
    try:
        payload, encoding = message.payload.decode(), "utf-8"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(message.payload).decode(), "base64"
    return as_object(message) | {
        "payload": payload,
        "payload_encoding": encoding,
        "qos0": message.qos0,
        "retained": message.retained,
        "now": None if now is None else [one._asdict() for one in now],
    }


def summary_as_object(by: By, one: Summary) -> dict[str, object]:
    """A line of a summary."""
    return {
        by: one.key, "messages": one.messages, "readings": one.readings,
        "first": one.first.isoformat(), "last": one.last.isoformat(),
        "example": one.message_id, "detail": one.detail,
    }  # fmt: skip


def replayed(done: Replayed, dry_run: bool) -> str:
    """One sentence."""
    if not done.messages:
        return _NONE_SUCH
    begin = "Nothing was changed; replayed, " if dry_run else ""
    text = (
        f"{begin}{done.messages:,} messages{' would give' if dry_run else ' replayed'}:"
        f" {done.stored:,} readings stored, {done.duplicate:,} duplicates,"
        f" {done.refused:,} still refused."
    )
    if done.cut:
        text += f" {done.cut:,} cannot be replayed: not all of their payload was kept."
    if done.busy:
        text += f" {done.busy:,} were left out because somebody else works on them; try again."
    if done.differing:
        text += (
            f" {done.differing:,} readings stored before would be another value now, or refused;"
            " they stay as they are."
        )
    return text


def replayed_as_object(done: Replayed, dry_run: bool) -> dict[str, object]:
    """The same as JSON."""
    return asdict(done) | {"dry_run": dry_run}


def _line(message: RefusedMessage) -> list[str]:
    first = message.rows[0]
    reasons = list(dict.fromkeys(row.reason for row in message.rows))
    return [
        str(message.message_id),
        f"{message.received_at:%Y-%m-%d %H:%M:%S}",
        printable(_whose(message)),
        reasons[0] + (f" +{len(reasons) - 1}" if len(reasons) > 1 else ""),
        _refused(message),
        printable(f"{first.field}: {first.detail}" if first.field else first.detail),
    ]


def _refused(message: RefusedMessage) -> str:
    if message.whole:
        return "all" if message.rows[0].messages == 1 else f"{message.rows[0].messages:,} whole"
    return f"{sum(row.readings for row in message.rows):,}"


def _whose(message: RefusedMessage) -> str:
    known = next((row.sensor for row in message.rows if row.sensor_id > 0), "")
    return known or message.topic


def _state(message: RefusedMessage) -> str:
    notes = []
    if message.shared:
        notes.append(
            f"not kept; {message.rows[0].messages:,} messages in one minute share this entry"
        )
    elif message.cut:
        notes.append(f"cut, the first {len(message.payload):,} are kept")
    if message.masked:
        notes.append("personal identifiers in it are masked")
    if message.retained:
        notes.append("retained by the broker")
    if message.qos0:
        notes.append("sent at QoS 0")
    return "".join(f"; {note}" for note in notes)


def _words(one: Became) -> str:
    if one.reason:
        what = one.field or "the message"
        return f"{what}: refused, {one.reason}: {one.detail}"
    value = "missing" if one.value is None else f"{one.value:.10g} {one.unit}"
    return f"{one.sensor} {one.field}: {value} at {one.time}"
