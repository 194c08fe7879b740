"""What `beffroi formats try` prints: step by step for one message, a line each for many."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from zoneinfo import ZoneInfo

import numpy as np
from rich.console import Console
from rich.highlighter import NullHighlighter
from rich.markup import escape
from rich.table import Table

from beffroi.formats.listing import binding_of
from beffroi.formats.trial import NO_SIGNS, NO_TOPIC, Kept, Read, Refused, Trial, Tried
from beffroi.formats.trial_json import CALENDAR_US, as_object
from beffroi.terminal import output, printable
from collector.remedies import REMEDIES
from storage.reading import Flag

WIDTH = 110
SHOWN_WHOLE = 20
"""Messages shown step by step; more get a line each."""
_SHOWN_ROWS = 200


def show(trial: Trial, as_json: bool) -> None:
    """Print all of it."""
    if as_json:
        print(json.dumps(as_object(trial)))
        return
    console = output(WIDTH)
    console.highlighter = NullHighlighter()
    if len(trial.messages) > SHOWN_WHOLE:
        _print_lines(console, trial)
    else:
        for number, tried in enumerate(trial.messages):
            if number:
                console.print()
            if tried.sample.line:
                console.rule(f"line {tried.sample.line}", style="dim")
            _print_message(console, tried, trial)
    if len(trial.messages) > 1:
        console.print()
        console.print(_in_all(trial), soft_wrap=True)


def _print_message(console: Console, tried: Tried, trial: Trial) -> None:
    _step(console, 1, "Topic")
    _print_binding(console, tried, trial)
    _step(console, 2, "What the format reads")
    if tried.read:
        console.print(_table_of_read(tried.read, trial))
    elif not tried.refused or not trial.registry:
        console.print("  no measurement" if not tried.refused else "  nothing")
    else:
        console.print("  nothing that counts")
    if trial.registry:
        _step(console, 3, f"What {trial.registry} makes of it")
        if tried.kept:
            console.print(_table_of_kept(tried.kept))
    if tried.refused:
        console.print(_table_of_refused(tried.refused))
        for reason in dict.fromkeys(one.reason for one in tried.refused):
            console.print(f"  [bold]{reason}[/bold]: {escape(REMEDIES[reason])}", soft_wrap=True)
    console.print()
    console.print(_verdict(tried, trial), soft_wrap=True)


def _step(console: Console, number: int, heading: str) -> None:
    if number > 1:
        console.print()
    console.print(f"[bold]{number}  {escape(heading)}[/bold]")


def _print_binding(console: Console, tried: Tried, trial: Trial) -> None:
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    given = tried.sample.topic.split("/")[0] != NO_TOPIC
    facts.add_row("topic", escape(printable(tried.topic)) if given else "none was given")
    binding = tried.binding
    if tried.bound:
        facts.add_row("binding", escape(printable(binding.topic)))
        facts.add_row("format", binding.format)
    else:
        if trial.registry:
            facts.add_row("binding", f"none of {escape(trial.registry)} fits")
        fits = binding.format not in tried.others
        how = "guessed: the first that fits" if fits else "no format fits"
        how = how if tried.guessed else "as you said"
        facts.add_row("format", f"{binding.format} ({how})")
        for name, why in tried.others.items():
            if why != NO_SIGNS:
                facts.add_row("", f"[dim]not {name}: {escape(printable(why))}[/dim]")
        signless = [name for name, why in tried.others.items() if why == NO_SIGNS]
        if signless:
            facts.add_row("", f"[dim]not {', '.join(signless)}: {NO_SIGNS}[/dim]")
    known = "" if not trial.registry else " (registered)" if tried.known else " (not registered)"
    sensor = escape(printable(tried.sensor)) + known if tried.sensor else "none is named"
    facts.add_row("sensor", sensor)
    console.print(facts)
    if given and not tried.bound:
        console.print("  a binding for it:", style="dim")
        pattern = binding.topic if binding.topic != tried.sample.topic else tried.topic
        said = binding_of(printable(pattern), binding.format)
        console.print("  " + escape(said).replace("\n", "\n  "), soft_wrap=True, highlight=False)


def _table_of_read(read: list[Read], trial: Trial) -> Table:
    several = len({one.sensor for one in read}) > 1
    local = trial.zone != "UTC"
    flagged = any(one.flag != Flag.NOT_EVALUATED for one in read)
    noted = any(one.note or one.offered for one in read)
    table = _table()
    if several:
        table.add_column("sensor", overflow="fold")
    table.add_column("field", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("time (UTC)", no_wrap=True)
    if local:
        table.add_column(_zone_name(trial.zone), no_wrap=True)
    if flagged:
        table.add_column("flag")
    if noted:
        table.add_column("")
    for one in read[:_SHOWN_ROWS]:
        cells = [escape(printable(one.sensor))] if several else []
        cells += [
            escape(printable(one.field)),
            _number(one.value, one.flag),
            "" if one.unit is None else escape(printable(one.unit)),
            "reception" if one.time_us is None else utc(one.time_us),
        ]
        if local:
            cells.append("" if one.time_us is None else _local(one.time_us, trial.zone))
        if flagged:
            cells.append(_flag(one.flag))
        if noted:
            cells.append(f"[dim]{one.note or ('offered' if one.offered else '')}[/dim]")
        table.add_row(*cells)
    return _with_rest(table, len(read))


def _table_of_kept(kept: list[Kept]) -> Table:
    several = len({one.sensor for one in kept}) > 1
    table = _table()
    table.add_column("field", overflow="fold")
    table.add_column("metric", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("stored at (UTC)", no_wrap=True)
    for one in kept[:_SHOWN_ROWS]:
        whose = f"{one.sensor} " if several else ""
        table.add_row(
            escape(printable(whose + one.field)), one.metric, _number(one.value, one.flag),
            escape(one.unit), utc(one.time_us),
        )  # fmt: skip
    return _with_rest(table, len(kept))


def _table() -> Table:
    return Table(box=None, header_style="bold", padding=(0, 1, 0, 1))


def _with_rest(table: Table, rows: int) -> Table:
    if rows > _SHOWN_ROWS:
        table.caption = f"… and {rows - _SHOWN_ROWS} more; --json gives all of them"
    return table


def _table_of_refused(refused: list[Refused]) -> Table:
    table = _table()
    table.add_column("refused", overflow="fold")
    table.add_column("reason", no_wrap=True, style="red")
    table.add_column("why", overflow="fold")
    for one in refused[:_SHOWN_ROWS]:
        what = escape(printable(one.field)) or "the message"
        table.add_row(what, one.reason, escape(printable(one.detail)))
    return _with_rest(table, len(refused))


def _print_lines(console: Console, trial: Trial) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("line", justify="right", no_wrap=True)
    table.add_column("format", no_wrap=True)
    table.add_column("sensor", overflow="fold")
    table.add_column("read", justify="right", no_wrap=True)
    table.add_column("refused", overflow="fold")
    for tried in trial.messages:
        reasons = Counter(str(one.reason) for one in tried.refused)
        words = ", ".join(f"{name} {n}" if n > 1 else name for name, n in reasons.items())
        table.add_row(
            str(tried.sample.line), tried.binding.format, escape(printable(tried.sensor)),
            str(sum(not one.offered for one in tried.read)), f"[red]{words}[/red]",
        )  # fmt: skip
    console.print(table)


def _verdict(tried: Tried, trial: Trial) -> str:
    whole = next((one for one in tried.refused if not one.field), None)
    if whole is not None:
        return f"[bold red]The message is refused: {whole.reason}.[/bold red]"
    counted = sum(not one.offered for one in tried.read)
    if not trial.registry:
        bad = len(tried.refused)
        if bad:
            return f"[bold red]It says {_n(counted, 'reading')}; {bad} refused.[/bold red]"
        if not counted:
            return "[bold green]It says no measurement, and nothing is refused.[/bold green]"
        return (
            f"[bold green]It says {_n(counted, 'reading')}.[/bold green]"
            " With --city it shows which series they belong to."
        )
    if tried.refused:
        return (
            f"[bold red]{_n(len(tried.kept), 'reading')} would be stored,"
            f" {len(tried.refused)} refused.[/bold red]"
        )
    if not tried.kept:
        return "[bold green]Nothing would be stored, and nothing refused.[/bold green]"
    return f"[bold green]{_n(len(tried.kept), 'reading')} would be stored.[/bold green]"


def _in_all(trial: Trial) -> str:
    refused = sum(not one.accepted for one in trial.messages)
    text = f"{len(trial.messages):,} messages: {len(trial.messages) - refused:,} accepted"
    return f"[bold]{text}, {refused:,} with something refused.[/bold]"


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def utc(time_us: int) -> str:
    """A time for people, with as many decimals as it has.

    >>> utc(1709251200000000), utc(1709251200500000)
    ('2024-03-01 00:00:00', '2024-03-01 00:00:00.5')
    """
    if not -CALENDAR_US < time_us < CALENDAR_US:
        return "out of the calendar"
    text = str(np.datetime64(time_us, "us")).replace("T", " ")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _local(time_us: int, zone: str) -> str:
    try:
        since = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        moment = since + datetime.timedelta(microseconds=time_us)
        local = moment.astimezone(ZoneInfo(zone))
        day = "" if local.date() == moment.date() else f"{local:%m-%d} "
        return f"{day}{local:%H:%M:%S %z}"
    except (OverflowError, ValueError):
        return ""


def _zone_name(zone: str) -> str:
    return zone.rsplit("/", 1)[-1].replace("_", " ")


def _number(value: float | None, flag: int) -> str:
    if value is None:
        return "[dim]missing[/dim]" if flag == Flag.MISSING else "[dim]hidden[/dim]"
    return f"{value:.10g}"


def _flag(flag: int) -> str:
    return Flag(flag).name.lower().replace("_", " ") if flag in list(Flag) else str(flag)
