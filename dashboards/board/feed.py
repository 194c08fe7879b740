"""What is known, read once for everybody: single-flight, cached, and kept when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import asyncpg

log = logging.getLogger(__name__)

OpenPool = Callable[[], Awaitable[asyncpg.Pool]]

DATABASE_TIMEOUT_S = 5.0
PATIENCE_S = 1.0

# Windows close, sensors are registered and retired, values are flagged without any reading.
AGED_S = 5.0

# Connection trouble of any kind, and whatever the server itself answers with (missing
# grants, a schema not yet migrated): the public then sees the last data with their age.
# A connection cut off just as it is lent raises an error that the driver calls its own.
_TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError,
            asyncpg.InternalClientError)  # fmt: skip

# Nobody answers at all.
_GONE = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError,
         asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError,
         asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What one view knows, as read from the database at `read_at`.

    `away`: the database has been out of reach since. `number` grows with every reading.
    """

    rows: Any
    read_at: datetime
    away: bool
    number: int


class Reads(Protocol):
    """What is read together: every view, and what all of them stand on.

    `load` gets a connection in a read-only transaction, the time and its former rows. `every_s`
    is the age at which rows are read anew; 0: whenever readings came in. [s]
    """

    @property
    def name(self) -> str: ...

    @property
    def every_s(self) -> float: ...

    @property
    def load(self) -> Callable[[asyncpg.Connection, datetime, Any], Awaitable[Any]]: ...


class _Source:
    """The rows of one view."""

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
        self.look: Look | None = None
        self.tried_at = float("-inf")
        self.renewal: asyncio.Task[None] | None = None
        self.batch = -1


class Feed:
    """The latest look of each view, renewed when somebody asks and it is old.

    However many people watch, one of them causes the database round and the others get its
    result; when nobody watches, nothing is asked. A view of the newest readings is read again
    as soon as the collector stored something, at most every `refresh_s`: whether it did, is
    asked by one probe of an index.
    """

    def __init__(
        self,
        sources: Iterable[Reads],
        open_pool: OpenPool,
        *,
        refresh_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        observe: Callable[[float, bool], None] = lambda seconds, good: None,
    ) -> None:
        self._sources = {reads.name: _Source(reads) for reads in sources}
        self._open_pool = open_pool
        self._refresh_s = refresh_s
        self.now = now
        self._observe = observe
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._arrived = asyncio.Event()
        self.away = False
        """Whether nobody answered in the last round, whichever view asked."""

    async def look(self, name: str) -> Look | None:
        """What is known of a view, as new as its view wants; None if it never was read.

        A database that hangs delays nobody for longer than a second, once there is something
        to show.
        """
        source = self._sources[name]
        renewal = source.renewal
        every_s = max(source.reads.every_s, self._refresh_s)
        if source.look is None or source.look.away:
            every_s = self._refresh_s
        if renewal is None and time.monotonic() - source.tried_at >= every_s:
            source.tried_at = time.monotonic()
            renewal = source.renewal = asyncio.create_task(self._renew(source))
        if renewal is not None:
            await asyncio.wait({renewal}, timeout=PATIENCE_S if source.look else None)
            if renewal.done():
                if source.renewal is renewal:
                    source.renewal = None
                renewal.result()
        return source.look

    async def arrival(self, timeout_s: float) -> None:
        """Until a view has been read anew or is out of reach, or the time is over.

        So whoever waits hears of a reading when the first of all who wait does.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), timeout_s)

    def _arrive(self) -> None:
        self._arrived.set()
        self._arrived = asyncio.Event()

    async def _renew(self, source: _Source) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(2 * DATABASE_TIMEOUT_S):
                asked = await self._read(source)
        except Exception as error:
            # Rows that a view cannot read are its own trouble, and a mistake of ours besides.
            log.warning("board not refreshed view=%s error=%s", source.reads.name,
                        type(error).__name__,
                        exc_info=None if isinstance(error, _TROUBLE) else error)  # fmt: skip
            if source.look is not None and not source.look.away:
                former = source.look
                source.look = Look(former.rows, former.read_at, True, former.number + 1)
            # A view that fails or is slow by itself speaks of itself only.
            self.away = isinstance(error, _GONE) and not isinstance(error, TimeoutError)
            self._arrive()
            self._observe(time.monotonic() - started, False)
            return
        self.away = False
        if asked:
            self._arrive()
            self._observe(time.monotonic() - started, True)

    async def _read(self, source: _Source) -> bool:
        """Whether rows were read; else nothing came in since."""
        pool = await self._opened()
        former = source.look
        async with (
            pool.acquire(timeout=DATABASE_TIMEOUT_S) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            batch = -1
            if not source.reads.every_s:
                batch = await connection.fetchval(
                    "SELECT batch_id FROM board.newest", timeout=DATABASE_TIMEOUT_S
                ) or 0  # fmt: skip
                # Also where the clock was set back.
                aged = former and abs((self.now() - former.read_at).total_seconds()) >= AGED_S
                if former and not former.away and batch == source.batch and not aged:
                    return False
            now = self.now()
            # A connection lent by a pool answers like one of one's own.
            lent = cast("asyncpg.Connection", connection)
            rows = await source.reads.load(lent, now, former.rows if former else None)
        source.batch = batch
        source.look = Look(rows, now, False, former.number + 1 if former else 1)
        return True

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await self._open_pool()
            return self._pool

    async def close(self) -> None:
        """Give the connections back."""
        renewals = {source.renewal for source in self._sources.values() if source.renewal}
        for renewal in renewals:
            renewal.cancel()
        # A transaction is rolled back before its connection goes, unless the database hangs.
        if renewals:
            await asyncio.wait(renewals, timeout=PATIENCE_S)
        if self._pool is not None:
            self._pool.terminate()
