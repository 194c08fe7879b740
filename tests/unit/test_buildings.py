"""Degree days, carbon, comparison, and which series belong to a building."""

from __future__ import annotations

import csv
import json
import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.energy.buildings import meters, standing, table, thermometers, whole_days
from processors.energy.carbon import emissions, gas_energy, net_energy
from processors.energy.comparison import within_class
from processors.energy.degree_day_calculations import season_days
from processors.energy.degree_days import cooling, costic, day_extremes, meteo, scaled_sum
from storage.facts.energy import EnergyFacts
from storage.figures import figures
from storage.roster import Roster
from tests.unit import buildings_oracle as slow
from tests.unit.python_calls import calls

NAN = float("nan")
RNG = np.random.default_rng(20)
LOW, HIGH = np.array([5.0, 10, 13, 19]), np.array([12.0, 20, 25, 28])
degrees = st.floats(-30, 40)


def gappy(shape: tuple[int, ...], share: float = 0.2, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    value = rng.normal(12, 9, shape)
    value[rng.random(shape) < share] = np.nan
    return value


def test_four_days_by_both_french_methods():
    assert meteo(LOW, HIGH, 18).tolist() == [9.5, 3.0, 0.0, 0.0]
    assert costic(LOW, HIGH, 18) == pytest.approx([9.5, 3.328, 1.275, 0.0])


def test_a_year_of_montreal_is_that_of_the_reference(shared: Path):
    expected = json.loads((shared / "data/expected.json").read_text())["montreal_2012_hdd18"]
    hours = defaultdict(list)
    with (shared / "data/montreal-weather-2012/weather_2012.csv").open() as file:
        for row in csv.DictReader(file):
            hours[row["Date/Time"][:10]].append(float(row["Temp (C)"]))
    value = np.array([value for day in hours.values() for value in day])[None, :]
    day = np.repeat(np.arange(len(hours)), [len(one) for one in hours.values()])

    low, high, mean, _, _ = day_extremes(value, value, value, day, len(hours))
    found = meteo(low, high, 18)[0]

    assert len(hours) == expected["days"] == 366
    assert found.sum() == pytest.approx(expected["meteo_minmax"], abs=1e-6)
    assert costic(low, high, 18).sum() == pytest.approx(expected["costic"], abs=1e-4)
    assert np.maximum(18 - mean, 0).sum() == pytest.approx(
        expected["daily_mean_of_hours"], abs=1e-4
    )
    assert found[:31].sum() == pytest.approx(expected["jan_meteo"])
    june = list(hours).index("2012-06-15")
    assert (low[0, june], high[0, june], found[june]) == (13.0, 25.0, 0.0)
    assert costic(low, high, 18)[0, june] == pytest.approx(1.275)


@given(low=degrees, spread=st.floats(0, 30), base=st.floats(10, 25))
def test_degree_days_equal_the_slow_reference_and_are_never_negative(
    low: float, spread: float, base: float
):
    days = np.array([low]), np.array([low + spread])

    assert meteo(*days, base)[0] == pytest.approx(slow.meteo(low, low + spread, base))
    assert costic(*days, base)[0] == pytest.approx(slow.costic(low, low + spread, base))
    assert costic(*days, base)[0] >= 0
    # Cooling is heating of the world turned round its base.
    mirrored = meteo(2 * base - days[1], 2 * base - days[0], base)
    assert cooling(*days, base) == pytest.approx(mirrored)


def test_what_is_not_measured_has_no_degree_days():
    for method in (meteo, costic, cooling):
        assert np.isnan(method(np.array([NAN, 5.0]), np.array([5.0, NAN]), 18)).all()


@pytest.mark.parametrize(("hours", "enough"), [(23, 18), (24, 18), (25, 19)])
def test_a_day_needs_three_quarters_of_its_23_24_or_25_hours(hours: int, enough: int):
    value = np.full((2, hours), 10.0)
    value[0, enough:] = np.nan
    value[1, enough - 1 :] = np.nan

    low, high, mean, known, due = day_extremes(value, value, value, np.zeros(hours, np.intp), 1)

    assert known[:, 0].tolist() == [enough, enough - 1]
    assert due.tolist() == [hours]
    for part in (low, high, mean):
        assert part[0, 0] == 10.0
        assert np.isnan(part[1, 0])


def test_extremes_of_days_equal_the_slow_reference():
    day = np.repeat(np.arange(4), [24, 23, 25, 24])
    value = gappy((20, 96), 0.24)

    low, high, mean, *_ = day_extremes(value, value, value, day, 4)

    for row in range(20):
        for column in range(4):
            expected = slow.extremes(value[row, day == column].tolist())
            found = low[row, column], high[row, column], mean[row, column]
            assert found == pytest.approx(expected, nan_ok=True)
    assert np.isnan(low).any()
    assert not np.isnan(low).all()


def test_a_month_with_missing_days_is_scaled_and_one_with_too_few_is_not_told():
    value = np.full((2, 61), 4.0)
    value[0, :7] = np.nan
    value[1, :8] = np.nan
    value[:, 31:] = 2.0

    total, known = scaled_sum(value, np.array([0, 31]), [31, 30])

    assert total[0].tolist() == [124.0, 60.0]
    assert known[:, 0].tolist() == [24, 23]
    assert np.isnan(total[1, 0])


@given(st.lists(st.one_of(st.none(), st.floats(0, 40)), min_size=1, max_size=31))
def test_scaled_sums_equal_the_slow_reference(days: list[float | None]):
    value = np.array([[NAN if one is None else one for one in days]])

    total, _ = scaled_sum(value, np.array([0]), [len(days)])

    assert total[0, 0] == pytest.approx(slow.scaled_sum(value[0].tolist()), nan_ok=True)


def test_the_heating_season_has_232_days_and_233_in_a_leap_year():
    for year, days in ((2025, 232), (2023, 233)):
        begin, end = season_days(year, ("10-01", "05-20"))
        assert (end - begin).days == days
    assert season_days(2025, ("09-01", "06-30"))[1].isoformat() == "2026-07-01"


def test_half_hours_emit_by_their_own_factor_and_not_by_the_mean():
    assert emissions(np.array([2.0, 1.0]), np.array([0.040, 0.070])) == pytest.approx(0.150)


def test_a_hundred_cubic_metres_of_gas_are_1120_kwh_gross_1009_net_and_229_kg():
    gross = gas_energy(100.0, 11.2)
    net = net_energy(gross, 1.11)

    assert gross == 1120.0
    assert net == pytest.approx(1009.0, abs=0.05)
    assert emissions(np.array([net]), np.array([0.227])) == pytest.approx(229.0, abs=0.1)


def test_without_a_factor_there_are_no_emissions_but_of_nothing():
    energy = np.array([[1.0, 2.0], [1.0, 0.0], [NAN, 1.0]])

    assert emissions(energy, np.array([0.5, NAN])) == pytest.approx([NAN, 0.5, NAN], nan_ok=True)


def test_emissions_split_in_two_add_up_to_the_whole():
    energy, factor = RNG.random((9, 48)), RNG.random(48)

    parts = emissions(energy[:, :17], factor[:17]) + emissions(energy[:, 17:], factor[17:])

    assert parts == pytest.approx(emissions(energy, factor))
    assert parts[0] == pytest.approx(slow.emissions(energy[0].tolist(), factor.tolist()))


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(1, 5)), st.integers(-1, 2)),
        min_size=1,
        max_size=20,
    ),
    st.integers(3, 6),
    st.randoms(use_true_random=False),
)
def test_ranks_equal_the_slow_reference_in_any_order(rows, minimum: int, random):
    random.shuffle(rows)
    values = [NAN if value is None else float(value) for value, _ in rows]
    member = [of for _, of in rows]

    rank, median, _ = within_class(np.array(values)[:, None], np.array(member), minimum)

    expected = slow.within_class(values, member, minimum)
    assert rank[:, 0] == pytest.approx([one for one, _ in expected], nan_ok=True)
    assert median[:, 0] == pytest.approx([one for _, one in expected], nan_ok=True)


