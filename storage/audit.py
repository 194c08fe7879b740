"""The ledger counted anew from the tables, as an auditor takes stock.

One pass over the readings' chunks, a chunk at a time, and one over the refusals; no table is
read twice and nothing is sorted. Everything is seen in one snapshot, so it is right while
collectors commit, batches are folded and refusals forgotten; rows are not locked, but chunks
cannot be dropped before the recount ends.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from storage.balance import COLUMNS, Counts, Difference, Equation, Grouping, Held, differences
from storage.books import lines
from storage.catalogue import DOMAINS

UNREGISTERED = -2
"""Stands for series that the registry does not know."""
_LOCK = 0x6C656467  # "ledg"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not balance.

    Attributes
    ----------
    hour
        The reception hour (UTC) of an equation within the ledger; None where the tables
        disagree with it, for they do not know when a reading was received.
    dropped
        The oldest readings kept begin after the sensor's first reception hour: chunks were
        dropped.
    """

    sensor_id: int
    difference: Difference
    hour: datetime.datetime | None = None
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Recount:
    """What was counted, per sensor id, and what does not balance."""

    counts: dict[int, Counts]
    held: dict[int, Held]
    findings: list[Finding]
    rows: int

    @property
    def total(self) -> tuple[Counts, Held]:
        """Ledger and tables as a whole."""
        return sum(self.counts.values(), Counts()), sum(self.held.values(), Held())


class AdjustingError(Exception):
    """Somebody else books a recount; the message says what to do."""


