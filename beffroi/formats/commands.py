"""`beffroi formats list | try`: the commands; what they do is in `listing` and `trial`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beffroi.records.question import told

app = typer.Typer(
    help="Payload formats: what each is, and what a message becomes or why it is refused.",
    no_args_is_help=True,
)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command("list")
def list_formats(
    name: Annotated[str | None, typer.Argument(help="All about this format.")] = None,
    as_json: _Json = False,
) -> None:
    """Every payload format that a binding may name; with NAME all about one."""
    from beffroi.formats import listing

    with told():
        listing.show(name, as_json)


@app.command("try")
def try_message(
    file: Annotated[
        Path | None,
        typer.Argument(help="The payload, or one JSON payload per line; - reads standard input."),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="The message's topic; without: from FILE's *.topic.txt beside it."),
    ] = None,
    payload: Annotated[
        str | None, typer.Option(help="The payload itself, or @FILE.", metavar="TEXT|@FILE")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Read it as this format, whatever a binding says."),
    ] = None,
    city: Annotated[
        Path | None,
        typer.Option(
            help="Against this city.toml (and sensors.csv); without: the database that PG* names."
        ),
    ] = None,
    as_hex: Annotated[bool, typer.Option("--hex", help="The payload is in hexadecimal.")] = False,
    as_base64: Annotated[bool, typer.Option("--base64", help="The payload is in base64.")] = False,
    received: Annotated[
        str | None, typer.Option(help="Received then; ISO 8601, UTC unless an offset follows.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA zone of times without an offset, and to show.")
    ] = None,
    sensor: Annotated[
        str | None, typer.Option(help="Which segment of the topic names the sensor.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Step by step what a message becomes, or why it is refused; nothing is stored.

    Status 0: all readings would be accepted; 1: something is refused; 2: the words are off.
    """
    from beffroi.formats import samples, trial, trial_shown

    with told():
        found = samples.read(file, topic, payload, as_hex=as_hex, as_base64=as_base64)
        how = trial.How(form, city, received, timezone, sensor)
        tried = trial.run(found, how)
    trial_shown.show(tried, as_json)
    raise typer.Exit(0 if tried.accepted else 1)
