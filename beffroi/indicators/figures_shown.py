"""Figures of an indicator as a table with a line of bars, or as JSON."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from rich.markup import escape
from rich.table import Table

from beffroi.indicators.listing import named
from beffroi.records import instants
from beffroi.sensors.wording import connected
from beffroi.terminal import output
from storage.indicators.word import Indicator, Period, Subject
from storage.review import NotNamed, near

WIDTH = 110
BARS = "▁▂▃▄▅▆▇█"
GAP = "·"

_SUBJECT: dict[Subject, LiteralString] = {
    Subject.SERIES: "f.sensor",
    Subject.SITE: "f.site",
    Subject.TERRITORY: "f.territory",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, as it was typed."""

    name: str
    of: str | None
    start: str | None
    stop: str | None
    limit: int


def show(asked: Question, as_json: bool) -> None:
    """Print the newest figure of every subject, or all of a span."""
    one = named(asked.name)
    with connected() as connection:
        rows = _rows(connection, one, asked)
    more, rows = len(rows) > asked.limit, rows[: asked.limit]
    if as_json:
        figures = [{key: _plain(value) for key, value in row.items()} for row in rows]
        print(
            json.dumps({"indicator": one.name, "unit": one.unit, "figures": figures, "more": more})
        )
    elif not rows:
        print(f"{one.name} has no figure {'there' if asked.of or asked.start else 'yet'}")
    else:
        _print(one, rows, more)


def _rows(
    connection: psycopg.Connection[Any], one: Indicator, asked: Question
) -> list[dict[str, Any]]:
    """Figures by subject and time."""
    codes = sql.SQL(_SUBJECT[one.subject])
    zone = "UTC"
    if asked.of is not None:
        found = connection.execute(
            sql.SQL(
                """
                SELECT DISTINCT {code} AS code, t.timezone
                  FROM {figures} f JOIN city.territory t ON t.code = f.territory
                 WHERE f.indicator = %s
                """
            ).format(code=codes, figures=sql.Identifier(one.domain, "figures")),
            [one.name],
        ).fetchall()
        zones = dict(found)
        if asked.of not in zones:
            raise NotNamed(
                f"{one.name} has no figure of a {one.subject} {asked.of!r}; "
                + (near(asked.of, list(zones)) if zones else "it has none at all yet")
            )
        zone = zones[asked.of]
    start, stop = (
        None if end is None else instants.read(end, zone).time for end in (asked.start, asked.stop)
    )
    newest = asked.start is None and asked.stop is None
    query = sql.SQL(
        """
        SELECT {newest} {code} AS code, f.metric, f.site, f.territory, t.timezone, f.start, f.stop,
               f.at, f.value, f.low, f.high, f.n, f.due, f.status, f.method, f.class, f.words, f.provisional,
               f.indicative, f.subject_id
          FROM {figures} f
          JOIN city.territory t ON t.code = f.territory
         WHERE f.indicator = %(name)s AND (%(of)s::text IS NULL OR {code} = %(of)s)
           AND (%(start)s::timestamptz IS NULL OR f.start >= %(start)s)
           AND (%(stop)s::timestamptz IS NULL OR f.start < %(stop)s)
         ORDER BY {order}
         LIMIT %(limit)s
        """
    ).format(
        newest=sql.SQL("DISTINCT ON (f.subject_id)" if newest else ""),
        order=sql.SQL("f.subject_id, f.start DESC" if newest else "f.subject_id, f.start"),
        code=codes, figures=sql.Identifier(one.domain, "figures"),
    )  # fmt: skip
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            query,
            {
                "name": one.name, "of": asked.of, "start": start, "stop": stop,
                "limit": asked.limit + 1,
            },
        ).fetchall()  # fmt: skip


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def _print(one: Indicator, rows: Sequence[dict[str, Any]], more: bool) -> None:
    console = output(WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (one.subject, one.period.replace("_", " ")):
        table.add_column(str(heading), no_wrap=True)
    table.add_column(one.unit, justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        name = f"{row['code']} {row['metric'] or ''}".strip()
        table.add_row(
            escape(name), _period(one.period, row), _value(row), _made_of(row), _said(row)
        )
    console.print(f"[bold]{one.name}[/bold]  {escape(one.labels['en'])}", highlight=False)
    for subject, some in itertools.groupby(rows, key=lambda row: row["subject_id"]):
        values = [row["value"] for row in some]
        if len(values) > 2:
            code = next(row["code"] for row in rows if row["subject_id"] == subject)
            console.print(f"{escape(code)}  {bars(values)}", highlight=False, soft_wrap=True)
    console.print(table)
    if more:
        console.print("There are more: narrow it with --from, --to and --of, or raise --limit.")


def bars(values: Sequence[float | None]) -> str:
    """One letter per value, from 0 or the least to the greatest; a dot where there is none.

    Examples
    --------
    >>> bars([0.0, 5.0, None, 10.0])
    '▁▅·█'
    """
    known = [value for value in values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(GAP if value is None else BARS[round((value - low) * scale)] for value in values)


def _period(period: Period, row: dict[str, Any]) -> str:
    zone = ZoneInfo("UTC") if period.startswith("air_") else ZoneInfo(row["timezone"])
    if period.startswith("air_"):
        # The regulator's day begins before or after the day of UTC that it is named by.
        middle = row["start"] + (row["stop"] - row["start"]) / 2
        return f"{middle:%Y-%m-%d}" if period is Period.AIR_DAY else f"{middle:%Y}"
    start = row["start"].astimezone(zone)
    form = {
        Period.YEAR: "%Y", Period.MONTH: "%Y-%m", Period.DAY: "%Y-%m-%d", Period.WEEK: "%G-W%V"
    }.get(period, "%Y-%m-%d %H:%M")  # fmt: skip
    return f"{start:{form}}"


def _value(row: dict[str, Any]) -> str:
    return "–" if row["value"] is None else f"{row['value']:,.4g}"


def _made_of(row: dict[str, Any]) -> str:
    return f"{row['n']:,}/{row['due']:,}" if row["due"] else ""


def _said(row: dict[str, Any]) -> str:
    """What else is known, in words."""
    zone = ZoneInfo(row["timezone"])
    said = [row["class"] or "", ", ".join(word for word in row["words"] or () if word)]
    if row["at"] is not None:
        said.append(f"at {row['at'].astimezone(zone):%Y-%m-%d %H:%M}")
    if row["low"] is not None and row["high"] is not None:
        said.append(f"{row['low']:,.4g} to {row['high']:,.4g}")
    said += [row["status"]] if row["status"] != "complete" else []
    said += [word for word in ("provisional", "indicative") if row[word]]
    return escape("; ".join(part for part in said if part))
