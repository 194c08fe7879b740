"""`beffroi process`: the processor with its status page, or a span recomputed."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import time

import numpy as np
import uvloop
from prometheus_client import Counter, Gauge, Histogram
from rich.console import Console

from beffroi.progress import bar
from processors import metering, refresh, rollup, upkeep, watching
from processors.refresh import Refreshed
from processors.rollup import Pass
from processors.settings import from_environment
from processors.upkeep import Upkeep
from processors.watching import Watched
from storage import database
from storage.status import StatusServer

_STALLED_S = 120.0

PASSES = Counter("beffroi_processor_passes_total", "Passes done")
READINGS = Counter("beffroi_processor_readings_total", "Readings read")
WINDOWS = Counter("beffroi_processor_windows_total", "Windows written", ["level"])
FIGURES = Counter("beffroi_processor_figures_total", "Figures of indicators written")
FAILED = Counter(
    "beffroi_processor_calculations_failed_total", "Calculations that failed and were passed over"
)
PASS_S = Histogram("beffroi_processor_pass_seconds", "Time of one pass")
ALERTS = Gauge("beffroi_alerts_open", "Alerts that are open", ["kind"])
UNBALANCED = Gauge("beffroi_ledger_unbalanced", "Sensor-hours whose sums do not balance")


async def process(stop: asyncio.Event) -> None:
    """The processor: see processors/README.md."""
    settings = from_environment()
    last: list[Pass] = []
    began = time.monotonic()

    def note(done: Pass) -> None:
        last[:] = [done]
        nonlocal began
        began = time.monotonic()
        PASSES.inc()
        READINGS.inc(done.readings)
        for level, windows in done.windows.items():
            WINDOWS.labels(level.name.lower()).inc(windows)
        PASS_S.observe(done.seconds)

    def note_upkeep(done: Upkeep) -> None:
        UNBALANCED.set(done.unbalanced)

    def note_figures(done: Refreshed) -> None:
        FIGURES.inc(done.figures)
        FAILED.inc(len(done.failed))

    def note_alerts(done: Watched) -> None:
        for kind, number in done.open.items():
            ALERTS.labels(kind.value).set(number)

    def health() -> tuple[bool, dict[str, object]]:
        age = time.monotonic() - began
        facts: dict[str, object] = {"seconds_since_pass": round(age, 1)}
        if last:
            facts |= {"marks": last[0].marks, "pass_seconds": round(last[0].seconds, 3)}
        return bool(last) and age < _STALLED_S, facts

    status = StatusServer(settings.metrics_host, settings.metrics_port, health)
    try:
        # One for the pass, one for each reader, one each for figures and for the watch.
        size = settings.readers + 3
        async with await database.open_pool(size=size, application="beffroi processor") as pool:
            beside = [
                asyncio.create_task(upkeep.run(settings, stop, _utc_now, note_upkeep)),
                asyncio.create_task(metering.run(settings, stop, _utc_now)),
                asyncio.create_task(watching.run(pool, stop, _now, note_alerts)),
                asyncio.create_task(
                    refresh.run(pool, stop, _now, note_figures, keep_days=settings.keep_days)
                ),
            ]
            try:
                await rollup.run(pool, settings, stop, _now, note)
            finally:
                for task in beside:
                    task.cancel()
                for task in beside:
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
    finally:
        status.close()


def catch_up() -> None:
    """Roll up, now and here, all that waits; beside a processor that does the same."""

    async def main() -> None:
        async with await database.open_pool(application="beffroi demo") as pool:
            while (await rollup.process(pool, _now())).more:
                pass
            while (await refresh.refresh(pool, _now())).more:
                pass

    uvloop.run(main())


def recompute(start: datetime.datetime, stop: datetime.datetime, as_json: bool) -> None:
    """Roll up a span from scratch, with a bar."""
    console = Console(stderr=True)

    async def main() -> Pass:
        async with await database.open_pool(application="beffroi recompute") as pool:
            with bar(console, "Rolling up") as bars:
                task = bars.add_task("days", total=None)
                return await rollup.recompute(
                    pool, instant(start), instant(stop),
                    lambda done, total: bars.update(task, completed=done, total=total), now=_now(),
                )  # fmt: skip

    done = uvloop.run(main())
    counts = {level.name.lower(): windows for level, windows in done.windows.items()}
    if as_json:
        print(json.dumps({"readings": done.readings, "seconds": done.seconds, **counts}))
    else:
        windows = ", ".join(f"{n:,} {name}" for name, n in counts.items())
        print(f"{done.readings:,} readings rolled up in {done.seconds:.1f} s: {windows}")


def _now() -> np.datetime64:
    return np.datetime64(time.time_ns() // 1000, "us")


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def instant(moment: datetime.datetime) -> np.datetime64:
    """A moment as the processors count them; it must say its offset."""
    return np.datetime64(moment.astimezone(datetime.UTC).replace(tzinfo=None), "us")
