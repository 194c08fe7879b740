"""`beffroi indicators list | show | refresh`: the commands."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

from beffroi.records.question import QuestionError, told
from storage.catalogue import Domain

app = typer.Typer(
    help="What the trades make of readings: the catalogue of indicators, and their figures.",
    no_args_is_help=True,
)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
_ISO = "ISO 8601; without an offset in the time zone of the territory"


@app.command("list")
def list_indicators(
    name: Annotated[str | None, typer.Argument(help="All about this indicator.")] = None,
    trade: Annotated[Domain | None, typer.Option(help="Only of this trade.")] = None,
    as_json: _Json = False,
) -> None:
    """Every indicator of the catalogue; with NAME all about one."""
    from beffroi.indicators import listing

    with told():
        listing.show(name, trade, as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="An indicator, as `beffroi indicators list` has it.")],
    of: Annotated[
        str | None,
        typer.Option("--of", help="Only of this sensor, site or territory, by its code."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help=f"Periods from then on: {_ISO}.")
    ] = None,
    stop: Annotated[str | None, typer.Option("--to", help="… that begin before then.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 200,
    as_json: _Json = False,
) -> None:
    """The newest figure of everything it is computed for; with --from all since then."""
    from beffroi.indicators import figures_shown

    with told():
        figures_shown.show(figures_shown.Question(name, of, start, stop, limit), as_json)


@app.command()
def refresh(
    start: Annotated[
        datetime.datetime, typer.Option("--from", help="Periods that touch this time (UTC) …")
    ],
    stop: Annotated[
        datetime.datetime, typer.Option("--to", help="… up to this one, not included.")
    ],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this indicator; may stand repeatedly.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Compute figures anew from the rollups, as after a change of `[air]`, `[mobility]`, `[energy]`."""
    from beffroi.indicators import computing, listing

    with told():
        names = [listing.named(name).name for name in only or ()]
        start, stop = (
            end if end.tzinfo else end.replace(tzinfo=datetime.UTC) for end in (start, stop)
        )
        if start >= stop:
            raise QuestionError("--from must be before --to")
        failed = computing.refresh(start, stop, names, as_json)
    raise typer.Exit(1 if failed else 0)
