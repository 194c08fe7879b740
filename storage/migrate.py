"""Bring a database to the current schema: numbered SQL files, forward only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources

import psycopg

from storage.catalogue import METRICS
from storage.indicator_rows import save_indicators
from storage.indicators.catalogue import INDICATORS
from storage.metrics import save_metrics
from storage.reader_rights import EVERYBODY
from storage.readers import renew_grants

# Any two programs that migrate the same database wait for one another on this number.
_LOCK = 0x62656666726F69  # "beffroi"


class OtherSchemaError(Exception):
    """The database was migrated by another Beffroi than this; the message says what remains."""


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration shipped, in order."""
    folder = resources.files("storage.sql") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), name, (folder / name).read_text("utf-8")) for name in names]


def migrate(connection: psycopg.Connection) -> list[str]:
    """Apply what is missing, each file in its own transaction; returns the names applied.

    Readers may then look at views that are new, and everybody may do nothing that a reader must
    not, as far as whoever migrates can see to that.

    Raises
    ------
    OtherSchemaError
        When the database knows migrations that this version does not ship.
    """
    applied = list(_apply(connection))
    with connection.transaction():
        save_metrics(connection, METRICS)
        save_indicators(connection, INDICATORS)
        renew_grants(connection)
    return applied


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _apply(connection: psycopg.Connection) -> Iterator[str]:
    connection.autocommit = True
    shipped = migrations()
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.migration (number int PRIMARY KEY,"
            " name text NOT NULL, sha256 text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known: dict[int, str] = dict(
            connection.execute("SELECT number, sha256 FROM public.migration").fetchall()
        )
        if newer := set(known) - {number for number, _, _ in shipped}:
            raise OtherSchemaError(
                f"the database has migration {max(newer)}, this Beffroi knows {len(shipped)}; "
                "install the newer version"
            )
        for number, name, sql in shipped:
            if number in known:
                if known[number] != _digest(sql):
                    raise OtherSchemaError(
                        f"the database was made by another text of {name} than this Beffroi ships;"
                        " use the version that made it, or begin with a new database or --dir"
                    )
                continue
            with connection.transaction():
                connection.execute(sql.encode())  # bytes: files are trusted whole, no parameters
                connection.execute(
                    "INSERT INTO public.migration (number, name, sha256) VALUES (%s, %s, %s)",
                    (number, name, _digest(sql)),
                )
            yield name
        connection.execute(EVERYBODY.encode())
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
