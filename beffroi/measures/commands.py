"""`beffroi measures add | import | list | show | evaluate | retire | history`: the options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beffroi.records.question import told

app = typer.Typer(
    help="Public measures: what was decided, and whether the numbers moved with it.",
    no_args_is_help=True,
)

_Code = Annotated[str, typer.Argument(help="The measure's code.")]
_Why = Annotated[str, typer.Option("--why", help="The reason; kept for ever, so name nobody.")]
_Person = Annotated[
    str | None, typer.Option("--person", help="Who says so; without: the user of this machine.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command()
def add(
    code: Annotated[str, typer.Argument(help="Short and lasting, like zfe-2026.")],
    objective: Annotated[str, typer.Option(help="What it is for.")],
    territory: Annotated[str, typer.Option(help="Where, by code.")],
    in_force: Annotated[str, typer.Option(help="The first day it holds: 2026-03-01.")],
    expected: Annotated[str, typer.Option(help="Where the number should go: down or up.")],
    decision: Annotated[str, typer.Option(help="The deliberation or order.")],
    title_fr: Annotated[str, typer.Option(help="At least one title is needed.")] = "",
    title_en: Annotated[str, typer.Option()] = "",
    title_de: Annotated[str, typer.Option()] = "",
    settled: Annotated[
        str, typer.Option(help="The first day that counts as after; days between are left out.")
    ] = "",
    ends: Annotated[str, typer.Option(help="The first day it no longer holds.")] = "",
    indicator: Annotated[str, typer.Option(help="A daily indicator of series or sites.")] = "",
    metric: Annotated[str, typer.Option(help="Its metric; or a metric with --daily.")] = "",
    daily: Annotated[str, typer.Option(help="What of the metric's day: mean or total.")] = "",
    effect: Annotated[str, typer.Option(help="absolute, or percent for counts.")] = "",
    touched_sensors: Annotated[str, typer.Option(help="Separated by semicolons.")] = "",
    touched_sites: Annotated[
        str, typer.Option(help="Sites, or TERRITORY/SITE; without any: the whole territory.")
    ] = "",
    comparison: Annotated[
        str, typer.Option(help="Untouched series of the: city, territory, or elsewhere.")
    ] = "",
    comparison_sensors: Annotated[str, typer.Option(help="Only these instead.")] = "",
    comparison_sites: Annotated[str, typer.Option(help="Only these instead.")] = "",
    min_days: Annotated[str, typer.Option(help="Needed on each side; without: 28.")] = "",
    decision_date: Annotated[str, typer.Option()] = "",
    decision_url: Annotated[str, typer.Option()] = "",
    contact: Annotated[str, typer.Option(help="A service, not a person.")] = "",
    why: _Why = "",
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Register a measure, or correct it: what it was before stays to be read."""
    from beffroi.measures import registering
    from beffroi.measures.wording import who

    cells = {
        "code": code, "objective": objective, "territory": territory, "in_force": in_force,
        "expected": expected, "decision": decision, "title_fr": title_fr, "title_en": title_en,
        "title_de": title_de, "settled": settled, "ends": ends, "indicator": indicator,
        "metric": metric, "daily": daily, "effect": effect, "touched_sensors": touched_sensors,
        "touched_sites": touched_sites, "comparison": comparison,
        "comparison_sensors": comparison_sensors, "comparison_sites": comparison_sites,
        "min_days": min_days, "decision_date": decision_date, "decision_url": decision_url,
        "contact": contact,
    }  # fmt: skip
    with told():
        registering.add(cells, who(person, why), dry_run, as_json)


@app.command("import")
def import_measures(
    file: Annotated[Path, typer.Argument(help="[[measure]] tables in TOML, or lines of CSV.")],
    why: _Why = "",
    person: _Person = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Register the measures of a file; those it leaves out stay as they are."""
    from beffroi.measures import registering
    from beffroi.measures.wording import who

    with told():
        registering.import_measures(file, who(person, why), dry_run, as_json)


@app.command("list")
def list_measures(
    territory: Annotated[str | None, typer.Option(help="Of this territory, by code.")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="Those retired instead.")] = False,
    as_json: _Json = False,
) -> None:
    """What is registered, and what was found of each last."""
    from beffroi.measures import listing

    with told():
        listing.show(territory, retired, as_json)


@app.command()
def show(code: _Code, as_json: _Json = False) -> None:
    """A measure, its last evaluation, and touched less untouched as a chart."""
    from beffroi.measures import evaluating

    with told():
        evaluating.show(code, as_json)


@app.command()
def evaluate(
    codes: Annotated[
        list[str] | None, typer.Argument(help="Measures by code; without any: all.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only with the days before this one; without: today.")
    ] = None,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Compare before and after, touched and untouched, and write down what is new."""
    from beffroi.measures import evaluating

    with told():
        evaluating.evaluate(codes or [], until, dry_run, as_json)


@app.command()
def retire(code: _Code, why: _Why, person: _Person = None, as_json: _Json = False) -> None:
    """Take a measure out of the register, as one entered by mistake; all of it stays to be read."""
    from beffroi.measures import registering
    from beffroi.measures.wording import who

    with told():
        registering.retire(code, who(person, why), as_json)


@app.command()
def history(code: _Code, as_json: _Json = False) -> None:
    """Every version of a measure, who said so, when and why; and every evaluation."""
    from beffroi.measures import listing

    with told():
        listing.history(code, as_json)
