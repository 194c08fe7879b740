"""Which topics are read how, as the database keeps it."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import psycopg

from storage.city import Binding
from storage.routes import BindingRow

REPLAY = BindingRow("replay/{territory}/{site}/{sensor}", "plain", "UTC", "", frozenset())
"""Always bound: recorded files are published here, whatever the city's own topics are."""


def save_bindings(cursor: psycopg.Cursor, bindings: Sequence[Binding]) -> None:
    """Replace all bindings; a city file without any leaves those that are there."""
    if not bindings:
        return
    cursor.execute("DELETE FROM city.binding")
    cursor.executemany(
        "INSERT INTO city.binding VALUES (%s, %s, %s, %s, %s, %s)",
        [
            (n, b.topic, b.format, b.timezone, b.time_field, list(b.ignore))
            for n, b in enumerate(bindings)
        ],
    )


async def load_bindings(connection: asyncpg.Connection) -> tuple[BindingRow, ...]:
    """In the order in which they are tried."""
    rows = await connection.fetch("SELECT * FROM city.binding ORDER BY position")
    return (REPLAY, *map(_binding, rows))


def _binding(row: asyncpg.Record) -> BindingRow:
    return BindingRow(
        row["topic"], row["format"], row["timezone"], row["time_field"], frozenset(row["ignore"])
    )
