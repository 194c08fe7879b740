"""What keeps the books small: folding and forgetting, once a minute beside the passes.

On a connection of its own, in short transactions that no pass and no collector waits for.
Two programs that do it at once share the work or leave it to one another.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from processors.settings import Settings
from storage import database, folding, retention
from storage.retention import Forgotten

log = logging.getLogger(__name__)

INTERVAL_S = 60.0
# Longer than any run; a server that vanished must not end upkeep for good.
_PATIENCE_S = 600.0
# A backlog of some hours is worked off in this many transactions a minute.
_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What one run did, and how many sensor-hours do not balance."""

    folded: int
    forgotten: Forgotten
    unbalanced: int


async def keep_up(
    connection: asyncpg.Connection, settings: Settings, now: datetime.datetime
) -> Upkeep:
    """One run; what it leaves undone because it is too much, the next one goes on with."""
    folded = 0
    for _ in range(_FOLDS):
        folded += (some := await folding.fold(connection))
        if some < folding.FOLD_ROWS:
            break
    await folding.forget_attempts(connection)
    forgotten = await retention.forget_refusals(
        connection,
        now=now,
        keep_days=settings.refusal_days,
        total_bytes=settings.refusal_bytes,
        sensor_bytes=settings.refusal_sensor_bytes,
    )
    done = Upkeep(folded, forgotten, await folding.unbalanced(connection))
    if folded or forgotten.rows:
        log.info(
            "upkeep done folded=%d refusals_forgotten=%d bytes=%d",
            folded, forgotten.rows, forgotten.bytes,
        )  # fmt: skip
    if done.unbalanced:
        log.error(
            "the ledger does not balance sensor_hours=%d; run: beffroi ledger --check",
            done.unbalanced,
        )
    return done


async def run(
    settings: Settings,
    stop: asyncio.Event,
    clock: Callable[[], datetime.datetime],
    note: Callable[[Upkeep], None] = lambda done: None,
    *,
    interval_s: float = INTERVAL_S,
) -> None:
    """Again and again until told to stop; what fails is tried again at the next turn."""
    while not stop.is_set():
        try:
            connection = await database.connect("beffroi upkeep")
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    done = await keep_up(connection, settings, clock())
            finally:
                # A server that stopped answering must not keep the program from stopping.
                await connection.close(timeout=5)
            note(done)
        except (*database.AWAY, asyncpg.PostgresError) as error:
            log.warning(
                "upkeep failed and is tried again in_s=%.0f error=%s: %s",
                interval_s, type(error).__name__, error,
            )  # fmt: skip
        try:
            await asyncio.wait_for(stop.wait(), interval_s)
        except TimeoutError:
            continue
