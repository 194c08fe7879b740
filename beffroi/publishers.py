"""`beffroi simulate` and `beffroi replay`: readings published over real MQTT."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console

from beffroi.progress import bar
from collector.replay import publish as replaying
from collector.replay.mapping import load_mapping
from collector.replay.read import city_of, read
from collector.settings import SettingError
from collector.simulation.city import make_city
from collector.simulation.publish import Progress, publish
from collector.simulation.wall import OUTLINES_FILE
from storage.city import parse
from storage.registry import register


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was asked for on the command line."""

    seconds: float | None
    sensors: int
    speed: float
    seed: int
    history_h: float
    files: Path | None
    as_json: bool


def simulate(wanted: Simulation) -> int:
    """Publish a make-believe city; 0 only if the broker took over every message."""
    console = Console(stderr=True)
    city = make_city(wanted.sensors, wanted.seed)
    if wanted.files is not None:
        wanted.files.mkdir(parents=True, exist_ok=True)
        (wanted.files / "city.toml").write_text(city.city_toml, "utf-8")
        (wanted.files / "sensors.csv").write_text(city.sensors_csv, "utf-8")
        (wanted.files / OUTLINES_FILE).write_text(city.outlines, "utf-8")
        console.print(f"Wrote city.toml, sensors.csv and {OUTLINES_FILE} to {wanted.files}.")
    else:
        with psycopg.connect() as connection:
            made = parse(city.city_toml, city.sensors_csv, beside=lambda _: city.outlines)
            register(connection, made)
    last = 0.0

    def tell(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last > (1.0 if console.is_terminal else 10.0):
            last = time.monotonic()
            console.print(
                f"{now.stage}: published {now.published:,}, acknowledged {now.acknowledged:,},"
                f" {now.rate:,.0f}/s",
                end="\r" if console.is_terminal else "\n",
            )

    async def main(stop: asyncio.Event) -> int:
        done = await publish(
            city, _url(), seconds=wanted.seconds, speed=wanted.speed,
            start=time.time() if wanted.speed != 1 else None, history_s=wanted.history_h * 3600,
            stop=stop, progress=tell,
        )  # fmt: skip
        result = {
            "published": done.published, "acknowledged": done.acknowledged,
            "readings": done.readings, "duplicates": done.duplicates,
            "conflicts": done.conflicts, "mishaps": dict(done.mishaps),
        }  # fmt: skip
        if wanted.as_json:
            print(json.dumps(result))
        else:
            print(", ".join(f"{name} {value}" for name, value in result.items()))
        return 0 if not done.lost else 1

    return _until_stopped(main)


def replay(file: Path, columns: Path, speed: float | None, as_json: bool) -> int:
    """Register a recorded file's sensors and publish it; 0 only if all was acknowledged."""
    console = Console(stderr=True)
    mapping = load_mapping(columns)
    recording = read(mapping, file)
    with psycopg.connect() as connection:
        register(connection, city_of(mapping, recording))
    console.print(
        f"{file.name}: {recording.rows:,} rows, {len(recording):,} values of"
        f" {len(recording.series)} series, {int(recording.missing.sum()):,} missing cells."
    )

    async def main(stop: asyncio.Event) -> int:
        with bar(console, "Publishing") as bars:
            task = bars.add_task("messages", total=None)
            done = await replaying.publish(
                recording, _url(), speed=speed, stop=stop,
                progress=lambda now, total: bars.update(task, completed=now, total=total),
            )  # fmt: skip
        result = {
            "rows": recording.rows, "missing": int(recording.missing.sum()),
            "published": done.messages, "acknowledged": done.acknowledged,
            "readings": done.readings,
        }  # fmt: skip
        if as_json:
            print(json.dumps(result))
        else:
            print(
                f"{done.readings:,} readings in {done.messages:,} messages published,"
                f" {done.acknowledged:,} acknowledged."
            )
        return 0 if done.messages == done.acknowledged else 1

    return _until_stopped(main)


def _url() -> str:
    url = os.environ.get("BEFFROI_MQTT_URL")
    if not url:
        raise SettingError(
            "BEFFROI_MQTT_URL is not set; write mqtt://user:password@host:1883, or take the"
            ' variables of a running installation: eval "$(beffroi env --dir DIR)"'
        )
    return url


def _until_stopped(program: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    async def main() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        return await program(stop)

    return asyncio.run(main())