def recount(
    connection: psycopg.Connection, sensor_id: int | None = None, progress: Progress | None = None
) -> Recount:
    """Compare ledger and tables, of one sensor or of all; ``progress`` hears of chunks done."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Before the snapshot is taken: a chunk dropped after it would seem empty.
        connection.execute(
            sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(
                sql.SQL(", ").join(sql.Identifier(domain, "reading") for domain in DOMAINS)
            )
        )
        held: defaultdict[int, Held] = defaultdict(Held)
        rows = 0
        for sensor, readings in _rows(connection, sensor_id, progress):
            held[sensor] += Held(readings=readings)
            rows += readings
        for sensor, *counted in (*_refused(connection), *_left(connection)):
            if sensor_id in (None, sensor):
                held[sensor] += Held(*counted)
        counts = {
            int(str(line.key)): line.counts
            for line in lines(connection, Grouping.SENSOR, sensor_id=sensor_id)
        }
        findings = list(_unequal_hours(connection, sensor_id))
        off = [
            (sensor, found)
            for sensor in sorted(counts.keys() | held.keys())
            for found in differences(counts.get(sensor, Counts()), held[sensor])
            # The equations within the ledger were looked at hour by hour.
            if found.equation not in (Equation.MESSAGES, Equation.READINGS)
        ]
        dropped = _dropped(
            connection, [sensor for sensor, found in off if found.equation is Equation.STORED]
        )
    findings += [Finding(sensor, found, dropped=sensor in dropped) for sensor, found in off]
    return Recount(counts, dict(held), findings, rows)


def adjust(
    connection: psycopg.Connection, sensor_id: int | None, person: str, why: str,
    progress: Progress | None = None,
) -> Recount:  # fmt: skip
    """Recount, and book what the tables have too few or too many, so that the next one agrees.

    The ledger stays as it is: ``pipeline.action`` says who found what missing, and why.
    Equations within the ledger cannot be adjusted.
    """
    locked = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    if not (locked and locked[0]):
        # Two at once would book the same difference twice.
        raise AdjustingError("somebody else adjusts the ledger now; try again when that has ended")
    try:
        done = recount(connection, sensor_id, progress)
        with connection.transaction():
            for finding in done.findings:
                if finding.hour is None:
                    connection.execute(
                        "INSERT INTO pipeline.action"
                        " (person, action, sensor_id, readings, detail, why)"
                        " VALUES (%s, 'adjust', %s, %s, %s, %s)",
                        (
                            person,
                            finding.sensor_id,
                            finding.difference.ledger - finding.difference.found,
                            finding.difference.equation,
                            why,
                        ),
                    )
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return done


def _rows(
    connection: psycopg.Connection, sensor_id: int | None, progress: Progress | None
) -> Iterator[tuple[int, int]]:
    """(sensor, rows) of the hypertables, chunk by chunk."""
    sensor_of: dict[int, int] = dict(
        connection.execute("SELECT series_id, sensor_id FROM city.series").fetchall()
    )
    only = [series for series, sensor in sensor_of.items() if sensor == sensor_id]
    chunks = connection.execute(
        "SELECT chunk_schema, chunk_name FROM timescaledb_information.chunks"
        " WHERE hypertable_name = 'reading' AND hypertable_schema = ANY (%s)"
        " ORDER BY hypertable_schema, range_start",
        (list(DOMAINS),),
    ).fetchall()
    for number, chunk in enumerate(chunks):
        if progress:
            progress(number, len(chunks))
        query = sql.SQL("SELECT series_id, count(*) FROM {} {} GROUP BY series_id").format(
            sql.Identifier(*chunk),
            sql.SQL("" if sensor_id is None else "WHERE series_id = ANY (%(only)s)"),
        )
        for series, readings in connection.execute(query, {"only": only}):
            yield sensor_of.get(series, UNREGISTERED), readings
    if progress:
        progress(len(chunks), len(chunks))


def _refused(connection: psycopg.Connection) -> list[tuple[int, int, int, int]]:
    """(sensor, 0, readings, messages) of the refusals that are kept and those forgotten."""
    return connection.execute(
        """
        SELECT sensor_id, 0, sum(refused)::int8, sum(undecoded)::int8
          FROM (SELECT sensor_id, coalesce(sum(readings) FILTER (WHERE field <> ''), 0) AS refused,
                       coalesce(sum(messages) FILTER (WHERE field = ''), 0) AS undecoded
                  FROM pipeline.refusal
                 GROUP BY sensor_id
                UNION ALL
                SELECT sensor_id, readings, messages FROM pipeline.forgotten) r
         GROUP BY sensor_id
        """
    ).fetchall()


def _left(connection: psycopg.Connection) -> list[tuple[int, int, int, int]]:
    """(sensor, readings, refused readings, refused messages) erased, or adjusted before."""
    return connection.execute(
        """
        SELECT coalesce(s.sensor_id, a.sensor_id, %s) AS sensor,
               coalesce(sum(a.readings) FILTER (WHERE a.action = 'delete' OR a.detail = %s), 0)::int8,
               coalesce(sum(a.readings) FILTER (WHERE a.action = 'adjust' AND a.detail = %s), 0)::int8,
               coalesce(sum(a.readings) FILTER (WHERE a.action = 'adjust' AND a.detail = %s), 0)::int8
          FROM pipeline.action a
          LEFT JOIN city.series s ON s.series_id = a.series_id
         WHERE a.action = 'delete' AND a.series_id IS NOT NULL
            OR a.action = 'adjust'
         GROUP BY sensor
        """,
        (
            UNREGISTERED,
            Equation.STORED,
            Equation.REFUSED_READINGS,
            Equation.REFUSED_MESSAGES,
        ),
    ).fetchall()


def _unequal_hours(connection: psycopg.Connection, sensor_id: int | None) -> Iterator[Finding]:
    rows = connection.execute(
        sql.SQL(
            """
            SELECT sensor_id, hour, {counts}
              FROM pipeline.ledger
             WHERE (sensor_id, hour) IN (SELECT sensor_id, hour FROM pipeline.ledger_entry
                                          WHERE NOT balanced)
               AND (%(sensor)s::int4 IS NULL OR sensor_id = %(sensor)s)
             ORDER BY sensor_id, hour
            """
        ).format(counts=sql.SQL(", ").join(map(sql.Identifier, COLUMNS))),
        {"sensor": sensor_id},
    )
    for sensor, hour, *counts in rows:
        for found in differences(Counts(*counts)):
            yield Finding(sensor, found, hour)


def _dropped(connection: psycopg.Connection, sensors: list[int]) -> set[int]:
    """Those of the sensors heard before the oldest readings that one of their domains keeps."""
    if not sensors:
        return set()
    rows = connection.execute(
        """
        SELECT l.sensor_id
          FROM (SELECT sensor_id, min(hour) AS first
                  FROM pipeline.ledger_entry
                 WHERE readings_stored > 0 AND sensor_id = ANY (%s)
                 GROUP BY sensor_id) l
         WHERE EXISTS (
               SELECT FROM city.series s
                 JOIN city.metric m USING (metric)
                 LEFT JOIN (SELECT hypertable_schema, min(range_start) AS kept_from
                              FROM timescaledb_information.chunks
                             WHERE hypertable_name = 'reading'
                             GROUP BY hypertable_schema) c ON c.hypertable_schema = m.domain
                WHERE s.sensor_id = l.sensor_id
                  AND coalesce(c.kept_from > l.first + interval '1 hour', true))
        """,
        (sensors,),
    )
    return {row[0] for row in rows}
