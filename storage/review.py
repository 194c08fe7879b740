"""Readings as people review them, and the log of what people changed.

People name a sensor, a metric and a span; this module finds the series meant, shows its
readings with every flag, and writes down who changed what, when and why.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from storage.catalogue import Domain

PIECE = datetime.timedelta(days=7)
"""Long spans are worked through in pieces of this length: progress, and bounded memory."""

_LOCK = 0x72657669  # "revi"
_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


class NotNamed(Exception):
    """No series, or more than one, is what was named; the message says what is meant instead."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A series as people name it. ``low`` to ``high`` is admissible, in ``unit``, the metric's.

    ``begins`` and ``ends`` are ``None`` where it has always been and where it goes on.
    """

    series_id: int
    sensor_id: int
    sensor: str
    metric: str
    field: str
    domain: str
    unit: str
    low: float
    high: float
    step_s: int
    timezone: str
    site: str = ""
    begins: datetime.datetime | None = None
    ends: datetime.datetime | None = None

    def overlaps(self, span: Span) -> bool:
        """Whether some of the span belongs to the series."""
        begun = self.begins is None or self.begins < span.stop
        return begun and (self.ends is None or span.start < self.ends)

    def table(self, name: str) -> sql.Identifier:
        """A table of the series' domain."""
        return sql.Identifier(Domain(self.domain).value, name)


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, stop)``, both with a time zone."""

    start: datetime.datetime
    stop: datetime.datetime

    def parameters(self) -> dict[str, object]:
        """For a statement that says ``%(start)s`` and ``%(stop)s``."""
        return {"start": self.start, "stop": self.stop}


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something, and why."""

    person: str
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading with all that was said of it. ``original`` is the value before a correction."""

    time: datetime.datetime
    series_id: int
    value: float | None
    source: int
    failed: int
    person: int | None
    flag: int
    original: float | None


@dataclass(frozen=True, slots=True)
class Done:
    """A line of the log."""

    action_id: int
    done_at: datetime.datetime
    person: str
    action: str
    sensor: str | None
    metric: str | None
    start: datetime.datetime | None
    stop: datetime.datetime | None
    readings: int
    detail: str
    why: str


def named(
    connection: psycopg.Connection[Any],
    sensor: str,
    metric: str | None = None,
    field: str | None = None,
) -> list[Measured]:
    """The series of a sensor, of one metric or of all, by metric, field and time.

    Raises
    ------
    NotNamed
        With names that are near.
    """
    with connection.cursor(row_factory=class_row(Measured)) as cursor:
        found = cursor.execute(
            """
            SELECT s.series_id, s.sensor_id, n.code AS sensor, s.metric, s.field, m.domain, m.unit,
                   m.low, m.high, s.step_s, t.timezone, t.code || '/' || i.code AS site,
                   nullif(s.valid_from, '-infinity') AS begins,
                   nullif(s.valid_to, 'infinity') AS ends
              FROM city.sensor n
              JOIN city.series s USING (sensor_id)
              JOIN city.metric m USING (metric)
              JOIN city.site i ON i.site_id = s.site_id
              JOIN city.territory t USING (territory_id)
             WHERE n.code = %s AND s.valid_from < s.valid_to
             ORDER BY s.metric, s.field, s.valid_from
            """,
            [sensor],
        ).fetchall()
    if not found:
        known = [
            c for (c,) in connection.execute("SELECT code FROM city.sensor WHERE sensor_id > 0")
        ]
        raise NotNamed(f"sensor {sensor!r} is not registered; {near(sensor, known)}")
    chosen = [one for one in found if metric in (None, one.metric)]
    if not chosen:
        metrics = sorted({one.metric for one in found})
        raise NotNamed(f"sensor {sensor!r} does not measure {metric!r}; {near(metric, metrics)}")
    fields = [one for one in chosen if field in (None, one.field)]
    if not fields:
        names = [one.field for one in chosen]
        raise NotNamed(f"sensor {sensor!r} has no such field as {field!r}; {near(field, names)}")
    return fields


def near(name: str | None, known: list[str]) -> str:
    """What may have been meant."""
    close = difflib.get_close_matches(name or "", known, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not known:
        return "no sensor is registered yet: beffroi register city.toml"
    some = sorted(known)[:5]
    return f"known are {', '.join(some)}{' …' if len(known) > 5 else ''}"


def lock(connection: psycopg.Connection[Any], series: Measured) -> None:
    """Let nobody else change readings of the series until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, series.series_id])


