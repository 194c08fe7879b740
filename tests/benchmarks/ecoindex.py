"""What every page of the board weighs, and its EcoIndex.

The formula is the one that its authors publish (collectif Conception numérique responsable): three
quantities are placed among those of half a million pages and weighed 3 : 2 : 1. Counted as they
ask for: a window of 1920 by 1080, the page loaded and scrolled to its end; elements but for those
within drawings; every request; bytes as transferred, headers included, in thousands.

    .venv/bin/python -m tests.benchmarks.ecoindex [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.async_api import Browser

from beffroi.embedded.testing import TestCluster
from tests.board.addresses import OTHERS, SCREENS, VIEWS
from tests.board.browser import chromium, opened
from tests.board.city import State
from tests.board.conftest import city_template
from tests.board.serving import serving

# Edges of the twenty parts into which the pages of the web fall, each of as many pages.
DOM = (
    0, 47, 75, 159, 233, 298, 358, 417, 476, 537, 603, 674, 753, 843, 949, 1076, 1237, 1459, 1801,
    2479, 594601,
)  # fmt: skip
REQUESTS = (
    0, 2, 15, 25, 34, 42, 49, 56, 63, 70, 78, 86, 95, 105, 117, 130, 147, 170, 205, 281, 3920,
)  # fmt: skip
KILOBYTES = (
    0.0, 1.37, 144.7, 319.53, 479.46, 631.97, 783.38, 937.91, 1098.62, 1265.47, 1448.32, 1648.27,
    1876.08, 2142.06, 2465.37, 2866.31, 3401.59, 4155.73, 5400.08, 8037.54, 223212.26,
)  # fmt: skip

GRADES = ((80, "A"), (70, "B"), (55, "C"), (40, "D"), (25, "E"), (10, "F"))

MOST_NODES, MOST_REQUESTS, MOST_KB, LEAST_SCORE = 250, 6, 60.0, 81


def quantile(value: float, edges: Sequence[float]) -> float:
    """Where a page stands among all, from 0 (lightest) to 20."""
    part = bisect_right(edges, value)
    if part >= len(edges):
        return 20.0
    return part - 1 + (value - edges[part - 1]) / (edges[part] - edges[part - 1])


def score(nodes: float, requests: float, kilobytes: float) -> int:
    """From 100, the lightest, to 0.

    >>> score(100, 100, 100), score(240, 20, 331), score(2355, 267, 2493)
    (72, 83, 10)
    """
    weighed = (
        3 * quantile(nodes, DOM) + 2 * quantile(requests, REQUESTS) + quantile(kilobytes, KILOBYTES)
    )
    return round(100 - 5 * weighed / 6)


def grade(points: float) -> str:
    """A, above 80, to G.

    >>> grade(81), grade(80), grade(10)
    ('A', 'B', 'G')
    """
    return next((letter for least, letter in GRADES if points > least), "G")


@dataclass(frozen=True, slots=True)
class Weight:
    """What one page is made of."""

    page: str
    nodes: int
    requests: int
    kilobytes: float

    @property
    def score(self) -> int:
        return score(self.nodes, self.requests, self.kilobytes)

    @property
    def greenhouse_gas_g(self) -> float:
        """As the authors estimate it from the score, per page seen. [g CO2e]"""
        return 2 + 2 * (50 - self.score) / 100

    @property
    def within(self) -> bool:
        """Whether it keeps the board's own budget."""
        return (
            self.nodes <= MOST_NODES and self.requests <= MOST_REQUESTS
            and self.kilobytes <= MOST_KB and self.score >= LEAST_SCORE
        )  # fmt: skip


_NODES = """() => [...document.querySelectorAll("*")]
  .filter((element) => !element.parentElement?.closest("svg")).length"""


async def weigh(browser: Browser, home: str, path: str) -> Weight:
    """Load and scroll one page with nothing in the browser's cache."""
    async with opened(browser, home, "", width=1920, height=1080) as (page, watch):
        network = await page.context.new_cdp_session(page)
        received: dict[str, float] = {}
        await network.send("Network.enable")
        network.on(
            "Network.responseReceived",
            lambda told: received.__setitem__(
                told["requestId"], told["response"]["encodedDataLength"]
            ),
        )
        network.on(
            "Network.loadingFinished",
            lambda told: received.__setitem__(told["requestId"], told["encodedDataLength"]),
        )
        # Of streams, which never finish, what came in so far.
        network.on(
            "Network.dataReceived",
            lambda told: received.__setitem__(
                told["requestId"],
                received.get(told["requestId"], 0.0) + told["encodedDataLength"],
            ),
        )
        await page.goto(home + path)
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await asyncio.sleep(1.0)
        nodes = await page.evaluate(_NODES)
        return Weight(path, nodes, len(watch.requests), sum(received.values()) / 1000)


async def measure(conninfo: str) -> list[Weight]:
    """Every page of a board of that city."""
    async with chromium() as browser, serving(conninfo) as home:
        return [await weigh(browser, home, path) for path in (*VIEWS.values(), *SCREENS, *OTHERS)]


def main() -> int:
    """Print a line per page; the status is 1 where a view is above its budget."""
    parser = argparse.ArgumentParser(description="weight and EcoIndex of every page of the board")
    parser.add_argument("--json", type=Path, help="write the numbers to this file as well")
    wanted = parser.parse_args()
    with TestCluster() as cluster:
        told = asyncio.run(measure(cluster.clone(city_template(cluster, State.FRESH))))
    print(f"{'page':<18}{'elements':>9}{'requests':>9}{'kB':>7}{'score':>6} grade  g CO2e")
    for one in told:
        print(
            f"{one.page:<18}{one.nodes:>9}{one.requests:>9}{one.kilobytes:>7.1f}{one.score:>6}"
            f" {grade(one.score):<5}{one.greenhouse_gas_g:>8.2f}{'' if one.within else '  above its budget'}"
        )
    if wanted.json:
        rows = [{**asdict(one), "score": one.score, "grade": grade(one.score)} for one in told]
        wanted.json.write_text(json.dumps(rows, indent=2) + "\n")
    return int(not all(one.within for one in told if one.page in (*VIEWS.values(), *SCREENS)))


if __name__ == "__main__":
    sys.exit(main())
