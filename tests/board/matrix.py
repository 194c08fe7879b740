"""Every view, language, theme and state against the law's accessibility rules.

    .venv/bin/python -m tests.board.matrix

Takes some minutes; the status is 1 where a rule was broken. A sample of it runs with the tests.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
import time

from beffroi.embedded.testing import TestCluster
from tests.board.browser import chromium
from tests.board.city import State
from tests.board.conftest import city_template
from tests.board.judging import EVERYTHING, judge


async def _judged(cluster: TestCluster) -> list[str]:
    def city(state: State) -> str:
        return cluster.clone(city_template(cluster, state))

    numbers = itertools.count(1)

    def done() -> None:
        print(f"\r{next(numbers)} of {len(EVERYTHING)} pages", end="", file=sys.stderr, flush=True)

    async with chromium() as browser:
        found = await judge(browser, EVERYTHING, city, done=done)
    print(file=sys.stderr)
    return found


def main() -> int:
    """Print what was found."""
    # What the board says of a database that is taken away belongs here, and is no finding.
    logging.getLogger("dashboards").setLevel(logging.ERROR)
    started = time.monotonic()
    with TestCluster() as cluster:
        found = asyncio.run(_judged(cluster))
    for one in found:
        print(one)
    print(
        f"accessibility: {len(EVERYTHING)} pages (views, screens, methods x languages x themes x"
        f" states), {len(found)} faults, {time.monotonic() - started:.0f} s"
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
