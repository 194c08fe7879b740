"""A role that may read what the public board may, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import asyncpg
import psycopg


@contextlib.asynccontextmanager
async def reading(conninfo: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of such a role, which is gone afterwards."""
    role = f"reading_{conninfo.rpartition('_')[2]}"
    with psycopg.connect(conninfo, autocommit=True) as owner:
        owner.execute(
            f"CREATE ROLE {role} NOLOGIN; GRANT USAGE ON SCHEMA board TO {role};"
            f" GRANT SELECT ON ALL TABLES IN SCHEMA board TO {role}"
        )
        lent = await asyncpg.connect(conninfo)
        try:
            await lent.execute(f"SET ROLE {role}")
            yield lent
        finally:
            await lent.close()
            owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
