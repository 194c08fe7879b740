"""What was discovered, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from beffroi.sensors import wording
from beffroi.sensors.device import Device, Field
from beffroi.sensors.discover import MAX_TOPICS, SAMPLE, Heard
from beffroi.terminal import output, printable

WIDTH = 120
_SHOWN_DEVICES = 50
_SHOWN_FIELDS = 40
_NAMED = 10
_TELLING_S = 0.1  # what comes faster than this was sent at once


def show(found: Heard, write: Path | None, as_json: bool) -> None:
    """Tables, or one JSON object."""
    if as_json:
        print(json.dumps(_object(found)))
        return
    console = output(WIDTH)
    if not found.devices and not found.known:
        _nothing(found, console)
    if found.devices:
        count = len(found.devices)
        console.print(f"[bold]{count} unknown device{'s' if count > 1 else ''}[/bold]")
        _devices(console, found.devices)
    if found.known:
        console.print("\n[bold]Fields of known sensors that nobody has registered[/bold]")
        _devices(console, found.known)
        console.print(
            "\nEach of them needs a line in sensors.csv, or its name in the binding's ignore.",
            soft_wrap=True,
        )  # fmt: skip
    for sensor, messages in found.registered.items():
        console.print(
            f"{messages:,} messages of {escape(printable(sensor))}, which is registered by now,"
            f" wait: beffroi refusals replay --sensor {escape(printable(sensor))}",
            soft_wrap=True,
        )
    if found.more:
        console.print(
            f"There are more topics than the {MAX_TOPICS:,} that are looked into: register these"
            " first, or look at fewer, as with --since 1h.",
            soft_wrap=True,
        )  # fmt: skip
    _proposal(console, found, write)


def _nothing(found: Heard, console: Console) -> None:
    since = wording.utc(found.since.replace(microsecond=0))
    console.print(
        f"No message of an unknown device is kept since {since}. If a device is missing:\n"
        "  does it publish on a topic that a binding covers? beffroi formats try --topic … shows it\n"
        "  does the collector run and hear the broker? beffroi doctor\n"
        "  is it longer ago? --since 7d; refusals are forgotten in time (PROCESSORS_REFUSAL_DAYS)",
        soft_wrap=True, highlight=False,
    )  # fmt: skip


def _devices(console: Console, devices: Sequence[Device]) -> None:
    for device in devices[:_SHOWN_DEVICES]:
        _device(console, device)
    if len(devices) > _SHOWN_DEVICES:
        rest = len(devices) - _SHOWN_DEVICES
        console.print(f"\n… and {rest:,} more; --json has all of them", style="dim")


def _device(console: Console, device: Device) -> None:
    console.print()
    name = escape(printable(device.sensor)) or "(no sensor is named)"
    looks = f", looks like {device.looks_like}" if device.looks_like else ""
    plural = "" if device.messages == 1 else "s"
    console.print(
        f"[bold]{name}[/bold]  {device.form}{looks}, {device.messages:,} message{plural}{_rate(device)},"
        f" first {_time(device, 'first')}, last {_time(device, 'last')}",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    topics = ", ".join(printable(topic) for topic in device.topics[:3])
    more = f" and {len(device.topics) - 3} more" if len(device.topics) > 3 else ""
    place = "/".join(part for part in (device.territory, device.site) if part)
    console.print(
        escape(f"  {topics}{more}  (binding {device.binding})" + (f"  at {place}" if place else "")),
        soft_wrap=True, highlight=False, style="dim",
    )  # fmt: skip
    for what, count in (("cut", device.cut), ("masked", device.masked)):
        if count:
            why = {
                "cut": "not all of the payload is kept",
                "masked": "personal identifiers in them are hidden",
            }[what]
            console.print(f"  {count:,} of them are {what}: {why}", style="dim", highlight=False)
    for reason, count in device.unread.items():
        console.print(
            f"  {count:,} cannot be read: {escape(printable(reason))}",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
    if device.fields:
        console.print(_fields(list(device.fields.values())))
    if len(device.fields) > _SHOWN_FIELDS:
        rest = len(device.fields) - _SHOWN_FIELDS
        console.print(f"  … and {rest} more; --json has all of them", style="dim")


def _fields(fields: Sequence[Field]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("  field", overflow="fold")
    for heading in ("metric", "last", "unit", "from", "to", "every"):
        right = heading in ("last", "from", "to", "every")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for one in fields[:_SHOWN_FIELDS]:
        metric = "(of itself)" if one.offered else str(one.guess)
        table.add_row(
            "  " + escape(printable(one.name)), metric, _number(one.value),
            escape(printable(one.unit or "?")), _number(one.low), _number(one.high),
            f"{one.step_s} s" if one.step_s else "?",
        )  # fmt: skip
    return table


def _proposal(console: Console, found: Heard, write: Path | None) -> None:
    lines, notes = found.proposal.lines, found.proposal.notes
    if notes:
        console.print("\n[bold]To decide[/bold]")
        for note in _gathered(notes):
            console.print(Padding(escape(printable(note)), (0, 0, 0, 2)), highlight=False)
    if not lines:
        if write is not None:
            console.print(f"{escape(str(write))} was not written: no line can be proposed yet.")
        return
    count = f"{len(lines)} line{'s' if len(lines) > 1 else ''}"
    if write is None:
        console.print(f"\n[bold]Proposed for sensors.csv ({count})[/bold]")
        console.print(escape(found.proposal.text()), soft_wrap=True, highlight=False, end="")
        console.print("\nInto a file: --write new.csv; then: beffroi sensors import new.csv")
    else:
        name = escape(str(write))
        console.print(
            f"\n{name}: {count} written. Look it over, then: beffroi sensors import {name}",
            soft_wrap=True, highlight=False,
        )  # fmt: skip


def _gathered(notes: Sequence[str]) -> Iterator[str]:
    """What is said of many alike is said once."""
    of: dict[str, list[str]] = {}
    for note in notes:
        who, _, what = note.partition(": ")
        of.setdefault(what, []).append(who)
    for what, whom in of.items():
        more = f" and {len(whom) - _NAMED:,} more" if len(whom) > _NAMED else ""
        yield f"{', '.join(whom[:_NAMED])}{more}: {what}"


def _rate(device: Device) -> str:
    return f" (one in {device.interval_s:.3g} s)" if device.interval_s >= _TELLING_S else ""


def _time(device: Device, which: str) -> str:
    moment = device.first if which == "first" else device.last
    return f"{moment:%Y-%m-%d %H:%M:%S}Z" if moment is not None else "?"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _object(found: Heard) -> dict[str, object]:
    return {
        "since": wording.utc(found.since),
        "sampled_per_topic": SAMPLE,
        "more": found.more,
        "devices": [_device_object(one) for one in found.devices],
        "known_sensors": [_device_object(one) for one in found.known],
        "registered_by_now": found.registered,
        "proposal": {
            "csv": found.proposal.text() if found.proposal.lines else "",
            "lines": found.proposal.lines,
            "notes": found.proposal.notes,
        },
    }


def _device_object(device: Device) -> dict[str, object]:
    return {
        "sensor": device.sensor, "territory": device.territory, "site": device.site,
        "topics": device.topics, "binding": device.binding, "format": device.form,
        "looks_like": device.looks_like, "messages": device.messages,
        "first": wording.utc(device.first), "last": wording.utc(device.last),
        "interval_s": device.interval_s or None, "sampled": device.sampled, "cut": device.cut,
        "masked": device.masked, "unread": device.unread,
        "fields": [
            {
                "field": one.name, "of_itself": one.offered, "unit": one.unit, "last": one.value,
                "min": one.low, "max": one.high, "step_s": one.step_s,
                "metric": one.guess.metric or None, "guess": str(one.guess.sureness),
            }
            for one in device.fields.values()
        ],
    }  # fmt: skip
