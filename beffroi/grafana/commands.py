"""`beffroi grafana push | check`: the options."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="Grafana: bring pages, alert rules and a reader's data source to it, and look it over.",
    no_args_is_help=True,
)

_Url = Annotated[
    str | None, typer.Option("--url", help="Where Grafana is; without: BEFFROI_GRAFANA_URL.")
]
_User = Annotated[
    str | None,
    typer.Option(
        "--user",
        help="Server administrator; without: BEFFROI_GRAFANA_USER. The password is read from"
        " BEFFROI_GRAFANA_PASSWORD only.",
    ),
]
_Ca = Annotated[
    str | None, typer.Option("--ca", help="File of the authority behind Grafana's certificate.")
]
_Territory = Annotated[
    list[str] | None, typer.Option("--territory", help="Only this one, by code; may be repeated.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.callback()
def _group() -> None:
    """Grafana: bring pages, alert rules and a reader's data source to it, and look it over."""


@app.command()
def push(
    territory: _Territory = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change, and change nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what was changed by hand in Grafana.")
    ] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Give the database roles fresh passwords.")
    ] = False,
    language: Annotated[
        str | None,
        typer.Option(help="Of pages and rules: fr, en or de; without: BEFFROI_GRAFANA_LANGUAGE."),
    ] = None,
    database_address: Annotated[
        str | None,
        typer.Option("--database-address", help="HOST:PORT at which Grafana reaches the database."),
    ] = None,
    database_ca: Annotated[
        str | None,
        typer.Option("--database-ca", help="File of the authority behind its certificate."),
    ] = None,
    url: _Url = None,
    user: _User = None,
    ca: _Ca = None,
    as_json: _Json = False,
) -> None:
    """Bring every territory's organisation to what this version declares."""
    from beffroi.grafana import pushing
    from dashboards.delivery.push import Options

    wanted = Options(tuple(territory or ()), dry_run, force, rotate)
    with pushing.told() as read:
        settings = read(
            url=url, user=user, ca=ca, language=language, database_address=database_address,
            database_ca=database_ca,
        )  # fmt: skip
        raise typer.Exit(pushing.push(settings, wanted, as_json))


@app.command()
def check(
    territory: _Territory = None,
    url: _Url = None,
    user: _User = None,
    ca: _Ca = None,
    as_json: _Json = False,
) -> None:
    """Ask every query of every page and rule, as the browser would; status 1 if one fails."""
    from beffroi.grafana import checking, pushing

    with pushing.told() as read:
        settings = read(url=url, user=user, ca=ca)
        raise typer.Exit(checking.check(settings, tuple(territory or ()), as_json))
