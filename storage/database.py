"""Connections, and whose fault an error is. Where the database is, the PG* variables say."""

from __future__ import annotations

import asyncpg

CONNECT_TIMEOUT_S = 10.0

# What a machine that vanished had locked is free again after 10 + 4 x 5 = 30 s; a server that
# waits for something looks every 5 s whether its client is still there.
_VANISHED_CLIENTS = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "30000",
    "client_connection_check_interval": "5000",
}


async def open_pool(
    *, size: int = 4, application: str = "beffroi", page_cost: float | None = None
) -> asyncpg.Pool:
    """A pool that opens connections as they are needed; UTC, no JIT for short statements.

    `page_cost` tells the planner what a page out of order costs (``random_page_cost``): 1.1 where
    few rows of many are asked for, since else whole chunks would be read for them.
    """
    costs = {} if page_cost is None else {"random_page_cost": str(page_cost)}
    return await asyncpg.create_pool(
        min_size=0, max_size=size, timeout=CONNECT_TIMEOUT_S,
        server_settings=_settings(application) | costs,
    )  # fmt: skip


async def connect(application: str = "beffroi") -> asyncpg.Connection:
    """One connection of one's own."""
    return await asyncpg.connect(timeout=CONNECT_TIMEOUT_S, server_settings=_settings(application))


def _settings(application: str) -> dict[str, str]:
    return {
        "application_name": application,
        "timezone": "UTC",
        "jit": "off",
        **_VANISHED_CLIENTS,
    }


AWAY = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError,
        asyncpg.PostgresConnectionError, asyncpg.ReadOnlySQLTransactionError,
        asyncpg.IdleInTransactionSessionTimeoutError, asyncpg.TransactionRollbackError,
        asyncpg.InsufficientResourcesError, asyncpg.ObjectNotInPrerequisiteStateError,
        asyncpg.OperatorInterventionError, asyncpg.PostgresSystemError,
        asyncpg.InternalServerError)  # fmt: skip
"""Errors that pass by themselves: the database is away, full, restarting or asks to try again."""

_ABOUT_THE_ROWS = ("21", "22", "23", "54")


def passing(error: BaseException) -> bool:
    """Whether the very same rows may be stored at another time.

    SQLSTATE classes 21 (cardinality), 22 (data), 23 (constraint) and 54 (a limit passed) speak
    about the rows that were sent: those rows will never be stored. Whatever else a server
    answers speaks about the server: away, full, read-only, restarting, being migrated, a right
    revoked, a password changed. Somebody will mend that, so the rows are kept and tried again.
    """
    if isinstance(error, asyncpg.PostgresError):
        return not (error.sqlstate or "").startswith(_ABOUT_THE_ROWS)
    return isinstance(error, AWAY)


_REMEDIES = {
    "08": "see that PostgreSQL runs where PGHOST and PGPORT say",
    "25006": "the server is read-only; PGHOST must name the primary",
    "28": "correct PGUSER and PGPASSWORD, or the server's pg_hba.conf",
    "3D": "create the database, or correct PGDATABASE",
    "3F": "bring the schema up to date: beffroi migrate",
    "42501": "grant the missing right to the role that PGUSER names",
    "42703": "bring the schema up to date: beffroi migrate",
    "42P01": "bring the schema up to date: beffroi migrate",
    "53100": "free some room on the disk of the database",
    "53200": "give the database more memory",
    "53300": "close some connections, or raise max_connections",
    "58": "see the disk and the log of the database",
    "XX": "see the disk and the log of the database",
}


def remedy(error: BaseException) -> str:
    """What a person can do about it; empty where waiting is all."""
    if not isinstance(error, asyncpg.PostgresError):
        return _REMEDIES["08"] if isinstance(error, ConnectionRefusedError) else ""
    state = error.sqlstate or ""
    return _REMEDIES.get(state) or _REMEDIES.get(state[:2]) or ""
