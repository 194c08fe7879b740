"""`beffroi alerts list`: the sensors that somebody should look after, and what to do."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from beffroi.sensors import wording
from beffroi.terminal import output, printable
from storage import alert_store, review
from storage.alerts import LANGUAGES, Alert, to_do, what

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
    with wording.told(), wording.connected() as connection:
        if sensor is not None:
            review.named(connection, sensor)  # one that nobody knows has a sentence of its own
        found, more = alert_store.alerts(connection, closed=every, sensor=sensor, limit=limit)
    if as_json:
        print(json.dumps({"alerts": [_object(one) for one in found], "more": more}))
    else:
        _print(output(KEPT_WIDTH), found, more, every, language.value)


def _object(one: Alert) -> dict[str, object]:
    return {
        "alert": one.alert_id, "kind": one.kind.value, "sensor": one.sensor, "field": one.field,
        "metric": one.metric, "unit": one.unit, "territory": one.territory, "site": one.site,
        "since": wording.utc(one.since), "opened_at": wording.utc(one.opened_at),
        "closed_at": wording.utc(one.closed_at), "value": one.value, "reference": one.reference,
        "what": {language: what(one, language) for language in LANGUAGES},
        "to_do": {language: to_do(one.kind, language) for language in LANGUAGES},
    }  # fmt: skip


def _print(out: Console, found: list[Alert], more: bool, every: bool, language: str) -> None:
    """A line for where and since when, one for what, one for what to do."""
    if not found:
        out.print(_NONE[language])
    for one in found:
        place = f"{one.territory}/{one.site}"
        times = f"{_OPEN[language]} {one.opened_at:%Y-%m-%d %H:%M} UTC"
        if one.closed_at is not None:
            times = f"{_CLOSED[language]} {one.closed_at:%Y-%m-%d %H:%M} UTC"
        out.print(
            f"[{_COLOURS[one.kind]}]{one.kind:<8}[/] [bold]{escape(printable(one.sensor))}[/bold]"
            f"  {escape(printable(place))}  [dim]{times}[/dim]",
            highlight=False,
        )
        out.print(f"         {escape(printable(what(one, language)))}", highlight=False)
        if one.closed_at is None:
            out.print(f"         [dim]→ {escape(to_do(one.kind, language))}[/dim]", highlight=False)
    if more:
        out.print(f"… and more; --limit {2 * len(found)} shows them", highlight=False)
