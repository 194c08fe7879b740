"""Who collects: one process at a time for one MQTT session, and everybody can see which.

The right to collect is an advisory lock that lives as long as the connection that commits.
Whoever holds it knows more than that nobody else collects: the server frees it only after it
has ended the connection that held it, so whatever that connection was about to commit is
decided by then.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg


class Session(NamedTuple):
    """An MQTT session: a client id on one broker (``host:port``)."""

    client_id: str
    broker: str

    @property
    def key(self) -> tuple[int, int]:
        """The two halves of its advisory lock."""
        name = f"beffroi collector {self.client_id}@{self.broker}"
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        return (
            int.from_bytes(digest[:4], "big", signed=True),
            int.from_bytes(digest[4:], "big", signed=True),
        )


class Holder(NamedTuple):
    """The connection that holds a session: whose, since when, from where."""

    pid: int
    application: str
    since: datetime.datetime
    address: str


async def claim(connection: asyncpg.Connection, session: Session) -> Holder | None:
    """Take the session for this connection; returns who has it, None: this connection.

    Asked again and again rather than waited for: a statement that waits for hours would keep
    the database from cleaning up after everybody else.
    """
    first, second = session.key
    if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", first, second):
        return None
    row = await connection.fetchrow(
        """
        SELECT l.pid, coalesce(a.application_name, '') AS application,
               coalesce(a.backend_start, now()) AS since,
               coalesce(host(a.client_addr), 'this machine') AS address
          FROM pg_locks l
          LEFT JOIN pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND l.classid::bigint = $1 AND l.objid::bigint = $2
        """,
        first & 0xFFFFFFFF,
        second & 0xFFFFFFFF,
    )
    if row is None:
        # Freed between the two statements.
        return Holder(0, "", datetime.datetime.now(datetime.UTC), "")
    return Holder(row["pid"], row["application"], row["since"], row["address"])


async def end(connection: asyncpg.Connection, holder: Holder) -> None:
    """End a connection that is known to be dead but that the server still keeps."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid = $1 AND backend_start = $2",
        holder.pid,
        holder.since,
    )


@dataclass(frozen=True, slots=True)
class Presence:
    """What a collector says of itself every few seconds.

    ``messages`` and ``messages_qos0`` count since ``started_at``; ``left``: its session was
    ended for good, so that nothing waits for it any more.
    """

    session: Session
    host: str
    started_at: datetime.datetime
    session_expiry_s: int
    share_group: str | None = None
    connected: bool = False
    messages: int = 0
    messages_qos0: int = 0
    broker_dropped: int | None = None
    left: bool = False


async def save(connection: asyncpg.Connection, presence: Presence) -> None:
    """Write it down over what was there; one row per client id.

    Gives up at once where somebody has locked the table: the connection is the one that
    commits, and what it says of itself is not worth a wait.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '200ms'")
        await _save(connection, presence)


async def _save(connection: asyncpg.Connection, presence: Presence) -> None:
    await connection.execute(
        """
        INSERT INTO pipeline.collector AS c
               (client_id, broker, host, started_at, session_expiry_s, share_group, connected,
                messages, messages_qos0, broker_dropped, seen_at, left_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now(), CASE WHEN $11 THEN now() END)
            ON CONFLICT (client_id) DO UPDATE
           SET broker = excluded.broker, host = excluded.host, started_at = excluded.started_at,
               session_expiry_s = excluded.session_expiry_s,
               share_group = excluded.share_group, connected = excluded.connected,
               messages = excluded.messages, messages_qos0 = excluded.messages_qos0,
               broker_dropped = coalesce(excluded.broker_dropped, c.broker_dropped),
               seen_at = excluded.seen_at, left_at = excluded.left_at
        """,
        presence.session.client_id,
        presence.session.broker,
        presence.host,
        presence.started_at,
        presence.session_expiry_s,
        presence.share_group,
        presence.connected,
        presence.messages,
        presence.messages_qos0,
        presence.broker_dropped,
        presence.left,
    )


async def share_group(connection: asyncpg.Connection, client_id: str) -> str | None:
    """The group in which that collector shared its load when it was last seen."""
    group: str | None = await connection.fetchval(
        "SELECT share_group FROM pipeline.collector WHERE client_id = $1", client_id
    )
    return group
