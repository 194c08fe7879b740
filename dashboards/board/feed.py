"""One look at the database for everybody: single-flight, cached, and kept when it fails."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from dashboards.board import rows
from dashboards.board.pages import Board, Histories, board, histories
from dashboards.settings import Settings

log = logging.getLogger(__name__)

OpenPool = Callable[[], Awaitable[asyncpg.Pool]]

# The processors renew open windows every 10 s, and the public sees closed ones only.
WINDOWS_EVERY_S = 15.0
DATABASE_TIMEOUT_S = 5.0
PATIENCE_S = 1.0

# Connection trouble of any kind, and whatever the server itself answers with (missing
# grants, a schema not yet migrated): the public then sees the last data with their age.
_TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True)
class Look:
    """What the board knows. `away` since when the database is out of reach, else None."""

    board: Board
    read_at: datetime
    away: bool


class Feed:
    """Latest look, renewed when somebody asks and it is older than `refresh_s`.

    However many people watch, one of them causes the database round and the others get
    its result; when nobody watches, nothing is asked.
    """

    def __init__(
        self,
        settings: Settings,
        open_pool: OpenPool,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        observe: Callable[[float, bool], None] = lambda seconds, good: None,
    ) -> None:
        self._settings = settings
        self._open_pool = open_pool
        self._now = now
        self._observe = observe
        self._pool: asyncpg.Pool | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._rows: rows.Rows | None = None
        self._read_at: datetime | None = None
        self._windows_at = float("-inf")
        self._tried_at = float("-inf")
        self._past: Histories = {}
        self._basis: tuple[float, float] | None = None
        self._look: Look | None = None

    async def look(self) -> Look | None:
        """What is known, at most `refresh_s` old if the database answers; None if it never has.

        A database that hangs delays nobody for longer than a second, once there is
        something to show.
        """
        renewal = self._renewal
        if renewal is None and time.monotonic() - self._tried_at >= self._settings.refresh_s:
            self._tried_at = time.monotonic()
            renewal = self._renewal = asyncio.create_task(self._renew())
        if renewal is not None:
            await asyncio.wait({renewal}, timeout=PATIENCE_S if self._look else None)
            if renewal.done():
                if self._renewal is renewal:
                    self._renewal = None
                renewal.result()
        return self._look

    async def _renew(self) -> None:
        started = time.monotonic()
        try:
            await self._read(started)
            away = False
        except _TROUBLE as error:
            log.warning("board not refreshed error=%s", type(error).__name__)
            away = True
        self._observe(time.monotonic() - started, not away)
        if self._rows is None or self._read_at is None:
            return
        # Composed anew even when the database is away: the figures grow old meanwhile.
        now = self._now()
        basis = (self._windows_at, now.timestamp() // rows.LIVE_STEP_S)
        if basis != self._basis:
            self._past = await asyncio.to_thread(histories, self._rows, now)
            self._basis = basis
        known = board(
            self._rows, self._past, now, name=self._settings.name, headline=self._settings.headline
        )
        self._look = Look(known, self._read_at, away)

    async def _read(self, started: float) -> None:
        if self._pool is None:
            self._pool = await self._open_pool()
        now = self._now()
        recent = self._rows is not None and started - self._windows_at < WINDOWS_EVERY_S
        windows = self._rows.windows if self._rows is not None and recent else None
        found = await rows.read(self._pool, now, timeout_s=DATABASE_TIMEOUT_S, windows=windows)
        if windows is not None and self._rows and found.registry != self._rows.registry:
            # New series may have windows that nobody asked for yet.
            windows = None
            found = await rows.read(self._pool, now, timeout_s=DATABASE_TIMEOUT_S)
        self._rows = found
        self._read_at = now
        if windows is None:
            self._windows_at = started

    async def close(self) -> None:
        """Give the connections back."""
        if self._renewal is not None:
            self._renewal.cancel()
        if self._pool is not None:
            self._pool.terminate()
