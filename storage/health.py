"""How well sensors have spoken lately: the daily figures of every series, added up."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from storage.catalogue import DOMAINS


@dataclass(frozen=True, slots=True)
class Health:
    """One series in service over some whole days; ``None`` where nothing is known.

    Attributes
    ----------
    days
        How many days have figures.
    coverage, good_share, availability
        Readings received of those expected; good ones of those received; hours with a
        reading of all hours. [%]
    difference
        Median over the days of the distance from the neighbours. [unit]
    heard
        When it was last heard, as of the last full hour.
    delay_s, longest_delay_s
        Of the sensor's readings with a time stamp of their own, from that to their reception:
        mean and longest. [s]
    alerts
        Kinds of open alerts.
    """

    sensor: str
    field: str
    metric: str
    unit: str
    step_s: int
    territory: str
    site: str
    days: int
    coverage: float | None
    good_share: float | None
    availability: float | None
    difference: float | None
    heard: datetime.datetime | None
    delay_s: float | None
    longest_delay_s: float | None
    alerts: list[str]


_DAILY = " UNION ALL ".join(
    f"""SELECT c.indicator, f.subject_id AS series_id, f.start, nullif(f.value, 'NaN') AS value, f.n, f.due
          FROM {domain}.figure f
          JOIN city.indicator c USING (indicator_id)
         WHERE c.indicator = ANY (ARRAY['{domain}_coverage', '{domain}_good_share',
                                        '{domain}_availability', '{domain}_neighbour_difference'])
           AND f.start >= %(start)s AND f.start < %(stop)s"""
    for domain in DOMAINS
)


def health(
    connection: psycopg.Connection[Any],
    start: datetime.datetime,
    stop: datetime.datetime,
    sensor: str | None = None,
) -> list[Health]:
    """Every series in service, or those of one sensor, by sensor and field.

    Shares are of sums: a day of many readings weighs more than a day of few.
    """
    with connection.cursor(row_factory=class_row(Health)) as cursor:
        return cursor.execute(
            f"""
            WITH daily AS ({_DAILY}),
            told AS (
                SELECT series_id, count(DISTINCT start)::int AS days,
                       100.0 * sum(least(n, due)) FILTER (WHERE indicator LIKE '%%_coverage')
                             / nullif(sum(due) FILTER (WHERE indicator LIKE '%%_coverage'), 0)
                         AS coverage,
                       100.0 * sum(n) FILTER (WHERE indicator LIKE '%%_good_share')
                             / nullif(sum(due) FILTER (WHERE indicator LIKE '%%_good_share'), 0)
                         AS good_share,
                       100.0 * sum(n) FILTER (WHERE indicator LIKE '%%_availability')
                             / nullif(sum(due) FILTER (WHERE indicator LIKE '%%_availability'), 0)
                         AS availability,
                       percentile_cont(0.5) WITHIN GROUP (ORDER BY value)
                         FILTER (WHERE indicator LIKE '%%_neighbour_difference') AS difference
                  FROM daily
                 GROUP BY series_id),
            late AS (
                SELECT sensor_id, sum(mean_s * readings) / sum(readings) AS mean_s,
                       max(max_s) AS max_s
                  FROM pipeline.delay
                 WHERE hour >= %(start)s AND hour < %(stop)s
                 GROUP BY sensor_id)
            SELECT s.sensor, s.field, s.metric, s.unit, s.step_s, s.territory, s.site,
                   coalesce(t.days, 0) AS days, t.coverage::float8, t.good_share::float8,
                   t.availability::float8, t.difference::float8, h.last AS heard,
                   late.mean_s AS delay_s, late.max_s AS longest_delay_s,
                   ARRAY(SELECT a.kind FROM pipeline.alert a
                          WHERE a.series_id = s.series_id AND a.closed_at IS NULL
                          ORDER BY a.kind) AS alerts
              FROM public.series s
              LEFT JOIN told t USING (series_id)
              LEFT JOIN pipeline.heard h USING (series_id)
              JOIN city.series c USING (series_id)
              LEFT JOIN late ON late.sensor_id = c.sensor_id
             WHERE s.in_service AND (%(sensor)s::text IS NULL OR s.sensor = %(sensor)s)
             ORDER BY s.sensor, s.field
            """.encode(),
            {"start": start, "stop": stop, "sensor": sensor},
        ).fetchall()
