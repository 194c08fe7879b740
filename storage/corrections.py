"""What people say of readings, and what they put right.

Flags of persons stand beside the readings; a correction changes the value and keeps the
one first stored. Both mark the windows they touch in the same transaction, so that the
next pass rolls them up anew with all that their neighbours' results reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from storage import review
from storage.reading import Flag
from storage.review import Author, Measured, Span

Progress = Callable[[int, int], None]
"""Hears how many pieces of how many are done."""

VALUELESS: LiteralString = "(r.flag = 9 OR r.value = 'NaN')"
"""A missing reading has no value to judge or to change."""

MARK: LiteralString = """INSERT INTO pipeline.dirty (domain, start, series_id)
          SELECT %(domain)s, start, ARRAY[%(series)s::int4]
            FROM (SELECT DISTINCT date_bin('15 minutes', time, '2000-01-01 00:00:00+00') AS start
                    FROM {changed}) w
          RETURNING start"""


class NotDone(Exception):
    """Nothing was changed; the message says why and what to do."""


@dataclass(slots=True)
class Changed:
    """Counts of one change.

    Attributes
    ----------
    there
        Readings in the span.
    valueless
        Of those, missing ones: nothing can be done to them.
    readings
        Changed, or to be changed in a dry run.
    windows
        Quarter-hours marked to be rolled up anew.
    action_id
        In the log; ``None`` where nothing was changed.
    """

    there: int = 0
    valueless: int = 0
    readings: int = 0
    windows: int = 0
    action_id: int | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """One value for all, in the metric's unit."""

    value: float


@dataclass(frozen=True, slots=True)
class Linear:
    """``scale`` times the value plus ``shift``."""

    scale: float
    shift: float


@dataclass(frozen=True, slots=True)
class Listed:
    """A value for each time, in the metric's unit, and where each stands: (line, time, value)."""

    file: str
    rows: Iterable[tuple[int, datetime, float]]


New = Constant | Linear | Listed


