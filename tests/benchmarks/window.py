"""Whether batches suit the broker's window: small windows at full speed, large ones in few commits.

    python tests/benchmarks/window.py [--seconds N] [--json]

Two ratios for each source, on a durable database. *Small*: with a broker left at an
in-flight window of 20, messages per second from a queue, over 20 / (time of a commit of 20
messages in the same run); at least 0.8. An MQTT 5 client has a say in the window, and says 20
here; with MQTT 3.1.1 the collector must find out. *Shipped*: commits per second at 1,000 messages a
second with the shipped window, over 25; at most 1.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
import psycopg
import uvloop
from drain import FIELDS, SENSORS, TOML, publish, session

from beffroi.embedded import machine
from beffroi.embedded.stack import Stack
from collector.mqtt.outlet import Outlet
from collector.mqtt.session import open_source
from collector.pipeline import Pipeline
from collector.settings import from_environment
from collector.source import Message
from collector.topics import filters
from storage.city import parse
from storage.migrate import migrate
from storage.registry import register

KINDS = {"mqtt5": ("mqtt5", "5"), "paho 5": ("paho", "5"), "paho 3.1.1": ("paho", "3.1.1")}
WINDOW, RATE = 20, 1000


class Timed(Pipeline):
    """Notes how long each commit took, from message to message."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.took: list[tuple[int, float]] = []
        self.began = 0.0
        self.ended = 0.0

    @property
    def span_s(self) -> float:
        """From the first commit's begin to the last one's end."""
        return self.ended - self.began

    async def _commit(self, messages: Sequence[Message]) -> bool:
        began = time.perf_counter()
        self.began = self.began or began
        done = await super()._commit(messages)
        self.ended = time.perf_counter()
        self.took.append((len(messages), self.ended - began))
        return done


async def collect(
    kind: str, wanted: int, window: int = 1000, publishing: Outlet | None = None
) -> Timed:
    """Collect so many messages, at RATE where they are published meanwhile."""
    name, protocol = KINDS[kind]
    client_id = f"window-{kind.replace(' ', '-')}"
    settings = from_environment(
        {
            **os.environ,
            "COLLECTOR_CLIENT_ID": client_id,
            "COLLECTOR_MQTT_SOURCE": name,
            "COLLECTOR_MQTT_PROTOCOL": protocol,
            "COLLECTOR_RECEIVE_MAXIMUM": str(window if protocol == "5" else 1000),
        }
    )
    pipeline = Timed(settings)
    routes = await pipeline.prepare()
    source = open_source(settings, filters(routes.bindings))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(source.run())
        moving = tasks.create_task(pipeline.run(source))
        if publishing is not None:
            while not source.connected:
                await asyncio.sleep(0.01)
            await pace(publishing, wanted)
        async with asyncio.timeout(120):
            while pipeline.totals.messages < wanted:
                await asyncio.sleep(0.01)
        await source.leave()
        await moving
    return pipeline


async def pace(outlet: Outlet, count: int) -> None:
    """RATE messages a second, evenly."""
    began, start = time.perf_counter(), int(time.time())
    for number in range(count):
        step, sensor = divmod(number, SENSORS)
        body = {"time": start - 86_400 + step} | dict.fromkeys(FIELDS, 20 + number % 7)
        await outlet.publish(f"bench/ours/s{sensor}", orjson.dumps(body))
        outlet.flush()
        ahead = began + number / RATE - time.perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)


def small(kind: str, number: int, messages: int) -> float:
    """Rate from a queue through a window of 20, over what its commits alone would allow."""
    url = os.environ["BEFFROI_MQTT_URL"]
    session(url, f"window-{kind.replace(' ', '-')}", "bench/ours/+", KINDS[kind][1])
    publish(url, "ours", messages, number)
    pipeline = uvloop.run(collect(kind, messages, WINDOW))
    full = [seconds for count, seconds in pipeline.took if count == WINDOW]
    commit_s = statistics.mean(full[1:])
    rate = messages / pipeline.span_s
    print(
        f"small   {kind:11} {rate:7,.0f} messages/s; a commit of 20 takes {commit_s * 1e3:.2f} ms;"
        f" {len(full)} of {len(pipeline.took)} batches had 20",
        file=sys.stderr,
    )
    return rate / (WINDOW / commit_s)


def shipped(kind: str, seconds: int) -> float:
    """Commits a second at RATE, over 25."""

    async def play() -> Timed:
        publisher = dataclasses.replace(from_environment().broker, client_id="window-publisher")
        outlet = Outlet(publisher)
        await outlet.open()
        try:
            return await collect(kind, RATE * seconds, publishing=outlet)
        finally:
            await outlet.close()

    pipeline = uvloop.run(play())
    commits = len(pipeline.took) / pipeline.span_s
    print(
        f"shipped {kind:11} {commits:5.1f} commits/s at"
        f" {RATE * seconds / pipeline.span_s:,.0f} messages/s",
        file=sys.stderr,
    )
    return commits / 25


def prepared(stack: Stack) -> None:
    """A migrated database with the sensors of the benchmark."""
    os.environ.update(stack.environment())
    lines = ["territory,site,sensor,metric,field,unit,step_s,stamp"]
    lines += [f"1,s,s{n},{f},,,10,start" for n in range(SENSORS) for f in FIELDS]
    with psycopg.connect() as connection:
        migrate(connection)
        register(connection, parse(TOML, "\n".join(lines)))


def main() -> None:
    """Both brokers, every source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--messages", type=int, default=6000)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    result: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder) / "small", max_inflight=WINDOW) as stack:
            prepared(stack)
            result["small"] = {
                kind: small(kind, number, options.messages) for number, kind in enumerate(KINDS)
            }
        with Stack(Path(folder) / "shipped") as stack:
            prepared(stack)
            result["shipped"] = {kind: shipped(kind, options.seconds) for kind in KINDS}
    if options.json:
        print(json.dumps(result))
        return
    for kind in KINDS:
        print(
            f"{kind:11} window of 20: {result['small'][kind]:.2f} of what its commits allow"
            f" (aim ≥ 0.8); shipped window: {result['shipped'][kind]:.2f} of 25 commits/s (aim ≤ 1)"
        )


if __name__ == "__main__":
    main()
