"""Who is in service and was heard when, and what is usual for whom: out of the database and in.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import asyncpg
import numpy as np

from storage import binary
from storage.catalogue import Domain
from storage.level import Level
from storage.reading import IntArray, TimeArray
from storage.watched import HOURS_OF_WEEK, Service, WeekProfiles

LOCK = 0x77617463  # "watc"
_NEVER = np.datetime64("NaT", "us")
_FLOAT, _BYTE = np.dtype("<f4"), np.dtype("u1")


async def lock(connection: asyncpg.Connection) -> bool:
    """Whether nobody else watches; held until the transaction ends."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, 0)", LOCK))


async def load_service(connection: asyncpg.Connection) -> Service:
    """Every series: since when it is in service and heard, until when, how long it may stand."""
    rows = await connection.fetch(
        """
        SELECT s.series_id, m.flat_h,
               CASE WHEN h.first IS NOT NULL
                    THEN greatest(h.first, nullif(s.valid_from, '-infinity')) END AS since,
               nullif(s.valid_to, 'infinity') AS until,
               nullif(s.valid_from, '-infinity') AS begun
          FROM city.series s
          JOIN city.metric m USING (metric)
          LEFT JOIN pipeline.heard h USING (series_id)
         ORDER BY s.series_id
        """
    )
    return Service(
        np.array([row["series_id"] for row in rows], np.int32),
        _times([row["since"] for row in rows]),
        _times([row["until"] for row in rows]),
        np.array([row["flat_h"] for row in rows], np.float64),  # None becomes NaN
        _times([row["begun"] for row in rows]),
    )


async def note_heard(connection: asyncpg.Connection, domain: Domain, now: np.datetime64) -> None:
    """Bring the oldest and newest readings of a domain's series up to date.

    A value that was sent as missing is not heard: nothing was measured. Readings older than the
    oldest one come with a history that is imported; the rollups say where to look for them.
    """
    await connection.execute(
        f"""
        INSERT INTO pipeline.heard AS h (series_id, first, last)
        SELECT s.series_id, coalesce(f.time, k.first), coalesce(l.time, k.last)
          FROM city.series s
          JOIN city.metric m ON m.metric = s.metric AND m.domain = '{domain.value}'
          LEFT JOIN pipeline.heard k USING (series_id)
          LEFT JOIN LATERAL ({_NEWEST.format(domain=domain.value, since="k.last")}) l
                 ON s.valid_to > $1 OR k.first IS NULL
          LEFT JOIN LATERAL (SELECT start FROM {domain.value}.rollup_1d d
                              WHERE d.series_id = s.series_id AND d.start < k.first
                              ORDER BY start LIMIT 1) o ON true
          LEFT JOIN LATERAL (SELECT time FROM {domain.value}.reading r
                              WHERE r.series_id = s.series_id AND r.flag <> 9
                                AND r.time >= CASE WHEN k.first IS NULL THEN '-infinity'
                                                   ELSE o.start END
                                AND r.time < coalesce(k.first, 'infinity')
                              ORDER BY time LIMIT 1) f ON true
         WHERE l.time IS NOT NULL OR f.time IS NOT NULL
            ON CONFLICT (series_id) DO UPDATE
           SET (first, last, told_until)
             = (excluded.first, excluded.last,
                CASE WHEN excluded.first = h.first THEN h.told_until END)
        """,
        binary.instant(now),
    )


