"""Chunk intervals that follow the rate of a city.

A chunk is the piece of a hypertable that one look at a time range has to search. Too many
rows in it and reading a quarter of an hour costs what the whole chunk costs; too few and
there are too many chunks to plan for.
"""

from __future__ import annotations

from datetime import timedelta

import psycopg

from storage.catalogue import DOMAINS

ROWS_PER_CHUNK = 5_000_000
"""About 500 MB with its index: small beside the memory of a machine that sees such a rate."""

INTERVALS = tuple(timedelta(hours=hours) for hours in (28 * 24, 7 * 24, 24, 12, 6, 3, 1))
_ON_CHANGE_PER_DAY = 24  # what a series without a step is taken for


def interval_for(rows_per_day: float) -> timedelta:
    """The longest interval whose chunk stays below :data:`ROWS_PER_CHUNK`.

    Examples
    --------
    >>> interval_for(100_000).days, interval_for(17_280_000)
    (28, datetime.timedelta(seconds=21600))
    """
    day = timedelta(days=1)
    for interval in INTERVALS:
        if rows_per_day * (interval / day) <= ROWS_PER_CHUNK:
            return interval
    return INTERVALS[-1]


def follow_rate(connection: psycopg.Connection) -> None:
    """Set every domain's interval by its registered series; chunks that exist stay as they are."""
    rates: dict[str, float] = dict(
        connection.execute(
            """
            SELECT m.domain,
                   sum(CASE WHEN s.step_s > 0 THEN 86400.0 / s.step_s ELSE %s END)::float8
              FROM city.series s JOIN city.metric m USING (metric)
             WHERE s.valid_to = 'infinity'
             GROUP BY m.domain
            """,
            (_ON_CHANGE_PER_DAY,),
        ).fetchall()
    )
    for domain in DOMAINS:
        connection.execute(
            "SELECT set_chunk_time_interval(%s::regclass, %s)",
            (f"{domain}.reading", interval_for(rates.get(domain, 0.0))),
        )
