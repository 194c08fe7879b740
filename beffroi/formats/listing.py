"""`beffroi formats list`: every format as it describes itself."""

from __future__ import annotations

import difflib
import json

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from beffroi.records.question import QuestionError
from beffroi.terminal import output
from collector.formats.format import Format
from collector.formats.registry import FORMATS

WIDTH = 100


def named(name: str) -> Format:
    """The format of that name; one that nobody knows is told with those that are meant."""
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name.lower(), FORMATS, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(FORMATS)}"
    raise QuestionError(f"there is no format {name!r}; {hint}")


def binding_of(topic: str, form: str) -> str:
    """A binding as it stands in city.toml."""
    return f'[[binding]]\ntopic = {json.dumps(topic, ensure_ascii=False)}\nformat = "{form}"'


def show(name: str | None, as_json: bool) -> None:
    """Print all formats by title, or everything of one."""
    console = output(WIDTH)
    if name is not None:
        one = named(name)
        if as_json:
            print(json.dumps(_as_object(one)))
        else:
            _print_one(console, one)
    elif as_json:
        print(json.dumps({"formats": [_as_object(one) for one in FORMATS.values()]}))
    else:
        _print_all(console)


def _as_object(one: Format) -> dict[str, str]:
    said = {
        "name": one.name, "title": one.title, "topic": one.topic, "sensor": one.sensor,
        "fields": one.fields, "units": one.units, "time": one.time,
        "passed_over": one.passed_over, "binding": binding_of(one.topic, one.name),
    }  # fmt: skip
    return said


def _print_all(console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("format", no_wrap=True, style="bold")
    table.add_column("what it reads", overflow="fold")
    for one in FORMATS.values():
        table.add_row(one.name, f"{escape(one.title)}\n[dim]{escape(one.topic)}[/dim]")
    console.print(table)
    console.print()
    console.print("In the order in which a format is guessed.", style="dim")
    console.print("All about one: beffroi formats list NAME", style="dim")


def _print_one(console: Console, one: Format) -> None:
    console.print(f"[bold]{one.name}[/bold]  {escape(one.title)}", highlight=False)
    console.print()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for heading, text in (
        ("sensor", one.sensor), ("fields", one.fields), ("units", one.units), ("time", one.time),
        ("passed over", one.passed_over),
    ):  # fmt: skip
        if text:
            table.add_row(heading, escape(text))
    console.print(table)
    console.print()
    console.print("A binding in city.toml:", style="bold")
    console.print(escape(binding_of(one.topic, one.name)), soft_wrap=True, highlight=False)
