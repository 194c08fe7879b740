"""Readings back out as numpy columns, and the few readings just outside a window.

``start`` is inclusive, ``end`` exclusive. Domains name schemas and come from a closed
enum, so writing them into a statement is safe.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import numpy as np

from storage import binary
from storage.binary import copy_out, instant, microseconds
from storage.catalogue import Domain
from storage.reading import Batch, Flag, FloatArray, IntArray, TimeArray, empty_batch

_TIME = "timestamptz '2000-01-01 00:00:00+00' + {} * interval '1 microsecond'"
"""An instant from PostgreSQL's own microseconds: exact, where to_timestamp rounds."""

_SAID = f"""
    CASE WHEN {{0}}.flag = {Flag.MISSING} THEN {{0}}.flag
         ELSE coalesce((SELECT f.flag FROM pipeline.reading_flag f
                         WHERE f.series_id = {{1}} AND f.time = {{0}}.time
                           AND f.origin = 'person'), {{0}}.flag) END"""
"""What is said of a reading: a person's word stands for the source's, but makes up no value."""

_USABLE = f"""
    CASE WHEN {_SAID.format("q", "p.id")} < {Flag.FAIL} AND q.value >= p.low AND q.value <= p.high
         THEN true END"""
"""What the quality tests look at: NaN is above every number to PostgreSQL, so out of range.

As a CASE the planner takes it to be met by half of the rows, so that a probe follows the
index to the first that fits; by the product of its parts it would be rare, and every row of
the series was fetched and sorted.
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Points in the histories of series, to look back or ahead from.

    Attributes, each of shape (n,)
    ------------------------------
    series : int32
    time : datetime64[us]
    low, high : float64
        Range of usable values, NaN where any is. [unit]
    """

    series: IntArray
    time: TimeArray
    low: FloatArray
    high: FloatArray

    def __len__(self) -> int:
        return len(self.series)

    def parameters(self) -> tuple[list[int], list[int], list[float], list[float]]:
        """As arrays of ids, microseconds and limits for a statement."""
        low = np.where(np.isnan(self.low), -np.inf, self.low)
        high = np.where(np.isnan(self.high), np.inf, self.high)
        return self.series.tolist(), microseconds(self.time), low.tolist(), high.tolist()


async def readings_between(
    connection: asyncpg.Connection,
    domain: Domain,
    start: np.datetime64,
    end: np.datetime64,
    series: IntArray | None = None,
) -> Batch:
    """Readings in ``[start, end)`` of some or all series, by (series, time)."""
    some = "" if series is None else "AND series_id = ANY ($3::int4[])"
    body = await copy_out(
        connection,
        f"""
        SELECT time, value, series_id, flag
          FROM {domain.value}.reading
         WHERE time >= $1 AND time < $2 {some}
        """,
        instant(start),
        instant(end),
        *([] if series is None else [series.tolist()]),
    )
    return in_key_order(binary.decode_readings(body))


async def final_readings(
    connection: asyncpg.Connection,
    domain: Domain,
    start: np.datetime64,
    end: np.datetime64,
    series: IntArray,
) -> Batch:
    """Usable readings in ``[start, end)`` by (series, time), with the flags that tests and
    people gave them; failed and missing ones are left out."""
    body = await copy_out(
        connection,
        f"""
        SELECT time, value, series_id, flag
          FROM (SELECT r.time, r.value, r.series_id,
                       CASE WHEN r.flag = 9 OR r.value = 'NaN' THEN 9::int2
                            WHEN q.tests & 1 = 1 THEN 4::int2
                            ELSE coalesce(q.person, greatest(r.flag, q.test)) END AS flag
                  FROM {domain.value}.reading r
                  LEFT JOIN (SELECT series_id, time, bit_or(tests) AS tests,
                                    max(flag) FILTER (WHERE origin = 'person') AS person,
                                    max(flag) FILTER (WHERE origin = 'test') AS test
                               FROM pipeline.reading_flag
                              WHERE time >= $1 AND time < $2 AND series_id = ANY ($3::int4[])
                              GROUP BY series_id, time) q USING (series_id, time)
                 WHERE r.time >= $1 AND r.time < $2 AND r.series_id = ANY ($3::int4[])) f
         WHERE flag < 4
        """,
        instant(start),
        instant(end),
        series.tolist(),
    )
    return in_key_order(binary.decode_readings(body))


def in_key_order(batch: Batch) -> Batch:
    """Rows by (series, time).

    Readings are stored about in order of time, so a stable sort by series alone usually
    does; on 16-bit codes it is a radix sort, ten times as fast as sorting by both.
    """
    if not len(batch):
        return batch
    low = int(batch.series.min())
    code = batch.series - low
    ordered = batch.take(
        np.argsort(code.astype(np.uint16) if int(code.max()) < 1 << 16 else code, kind="stable")
    )
    backwards = ordered.time[1:] <= ordered.time[:-1]
    if (backwards & (ordered.series[1:] == ordered.series[:-1])).any():
        return batch.in_key_order()
    return ordered


async def before(
    connection: asyncpg.Connection,
    domain: Domain,
    places: Places,
    count: int,
    *,
    usable: bool = True,
) -> Batch:
    """The last readings before each place.

    ``series`` of the answer numbers the places, 0 to n - 1; at most ``count`` rows each,
    by (place, time). One index probe per place, newest chunk first.
    """
    return await _beside(connection, domain, places, count, "<", "DESC", usable)


