"""Rows that hold whole arrays, as binary COPY: the driver's array parameters cost ten times more."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Iterable, Sequence

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage.binary import HEADER, TRAILER

PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts from 2000-01-01, in Unix microseconds."""
_INT4, _INT8 = 23, 20  # the types' numbers in pg_type


def text(value: str) -> bytes:
    """A text field."""
    return value.encode()


def timestamp(pg_us: int) -> bytes:
    """A timestamptz field, from microseconds since 2000-01-01 UTC."""
    return struct.pack(">q", pg_us)


def int4_array(values: NDArray[np.integer]) -> bytes:
    """An int4[] field: dimensions, null flag, element type, length, lower bound, elements."""
    return _array(values, _INT4, 4)


def int8_array(values: NDArray[np.integer]) -> bytes:
    """An int8[] field."""
    return _array(values, _INT8, 8)


def _array(values: NDArray[np.integer], kind: int, size: int) -> bytes:
    elements = np.empty(len(values), [("length", ">i4"), ("value", f">i{size}")])
    elements["length"] = size
    elements["value"] = values
    return struct.pack(">iiiii", 1, 0, kind, len(values), 1) + elements.tobytes()


async def copy_rows(
    connection: asyncpg.Connection,
    schema: str,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[bytes]],
) -> None:
    """COPY rows of encoded fields into a table."""
    parts = [HEADER]
    for row in rows:
        parts.append(struct.pack(">h", len(row)))
        for cell in row:
            parts += (struct.pack(">i", len(cell)), cell)
    parts.append(TRAILER)
    body = b"".join(parts)

    async def source() -> AsyncIterator[bytes]:
        yield body

    await connection.copy_to_table(
        table, schema_name=schema, columns=columns, source=source(), format="binary"
    )
