"""How long every Grafana panel takes over a year of 1,000 series, as a reader.

The city of ``wide_city.py`` is filled; then every query of every page is sent as Grafana would
send it, with all chosen that opens so and a range that ends now, as a role that may only look. Run with
``python -m tests.benchmarks.grafana_panels``; ``--here`` asks the filled database that the PG*
variables name, as the reader they name.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import psycopg

from beffroi.embedded.testing import TestCluster
from dashboards.grafana.pages import PAGES
from dashboards.grafana.panel import Kind
from dashboards.grafana.render import in_language
from dashboards.grafana.rules import RULES
from storage.readers import drop_reader, ensure_reader
from tests.benchmarks.rollup_day import machine
from tests.benchmarks.wide_city import build
from tests.grafana.macros import expand, interpolate

AIM_S = 0.5
DAYS = 365
PANEL_POINTS = 1000
ROLE = "beffroi_reader_benchmark"


@contextlib.contextmanager
def filled() -> Iterator[psycopg.Connection[Any]]:
    """A reader's session in a city of its own."""
    with TestCluster() as cluster:
        cluster.template("empty", lambda _: None)
        conninfo = cluster.clone("empty")
        with psycopg.connect(conninfo, autocommit=True) as owner:
            build(owner)
            made = ensure_reader(owner, ROLE, None, new_password=True)
        address = f"postgresql://{ROLE}:{made.password}@{conninfo.partition('@')[2]}"
        with psycopg.connect(address, autocommit=True) as reader:
            yield reader
        with psycopg.connect(conninfo, autocommit=True) as owner:
            drop_reader(owner, ROLE)


def queries(reader: psycopg.Connection[Any], span: datetime.timedelta) -> Iterator[tuple[str, str]]:
    """(what it is, SQL as the data source sends it) of pages and rules."""
    to = datetime.datetime.now(datetime.UTC)
    interval_s = max(span.total_seconds() / PANEL_POINTS, 900)

    def sent(sql: str, values: dict[str, list[str]]) -> str:
        found: str = expand(interpolate(in_language(sql, "fr"), values), to - span, to, interval_s)
        return found

    for page in PAGES:
        values: dict[str, list[str]] = {}
        for choice in page.choices:
            asked = sent(choice.sql, values)
            values[choice.name] = [
                row[1].replace("'", "''") for row in reader.execute(asked.encode()).fetchall()
            ]
            if choice.first:
                values[choice.name] = [choice.first]
            yield f"{page.uid}: choice {choice.name}", asked
        for marks in page.marks:
            yield f"{page.uid}: marks {marks.name['en']}", sent(marks.sql, values)
        for section in page.sections:
            for panel in section.panels:
                if panel.kind is not Kind.TEXT:
                    yield f"{page.uid}: {panel.title['en']}", sent(panel.sql, values)
    for rule in RULES:
        yield f"rule {rule.uid}", sent(rule.sql, {})


def measure(reader: psycopg.Connection[Any], days: int, rounds: int) -> dict[str, object]:
    """Seconds of each query: the median of some, after one that warms up."""
    reader.execute("SET statement_timeout = '120s'")
    cost = {}
    for name, sql in queries(reader, datetime.timedelta(days=days)):
        taken = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            rows = len(reader.execute(sql.encode()).fetchall())
            taken.append(time.perf_counter() - began)
        cost[name] = (median(taken[1:]), rows)
    slowest = sorted(cost.items(), key=lambda item: -item[1][0])
    return {
        "days": days, "queries": len(cost),
        "slowest_s": {name: (round(s, 3), f"{rows} rows") for name, (s, rows) in slowest[:10]},
        "over_aim": sum(s > AIM_S for s, _ in cost.values()),
        "all_s": round(sum(s for s, _ in cost.values()), 2),
        "ratio": round(slowest[0][1][0] / AIM_S, 2),
    }  # fmt: skip


def main() -> None:
    """Print the ten slowest and their ratio to the aim, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with psycopg.connect(autocommit=True) if options.here else filled() as reader:
        (series,) = reader.execute("SELECT count(*) FROM reader.series").fetchone() or (0,)
        report = {**machine(), "series": series, **measure(reader, options.days, options.rounds)}
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return
    for name, value in report.items():
        if isinstance(value, dict):
            for what, (seconds, rows) in value.items():
                print(f"{seconds:8.3f} s  {what} ({rows})")
        else:
            print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
