"""The ledger out: what came in, per day, hour or sensor."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from storage.balance import COLUMNS, Counts, Grouping
from storage.intake import UNKNOWN_SENSOR, UNREADABLE_TOPIC

_KEY: dict[Grouping, LiteralString] = {
    Grouping.HOUR: "hour",
    Grouping.DAY: "(hour AT TIME ZONE 'UTC')::date",
    Grouping.SENSOR: "sensor_id",
}
_SUMS = sql.SQL(", ").join(
    sql.SQL("coalesce(sum({}), 0)::int8").format(sql.Identifier(name)) for name in COLUMNS
)


@dataclass(frozen=True, slots=True)
class Line:
    """Counts of an hour (its start, UTC), a UTC day or a sensor id."""

    key: datetime.datetime | datetime.date | int
    counts: Counts


def lines(
    connection: psycopg.Connection,
    by: Grouping,
    start: datetime.datetime | None = None,
    stop: datetime.datetime | None = None,
    sensor_id: int | None = None,
) -> list[Line]:
    """Lines of the reception hours in ``[start, stop)``, in order; without them all."""
    query = sql.SQL(
        """
        SELECT {key}, {sums}
          FROM pipeline.ledger_entry
         WHERE (%(start)s::timestamptz IS NULL OR hour >= %(start)s)
           AND (%(stop)s::timestamptz IS NULL OR hour < %(stop)s)
           AND (%(sensor)s::int4 IS NULL OR sensor_id = %(sensor)s)
         GROUP BY 1
         ORDER BY 1
        """
    ).format(key=sql.SQL(_KEY[by]), sums=_SUMS)
    rows = connection.execute(query, {"start": start, "stop": stop, "sensor": sensor_id})
    return [Line(key, Counts(*counts)) for key, *counts in rows]


def total(connection: psycopg.Connection) -> Counts:
    """Everything that ever came in; sums only, nothing is counted."""
    row = connection.execute(
        sql.SQL("SELECT {} FROM pipeline.ledger_entry").format(_SUMS)
    ).fetchone()
    assert row is not None
    return Counts(*row)


def sensors(connection: psycopg.Connection) -> dict[int, str]:
    """Sensor id → code, in words for the two that are none."""
    codes: dict[int, str] = dict(
        connection.execute("SELECT sensor_id, code FROM city.sensor ORDER BY code").fetchall()
    )
    return codes | {UNKNOWN_SENSOR: "unknown devices", UNREADABLE_TOPIC: "unreadable topics"}


def last_commit(connection: psycopg.Connection) -> datetime.datetime | None:
    """When a batch was last committed, to the hour where that is more than a day ago."""
    row = connection.execute(
        "SELECT greatest((SELECT max(committed_at) FROM pipeline.batch),"
        "                (SELECT max(committed_at) FROM pipeline.attempt),"
        "                (SELECT max(hour) FROM pipeline.sensor_hour))"
    ).fetchone()
    assert row is not None
    found: datetime.datetime | None = row[0]
    return found
