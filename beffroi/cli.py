"""The command line. Every command only parses, wires and prints."""

from __future__ import annotations

import datetime
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from beffroi import alerts
from beffroi.board import commands as board
from beffroi.embedded import machine
from beffroi.formats import commands as formats
from beffroi.grafana import commands as grafana
from beffroi.indicators import commands as indicators
from beffroi.measures import commands as measures
from beffroi.records import readings, refusals
from beffroi.sensors import commands as sensors_commands
from storage.balance import Grouping

app = typer.Typer(
    name="beffroi",
    help="The connected city's belfry: sensors speak MQTT, everybody sees what it means.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(alerts.app, name="alerts")
app.add_typer(board.app, name="board")
app.add_typer(formats.app, name="formats")
app.add_typer(grafana.app, name="grafana")
app.add_typer(indicators.app, name="indicators")
app.add_typer(measures.app, name="measures")
app.add_typer(refusals.app, name="refusals")
app.add_typer(readings.app, name="readings")
app.add_typer(sensors_commands.app, name="sensors")

_Directory = Annotated[
    Path | None, typer.Option("--dir", help="Where the installation keeps its data and logs.")
]
_City = Annotated[
    Path | None, typer.Option("--city", help="city.toml to register, with sensors.csv beside it.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
_Marker = Annotated[str, typer.Option("--stack", hidden=True)]


@app.command()
def demo(
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so many seconds; without: until Ctrl-C.")
    ] = None,
    sensors: Annotated[int, typer.Option(min=1, help="How many make-believe sensors.")] = 240,
    speed: Annotated[float, typer.Option(min=0.01, help="Simulated seconds per second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.")] = 1,
    history: Annotated[
        float | None,
        typer.Option(min=0, help="Hours of the past to publish beside; 24, or 1 with --seconds."),
    ] = None,
    directory: _Directory = None,
    port: Annotated[int | None, typer.Option(help="The board's port; 0: any free one.")] = None,
    as_json: _Json = False,
) -> None:
    """A make-believe city on a whole installation: publish, store, roll up, show."""
    from beffroi.demo import Demo, run

    wanted = Demo(
        seconds, sensors, speed, seed, history, directory or machine.default_state() / "demo", port,
        as_json,
    )  # fmt: skip
    raise typer.Exit(run(wanted))


@app.command()
def up(
    directory: _Directory = None,
    city: _City = None,
    port: Annotated[int | None, typer.Option(help="The board's port; 0: any free one.")] = None,
) -> None:
    """The embedded stack and all programs, without a simulator, until stopped."""
    from beffroi.up import installation, keep_running
    from storage.city import load

    console = Console(stderr=True)
    where = directory or machine.default_state() / "city"
    loaded = load(city) if city else None
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with installation(where, console, board_port=port, city=loaded) as (
        stack,
        programs,
        registered,
    ):
        if registered:
            console.print(f"Registered: {registered.sensors} sensors, {registered.series} series.")
        console.print(f"[bold]The board is live at {programs.board_url}[/bold]")
        console.print(f'Variables for other programs: eval "$(beffroi env --dir {where})"')
        console.print("Stop with Ctrl-C.")
        keep_running(stack, programs, stopped, console)
        console.print("Stopping.")


@app.command()
def env(directory: _Directory = None) -> None:
    """Print `export` lines of a running installation."""
    from beffroi.up import as_exports, environment_of

    print(as_exports(environment_of(directory or machine.default_state() / "city")))


@app.command()
def simulate(
    seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    sensors: Annotated[int, typer.Option(min=1, help="How many sensors.")] = 240,
    speed: Annotated[float, typer.Option(min=0.01, help="Simulated seconds per second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.")] = 1,
    history: Annotated[float, typer.Option(min=0, help="Hours of the past to send first.")] = 0.0,
    files: Annotated[
        Path | None,
        typer.Option(help="Write city.toml and sensors.csv there instead of registering them."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Publish a make-believe city to the broker that BEFFROI_MQTT_URL names."""
    from beffroi.publishers import Simulation
    from beffroi.publishers import simulate as publish

    wanted = Simulation(seconds, sensors, speed, seed, history, files, as_json)
    raise typer.Exit(publish(wanted))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="The recorded file.")],
    columns: Annotated[Path, typer.Option(help="What its columns mean: a mapping in TOML.")],
    speed: Annotated[
        str, typer.Option(help="Recorded seconds per second, or max: as fast as it goes.")
    ] = "max",
    as_json: _Json = False,
) -> None:
    """Publish a recorded file over MQTT; its sensors are registered first."""
    from beffroi.publishers import replay as publish

    try:
        pace = None if speed == "max" else float(speed)
    except ValueError:
        pace = 0.0
    if pace is not None and not 0 < pace < float("inf"):
        print(f"beffroi: --speed must be a number above 0 or max, got {speed!r}", file=sys.stderr)
        raise typer.Exit(2)
    raise typer.Exit(publish(file, columns, pace, as_json))


@app.command()
def doctor(
    broker_conf: Annotated[
        Path | None,
        typer.Option("--broker-conf", help="The broker's mosquitto.conf, where it is at hand."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Say what works, what does not, and the remedy."""
    from beffroi.doctor.examine import examine
    from beffroi.doctor.finding import Level

    findings = list(examine(os.environ, broker_conf))
    well = all(f.well for f in findings)
    if as_json:
        rows = [
            {
                "check": f.check,
                "well": f.well,
                "level": f.level,
                "found": f.found,
                "remedy": f.remedy,
            }
            for f in findings
        ]
        print(json.dumps({"well": well, "findings": rows}))
    else:
        colours = {Level.OK: "green", Level.NOTE: "yellow", Level.BAD: "red"}
        table = Table(box=None, show_header=False, pad_edge=False)
        for finding in findings:
            table.add_row(
                f"[{colours[finding.level]}]{finding.level}[/]", finding.check,
                escape(finding.found),
            )  # fmt: skip
            if finding.remedy:
                table.add_row("", "", f"→ {escape(finding.remedy)}")
        Console().print(table)
    raise typer.Exit(0 if well else 1)


@app.command()
def ledger(
    check: Annotated[
        bool, typer.Option("--check", help="Count the tables anew; status 1 if anything is off.")
    ] = False,
    adjust: Annotated[
        bool, typer.Option("--adjust", help="Count, and book what is missing; needs --why.")
    ] = False,
    why: Annotated[str | None, typer.Option(help="Why it is missing, with --adjust.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="From this hour of reception (UTC).")
    ] = None,
    stop: Annotated[str | None, typer.Option("--to", help="… up to this one.")] = None,
    sensor: Annotated[str | None, typer.Option(help="Only of this sensor.")] = None,
    by: Annotated[Grouping, typer.Option(help="What a line speaks of.")] = Grouping.DAY,
    as_json: _Json = False,
) -> None:
    """What was received and what became of it; --check counts the tables anew."""
    from beffroi.records.ledger import Question, show
    from beffroi.records.recount import check as recount

    if (why is not None) != adjust or (why is not None and not why.strip()):
        print('beffroi: --adjust and --why "the reason" belong together', file=sys.stderr)
        raise typer.Exit(2)
    if not check and not adjust:
        raise typer.Exit(show(Question(by, start, stop, sensor, as_json)))
    if start or stop:
        print(
            "beffroi: a recount takes everything, because a reading does not say when it was"
            " received; leave out --from and --to",
            file=sys.stderr,
        )
        raise typer.Exit(2)
    raise typer.Exit(recount(sensor, as_json, why))


@app.command()
def migrate() -> None:
    """Bring the database that PG* names to the current schema."""
    import psycopg

    from storage import migrate as migration

    with psycopg.connect() as connection:
        applied = migration.migrate(connection)
    print(
        "\n".join(f"applied {name}" for name in applied) or "nothing to do: the schema is current"
    )


@app.command()
def register(
    city: Annotated[Path, typer.Argument(help="city.toml; sensors.csv lies beside it.")],
    sensors: Annotated[Path | None, typer.Option(help="The sensor list, if elsewhere.")] = None,
    as_json: _Json = False,
) -> None:
    """Register territories, sites and sensors; running programs take them up."""
    import psycopg

    from beffroi import facts_shown
    from beffroi.sensors.wording import as_object, sentences, who
    from storage.changes import Kind
    from storage.city import load
    from storage.registry import register as write

    today = datetime.datetime.now(datetime.UTC).date()
    said_nothing_of = (Kind.NEW, Kind.UNCHANGED)

    loaded = load(city, sensors)
    with psycopg.connect() as connection:
        now = write(connection, loaded, author=who(None, "", needed=False))
    counts = {
        "territories": now.territories, "sites": now.sites, "sensors": now.sensors,
        "series": now.series,
    }  # fmt: skip
    if as_json:
        changes = [as_object(one) for one in now.changes if one.kind not in said_nothing_of]
        facts = [facts_shown.as_object(one, today) for one in now.revised]
        print(json.dumps(counts | {"changes": changes, "revised": facts}))
        return
    for one in now.changes:
        if one.kind not in said_nothing_of:
            print("\n".join(sentences(one, dry_run=False)))
    for revised in now.revised:
        print(facts_shown.sentence(revised, today))
    print(", ".join(f"{n} {what}" for what, n in counts.items()))


@app.command()
def collect(
    leave: Annotated[
        bool,
        typer.Option(
            "--leave",
            help="Drain what waits for COLLECTOR_CLIENT_ID, end its session with the broker, stop.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --leave: print one JSON object.")
    ] = False,
    stack: _Marker = "",
) -> None:
    """Run the collector until stopped; one that finds its client id in use is a standby."""
    from beffroi.collect import collect as program
    from beffroi.run import until_stopped

    until_stopped(lambda stop: program(stop, leave=leave, as_json=as_json))


@app.command()
def process(
    start: Annotated[
        datetime.datetime | None, typer.Option("--from", help="Recompute from this time (UTC).")
    ] = None,
    stop: Annotated[
        datetime.datetime | None, typer.Option("--to", help="… up to this one, not included.")
    ] = None,
    as_json: _Json = False,
    stack: _Marker = "",
) -> None:
    """Run the processor until stopped; with --from and --to recompute that span and end."""
    from beffroi.process import process as program
    from beffroi.process import recompute
    from beffroi.run import until_stopped

    if start is None and stop is None:
        until_stopped(program)
        return
    if start is None or stop is None or start >= stop:
        print("beffroi: give both --from and --to, the first before the second", file=sys.stderr)
        raise typer.Exit(2)
    recompute(_utc(start), _utc(stop), as_json)


def _utc(time: datetime.datetime) -> datetime.datetime:
    return time.replace(tzinfo=datetime.UTC) if time.tzinfo is None else time
