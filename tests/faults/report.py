"""All rounds of a run as one report, for programs and for people."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.round import Report


def summarise(seed: int, reports: list[Report]) -> dict[str, Any]:
    """All rounds in one object."""
    drained: dict[str, list[float]] = defaultdict(list)
    for report in reports:
        for fault in report.faults:
            drained[fault.kind].append(fault.drained_s)
    verdicts = [report.verdict for report in reports]
    return {
        "seed": seed,
        "well": bool(reports) and all(report.well for report in reports),
        "faults": sum(len(report.faults) for report in reports),
        "published": sum(report.published for report in reports),
        "promised": sum(verdict.promised for verdict in verdicts),
        "stored": sum(verdict.stored for verdict in verdicts),
        "refused": sum(verdict.refused for verdict in verdicts),
        "lost": sum(verdict.lost for verdict in verdicts),
        "doubled": sum(verdict.doubled for verdict in verdicts),
        "wrong": sum(verdict.wrong for verdict in verdicts),
        "broker_lost": sum(verdict.broker_lost for verdict in verdicts),
        "taken_from_broker": sum(verdict.taken for verdict in verdicts),
        "broker_forgot": sum(verdict.broker_forgot for verdict in verdicts),
        "redeliveries": sum(report.redeliveries for report in reports),
        "resent_by_publisher": sum(report.resent for report in reports),
        "ledgers_balanced": all(report.ledger_balanced for report in reports),
        "rollups_compared": sum(report.rollup_rows for report in reports),
        "rollup_differences": sum(report.rollup_differences for report in reports),
        "collector_peak_mb": max((r.collector_peak_bytes for r in reports), default=0) / 1e6,
        "full_disk": sorted({report.full_disk for report in reports}),
        "sources": sorted({report.source for report in reports}),
        "seconds": sum(report.seconds for report in reports),
        "drained_s": {
            kind: {
                "times": len(times),
                "median": statistics.median(times),
                "max": max(times),
            }
            for kind, times in sorted(drained.items())
        },
        "problems": [problem for report in reports for problem in report.problems],
    }


def show(console: Console, summary: dict[str, Any]) -> None:
    """For people."""
    table = Table(box=None)
    for heading in ("fault", "times", "drained after, median", "max"):
        table.add_column(heading, justify="left" if heading == "fault" else "right")
    for kind, figures in summary["drained_s"].items():
        table.add_row(
            kind, str(figures["times"]), f"{figures['median']:.2f} s", f"{figures['max']:.2f} s"
        )
    console.print(table)
    console.print(
        "{faults} faults in {seconds:.0f} s, seed {seed}; {promised:,} messages promised:"
        " {stored:,} stored, {refused:,} refused, [bold]lost {lost}, doubled {doubled}, wrong"
        " {wrong}[/bold]; broker lost {broker_lost} of {promised:,} and forgot {broker_forgot} it"
        " had handed over; {taken_from_broker} were taken from it on purpose.\n"
        "{redeliveries:,} redeliveries, {resent_by_publisher:,} sent again by the publisher;"
        " {rollups_compared:,} rollups, {rollup_differences} differ;"
        " ledger balanced: {ledgers_balanced}; collector's peak {collector_peak_mb:.0f} MB;"
        " full disk by {full_disk}; sources {sources}.".format(**summary),
        highlight=False,
    )
    for problem in summary["problems"]:
        console.print(f"[red]{problem}[/red]", highlight=False)
