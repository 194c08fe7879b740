"""Sparkplug birth certificates, written down with the batch they came in.

Without them data that names its metrics by alias says nothing, so a collector reads them
when it takes up a session, and a replay looks up the one that counted at its message's time.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence

import asyncpg

from storage.intake import BirthRow

KEPT_VERSIONS = 32
"""Certificates kept of one device that differ; a replay of older messages needs them."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_US = datetime.timedelta(microseconds=1)
_LATEST = """
    SELECT DISTINCT ON (group_id, edge_node, device)
           group_id, edge_node, device, born_at, ended_at, bdseq, name, alias, datatype
      FROM pipeline.birth
     WHERE $1::text[] IS NULL OR (group_id, edge_node) IN (SELECT * FROM unnest($1, $2::text[]))
     ORDER BY group_id, edge_node, device, born_at DESC
"""
_ALL = """
    SELECT group_id, edge_node, device, born_at, ended_at, bdseq, name, alias, datatype
      FROM pipeline.birth
     ORDER BY group_id, edge_node, device, born_at
"""


async def save(connection: asyncpg.Connection, births: Sequence[BirthRow]) -> None:
    """Write down births and ends, in the transaction that is open."""
    # In order, so that two collectors of one group wait for one another instead of for ever.
    ordered = sorted(births, key=lambda row: row[:4])
    await connection.executemany(
        """
        UPDATE pipeline.birth SET ended_at = $5, bdseq = $6
         WHERE group_id = $1 AND edge_node = $2 AND device = $3 AND born_at = $4
        """,
        [(*row[:3], *_state(row)) for row in ordered if row.known],
    )
    ordered = [row for row in ordered if not row.known]
    await connection.executemany(
        """
        INSERT INTO pipeline.birth
               (group_id, edge_node, device, born_at, ended_at, bdseq, name, alias, datatype)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (group_id, edge_node, device, born_at)
        DO UPDATE SET ended_at = excluded.ended_at, bdseq = excluded.bdseq
        """,
        [(*row[:3], *_state(row), row.name, row.alias, row.datatype) for row in ordered],
    )
    await connection.executemany(
        """
        DELETE FROM pipeline.birth
         WHERE group_id = $1 AND edge_node = $2 AND device = $3
           AND born_at <= (SELECT born_at FROM pipeline.birth
                            WHERE group_id = $1 AND edge_node = $2 AND device = $3
                            ORDER BY born_at DESC OFFSET $4 LIMIT 1)
        """,
        [(*whose, KEPT_VERSIONS) for whose in sorted({row[:3] for row in ordered})],
    )


async def latest(
    connection: asyncpg.Connection, nodes: Collection[tuple[str, str]] | None = None
) -> list[BirthRow]:
    """The newest certificate of each edge node and device; of ``nodes`` only where given."""
    if nodes is None:
        return _read(await connection.fetch(_LATEST, None, None))
    pairs = list(nodes)
    return _read(
        await connection.fetch(_LATEST, [group for group, _ in pairs], [node for _, node in pairs])
    )


async def history(connection: asyncpg.Connection) -> list[BirthRow]:
    """All that is written down."""
    return _read(await connection.fetch(_ALL))


def _read(records: Sequence[asyncpg.Record]) -> list[BirthRow]:
    return [
        BirthRow(
            group, node, device, _us(born), None if ended is None else _us(ended),
            None if bdseq is None else int(bdseq), name,
            [None if one is None else int(one) for one in alias], datatype,
        )
        for group, node, device, born, ended, bdseq, name, alias, datatype in records
    ]  # fmt: skip


def _state(row: BirthRow) -> tuple[datetime.datetime, datetime.datetime | None, int | None]:
    ended_us = row.ended_us
    return _time(row.born_us), None if ended_us is None else _time(ended_us), row.bdseq


def _time(us: int) -> datetime.datetime:
    return _EPOCH + us * _US


def _us(time: datetime.datetime) -> int:
    return (time - _EPOCH) // _US
