"""What watching keeps of erased readings, which goes with them.

Alerts that rest on them, what they made usual in an hour of the week, and when the series was
heard first and last.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from storage import watch_store
from storage.level import Level
from storage.review import Measured, Span

_LOOKED_AT = timedelta(days=30)
"""A drift or a jump rests on no older readings: 28 local days that are over."""
_MOST_WEEKS = 26
"""No profile is made of more weeks."""


def forget(connection: psycopg.Connection[Any], series: Measured, span: Span) -> None:
    """Erase what rests on the span; in the transaction that has erased the readings, and in
    which nobody watches: whoever does locks rows of many series in an order of their own."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [watch_store.LOCK])
    parameters = {
        "series": series.series_id, "zone": series.timezone, "looked_at": _LOOKED_AT,
        "weeks": _MOST_WEEKS, "day": Level.DAY.value, **span.parameters(),
    }  # fmt: skip
    connection.execute(
        """
        DELETE FROM pipeline.alert
         WHERE series_id = %(series)s AND opened_at >= %(start)s
           AND CASE WHEN kind IN ('drift', 'jump') THEN opened_at - %(looked_at)s ELSE since END
               < %(stop)s
        """,
        parameters,
    )
    # They are made anew of what is left; until then they say that nothing is known.
    connection.execute(
        """
        UPDATE pipeline.week_profile
           SET floor = 'NaN', stale = true,
               median = decode(repeat('0000c07f', 168), 'hex'),
               mad = decode(repeat('0000c07f', 168), 'hex'),
               count = decode(repeat('00', 168), 'hex')
         WHERE series_id = %(series)s
           AND week::timestamp AT TIME ZONE %(zone)s > %(start)s
           AND (week - 7 * %(weeks)s)::timestamp AT TIME ZONE %(zone)s < %(stop)s
        """,
        parameters,
    )
    left = sql.SQL("SELECT time FROM {} WHERE series_id = %(series)s AND flag <> 9").format(
        series.table("reading")
    )
    connection.execute(
        sql.SQL(
            """
            WITH h AS (SELECT * FROM pipeline.heard
                        WHERE series_id = %(series)s
                          AND (first >= %(start)s AND first < %(stop)s
                               OR last >= %(start)s AND last < %(stop)s)),
                 oldest AS ({left} ORDER BY time LIMIT 1),
                 newest AS ({left} ORDER BY time DESC LIMIT 1),
                 gone AS (DELETE FROM pipeline.heard p USING h
                           WHERE p.series_id = h.series_id AND NOT EXISTS (SELECT FROM oldest)),
                 -- Days before the first reading that is left are no days of silence any more.
                 marked AS (INSERT INTO pipeline.changed (level, start, series_id)
                            SELECT %(day)s, day::date::timestamp AT TIME ZONE %(zone)s,
                                   ARRAY[%(series)s::int4]
                              FROM h LEFT JOIN oldest ON true,
                                   generate_series((h.first AT TIME ZONE %(zone)s)::date,
                                                   (coalesce(oldest.time, now())
                                                    AT TIME ZONE %(zone)s)::date,
                                                   interval '1 day') AS day
                             WHERE h.first >= %(start)s AND h.first < %(stop)s)
            UPDATE pipeline.heard p
               SET first = CASE WHEN p.first >= %(start)s AND p.first < %(stop)s
                                THEN oldest.time ELSE p.first END,
                   last = newest.time
              FROM h, oldest, newest
             WHERE p.series_id = h.series_id
            """
        ).format(left=left),
        parameters,
    )
