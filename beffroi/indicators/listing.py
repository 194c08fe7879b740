"""The catalogue of indicators, for people or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from beffroi.terminal import output
from storage.catalogue import Domain
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Indicator
from storage.review import NotNamed, near

WIDTH = 110


def named(name: str) -> Indicator:
    """The indicator of that name; one that nobody knows is told with those that are meant."""
    if name not in POSITION:
        raise NotNamed(f"there is no indicator {name!r}; {near(name, list(POSITION))}")
    return INDICATORS[POSITION[name]]


def show(name: str | None, trade: Domain | None, as_json: bool) -> None:
    """Print all of them by trade, or everything of one."""
    if name is not None:
        one = named(name)
        if as_json:
            print(json.dumps(asdict(one)))
        else:
            _print_one(one)
        return
    chosen = [one for one in INDICATORS if trade in (None, one.domain)]
    if as_json:
        print(json.dumps({"indicators": [asdict(one) for one in chosen]}))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("indicator", no_wrap=True)
    table.add_column("of each", no_wrap=True)
    table.add_column("and", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("is", overflow="fold")
    for one in sorted(chosen, key=lambda one: list(Domain).index(one.domain)):
        table.add_row(
            f"[bold]{one.name}[/bold]", one.subject, one.period.replace("_", " "), one.unit,
            escape(one.labels["en"]),
        )  # fmt: skip
    console = output(WIDTH)
    console.print(table)
    console.print("All about one: beffroi indicators list NAME", style="dim")


def _print_one(one: Indicator) -> None:
    console = output(WIDTH)
    console.print(f"[bold]{one.name}[/bold]  {escape(one.labels['en'])}", highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for heading, text in (
        ("fr", one.labels["fr"]), ("de", one.labels["de"]), ("trade", one.domain),
        ("of each", f"{one.subject} and {one.period.replace('_', ' ')}"), ("unit", one.unit),
        ("source", one.source), ("method", one.methods[-1]),
        ("before", ", ".join(one.methods[:-1])), ("classes", ", ".join(one.classes)), ("codes", ", ".join(one.words)),
        ("public", "yes" if one.public else "no"),
    ):  # fmt: skip
        if text:
            table.add_row(heading, escape(text))
    console.print(table)
