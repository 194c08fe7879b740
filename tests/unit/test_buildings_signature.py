"""Energy signatures and the savings that are counted against them."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.energy.change_points import REGIME_DAYS, Model
from processors.energy.savings import (
    climate_corrected,
    cusum,
    independent_days,
    student_t,
    uncertainty,
)  # fmt: skip
from processors.energy.signature import Signature, expected, fit, fit_fixed
from tests.unit import buildings_oracle as slow
from tests.unit.python_calls import calls

NAN = float("nan")
HEATING, COOLING = np.array([8.0, 12.0, 16.0]), np.array([12.0, 18.0, 22.0])
YEAR = 12 - 10 * np.cos(2 * np.pi * np.arange(365) / 365)


def building(
    temperature: np.ndarray, base: float, heating: float, cooling: float, h: float, c: float
) -> np.ndarray:
    cold, warm = np.maximum(0, h - temperature), np.maximum(0, temperature - c)
    return base + heating * cold + cooling * warm


def illinois(shared: Path, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dates, consumption and mean temperature [degF] of a simulated building."""
    folder = shared / "data/eemeter-il-known-truth"

    def rows(file: str) -> list[list[str]]:
        with gzip.open(folder / file, "rt") as text:
            return list(csv.reader(text))[1:]

    hours = rows("il-tempF.csv.gz")
    day, of = np.unique([row[0][:10] for row in hours], return_inverse=True)
    total = np.bincount(of, [float(row[1]) for row in hours])
    mean = dict(zip(day.tolist(), (total / np.bincount(of)).tolist(), strict=True))
    meter = rows(f"{name}.csv.gz")
    date = np.array([row[0][:10] for row in meter], "datetime64[D]")
    value = np.array([float(row[1] or "nan") for row in meter])
    return date, value, np.array([mean.get(row[0][:10], NAN) for row in meter])


def celsius(fahrenheit: np.ndarray) -> np.ndarray:
    return (fahrenheit - 32) / 1.8


def test_fixed_change_points_give_the_reference_of_illinois(shared: Path):
    name = "il_energy_signature_365d_before_2016-12-26"
    reference = json.loads((shared / "data/expected.json").read_text())[name]
    date, value, warmth = illinois(shared, "il-electricity-cdd-hdd-daily")
    year = (date >= np.datetime64("2015-12-27")) & (date < np.datetime64("2016-12-26"))

    found = fit_fixed(value[None, year], warmth[None, year], 60.0, 65.0)

    assert found.days[0] == reference["n"] == 365
    assert found.base[0] == pytest.approx(reference["base_kWh_per_day"], abs=5e-5)
    assert found.heating[0] == pytest.approx(reference["per_HDD60F"], abs=5e-6)
    assert found.cooling[0] == pytest.approx(reference["per_CDD65F"], abs=5e-6)
    assert found.r2[0] == pytest.approx(reference["R2"], abs=5e-6)
    assert 100 * found.cvrmse[0] == pytest.approx(reference["cvrmse_pct"], abs=5e-5)
    assert found.nmbe[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "model"),
    [("il-gas-hdd-only-daily", Model.HEATING), ("il-electricity-cdd-hdd-daily", Model.BOTH)],
)
def test_the_known_truth_of_illinois_is_found(shared: Path, name: str, model: Model):
    about = json.loads((shared / "data/eemeter-il-known-truth/metadata.json").read_text())[name]
    date, value, warmth = illinois(shared, name)
    before = date < np.datetime64(about["blackout_start_date"])
    after = (date >= np.datetime64(about["blackout_end_date"])) & ~np.isnan(value + warmth)
    year = before & (date >= np.datetime64(about["blackout_start_date"]) - 365)

    found = fit(value[None, year], celsius(warmth)[None, year])

    assert found.model[0] == model
    if model is Model.HEATING:
        # Of noisy days of one year the balance point comes out within a degree.
        truth = (about["baseline_heating_balance_point"] - 32) / 1.8
        assert found.heating_point[0] == pytest.approx(truth, abs=1.0)
        heated = (
            found.heating[0] * np.maximum(0, found.heating_point[0] - celsius(warmth)[year])
        ).sum()
        assert heated == pytest.approx(about["annual_baseline_heating_load"], rel=0.1)
    # A tenth was saved in truth.
    told = expected(found, celsius(warmth)[None, :])[0]
    saved, whole = (told - value)[after].sum(), told[after].sum()
    margin = uncertainty(
        found.rmse[0], found.mean[0], 365, found.parameters[0], found.autocorrelation[0],
        whole, int(after.sum()),
    )  # fmt: skip
    assert abs(saved - 0.1 * whole) < margin < 0.1 * whole


