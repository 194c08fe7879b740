"""Alerts in and out of the database.

Opening and closing are idempotent: what is open stays as it was opened, what is closed stays
closed, and a program that was killed goes on where the table stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import numpy as np
import psycopg
from psycopg.rows import dict_row

from storage import binary
from storage.alerts import LANGUAGES, Alert, AlertKind, Outage, together
from storage.reading import FloatArray, IntArray, TimeArray


async def open_alerts(
    connection: asyncpg.Connection,
    kind: AlertKind,
    series: IntArray,
    since: TimeArray,
    value: FloatArray,
    reference: FloatArray,
    now: np.datetime64,
) -> int:
    """Open an alert for each of these series that has none of this kind; returns how many."""
    if not len(series):
        return 0
    rows = await connection.fetch(
        """
        INSERT INTO pipeline.alert (series_id, kind, since, opened_at, value, reference)
        SELECT id, $2, timestamptz '2000-01-01 00:00:00+00' + us * interval '1 microsecond', $6,
               value, reference
          FROM unnest($1::int4[], $3::int8[], $4::float8[], $5::float8[])
            AS a (id, us, value, reference)
            ON CONFLICT (series_id, kind) WHERE closed_at IS NULL DO NOTHING
        RETURNING alert_id
        """,
        series.tolist(),
        kind.value,
        binary.microseconds(since),
        value.tolist(),
        reference.tolist(),
        binary.instant(now),
    )
    return len(rows)


async def close_alerts(
    connection: asyncpg.Connection, kind: AlertKind, series: IntArray, now: np.datetime64
) -> int:
    """Close what is open of this kind for these series; returns how many."""
    if not len(series):
        return 0
    status = await connection.execute(
        "UPDATE pipeline.alert SET closed_at = $3"
        " WHERE closed_at IS NULL AND kind = $2 AND series_id = ANY ($1::int4[])",
        series.tolist(),
        kind.value,
        binary.instant(now),
    )
    return int(status.split()[-1])


async def close_of_the_retired(connection: asyncpg.Connection, now: np.datetime64) -> int:
    """Close what is open for series that are out of service; returns how many."""
    status = await connection.execute(
        """
        UPDATE pipeline.alert a SET closed_at = $1
          FROM city.series s
         WHERE a.closed_at IS NULL AND s.series_id = a.series_id AND s.valid_to <= $1
        """,
        binary.instant(now),
    )
    return int(status.split()[-1])


async def count_open(connection: asyncpg.Connection) -> dict[AlertKind, int]:
    """How many are open, of every kind."""
    rows = await connection.fetch(
        "SELECT kind, count(*) AS n FROM pipeline.alert WHERE closed_at IS NULL GROUP BY kind"
    )
    found = {row["kind"]: row["n"] for row in rows}
    return {kind: found.get(kind.value, 0) for kind in AlertKind}


def outages(connection: psycopg.Connection[Any]) -> list[Outage]:
    """Territories where most of what is watched fell silent at one moment, by code."""
    rows = connection.execute(
        """
        SELECT s.territory, s.timezone, count(*),
               coalesce(array_agg(a.since ORDER BY a.alert_id) FILTER (WHERE a.kind IS NOT NULL), '{}'),
               coalesce(array_agg(a.reference ORDER BY a.alert_id) FILTER (WHERE a.kind IS NOT NULL), '{}'),
               coalesce(array_agg(a.alert_id ORDER BY a.alert_id) FILTER (WHERE a.kind IS NOT NULL), '{}')
          FROM public.series s
          JOIN pipeline.heard h USING (series_id)
          LEFT JOIN pipeline.alert a
                 ON a.series_id = s.series_id AND a.kind = 'silence' AND a.closed_at IS NULL
         WHERE s.in_service AND s.step_s > 0
         GROUP BY s.territory, s.timezone
         ORDER BY s.territory
        """
    ).fetchall()
    found = []
    for territory, timezone, watched, heard, steps, alert_ids in rows:
        if fell := together(heard, steps, watched):
            since, mine = fell
            ids = tuple(alert_ids[at] for at in mine)
            found.append(Outage(territory, timezone, since, len(mine), watched, ids))
    return found


def alerts(
    connection: psycopg.Connection[Any],
    *,
    but: Sequence[int] = (),
    closed: bool = False,
    sensor: str | None = None,
    limit: int = 1000,
) -> tuple[list[Alert], bool]:
    """Alerts that are open, or all of them with ``closed``, without those in ``but``; newest
    first, and whether there are more."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT alert_id, kind, since, opened_at, closed_at, value, reference, unit, series_id,
                   sensor, field, metric, site, site_name, territory, timezone,
                   label_fr, label_en, label_de
              FROM public.alerts
             WHERE (%(closed)s OR closed_at IS NULL)
               AND alert_id <> ALL (%(but)s::int8[])
               AND (%(sensor)s::text IS NULL OR sensor = %(sensor)s)
             ORDER BY opened_at DESC, alert_id DESC
             LIMIT %(limit)s + 1
            """,
            {"closed": closed, "sensor": sensor, "limit": limit, "but": list(but)},
        ).fetchall()
    found = [_alert(row) for row in rows[:limit]]
    return found, len(rows) > limit


def _alert(row: dict[str, Any]) -> Alert:
    labels = {language: row.pop(f"label_{language}") for language in LANGUAGES}
    return Alert(**{**row, "kind": AlertKind(row["kind"])}, labels=labels)
