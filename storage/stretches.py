"""The stretches of sensors' fields in the database, and the readings that go with them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from storage import timeline
from storage.catalogue import Domain
from storage.changes import Kept
from storage.timeline import BEGINNING, FOREVER, Conversion, Identity, Stretch, Wanted


@dataclass(slots=True)
class Sensor:
    """A sensor as the registry has it; ``fields`` are its stretches by time."""

    code: str
    sensor_id: int | None = None
    site_id: int | None = None
    fields: dict[str, list[Stretch]] = field(default_factory=dict)

    def series(self) -> list[int]:
        """Ids of all of them."""
        return [s.series_id for of in self.fields.values() for s in of if s.series_id is not None]


def load(connection: psycopg.Connection[Any], codes: Sequence[str]) -> dict[str, Sensor]:
    """Sensors by code, also those that nobody knows."""
    found = {code: Sensor(code) for code in codes}
    former: dict[int, list[tuple[datetime.datetime, Conversion]]] = {}
    for series_id, since, *how in connection.execute(
        """
        SELECT f.series_id, nullif(f.since, '-infinity'), f.unit, f.scale, f.shift, f.stamp
          FROM city.former_conversion f
          JOIN city.series s USING (series_id) JOIN city.sensor n USING (sensor_id)
         WHERE n.code = ANY (%s)
         ORDER BY f.series_id, f.since
        """,
        [codes],
    ):
        former.setdefault(series_id, []).append((since or BEGINNING, Conversion(*how)))
    for code, sensor_id, site_id, series_id, name, *rest in connection.execute(
        """
        SELECT n.code, n.sensor_id, n.site_id, s.series_id, s.field, s.metric, s.site_id, s.step_s,
               s.register_max, nullif(s.valid_from, '-infinity'), nullif(s.valid_to, 'infinity'),
               nullif(s.converted_since, '-infinity'), s.unit, s.scale, s.shift, s.stamp
          FROM city.sensor n LEFT JOIN city.series s USING (sensor_id)
         WHERE n.code = ANY (%s) AND n.sensor_id > 0
         ORDER BY s.valid_from, s.series_id
        """,
        [codes],
    ):
        sensor = found[code]
        sensor.sensor_id, sensor.site_id = sensor_id, site_id
        if series_id is None:
            continue
        start, stop, since, *how = rest[4:]
        conversions = (*former.get(series_id, ()), (since or BEGINNING, Conversion(*how)))
        sensor.fields.setdefault(name, []).append(
            Stretch(
                series_id, Identity(*rest[:4]), start or BEGINNING, stop or FOREVER, conversions
            )
        )
    return found


def domains(connection: psycopg.Connection[Any], series: Sequence[int]) -> dict[int, Domain]:
    """Of each series."""
    rows = connection.execute(
        "SELECT s.series_id, m.domain FROM city.series s JOIN city.metric m USING (metric)"
        " WHERE s.series_id = ANY (%s)",
        [series],
    )
    return {series_id: Domain(domain) for series_id, domain in rows}


def holding(connection: psycopg.Connection[Any], series: Sequence[int]) -> set[int]:
    """Which of the series hold readings; one index probe each."""
    of: dict[Domain, list[int]] = {}
    for series_id, domain in domains(connection, series).items():
        of.setdefault(domain, []).append(series_id)
    held: set[int] = set()
    for domain, some in of.items():
        rows = connection.execute(
            sql.SQL(
                "SELECT id FROM unnest(%s::int4[]) AS s (id) CROSS JOIN LATERAL"
                " (SELECT FROM {} WHERE series_id = s.id LIMIT 1) r"
            ).format(sql.Identifier(domain, "reading")),
            [some],
        )
        held.update(series_id for (series_id,) in rows)
    return held


_NAMES = """(sensor_id, field, metric, site_id, step_s, register_max, valid_from, valid_to,
              converted_since, unit, scale, shift, stamp)"""
_VALUES = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_INSERT = f"INSERT INTO city.series {_NAMES} VALUES {_VALUES}"


def _columns(sensor_id: int, name: str, one: Stretch) -> tuple[object, ...]:
    since, how = one.conversions[-1]
    return (
        sensor_id, name, one.identity.metric, one.identity.site_id, one.identity.step_s,
        one.identity.register_max, instant(one.start), instant(one.stop), instant(since),
        how.unit, how.scale, how.shift, how.stamp,
    )  # fmt: skip


def insert(connection: psycopg.Connection[Any], made: Sequence[tuple[int, str, Stretch]]) -> None:
    """Stretches of sensors that nobody knew: sensor id, field and stretch."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY city.series {_NAMES} FROM STDIN") as copy,
    ):
        for one in made:
            copy.write_row(_columns(*one))