@pytest.mark.parametrize(
    ("model", "truth"),
    [
        (Model.MEAN, (100, 0, 0, 0, 0)),
        (Model.HEATING, (100, 12, 0, 15.5, 0)),
        (Model.COOLING, (100, 0, 12, 0, 17.5)),
        (Model.BOTH_AT_ONE_POINT, (100, 12, 9, 14, 14)),
        (Model.BOTH, (100, 12, 9, 10, 18)),
        (Model.LINEAR, (100, 12, 0, 40, 0)),
    ],
)
def test_every_model_is_told_from_the_others_in_noise(model: Model, truth: tuple[float, ...]):
    rng = np.random.default_rng(int(model))
    energy = building(YEAR, *truth) + rng.normal(0, 3, (40, 365))

    found = fit(energy, np.tile(YEAR, (40, 1)))

    # BIC takes a part too many now and then: of 40 buildings 36 are what they are.
    right = found.model == model
    assert right.sum() >= 36
    if truth[1]:
        assert found.heating[right] == pytest.approx(np.full(right.sum(), 12), abs=0.6)
    if model in (Model.HEATING, Model.BOTH):
        assert found.heating_point[right] == pytest.approx(np.full(right.sum(), truth[3]), abs=1)
    if model in (Model.COOLING, Model.BOTH):
        assert found.cooling_point[right] == pytest.approx(np.full(right.sum(), truth[4]), abs=1)
    assert np.isnan(found.cooling_point[found.model == Model.HEATING]).all()


@given(seed=st.integers(0, 10_000), days=st.integers(5, 70), share=st.floats(0, 0.5))
@settings(max_examples=25, deadline=None)
def test_fits_equal_the_slow_reference_of_all_models(seed: int, days: int, share: float):
    rng = np.random.default_rng(seed)
    temperature = rng.uniform(2, 28, (2, days))
    energy = building(temperature, 50, *rng.uniform(0, 6, 2), *rng.choice([8, 16, 22], 2))
    energy += rng.normal(0, 4, energy.shape)
    energy[rng.random(energy.shape) < share] = np.nan
    temperature[rng.random(energy.shape) < share / 2] = np.nan

    found = fit(energy, temperature, HEATING, COOLING)

    for row in range(2):
        model, _, parts = slow.signature(
            energy[row].tolist(), temperature[row].tolist(), HEATING.tolist(), COOLING.tolist()
        )
        assert found.model[row] == model
        answer = [
            part[row]
            for part in (found.base, found.heating, found.cooling, found.heating_point,
                         found.cooling_point)
        ]  # fmt: skip
        assert answer == pytest.approx(parts, rel=1e-6, abs=1e-6, nan_ok=True)


def test_eleven_days_have_no_model_and_no_value_comes_from_nothing():
    energy, temperature = np.full((2, 30), 5.0), np.tile(np.arange(30.0), (2, 1))
    energy[0, REGIME_DAYS - 1 :] = np.nan
    energy[1] = np.nan

    found = fit(energy, temperature)

    assert found.model.tolist() == [Model.NONE, Model.NONE]
    for part in (found.base, found.heating, found.rmse, found.cvrmse, found.mean, found.coldest):
        assert np.isnan(part).all()
    assert np.isnan(expected(found, temperature)).all()


def test_other_buildings_and_the_order_of_days_do_not_matter():
    rng = np.random.default_rng(4)
    energy = building(YEAR, 80, 9, 0, 15, 0) + rng.normal(0, 5, (6, 365))
    energy[rng.random(energy.shape) < 0.2] = np.nan
    warmth, order = np.tile(YEAR, (6, 1)), rng.permutation(365)

    alone = fit(energy[2:3], warmth[:1])
    twice = fit(np.concatenate([energy, energy])[::-1], np.tile(YEAR, (12, 1)))
    mixed = fit(energy[2:3, order], warmth[:1, order])

    for name in ("base", "heating", "heating_point", "rmse", "r2"):
        values = [getattr(alone, name)[0], getattr(twice, name)[3], getattr(twice, name)[9]]
        assert values == pytest.approx([getattr(mixed, name)[0]] * 3)