async def ask_for_silent_days(
    connection: asyncpg.Connection, domain: Domain, now: np.datetime64
) -> None:
    """Mark the days that are over and on which a series in service said nothing.

    No rollup changes there, so nothing else would ask for the figures that say so.
    """
    await connection.execute(
        f"""
        WITH due AS (
             SELECT h.series_id, t.timezone,
                    coalesce(h.told_until,
                             (greatest(h.first, s.valid_from) AT TIME ZONE t.timezone)::date) AS since,
                    (least($1, s.valid_to) AT TIME ZONE t.timezone)::date AS today
               FROM pipeline.heard h
               JOIN city.series s USING (series_id)
               JOIN city.metric m ON m.metric = s.metric AND m.domain = '{domain.value}'
               JOIN city.site i ON i.site_id = s.site_id
               JOIN city.territory t USING (territory_id)
              WHERE s.step_s > 0),
        told AS (
             UPDATE pipeline.heard h SET told_until = d.today
               FROM due d
              WHERE h.series_id = d.series_id AND h.told_until IS DISTINCT FROM d.today
                AND d.since < d.today),
        silent AS (
             SELECT d.series_id, day::date::timestamp AT TIME ZONE d.timezone AS start
               FROM due d, generate_series(d.since, d.today - 1, interval '1 day') AS day
              WHERE d.since < d.today)
        INSERT INTO pipeline.changed (level, start, series_id)
        SELECT '{Level.DAY.value}', start, array_agg(series_id)
          FROM silent
         WHERE NOT EXISTS (SELECT FROM {domain.value}.rollup_1d r
                            WHERE r.series_id = silent.series_id AND r.start = silent.start)
         GROUP BY start
         ORDER BY start
        """,
        binary.instant(now),
    )


async def newest(
    connection: asyncpg.Connection, domain: Domain, now: np.datetime64, since: np.datetime64
) -> tuple[IntArray, TimeArray]:
    """The newest reading of every series in service that was ever heard.

    Readings before ``since`` count as far as :func:`note_heard` noted them, so that only the
    newest chunks are looked into.
    """
    rows = await connection.fetch(
        f"""
        SELECT s.series_id, greatest(h.last, l.time) AS last
          FROM city.series s
          JOIN city.metric m ON m.metric = s.metric AND m.domain = '{domain.value}'
          JOIN pipeline.heard h USING (series_id)
          LEFT JOIN LATERAL ({_NEWEST.format(domain=domain.value, since="h.last")}
                             ) l ON true
         WHERE s.valid_from <= $1 AND s.valid_to > $1
         ORDER BY s.series_id
        """.replace("/*since*/", "AND r.time >= $2"),
        binary.instant(now),
        binary.instant(since),
    )
    return (
        np.array([row["series_id"] for row in rows], np.int32),
        _times([row["last"] for row in rows]),
    )


_NEWEST = """SELECT time FROM {domain}.reading r
                              WHERE r.series_id = s.series_id AND r.flag <> 9
                                AND r.time > coalesce({since}, '-infinity') /*since*/
                              ORDER BY time DESC LIMIT 1"""


async def profiles_due(
    connection: asyncpg.Connection, week: np.datetime64, *, missing: bool
) -> IntArray:
    """Series with a stale profile for a week, and those that have none where ``missing``."""
    rows = await connection.fetch(
        """
        SELECT h.series_id
          FROM pipeline.heard h
          JOIN city.series s USING (series_id)
          LEFT JOIN pipeline.week_profile p ON p.week = $1 AND p.series_id = h.series_id
         WHERE p.stale OR ($2 AND p.series_id IS NULL AND s.valid_to > $1)
         ORDER BY h.series_id
        """,
        _date(week),
        missing,
    )
    return np.array([row["series_id"] for row in rows], np.int32)


async def stale_weeks(connection: asyncpg.Connection) -> list[np.datetime64]:
    """Weeks with profiles that an hour they were made of no longer supports."""
    rows = await connection.fetch(
        "SELECT DISTINCT week FROM pipeline.week_profile WHERE stale ORDER BY week"
    )
    return [np.datetime64(row["week"], "D") for row in rows]