def test_four_schools_are_no_class_and_five_are():
    value = np.array([[50.0], [60.0], [70.0], [80.0], [90.0]])
    rank, median, size = within_class(value, np.zeros(5, np.intp), 5)
    assert (rank[:, 0].tolist(), median[0, 0], size[0, 0]) == ([1, 2, 3, 4, 5], 70.0, 5)

    rank, median, size = within_class(value[:4], np.zeros(4, np.intp), 5)
    assert np.isnan(rank).all()
    assert np.isnan(median).all()
    assert size[:, 0].tolist() == [4] * 4


def test_a_day_is_whole_when_covered_and_mostly_counted_not_spread():
    amount = np.full((1, 4), 24.0)
    spread = np.array([[0.0, 6.0, 6.1, 0.0]])
    covered = np.array([[82800.0, 90000.0, 86400.0, 86000.0]])
    length = np.array([82800.0, 90000.0, 86400.0, 86400.0])

    found = whole_days(amount, spread, covered, length)

    assert found[0] == pytest.approx([24.0, 24.0, NAN, NAN], nan_ok=True)


def roster(*rows: tuple[str, str, str]) -> Roster:
    """Series 1, 2, … as (metric, sensor, site)."""
    n = len(rows)
    text = {"domain": "energy", "kind": "index", "field": "v", "territory": "p", "zone": "UTC"}
    sites = sorted({site for _, _, site in rows})
    return Roster(
        series=np.arange(1, n + 1, dtype=np.int32),
        metric=np.array([row[0] for row in rows]),
        sensor=np.array([row[1] for row in rows]),
        site=np.array([row[2] for row in rows]),
        site_id=np.array([sites.index(row[2]) + 1 for row in rows], np.int32),
        territory_id=np.ones(n, np.int32),
        step=np.full(n, 3600, np.int32),
        longitude=np.full(n, NAN),
        latitude=np.full(n, NAN),
        **{name: np.full(n, value) for name, value in text.items()},
    )