def extent(connection: psycopg.Connection[Any], series: Measured, span: Span | None) -> Span | None:
    """The part of a span, or of all time, that holds readings; ``None`` where there are none."""
    within = sql.SQL("AND time >= %(start)s AND time < %(stop)s" if span else "")
    row = connection.execute(
        sql.SQL("SELECT min(time), max(time) FROM {} WHERE series_id = %(series)s {}").format(
            series.table("reading"), within
        ),
        {"series": series.series_id, **(span.parameters() if span else {})},
    ).fetchone()
    if row is None or row[0] is None:
        return None
    return Span(row[0], row[1] + datetime.timedelta(microseconds=1))


def pieces(span: Span | None) -> Iterator[Span]:
    """A span cut at multiples of :data:`PIECE`, oldest first: no window lies in two pieces."""
    if span is None:
        return
    start = span.start
    while start < span.stop:
        stop = min(span.stop, _EPOCH + ((start - _EPOCH) // PIECE + 1) * PIECE)
        yield Span(start, stop)
        start = stop


def seen(
    connection: psycopg.Connection[Any], series: list[Measured], span: Span, limit: int
) -> list[Seen]:
    """The first readings of a span, by time; ``series`` are all of one domain."""
    query = sql.SQL(
        """
        SELECT v.time, v.series_id, v.value, r.flag AS source, coalesce(t.tests, 0)::int AS failed,
               p.flag AS person, v.flag, c.original
          FROM {readings} v
          JOIN {reading} r ON r.series_id = v.series_id AND r.time = v.time
               AND r.time >= %(start)s AND r.time < %(stop)s
          LEFT JOIN pipeline.reading_flag t
                 ON t.series_id = v.series_id AND t.time = v.time AND t.origin = 'test'
          LEFT JOIN pipeline.reading_flag p
                 ON p.series_id = v.series_id AND p.time = v.time AND p.origin = 'person'
          LEFT JOIN pipeline.correction c ON c.series_id = v.series_id AND c.time = v.time
         WHERE v.series_id = ANY (%(series)s) AND v.time >= %(start)s AND v.time < %(stop)s
         ORDER BY v.time, v.series_id
         LIMIT %(limit)s
        """
    ).format(readings=series[0].table("readings"), reading=series[0].table("reading"))
    with connection.cursor(row_factory=class_row(Seen)) as cursor:
        return cursor.execute(
            query,
            {"series": [one.series_id for one in series], "limit": limit, **span.parameters()},
        ).fetchall()


def write_down(
    connection: psycopg.Connection[Any],
    action: str,
    author: Author,
    span: Span,
    *,
    series: Measured | None = None,
    sensor_id: int | None = None,
    detail: str = "",
) -> int:
    """Begin a line of the log, in the transaction of what it speaks of; returns its number."""
    row = connection.execute(
        """
        INSERT INTO pipeline.action (person, action, series_id, sensor_id, start, stop, readings,
                                     detail, why)
        VALUES (%s, %s, %s, %s, %s, %s, 0, %s, %s)
        RETURNING action_id
        """,
        [
            author.person, action, series.series_id if series else None,
            series.sensor_id if series else sensor_id, span.start, span.stop, detail, author.why,
        ],
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def close_line(connection: psycopg.Connection[Any], action_id: int, readings: int) -> None:
    """End the line with how many readings it was."""
    connection.execute(
        "UPDATE pipeline.action SET readings = %s WHERE action_id = %s", [readings, action_id]
    )


def log(connection: psycopg.Connection[Any], sensor_id: int | None, limit: int) -> list[Done]:
    """What people did, newest first; of one sensor or of all."""
    with connection.cursor(row_factory=class_row(Done)) as cursor:
        return cursor.execute(
            """
            SELECT a.action_id, a.done_at, a.person, a.action, n.code AS sensor, s.metric,
                   a.start, a.stop, a.readings, a.detail, a.why
              FROM pipeline.action a
              LEFT JOIN city.sensor n ON n.sensor_id = a.sensor_id
              LEFT JOIN city.series s ON s.series_id = a.series_id
             WHERE %(sensor)s::int4 IS NULL OR a.sensor_id = %(sensor)s
             ORDER BY a.action_id DESC
             LIMIT %(limit)s
            """,
            {"sensor": sensor_id, "limit": limit},
        ).fetchall()
