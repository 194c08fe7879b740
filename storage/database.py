"""Connections. Where the database is, the standard PG* variables say."""

from __future__ import annotations

import asyncpg

CONNECT_TIMEOUT_S = 10.0


async def open_pool(*, size: int = 4, application: str = "beffroi") -> asyncpg.Pool:
    """A pool that opens connections as they are needed; UTC, no JIT for short statements."""
    return await asyncpg.create_pool(
        min_size=0, max_size=size, timeout=CONNECT_TIMEOUT_S, server_settings=_settings(application)
    )


async def connect(application: str = "beffroi") -> asyncpg.Connection:
    """One connection of one's own."""
    return await asyncpg.connect(timeout=CONNECT_TIMEOUT_S, server_settings=_settings(application))


def _settings(application: str) -> dict[str, str]:
    return {"application_name": application, "timezone": "UTC", "jit": "off"}


AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.TooManyConnectionsError,
        asyncpg.InsufficientResourcesError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError,
        asyncpg.QueryCanceledError, asyncpg.ReadOnlySQLTransactionError, TimeoutError)  # fmt: skip
"""Errors that pass: the database is away, full, restarting or asks to try again."""
