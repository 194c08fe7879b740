"""Kernels of traffic and wind make as many calls for 10 series as for 10,000."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from processors import pairing, sketch, time_weight, wind
from processors.mobility import congestion, flow, occupancy, peak, quarters, speed
from storage.roster import Roster
from tests.unit.python_calls import calls
from tests.unit.traffic_city import roster_of

W = 24
EDGES = np.arange(0, W + 1).astype("datetime64[h]").astype("datetime64[us]")


def table(n: int, low: float = 0.0, high: float = 100.0) -> np.ndarray:
    made = np.random.default_rng(7).uniform(low, high, (n, W)).round()
    made[:, 5] = np.nan
    return made


def two_of_each(n: int) -> Roster:
    half = n // 2
    sensors = [f"d{k}" for k in range(half)]
    sites = list(range(half))
    return roster_of(["speed"] * half + ["vehicles"] * half, sensors * 2, sites * 2)


def sketched(n: int) -> Any:
    return sketch.build(
        sketch.codes(np.nan_to_num(table(n, 5).ravel()[: n * 4], nan=50.0)),
        np.repeat(np.arange(n), 4),
        n,
    )


def timed(n: int) -> tuple[Any, ...]:
    row = np.repeat(np.arange(n), W)
    return np.tile(EDGES[:-1], n), table(n).ravel(), row, n, EDGES


def weighed(between: Any) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        hold = np.timedelta64(2, "h")
        return time_weight.integrate(*arguments, now=EDGES[-1], hold=hold, between=between)

    return run


def of_metric(roster: Roster) -> Any:
    return pairing.partners(roster, roster.metric == "speed", roster.metric == "vehicles")


KERNELS: dict[str, tuple[Callable[..., Any], Callable[[int], tuple[Any, ...]]]] = {
    "flow rate": (flow.flow_rate, lambda n: (table(n), 900)),
    "scaled": (flow.scaled, lambda n: (table(n), table(n, 0, 4), table(n, 1, 4))),
    "headway": (flow.headway, lambda n: (table(n),)),
    "gap": (flow.gap, lambda n: (table(n), table(n), 4.5)),
    "passenger cars": (flow.passenger_cars, lambda n: (np.stack((table(n),) * 2), (1.0, 2.0))),
    "heavy share": (flow.heavy_share, lambda n: (table(n), table(n))),
    "mean speeds": (speed.mean_speeds, lambda n: (table(n), table(n))),
    "v85": (speed.v85, lambda n: (table(n), "linear")),
    "v85 of classes": (speed.v85_of_classes, lambda n: (table(n), np.arange(W + 1.0))),
    "v85 of sketches": (speed.v85_of_sketch, lambda n: (sketched(n),)),
    "chosen": (speed.chosen, lambda n: (sketched(n), np.arange(0, n, 2))),
    "free flow": (speed.free_flow, lambda n: (table(n), table(n), 15.0)),
    "lanes": (occupancy.mean_of_lanes, lambda n: (table(n), np.arange(n) // 2, n)),
    "over time": (occupancy.over_time, lambda n: (table(n), table(n))),
    "density": (occupancy.density, lambda n: (table(n), 4.5, 2.0)),
    "density of flow": (occupancy.density_of_flow, lambda n: (table(n), table(n))),
    "state": (occupancy.state, lambda n: (table(n),)),
    "level of service": (occupancy.level_of_service, lambda n: (table(n),)),
    "peak hour": (peak.peak_hour, lambda n: (table(n),)),
    "busiest quarter": (peak.busiest_quarter, lambda n: (table(n),)),
    "free-flow speed": (congestion.free_flow_speed, lambda n: (table(n),)),
    "congestion index": (congestion.congestion_index, lambda n: (table(n), table(n))),
    "vector wind": (wind.vector_wind, lambda n: (table(n), table(n), table(n))),
    "held": (weighed("held"), timed),
    "linear": (weighed("linear"), timed),
    "partners": (of_metric, lambda n: (two_of_each(n),)),
    "gather": (
        quarters.gather,
        lambda n: (table(n), quarters.within(EDGES, EDGES[[0, 12, 24]])),
    ),
}


@pytest.mark.parametrize("name", KERNELS)
def test_ten_thousand_series_take_as_many_calls_as_ten(name: str):
    kernel, arguments = KERNELS[name]

    assert calls(kernel, *arguments(10)) == calls(kernel, *arguments(10_000))


def test_a_loop_over_series_would_be_found():
    def loop(rows: np.ndarray) -> list[float]:
        return [float(row.sum()) for row in rows]

    assert calls(loop, table(10)) != calls(loop, table(10_000))
