"""python -m dashboards build | serve"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from dashboards.build import GRAFANA, write
from dashboards.settings import Settings


def main(arguments: list[str]) -> int:
    """Parse, wire, run."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="write Grafana dashboards and provisioning")
    build.add_argument("folder", nargs="?", type=Path, default=GRAFANA)
    commands.add_parser("serve", help="serve the board until interrupted")
    chosen = parser.parse_args(arguments)
    if chosen.command == "build":
        for path in write(chosen.folder):
            print(path)
    else:
        asyncio.run(_serve(Settings.read(os.environ)))
    return 0


async def _serve(settings: Settings) -> None:
    from dashboards.board import app

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await app.serve(
        stop, settings.host, settings.port, settings=settings,
        bound=lambda port: print(f"board at http://{settings.host}:{port}/", flush=True),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
