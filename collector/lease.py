"""The right to collect, and the one connection on which it lives and everything is committed.

A collector may commit only while this connection holds the session (see
:mod:`storage.collectors`). A connection that is lost must get it back before anything more
is committed; where somebody else has it meanwhile, this collector is superseded.
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from collector import meters
from storage import collectors, database
from storage.collectors import Holder, Session

log = logging.getLogger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0
_STANDBY_S = 0.5
# A server that is silent for so long is given up, for longer every time that nothing got done.
_PATIENCE_S, _LONGEST_PATIENCE_S = 30.0, 240.0
_PATIENCE_WHEN_STOPPING_S = 10.0

T = TypeVar("T")


class Stopped(Exception):
    """The program was told to stop while the database was away or somebody else collected."""


class Superseded(Exception):
    """Another collector holds the session now; nothing more may be committed for it here."""


def new_instance() -> str:
    """A mark by which the database's memory of our broken connections is told from others."""
    return f"beffroi collector {uuid.uuid4().hex[:12]}"


class Lease:
    """Runs statements on a connection that holds ``session``, one attempt at a time.

    ``prepare`` is called with every new connection once it holds the session.
    """

    def __init__(
        self,
        session: Session,
        prepare: Callable[[asyncpg.Connection], Awaitable[None]],
        instance: str | None = None,
    ) -> None:
        self.session = session
        self.instance = instance or new_instance()
        self.problem = ""
        self.held = False
        self.holder: Holder | None = None
        self.connection: asyncpg.Connection | None = None
        self._prepare = prepare
        self._prepared = False
        self._superseded = False
        self._stopping = asyncio.Event()
        self._giving_up: asyncio.TimerHandle | None = None
        self._busy = asyncio.Lock()

    async def stand_by(self) -> None:
        """Wait until nobody else holds the session, and take it.

        Raises
        ------
        Stopped
            After :meth:`stop`.
        """
        while holder := await self.persist(self._try_to_take):
            if self.holder is None or holder.pid != self.holder.pid:
                log.info(
                    "standing by client_id=%s broker=%s collecting_from=%s since=%s",
                    *self.session, holder.address, holder.since.isoformat(timespec="seconds"),
                )  # fmt: skip
            self.holder = holder
            meters.STANDBY.set(1)
            await self.pause(_STANDBY_S)
        self.holder = None
        meters.STANDBY.set(0)

    async def persist(self, attempt: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Try until it succeeds; only errors that pass are tried again.

        Raises
        ------
        Stopped
            After :meth:`stop`, when it cannot be done at once.
        Superseded
            When the connection was lost and somebody else took the session.
        """
        async with self._busy:
            wait, patience = _FIRST_WAIT_S, _PATIENCE_S
            while True:
                try:
                    result = await self._within(patience, attempt)
                except Exception as error:
                    if isinstance(error, Superseded) or not database.passing(error):
                        raise
                    self._tell(error, wait)
                else:
                    meters.DATABASE_UP.set(1)
                    self.problem = ""
                    return result
                # Jitter keeps many collectors from knocking at the same instant.
                await self.pause(wait * random.uniform(0.5, 1.5))
                wait = min(2 * wait, _LONGEST_WAIT_S)
                patience = min(2 * patience, _LONGEST_PATIENCE_S)

    async def once(self, attempt: Callable[[asyncpg.Connection], Awaitable[T]]) -> T | None:
        """Try once what is not worth waiting for; None where it failed."""
        async with self._busy:
            if not self._prepared or self.connection is None or self.connection.is_closed():
                return None
            try:
                return await self._within(_PATIENCE_S, attempt)
            except (asyncpg.PostgresError, *database.AWAY) as error:
                log.warning("left out for now reason=%s remedy=%s", error, database.remedy(error))
                return None

    async def holds(self) -> bool:
        """Whether the session is ours beyond doubt."""
        return bool(await self.once(lambda connection: connection.fetchval("SELECT true")))

    async def pause(self, seconds: float) -> None:
        """Wait; raises :class:`Stopped` when told to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise Stopped

    def stop(self) -> None:
        """Try nothing again; a statement under way has a few seconds to end."""
        self._stopping.set()
        if self._giving_up is None:
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(_PATIENCE_WHEN_STOPPING_S, self._drop)

    async def close(self) -> None:
        """Give the session back."""
        if self._giving_up is not None:
            self._giving_up.cancel()
        connection, self.connection = self.connection, None
        self.held = self._prepared = False
        if connection is not None:
            try:
                await connection.close(timeout=2)
            except database.AWAY:
                connection.terminate()

    # One attempt ------------------------------------------------------------

    async def _within(
        self, patience: float, attempt: Callable[[asyncpg.Connection], Awaitable[T]]
    ) -> T:
        """One attempt; a server that stays silent is given up by closing the connection.

        A time-out of the driver's own would not do: it then waits for the server to confirm
        that the statement was cancelled, and a network that swallows everything never will.
        """
        if self._superseded:
            raise Superseded
        connection = await self._open()
        silent = False

        def give_up() -> None:
            nonlocal silent
            silent = True
            connection.terminate()

        timer = asyncio.get_running_loop().call_later(patience, give_up)
        try:
            if self.held and not self._prepared:
                await self._take_back(connection)
            return await attempt(connection)
        except Exception as error:
            if not _usable(connection, error):
                self._drop()
            if silent:
                raise TimeoutError(f"the database was silent for {patience:.0f} s") from error
            raise
        finally:
            timer.cancel()

    async def _open(self) -> asyncpg.Connection:
        if self.connection is None or self.connection.is_closed():
            self._prepared = False
            self.connection = await database.connect(self.instance)
        return self.connection

    async def _take_back(self, connection: asyncpg.Connection) -> None:
        """After a lost connection nothing more may happen before its successor has the session."""
        if holder := await self._claim(connection):
            log.warning(
                "superseded client_id=%s broker=%s collecting_from=%s",
                *self.session, holder.address,
            )  # fmt: skip
            self._superseded = True
            raise Superseded
        await self._prepare(connection)
        self._prepared = True

    async def _try_to_take(self, connection: asyncpg.Connection) -> Holder | None:
        if holder := await self._claim(connection):
            return holder
        self.held = True
        await self._prepare(connection)
        self._prepared = True
        return None

    async def _claim(self, connection: asyncpg.Connection) -> Holder | None:
        """Take the session, also from a dead connection of ours; returns who else has it."""
        ending = 0
        while holder := await collectors.claim(connection, self.session):
            if holder.application == self.instance:
                if holder.pid != ending:
                    # Told once: a server that hangs ends nothing until it moves again.
                    ending = holder.pid
                    log.info("ending our own lost connection pid=%d", ending)
                await collectors.end(connection, holder)
            elif holder.pid:
                return holder
            await asyncio.sleep(0.05)
        return None

    def _drop(self) -> None:
        connection, self.connection = self.connection, None
        self._prepared = False
        if connection is not None:
            connection.terminate()

    def _tell(self, error: BaseException, wait: float) -> None:
        meters.DATABASE_UP.set(0)
        reason = f"{type(error).__name__}: {str(error) or 'no answer'}"
        remedy = database.remedy(error)
        self.problem = f"{reason}; {remedy}" if remedy else reason
        log.warning("database away retry_s=%.1f reason=%s remedy=%s", wait, reason, remedy or "-")


def _usable(connection: asyncpg.Connection, error: Exception) -> bool:
    """Whether the connection outlives the error, and the session stays with it.

    A server that is full or locked has rolled the transaction back and goes on; one that has
    become read-only is another's replica now, so that the primary must be looked for anew.
    """
    return (
        isinstance(error, asyncpg.PostgresError)
        and not isinstance(error, asyncpg.ReadOnlySQLTransactionError)
        and not connection.is_closed()
        and not connection.is_in_transaction()
    )
