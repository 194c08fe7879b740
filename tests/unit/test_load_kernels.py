"""Loads: the trade's vectors, plain Python beside every kernel, and the laws."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.formats import tasmota
from collector.formats.format import Hints
from processors.energy import base_load, consumption, integration, load_curve, load_factor
from processors.windows import local_days
from storage.indicators.word import Status
from tests.unit import load_oracle as oracle
from tests.unit.python_calls import calls

NAN = math.nan
START = np.datetime64("2026-03-01T00:00", "us")
SECOND = np.timedelta64(1_000_000, "us")


def random_loads(seed: int, series: int = 5, windows: int = 60) -> np.ndarray:
    """Loads with gaps, ties, zeros and a series of nothing at all."""
    random = np.random.default_rng(seed)
    load = random.integers(0, 20, (series, windows)).astype(float)
    load[random.random(load.shape) < 0.2] = np.nan
    load[-1] = np.nan
    return load


def firsts(seed: int, windows: int = 60) -> np.ndarray:
    random = np.random.default_rng(seed + 1)
    return np.unique(np.append(0, random.integers(1, windows, 6)))


# Vectors of the trade ---------------------------------------------------------


def test_power_is_integrated_as_declared_1083_333_held_and_666_667_on_straight_lines():
    time = START + np.array([0, 600, 1800]) * SECOND
    one = (time, np.array([1.0, 2.0, 0.5]), np.zeros(3, int), np.array([900]))
    hour, half = START + np.array([0, 3600]) * SECOND, START + np.array([0, 1800]) * SECOND
    later = START + 7200 * SECOND

    held = integration.energy(*one, hour, now=later)
    lines = integration.energy(*one, half, now=later, method="trapezoid")

    assert held.amount[0, 0] * 1000 == pytest.approx(1083.333, abs=5e-4)
    assert held.amount[0, 0] * 3.6e6 == pytest.approx(3_900_000)
    assert lines.amount[0, 0] * 1000 == pytest.approx(666.667, abs=5e-4)


def test_a_power_holds_two_steps_and_no_longer():
    time = START + np.array([0, 3600]) * SECOND
    day = START + np.array([0, 86_400]) * SECOND

    found = integration.energy(
        time, np.array([1.0, 1.0]), np.zeros(2, int), np.array([900]), day, now=day[1]
    )

    assert found.known.tolist() == [[3600.0]]
    assert found.amount.tolist() == [[1.0]]


def test_the_last_value_of_a_trapezoid_is_not_extrapolated():
    time = START + np.array([0, 1800]) * SECOND
    hour = START + np.array([0, 3600]) * SECOND

    found = integration.energy(
        time, np.array([1.0, 3.0]), np.zeros(2, int), np.array([1800]), hour, now=hour[1],
        method="trapezoid",
    )  # fmt: skip

    assert (found.amount[0, 0], found.known[0, 0]) == (1.0, 1800.0)


def test_540_w_over_half_an_hour_are_270_wh():
    assert load_curve.energy_of(np.array([540.0]), 30).tolist() == [270.0]
    assert load_curve.mean_power(np.array([270.0]), np.array([1800.0])).tolist() == [540.0]


def test_ten_watt_hours_of_a_linky_register_in_300_s_are_120_w_whatever_its_va(shared: Path):
    said = json.loads((shared / "data/expected.json").read_text())["tic_delta"]
    folder = shared / "data/payloads/tasmota"
    hints = Hints("", "Europe/Paris", topic="tele/meter/SENSOR")
    lines = (folder / "teleinfo_sensor.ndjson").read_bytes().splitlines()[:2]
    frames = [tasmota.decode(line, hints, 0).readings for line in lines]
    (before, begin), (after, end) = (
        (one.value / 1000, one.time_us) for frame in frames for one in frame if "HCHP" in one.field
    )
    apparent = [one.value for frame in frames for one in frame if "PAPP" in one.field]
    seconds = (end - begin) / 1e6

    watts = load_curve.mean_power(np.array([after - before]), np.array([seconds])) * 1000

    assert (round((after - before) * 1000), seconds) == (said["wh"], said["seconds"])
    assert watts[0] == pytest.approx(said["mean_W"])
    assert apparent == [170, 190]


def test_ten_minute_energies_of_0_5_1_5_0_4_peak_at_9_kw_and_4_8_kw_in_half_an_hour():
    power = load_curve.mean_power(np.array([[0.5, 1.5, 0.4]]), np.array(600.0))

    assert power.max() == pytest.approx(9.0)
    assert load_curve.fixed(power, 3)[0, 0] == pytest.approx(4.8)


def test_1400_kwh_in_a_year_with_a_peak_of_2_kw_have_a_load_factor_of_0_079909():
    factor = load_factor.load_factor(np.array([1400 / 8760]), np.array([2.0]))

    assert factor[0] == pytest.approx(0.079909, abs=5e-7)
    assert load_factor.utilisation_hours(np.array([1400.0]), np.array([2.0]))[0] == 700.0


def test_a_load_without_a_peak_has_no_load_factor():
    assert np.isnan(load_factor.load_factor(np.array([0.0, 1.0]), np.array([0.0, np.nan]))).all()


def test_the_load_of_france_in_2017(shared: Path):
    said = json.loads((shared / "data/expected.json").read_text())["rte_2017"]
    table = pd.read_csv(shared / "data/rte-france-load-2017-2018/load_rte.csv")
    table = table[table["ds"].str.startswith("2017")]
    load = table["y"].to_numpy(np.float64)[None, :]

    top = load_curve.peak(load, np.array([0]))
    lowest = -load_curve.peak(-load, np.arange(0, 8760, 24)).value
    curve = load_curve.duration_curve(load)
    base = base_load.base_load(load, np.zeros(8760, bool), "percentile")

    assert load.shape == (1, 8760)
    assert load.mean() == pytest.approx(said["mean_MW"], abs=5e-4)
    assert top.value[0, 0] == said["peak_MW"] == curve[0, 0]
    assert table["ds"].iloc[top.window[0, 0]] == said["peak_at"] == "2017-01-20 09:00:00"
    assert load_factor.load_factor(load.mean(axis=1), top.value[0])[0] == pytest.approx(
        said["load_factor"], abs=5e-7
    )
    assert base[0] == pytest.approx(said["p5_MW_linear"], abs=0.05)
    assert base_load.base_energy(base, 8760)[0] == pytest.approx(37_374.9 * 8760, rel=1e-6)
    assert base_load.quantile(lowest, 0.5)[0] == said["median_of_daily_min_MW"]
    assert curve[0, -1] == said["min_MW"]


def test_a_second_that_is_not_known_makes_an_hour_partial_and_rounding_does_not():
    one = np.ones((2, 1))
    known = np.array([[3599.0], [3599.999]])

    found = consumption.consumption(one, 0 * one, known, np.array([3600.0]), np.array([0]))

    assert found.status[:, 0].tolist() == [Status.PARTIAL, Status.COMPLETE]
    assert found.code[:, 0].tolist() == [consumption.NOT_COVERED, 0]


# Plain Python beside every kernel ---------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_sums_are_those_of_plain_python(seed: int):
    random = np.random.default_rng(seed)
    amount = random_loads(seed)
    shape, first = amount.shape, firsts(seed)
    interpolated = np.where(random.random(shape) < 0.1, np.nan_to_num(amount), 0.0)
    known = np.where(np.isnan(amount), 0.0, random.choice([900.0, 600.0], shape, p=[0.9, 0.1]))
    seconds = np.full(shape[1], 900.0)

    found = consumption.consumption(amount, interpolated, known, seconds, first)

    for row in range(shape[0]):
        slow = oracle.consumption(
            amount[row].tolist(), interpolated[row].tolist(), known[row].tolist(),
            seconds.tolist(), first.tolist(),
        )  # fmt: skip
        for column, name in enumerate(consumption.Consumption._fields):
            np.testing.assert_allclose(
                getattr(found, name)[row], [one[column] for one in slow], atol=1e-9, err_msg=name
            )


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_integrals_are_those_of_plain_python(seed: int, linear: bool):
    random = np.random.default_rng(seed)
    size = random.integers(1, 12, 4)
    seconds = [np.sort(random.choice(7200, n, replace=False)).astype(float) for n in size]
    value = [random.normal(2, 1, n) for n in size]
    step = np.array([300, 900, 60, 600])
    edges = np.arange(0, 7201, 1200.0)
    now = 5000.0

    found = integration.energy(
        START + np.concatenate(seconds).astype(int) * SECOND, np.concatenate(value),
        np.repeat(np.arange(4), size), step, START + edges.astype(int) * SECOND,
        now=START + 5000 * SECOND, method="trapezoid" if linear else "locf",
    )  # fmt: skip

    for row in range(4):
        slow = oracle.integrated(
            seconds[row].tolist(), value[row].tolist(), 2.0 * step[row], edges.tolist(), now, linear
        )
        np.testing.assert_allclose(found.amount[row], [e for e, _ in slow], atol=1e-9)
        np.testing.assert_allclose(found.known[row], [s for _, s in slow], atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_energies_of_intervals_are_spread_as_in_plain_python(seed: int):
    random = np.random.default_rng(seed)
    cuts = np.sort(random.choice(7200, 8, replace=False)).astype(float)
    intervals = [(cuts[k], cuts[k + 1], float(random.random())) for k in (0, 2, 3, 6)]
    edges = np.arange(600, 6601, 600.0)
    begin, end, amount = (np.array(column) for column in zip(*intervals, strict=True))

    found = integration.spread(
        START + begin.astype(int) * SECOND, START + end.astype(int) * SECOND, amount,
        np.ones(4, int), 2, START + edges.astype(int) * SECOND,
    )  # fmt: skip

    slow = oracle.spread(intervals, edges.tolist())
    np.testing.assert_allclose(found.amount[1], [e for e, _ in slow], atol=1e-12)
    np.testing.assert_allclose(found.known[1], [s for _, s in slow], atol=1e-9)
    assert not found.amount[0].any()


@pytest.mark.parametrize("seed", range(8))
def test_peaks_means_and_rankings_are_those_of_plain_python(seed: int):
    load, first = random_loads(seed), firsts(seed)

    top = load_curve.peak(load, first)
    fixed, sliding = load_curve.fixed(load, 4), load_curve.sliding(load, 3)
    curve = load_curve.duration_curve(load)

    for row, one in enumerate(load.tolist()):
        slow = oracle.peak(one, first.tolist())
        np.testing.assert_array_equal(top.value[row], [v for v, _ in slow])
        assert top.window[row].tolist() == [k for _, k in slow]
        np.testing.assert_allclose(fixed[row], oracle.mean_of_runs(one, 4, 4))
        np.testing.assert_allclose(sliding[row], oracle.mean_of_runs(one, 3, 1))
        np.testing.assert_array_equal(curve[row], oracle.duration_curve(one))


@pytest.mark.parametrize("seed", range(8))
def test_quantiles_base_loads_and_shares_are_those_of_plain_python(seed: int):
    load = random_loads(seed)
    inside = np.random.default_rng(seed).random(60) < 0.4

    for q in (0.0, 0.05, 0.5, 1.0):
        np.testing.assert_allclose(
            base_load.quantile(load, q), [oracle.quantile(one, q) for one in load.tolist()]
        )
    quiet = [[v for v, k in zip(one, inside, strict=True) if k] for one in load.tolist()]
    np.testing.assert_allclose(
        base_load.base_load(load, inside), [oracle.quantile(one, 0.5) for one in quiet]
    )
    np.testing.assert_allclose(
        base_load.share(load, inside),
        [oracle.share(one, inside.tolist()) for one in load.tolist()],
    )


# Laws ---------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), cuts=st.sets(st.integers(1, 59), max_size=8))
def test_any_split_into_periods_adds_up_to_the_whole(seed: int, cuts: set[int]):
    amount = random_loads(seed)
    known = np.where(np.isnan(amount), 0.0, 900.0)
    none, seconds = np.zeros_like(amount), np.full(60, 900.0)
    split = consumption.consumption(amount, none, known, seconds, np.array(sorted({0, *cuts})))
    whole = consumption.consumption(amount, none, known, seconds, np.array([0]))

    np.testing.assert_allclose(np.nansum(split.value, axis=1), np.nan_to_num(whole.value[:, 0]))
    assert split.minutes.sum(axis=1).tolist() == whole.minutes[:, 0].tolist()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), size=st.integers(1, 6))
def test_a_window_that_may_begin_at_any_time_never_peaks_lower_than_one_by_the_clock(
    seed: int, size: int
):
    load = np.nan_to_num(random_loads(seed), nan=0.0)

    fixed, sliding = load_curve.fixed(load, size), load_curve.sliding(load, size)

    assert (sliding.max(axis=1) >= fixed.max(axis=1)).all()
    assert (fixed.max(axis=1) <= load.max(axis=1) + 1e-12).all()


KERNELS: list[Callable[[np.ndarray], Any]] = [
    lambda load: load_curve.peak(load, np.array([0, 20, 40])),
    lambda load: load_curve.fixed(load, 3),
    lambda load: load_curve.sliding(load, 3),
    lambda load: load_curve.duration_curve(load),
    lambda load: load_curve.mean_power(load, np.full(load.shape[1], 900.0)),
    lambda load: base_load.quantile(load, 0.05),
    lambda load: base_load.base_load(load, np.arange(load.shape[1]) % 3 == 0),
    lambda load: base_load.share(load, np.arange(load.shape[1]) % 3 == 0),
    lambda load: load_factor.load_factor(load, load[:, :1]),
    lambda load: consumption.consumption(
        load, np.nan_to_num(load), 900.0 * ~np.isnan(load), np.full(60, 900.0), np.array([0, 20])
    ),
]


@pytest.mark.parametrize("kernel", KERNELS)
def test_order_and_repetition_of_series_do_not_matter(kernel: Callable[[np.ndarray], Any]):
    load = random_loads(3)
    order = np.array([2, 0, 0, 4, 1])

    once, again = kernel(load), kernel(load[order])

    once, again = (part if isinstance(part, tuple) else (part,) for part in (once, again))
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one[order], other)


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_value_comes_from_nothing_measured(kernel: Callable[[np.ndarray], Any]):
    found = kernel(np.full((2, 60), np.nan))

    value = found[0] if isinstance(found, tuple) else found
    assert np.isnan(value).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_makes_as_many_python_calls_for_10_series_as_for_10000(
    kernel: Callable[[np.ndarray], Any],
):
    few, many = random_loads(1, 10), random_loads(1, 10_000)

    assert calls(kernel, few) == calls(kernel, many)


def readings(series: int) -> tuple[Any, ...]:
    time = np.tile(START + np.arange(12) * 600 * SECOND, series)
    row = np.repeat(np.arange(series), 12)
    return time, np.ones(len(time)), row, np.full(series, 600)


@pytest.mark.parametrize("method", integration.METHODS)
def test_integrating_makes_as_many_python_calls_for_10_series_as_for_10000(method: str):
    edges = START + np.arange(3) * 3600 * SECOND

    def kernel(*read: Any) -> None:
        integration.energy(*read, edges, now=edges[-1], method=method)

    assert calls(kernel, *readings(10)) == calls(kernel, *readings(10_000))


def test_spreading_makes_as_many_python_calls_for_10_series_as_for_10000():
    edges = START + np.arange(3) * 3600 * SECOND

    def kernel(time: np.ndarray, value: np.ndarray, row: np.ndarray, step: np.ndarray) -> None:
        integration.spread(time, time + 600 * SECOND, value, row, len(step), edges)

    assert calls(kernel, *readings(10)) == calls(kernel, *readings(10_000))


def test_a_year_has_365_local_days_of_which_one_has_23_and_one_25_hours():
    edges = local_days(
        np.datetime64("2025-12-31T23:00"), np.datetime64("2026-12-31T23:00"), "Europe/Paris"
    )
    power = np.ones((1, 8760))
    hour = edges[0] + np.arange(8760) * np.timedelta64(1, "h")

    summed = consumption.total(power, np.searchsorted(hour, edges[:-1]))

    assert (len(edges) - 1, summed.min(), summed.max(), summed.sum()) == (365, 23, 25, 8760)
    assert date(2026, 3, 29).toordinal() - date(2026, 1, 1).toordinal() == int(summed.argmin())
