"""`beffroi collect`: the collector with its status page."""

from __future__ import annotations

import asyncio
import time

from collector import settings as collector_settings
from collector.mqtt import MqttSource
from collector.pipeline import Pipeline
from collector.topics import filters
from storage.status import StatusServer


async def collect(stop: asyncio.Event) -> None:
    """The collector: see collector/README.md."""
    settings = collector_settings.from_environment()
    pipeline = Pipeline(settings)
    source: MqttSource | None = None

    def health() -> tuple[bool, dict[str, object]]:
        broker = source is not None and source.connected
        facts: dict[str, object] = {
            "broker": "connected" if broker else source.last_problem if source else "starting",
            "database": pipeline.totals.database_problem or "ok",
            "messages": pipeline.totals.messages,
            "stored": pipeline.totals.stored,
            "seconds_since_commit": round(time.monotonic() - pipeline.totals.last_commit, 1),
        }
        return broker and not pipeline.totals.database_problem, facts

    status = StatusServer(settings.metrics_host, settings.metrics_port, health)
    try:
        preparing = asyncio.create_task(pipeline.prepare())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({preparing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not preparing.done():
            preparing.cancel()
            return
        stopping.cancel()
        source = MqttSource(
            settings.broker,
            filters(preparing.result().bindings),
            batch_messages=settings.batch_messages,
            linger_s=settings.linger_s,
            share_group=settings.share_group,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(source.run())
            tasks.create_task(pipeline.run(source))
            await stop.wait()
            pipeline.stop()
            source.close()
    finally:
        status.close()