def test_a_building_has_the_meters_that_are_named_and_no_sensor_counts_twice():
    who = roster(
        ("energy_import", "linky", "ecole"),
        ("energy_used", "linky", "ecole"),
        ("gas_import", "gazpar", "ecole"),
        ("energy_import", "sub", "ecole"),
        ("energy_import", "linky", "mairie"),
        ("temperature", "meteo", "parc"),
    )
    facts = EnergyFacts.model_validate(
        {
            "building": [
                {"site": "ecole", "meters": ["linky", "gazpar/v"], "temperature": "meteo"},
                {"site": "mairie", "meters": ["gone"]},
                {"site": "nowhere", "meters": ["linky"]},
            ]
        }
    )

    found = standing(who, facts)
    row, of, lost = meters(who, found)

    assert [one.site for one in found.facts] == ["ecole", "mairie"]
    assert list(zip(row.tolist(), of.tolist(), strict=True)) == [(0, 0), (2, 0)]
    assert lost.tolist() == [0, 1]
    assert thermometers(who, found).tolist() == [5, -1]


def test_figures_become_tables_whatever_the_order_of_their_subjects():
    edges = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "datetime64[us]")
    made = figures(
        "building_energy", np.array([4, 9], np.int32), edges, [[1.0, NAN], [3.0, 4.0]],
        now=edges[2], keep=[[True, True], [False, True]],
    )  # fmt: skip

    value, where = table(made, "building_energy", np.array([9, 7, 4], np.int32), edges)

    assert value == pytest.approx(np.array([[NAN, 4], [NAN, NAN], [1, NAN]]), nan_ok=True)
    assert (where >= 0).tolist() == [[False, True], [False, False], [True, True]]


