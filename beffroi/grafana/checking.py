"""`beffroi grafana check`, printed."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from beffroi.grafana.pushing import telling
from beffroi.terminal import output, printable
from dashboards.delivery.check import Report
from dashboards.delivery.check import check as look
from dashboards.delivery.settings import Settings

_KEPT_WIDTH = 160
_SLOWEST = 10


def check(settings: Settings, territories: tuple[str, ...], as_json: bool) -> int:
    """Look, print, and return the status of the command."""
    with telling() as tell:
        report = look(settings, territories, tell)
    slowest = sorted(report.timings, key=lambda one: -one.seconds)[:_SLOWEST]
    if as_json:
        told = {
            "well": report.well,
            "version": report.version.text,
            "queries": report.queries,
            "findings": [asdict(one) for one in report.findings],
            "slowest": [asdict(one) for one in slowest],
        }
        print(json.dumps(told, ensure_ascii=False))
        return 0 if report.well else 1
    _show(report)
    if slowest:
        table = Table("ms", "organisation", "page", "query", title="slowest", box=None,
                      title_justify="left", pad_edge=False)  # fmt: skip
        for one in slowest:
            cells = (f"{one.seconds * 1000:.0f}", one.organisation, one.page, one.of)
            table.add_row(*(escape(printable(cell)) for cell in cells))
        output(_KEPT_WIDTH).print(table)
    return 0 if report.well else 1


def _show(report: Report) -> None:
    console = output(_KEPT_WIDTH)
    of = None
    for one in report.findings:
        if one.organisation != of:
            of = one.organisation
            console.print(f"[bold]{escape(of or 'Grafana')}[/]", soft_wrap=True)
        sign = "[green]ok[/] " if one.well else "[red]bad[/]"
        console.print(
            f"  {sign} {one.check}: {escape(printable(one.found))}", soft_wrap=True, highlight=False
        )
        if one.remedy:
            console.print(f"      → {escape(one.remedy)}", soft_wrap=True, highlight=False)
    wrong = sum(not one.well for one in report.findings)
    console.print(
        f"{report.queries} queries asked; " + (f"{wrong} findings to mend" if wrong else "all well")
    )
