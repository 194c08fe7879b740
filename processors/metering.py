"""What the platform itself uses, written down once an hour beside the passes."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Callable

import asyncpg

from processors.settings import Settings
from storage import database, footprint_store
from storage.footprint import Meter, disk

log = logging.getLogger(__name__)

INTERVAL_S = 60.0
# A server that vanished must not end metering for good.
_PATIENCE_S = 600.0


async def sample(meter: Meter, settings: Settings, now: datetime.datetime) -> None:
    """Write down what this program used, and how much room the database takes."""
    connection = await database.connect("beffroi metering")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            used = meter.footprint(now)
            await footprint_store.save(connection, used, disk(settings.disk))
            meter.told(used, now)
            await footprint_store.measure(connection, used)
            await footprint_store.sum_ledger(connection, now)
            await footprint_store.forget(connection, now)
    finally:
        await connection.close(timeout=5)


async def run(
    settings: Settings,
    stop: asyncio.Event,
    clock: Callable[[], datetime.datetime],
    *,
    interval_s: float = INTERVAL_S,
) -> None:
    """At the start and at every full hour until told to stop; what fails is tried again."""
    meter, first = Meter("processor"), True
    while not stop.is_set():
        now = clock()
        if meter.due(now) or first:
            try:
                await sample(meter, settings, now)
                first = False
            except (*database.AWAY, asyncpg.PostgresError) as error:
                log.warning(
                    "metering failed and is tried again in_s=%.0f error=%s: %s",
                    interval_s, type(error).__name__, error,
                )  # fmt: skip
        try:
            await asyncio.wait_for(stop.wait(), interval_s)
        except TimeoutError:
            continue