async def mark_stale(
    connection: asyncpg.Connection,
    series: IntArray,
    start: TimeArray,
    weeks: int,
    now: np.datetime64,
) -> None:
    """Profiles that were made of these hours, told by series and start, are to be made anew.

    Hours of the current week, which is nearly all that ever changes, ask for nothing: the
    profile in force was made of the weeks before.
    """
    if not len(start):
        return
    late = start < _current_week(now)
    if not late.any():
        return
    # Per series the span of changed hours is enough: a week too many is made anew at worst.
    ids, of = np.unique(series[late], return_inverse=True)
    low = np.full(len(ids), np.iinfo(np.int64).max)
    high = np.full(len(ids), np.iinfo(np.int64).min)
    np.minimum.at(low, of, start[late].view(np.int64))
    np.maximum.at(high, of, start[late].view(np.int64))
    await connection.execute(
        """
        UPDATE pipeline.week_profile p SET stale = true
          FROM unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) AS c (id, low, high)
          JOIN city.series s ON s.series_id = c.id
          JOIN city.site i ON i.site_id = s.site_id
          JOIN city.territory t USING (territory_id)
         WHERE p.series_id = c.id AND NOT p.stale
           AND p.week::timestamp AT TIME ZONE t.timezone > c.low
           AND (p.week - 7 * $4::int4)::timestamp AT TIME ZONE t.timezone <= c.high
        """,
        ids.tolist(),
        [binary.instant(one) for one in low.view("datetime64[us]")],
        [binary.instant(one) for one in high.view("datetime64[us]")],
        weeks,
    )


def _current_week(now: np.datetime64) -> np.datetime64:
    """Whatever the zone, the profile in force was not made of hours from here on."""
    today = now.astype("datetime64[D]")
    weekday = (int(today.astype(np.int64)) + 3) % 7
    begin: np.datetime64 = today - weekday + np.timedelta64(14, "h")
    return begin


async def load_profiles(
    connection: asyncpg.Connection, series: IntArray, first: np.datetime64, last: np.datetime64
) -> WeekProfiles:
    """Profiles of these series for the weeks from ``first`` to ``last``, by series and week."""
    rows = await connection.fetch(
        """
        SELECT series_id, week, floor, median, mad, count
          FROM pipeline.week_profile
         WHERE week BETWEEN $2 AND $3 AND series_id = ANY ($1::int4[])
         ORDER BY series_id, week
        """,
        series.tolist(),
        _date(first),
        _date(last),
    )

    def table(
        name: str, kind: np.dtype[np.generic]
    ) -> np.ndarray[tuple[int, int], np.dtype[np.generic]]:
        whole = np.frombuffer(b"".join(row[name] for row in rows), kind)
        return whole.reshape(len(rows), HOURS_OF_WEEK)

    return WeekProfiles(
        np.array([row["series_id"] for row in rows], np.int32),
        np.array([row["week"] for row in rows], "datetime64[D]"),
        np.array([row["floor"] for row in rows], np.float64),
        table("median", _FLOAT).astype(np.float64),
        table("mad", _FLOAT).astype(np.float64),
        table("count", _BYTE).astype(np.uint8),
    )


async def save_profiles(connection: asyncpg.Connection, made: WeekProfiles) -> None:
    """Replace the profiles of these series and weeks."""
    await connection.executemany(
        """
        INSERT INTO pipeline.week_profile (series_id, week, floor, median, mad, count)
        VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (week, series_id) DO UPDATE
           SET (floor, stale, median, mad, count)
             = (excluded.floor, false, excluded.median, excluded.mad, excluded.count)
        """,
        list(
            zip(
                made.series.tolist(),
                (_date(week) for week in made.week),
                made.floor.tolist(),
                _bytes(made.median.astype(_FLOAT)),
                _bytes(made.mad.astype(_FLOAT)),
                _bytes(made.count.astype(_BYTE)),
                strict=True,
            )
        ),
    )


def _bytes(table: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Sequence[bytes]:
    whole, size = table.tobytes(), table.itemsize * HOURS_OF_WEEK
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def _date(week: np.datetime64) -> datetime.date:
    day: datetime.date = week.astype("datetime64[D]").item()
    return day


def _times(moments: Sequence[datetime.datetime | None]) -> TimeArray:
    return np.array(
        [
            _NEVER if one is None else np.datetime64(one.replace(tzinfo=None), "us")
            for one in moments
        ],
        "datetime64[us]",
    )