def test_autocorrelated_residuals_are_measured():
    rng = np.random.default_rng(8)
    noise = np.zeros((200, 365))
    for day in range(1, 365):
        noise[:, day] = 0.6 * noise[:, day - 1] + rng.normal(0, 2, 200)

    found = fit(building(YEAR, 80, 9, 0, 15, 0) + noise, np.tile(YEAR, (200, 1)))

    assert np.median(found.autocorrelation) == pytest.approx(0.6, abs=0.05)


def test_quantiles_of_student_are_those_of_the_tables():
    table = {5: 2.015, 10: 1.812, 20: 1.725, 30: 1.697, 120: 1.658, 363: 1.649}
    assert student_t(0.90, list(table)) == pytest.approx(list(table.values()), abs=0.002)
    assert student_t(0.95, [10, 60]) == pytest.approx([2.228, 2.000], abs=0.002)


def test_the_margin_of_a_month_is_that_of_the_formula():
    t, polynomial = 1.64905, -0.00024 + 0.03535 + 1.00286
    by_hand = t * polynomial * 0.1 * np.sqrt((1 + 2 / 365) / 30) * 3000

    assert uncertainty(10, 100, 365, 3, 0.0, 3000, 30) == pytest.approx(by_hand, rel=1e-4)
    # Correlated residuals are worth fewer days: 121.67 of 365.
    assert independent_days(365, 0.5) == pytest.approx(121.667, abs=1e-3)
    wider = uncertainty(10, 100, 365, 3, 0.5, 3000, 30)
    assert wider == pytest.approx(by_hand * np.sqrt(3), rel=0.02)
    # A mild month is as noisy as the year.
    assert uncertainty(10, 100, 365, 3, 0.0, 300, 30) == pytest.approx(by_hand, rel=1e-4)
    assert np.isnan(uncertainty(10, 100, 365, 3, 0.0, 0, 0))


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_intervals_hold_the_true_saving_at_least_as_often_as_they_say(rho: float):
    rng, n, month = np.random.default_rng(11), 400, 30
    noise = np.zeros((n, 365 + month))
    noise[:, 0] = rng.normal(0, 10, n)
    for day in range(1, 365 + month):
        shock = rng.normal(0, 10 * np.sqrt(1 - rho**2), n)
        noise[:, day] = rho * noise[:, day - 1] + shock
    temperature = np.tile(np.concatenate([YEAR, YEAR[:month]]), (n, 1))
    energy = building(temperature, 100, 12, 0, 15, 0) + noise

    base = fit(energy[:, :365], temperature[:, :365])
    told = expected(base, temperature[:, 365:])
    saved = (told - energy[:, 365:]).sum(axis=1)
    margin = uncertainty(
        base.rmse, base.mean, 365, base.parameters, base.autocorrelation, told.sum(axis=1), month
    )

    # Nothing was saved. 400 trials of 90 % give 87 % or more.
    assert (np.abs(saved) <= margin).mean() >= 0.87


def test_the_cumulative_sum_of_four_months_is_0_2_1_6():
    assert cusum(np.array([10.0, 12, 9, 15]), np.full(4, 10.0)).tolist() == [0.0, 2.0, 1.0, 6.0]
    gap = cusum(np.array([NAN, 12, NAN, 15]), np.full(4, 10.0))
    assert gap == pytest.approx([NAN, 2, 2, 7], nan_ok=True)


def test_10_000_kwh_in_another_climate_are_10_636():
    assert climate_corrected(10_000, 3_000, 2_200, 2_400) == pytest.approx(10_636.36, abs=0.005)
    assert climate_corrected(2_000, 3_000, 2_200, 2_400) == 2_000
    assert np.isnan(climate_corrected(10_000, 3_000, 0, 2_400))


def test_a_signature_says_the_same_of_its_own_days_however_they_are_asked():
    energy = building(YEAR, 80, 9, 4, 12, 18)[None, :]
    found: Signature = fit(energy, YEAR[None, :])

    again = expected(found, np.stack([YEAR, YEAR]), np.array([0, 0]))

    assert again == pytest.approx(np.tile(energy, (2, 1)), rel=1e-6)


def test_signatures_make_as_many_python_calls_for_10_buildings_as_for_10_000():
    def run(n: int) -> None:
        rng = np.random.default_rng(n)
        warmth = rng.uniform(0, 30, (n, 40))
        found = fit(100 + rng.normal(0, 5, (n, 40)), warmth, HEATING, COOLING)
        uncertainty(found.rmse, found.mean, found.days, 3, found.autocorrelation, 900.0, 9)
        cusum(warmth, expected(found, warmth))

    counted = [calls(run, n) for n in (10, 10_000)]
    assert counted[0] == counted[1]
