"""`beffroi sensors discover | import | list | health | move | retire | history`: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beffroi.records.question import told

app = typer.Typer(
    help="Register devices; move, change and retire them. Everything keeps its history.",
    no_args_is_help=True,
)

_Sensor = Annotated[str, typer.Argument(help="The sensor's code.")]
_From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Since when it holds: ISO 8601, without an offset in the time zone of the territory;"
        " or beginning. Without: from now on.",
    ),
]
_Why = Annotated[str, typer.Option("--why", help="The reason; kept for ever, so name nobody.")]
_Person = Annotated[
    str | None, typer.Option("--person", help="Who decided it; without: the user of this machine.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command("import")
def import_sensors(
    file: Annotated[Path, typer.Argument(help="Lines of sensors.csv, of some sensors or of all.")],
    city: Annotated[
        Path | None,
        typer.Option(
            "--city", help="Register this city.toml too; without, territories are known already."
        ),
    ] = None,
    start: _From = None,
    retire_missing: Annotated[
        bool, typer.Option("--retire-missing", help="Retire the sensors that the file leaves out.")
    ] = False,
    no_replay: Annotated[
        bool, typer.Option("--no-replay", help="Leave the messages that wait for them refused.")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="Written down with what was done.")] = "",
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Register sensors, change those that are known, and store what waited for them."""
    from beffroi.sensors import importing

    with told():
        wanted = importing.Import(file, city, start, retire_missing, not no_replay, dry_run)
        importing.import_sensors(wanted, person, why, as_json)


@app.command()
def discover(
    since: Annotated[
        str, typer.Option(help="Heard since: a while like 90min, 24h or 7d, or a time in ISO 8601.")
    ] = "24h",
    form: Annotated[
        str | None, typer.Option("--format", help="Only what speaks this format, or looks like it.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the proposed lines there; a new file.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Unknown devices whose messages wait: what they say, and lines for sensors.csv."""
    from beffroi.sensors import discover, discover_shown

    with told():
        discover_shown.show(discover.discover(since, form, write), write, as_json)


@app.command("list")
def list_sensors(
    territory: Annotated[str | None, typer.Option(help="Of this territory, by code.")] = None,
    site: Annotated[str | None, typer.Option(help="At this site, by code.")] = None,
    metric: Annotated[str | None, typer.Option(help="That measure this metric.")] = None,
    retired: Annotated[
        bool, typer.Option("--retired", help="Those that are out of service instead.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """What is registered: where it stands, what it measures and how often."""
    from beffroi.sensors import listing

    with told():
        listing.show(territory, site, metric, retired, as_json)


@app.command()
def health(
    sensor: Annotated[str | None, typer.Argument(help="The sensor's code; without: all.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Over so many whole days.")] = 7,
    as_json: _Json = False,
) -> None:
    """How well sensors speak: availability, coverage, good readings, neighbours, alerts."""
    from beffroi.sensors import health as shown

    with told():
        shown.show(sensor, days, as_json)


@app.command()
def move(
    sensor: _Sensor,
    to: Annotated[str, typer.Option("--to", metavar="TERRITORY/SITE", help="Where it stands.")],
    why: _Why,
    start: _From = None,
    site_name: Annotated[
        str, typer.Option("--site-name", help="The site's name, if it is new or has changed.")
    ] = "",
    longitude: Annotated[float | None, typer.Option(min=-180, max=180, help="In degrees.")] = None,
    latitude: Annotated[float | None, typer.Option(min=-90, max=90, help="In degrees.")] = None,
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Say that a sensor stands elsewhere since a time; what it measured before stays there."""
    from beffroi.sensors import changing
    from beffroi.sensors.wording import who

    with told():
        place = changing.site(to, site_name, longitude, latitude)
        changing.move(sensor, place, start, who(person, why), dry_run, as_json)


@app.command()
def retire(
    sensor: _Sensor,
    why: _Why,
    start: _From = None,
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Take a sensor out of service: what it measures since then is refused, the rest stays."""
    from beffroi.sensors import changing
    from beffroi.sensors.wording import who

    with told():
        changing.retire(sensor, start, who(person, why), dry_run, as_json)


@app.command()
def history(sensor: _Sensor, as_json: _Json = False) -> None:
    """What a sensor has been, where and when; and who changed it, when and why."""
    from beffroi.sensors import past

    with told():
        past.show(sensor, as_json)
