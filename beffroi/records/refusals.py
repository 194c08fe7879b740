"""`beffroi refusals list | show | replay`: the commands; what they do is in `refusal_work`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="What could not be stored: look at it, and replay it after a fix.", no_args_is_help=True
)

_Sensor = Annotated[str | None, typer.Option(help="Of this sensor, also before it was registered.")]
_Reason = Annotated[
    str | None, typer.Option(help="Refused for this reason: unknown_sensor, out_of_range, …")
]
_Topic = Annotated[str | None, typer.Option(help="Of topics that this MQTT filter fits (+, #).")]
_From = Annotated[
    str | None,
    typer.Option("--from", help="Received since; ISO 8601, UTC unless an offset follows."),
]
_To = Annotated[str | None, typer.Option("--to", help="… and before this.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command("list")
def list_refusals(
    sensor: _Sensor = None,
    reason: _Reason = None,
    topic: _Topic = None,
    start: _From = None,
    stop: _To = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 20,
    by: Annotated[
        Literal["reason", "sensor", "topic"] | None, typer.Option(help="Sum up by this instead.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """What was refused, newest first; --by sums it up."""
    from beffroi.records import refusals_work as work

    with work.told():
        work.show_list(work.selection(None, sensor, reason, topic, start, stop), limit, by, as_json)


@app.command()
def show(
    message: Annotated[int, typer.Argument(metavar="ID", help="As the list gives it.")],
    as_json: _Json = False,
) -> None:
    """All of one refused message: payload, reasons, remedies, and what it would become now."""
    from beffroi.records import refusals_work as work

    with work.told():
        work.show_message(work.selection([message]), as_json)


@app.command()
def replay(
    messages: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="These messages.")
    ] = None,
    sensor: _Sensor = None,
    reason: _Reason = None,
    topic: _Topic = None,
    start: _From = None,
    stop: _To = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is refused.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would come of it.")
    ] = False,
    why: Annotated[str, typer.Option(help="Written down with what was done.")] = "",
    person: Annotated[
        str | None, typer.Option(help="Who does it; without: the user of this machine.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Decode refused messages anew, as the registry is now, and store what they say."""
    from beffroi.records import refusals_work as work

    with work.told():
        wanted = work.selection(messages or None, sensor, reason, topic, start, stop)
        work.replay(wanted, everything, person=person, why=why, dry_run=dry_run, as_json=as_json)
