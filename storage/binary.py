"""PostgreSQL's binary COPY format, built and read by numpy in one piece.

A COPY body is a header, then per row the number of fields and per field its length and
its bytes, then a trailer [1]_. Where every field has a fixed length a row is a numpy
record, and a whole batch is one assignment per column; the driver's own tuples take twice
as long. A rollup's last field, the sketch, varies in length: its rows are laid out by
run lengths, still without a loop over rows.

References
----------
.. [1] PostgreSQL documentation, "COPY", section "Binary Format".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage.reading import Batch, TimeArray
from storage.rollup import SKETCH_PAIR, Rollups, Sketches

Bytes = NDArray[np.uint8]

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
EPOCH = np.datetime64("2000-01-01T00:00:00", "us")
"""PostgreSQL counts microseconds from here."""

CHUNK_BYTES = 1 << 20
"""One CopyData message: large enough to amortise a wake-up, small enough to overlap with
the server's work."""

LONG_BYTES, FULL_BYTES, NAP_S = 1 << 20, 1 << 17, 0.002
"""Of an answer: from when on it is long, what is worth waking up for, how long to nap."""


def _row(columns: Sequence[tuple[str, str]], extra: int = 0) -> np.dtype[np.void]:
    """The record of one row: field count, then each field's length and value."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, code in columns:
        fields += [(f"{name}_length", ">i4"), (name, code)]
    if extra:
        fields.append(("tail_length", ">i4"))
    return np.dtype(fields)


READING_COLUMNS = (("time", ">i8"), ("value", ">f8"), ("series", ">i4"), ("flag", ">i2"))
READING_ROW = _row(READING_COLUMNS)

ROLLUP_COLUMNS = (
    ("start", ">i8"),
    *((name, ">f8") for name in ("sum", "min", "max", "m2", "first", "last", "x", "y")),
    *((name, ">i4") for name in ("series", "expected", "received", "good", "suspect")),
    ("provisional", "|i1"),
)
ROLLUP_ROW = _row(ROLLUP_COLUMNS, extra=1)
"""All of a rollup's row but the sketch's bytes, which follow ``tail_length``."""


def encode_readings(batch: Batch) -> memoryview:
    """The COPY body for columns (time, value, series_id, flag), in the batch's order."""
    body, rows = _blank(READING_ROW, READING_COLUMNS, len(batch))
    rows["time"] = _since_epoch(batch.time)
    rows["value"] = batch.value
    rows["series"] = batch.series
    rows["flag"] = batch.flag
    return body.data


def decode_readings(body: bytes) -> Batch:
    """Readings from the body of a COPY of (time, value, series_id, flag), in its order."""
    rows = _records(body, READING_ROW, len(READING_COLUMNS))
    return Batch(
        _from_epoch(rows["time"]),
        rows["value"].astype(np.float64),
        rows["series"].astype(np.int32),
        rows["flag"].astype(np.int16),
    )


def encode_rollups(rollups: Rollups) -> memoryview:
    """The COPY body for the columns of a rollup table in their declared order."""
    count = len(rollups)
    _, rows = _blank(ROLLUP_ROW, ROLLUP_COLUMNS, count, fields=len(ROLLUP_COLUMNS) + 1)
    rows["start"] = _since_epoch(rollups.start)
    for name, _ in ROLLUP_COLUMNS[1:]:
        rows[name] = getattr(rollups, name)
    sizes = np.diff(rollups.sketch.offset) * SKETCH_PAIR.itemsize
    rows["tail_length"] = sizes
    first, last = rollups.sketch.offset[0], rollups.sketch.offset[-1]
    # Alternating runs of fixed part and sketch; numpy copies a masked run in one go.
    runs = np.empty(2 * count, np.int64)
    runs[0::2] = ROLLUP_ROW.itemsize
    runs[1::2] = sizes
    fixed = np.repeat(np.tile([True, False], count), runs)
    body = np.empty(len(HEADER) + fixed.size + len(TRAILER), np.uint8)
    _frame(body)
    inner = body[len(HEADER) : -len(TRAILER)]
    inner[fixed] = np.frombuffer(rows.tobytes(), np.uint8)
    inner[~fixed] = np.frombuffer(rollups.sketch.pairs[first:last].tobytes(), np.uint8)
    return body.data


