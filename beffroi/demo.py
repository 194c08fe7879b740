"""`beffroi demo`: a make-believe city publishes, and everything behind it runs for real."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from rich.live import Live
from rich.table import Table

from beffroi import books
from beffroi.books import Books
from beffroi.embedded.stack import Stack
from beffroi.process import catch_up
from beffroi.programs import Programs
from beffroi.up import installation, look_after
from collector.simulation.city import SimulatedCity, make_city
from collector.simulation.publish import Progress, Published, publish
from storage.books import last_commit
from storage.city import parse

_STILL = 3  # glances in a row at which nothing moved
_DRAIN_S = 60.0
_HISTORY_H, _SHORT_HISTORY_H = 24.0, 1.0


@dataclass(frozen=True, slots=True)
class Demo:
    """What was asked for on the command line."""

    seconds: float | None
    sensors: int
    speed: float
    seed: int
    history_h: float | None
    directory: Path
    port: int | None
    as_json: bool


def run(wanted: Demo) -> int:
    """Run it; returns 0 only if everything acknowledged to a sensor is accounted for."""
    console = Console(stderr=wanted.as_json)
    started = time.monotonic()
    console.print(f"Starting a make-believe city of {wanted.sensors} sensors …")
    simulated = make_city(wanted.sensors, wanted.seed)
    city = parse(simulated.city_toml, simulated.sensors_csv, beside=lambda _: simulated.outlines)
    with installation(wanted.directory, console, board_port=wanted.port, city=city) as running:
        stack, programs, registered = running
        assert registered is not None
        console.print(
            f"{registered.sensors} sensors at {registered.sites} sites in"
            f" {registered.territories} communes, ready in {time.monotonic() - started:.1f} s."
        )
        console.print(f"[bold]The board is live at {programs.board_url}[/bold]  (Ctrl-C stops)")
        before = _settled(console)
        published = asyncio.run(_publish(wanted, simulated, before, stack, programs, console))
        console.print("Stopping: waiting until all that was acknowledged is stored and rolled up …")
        after = _drain(before, published)
        memory = programs.memory()
    return _report(
        wanted, published, after, programs.board_url, memory, bool(programs.restarted), console
    )


async def _publish(
    wanted: Demo,
    simulated: SimulatedCity,
    before: Books,
    stack: Stack,
    programs: Programs,
    console: Console,
) -> Published:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    url = os.environ["BEFFROI_MQTT_URL"]
    told: dict[str, Progress] = {}
    past_s = _history(wanted)
    live = publish(
        simulated, url, seconds=wanted.seconds, speed=wanted.speed, stop=stop,
        start=None if wanted.speed == 1 else time.time(),
        progress=lambda p: told.update(live=p),
    )  # fmt: skip
    jobs = [asyncio.create_task(live)]
    if past_s > 0:
        # Beside the live readings, not before them: late data is the normal case.
        past = publish(
            simulated, url, seconds=0, history_s=past_s, stop=stop,
            progress=lambda p: told.update(past=p),
        )  # fmt: skip
        jobs.append(asyncio.create_task(past))
    show = asyncio.create_task(_show(told, before, stack, programs, console))
    try:
        results = await asyncio.gather(*jobs)
    finally:
        show.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await show
    total = results[0]
    for other in results[1:]:
        total.published += other.published
        total.acknowledged += other.acknowledged
        total.reconnects += other.reconnects
    return total


def _history(wanted: Demo) -> float:
    """How much of the past is missing, at most what was asked for. [s]"""
    hours = wanted.history_h
    if hours is None:
        hours = _HISTORY_H if wanted.seconds is None else _SHORT_HISTORY_H
    with psycopg.connect() as connection:
        last = last_commit(connection)
    since = None if last is None else time.time() - last.timestamp()
    return hours * 3600 if since is None else min(hours * 3600, since)


async def _show(
    told: dict[str, Progress], before: Books, stack: Stack, programs: Programs, console: Console
) -> None:
    """Numbers that move, where somebody looks; a line every 10 s where output is kept."""
    began = time.monotonic()
    shown = Live(console=console, refresh_per_second=4, transient=True)
    if console.is_terminal:
        shown.start()
    try:
        for second in itertools.count(1):
            await asyncio.sleep(1.0)
            await asyncio.to_thread(look_after, stack, programs, console)
            if console.is_terminal or second % 10 == 0:
                line = await asyncio.to_thread(_line, told, before, time.monotonic() - began)
                if console.is_terminal:
                    shown.update(line)
                else:
                    console.print(line, soft_wrap=True)
    finally:
        shown.stop()


def _line(told: dict[str, Progress], before: Books, seconds: float) -> str:
    published = sum(progress.published for progress in told.values())
    acknowledged = sum(progress.acknowledged for progress in told.values())
    line = f"{seconds:5.0f} s  published {published:,}  acknowledged {acknowledged:,}"
    try:
        with psycopg.connect(connect_timeout=2) as connection:
            now = books.sums(connection).since(before)
    except psycopg.OperationalError:
        return f"{line}  · the database is away"
    refused = now.readings_refused + now.messages_refused
    return (
        f"{line}  received {now.messages_received:,} messages · stored {now.readings_stored:,}"
        f"  duplicate {now.readings_duplicate:,}  refused {refused:,} readings"
    )


def _settled(console: Console) -> Books:
    """The books once nothing comes in any more: an interrupted run may have left a backlog."""
    deadline = time.monotonic() + _DRAIN_S
    with psycopg.connect(autocommit=True) as connection:
        now, still = books.sums(connection), 0
        # One glance is not enough: a backlog's first commit may take longer than a glance.
        while last_commit(connection) and still < _STILL and time.monotonic() < deadline:
            time.sleep(0.4)
            last, now = now, books.sums(connection)
            still = still + 1 if now == last and _collector_rests(connection) else 0
            if now != last:
                console.print(
                    f"Taking in what an earlier run left with the broker: {now.messages_received:,} …"
                )
        return books.take(connection)


def _collector_rests(connection: psycopg.Connection) -> bool:
    """Whether a collector has reached the broker and is at no transaction."""
    row = connection.execute(
        """
        SELECT EXISTS (SELECT FROM pipeline.collector WHERE connected AND left_at IS NULL)
               AND NOT EXISTS (SELECT FROM pg_stat_activity
                                WHERE datname = current_database()
                                  AND application_name LIKE 'beffroi collector%' AND state <> 'idle')
        """
    ).fetchone()
    return bool(row and row[0])


def _drain(before: Books, published: Published) -> Books:
    """Wait for the collector, then roll up; returns what this run did."""
    deadline = time.monotonic() + _DRAIN_S
    with psycopg.connect(autocommit=True) as connection:
        while time.monotonic() < deadline:
            done = books.sums(connection).since(before)
            if done.messages_received >= published.acknowledged:
                break
            time.sleep(0.1)
        catch_up()
        return books.take(connection).since(before)


def _report(
    wanted: Demo,
    published: Published,
    done: Books,
    board: str,
    memory: dict[str, int],
    restarted: bool,
    console: Console,
) -> int:
    # A message comes twice only over a broken connection; without one the numbers are equal.
    if published.reconnects or restarted:
        arrived = done.messages_received >= published.acknowledged
    else:
        arrived = done.messages_received == published.acknowledged
    accounted = done.balanced and arrived
    result = {
        "published": published.published,
        "acknowledged": published.acknowledged,
        "received": done.messages_received,
        "stored": done.readings_stored,
        "duplicate": done.readings_duplicate,
        "refused": done.readings_refused + done.messages_refused,
        "balanced": accounted,
        "rollups": done.rollups,
        "board": board,
        "memory_mb": {name: round(size / 1e6) for name, size in memory.items()},
    }
    if wanted.as_json:
        print(json.dumps(result))
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for name in ("published", "acknowledged", "received"):
            table.add_row(name, f"{result[name]:,}", "messages")
        for name in ("stored", "duplicate", "refused"):
            table.add_row(name, f"{result[name]:,}", "readings")
        table.add_row("rollups", f"{done.rollups:,}", "rows")
        console.print(table)
        verdict = (
            "[green]The books balance: everything acknowledged is accounted for.[/green]"
            if accounted
            else "[red]The books do not balance.[/red] See beffroi doctor and the logs."
        )
        console.print(verdict)
        console.print(f"Data and logs: {wanted.directory}")
    return 0 if accounted else 1
