"""Bring a database to the current schema: numbered SQL files, forward only."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import psycopg

from storage.catalogue import METRICS
from storage.metrics import save_metrics

# Any two programs that migrate the same database wait for one another on this number.
_LOCK = 0x62656666726F69  # "beffroi"


class DatabaseTooNewError(Exception):
    """The database was migrated by a newer Beffroi; install that version to use it."""


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration shipped, in order."""
    folder = resources.files("storage.sql") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), name, (folder / name).read_text("utf-8")) for name in names]


def migrate(connection: psycopg.Connection) -> list[str]:
    """Apply what is missing, each file in its own transaction; returns the names applied.

    Raises
    ------
    DatabaseTooNewError
        When the database knows migrations that this version does not ship.
    """
    applied = list(_apply(connection))
    with connection.transaction():
        save_metrics(connection, METRICS)
    return applied


def _apply(connection: psycopg.Connection) -> Iterator[str]:
    connection.autocommit = True
    shipped = migrations()
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.migration (number int PRIMARY KEY,"
            " name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {row[0] for row in connection.execute("SELECT number FROM public.migration")}
        if newer := known - {number for number, _, _ in shipped}:
            raise DatabaseTooNewError(
                f"the database has migration {max(newer)}, this Beffroi knows {len(shipped)}; "
                "install the newer version"
            )
        for number, name, sql in shipped:
            if number in known:
                continue
            with connection.transaction():
                connection.execute(sql.encode())  # bytes: files are trusted whole, no parameters
                connection.execute(
                    "INSERT INTO public.migration (number, name) VALUES (%s, %s)", (number, name)
                )
            yield name
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