def write(
    connection: psycopg.Connection[Any],
    sensor_id: int,
    name: str,
    before: Sequence[Stretch],
    after: Sequence[Stretch],
) -> int | None:
    """Make the stretches what they are to be; returns the series that goes on."""
    goal = None
    # What ends goes first: only one of a field may be open.
    for one in sorted(after, key=lambda one: one.open and not one.empty):
        series_id = one.series_id
        if one not in before:
            columns = _columns(sensor_id, name, one)
            if series_id is None:
                row = connection.execute(f"{_INSERT} RETURNING series_id", columns).fetchone()
                assert row is not None
                series_id = int(row[0])
            else:
                connection.execute(
                    f"UPDATE city.series SET {_NAMES} = {_VALUES} WHERE series_id = %s",
                    (*columns, series_id),
                )
            _save_former(connection, series_id, one.conversions[:-1], made=one.series_id is None)
        if one.open and not one.empty:
            goal = series_id
    return goal


def _save_former(
    connection: psycopg.Connection[Any],
    series_id: int,
    former: Iterable[tuple[datetime.datetime, Conversion]],
    made: bool,
) -> None:
    if not made:
        connection.execute("DELETE FROM city.former_conversion WHERE series_id = %s", [series_id])
    for since, how in former:
        connection.execute(
            "INSERT INTO city.former_conversion (series_id, since, unit, scale, shift, stamp)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [series_id, instant(since), how.unit, how.scale, how.shift, how.stamp],
        )


def carry(
    connection: psycopg.Connection[Any], source: Stretch, goal: int, at: datetime.datetime
) -> int:
    """Readings since ``at`` follow their sensor, with what persons said of them.

    One that the other series has already stays where it is, so that the ledger's count of
    what is stored holds.
    """
    assert source.series_id is not None
    domain = domains(connection, [source.series_id])[source.series_id]
    row = connection.execute(
        sql.SQL(
            """
            WITH gone AS (
                 UPDATE {reading} r SET series_id = %(goal)s
                  WHERE r.series_id = %(source)s AND r.time >= %(at)s
                    AND NOT EXISTS (SELECT FROM {reading} o
                                     WHERE o.series_id = %(goal)s AND o.time = r.time)
                 RETURNING r.time),
            judged AS (
                 UPDATE pipeline.reading_flag f SET series_id = %(goal)s
                  WHERE f.series_id = %(source)s AND f.origin = 'person'
                    AND f.time IN (SELECT time FROM gone)),
            tested AS (
                 DELETE FROM pipeline.reading_flag f
                  WHERE f.series_id = %(source)s AND f.origin = 'test'
                    AND f.time IN (SELECT time FROM gone)),
            corrected AS (
                 UPDATE pipeline.correction c SET series_id = %(goal)s
                  WHERE c.series_id = %(source)s AND c.time IN (SELECT time FROM gone)),
            marked AS (
                 INSERT INTO pipeline.dirty (domain, start, series_id)
                 SELECT %(domain)s, w.start, ARRAY[%(source)s::int4, %(goal)s::int4]
                   FROM (SELECT DISTINCT date_bin('15 minutes', time, '2000-01-01 00:00:00+00')
                                AS start
                           FROM gone) w)
            SELECT count(*) FROM gone
            """
        ).format(reading=sql.Identifier(domain, "reading")),
        {
            "source": source.series_id,
            "goal": goal,
            "at": instant(at),
            "domain": domain.value,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def kept_as_before(
    connection: psycopg.Connection[Any],
    name: str,
    before: Sequence[Stretch],
    wanted: Wanted,
    at: datetime.datetime,
) -> list[Kept]:
    """Readings since ``at`` that are stored as an earlier conversion made them."""
    found = []
    for one in timeline.differing(before, wanted.conversion, at):
        readings, first, last = count(connection, one.series_id, one.start, one.stop)
        if not readings:
            continue
        old, new = one.before, wanted.conversion
        scale = shift = None
        if old.stamp == new.stamp:
            scale = new.scale / old.scale
            shift = new.shift - old.shift * scale
        stop = last + datetime.timedelta(microseconds=1)
        found.append(Kept(wanted.identity.metric, name, readings, first, stop, scale, shift))
    return found


def count(
    connection: psycopg.Connection[Any],
    series_id: int | None,
    start: datetime.datetime,
    stop: datetime.datetime,
) -> tuple[int, datetime.datetime, datetime.datetime]:
    assert series_id is not None
    domain = domains(connection, [series_id])[series_id]
    row = connection.execute(
        sql.SQL(
            "SELECT count(*), min(time), max(time) FROM {}"
            " WHERE series_id = %s AND time >= %s AND time < %s"
        ).format(sql.Identifier(domain, "reading")),
        [series_id, instant(start), instant(stop)],
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def instant(time: datetime.datetime) -> str:
    """As PostgreSQL writes it, the ends of time too."""
    if time == BEGINNING:
        return "-infinity"
    return "infinity" if time == FOREVER else time.isoformat()
