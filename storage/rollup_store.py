"""Rollups and reading flags in and out of the database.

Everything here runs in the caller's transaction. What is recomputed replaces what was
there, row for row; rows that would not change are left alone, so a recomputation that
finds the same numbers writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage import arrays, binary
from storage.catalogue import Domain
from storage.level import Level
from storage.reading import Batch, IntArray, TimeArray
from storage.rollup import Rollups, Sketches

COLUMNS = (
    "start", "sum", "min", "max", "m2", "first", "last", "x", "y", "series_id", "expected",
    "received", "good", "suspect", "provisional", "sketch",
)  # fmt: skip
"""As the tables declare them and :mod:`storage.binary` writes them."""

_KEY = ("series_id", "start")
_REST = tuple(name for name in COLUMNS if name not in _KEY)
_LIST = ", ".join(COLUMNS)


async def fetch(
    connection: asyncpg.Connection,
    domain: Domain,
    level: Level,
    start: np.datetime64,
    end: np.datetime64,
    series: IntArray | None = None,
) -> Rollups:
    """Rollups of windows that start in ``[start, end)``, by (series, start)."""
    some = "" if series is None else "AND series_id = ANY ($3::int4[])"
    body = await binary.copy_out(
        connection,
        f"""
        SELECT {_LIST}
          FROM {domain.value}.{level.value}
         WHERE start >= $1 AND start < $2 {some}
        """,
        binary.instant(start),
        binary.instant(end),
        *([] if series is None else [series.tolist()]),
    )
    rollups = binary.decode_rollups(body)
    return take(rollups, np.lexsort((rollups.start, rollups.series)))


async def fetch_parts(
    connection: asyncpg.Connection,
    domain: Domain,
    level: Level,
    names: Sequence[str],
    start: np.datetime64,
    end: np.datetime64,
    series: IntArray,
) -> tuple[IntArray, TimeArray, dict[str, NDArray[Any]]]:
    """Some columns, without sketches, of windows that start in ``[start, end)``.

    Returns series, start and the columns by name, in no particular order: a third of the
    bytes of :func:`fetch`.
    """
    wanted = [("start", ">i8"), ("series", ">i4")]
    wanted += [column for column in binary.ROLLUP_COLUMNS if column[0] in names]
    listed = ", ".join("series_id" if name == "series" else name for name, _ in wanted)
    body = await binary.copy_out(
        connection,
        f"""
        SELECT {listed}
          FROM {domain.value}.{level.value}
         WHERE start >= $1 AND start < $2 AND series_id = ANY ($3::int4[])
        """,
        binary.instant(start),
        binary.instant(end),
        series.tolist(),
    )
    rows = binary.decode_rows(body, wanted)
    parts = {name: rows[name].astype(code[1:]) for name, code in wanted[2:]}
    return rows["series"].astype(np.int32), binary.times(rows["start"]), parts


async def replace(
    connection: asyncpg.Connection,
    domain: Domain,
    level: Level,
    rollups: Rollups,
    start: np.datetime64,
    end: np.datetime64,
    series: IntArray,
) -> None:
    """Make the rows of these series in ``[start, end)`` be exactly ``rollups``.

    Where nothing is stored yet they are copied straight in. Otherwise they are staged:
    rows without a successor go, rows that differ are updated in place, which mostly
    leaves the indexes alone.
    """
    table = f"{domain.value}.{level.value}"
    span = (binary.instant(start), binary.instant(end), series.tolist())
    occupied = await connection.fetchval(
        f"SELECT EXISTS (SELECT FROM {table}"
        " WHERE start >= $1 AND start < $2 AND series_id = ANY ($3::int4[]))",
        *span,
    )
    if not occupied:
        if len(rollups):
            await _copy_in(connection, rollups, level.value, domain.value)
            closed = ~rollups.provisional
            await _tell(connection, level, rollups.series[closed], rollups.start[closed])
        return
    await _stage(
        connection, f"CREATE TEMP TABLE rollup_staging (LIKE {table}) ON COMMIT DELETE ROWS"
    )
    await _copy_in(connection, rollups, "rollup_staging")
    gone = await connection.fetch(
        f"""
        DELETE FROM {table} t
         WHERE start >= $1 AND start < $2 AND series_id = ANY ($3::int4[])
           AND NOT EXISTS (SELECT FROM rollup_staging s
                            WHERE s.series_id = t.series_id AND s.start = t.start)
        RETURNING series_id, start
        """,
        *span,
    )
    new = ", ".join(f"excluded.{name}" for name in _REST)
    old = ", ".join(f"t.{name}" for name in _REST)
    written = await connection.fetch(
        f"""
        WITH written AS (
             INSERT INTO {table} AS t ({_LIST})
             SELECT {_LIST} FROM rollup_staging
                 ON CONFLICT (series_id, start) DO UPDATE
                SET ({", ".join(_REST)}) = ({new})
              WHERE ({old}) IS DISTINCT FROM ({new})
             RETURNING series_id, start, provisional)
        SELECT series_id, start FROM written WHERE NOT provisional
        """
    )
    rows = [*gone, *written]
    starts = [row["start"].replace(tzinfo=None) for row in rows]
    await _tell(
        connection, level, np.array([row["series_id"] for row in rows], np.int32),
        np.array(starts, "datetime64[us]"),
    )  # fmt: skip


async def _tell(
    connection: asyncpg.Connection, level: Level, series: IntArray, start: TimeArray
) -> None:
    """Mark closed windows that are not what they were, for the indicators made of them.

    Whatever changes a quarter-hour changes the hour and the day above, which alone are told.
    """
    if level is Level.QUARTER_HOUR or not len(series):
        return
    rows = []
    for window in np.unique(start):
        ids = series[start == window]
        rows.append(
            [
                arrays.text(level.value),
                arrays.timestamp(binary.microseconds(window[None])[0]),
                arrays.int4_array(ids),
            ]
        )
    await arrays.copy_rows(connection, "pipeline", "changed", ("level", "start", "series_id"), rows)


async def delete(
    connection: asyncpg.Connection,
    domain: Domain,
    level: Level,
    start: np.datetime64,
    end: np.datetime64,
) -> None:
    """Remove the rollups of windows that start in ``[start, end)``."""
    await connection.execute(
        f"DELETE FROM {domain.value}.{level.value} WHERE start >= $1 AND start < $2",
        binary.instant(start),
        binary.instant(end),
    )


async def replace_flags(
    connection: asyncpg.Connection,
    failed: Batch,
    tests: NDArray[np.int16],
    start: np.datetime64,
    end: np.datetime64,
    series: IntArray,
) -> None:
    """Make the tests' flags of these series in ``[start, end)`` be exactly those of ``failed``.

    ``failed`` are the readings that failed one of ``tests``, with their final flags. What
    people said stays.
    """
    if len(failed):
        await _stage(
            connection,
            "CREATE TEMP TABLE flag_staging"
            " (time timestamptz, value float8, series_id int4, flag int2) ON COMMIT DELETE ROWS",
        )
        staged = Batch(failed.time, tests.astype(np.float64), failed.series, failed.flag)
        await connection.copy_to_table(
            "flag_staging", source=binary.chunks(binary.encode_readings(staged)), format="binary"
        )
    stays = """
        AND NOT EXISTS (SELECT FROM flag_staging s
                         WHERE s.series_id = f.series_id AND s.time = f.time)"""
    await connection.execute(
        f"""
        DELETE FROM pipeline.reading_flag f
         WHERE origin = 'test' AND time >= $1 AND time < $2 AND series_id = ANY ($3::int4[])
               {stays if len(failed) else ""}
        """,
        binary.instant(start),
        binary.instant(end),
        series.tolist(),
    )
    if len(failed):
        await connection.execute(
            """
            INSERT INTO pipeline.reading_flag AS f (series_id, time, origin, flag, tests)
            SELECT series_id, time, 'test', flag, value::int2 FROM flag_staging
                ON CONFLICT (series_id, time, origin) DO UPDATE
               SET (flag, tests) = (excluded.flag, excluded.tests)
             WHERE (f.flag, f.tests) <> (excluded.flag, excluded.tests)
            """
        )


def take(rollups: Rollups, rows: NDArray[np.intp]) -> Rollups:
    """Rows chosen by position, in that order, with their sketches."""
    offset = rollups.sketch.offset
    size = np.diff(offset)[rows]
    ends = np.cumsum(size)
    pair = np.repeat(offset[rows] - (ends - size), size) + np.arange(int(ends[-1:].sum()))
    columns = {name: getattr(rollups, name)[rows] for name in Rollups.__slots__ if name != "sketch"}
    ordered = Sketches(np.concatenate((np.zeros(1, np.int64), ends)), rollups.sketch.pairs[pair])
    return Rollups(**columns, sketch=ordered)


async def _stage(connection: asyncpg.Connection, create: str) -> None:
    """An empty temporary table; creating it once per connection spares the catalogue."""
    name = create.split()[3]
    if await connection.fetchval("SELECT to_regclass('pg_temp.' || $1::text)", name) is None:
        await connection.execute(create)
    else:
        await connection.execute(f"TRUNCATE {name}")


async def _copy_in(
    connection: asyncpg.Connection, rollups: Rollups, table: str, schema: str | None = None
) -> None:
    await connection.copy_to_table(
        table,
        schema_name=schema,
        columns=COLUMNS,
        source=binary.chunks(binary.encode_rollups(rollups)),
        format="binary",
    )