def flag(
    connection: psycopg.Connection[Any],
    series: Measured,
    span: Span,
    word: Flag | None,
    author: Author,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Changed:
    """Write down what a person says of all readings of a span; ``None`` takes it back."""
    if word is None:
        change = """
            DELETE FROM pipeline.reading_flag
             WHERE series_id = %(series)s AND time >= %(start)s AND time < %(stop)s
               AND origin = 'person'"""
    else:
        change = """
            INSERT INTO pipeline.reading_flag AS f (series_id, time, origin, flag, tests)
            SELECT %(series)s, t.time, 'person', %(flag)s, 0 FROM target t
                ON CONFLICT (series_id, time, origin) DO UPDATE SET flag = excluded.flag"""
    query = sql.SQL(
        """
        WITH here AS MATERIALIZED (
             SELECT r.time, {valueless} AS valueless,
                    (SELECT f.flag FROM pipeline.reading_flag f
                      WHERE f.series_id = r.series_id AND f.time = r.time
                        AND f.origin = 'person') AS flag
               FROM {reading} r
              WHERE r.series_id = %(series)s AND r.time >= %(start)s AND r.time < %(stop)s),
        target AS MATERIALIZED (
             SELECT time FROM here WHERE flag IS DISTINCT FROM %(flag)s::int2 AND NOT valueless)
        {change}
        SELECT (SELECT count(*) FROM here), (SELECT count(*) FROM here WHERE valueless),
               (SELECT count(*) FROM target), {windows}
        """
    ).format(
        valueless=sql.SQL(VALUELESS), reading=series.table("reading"), **_effect(change, dry_run)
    )
    changed = Changed()
    with connection.transaction() as transaction:
        review.lock(connection, series)
        if not dry_run:
            detail = "none" if word is None else word.name.lower()
            changed.action_id = review.write_down(
                connection, "flag", author, span, series=series, detail=detail
            )
        for piece in _pieces(connection, series, span, progress):
            parameters = {"flag": None if word is None else int(word), **_parameters(series, piece)}
            _add(changed, connection.execute(query, parameters).fetchone())
        _finish(connection, changed, transaction)
    return changed


def correct(
    connection: psycopg.Connection[Any],
    series: Measured,
    span: Span | None,
    new: New,
    author: Author,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Changed:
    """Change values; the first one stored is kept, and forgotten when it comes back.

    Without ``span`` all times of a :class:`Listed` are meant.

    Raises
    ------
    NotDone
        A new value is not admissible, or a listed time has no reading.
    """
    changed = Changed()
    with connection.transaction() as transaction:
        review.lock(connection, series)
        if isinstance(new, Listed):
            span = _take_list(connection, new)
        assert span is not None
        if not dry_run:
            changed.action_id = review.write_down(
                connection, "correct", author, span, series=series, detail=_how(connection, new)
            )
        query, back = _correction(series, new, dry_run)
        values = {"action": changed.action_id, "low": series.low, "high": series.high}
        if isinstance(new, Constant):
            values["value"] = new.value
        elif isinstance(new, Linear):
            values |= {"scale": new.scale, "shift": new.shift}
        for piece in _pieces(connection, series, span, progress):
            parameters = {**values, **_parameters(series, piece)}
            try:
                row = connection.execute(query, parameters).fetchone()
            except psycopg.errors.NumericValueOutOfRange:
                raise NotDone(
                    "a new value is too large for any number; nothing was changed"
                ) from None
            assert row is not None
            if row[4]:
                raise NotDone(_outside(series, row[4], row[5], row[6]))
            _add(changed, row)
            if not dry_run:
                connection.execute(back, parameters)
        if isinstance(new, Listed):
            _all_found(connection, series, span, new.file, changed)
        _finish(connection, changed, transaction)
    return changed


def _correction(series: Measured, new: New, dry_run: bool) -> tuple[sql.Composed, sql.Composed]:
    """The statement that corrects a piece, and the one that forgets originals that are back."""
    joined: LiteralString = ""
    using: LiteralString = ""
    value: LiteralString = "%(value)s::float8"
    if isinstance(new, Linear):
        value = "(r.value * %(scale)s::float8 + %(shift)s::float8)"
    elif isinstance(new, Listed):
        joined, value = "JOIN listed_value l ON l.time = r.time", "l.value"
        using = "FROM listed_value l"
    # The parts of one statement see the same rows, so the targets are found again by the same
    # words: joining with them would go through all of them for each, as nobody counted them.
    change = """
        UPDATE {reading} r SET value = {value} {using}
         WHERE r.series_id = %(series)s AND r.time >= %(start)s AND r.time < %(stop)s
           AND NOT {valueless} AND {value} <> r.value {listed}"""
    keep = """,
        kept AS (
             INSERT INTO pipeline.correction AS c (series_id, time, original, action_id)
             SELECT %(series)s, time, old, %(action)s FROM target
                 ON CONFLICT (series_id, time) DO UPDATE SET action_id = excluded.action_id)"""
    query = sql.SQL(
        """
        WITH here AS MATERIALIZED (
             SELECT r.time, r.value AS old, {valueless} AS valueless,
                    CASE WHEN NOT {valueless} THEN {value} END AS new
               FROM {reading} r {joined}
              WHERE r.series_id = %(series)s AND r.time >= %(start)s AND r.time < %(stop)s),
        wrong AS MATERIALIZED (
             SELECT time, new FROM here WHERE NOT new BETWEEN %(low)s AND %(high)s),
        target AS MATERIALIZED (
             SELECT time, old, new FROM here WHERE NOT valueless AND new <> old)
        {change} {keep}
        SELECT (SELECT count(*) FROM here), (SELECT count(*) FROM here WHERE valueless),
               (SELECT count(*) FROM target), {windows},
               (SELECT count(*) FROM wrong), (SELECT min(time) FROM wrong),
               (SELECT new FROM wrong ORDER BY time LIMIT 1)
        """
    ).format(
        valueless=sql.SQL(VALUELESS), value=sql.SQL(value), joined=sql.SQL(joined),
        reading=series.table("reading"), keep=sql.SQL("" if dry_run else keep),
        **_effect(
            change, dry_run,
            reading=series.table("reading"), value=sql.SQL(value), using=sql.SQL(using),
            valueless=sql.SQL(VALUELESS), listed=sql.SQL("AND l.time = r.time" if using else ""),
        ),
    )  # fmt: skip
    back = sql.SQL(
        """
        DELETE FROM pipeline.correction c
         WHERE c.series_id = %(series)s AND c.time >= %(start)s AND c.time < %(stop)s
           AND c.original = (SELECT r.value FROM {reading} r
                              WHERE r.series_id = %(series)s AND r.time = c.time
                                AND r.time >= %(start)s AND r.time < %(stop)s)
        """
    ).format(reading=series.table("reading"))
    return query, back


def _effect(
    change: LiteralString, dry_run: bool, **parts: sql.Composable
) -> dict[str, sql.Composable]:
    """A change of the targets with its marks, or nothing but the count of windows."""
    if dry_run:
        counted = "(SELECT count(DISTINCT date_bin('15 minutes', time, '2000-01-01 00:00:00+00')) FROM target)"
        return {"change": sql.SQL(""), "windows": sql.SQL(counted)}
    done = sql.SQL(change).format(**parts)
    marks = sql.SQL(MARK).format(changed=sql.SQL("target"))
    return {
        "change": sql.SQL(", done AS ({}), marked AS ({})").format(done, marks),
        "windows": sql.SQL("(SELECT count(*) FROM marked)"),
    }


def _parameters(series: Measured, piece: Span) -> dict[str, object]:
    return {"series": series.series_id, "domain": series.domain, **piece.parameters()}


def _pieces(
    connection: psycopg.Connection[Any], series: Measured, span: Span, progress: Progress | None
) -> Iterable[Span]:
    """Where there are readings, a piece after the other."""
    todo = list(review.pieces(review.extent(connection, series, span)))
    for number, piece in enumerate(todo, 1):
        yield piece
        if progress:
            progress(number, len(todo))


def _add(changed: Changed, row: tuple[int, ...] | None) -> None:
    assert row is not None
    changed.there += row[0]
    changed.valueless += row[1]
    changed.readings += row[2]
    changed.windows += row[3]


def _finish(
    connection: psycopg.Connection[Any], changed: Changed, transaction: psycopg.Transaction
) -> None:
    """Put the number into the log; what changed nothing leaves no line there."""
    if changed.action_id is None:
        return
    if not changed.readings:
        changed.action_id = None
        raise psycopg.Rollback(transaction)
    review.close_line(connection, changed.action_id, changed.readings)


def _take_list(connection: psycopg.Connection[Any], new: Listed) -> Span:
    """The list as a temporary table; returns the span of its times."""
    connection.execute(
        "CREATE TEMP TABLE listed_value (line int4, time timestamptz, value float8) ON COMMIT DROP"
    )
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY listed_value (line, time, value) FROM STDIN") as copy,
    ):
        for listed in new.rows:
            copy.write_row(listed)
    connection.execute("CREATE INDEX ON listed_value (time)")
    connection.execute("ANALYZE listed_value")
    twice = connection.execute(
        "SELECT time, min(line), max(line) FROM listed_value GROUP BY time HAVING count(*) > 1"
        " ORDER BY 2 LIMIT 1"
    ).fetchone()
    if twice:
        raise NotDone(
            f"{new.file}:{twice[2]}: the time stands in line {twice[1]} already; remove one"
        )
    ends = connection.execute(
        "SELECT min(time), max(time) + interval '1 microsecond' FROM listed_value"
    ).fetchone()
    if ends is None or ends[0] is None:
        raise NotDone(
            f"{new.file}: holds no corrections; write lines of time,value under that header"
        )
    return Span(*ends)


def _all_found(
    connection: psycopg.Connection[Any], series: Measured, span: Span, file: str, changed: Changed
) -> None:
    """Refuse a list with times that have no value to correct."""
    row = connection.execute("SELECT count(*) FROM listed_value").fetchone()
    assert row is not None
    if row[0] == changed.there - changed.valueless:
        return
    query = sql.SQL(
        """
        SELECT l.line, count(*) OVER ()
          FROM listed_value l
         WHERE NOT EXISTS (SELECT FROM {reading} r
                            WHERE r.series_id = %(series)s AND r.time = l.time
                              AND r.time >= %(start)s AND r.time < %(stop)s AND NOT {valueless})
         ORDER BY l.line LIMIT 1
        """
    ).format(reading=series.table("reading"), valueless=sql.SQL(VALUELESS))
    missing = connection.execute(query, _parameters(series, span)).fetchone()
    assert missing is not None
    more = f", as {missing[1] - 1} more lines" if missing[1] > 1 else ""
    raise NotDone(
        f"{file}:{missing[0]}: at this time there is no reading with a value{more}; only values that "
        "were stored can be corrected: see beffroi readings show. Nothing was changed"
    )


def _how(connection: psycopg.Connection[Any], new: New) -> str:
    """For the log: how, but never a value, for it may have to be erased one day."""
    if isinstance(new, Constant):
        return "one value for all"
    if isinstance(new, Linear):
        return f"scale {new.scale:.15g}, shift {new.shift:.15g}"
    row = connection.execute("SELECT count(*) FROM listed_value").fetchone()
    assert row is not None
    return f"{row[0]} values of a list"


def _outside(series: Measured, count: int, time: datetime, value: float) -> str:
    rest = f", and {count - 1} others beside it" if count > 1 else ""
    return (
        f"{series.metric} goes from {series.low:g} to {series.high:g} {series.unit}, and the new value "
        f"at {time.isoformat()} would be {value:.15g}{rest}; nothing was changed"
    )
