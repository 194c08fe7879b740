"""How a hundred open screens burden the board, and how soon they hear of a reading.

A second process holds the open event streams over loopback. Readings are committed one by one; the
delay is from the commit to the moment at which each stream has the event, both by the machine's one
clock. The board runs as its own process, whose peak memory the kernel tells.

    .venv/bin/python -m tests.benchmarks.board_watchers [--watchers 100] [--readings 30] [--json FILE]

Stops by itself after two minutes at most.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg

from beffroi.embedded.testing import TestCluster
from tests.board.city import State, speak
from tests.board.conftest import city_template

MOST_S, MOST_MB, LIMIT_S = 1.0, 150.0, 120.0

_VALUE = re.compile(r'"now\.noise_level\.value":"([^"]*)"')


def delays(committed: dict[int, float], heard: dict[int, list[float]]) -> np.ndarray[Any, Any]:
    """Seconds from each commit to each stream that heard of it. [s]"""
    return np.array([at - committed[value] for value in heard for at in heard[value]])


async def watch(address: str, watchers: int, seconds: float) -> dict[int, list[float]]:
    """When each stream heard of each value, by value."""
    heard: dict[int, list[float]] = {}

    async def listen(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/events?view=now") as stream:
            async for line in stream.aiter_lines():
                found = _VALUE.search(line)
                if found and found[1].isdecimal():
                    heard.setdefault(int(found[1]), []).append(time.time())

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=address, limits=limits, timeout=None, trust_env=False
    ) as client:
        tasks = [asyncio.create_task(listen(client)) for _ in range(watchers)]
        print("listening", flush=True)
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return heard


@contextlib.contextmanager
def program(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process of our own, ended with us."""
    started = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    try:
        yield started
    finally:
        started.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(10)
        started.kill()


def peak_mb(pid: int) -> float:
    """The most memory that a process ever held. [MB]"""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


def run(watchers: int, readings: int, every_s: float) -> dict[str, float]:
    """One round: the numbers."""
    with TestCluster() as cluster:
        conninfo = cluster.clone(city_template(cluster, State.FRESH))
        port = _free_port()
        environment = {
            **cluster.environment(conninfo), "DASHBOARDS_PORT": str(port),
            "DASHBOARDS_HOST": "127.0.0.1",
        }  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        seconds = readings * every_s + 4
        with program(["-m", "beffroi", "board"], environment) as board:
            _await(address)
            before = peak_mb(board.pid)
            asking = ["-m", "tests.benchmarks.board_watchers", "--listen", address, "--watchers",
                      str(watchers), "--seconds", str(seconds + 8)]  # fmt: skip
            with program(asking, {}) as listening:
                assert listening.stdout is not None
                listening.stdout.readline()
                _until_watched(address, watchers)
                committed: dict[int, float] = {}
                with psycopg.connect(conninfo, autocommit=True) as connection:
                    for number in range(readings):
                        # Whole decibels, each another than the one before and told as it is.
                        value = 70 + number
                        with connection.transaction():
                            speak(connection, "noise_level", float(value))
                        committed[value] = time.time()
                        time.sleep(every_s)
                told, _ = listening.communicate(timeout=LIMIT_S)
            heard = {int(value): at for value, at in json.loads(told).items()}
            heard = {value: at for value, at in heard.items() if value in committed}
            peak = peak_mb(board.pid)
    found = delays(committed, heard)
    due = watchers * readings
    return {
        "watchers": watchers, "readings": readings, "events_due": due, "events_heard": found.size,
        "median_s": float(np.median(found)), "p99_s": float(np.quantile(found, 0.99)),
        "max_s": float(found.max()), "idle_mb": before, "peak_mb": peak,
    }  # fmt: skip


def _await(address: str) -> None:
    for _ in range(300):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{address}/healthz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the board did not answer within 30 s")


def _until_watched(address: str, watchers: int) -> None:
    for _ in range(300):
        told = httpx.get(f"{address}/metrics", trust_env=False).text
        found = re.search(r"^beffroi_board_watchers (\S+)", told, re.MULTILINE)
        if found and float(found[1]) >= watchers:
            return
        time.sleep(0.1)
    raise SystemExit(f"fewer than {watchers} streams were open after 30 s")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def _listen(address: str, watchers: int, seconds: float) -> None:
    heard = await watch(address, watchers, seconds)
    print(json.dumps(heard))


def main() -> int:
    """Print the numbers; the status is 1 where one is above its bound."""
    parser = argparse.ArgumentParser(description="a hundred open screens: delay and memory")
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--readings", type=int, default=30)
    parser.add_argument("--every", type=float, default=1.3, help="seconds between readings")
    parser.add_argument("--json", type=Path, help="write the numbers to this file as well")
    parser.add_argument("--listen", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=60.0, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.listen:
        asyncio.run(_listen(wanted.listen, wanted.watchers, min(wanted.seconds, LIMIT_S)))
        return 0
    told = run(wanted.watchers, wanted.readings, wanted.every)
    for name, value in told.items():
        print(
            f"{name:<14}{value:>10.3f}"
            if name.endswith(("_s", "_mb"))
            else f"{name:<14}{value:>10.0f}"
        )
    if wanted.json:
        wanted.json.write_text(json.dumps(told, indent=2) + "\n")
    good = (
        told["events_heard"] >= told["events_due"] and told["p99_s"] <= MOST_S
        and told["peak_mb"] <= MOST_MB
    )  # fmt: skip
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
