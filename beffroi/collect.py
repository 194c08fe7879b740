"""`beffroi collect`: the collector with its status page."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence

from collector import settings as collector_settings
from collector.mqtt.inbox import wall_clock
from collector.mqtt.session import MqttSource, open_source
from collector.settings import Settings
from collector.standby import Collector, State
from collector.watch import Watch
from storage.status import StatusServer

Clock = Callable[[], int]


async def collect(
    stop: asyncio.Event,
    *,
    clock: Clock | None = None,
    leave: bool = False,
    as_json: bool = False,
) -> None:
    """The collector: see collector/README.md.

    ``clock`` gives microseconds since 1970, UTC. ``leave``: drain what waits in the session,
    end it, stop, and say how much that was.
    """
    settings = collector_settings.from_environment()

    def open_it(wanted: Settings, topics: Sequence[str]) -> MqttSource:
        return open_source(wanted, topics, clock=clock or wall_clock)

    watch = Watch(settings.broker)
    collector = Collector(settings, open_it, drain=leave, broker_dropped=lambda: watch.dropped)
    status = StatusServer(
        settings.metrics_host, settings.metrics_port, lambda: health(collector, watch)
    )
    watching = asyncio.create_task(watch.run(), name="watch")
    try:
        await collector.run(stop)
    finally:
        watch.close()
        watching.cancel()
        await asyncio.wait({watching})
        status.close()
    if leave:
        print(drained(collector, as_json))
        if not collector.left:
            raise SystemExit(1)


def health(collector: Collector, watch: Watch) -> tuple[bool, dict[str, object]]:
    """Whether it does its work, which may be to stand by, and what it says of itself."""
    source, lease, totals = collector.source, collector.pipeline.lease, collector.totals
    state: str = collector.state
    facts: dict[str, object] = {
        "database": lease.problem or "ok",
        "messages": totals.messages,
        "stored": totals.stored,
        "seconds_since_commit": round(time.monotonic() - totals.last_commit, 1),
        "broker_dropped": "the broker does not say" if watch.dropped is None else watch.dropped,
    }
    if collector.state is State.KEEPING_AWAY:
        facts["broker"] = "another client has taken over the session"
        return False, {"state": state, **facts}
    if source is None:
        standing_by = lease.holder is not None and not lease.problem
        state = f"standing by for {collector.session.client_id}" if standing_by else "starting"
        if standing_by and lease.holder is not None:
            facts["collecting_from"] = lease.holder.address
        facts["broker"] = "not needed yet"
        return standing_by, {"state": state, **facts}
    facts["broker"] = "connected" if source.connected else source.last_problem
    return source.connected and not lease.problem, {"state": state, **facts}


def drained(collector: Collector, as_json: bool) -> str:
    """What `--leave` has done, in a line."""
    client_id, messages = collector.session.client_id, collector.totals.messages
    ended = collector.left
    if as_json:
        return json.dumps({"client_id": client_id, "drained": messages, "session_ended": ended})
    if ended:
        return f"{client_id}: {messages:,} messages drained and stored; its session is ended."
    return f"{client_id}: {messages:,} messages drained and stored; its session stays."
