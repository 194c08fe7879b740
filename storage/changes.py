"""What a change of the registry did to a sensor, and the log of who made it, when and why."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.rows import class_row

from storage.review import Author


class Kind(StrEnum):
    """What became of a sensor."""

    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"
    RETIRED = "retired"
    BACK = "back"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Kept:
    """Readings stored under the conversion of before.

    ``scale`` and ``shift`` make of their values what the new conversion would have made;
    ``None`` where their times would be others too.
    """

    metric: str
    field: str
    readings: int
    start: datetime.datetime
    stop: datetime.datetime
    scale: float | None
    shift: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a registration did to one sensor.

    ``site`` is territory/site. ``since`` is ``None`` where it holds since ever. ``carried``
    readings went to another series with it; ``beyond`` are timed after its retirement.
    """

    sensor: str
    kind: Kind
    site: str
    site_before: str | None = None
    since: datetime.datetime | None = None
    details: tuple[str, ...] = ()
    carried: int = 0
    beyond: int = 0
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Logged:
    """Who changed a sensor's registration: when, since when it holds, what and why."""

    done_at: datetime.datetime
    person: str
    action: str
    since: datetime.datetime | None
    readings: int
    detail: str
    why: str


def write_down(
    connection: psycopg.Connection[Any],
    changes: Sequence[tuple[int, Change]],
    author: Author | None,
) -> None:
    """Log changes of sensors, given with their ids, in the transaction that made them."""
    row = connection.execute("SELECT current_user").fetchone()
    assert row is not None
    person, why = (author.person, author.why) if author else (row[0], "")
    lines = "COPY city.change (person, action, sensor_id, since, readings, detail, why) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(lines) as copy:
        for sensor_id, done in changes:
            where = f"{done.site_before} → {done.site}" if done.site_before else done.site
            since = "-infinity" if done.since is None else done.since.isoformat()
            detail = "; ".join((where, *done.details))
            copy.write_row((person, done.kind.value, sensor_id, since, done.carried, detail, why))


def log(connection: psycopg.Connection[Any], sensor: str) -> list[Logged]:
    """All that was done to a sensor's registration, oldest first."""
    with connection.cursor(row_factory=class_row(Logged)) as cursor:
        return cursor.execute(
            """
            SELECT c.done_at, c.person, c.action, nullif(c.since, '-infinity') AS since, c.readings,
                   c.detail, c.why
              FROM city.change c JOIN city.sensor n USING (sensor_id)
             WHERE n.code = %s
             ORDER BY c.change_id
            """,
            [sensor],
        ).fetchall()
