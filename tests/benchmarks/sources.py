"""Messages per second of the collector's processor time, for every source in one run.

    python tests/benchmarks/sources.py [--messages N] [--rounds N] [--profile FOLDER] [--json]

Full path: four values a message, key in place, QoS 1, window 1,000, the shipped broker, a
durable database; and the source alone, which takes and acknowledges and decodes nothing.
Each source drains the same number of queued messages in a process of its own; the sources
alternate and ratios are taken round by round. `paho plain` is paho as it is, without the
PUBLISH packets being taken past it (collector/frames.py).
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import uvloop
from drain import FIELDS, SENSORS, TOML, publish, session

from beffroi.embedded import machine
from beffroi.embedded.stack import Stack
from collector.mqtt.paho_link import PahoLink
from collector.mqtt.session import MqttSource, open_source
from collector.pipeline import Pipeline
from collector.settings import from_environment
from collector.topics import filters
from storage.city import parse
from storage.migrate import migrate
from storage.registry import register

KINDS = {
    "mqtt5": ("mqtt5", "5"),
    "paho 5": ("paho", "5"),
    "paho 3.1.1": ("paho", "3.1.1"),
    "paho plain 5": ("paho", "5"),
    "paho plain 3.1.1": ("paho", "3.1.1"),
}
PATHS = ("full", "alone")


async def drain_alone(wanted: int) -> float:
    """Take and acknowledge; returns processor seconds."""
    source = open_source(from_environment(), ["bench/ours/+"])
    running = asyncio.create_task(source.run())
    before, seen, batches = time.process_time(), 0, 0
    while seen < wanted:
        messages = await source.batch()
        seen += len(messages)
        batches += 1
        source.acknowledge(messages)
    used = time.process_time() - before
    print(f"{wanted / batches:.0f} messages a batch", file=sys.stderr)
    await end(source, running)
    return used


async def drain_fully(wanted: int) -> float:
    """Decode, commit, acknowledge; returns processor seconds."""
    settings = from_environment()
    pipeline = Pipeline(settings)
    routes = await pipeline.prepare()
    source = open_source(settings, filters(routes.bindings))
    before = time.process_time()
    running = asyncio.create_task(source.run())
    moving = asyncio.create_task(pipeline.run(source))
    while pipeline.totals.messages < wanted:
        await asyncio.sleep(0.05)
    used = time.process_time() - before
    batches = pipeline.totals.batches
    print(f"{wanted / batches:.0f} messages a batch", file=sys.stderr)
    await end(source, running)
    pipeline.stop()
    await moving
    return used


async def end(source: MqttSource, running: asyncio.Task[None]) -> None:
    """Leave nothing on the broker for the next one to wade through."""
    leaving = asyncio.create_task(source.leave())
    await running
    await leaving


def child(kind: str, path: str, wanted: int, profile: str) -> None:
    """What the measured process does."""
    if "plain" in kind:
        PahoLink._take_frames = lambda *_: 0  # type: ignore[method-assign]
    profiler = cProfile.Profile(time.process_time) if profile else None
    if profiler:
        profiler.enable()
    used = uvloop.run(drain_fully(wanted) if path == "full" else drain_alone(wanted))
    if profiler:
        profiler.disable()
        profiler.dump_stats(Path(profile) / f"{path}-{kind.replace(' ', '-')}.prof")
    print(wanted / used)


def measure(kind: str, path: str, messages: int, number: int, profile: str) -> float:
    """Messages per processor second of one source over one path."""
    source, protocol = KINDS[kind]
    url = os.environ["BEFFROI_MQTT_URL"]
    client_id = f"{path}-{kind.replace(' ', '-')}"
    session(url, client_id, "bench/ours/+", protocol)
    publish(url, "ours", messages, number)
    found = subprocess.run(
        [sys.executable, __file__, "--child", kind, path, str(messages), profile],
        env={
            **os.environ,
            "COLLECTOR_CLIENT_ID": client_id,
            "COLLECTOR_MQTT_SOURCE": source,
            "COLLECTOR_MQTT_PROTOCOL": protocol,
        },
        check=True, stdout=subprocess.PIPE, text=True, timeout=300,
    )  # fmt: skip
    return float(found.stdout)


def run(options: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """All rounds; messages per processor second by path and kind."""
    kinds = [kind for kind in KINDS if options.only in kind or kind == "mqtt5"]
    rates: dict[str, dict[str, list[float]]] = {p: {k: [] for k in kinds} for p in PATHS}
    base = machine.default_state()
    base.mkdir(parents=True, exist_ok=True)
    number = 0
    with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder)) as stack:
            os.environ.update(stack.environment())
            lines = ["territory,site,sensor,metric,field,unit,step_s,stamp"]
            lines += [f"1,s,s{n},{f},,,10,start" for n in range(SENSORS) for f in FIELDS]
            with psycopg.connect() as connection:
                migrate(connection)
                register(connection, parse(TOML, "\n".join(lines)))
            for round_number in range(options.rounds):
                for path in PATHS:
                    for kind in kinds:
                        rate = measure(kind, path, options.messages, number, options.profile)
                        number += 1
                        rates[path][kind].append(rate)
                        print(
                            f"round {round_number + 1} {path:5} {kind:16} {rate:9,.0f}"
                            f" messages per processor second, {1e6 / rate:6.1f} µs each",
                            file=sys.stderr,
                        )
    return rates


def ratio(fast: Sequence[float], slow: Sequence[float]) -> float:
    """Round by round, the one in the middle."""
    return statistics.median(a / b for a, b in zip(fast, slow, strict=True))


def main() -> None:
    """Alternate the sources and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", default="", help="folder for cProfile files")
    parser.add_argument("--only", default="", help="kinds whose names contain this")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kind, path, wanted, profile = options.child
        child(kind, path, int(wanted), profile)
        return
    rates = run(options)
    result = {
        path: {
            kind: {
                "per_processor_s": statistics.median(of_path[kind]),
                "mqtt5_is_times": ratio(of_path["mqtt5"], of_path[kind]),
            }
            for kind in of_path
        }
        for path, of_path in rates.items()
    }
    if options.json:
        print(json.dumps({"cores": os.cpu_count(), "messages": options.messages, **result}))
        return
    for path, kinds in result.items():
        for kind, figures in kinds.items():
            print(
                f"{path:5} {kind:16} {figures['per_processor_s']:9,.0f} messages per processor"
                f" second; mqtt5 does {figures['mqtt5_is_times']:.2f} times that"
            )


if __name__ == "__main__":
    main()
