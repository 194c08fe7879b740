"""How long a reading takes from its publish to the page: broker, collector, database, browser.

.venv/bin/python -m tests.benchmarks.board_path [--messages 20] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
from pathlib import Path

from beffroi.embedded.testing import TestBroker, TestCluster
from tests.board.browser import chromium
from tests.board.city import State
from tests.board.conftest import city_template
from tests.board.whole_path import delays

MOST_S = 2.0


async def _measure(broker: TestBroker, conninfo: str, messages: int) -> list[float]:
    async with chromium() as browser:
        return await delays(browser, broker, conninfo, messages=messages, every_s=1.7)


def main() -> int:
    """Print median and maximum; the status is 1 where one was above two seconds."""
    parser = argparse.ArgumentParser(description="from a publish to the page")
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the numbers to this file as well")
    wanted = parser.parse_args()
    with TestCluster() as cluster, TestBroker() as broker:
        conninfo = cluster.clone(city_template(cluster, State.FRESH))
        os.environ.update(cluster.environment(conninfo))
        found = asyncio.run(_measure(broker, conninfo, wanted.messages))
    told = {"messages": len(found), "median_s": statistics.median(found), "max_s": max(found)}
    print(
        f"{told['messages']} readings: median {told['median_s']:.2f} s, most {told['max_s']:.2f} s"
    )
    if wanted.json:
        wanted.json.write_text(json.dumps(told, indent=2) + "\n")
    return int(told["max_s"] > MOST_S)


if __name__ == "__main__":
    sys.exit(main())
