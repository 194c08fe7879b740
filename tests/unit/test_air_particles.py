"""Low-cost particle sensors: what they cannot have measured, and what is corrected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.air.companions import same_sensor, same_site
from processors.air.correction import dry_mass, growth, us_epa_purpleair
from processors.air.particle_calculations import PARTICLES
from processors.air.plausibility import faults
from storage.facts.air import AirFacts
from storage.figures import Figures
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.particles import FAULT_WORDS, Corrected, Fault
from storage.indicators.word import Status
from tests.unit import limits_oracle as oracle
from tests.unit.air_given import given as given_hours
from tests.unit.air_given import roster_of
from tests.unit.python_calls import calls

NAN = np.nan
LOW_COST, NITROGEN = PARTICLES
KAPPA: dict[str, object] = {
    "reference": ["station"],
    "correction": [
        {"sensors": "purple*", "method": "us-epa-purpleair"},
        {"sensors": "*", "method": "kappa-koehler", "kappa": 0.4},
    ],
}
MAYBE = st.one_of(st.floats(0, 2000), st.sampled_from([NAN, 0.0, 999.9, 1999.9]))
PERCENT = st.one_of(st.floats(0, 100), st.sampled_from([NAN, 70.0, 95.0, 100.0]))


def hourly(
    lines: list[tuple[str, str, str]],
    values: list[list[float]],
    air: dict[str, object],
    high: list[list[float]] | None = None,
) -> dict[str, Figures]:
    """Figures by indicator; all readings of an hour are its mean unless ``high`` is said."""  # fmt: skip
    roster, table = roster_of(lines), np.array(values)
    what = given_hours(LOW_COST, roster, "2026-03-01", table, air=air)
    most = table if high is None else np.array(high)
    at = (what.frame.row, what.frame.column)
    parts = {**what.frame.parts, "min": table[at], "max": most[at]}
    made = LOW_COST.compute(replace(what, frame=replace(what.frame, parts=parts)))
    return {INDICATORS[k].name: made.take(made.indicator == k) for k in np.unique(made.indicator)}


def test_25_ug_m3_at_80_percent_are_12_692_dry():
    assert growth(np.array([80.0]), 0.4).round(5).tolist() == [1.9697]
    assert dry_mass(np.array([25.0]), np.array([80.0]), 0.4).round(3).tolist() == [12.692]


def test_30_ug_m3_of_a_purpleair_at_60_percent_are_16_298():
    assert us_epa_purpleair(np.array([30.0]), np.array([60.0])).round(3).tolist() == [16.298]


@pytest.mark.parametrize(("humidity", "corrected"), [(94.9, True), (95.0, False), (100.0, False)])
def test_from_95_percent_on_nothing_is_corrected(humidity: float, corrected: bool):
    for answer in (
        dry_mass(np.array([25.0]), np.array([humidity]), 0.4),
        us_epa_purpleair(np.array([25.0]), np.array([humidity])),
    ):
        assert np.isfinite(answer).tolist() == [corrected]


@given(MAYBE, PERCENT, st.floats(0.05, 1.5))
def test_dry_particles_weigh_no_more_than_damp_ones(mass: float, humidity: float, kappa: float):
    (found,) = dry_mass(np.array([mass]), np.array([humidity]), kappa)

    np.testing.assert_allclose(found, oracle.dry_mass(mass, humidity, kappa), rtol=1e-9)
    assert np.isnan(found) or found <= mass


@given(st.tuples(MAYBE, MAYBE, MAYBE, PERCENT, MAYBE, MAYBE))
def test_faults_are_those_of_the_plain_rules(values: tuple[float, ...]):
    found = faults(*(np.array([[value]]) for value in values))

    assert found.tolist() == [[oracle.faults(*values)]]


def test_a_sensor_is_corrected_by_its_own_humidity_and_told_by_which_method():
    found = hourly(
        [("pm25", "airrohr", "a"), ("humidity", "airrohr", "a"), ("humidity", "other", "a"),
         ("pm25", "purple-1", "a"), ("humidity", "purple-1", "a"), ("pm25", "station", "a")],
        [[25.0], [80.0], [20.0], [30.0], [60.0], [25.0]], KAPPA,
    )["pm_corrected"]  # fmt: skip

    assert found.value.round(3).tolist() == [12.692, 16.298]
    assert found.subject.tolist() == [1, 4]
    methods = INDICATORS[POSITION["pm_corrected"]].methods
    assert [methods[k] for k in found.method] == ["kappa-koehler", "us-epa-purpleair"]
    assert found.indicative.tolist() == [True, True]


def test_kappa_takes_the_humidity_of_the_site_where_the_sensor_has_none_and_the_line_does_not():
    found = hourly(
        [("humidity", "weather", "a"), ("pm25", "airrohr", "a"), ("pm25", "purple-1", "a"),
         ("pm10", "purple-1", "a"), ("pm25", "airrohr", "b")],
        [[80.0], [25.0], [30.0], [40.0], [25.0]], KAPPA,
    )["pm_corrected"]  # fmt: skip

    assert found.subject.tolist() == [2, 3, 5]  # no line was drawn through PM10
    assert found.value[:1].round(3).tolist() == [12.692]
    assert found.code.tolist() == [
        Corrected.DONE, Corrected.NO_HUMIDITY, Corrected.NO_HUMIDITY
    ]  # fmt: skip
    assert found.status.tolist() == [Status.COMPLETE, Status.INSUFFICIENT, Status.INSUFFICIENT]


def test_what_cannot_be_corrected_has_a_word_and_no_value():
    found = hourly(
        [("pm25", "airrohr", "a"), ("pm10", "airrohr", "a"), ("humidity", "airrohr", "a")],
        [[25.0, 25.0, 25.0, NAN, 25.0], [30.0, 30.0, 20.0, 30.0, NAN],
         [80.0, 96.0, 80.0, 80.0, NAN]],
        KAPPA,
    )  # fmt: skip
    fine = found["pm_corrected"].take(found["pm_corrected"].subject == 1)

    assert fine.code.tolist() == [
        Corrected.DONE, Corrected.TOO_HUMID, Corrected.FAULTY, Corrected.NO_HUMIDITY
    ]  # fmt: skip
    assert np.isnan(fine.value).tolist() == [False, True, True, True]
    plausible = found["pm_plausible"]
    assert plausible.take(plausible.subject == 1).value.tolist() == [1, 1, 0, 1]
    assert plausible.take(plausible.subject == 2).code.tolist() == [
        Fault.HUMID, Fault.HUMID | Fault.TOO_HUMID, Fault.HUMID | Fault.FINE_ABOVE_COARSE,
        Fault.HUMID,
    ]  # fmt: skip


def test_zero_for_an_hour_and_the_end_of_the_scale_are_no_measurements():
    found = hourly(
        [("pm10", "airrohr", "a"), ("humidity", "airrohr", "a")],
        [[0.0, 80.0, 80.0], [50.0, 50.0, 50.0]], KAPPA,
        high=[[0.0, 1999.9, 90.0], [50.0, 50.0, 50.0]],
    )  # fmt: skip

    assert found["pm_plausible"].value.tolist() == [0, 0, 1]
    assert found["pm_plausible"].code.tolist() == [Fault.ZERO, Fault.END_OF_SCALE, 0]
    assert np.isnan(found["pm_corrected"].value).tolist() == [True, True, False]


def test_nothing_is_corrected_that_nobody_asked_for_and_stations_are_not_judged():
    lines = [("pm25", "airrohr", "a"), ("humidity", "airrohr", "a"), ("pm25", "station", "a")]
    found = hourly(lines, [[25.0], [80.0], [25.0]], {"reference": ["station"]})

    assert list(found) == ["pm_plausible"]
    assert found["pm_plausible"].subject.tolist() == [1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(MAYBE, PERCENT), min_size=1, max_size=5), st.permutations(range(4)))
def test_every_figure_of_low_cost_particles_is_marked_in_any_order_of_series(
    hours: list[tuple[float, float]], order: list[int]
):
    lines = [("pm25", "airrohr", "a"), ("pm10", "airrohr", "a"), ("humidity", "airrohr", "a"),
             ("pm25", "station", "a")]  # fmt: skip
    mass, damp = (list(column) for column in zip(*hours, strict=True))
    values = [mass, [m + 1 for m in mass], damp, mass]

    def said(chosen: list[int]) -> set[tuple[Any, ...]]:
        found = hourly([lines[k] for k in chosen], [values[k] for k in chosen], KAPPA)
        return {
            (name, chosen[s - 1], str(at), repr(float(v)), int(c), bool(mark))
            for name, one in found.items()
            for s, at, v, c, mark in zip(
                one.subject, one.start, one.value, one.code, one.indicative, strict=True
            )
        }

    assert said(order) == said([0, 1, 2, 3])
    assert all(mark and series < 2 for _, series, *_, mark in said([0, 1, 2, 3]))


def test_companions_stand_at_the_same_sensor_else_at_the_same_site():
    roster = roster_of(
        [("pm25", "x", "a"), ("humidity", "y", "a"), ("humidity", "x", "b"), ("pm25", "z", "c"),
         ("humidity", "x", "a"), ("humidity", "x", "a")]
    )  # fmt: skip

    assert same_sensor(roster, "humidity").tolist() == [4, 1, 2, -1, 4, 4]
    assert same_site(roster, "humidity").tolist() == [4, 1, 2, -1, 4, 4]
    assert same_site(roster.take(np.arange(4)), "humidity").tolist() == [1, 1, 2, -1]


def test_nitrogen_oxides_need_both_gases_of_one_sensor():
    roster = roster_of([("no2", "x", "a"), ("no", "x", "a"), ("no2", "y", "a"), ("no", "z", "a")])
    hours = np.array([[20.0, 20.0], [10.0, NAN], [5.0, 5.0], [5.0, 5.0]])
    made = NITROGEN.compute(given_hours(NITROGEN, roster, "2026-03-01", hours))

    assert made.subject.tolist() == [1]
    assert made.value.tolist() == [pytest.approx(20 + 10 * 46.0055 / 30.006)]
    assert made.indicative.tolist() == [True]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"correction": [{"sensors": "a", "method": "koehler"}]}, "'kappa-koehler' or 'us-epa-pu"),
        ({"correction": [{"sensors": "a", "method": "us-epa-purpleair", "kappa": 0.4}]},
         "'us-epa-purpleair' has no kappa; leave it out or write 'kappa-koehler'"),
        ({"limit": [{"pollutant": "co", "window": "year", "over": 3}]},
         "write a limit of its hours, days or 8h"),
        ({"limit": [{"pollutant": "no2", "window": "year", "over": 3, "allowed": 2}]},
         "leave out 'allowed'"),
        ({"limit": [{"pollutant": "no2", "window": "day", "over": 3}] * 2},
         "'no2' has two limits of window 'day'; keep one"),
    ],
)  # fmt: skip
def test_a_bad_fact_says_what_is_wrong_and_what_to_write(facts: dict[str, Any], told: str):
    with pytest.raises(ValidationError) as caught:
        AirFacts.model_validate(facts)

    assert told in str(caught.value)


def test_every_fault_has_its_word():
    assert len(FAULT_WORDS) == len(list(Fault))
    assert FAULT_WORDS[Fault.ZERO.bit_length() - 1] == "zero for a whole hour"


def test_kernels_make_as_many_calls_for_10_series_as_for_10_000():
    def judge(table: np.ndarray) -> None:
        dry_mass(table, table, 0.4)
        us_epa_purpleair(table, table)
        faults(table, table, table, table, table, table)

    few, many = (np.random.default_rng(1).random((n, 24)) * 100 for n in (10, 10_000))
    assert calls(judge, few) == calls(judge, many)

    small, large = (
        roster_of([("pm25", f"s{k}", "a") for k in range(n)]) for n in (10, 10_000)
    )  # fmt: skip
    assert calls(same_site, small, "pm25") == calls(same_site, large, "pm25")
