"""What evaluations read and write: who is touched, values by day, and what was found."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import class_row, dict_row

from storage.catalogue import Domain
from storage.evaluations import Basis, Evaluation, Matching, Reason, Verdict
from storage.indicators.catalogue import INDICATORS
from storage.indicators.word import Indicator, Period, Subject
from storage.measure_store import Registered, versions
from storage.measures import Daily, Effect, Measure, Scope
from storage.reading import FloatArray, IntArray

_MARGIN = datetime.timedelta(days=2)
"""Days begin up to 14 hours before or after midnight UTC; days beyond are not kept."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Series or sites that are compared, each of shape (n,).

    ``confounded`` names measures that came to touched ones in the same days; those are
    left out.
    """

    ids: IntArray
    touched: NDArray[np.bool_]
    site: IntArray
    confounded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """An evaluation as it was written down."""

    computed_at: datetime.datetime
    version: int
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class _Place:
    subject: int
    site_id: int
    sensor: str
    site: str
    territory: str


def indicator_of(measure: Measure) -> Indicator | None:
    """The indicator whose days count; ``None`` where a metric's do."""
    return next((one for one in INDICATORS if one.name == measure.indicator), None)


def unit_of(connection: psycopg.Connection[Any], measure: Measure) -> str:
    """Of the daily values."""
    if indicator := indicator_of(measure):
        return indicator.unit
    row = connection.execute(
        "SELECT unit FROM city.metric WHERE metric = %s", [measure.metric]
    ).fetchone()
    return row[0] if row else "1"


def zone_of(connection: psycopg.Connection[Any], measure: Measure) -> str:
    """The time zone of the measure's territory."""
    row = connection.execute(
        "SELECT timezone FROM city.territory WHERE code = %s", [measure.territory]
    ).fetchone()
    return row[0] if row else "UTC"


def subjects(
    connection: psycopg.Connection[Any],
    measure: Measure,
    start: datetime.date,
    stop: datetime.date,
) -> Subjects:
    """Whom the measure touches, and who stands for what would have been without it.

    Untouched are those named; where none are, all others of the metric, or of the
    indicator's sites, that no measure in force before ``stop`` touches. Touched ones to
    which another measure came within ``[start, stop)`` are left out: what is whose cannot
    be told.
    """
    others = [
        one.measure
        for one in versions(connection, newest=True)
        if not one.retired and one.measure.code != measure.code and one.measure.in_force < stop
    ]
    rival = [one for one in others if _came(one, start, stop)]
    confounded: set[str] = set()
    kept: list[tuple[_Place, bool]] = []
    for place in _places(connection, measure):
        if _touches(measure, place):
            if came := [one.code for one in rival if _touches(one, place)]:
                confounded |= {*came}
            else:
                kept.append((place, True))
        elif measure.lists_comparison:
            if _named(place, measure.comparison_sensors, measure.placed(measure.comparison_sites)):
                kept.append((place, False))
        elif _within(measure, place) and not any(_touches(one, place) for one in others):
            kept.append((place, False))
    return Subjects(
        np.array([place.subject for place, _ in kept], np.int32),
        np.array([touched for _, touched in kept], np.bool_),
        np.array([place.site_id for place, _ in kept], np.int32),
        tuple(sorted(confounded)),
    )


def _came(measure: Measure, start: datetime.date, stop: datetime.date) -> bool:
    """Whether it began, settled or ended in these days."""
    turns = (measure.in_force, measure.settled, measure.ends)
    return any(day is not None and start <= day < stop for day in turns)


def _named(place: _Place, sensors: Sequence[str], sites: Sequence[str]) -> bool:
    return place.sensor in sensors or place.site in sites


def _touches(measure: Measure, place: _Place) -> bool:
    if measure.touched_sensors or measure.touched_sites:
        return _named(place, measure.touched_sensors, measure.placed(measure.touched_sites))
    return place.territory == measure.territory


def _within(measure: Measure, place: _Place) -> bool:
    same = place.territory == measure.territory
    return measure.comparison is Scope.CITY or same is (measure.comparison is Scope.TERRITORY)


def _places(connection: psycopg.Connection[Any], measure: Measure) -> list[_Place]:
    indicator = indicator_of(measure)
    with connection.cursor(row_factory=class_row(_Place)) as cursor:
        if indicator is not None and indicator.subject is Subject.SITE:
            return cursor.execute(
                """
                SELECT i.site_id AS subject, i.site_id, '' AS sensor, t.code || '/' || i.code AS site,
                       t.code AS territory
                  FROM city.site i JOIN city.territory t USING (territory_id)
                 ORDER BY i.site_id
                """
            ).fetchall()
        return cursor.execute(
            """
            SELECT s.series_id AS subject, s.site_id, n.code AS sensor,
                   t.code || '/' || i.code AS site, t.code AS territory
              FROM city.series s
              JOIN city.sensor n USING (sensor_id)
              JOIN city.site i ON i.site_id = s.site_id
              JOIN city.territory t USING (territory_id)
             WHERE s.metric = %s AND s.valid_from < s.valid_to
             ORDER BY s.series_id
            """,
            [measure.metric],
        ).fetchall()


