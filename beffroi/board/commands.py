"""`beffroi board` and `beffroi board check`: the options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The public board: serve it, check it.", invoke_without_command=True)


@app.callback()
def serve(
    context: typer.Context,
    stack: Annotated[str, typer.Option("--stack", hidden=True)] = "",
) -> None:
    """Serve the public board until stopped."""
    if context.invoked_subcommand is not None:
        return
    from beffroi.board.serving import board as program
    from beffroi.run import until_stopped

    until_stopped(program)


@app.command()
def check(
    city: Annotated[
        Path | None,
        typer.Argument(help="Screens as this city.toml says; without: as they are registered."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of text.")
    ] = False,
) -> None:
    """What the board's languages do not say yet, and what would not fit on a screen.

    Ends with 1 where there is something to mend.
    """
    from beffroi.board.checking import check as program

    raise typer.Exit(program(city, as_json=as_json))
