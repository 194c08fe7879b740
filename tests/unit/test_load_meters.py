"""Meters of every kind as what flowed: what counts as measured, and what never does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from processors import periods
from processors.calculation import Given
from processors.energy import demand_calculations, meters
from processors.energy.load_calculations import LOAD
from processors.energy.period_calculations import YEARS
from processors.frame import Frame, frame_of
from storage.facts.energy import EnergyFacts
from storage.facts.facts import Facts
from storage.figures import Figures, figures, join
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Period, Status
from storage.reading import batch_of, empty_batch
from storage.roster import Roster

NAN = math.nan
START = np.datetime64("2026-03-01T00:00", "us")
YEAR = np.datetime64("2023-06-01", "us")
QUARTERS = START + np.arange(5) * np.timedelta64(15, "m")


def roster(*series: tuple[str, str, int]) -> Roster:
    """Series 1, 2, … of (metric, kind, step)."""
    n = len(series)
    metric, kind, step = zip(*series, strict=True)
    columns: dict[str, Any] = {
        "series": np.arange(1, n + 1, dtype=np.int32), "metric": np.array(metric),
        "kind": np.array(kind), "step": np.array(step, np.int32),
        "sensor": np.array([f"m{k}" for k in range(1, n + 1)]),
        "site_id": np.ones(n, np.int32), "territory_id": np.ones(n, np.int32),
        "longitude": np.full(n, NAN), "latitude": np.full(n, NAN),
    }  # fmt: skip
    texts = ("domain", "field", "site", "territory", "zone")
    return Roster(**columns, **{name: np.full(n, "v") for name in texts})


def frame(who: Roster, rows: list[dict[str, float]]) -> Frame:
    """One stored rollup per dict; ``series`` and ``window`` say whose."""
    names = ("sum", "x", "y", "good", "suspect", "expected")
    parts = {name: np.array([row.get(name, 0.0) for row in rows], np.float64) for name in names}
    return frame_of(
        who, QUARTERS, np.array([row["series"] for row in rows], np.int32),
        QUARTERS[[int(row["window"]) for row in rows]], parts,
    )  # fmt: skip


def test_a_register_has_power_only_where_all_of_a_window_is_known_and_nothing_interpolated():
    one = frame(
        roster(("energy_import", "index", 900)),
        [
            {"series": 1, "window": 0, "sum": 1.0, "x": 0.0, "y": 900.0},
            {"series": 1, "window": 1, "sum": 1.0, "x": 0.0, "y": 899.0},
            {"series": 1, "window": 2, "sum": 1.0, "x": 1.0, "y": 900.0},
        ],
    )

    assert (
        meters.power(one)[0].tolist()
        == [4.0, pytest.approx(NAN, nan_ok=True)] + [pytest.approx(NAN, nan_ok=True)] * 2
    )
    assert meters.flow(one).known[0].tolist() == [900.0, 899.0, 900.0, 0.0]


def test_sampled_power_needs_three_quarters_of_its_samples():
    one = frame(
        roster(("power", "gauge", 60)),
        [
            {"series": 1, "window": 0, "sum": 24.0, "good": 11, "suspect": 1, "expected": 15},
            {"series": 1, "window": 1, "sum": 22.0, "good": 11, "expected": 15},
        ],
    )

    assert meters.power(one)[0, :2].tolist() == [2.0, pytest.approx(NAN, nan_ok=True)]
    assert meters.flow(one).amount[0, 0] == pytest.approx(2.0 * 12 / 15 / 4)


def test_energies_of_intervals_need_all_of_them_unless_nobody_knows_how_many_there_are():
    one = frame(
        roster(("energy_used", "count", 300), ("energy_used", "count", 0)),
        [
            {"series": 1, "window": 0, "sum": 3.0, "good": 3, "expected": 3},
            {"series": 1, "window": 1, "sum": 2.0, "good": 2, "expected": 3},
            {"series": 2, "window": 0, "sum": 5.0, "good": 1, "expected": 0},
        ],
    )

    assert meters.power(one)[:, :2].tolist() == [
        [12.0, pytest.approx(NAN, nan_ok=True)],
        [20.0, pytest.approx(NAN, nan_ok=True)],
    ]


def test_a_register_that_stood_still_has_power_0_and_one_that_is_silent_none():
    one = frame(
        roster(("energy_import", "index", 900)),
        [{"series": 1, "window": 0, "sum": 0.0, "y": 900.0}],
    )

    assert meters.power(one)[0, 0] == 0.0
    assert np.isnan(meters.power(one)[0, 1:]).all()


def test_apparent_power_is_in_no_calculation():
    assert [one.name for one in LOAD if "apparent_power" in one.metrics] == []


def test_names_patterns_and_single_registers_choose_meters():
    who = roster(*[("energy_import", "index", 900)] * 3)

    assert meters.matching(who, ["m1"]).tolist() == [True, False, False]
    assert meters.matching(who, ["m[23]"]).tolist() == [False, True, True]
    assert meters.matching(who, ["m2/v", "m3/w"]).tolist() == [False, True, False]
    assert meters.matching(who, []).tolist() == [False, False, False]


def test_the_first_that_names_a_meter_says_its_window():
    who = roster(*[("energy_import", "index", 600)] * 2)
    said = Facts(
        energy=EnergyFacts.model_validate(
            {"demand": [{"meters": ["m1"], "window_min": 10}, {"meters": ["m*"], "window_min": 30}]}
        )
    )

    assert demand_calculations.demanded(who, said)[0].tolist() == [10, 30]
    assert demand_calculations.read_anew(who, said).tolist() == [True, True]


def test_a_step_longer_than_the_window_cannot_fill_it():
    who = roster(("power", "gauge", 900))
    said = Facts(
        energy=EnergyFacts.model_validate({"demand": [{"meters": ["m1"], "window_min": 10}]})
    )

    assert demand_calculations.read_anew(who, said).tolist() == [False]


def test_a_gap_of_a_register_is_not_spread_over_ten_minute_windows():
    who = roster(("energy_import", "index", 600))
    minutes = [0, 10, 50, 60]
    at = [int((START + np.timedelta64(m, "m")).astype(np.int64)) for m in minutes]
    read = batch_of(at, [0.0, 1.0, 9.0, 10.0], [1] * 4, [1] * 4)
    edges = START + np.arange(7) * np.timedelta64(10, "m")

    found = demand_calculations.flows(who, read, edges, edges[-1])

    assert found.amount.tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0, 1.0]]
    assert found.known.tolist() == [[600.0, 0.0, 0.0, 0.0, 0.0, 600.0]]


def test_an_interval_counts_once_and_only_for_its_step():
    who = roster(("energy_used", "count", 600), ("energy_used", "count", 300))
    at = [int((START + np.timedelta64(m, "m")).astype(np.int64)) for m in (0, 20, 0, 5)]
    read = batch_of(at, [2.0, 3.0, 1.0, 1.0], [1, 1, 2, 2], [1] * 4)
    edges = START + np.arange(4) * np.timedelta64(10, "m")

    found = demand_calculations.flows(who, read, edges, edges[-1])

    assert found.amount.tolist() == [[2.0, 0.0, 3.0], [2.0, 0.0, 0.0]]
    assert found.known[:, 1].tolist() == [0.0, 0.0]


def test_every_indicator_of_loads_has_labels_in_three_languages_and_a_source():
    mine = [INDICATORS[POSITION[name]] for one in LOAD for name in one.makes]

    assert len(mine) == 32
    assert {len(one.labels) for one in mine} == {3}
    assert all(one.source and all(one.labels.values()) for one in mine)
    assert Period.TEN_MINUTES in {one.period for one in mine}


def months_of(value: float, peak: float, missing: int = 0) -> Given:
    """2023 with a constant mean and base load, its peak in January; some months missing."""
    who = roster(("energy_import", "index", 3600))
    edges = periods.edges(Period.YEAR, YEAR, YEAR, "Europe/Paris")
    days = periods.edges(Period.DAY, edges[0], edges[1] - np.timedelta64(1, "h"), "Europe/Paris")
    months = periods.edges(
        Period.MONTH, edges[0], edges[1] - np.timedelta64(1, "h"), "Europe/Paris"
    )[: 13 - missing]
    minutes = np.diff(months).astype(np.int64) // 60_000_000
    high = np.where(np.arange(len(minutes)) == 0, peak, peak - 1)[None, :]
    now, nine = np.datetime64("2024-03-01", "us"), np.array([1, 9], np.int32)

    def both(name: str, table: np.ndarray, **more: Any) -> Figures:
        # Series 9 is nobody's here.
        return figures(name, nine, months, np.repeat(table, 2, axis=0), now=now, **more)

    level = np.full((1, len(minutes)), value)
    read = join(
        [
            both("load_mean_month", level, n=minutes, due=minutes),
            both("load_peak_month", high, at=months[:-1], method=2),
            both("base_load_month", level / 2),
        ]
    )
    empty = Frame(who, days, np.empty(0, np.intp), np.empty(0, np.intp), {"good": np.empty(0)})
    return Given(empty, edges, "Europe/Paris", now, Facts(), read, empty_batch())


def test_a_year_has_the_load_factor_of_its_months_and_the_hours_its_peak_would_take():
    (years,) = YEARS
    made = years.compute(months_of(5.0, 10.0))

    def one(name: str) -> Figures:
        return made.of(name)

    assert one("load_peak_year").value.tolist() == [10.0]
    assert one("load_peak_year").at[0] == np.datetime64("2022-12-31T23:00")
    assert one("load_factor_year").value.tolist() == [0.5]
    assert one("utilisation_hours_year").value.tolist() == [4380.0]
    assert one("utilisation_hours_year").method.tolist() == [2]
    assert one("base_load_year").value.tolist() == [2.5]
    assert one("base_energy_year").value.tolist() == [2.5 * 8760]
    assert set(made.status.tolist()) == {Status.COMPLETE}


def test_a_year_of_ten_months_is_partial_and_one_of_eight_has_no_load_factor():
    (years,) = YEARS
    ten, eight = (years.compute(months_of(5.0, 10.0, missing)) for missing in (2, 4))

    assert ten.of("load_factor_year").status.tolist() == [Status.PARTIAL]
    assert ten.of("load_factor_year").value.tolist() == [0.5]
    assert eight.of("load_factor_year").status.tolist() == [Status.INSUFFICIENT]
    assert np.isnan(eight.of("load_factor_year").value).all()
    assert eight.of("load_peak_year").status.tolist() == [Status.PARTIAL]
    assert eight.of("base_energy_year").n.tolist() == [8]
