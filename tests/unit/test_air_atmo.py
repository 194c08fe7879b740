"""The French index of a day: sub-indices by the decree, of how many hours, and for whom."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.air import atmo
from processors.air.bands import ATMO, classify
from storage.indicators.air import INDEX_POLLUTANTS
from tests.unit import air_oracle as oracle
from tests.unit.air_given import compute
from tests.unit.index_pollutants import bits, positions

NAN = math.nan


def test_atmo_12_90_101_20_25_is_1_2_3_1_3_and_the_day_degrade():
    day = {"so2": 12.0, "no2": 90.0, "o3": 101.0, "pm10": 20.0, "pm25": 25.0}
    lines = [(name, f"box-{name}", "here") for name in day]
    hours = np.zeros((5, 24))
    for row, (name, value) in enumerate(day.items()):
        hours[row] = value if name.startswith("pm") else 5.0
        hours[row, 8] = value

    sub = compute("atmo_sub", lines, "2026-02-28T23", hours)
    whole = compute("atmo_territory", lines, "2026-02-28T23", hours)
    here = compute("atmo_site", lines, "2026-02-28T23", hours)

    assert sub.value.tolist() == [1, 2, 3, 1, 3]
    assert (whole.value.tolist(), whole.status.tolist()) == ([3], [1])
    assert bits(int(whole.code[0])) == ({"o3", "pm25"}, set(day))
    assert (whole.subject.tolist(), whole.n.tolist(), whole.due.tolist()) == ([9], [5], [5])
    assert here.value.tolist() == [3]


@pytest.mark.parametrize(
    ("name", "value", "class_"),
    [("no2", 90.1, 3), ("no2", 90.0, 2), ("pm25", 75.1, 6), ("pm25", 75.0, 5)],
)
def test_atmo_compares_what_is_not_rounded(name: str, value: float, class_: int):
    made = compute("atmo_sub", [(name, "a", "b")], "2026-02-28T23", [[value] * 24])

    assert made.value.tolist() == [class_]


@pytest.mark.parametrize(
    ("name", "class_"), [("no2", 4), ("o3", 4), ("so2", 2), ("pm10", 1), ("pm25", 2)]
)
def test_gases_are_told_by_their_highest_hour_and_particles_by_the_day(name: str, class_: int):
    hours = [[10.0] * 23 + [140.0]]  # on average 15.4

    assert compute("atmo_sub", [(name, "a", "b")], "2026-02-28T23", hours).value.tolist() == [
        class_
    ]


def test_adding_tenths_does_not_push_a_mean_over_a_bound():
    # 24 times 20.1 and 19.9 in turn add up to a hair more than 480 in some orders.
    hours = np.array([[20.3] * 8 + [19.7] * 8 + [20.0] * 8])
    assert compute("atmo_sub", [("pm10", "a", "b")], "2026-02-28T23", hours).value.tolist() == [1]
    assert classify(np.array([20.0 + 4e-15]), ATMO.bounds["pm10"]).tolist() == [2]
    hair = atmo.sub_index(np.full((1, 1, 24), 20.0 + 4e-15), positions("pm10"), np.array([24]))[0]
    assert hair.tolist() == [[1]]


def test_a_day_without_one_of_the_five_is_partial_and_of_17_hours_insufficient():
    lines = [("no2", "a", "here"), ("o3", "a", "here")]
    hours = np.full((2, 24), 30.0)
    hours[1, :7] = NAN

    made = compute("atmo_territory", lines, "2026-02-28T23", hours)
    sub = compute("atmo_sub", lines, "2026-02-28T23", hours)

    assert (made.value.tolist(), made.status.tolist(), made.n.tolist()) == ([1], [2], [1])
    assert (sub.status.tolist(), sub.n.tolist()) == ([1, 3], [24, 17])
    assert np.isnan(sub.value[1])
    assert sub.code.tolist() == [1, 0]


def test_the_index_of_a_territory_leaves_out_stations_beside_roads_and_factories():
    lines = [("no2", "a", "park"), ("no2", "b", "road"), ("no2", "c", "works")]
    hours = np.repeat([[30.0], [130.0], [300.0]], 24, axis=1)
    air = {
        "station": [{"site": "road", "type": "traffic"}, {"site": "works", "type": "industrial"}]
    }

    assert compute("atmo_territory", lines, "2026-02-28T23", hours, air=air).value.tolist() == [1]
    assert compute("atmo_territory", lines, "2026-02-28T23", hours).value.tolist() == [5]
    by_site = compute("atmo_site", lines, "2026-02-28T23", hours, air=air)
    assert by_site.value.tolist() == [1, 4, 5]


def test_there_is_no_atmo_before_2021():
    made = compute("atmo_sub", [("no2", "a", "b")], "2020-12-30T23", np.full((1, 48), 30.0))

    assert made.start.tolist() == [datetime(2020, 12, 31, 23)]


@pytest.mark.parametrize(
    ("begin", "hours", "least"), [("2026-03-28T23", 23, 18), ("2026-10-24T22", 25, 19)]
)
def test_days_of_23_and_25_hours_want_18_and_19_hours(begin: str, hours: int, least: int):
    day = np.full((1, hours), 30.0)
    day[0, : hours - least] = NAN

    made = compute("atmo_sub", [("no2", "a", "b")], begin, day)
    assert (made.value.tolist(), made.n.tolist(), made.due.tolist()) == ([1], [least], [hours])
    day[0, -1] = NAN
    assert compute("atmo_sub", [("no2", "a", "b")], begin, day).status.tolist() == [3]


@given(
    st.lists(
        st.one_of(st.just(NAN), st.floats(0, 400).map(lambda v: round(v, 1))),
        min_size=23, max_size=25,
    ),
    st.sampled_from(INDEX_POLLUTANTS),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_a_days_class_is_that_of_the_decree_read_hour_by_hour(hours, name):
    due = len(hours)
    sub, _, valid = atmo.sub_index(np.array([[hours]]), positions(name), np.array([due]))

    np.testing.assert_array_equal(sub[0, 0], oracle.atmo(hours, name, due))
    assert valid[0, 0] == sum(not math.isnan(v) for v in hours)


def test_a_day_of_the_wall_clock_is_the_same_hour_by_hour():
    random = np.random.default_rng(3)
    start = datetime(2026, 3, 24, 23, tzinfo=UTC)
    hours = random.gamma(2, 25, (2, 24 * 9 - 1)).round(1)
    hours[random.random(hours.shape) < 0.25] = NAN
    groups = oracle.local_days(oracle.hours_from(start, hours.shape[1]), "Europe/Paris")

    made = compute("atmo_sub", [("o3", "a", "b"), ("pm10", "a", "b")], "2026-03-24T23", hours)

    expected = [
        oracle.atmo([hours[row, k] for k in group], name, len(group))
        for row, name in ((0, "o3"), (1, "pm10"))
        for group in groups
    ]
    np.testing.assert_array_equal(made.value, expected)
