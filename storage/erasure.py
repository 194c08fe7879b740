"""Legal erasure: the one way by which readings are deleted.

With the readings go what was said of them, what they were before a correction, the rollups
made of them, what watching keeps of them, and refused messages that speak of the sensor. Counts stay, in the log and in
the books, and never a value.

Rollups of every window that the span touches go at once, also where the readings left
retention long ago, and with them the series' figures of all periods that it touches. What
can be computed from readings that are left comes back with the next pass; windows that are
never computed again stay empty, and what lies above them is combined anew from what is left.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from storage import marks, review, watch_erasure
from storage.catalogue import Domain
from storage.corrections import MARK, Progress
from storage.level import Level
from storage.review import Author, Measured, Span

LONGEST_DAY = timedelta(hours=28)
"""No local day is longer: the clock has never been put back by more than 4 h."""

LONGEST_PERIOD = timedelta(days=367)
"""No figure counts for longer than a year."""

_ENDS = {
    Level.QUARTER_HOUR: sql.SQL("start + interval '15 minutes'"),
    Level.HOUR: sql.SQL("start + interval '1 hour'"),
    Level.DAY: sql.SQL(
        "(date_trunc('day', start AT TIME ZONE %(zone)s) + interval '1 day') AT TIME ZONE %(zone)s"
    ),
}
_ALIGNED = {
    Level.HOUR: sql.SQL(
        "start IN (SELECT date_bin('1 hour', s, '2000-01-01 00:00:00+00') FROM unnest(%(starts)s) s)"
    ),
    Level.DAY: sql.SQL(
        "date_trunc('day', start AT TIME ZONE %(zone)s) IN"
        " (SELECT date_trunc('day', s AT TIME ZONE %(zone)s) FROM unnest(%(starts)s) s)"
    ),
}


@dataclass(slots=True)
class Erased:
    """What went: readings and rollup rows per series, refused messages of the sensor."""

    readings: dict[Measured, int] = field(default_factory=dict)
    rollups: dict[Measured, int] = field(default_factory=dict)
    messages: int = 0
    action_ids: list[int] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to erase."""
        return not (self.messages or any(self.readings.values()) or any(self.rollups.values()))


