"""`beffroi grafana push`, printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import typer
from rich.console import Console
from rich.markup import escape

from beffroi.terminal import output, printable
from dashboards.delivery.errors import GrafanaError
from dashboards.delivery.push import Options, Pushed, Report
from dashboards.delivery.push import push as deliver
from dashboards.delivery.settings import DeliverySettingError, Settings
from dashboards.delivery.step import Action, Outcome

_KEPT_WIDTH = 160
_COLOURS = {
    Action.CREATE: "green", Action.CHANGE: "yellow", Action.DELETE: "red", Action.LEAVE: "magenta"
}  # fmt: skip
_DONE = {Action.CREATE: "created", Action.CHANGE: "changed", Action.DELETE: "deleted",
         Action.LEAVE: "left"}  # fmt: skip
_MEANT = {Action.CREATE: "to create", Action.CHANGE: "to change", Action.DELETE: "to delete",
          Action.LEAVE: "to leave"}  # fmt: skip


@contextmanager
def told() -> Iterator[Callable[..., Settings]]:
    """Mistakes end in a sentence: status 2 for options, 1 for what a server says."""
    try:
        yield lambda **options: Settings.read(os.environ, **options)
    except DeliverySettingError as error:
        print(f"beffroi: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    except GrafanaError as error:
        print(f"beffroi: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def push(settings: Settings, options: Options, as_json: bool) -> int:
    """Push, print, and return the status of the command."""
    with psycopg.connect(autocommit=True) as connection, telling() as tell:
        report = deliver(connection, settings, options, tell)
    if as_json:
        print(json.dumps(_report(report, options), ensure_ascii=False))
    else:
        _show(report, options)
    return 0 if report.well else 1


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """What is asked just now, where somebody looks."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("Grafana") as status:
        yield lambda what: status.update(escape(printable(what)))


def _show(report: Report, options: Options) -> None:
    console = output(_KEPT_WIDTH)
    errors = Console(stderr=True)
    for warning in report.warnings:
        errors.print(f"[yellow]note[/] {escape(warning)}", soft_wrap=True)
    words = _MEANT if options.dry_run else _DONE
    for one in report.pushed:
        console.print(f"[bold]{escape(one.territory.organisation)}[/]", soft_wrap=True)
        for outcome in one.outcomes:
            for line in _lines(outcome, words, options.dry_run):
                console.print(line, soft_wrap=True, highlight=False)
        if one.problem:
            console.print(f"  [red]failed[/] {escape(one.problem)}", soft_wrap=True)
        console.print(f"  {_summary(one, options.dry_run)}")
    for name in report.gone:
        console.print(
            f"“{escape(name)}”: its territory is not registered any more; nothing was done to it,"
            " delete the organisation in Grafana if nobody needs it",
            soft_wrap=True,
        )


def _lines(outcome: Outcome, words: dict[Action, str], dry_run: bool) -> Iterator[str]:
    step = outcome.step
    what = f"{step.kind} {escape(printable(step.title or step.name))}"
    if outcome.problem:
        yield f"  [red]failed[/] {what}: {escape(printable(outcome.problem))}"
        return
    if step.action is Action.KEEP:
        return
    why = f" ({escape(step.why)})" if step.why else ""
    yield f"  [{_COLOURS[step.action]}]{words[step.action]}[/] {what}{why}"
    if dry_run or step.action is Action.LEAVE:
        for change in step.changes:
            for line in change.lines():
                yield f"      {escape(line)}"


def _summary(one: Pushed, dry_run: bool) -> str:
    counted = [
        f"{number} {words}"
        for action, words in (_MEANT if dry_run else _DONE).items()
        if (number := sum(o.step.action is action and not o.problem for o in one.outcomes))
    ]
    failed = sum(bool(o.problem) for o in one.outcomes) + bool(one.problem)
    if failed:
        counted.append(f"{failed} failed")
    return ", ".join(counted) or "nothing to do"


def _report(report: Report, options: Options) -> dict[str, Any]:
    return {
        "well": report.well,
        "version": report.version.text,
        "dry_run": options.dry_run,
        "warnings": report.warnings,
        "problem": report.problem or None,
        "gone": report.gone,
        "organisations": [
            {
                "territory": one.territory.code,
                "organisation": one.territory.organisation,
                "well": one.well,
                "problem": one.problem or None,
                "steps": [_outcome(outcome) for outcome in one.outcomes],
            }
            for one in report.pushed
        ],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    step = outcome.step
    return {
        "kind": step.kind,
        "name": step.name,
        "title": step.title,
        "action": step.action,
        "why": step.why or None,
        "problem": outcome.problem or None,
        "changes": [
            {"field": one.path, "before": one.before, "after": one.after} for one in step.changes
        ],
    }
