"""`beffroi alerts list`: the sensors that somebody should look after, and what to do."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from beffroi.records import question
from beffroi.sensors import wording
from beffroi.terminal import output, printable
from storage import alert_store, review
from storage.alerts import (
    LANGUAGES,
    Alert,
    Outage,
    to_do,
    to_do_together,
    what,
    what_together,
)

app = typer.Typer(help="Sensors that are silent, stuck, drifting or jumping.", no_args_is_help=True)

KEPT_WIDTH = 120
_COLOURS = {"silence": "red", "stuck": "yellow", "drift": "magenta", "jump": "cyan"}
_OPEN = {"fr": "ouverte depuis", "en": "open since", "de": "offen seit"}
_CLOSED = {"fr": "close", "en": "closed", "de": "geschlossen"}
_NONE = {
    "fr": "Aucune alerte n'est ouverte.",
    "en": "No alert is open.",
    "de": "Es ist keine Warnung offen.",
}


class Language(StrEnum):
    """The reader's."""

    FR = "fr"
    EN = "en"
    DE = "de"


@app.callback()
def _group() -> None:
    """Sensors that are silent, stuck, drifting or jumping."""


@app.command("list")
def list_alerts(
    every: Annotated[
        bool, typer.Option("--all/--open", help="Closed ones too; without: those that are open.")
    ] = False,
    sensor: Annotated[str | None, typer.Option(help="Only of this sensor.")] = None,
    language: Annotated[Language, typer.Option(help="Of the sentences.")] = Language.EN,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")] = 1000,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of text.")
    ] = False,
) -> None:
    """What is the matter with which sensor since when, and what to do about it."""
    with question.told(), wording.connected() as connection:
        if sensor is not None:
            review.named(connection, sensor)  # one that nobody knows has a sentence of its own
        told = alert_store.outages(connection) if sensor is None else []
        # For people one line stands for all that fell silent together.
        but = [] if as_json else [number for one in told for number in one.alert_ids]
        found, more = alert_store.alerts(
            connection, but=but, closed=every, sensor=sensor, limit=limit
        )
    if as_json:
        objects = [_object(one) for one in found]
        outages = [_outage(one) for one in told]
        print(json.dumps({"outages": outages, "alerts": objects, "more": more}))
    else:
        _print(output(KEPT_WIDTH), told, found, more, language.value)


def _outage(one: Outage) -> dict[str, object]:
    return {
        "territory": one.territory, "since": wording.utc(one.since), "silent": one.silent,
        "watched": one.watched, "alerts": list(one.alert_ids),
        "what": {language: what_together(one, language) for language in LANGUAGES},
        "to_do": {language: to_do_together(language) for language in LANGUAGES},
    }  # fmt: skip


def _object(one: Alert) -> dict[str, object]:
    return {
        "alert": one.alert_id, "kind": one.kind.value, "sensor": one.sensor, "field": one.field,
        "metric": one.metric, "unit": one.unit, "territory": one.territory, "site": one.site,
        "since": wording.utc(one.since), "opened_at": wording.utc(one.opened_at),
        "closed_at": wording.utc(one.closed_at), "value": one.value, "reference": one.reference,
        "what": {language: what(one, language) for language in LANGUAGES},
        "to_do": {language: to_do(one.kind, language) for language in LANGUAGES},
    }  # fmt: skip


def _print(out: Console, told: list[Outage], found: list[Alert], more: bool, language: str) -> None:
    """A line for where and since when, one for what, one for what to do."""
    for outage in told:
        out.print(f"[red]silence [/] [bold]{escape(printable(outage.territory))}[/bold]")
        _below(out, what_together(outage, language))
        _below(out, f"[dim]→ {to_do_together(language)}[/dim]")
    if not (told or found):
        out.print(_NONE[language])
    for one in found:
        place = f"{one.territory}/{one.site}"
        # On the clock of the place, as the sentence below tells it.
        zone = ZoneInfo(one.timezone)
        times = f"{_OPEN[language]} {one.opened_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        if one.closed_at is not None:
            times = f"{_CLOSED[language]} {one.closed_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        out.print(
            f"[{_COLOURS[one.kind]}]{one.kind:<8}[/] [bold]{escape(printable(one.sensor))}[/bold]"
            f"  {escape(printable(place))}  [dim]{times}[/dim]",
            highlight=False,
        )
        _below(out, escape(printable(what(one, language))))
        if one.closed_at is None:
            _below(out, f"[dim]→ {escape(to_do(one.kind, language))}[/dim]")
    if more:
        out.print(f"… and more; --limit {2 * len(found)} shows them", highlight=False)


def _below(out: Console, text: str) -> None:
    """A sentence below the head of its alert, indented in all of its lines."""
    out.print(Padding(text, (0, 0, 0, 9), expand=False), highlight=False)
