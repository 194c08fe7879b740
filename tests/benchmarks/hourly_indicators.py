"""A year of hourly indicators for 10,000 series, on one core.

Rollups of a year of hours are made up for 10,000 series of each trade, with gaps; every
calculation that fills hours and reads nothing but rollups is run over them in pieces of the
runner's size, from frame to figures. Reading and writing are not among it: what those cost
is in ``late_refresh``. Run with ``python -m tests.benchmarks.hourly_indicators``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator

import numpy as np

from processors.calculation import Calculation, Given, Together
from processors.calculations import CALCULATIONS
from processors.frame import Frame, frame_of
from processors.reach import CELLS
from storage.catalogue import BY_NAME, Domain
from storage.facts.facts import Facts
from storage.figures import no_figures
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import empty_batch
from storage.roster import Roster
from tests.benchmarks.rollup_day import machine

YEAR = np.datetime64("2025-01-01", "us")
HOURS = 8760
METRICS = {
    Domain.AIR: ("no2", "o3", "so2", "pm10", "pm25"),
    Domain.MOBILITY: ("vehicles", "heavy_vehicles", "occupancy", "flow", "bikes"),
    Domain.ENERGY: ("energy_import", "gas_import", "heat_import", "water_import", "energy_used"),
}
"""Those a site measures."""


def roster(domain: Domain, first: int, sites: int) -> Roster:
    """Sites that measure everything, some hundred to a territory."""
    names = np.tile(METRICS[domain], sites)
    n = len(names)
    site = np.repeat(np.arange(first, first + sites, dtype=np.int32), len(METRICS[domain]))
    text = np.char.add("s", site.astype(str))
    return Roster(
        series=np.arange(first * len(METRICS[domain]), first * len(METRICS[domain]) + n, dtype=np.int32),
        domain=np.full(n, domain.value), metric=names,
        kind=np.array([BY_NAME[name].kind.value for name in names]), step=np.full(n, 900, np.int32),
        field=names, sensor=text, site_id=site, site=text,
        territory_id=(site // 100).astype(np.int32), territory=np.char.add("t", (site // 100).astype(str)),
        zone=np.full(n, "Europe/Paris"), longitude=np.full(n, np.nan), latitude=np.full(n, np.nan),
    )  # fmt: skip


def frame(who: Roster, before: int, parts: tuple[str, ...], random: np.random.Generator) -> Frame:
    """A year of hours and those before it; of each hundred three are missing."""
    windows = HOURS + before
    edges = YEAR + (np.arange(windows + 1) - before) * np.timedelta64(1, "h")
    stored = np.flatnonzero(random.random(len(who) * windows) > 0.03)
    row, column = stored // windows, stored % windows
    value = random.gamma(2.0, 15.0, len(stored))
    made = dict.fromkeys(parts, value)
    for name, number in (("good", 4), ("suspect", 0), ("expected", 4), ("received", 4)):
        made[name] = np.full(len(stored), number, np.int32)
    made["sum"], made["x"], made["y"] = 4 * value, np.zeros(len(stored)), np.zeros(len(stored))
    return frame_of(
        who, edges, who.series[row], edges[column], {name: made[name] for name in parts}
    )


def pieces(sites: int, size: int) -> Iterator[tuple[int, int]]:
    """Sites of about as many series as the runner loads at a time."""
    some = max(1, CELLS // HOURS // size)
    for first in range(0, sites, some):
        yield first, min(some, sites - first)


def hourly(domain: Domain) -> list[Calculation]:
    """What fills hours of the domain from rollups alone."""
    return [
        one
        for one in CALCULATIONS
        if one.period is Period.HOUR and one.level is Level.HOUR and one.metrics
        and INDICATORS[POSITION[one.makes[0]]].domain is domain
        and not (one.raw or one.profiles)
        and one.together in (Together.SERIES, Together.SITE)
    ]  # fmt: skip


def measure(domain: Domain, series: int) -> dict[str, object]:
    """Processor seconds of every calculation, for all series together."""
    size = len(METRICS[domain])
    sites, cost, made = series // size, {}, 0
    for calculation in hourly(domain):
        before = int(calculation.before / np.timedelta64(1, "h"))
        random = np.random.default_rng(1)
        for first, some in pieces(sites, size):
            who = roster(domain, first, some)
            mine = who.take(np.isin(who.metric, calculation.metrics))
            if not len(mine):
                continue
            given = Given(
                frame(mine, before, calculation.parts, random),
                YEAR + np.arange(HOURS + 1) * np.timedelta64(1, "h"), "Europe/Paris",
                YEAR + np.timedelta64(400, "D"), Facts(), no_figures(), empty_batch(),
            )  # fmt: skip
            began = time.process_time()
            made += len(calculation.compute(given))
            cost[calculation.name] = cost.get(calculation.name, 0.0) + time.process_time() - began
    return {
        "domain": domain.value, "series": sites * size, "figures": made,
        "cpu_s": {name: round(seconds, 1) for name, seconds in cost.items()},
        "total_cpu_s": round(sum(cost.values()), 1),
        "figures_per_s": round(made / max(sum(cost.values()), 1e-9)),
    }  # fmt: skip


def main() -> None:
    """Print one line per trade, or JSON."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = [measure(domain, options.series) for domain in Domain]
    report = {**machine(), "trades": found, "most_cpu_s": max(one["total_cpu_s"] for one in found)}
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        for name, value in report.items():
            print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