def daily_values(
    connection: psycopg.Connection[Any],
    measure: Measure,
    ids: IntArray,
    start: datetime.date,
    stop: datetime.date,
) -> FloatArray:
    """Value of every subject and day of ``[start, stop)``, NaN where there is none that counts.

    Of an indicator: figures that are complete and no longer provisional. Of a metric: closed
    days with at least 75 % of the readings due; totals of counts are scaled to a whole day.
    """
    indicator = indicator_of(measure)
    query = _figures(indicator) if indicator else _rollups(connection, measure)
    value = np.full((len(ids), (stop - start).days), np.nan)
    row = connection.execute(
        sql.SQL(
            "SELECT array_agg(subject), array_agg(day - %(start)s::date), array_agg(value)"
            "  FROM ({}) d WHERE day >= %(start)s AND day < %(stop)s AND value IS NOT NULL"
        ).format(query),
        {
            "ids": ids.tolist(), "indicator": measure.indicator, "start": start, "stop": stop,
            "from": start - _MARGIN, "to": stop + _MARGIN,
        },
    ).fetchone()  # fmt: skip
    if row is not None and row[0] is not None:
        order = np.argsort(ids)
        place = order[np.searchsorted(ids[order], np.array(row[0], np.int32))]
        value[place, np.array(row[1], np.intp)] = np.array(row[2], np.float64)
    return value


def _figures(indicator: Indicator) -> sql.Composed:
    day = sql.SQL(
        "((f.start + make_interval(hours => coalesce((SELECT (facts->>'day_offset_h')::int"
        "    FROM city.trade WHERE domain = 'air'), 1))) AT TIME ZONE 'UTC')::date"
        if indicator.period is Period.AIR_DAY
        else "(f.start AT TIME ZONE t.timezone)::date"
    )
    return sql.SQL(
        "SELECT f.subject_id AS subject, {day} AS day, f.value"
        "  FROM {view} f JOIN city.territory t ON t.code = f.territory"
        " WHERE f.indicator = %(indicator)s AND f.subject_id = ANY (%(ids)s)"
        "   AND f.start >= %(from)s AND f.start < %(to)s"
        "   AND f.status = 'complete' AND NOT f.provisional"
    ).format(day=day, view=sql.Identifier(indicator.domain.value, "figures"))


def _rollups(connection: psycopg.Connection[Any], measure: Measure) -> sql.Composed:
    row = connection.execute(
        "SELECT domain, kind FROM city.metric WHERE metric = %s", [measure.metric]
    ).fetchone()
    domain = Domain(row[0]) if row else Domain.AIR
    usable = "(d.good + d.suspect)"
    whole = f"d.total * greatest(d.expected, {usable}) / {usable}"
    value = {
        Daily.MEAN: "d.mean",
        Daily.TOTAL: f"CASE d.kind WHEN 'count' THEN {whole} ELSE d.total END",
    }[measure.daily or Daily.MEAN]
    return sql.SQL(
        "SELECT d.series_id AS subject, (d.start AT TIME ZONE t.timezone)::date AS day,"
        "       {value} AS value"
        "  FROM {view} d JOIN city.territory t ON t.code = d.territory"
        " WHERE d.series_id = ANY (%(ids)s) AND d.start >= %(from)s AND d.start < %(to)s"
        "   AND NOT d.provisional AND d.good + d.suspect > 0"
        "   AND 4 * (d.good + d.suspect) >= 3 * d.expected"
    ).format(value=sql.SQL(value), view=sql.Identifier(domain.value, "days"))


_NAMES: tuple[str, ...] = tuple(field.name for field in fields(Evaluation))


def evaluations(connection: psycopg.Connection[Any], code: str) -> list[Stored]:
    """All that was found of a measure, of every version, oldest first."""
    query = sql.SQL(
        "SELECT e.computed_at, m.version, {columns}"
        "  FROM city.evaluation e JOIN city.measure m USING (measure_id)"
        " WHERE m.code = %s ORDER BY e.evaluation_id"
    ).format(columns=sql.SQL(", ").join(sql.Identifier("e", name) for name in _NAMES))
    with connection.cursor(row_factory=dict_row) as cursor:
        return [_stored(row) for row in cursor.execute(query, [code]).fetchall()]


def _stored(row: dict[str, Any]) -> Stored:
    words = {
        "verdict": Verdict, "reason": Reason, "effect": Effect, "matching": Matching,
        "basis": Basis, "placebo_matching": Matching,
    }  # fmt: skip
    said: dict[str, Any] = {name: words.get(name, lambda one: one)(row[name]) for name in _NAMES}
    return Stored(row["computed_at"], row["version"], Evaluation(**said))


def save(connection: psycopg.Connection[Any], of: Registered, found: Evaluation) -> bool:
    """Write down what was found, unless the newest of this version says the very same.

    Returns whether it was written. In the caller's transaction.
    """
    connection.execute("SELECT FROM city.measure WHERE measure_id = %s FOR UPDATE", [of.measure_id])
    known = [one for one in evaluations(connection, of.measure.code) if one.version == of.version]
    if known and known[-1].evaluation == found:
        return False
    connection.execute(
        sql.SQL("INSERT INTO city.evaluation (measure_id, {}) VALUES (%s, {})").format(
            sql.SQL(", ").join(map(sql.Identifier, _NAMES)),
            sql.SQL(", ").join(sql.Placeholder() for _ in _NAMES),
        ),
        [of.measure_id, *astuple(found)],
    )
    return True