GAS = {
    "energy": "gas",
    "kg_per_kwh": 0.2,
    "scope": "combustion",
    "from": "2024-01-01",
    "source": "s",
}
HEAT = {**GAS, "energy": "heat"}
SCHOOL = {"site": "a", "meters": ["m"]}


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ({"building": [{**SCHOOL, "baseline_from": "2024-01-01"}]}, "half a baseline"),
        ({"building": [SCHOOL, SCHOOL]}, "stands there twice"),
        ({"building": [{"site": "a", "meters": []}]}, "at least 1 item"),
        (
            {
                "building": [
                    {**SCHOOL, "baseline_from": "2024-01-01", "baseline_to": "2025-01-01"}
                ]
            },
            "no temperature",
        ),
        (
            {
                "building": [
                    {
                        **SCHOOL, "temperature": "t",
                        "baseline_from": "2020-01-01", "baseline_to": "2025-01-01",
                    }
                ]
            },
            "at most 731 days",
        ),
        ({"carbon_factor": [GAS]}, "basis = 'PCS' or 'PCI'"),
        ({"carbon_factor": [{**HEAT, "basis": "PCS"}]}, "basis = 'PCS' or 'PCI'"),
        ({"carbon_factor": [{**GAS, "basis": "PCI"}]}, "needs gas_pcs_per_pci"),
        ({"carbon_factor": [{**HEAT, "to": "2023-01-01"}]}, "never holds"),
        ({"carbon_factor": [HEAT, {**HEAT, "from": "2025-01-01"}]}, "count combustion at once"),
        ({"carbon_factor": [HEAT, {**HEAT, "scope": "life_cycle"}]}, "count combustion at once"),
        ({"gas_coefficient": [{"kwh_per_m3": 11, "from": "2024-01-01"}] * 2}, "two hold at once"),
        ({"heating_season": ["1st October", "05-20"]}, "write month-day"),
        ({"heating_season": ["02-01", "05-20"]}, "begins in autumn"),
    ],
)  # fmt: skip
def test_a_fact_that_cannot_be_says_what_is_wrong(facts: dict[str, object], what: str):
    with pytest.raises(ValidationError, match=what):
        EnergyFacts.model_validate(facts)


def test_factors_that_follow_one_another_or_hold_another_scope_are_welcome():
    facts = EnergyFacts.model_validate(
        {
            "carbon_factor": [
                {**HEAT, "to": "2025-01-01"},
                {**HEAT, "from": "2025-01-01"},
                {**HEAT, "scope": "upstream"},
            ]
        }
    )

    assert EnergyFacts.model_validate_json(facts.model_dump_json()) == facts


def test_the_example_of_the_read_me_is_one():
    read_me = Path(__file__).parents[2] / "processors/energy/README.md"
    text = next(part for part in read_me.read_text().split("```toml\n") if "[[energy.b" in part)

    facts = EnergyFacts.model_validate(tomllib.loads(text.split("```")[0])["energy"])

    assert facts.building[0].class_ == "school"


@pytest.mark.parametrize("kernel", ["degree_days", "extremes", "scaled", "emissions", "class"])
def test_kernels_make_as_many_python_calls_for_10_series_as_for_10_000(kernel: str):
    def run(n: int) -> None:
        value = gappy((n, 48))
        day = np.repeat([0, 1], 24)
        match kernel:
            case "degree_days":
                costic(value, value + 5, 18)
                meteo(value, value + 5, 18)
            case "extremes":
                day_extremes(value, value, value, day, 2)
            case "scaled":
                scaled_sum(value, np.array([0, 24]), [24, 24])
            case "emissions":
                emissions(value, value)
            case "class":
                within_class(value[:, :2], np.arange(n) % 4, 3)

    counted = [calls(run, n) for n in (10, 10_000)]
    assert counted[0] == counted[1]
