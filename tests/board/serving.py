"""A running board of one's own over a database, and one whose database went away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
import psycopg
from psycopg import sql

from dashboards.board import app
from dashboards.board.views.view import View
from dashboards.settings import Settings

# What a view reads once a minute, a test reads at once.
QUICK_S = 0.25


@contextlib.contextmanager
def quick() -> Iterator[None]:
    """Boards that start meanwhile read every view anew several times a second."""
    kept = app.views

    def often(settings: Settings) -> dict[str, View]:
        return {
            name: replace(view, every_s=min(view.every_s, QUICK_S))
            for name, view in kept(settings).items()
        }

    app.views = often
    try:
        yield
    finally:
        app.views = kept


@contextlib.contextmanager
def stopped_clock(now: datetime) -> Iterator[None]:
    """For boards that start meanwhile it is always `now`."""
    kept = app.Feed
    app.Feed = partial(kept, now=lambda: now)  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        app.Feed = kept  # type: ignore[misc]


@contextlib.asynccontextmanager
async def serving(conninfo: str, *, port: int = 0, **settings: Any) -> AsyncIterator[str]:
    """A board that answers in this process; its address."""
    stop, bound = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def open_pool() -> asyncpg.Pool:
        return await asyncpg.create_pool(conninfo, min_size=0, max_size=4)

    running = asyncio.create_task(app.serve(
        stop, "127.0.0.1", port, settings=Settings(**{"refresh_s": QUICK_S, **settings}),
        open_pool=open_pool, bound=bound.set_result,
    ))  # fmt: skip
    try:
        yield f"http://127.0.0.1:{await bound}"
    finally:
        stop.set()
        await asyncio.wait_for(running, 15)


def take_away(conninfo: str) -> None:
    """Let nobody into the database any more, as if it had died."""
    _admit(conninfo, "false")


def give_back(conninfo: str) -> None:
    """Let everybody in again."""
    _admit(conninfo, "true")


def _admit(conninfo: str, whether: str) -> None:
    address, _, name = conninfo.rpartition("/")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as admin:
        admin.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                sql.Identifier(name),
                sql.SQL(whether),  # type: ignore[arg-type]
            )
        )
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
