"""``python -m processors``: roll up what changes until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time

import numpy as np
import uvloop

from processors import rollup
from processors.settings import SettingsError, from_environment
from storage.database import open_pool


async def main() -> None:
    """Run until SIGTERM or SIGINT; the pass under way is finished first."""
    settings, stop = from_environment(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pool = await open_pool(size=1 + settings.readers, application="beffroi-processors")
    try:
        await rollup.run(pool, settings, stop, _now)
    finally:
        await pool.close()


def _now() -> np.datetime64:
    # numpy's own "now" knows whole seconds only.
    return np.datetime64(time.time_ns() // 1000, "us")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        uvloop.run(main())
    except SettingsError as error:
        sys.exit(str(error))