async def after(
    connection: asyncpg.Connection, domain: Domain, places: Places, count: int
) -> Batch:
    """The first usable readings at or after each place, numbered as by :func:`before`."""
    return await _beside(connection, domain, places, count, ">=", "ASC", usable=True)


async def _beside(
    connection: asyncpg.Connection,
    domain: Domain,
    places: Places,
    count: int,
    side: str,
    direction: str,
    usable: bool,
) -> Batch:
    if not len(places):
        return empty_batch()
    body = await copy_out(
        connection,
        f"""
        SELECT r.time, r.value, p.place::int4, {_SAID.format("r", "p.id")}
          FROM unnest($1::int4[], $2::int8[], $3::float8[], $4::float8[])
               WITH ORDINALITY AS p (id, us, low, high, place)
          CROSS JOIN LATERAL (
               SELECT q.time, q.value, q.flag
                 FROM {domain.value}.reading q
                WHERE q.series_id = p.id AND q.time {side} {_TIME.format("p.us")}
                  AND {_USABLE if usable else "true"}
                ORDER BY q.time {direction}
                LIMIT $5) r
        """,
        *places.parameters(),
        count,
    )
    found = in_key_order(binary.decode_readings(body))
    found.series[:] -= 1  # ordinality counts from 1
    return found


async def unchanged_since(
    connection: asyncpg.Connection,
    domain: Domain,
    places: Places,
    value: FloatArray,
    hours: FloatArray,
) -> TimeArray:
    """Since when usable readings up to each place have had its value; shape (n,).

    Looks back ``hours`` and to the one reading before: beyond, only that it is long enough
    matters.

    Parameters
    ----------
    places : Places of n usable readings
    value : float64, shape (n,)
        The readings' values. [unit]
    hours : float64, shape (n,)
        How long without change makes a flat line. [h]
    """
    if not len(places):
        return np.empty(0, "datetime64[us]")
    same = f"FROM {domain.value}.reading q WHERE q.series_id = p.id AND {_USABLE}"
    rows = await connection.fetch(
        f"""
        SELECT CASE WHEN o.value = p.value THEN o.time ELSE f.time END AS since
          FROM unnest($1::int4[], $2::int8[], $3::float8[], $4::float8[], $5::float8[], $6::int8[])
               WITH ORDINALITY AS p (id, us, low, high, value, back, place)
          CROSS JOIN LATERAL (SELECT {_TIME.format("p.us")} AS time,
                                     {_TIME.format("(p.us - p.back)")} AS oldest) t
          LEFT JOIN LATERAL (SELECT q.time {same} AND q.value <> p.value
                                AND q.time < t.time AND q.time >= t.oldest
                              ORDER BY q.time DESC LIMIT 1) d ON true
          LEFT JOIN LATERAL (SELECT q.time, q.value {same}
                                AND d.time IS NULL AND q.time < t.oldest
                              ORDER BY q.time DESC LIMIT 1) o ON true
          CROSS JOIN LATERAL (SELECT q.time {same}
                                AND q.time >= t.oldest AND q.time <= t.time
                                AND q.time > coalesce(d.time, '-infinity')
                              ORDER BY q.time LIMIT 1) f
         ORDER BY p.place
        """,
        *places.parameters(),
        value.tolist(),
        (hours * 3.6e9).astype(np.int64).tolist(),
    )
    return _times(row["since"] for row in rows)


async def unchanged_until(
    connection: asyncpg.Connection,
    domain: Domain,
    places: Places,
    value: FloatArray,
    hours: FloatArray,
) -> TimeArray:
    """When usable readings after each place first have another value than its own, but no
    later than ``hours`` after it; shape (n,). Parameters as in :func:`unchanged_since`."""
    if not len(places):
        return np.empty(0, "datetime64[us]")
    rows = await connection.fetch(
        f"""
        SELECT coalesce(d.time, t.latest) AS until
          FROM unnest($1::int4[], $2::int8[], $3::float8[], $4::float8[], $5::float8[], $6::int8[])
               WITH ORDINALITY AS p (id, us, low, high, value, ahead, place)
          CROSS JOIN LATERAL (SELECT {_TIME.format("p.us")} AS time,
                                     {_TIME.format("(p.us + p.ahead)")} AS latest) t
          LEFT JOIN LATERAL (SELECT q.time
                               FROM {domain.value}.reading q
                              WHERE q.series_id = p.id AND {_USABLE} AND q.value <> p.value
                                AND q.time > t.time AND q.time < t.latest
                              ORDER BY q.time LIMIT 1) d ON true
         ORDER BY p.place
        """,
        *places.parameters(),
        value.tolist(),
        (hours * 3.6e9).astype(np.int64).tolist(),
    )
    return _times(row["until"] for row in rows)


async def person_flags(
    connection: asyncpg.Connection,
    domain: Domain,
    start: np.datetime64,
    end: np.datetime64,
    series: IntArray,
) -> Batch:
    """What people said of readings in ``[start, end)``, by (series, time); values are NaN."""
    body = await copy_out(
        connection,
        """
        SELECT time, 'NaN'::float8, series_id, flag
          FROM pipeline.reading_flag
         WHERE origin = 'person' AND time >= $1 AND time < $2 AND series_id = ANY ($3::int4[])
        """,
        instant(start),
        instant(end),
        series.tolist(),
    )
    return in_key_order(binary.decode_readings(body))


def _times(values: Iterable[datetime]) -> TimeArray:
    # numpy reads no time zones; the connection's is UTC.
    return np.array([value.replace(tzinfo=None) for value in values], "datetime64[us]")
