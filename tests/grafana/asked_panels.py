"""A few literal rows in the database, and what panels of a page return of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dashboards.grafana.page import Page
from dashboards.grafana.panel import Column, Panel
from dashboards.grafana.render import in_language
from storage.indicators.catalogue import INDICATORS, POSITION
from tests.grafana.macros import expand, interpolate

NOW = datetime(2026, 3, 12, 10, 30, tzinfo=UTC)
"""A Thursday, 11:30 in Paris."""


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def read_everything(connection: psycopg.Connection) -> None:
    """Let whoever is connected see what readers see."""
    connection.execute("INSERT INTO city.reader (role, territory_id) VALUES (current_user, NULL)")


def place(
    connection: psycopg.Connection, site: str, territory: str = "paris", located: bool = True
) -> int:
    """Register a site; returns its id."""
    connection.execute(
        "INSERT INTO city.territory (code, name, code_system, timezone)"
        " VALUES (%s, %s, 'test', 'Europe/Paris') ON CONFLICT DO NOTHING",
        [territory, territory.title()],
    )
    row = connection.execute(
        "INSERT INTO city.site (territory_id, code, name, longitude, latitude)"
        " SELECT territory_id, %s, %s, %s, %s FROM city.territory WHERE code = %s"
        " RETURNING site_id",
        [site, site.title(), *((2.3, 48.8) if located else (None, None)), territory],
    ).fetchone()
    assert row is not None
    return int(row[0])


def series(
    connection: psycopg.Connection, site_id: int, sensor: str, metric: str, step_s: int = 900
) -> int:
    """Register a series of a sensor, and the sensor; returns the id of the series."""
    row = connection.execute(
        """
        WITH n AS (INSERT INTO city.sensor (site_id, code) VALUES (%s, %s)
                   ON CONFLICT (code) DO UPDATE SET code = excluded.code RETURNING sensor_id)
        INSERT INTO city.series (sensor_id, metric, field, unit, scale, shift, step_s, stamp)
        SELECT sensor_id, %s, %s, '1', 1, 0, %s, 'start' FROM n RETURNING series_id
        """,
        [site_id, sensor, metric, metric, step_s],
    ).fetchone()
    assert row is not None
    return int(row[0])


def figure(
    connection: psycopg.Connection,
    indicator: str,
    subject: int,
    start: datetime,
    value: float | None,
    *,
    code: int = 0,
    lasts: timedelta = timedelta(hours=1),
    provisional: bool = False,
    indicative: bool = False,
    n: int = 0,
    due: int = 0,
) -> None:
    domain = INDICATORS[POSITION[indicator]].domain.value
    connection.execute(
        f"""
        INSERT INTO {domain}.figure (start, stop, at, value, low, high, subject_id, n, due, code,
                                     indicator_id, status, method, provisional, indicative)
        SELECT %s, %s, '-infinity', %s, 'NaN', 'NaN', %s, %s, %s, %s, indicator_id, 1, 0, %s, %s
          FROM city.indicator WHERE indicator = %s
        """,
        [
            start, start + lasts, "NaN" if value is None else value, subject, n, due, code,
            provisional, indicative, indicator,
        ],
    )  # fmt: skip


def window(
    connection: psycopg.Connection,
    domain: str,
    number: int,
    start: datetime,
    total: float,
    *,
    good: int = 4,
    provisional: bool = False,
    table: str = "rollup_1h",
) -> None:
    """A rollup of so much, of `good` readings of four."""
    connection.execute(
        f"""
        INSERT INTO {domain}.{table} (start, sum, min, max, m2, first, last, x, y, series_id,
                                      expected, received, good, suspect, provisional, sketch)
        VALUES (%s, %s, 'NaN', 'NaN', 0, 'NaN', 'NaN', 'NaN', 'NaN', %s, 4, %s, %s, 0, %s, '')
        """,
        [start, total, number, good, good, provisional],
    )


def alert(
    connection: psycopg.Connection,
    number: int,
    kind: str,
    opened: datetime,
    closed: datetime | None = None,
) -> None:
    connection.execute(
        "INSERT INTO pipeline.alert (series_id, kind, since, opened_at, closed_at, value, reference)"
        " VALUES (%s, %s, %s, %s, %s, 3600, 900)",
        [number, kind, opened - hours(1), opened, closed],
    )


def processed(connection: psycopg.Connection, at: datetime) -> None:
    """The processor was at work in that hour, and looked for alerts."""
    connection.execute(
        "INSERT INTO pipeline.footprint (hour, program, seconds, cpu_s, memory_bytes, database_bytes)"
        " VALUES (%s, 'processor', 3600, 60, 1, 1)",
        [at],
    )


def panel_of(page: Page, title: str) -> Panel:
    (found,) = (
        one for section in page.sections for one in section.panels if one.title["en"] == title
    )
    return found


def asked(
    connection: psycopg.Connection,
    page: Page,
    title: str,
    *,
    language: str = "en",
    now: datetime = NOW,
    span: timedelta = timedelta(hours=24),
    site: Iterable[str] | None = None,
) -> list[dict[str, Any]]:
    """Rows of the panel of that English title, everything chosen but where a `site` is named."""
    chosen: dict[str, list[str]] = {}
    for choice in page.choices:
        sql = interpolate(in_language(choice.sql, language), chosen)
        found = [value for _, value in connection.execute(sql.encode()).fetchall()] or [""]
        chosen[choice.name] = list(site) if site and choice.name == "site" else found
    panel = panel_of(page, title)
    sql = expand(interpolate(in_language(panel.sql, language), chosen), now - span, now, 900)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.encode()).fetchall()
        assert cursor.description is not None
        assert [column.name for column in cursor.description] == list(panel.columns)
    return rows


def number(connection: psycopg.Connection, page: Page, title: str, **more: Any) -> float | None:
    """What a stat shows."""
    ((value,),) = (tuple(row.values()) for row in asked(connection, page, title, **more))
    return None if value is None else float(value)


def color(shown: Panel | Column, value: float) -> str:
    """The colour that thresholds give a value."""
    return [step.color for step in shown.steps if step.value is None or step.value <= value][-1]


def word(shown: Panel | Column, value: float, language: str = "en") -> str:
    """What a value is called."""
    (found,) = (one.label[language] for one in shown.classes if one.value == value)
    return found
