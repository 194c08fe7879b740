"""Figures computed anew for a span, with a bar."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Sequence

import numpy as np
import uvloop
from rich.console import Console

from beffroi.process import instant
from beffroi.progress import bar
from processors import refresh as runner
from processors.refresh import Refreshed
from processors.settings import from_environment
from storage import database


def refresh(
    start: datetime.datetime, stop: datetime.datetime, names: Sequence[str], as_json: bool
) -> bool:
    """Compute and print how much that was; whether a calculation failed."""
    console = Console(stderr=True)
    settings = from_environment()

    async def main() -> Refreshed:
        async with await database.open_pool(application="beffroi indicators") as pool:
            with bar(console, "Computing figures") as bars:
                task = bars.add_task("calculations", total=None)
                return await runner.recompute(
                    pool, instant(start), instant(stop),
                    lambda done, total: bars.update(task, completed=done, total=total),
                    now=np.datetime64(time.time_ns() // 1000, "us"), only=names,
                    keep_days=settings.keep_days,
                )  # fmt: skip

    done = uvloop.run(main())
    if as_json:
        print(json.dumps({"figures": done.figures, "seconds": done.seconds, "failed": done.failed}))
    else:
        print(f"{done.figures:,} figures computed in {done.seconds:.1f} s")
        for name in done.failed:
            print(f"{name}: failed; the log above says why, and its figures are as they were")
    return bool(done.failed)
