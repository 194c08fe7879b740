"""The European index by its bands of three times, and what the indices of air have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.air import atmo, eaqi, index_calculations
from processors.air.bands import EAQI, classify
from processors.air.worst import worst
from storage.facts.facts import Facts
from storage.figures import figures, join
from storage.indicators.air import INDEX_POLLUTANTS
from tests.unit import air_oracle as oracle
from tests.unit.air_given import HOUR, LATER, calculation, compute, roster_of
from tests.unit.air_given import given as given_of
from tests.unit.index_pollutants import bits, positions
from tests.unit.python_calls import calls

NAN = math.nan
YEARS = (2017, 2019, 2024)
NOW = "2026-03-01T00"
"""Hours under the revised bands."""


def index_of(hour: dict[str, float], year: int = 2024, lines: int = 24) -> dict[str, float]:
    """Class of each pollutant where the concentration stands still for a day."""
    names = list(hour)
    value = np.repeat(np.array([list(hour.values())]).T, lines, axis=1)
    method = np.full(lines, YEARS.index(year), np.int16)
    sub = eaqi.sub_index(value, positions(*names), method)[0]
    return dict(zip(names, sub[:, -1].tolist(), strict=True))


def site(hour: dict[str, float], start: str = NOW, **air: object):
    """The index of a site in one hour."""
    lines = [(name, f"box-{name}", "here") for name in hour]
    return compute("eaqi", lines, start, [[value] for value in hour.values()], air=dict(air))


def test_pm25_16_pm10_45_no2_26_o3_100_is_moderate_for_pm25_and_no2():
    hour = {"pm25": 16.0, "pm10": 45.0, "no2": 26.0, "o3": 100.0}

    assert index_of(hour) == {"pm25": 3, "pm10": 2, "no2": 3, "o3": 2}
    made = site(hour)
    assert made.value.tolist() == [3]
    assert bits(int(made.code[0])) == ({"pm25", "no2"}, {"pm25", "pm10", "no2", "o3"})
    assert (made.status.tolist(), made.method.tolist()) == ([1], [2])


@pytest.mark.parametrize(
    ("name", "value", "revised", "classic"),
    [("no2", 40.0, 3, 1), ("o3", 130.0, 4, 3), ("pm25", 8.0, 2, 1)],
)
def test_one_concentration_has_other_classes_by_other_bands(name, value, revised, classic):
    assert index_of({name: value}, 2024) == {name: revised}
    assert index_of({name: value}, 2019) == {name: classic}


def test_5_4_is_class_1_and_5_5_is_class_2_and_small_negatives_are_class_1():
    assert index_of({"pm25": 5.4}) == {"pm25": 1}
    assert index_of({"pm25": 5.5}) == {"pm25": 2}
    assert index_of({"no2": -0.4}) == {"no2": 1}
    assert index_of({"no2": -5.0}) == {"no2": 1}
    assert math.isnan(index_of({"no2": -5.1})["no2"])


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", INDEX_POLLUTANTS)
def test_every_bound_belongs_to_the_class_it_closes(year: int, name: str):
    for number, bound in enumerate(oracle.EAQI[year][name], start=1):
        assert index_of({name: float(bound)}, year) == {name: number}
        assert index_of({name: bound + 0.4}, year) == {name: number}
        assert index_of({name: bound + 0.5}, year) == {name: number + 1}


def test_the_bands_of_2017_have_five_classes():
    assert index_of({"pm25": 700.0, "no2": 900.0}, 2017) == {"pm25": 5, "no2": 5}
    assert index_of({"pm25": 700.0, "no2": 900.0}, 2019) == {"pm25": 6, "no2": 6}


def test_particles_are_means_of_24_hours_before_the_revision_and_of_one_after():
    hours = np.full((1, 24), 0.0)
    hours[0, -1] = 240.0  # the mean of the day is 10

    assert index_of_last(hours, 2019) == (1.0, 24, 24)
    assert index_of_last(hours, 2024) == (6.0, 1, 1)
    hours[0, :6] = NAN  # 18 hours are left, and their mean is 13.3
    assert index_of_last(hours, 2019) == (2.0, 18, 24)
    hours[0, 6] = NAN
    assert index_of_last(hours, 2019)[1:] == (17, 24)
    assert math.isnan(index_of_last(hours, 2019)[0])


def index_of_last(hours: np.ndarray, year: int) -> tuple[float, int, int]:
    method = np.full(hours.shape[1], YEARS.index(year), np.int16)
    sub, valid, due = eaqi.sub_index(hours, positions("pm25"), method)
    return float(sub[0, -1]), int(valid[0, -1]), int(due[0, -1])


def test_an_hour_that_is_not_measured_has_no_class_of_its_own():
    hours = np.full((1, 24), 30.0)
    hours[0, -1] = NAN

    assert math.isnan(index_of_last(hours, 2019)[0])


def test_which_bands_hold_is_said_by_the_method_and_may_be_stated():
    hours = [[40.0]]
    for start, method, value in (
        ("2018-12-31T23", 0, 1), ("2019-01-01T00", 1, 1), ("2025-07-02T23", 1, 1),
        ("2025-07-03T00", 2, 3),
    ):  # fmt: skip
        made = compute("eaqi_sub", [("no2", "a", "b")], start, hours)
        assert (made.method.tolist(), made.value.tolist()) == ([method], [value])
        assert made.code.tolist() == made.value.tolist()
    made = compute(
        "eaqi_sub", [("no2", "a", "b")], "2022-06-01T00", hours, air={"eaqi_2024": "2022-01-01"}
    )
    assert (made.method.tolist(), made.value.tolist()) == ([2], [3])


def test_beside_a_road_no2_and_particles_are_enough_and_elsewhere_ozone_is_wanted_too():
    road = {"station": [{"site": "here", "type": "traffic"}]}
    works = {"station": [{"site": "here", "type": "industrial"}]}

    def told(hour: dict[str, float], **air: object) -> tuple[int, int, int]:
        made = site(hour, **air)
        return int(made.n[0]), int(made.due[0]), int(made.status[0])

    assert told({"no2": 20.0, "pm10": 20.0}, **road) == (2, 2, 1)
    assert told({"no2": 20.0, "pm10": 20.0}) == (2, 3, 2)
    assert told({"no2": 20.0, "pm10": 20.0}, **works) == (2, 3, 2)
    assert told({"no2": 20.0, "pm25": 20.0, "o3": 20.0}) == (3, 3, 1)
    assert told({"pm10": 20.0, "pm25": 20.0, "so2": 5.0}) == (1, 3, 2)
    assert told({"no2": 20.0, "o3": 20.0, "so2": 5.0}, **road) == (1, 2, 2)
    assert told({"so2": 5.0}, **road) == (0, 2, 2)


def test_carbon_monoxide_is_in_no_index():
    made = site({"co": 90.0, "so2": 5.0})

    assert (made.value.tolist(), bits(int(made.code[0]))) == ([1], ({"so2"}, {"so2"}))


def test_a_series_of_reference_quality_comes_before_an_indicative_one():
    lines = [("no2", "station", "here"), ("no2", "box", "here"), ("o3", "box", "here")]
    air = {"reference": ["station"]}

    both = compute("eaqi", lines, NOW, [[20.0], [500.0], [50.0]], air=air)
    assert (both.value.tolist(), both.indicative.tolist()) == ([2], [True])
    alone = compute("eaqi", lines[:2], NOW, [[20.0], [500.0]], air=air)
    assert (alone.value.tolist(), alone.indicative.tolist()) == ([2], [False])
    silent = compute("eaqi", lines, NOW, [[NAN], [500.0], [50.0]], air=air)
    assert (silent.value.tolist(), silent.indicative.tolist()) == ([6], [True])


def test_particles_of_a_low_cost_sensor_come_in_corrected_or_not_at_all():
    lines = [("pm25", "box", "here"), ("pm25", "other", "there")]
    hours = np.full((2, 4), 25.0)
    begin = np.datetime64(NOW, "us")
    edges = begin + np.arange(5) * HOUR

    def of(name: str, values: list[float]):
        keep = [[value is not None for value in values]]
        told = [[NAN if value is None else value for value in values]]
        return figures(name, np.array([1], np.int32), edges, told, now=LATER, keep=keep)

    read = join([of("pm_corrected", [12.692, NAN, None, None]), of("pm_plausible", [1, 1, 1, 0])])
    made = compute("eaqi_sub", lines, NOW, hours, figures=read)

    np.testing.assert_array_equal(made.value, [2, NAN, 3, NAN, 3, 3, 3, 3])
    assert made.status.tolist() == [1, 3, 1, 3, 1, 1, 1, 1]
    assert np.isnan(compute("eaqi", lines, NOW, hours, figures=read).value[[1, 3]]).all()


HOURS = st.lists(
    st.one_of(st.just(NAN), st.floats(-8, 400).map(lambda v: round(v, 1))), min_size=1, max_size=50
)


@given(HOURS, st.sampled_from(INDEX_POLLUTANTS), st.sampled_from(YEARS))
@settings(max_examples=80, deadline=None)
def test_classes_are_those_of_the_table_read_hour_by_hour(hours, name, year):
    method = np.full(len(hours), YEARS.index(year), np.int16)

    sub = eaqi.sub_index(np.array([hours]), positions(name), method)[0]

    np.testing.assert_array_equal(sub[0], oracle.eaqi(hours, name, year))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_change_of_bands_within_a_span_changes_nothing_on_either_side(seed: int):
    random = np.random.default_rng(seed)
    hours = random.gamma(2, 25, (5, 60)).round(1)
    hours[random.random((5, 60)) < 0.2] = NAN
    what = positions(*INDEX_POLLUTANTS)
    method = np.repeat(np.array([0, 1, 2], np.int16), 20)

    sub = eaqi.sub_index(hours, what, method)[0]

    for row, name in enumerate(INDEX_POLLUTANTS):
        for part, year in enumerate(YEARS):
            expected = oracle.eaqi(hours[row].tolist(), name, year)[20 * part : 20 * part + 20]
            np.testing.assert_array_equal(sub[row, 20 * part : 20 * part + 20], expected)


SERIES = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(INDEX_POLLUTANTS),
        st.sampled_from([NAN, 1.0, 2.0, 3.0, 6.0]), st.booleans(),
    ),
    max_size=20,
)  # fmt: skip


@given(SERIES, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_the_worst_of_a_place_is_found_whatever_the_order_and_repetition(series, random):
    def told(rows: list[tuple[int, str, float, bool]]) -> list[tuple[Any, ...]]:
        place = np.array([row[0] for row in rows], np.intp)
        sub = np.array([[row[2]] for row in rows]).reshape(len(rows), 1)
        low = np.array([row[3] for row in rows], np.bool_)
        found = worst(sub, place, positions(*(row[1] for row in rows)), low, (3, 5))
        return [
            (float(found.index[g, 0]), *bits(int(found.dominant[g, 0] | found.used[g, 0] << 5)),
             bool(found.lesser[g, 0]))
            for g in range(3)
        ]  # fmt: skip

    mixed = [*series, *series[:3]]
    random.shuffle(mixed)
    for g, (index, dominant, used, lesser) in enumerate(told(series)):
        expected = oracle.worst([row[1:] for row in series if row[0] == g], INDEX_POLLUTANTS)
        np.testing.assert_array_equal(index, expected[0])
        assert (dominant, used, lesser) == expected[1:]
    assert repr(told(mixed)) == repr(told(series))


def random_hours(rows: int, width: int) -> np.ndarray:
    value = np.random.default_rng(7).gamma(2, 20, (rows, width))
    value[np.random.default_rng(8).random((rows, width)) < 0.25] = NAN
    return value


def mixed(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.intp) % 5


KERNELS: list[tuple[Callable[..., Any], Callable[[int], tuple[Any, ...]]]] = [
    (eaqi.sub_index, lambda n: (random_hours(n, 12), mixed(n), np.array([0, 1, 2] * 4, np.int16))),
    (eaqi.minimum, lambda n: (np.ones((n, 12), np.int32), np.arange(n) % 2 == 0)),
    (atmo.sub_index, lambda n: (random_hours(n, 24)[:, None], mixed(n), np.array([24]))),
    (classify, lambda n: (random_hours(n, 24), EAQI[2].bounds["no2"])),
    (
        worst,
        lambda n: (
            random_hours(n, 12), np.arange(n) // 10, mixed(n), np.arange(n) % 3 == 0,
            (n // 10, 5),
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kernel", "arguments"), KERNELS)
def test_ten_thousand_series_take_as_many_calls_as_ten(kernel, arguments):
    assert calls(kernel, *arguments(10)) == calls(kernel, *arguments(10_000))


@pytest.mark.parametrize("name", ["eaqi", "atmo_site"])
def test_a_calculation_takes_as_many_calls_for_4000_series_as_for_10(name: str):
    one = calculation(name)

    def what(n: int) -> Any:
        lines = [(m, "box", f"s{k}") for k in range(n // 5) for m in INDEX_POLLUTANTS]
        hours = random_hours(len(lines), 24)
        hours[: len(INDEX_POLLUTANTS)] = np.nan  # a site that says nothing, of few or many
        return given_of(one, roster_of(lines), NOW, hours)

    assert calls(one.compute, what(10)) == calls(one.compute, what(4000))


STATED = {"law": "fr", "pollutant": "no2", "level": "alert", "over": 200, "since": "2026-01-01"}


@pytest.mark.parametrize(
    ("air", "says"),
    [
        ({"station": [{"site": "a", "type": "road"}]}, "'traffic', 'background' or 'industrial'"),
        ({"station": [{"site": "a", "type": "traffic"}] * 2}, "keep one .*for each site"),
        ({"eaqi_2024": "2018-01-01"}, "the older first"),
        ({"threshold": [STATED, STATED]}, "stands there 2 times; keep one"),
        ({"threshold": [{**STATED, "over": float("inf")}]}, "finite number"),
        ({"threshold": [{**STATED, "pollutant": "pm10", "hours": 3}]}, "leave out 'hours'"),
    ],
)
def test_facts_that_cannot_be_say_what_to_write(air: dict[str, object], says: str):
    with pytest.raises(ValueError, match=says):
        Facts.model_validate({"air": air})


def test_a_station_that_is_told_with_its_territory_is_that_territorys_alone():
    roster = roster_of([("no2", "a", "ring"), ("no2", "b", "ring"), ("no2", "c", "park")])
    here = replace(roster, territory=np.array(["1", "2", "1"]))

    def beside_roads(*stations: dict[str, str]) -> list[bool]:
        facts = Facts.model_validate({"air": {"station": stations}}).air
        return index_calculations._stands(here, facts, "traffic").tolist()

    ring = {"site": "ring", "type": "traffic"}
    assert beside_roads(ring) == [True, True, False]
    assert beside_roads({**ring, "territory": "2"}) == [False, True, False]
    assert beside_roads(ring, {**ring, "territory": "2", "type": "background"}) == [
        True, False, False,
    ]  # fmt: skip