def decode_rollups(body: bytes) -> Rollups:
    """Rollups from the body of a COPY of a rollup table's columns, in its order."""
    inner = _inner(body)
    start = _row_starts(inner)
    sizes = np.diff(np.append(start, inner.size)) - ROLLUP_ROW.itemsize
    runs = np.empty(2 * start.size, np.int64)
    runs[0::2] = ROLLUP_ROW.itemsize
    runs[1::2] = sizes
    fixed = np.repeat(np.tile([True, False], start.size), runs)
    rows = inner[fixed].view(ROLLUP_ROW)
    pairs = inner[~fixed].view(SKETCH_PAIR)
    offset = np.zeros(start.size + 1, np.int64)
    np.cumsum(sizes // SKETCH_PAIR.itemsize, out=offset[1:])
    floats = {n: rows[n].astype(np.float64) for n, code in ROLLUP_COLUMNS if code == ">f8"}
    whole = {n: rows[n].astype(np.int32) for n, code in ROLLUP_COLUMNS if code == ">i4"}
    return Rollups(
        start=_from_epoch(rows["start"]),
        provisional=rows["provisional"].astype(np.bool_),
        sketch=Sketches(offset, pairs),
        **floats,
        **whole,
    )


def encode_rows(
    columns: Sequence[tuple[str, str]], values: Mapping[str, NDArray[Any]], count: int
) -> memoryview:
    """The COPY body of rows whose columns all have a fixed length; times as microseconds."""
    body, rows = _blank(_row(columns), columns, count)
    for name, _ in columns:
        column = values[name]
        rows[name] = _since_epoch(column) if column.dtype.kind == "M" else column
    return body.data


def decode_rows(body: bytes, columns: Sequence[tuple[str, str]]) -> NDArray[np.void]:
    """The records of such a body; times are still PostgreSQL's, see :func:`times`."""
    return _records(body, _row(columns), len(columns))


def times(microseconds: NDArray[np.int64]) -> TimeArray:
    """Instants from PostgreSQL's microseconds; -infinity is NaT, and NaT is -infinity."""
    return _from_epoch(microseconds)


async def chunks(body: memoryview) -> AsyncIterator[bytes]:
    """The body in pieces, as an async source: a file object would hop through a thread
    per piece, and one piece would keep the server idle until all of it was sent."""
    for at in range(0, len(body), CHUNK_BYTES):
        yield bytes(body[at : at + CHUNK_BYTES])


async def copy_out(connection: asyncpg.Connection, query: str, *parameters: object) -> bytes:
    """The COPY body of a query's rows.

    A server sends 8 kB at a time, and waking up for each costs as much as reading it. In a
    long answer the reader naps and finds the socket full: half the processor time.
    """
    pieces: list[bytes] = []
    received = 0

    async def keep(piece: bytes) -> None:
        nonlocal received
        pieces.append(piece)
        received += len(piece)
        if received > LONG_BYTES and len(piece) < FULL_BYTES:
            await asyncio.sleep(NAP_S)

    await connection.copy_from_query(query, *parameters, output=keep, format="binary")
    return b"".join(pieces)


def instant(time: np.datetime64) -> datetime:
    """A numpy instant as the driver wants it, which takes naive times for local ones."""
    scalar: datetime = time.astype("datetime64[us]").item()
    return scalar.replace(tzinfo=UTC)


def microseconds(time: TimeArray) -> list[int]:
    """Instants as PostgreSQL counts them, for int8[] parameters."""
    numbers: list[int] = _since_epoch(time).tolist()
    return numbers


def _blank(
    row: np.dtype[np.void],
    columns: Sequence[tuple[str, str]],
    count: int,
    fields: int | None = None,
) -> tuple[Bytes, NDArray[np.void]]:
    """A framed body of ``count`` rows with counts and lengths filled in, and its rows."""
    body = np.empty(len(HEADER) + count * row.itemsize + len(TRAILER), np.uint8)
    _frame(body)
    rows = body[len(HEADER) : -len(TRAILER)].view(row)
    rows["fields"] = fields if fields is not None else len(columns)
    for name, code in columns:
        rows[f"{name}_length"] = np.dtype(code).itemsize
    return body, rows


def _frame(body: Bytes) -> None:
    body[: len(HEADER)] = np.frombuffer(HEADER, np.uint8)
    body[-len(TRAILER) :] = np.frombuffer(TRAILER, np.uint8)


def _inner(body: bytes) -> Bytes:
    """What lies between header and trailer."""
    if body[: len(HEADER)] != HEADER or body[-len(TRAILER) :] != TRAILER:
        raise ValueError("not a complete binary COPY body")
    return np.frombuffer(body, np.uint8)[len(HEADER) : -len(TRAILER)]


def _records(body: bytes, row: np.dtype[np.void], fields: int) -> NDArray[np.void]:
    """The rows of a body whose every field has a fixed length."""
    inner = _inner(body)
    if inner.size % row.itemsize:
        raise ValueError(f"rows are not {row.itemsize} bytes each: a NULL or another type?")
    rows = inner.view(row)
    if not (rows["fields"] == fields).all():
        raise ValueError(f"rows do not have {fields} fields each")
    return rows


def _row_starts(inner: Bytes) -> NDArray[np.int64]:
    """Where each rollup row begins.

    Only the chain of lengths knows, and following it takes a step per row. A row begins
    with its field count and the first field's length; every place that looks so is a
    candidate. If each candidate's length leads to the next one, they are the rows, by
    induction from the first. A sketch that happens to contain the same bytes breaks the
    chain; then it is followed step by step.
    """
    mark = np.frombuffer(_row_mark(), np.uint8)
    usable = inner.size - ROLLUP_ROW.itemsize + 1
    if usable <= 0:
        if inner.size:
            raise ValueError("a row of a rollup is cut short")
        return np.empty(0, np.int64)
    # The field count's low byte is rare in sketches and times; test it first.
    candidate = np.flatnonzero(inner[1 : usable + 1] == mark[1])
    for at in (0, 2, 3, 4, 5):
        candidate = candidate[inner[candidate + at] == mark[at]]
    length_at = ROLLUP_ROW.itemsize - 4
    length = np.zeros(candidate.size, np.int64)
    for at in range(4):
        length = (length << 8) | inner[candidate + length_at + at]
    follows = np.append(candidate[1:], inner.size)
    reached = candidate + ROLLUP_ROW.itemsize + length
    if candidate.size and candidate[0] == 0 and np.array_equal(reached, follows):
        return candidate
    return _follow(dict(zip(candidate.tolist(), reached.tolist(), strict=True)), inner.size)


def _follow(reached: dict[int, int], end: int) -> NDArray[np.int64]:
    """The rows among candidates, by their lengths from the first byte to the last."""
    starts, at = [], 0
    while at < end:
        if at not in reached:
            raise ValueError("rows are not rollups: a NULL or another type?")
        starts.append(at)
        at = reached[at]
    if at != end:
        raise ValueError("a row of a rollup is cut short")
    return np.array(starts, np.int64)


def _row_mark() -> bytes:
    """The first six bytes of every rollup row: field count, length of the start."""
    return (len(ROLLUP_COLUMNS) + 1).to_bytes(2, "big") + (8).to_bytes(4, "big")


def _since_epoch(time: TimeArray) -> NDArray[np.int64]:
    # NaT stays NaT, whose number is that of PostgreSQL's -infinity.
    return (time - EPOCH).astype(np.int64)


def _from_epoch(microseconds: NDArray[np.int64]) -> TimeArray:
    return EPOCH + microseconds.astype(np.int64).view("timedelta64[us]")