def erase(
    connection: psycopg.Connection[Any],
    series: list[Measured],
    span: Span,
    author: Author,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Erased:
    """Erase these series of one sensor in a span, and its refused messages received then.

    Processors wait meanwhile: a pass that has read what is being erased must not write it.
    """
    erased = Erased()
    with connection.transaction() as transaction:
        if not dry_run:
            for domain in sorted({Domain(one.domain) for one in series}, key=marks.lock_key):
                connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", marks.lock_key(domain))
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", marks.FIGURES)
        series = sorted(series, key=lambda one: one.series_id)
        for one in series:
            review.lock(connection, one)
            erased.readings[one] = erased.rollups[one] = 0
        # Refusals first, as in a replay: neither waits for the other in a circle, and what a
        # replay stored while this waited for it is there when the readings go.
        days = _days_of_refusals(connection, span)
        for number, day in enumerate(days, 1):
            erased.messages += _erase_refusals(connection, series[0], day, dry_run)
            if progress:
                progress(number, len(days) + len(series))
        work = [
            (one, piece)
            for one in series
            for piece in review.pieces(_extent(connection, one, span))
        ]
        for number, (one, piece) in enumerate(work, len(days) + 1):
            _erase_piece(connection, one, piece, erased, dry_run)
            if progress:
                progress(number, len(days) + len(work))
        if erased.nothing:
            raise psycopg.Rollback(transaction)
        if not dry_run:
            for one in series:
                watch_erasure.forget(connection, one, span)
            _log(connection, series[0], span, author, erased)
    return erased


def _extent(connection: psycopg.Connection[Any], series: Measured, span: Span) -> Span | None:
    """The part of a span that holds readings, or rollups of readings that are gone."""
    held = review.extent(connection, series, span)
    level = Level.entered_by(series.step_s)
    row = connection.execute(
        sql.SQL(
            "SELECT min(start), max({ends}) FROM {rollup}"
            " WHERE series_id = %(series)s AND start > %(early)s AND start < %(stop)s"
            "   AND {ends} > %(start)s"
        ).format(ends=_ENDS[level], rollup=series.table(level.value)),
        _parameters(series, span),
    ).fetchone()
    assert row is not None
    rolled = Span(max(row[0], span.start), min(row[1], span.stop)) if row[0] else None
    if held is None or rolled is None:
        return held or rolled
    return Span(min(held.start, rolled.start), max(held.stop, rolled.stop))


def _erase_piece(
    connection: psycopg.Connection[Any],
    series: Measured,
    piece: Span,
    erased: Erased,
    dry_run: bool,
) -> None:
    """A piece of one series: its readings with all that hangs on them, and its windows."""
    level = Level.entered_by(series.step_s)
    parts = {
        "reading": series.table("reading"),
        "rollup": series.table(level.value),
        "in_span": sql.SQL("series_id = %(series)s AND time >= %(start)s AND time < %(stop)s"),
        "touched": sql.SQL(
            "series_id = %(series)s AND start > %(early)s AND start < %(stop)s AND {} > %(start)s"
        ).format(_ENDS[level]),
    }
    parameters = _parameters(series, piece)
    if dry_run:
        query = sql.SQL(
            "SELECT (SELECT count(*) FROM {reading} WHERE {in_span}),"
            "       (SELECT array_agg(start) FROM {rollup} WHERE {touched})"
        )
    else:
        query = sql.SQL(
            """
            WITH gone AS (DELETE FROM {reading} WHERE {in_span} RETURNING time),
                 windows AS (DELETE FROM {rollup} WHERE {touched} RETURNING start),
                 changed AS (SELECT time FROM gone UNION ALL SELECT start FROM windows),
                 flags AS (DELETE FROM pipeline.reading_flag WHERE {in_span}),
                 originals AS (DELETE FROM pipeline.correction WHERE {in_span}),
                 marked AS ({mark})
            SELECT (SELECT count(*) FROM gone), (SELECT array_agg(start) FROM windows)
            """
        )
        parts["mark"] = sql.SQL(MARK).format(changed=sql.SQL("changed"))
    row = connection.execute(query.format(**parts), parameters).fetchone()
    assert row is not None
    erased.readings[series] += row[0]
    erased.rollups[series] += len(row[1] or ())
    if dry_run or not row[1]:
        return
    parameters |= {"starts": row[1], "last": max(row[1]), "early": min(row[1]) - LONGEST_DAY}
    _tell(connection, series, level, row[1])
    for above in list(Level)[list(Level).index(level) + 1 :]:
        gone = connection.execute(
            sql.SQL(
                "DELETE FROM {rollup} WHERE series_id = %(series)s"
                " AND start > %(early)s AND start <= %(last)s AND {aligned} RETURNING start"
            ).format(rollup=series.table(above.value), aligned=_ALIGNED[above]),
            parameters,
        ).fetchall()
        erased.rollups[series] += len(gone)
        _tell(connection, series, above, [start for (start,) in gone])
    _erase_figures(connection, series, piece)


def _tell(
    connection: psycopg.Connection[Any], series: Measured, level: Level, starts: list[datetime]
) -> None:
    """Ask for the figures that were made of erased windows; nothing else would notice."""
    if level is not Level.QUARTER_HOUR:
        connection.execute(
            "INSERT INTO pipeline.changed (level, start, series_id)"
            " SELECT %s, unnest(%s::timestamptz[]), ARRAY[%s::int4]",
            [level.value, starts, series.series_id],
        )


def _erase_figures(connection: psycopg.Connection[Any], series: Measured, piece: Span) -> None:
    """The series' figures, of whatever trade: some are never computed again, as readings go."""
    for domain in Domain:
        connection.execute(
            sql.SQL(
                "DELETE FROM {} WHERE subject_id = %(series)s AND start < %(stop)s"
                " AND stop > %(start)s AND start > %(start)s - make_interval(days => {})"
                " AND indicator_id IN"
                " (SELECT indicator_id FROM city.indicator WHERE subject = 'series')"
            ).format(sql.Identifier(domain.value, "figure"), sql.Literal(LONGEST_PERIOD.days)),
            _parameters(series, piece),
        )


def _parameters(series: Measured, span: Span) -> dict[str, Any]:
    return {
        "series": series.series_id,
        "domain": series.domain,
        "zone": series.timezone,
        "early": span.start - LONGEST_DAY,
        **span.parameters(),
    }


def _days_of_refusals(connection: psycopg.Connection[Any], span: Span) -> list[Span]:
    """The part of a span in which messages were refused, a day at a time."""
    row = connection.execute(
        "SELECT min(received_at), max(received_at) FROM pipeline.refusal"
        " WHERE received_at >= %(start)s AND received_at < %(stop)s",
        span.parameters(),
    ).fetchone()
    assert row is not None
    days: list[Span] = []
    start: datetime | None = row[0]
    while start is not None and start <= row[1]:
        days.append(Span(start, min(start + timedelta(days=1), span.stop)))
        start += timedelta(days=1)
    return days


def _erase_refusals(
    connection: psycopg.Connection[Any], series: Measured, day: Span, dry_run: bool
) -> int:
    """Whole messages: of the sensor, or of nobody known where they name it."""
    names = {series.sensor, json.dumps(series.sensor)[1:-1]}
    pattern = "|".join(_as_escaped(name) for name in sorted(names))
    parameters = {
        "sensor": series.sensor_id,
        "named": f"(^|[^[:alnum:]])({pattern})([^[:alnum:]]|$)",
        **day.parameters(),
    }
    speaks = """
        SELECT message_id FROM pipeline.refusal
         WHERE received_at >= %(start)s AND received_at < %(stop)s
           AND (sensor_id = %(sensor)s OR %(sensor)s = ANY (accepted_sensor)
                OR sensor_id <= 0 AND (encode(convert_to(topic, 'UTF8'), 'escape') ~ %(named)s
                                       OR encode(payload, 'escape') ~ %(named)s))"""
    if dry_run:
        query = f"SELECT count(DISTINCT message_id) FROM ({speaks}) m"
        row = connection.execute(query, parameters).fetchone()
        assert row is not None
        return int(row[0])
    messages = 0
    while True:
        # First rows are locked in order, as replay and retention do. What was replayed while
        # this waited has other rows now: hence once more.
        held = connection.execute(
            f"""
            SELECT message_id FROM pipeline.refusal
             WHERE refusal_id IN (SELECT min(refusal_id) FROM pipeline.refusal
                                   WHERE message_id IN ({speaks}) GROUP BY message_id)
             ORDER BY refusal_id FOR UPDATE
            """,
            parameters,
        ).fetchall()
        if not held:
            return messages
        connection.execute(
            """
            WITH gone AS (
                 DELETE FROM pipeline.refusal WHERE message_id = ANY (%s)
                 RETURNING sensor_id, field, messages, readings, length(payload) AS bytes)
            INSERT INTO pipeline.forgotten AS f (sensor_id, day, cause, messages, readings, bytes)
            SELECT sensor_id, (now() AT TIME ZONE 'UTC')::date, 'erasure',
                   coalesce(sum(messages) FILTER (WHERE field = ''), 0),
                   coalesce(sum(readings) FILTER (WHERE field <> ''), 0), sum(bytes)
              FROM gone GROUP BY sensor_id
                ON CONFLICT (sensor_id, day, cause) DO UPDATE
               SET messages = f.messages + excluded.messages,
                   readings = f.readings + excluded.readings, bytes = f.bytes + excluded.bytes
            """,
            [[message for (message,) in held]],
        )
        messages += len(held)


def _as_escaped(name: str) -> str:
    """A pattern for the name as PostgreSQL's ``escape`` writes bytes."""
    written = "".join(
        chr(byte) if 0 < byte < 128 else f"\\{byte:03o}"
        for byte in name.replace("\\", "\\\\").encode()
    )
    return re.sub(r"([^A-Za-z0-9_ ])", r"\\\1", written)


def _log(
    connection: psycopg.Connection[Any],
    of_sensor: Measured,
    span: Span,
    author: Author,
    erased: Erased,
) -> None:
    """A line per series, and one for the refused messages."""
    for series, readings in erased.readings.items():
        rollups = erased.rollups[series]
        if readings or rollups:
            number = review.write_down(
                connection, "delete", author, span, series=series, detail=f"{rollups} rollups"
            )
            review.close_line(connection, number, readings)
            erased.action_ids.append(number)
    if erased.messages:
        number = review.write_down(
            connection, "delete", author, span, sensor_id=of_sensor.sensor_id,
            detail=f"{erased.messages} refused messages",
        )  # fmt: skip
        erased.action_ids.append(number)
