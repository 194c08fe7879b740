"""Thresholds of information and alert: what was measured, and never that anybody acted."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.air.rounding import half_up
from processors.air.threshold_table import BUILT_IN, in_force
from processors.air.thresholds import passed, two_running
from storage.facts.air import AirFacts
from storage.facts.facts import Facts
from storage.indicators.air import THRESHOLD_LEVELS, THRESHOLD_WORDS
from storage.indicators.catalogue import INDICATORS, POSITION
from tests.unit import air_oracle as oracle
from tests.unit.air_given import calculation, compute, roster_of
from tests.unit.air_given import given as given_of
from tests.unit.python_calls import calls

NAN = math.nan
MIDNIGHT = "2026-05-13T22"
"""Of the 14th of May in Paris."""
NEW_LAW = "2026-12-11T23"
"""Of the 12th of December in Paris."""


def days(metric: str, *hours: list[float], law: str = "fr", start: str = MIDNIGHT, **air: object):
    """Figures of local days whose first hours are given; the others are 10."""
    table = [[*day, *[10.0] * (24 - len(day))] for day in hours]
    value = np.array(table).reshape(1, -1)
    return compute(f"threshold_{law}", [(metric, "a", "b")], start, value, air=dict(air))


def test_no2_410_405_420_passes_the_alert_threshold_at_the_end_of_the_third_hour():
    made = days("no2", [10, 410, 405, 420, 10])

    assert made.value.tolist() == [3]
    assert THRESHOLD_WORDS[made.code[0]] == "alert threshold passed"
    assert made.at.tolist() == [datetime(2026, 5, 14, 2)]


def test_no2_410_nothing_420_415_does_not():
    made = days("no2", [410, NAN, 420, 415])

    assert THRESHOLD_WORDS[made.code[0]] == "information threshold passed"
    assert made.at.tolist() == [datetime(2026, 5, 13, 23)]


def test_o3_250_for_one_hour_passes_information_and_alert_but_no_emergency_level():
    assert THRESHOLD_WORDS[days("o3", [250]).code[0]] == "alert threshold passed"
    assert passed(np.array([250.0]), 180, 1).all()
    assert not passed(np.array([250.0]), 240, 3).any()


@pytest.mark.parametrize(
    ("metric", "hours", "level"),
    [
        ("no2", [200.4], 0), ("no2", [200.5], 1), ("no2", [401, 401], 1), ("no2", [401] * 3, 3),
        ("o3", [180], 0), ("o3", [181], 1), ("o3", [241] * 2, 3), ("o3", [241] * 3, 4),
        ("o3", [301] * 2, 3), ("o3", [301] * 3, 5), ("o3", [361], 6),
        ("so2", [300], 0), ("so2", [301], 1), ("so2", [501] * 2, 1), ("so2", [501] * 3, 3),
        ("pm10", [50.4] * 24, 0), ("pm10", [50.5] * 24, 1), ("pm10", [80.4] * 24, 1),
        ("pm10", [80.5] * 24, 3),
    ],
)  # fmt: skip
def test_the_french_levels(metric: str, hours: list[float], level: int):
    assert days(metric, hours).value.tolist() == [level]


@pytest.mark.parametrize(
    ("metric", "hours", "before", "after"),
    [
        ("no2", [151], 0, 1), ("no2", [201] * 3, 0, 3), ("no2", [401] * 3, 3, 3),
        ("so2", [276], 0, 1), ("so2", [351] * 3, 0, 3), ("so2", [501] * 3, 3, 3),
        ("o3", [181], 1, 1), ("o3", [241], 3, 3), ("o3", [241] * 3, 4, 4),
        ("pm10", [90.5] * 24, None, 3), ("pm25", [50.5] * 24, None, 3), ("pm25", [50.4] * 24, None, 0),
    ],
)  # fmt: skip
def test_the_european_levels_before_and_from_12_december_2026_on(metric, hours, before, after):
    old = days(metric, hours, law="eu", start="2026-12-10T23")
    new = days(metric, hours, law="eu", start=NEW_LAW)

    assert old.value.tolist() == ([] if before is None else [before])
    assert old.method.tolist() == [0] * len(old)
    assert (new.value.tolist(), new.method.tolist()) == ([after], [1])


@pytest.mark.parametrize("metric", ["no2", "o3", "pm10"])
def test_the_information_threshold_on_two_days_running_is_said_on_the_second(metric: str):
    high = [210.0] * 24

    over = {"no2": 210.0, "o3": 190.0, "pm10": 60.0}[metric]
    high = [over] * 24
    assert days(metric, high, high, [10] * 24, high).value.tolist() == [1, 2, 0, 1]
    assert THRESHOLD_WORDS[2] == "information threshold passed on two days running"


def test_sulphur_dioxide_has_no_persistence():
    assert days("so2", [310] * 24, [310] * 24).value.tolist() == [1, 1]


def test_midnight_does_not_end_a_run_and_the_day_of_its_third_hour_has_it():
    evening = [10.0] * 22 + [410.0, 420.0]

    made = days("no2", evening, [430])

    assert made.value.tolist() == [1, 3]
    assert made.at.tolist() == [datetime(2026, 5, 14, 21), datetime(2026, 5, 14, 23)]


def test_a_day_without_its_hours_says_none_only_where_it_may():
    calm, high = [NAN] * 7 + [10.0] * 17, [NAN] * 7 + [210.0] * 17

    assert days("no2", calm).status.tolist() == [3]
    assert np.isnan(days("no2", calm).value[0])
    made = days("no2", high)
    assert (made.value.tolist(), made.status.tolist()) == ([1], [2])
    assert (made.n.tolist(), made.due.tolist()) == ([17], [24])
    assert days("no2", [NAN] * 6).value.tolist() == [0]


def test_the_mean_of_particles_wants_18_hours():
    assert days("pm10", [NAN] * 7 + [200.0] * 17).status.tolist() == [3]
    made = days("pm10", [NAN] * 6 + [200.0] * 18)
    assert (made.value.tolist(), made.at.tolist()) == ([3], [datetime(2026, 5, 14, 22)])


@pytest.mark.parametrize(("begin", "hours"), [("2026-03-28T23", 23), ("2026-10-24T22", 25)])
def test_days_of_23_and_25_hours_are_days(begin: str, hours: int):
    day = np.full((1, hours), 60.0)

    made = compute("threshold_fr", [("pm10", "a", "b")], begin, day)
    assert (made.value.tolist(), made.due.tolist(), made.n.tolist()) == ([1], [hours], [hours])


def test_a_city_states_a_threshold_from_a_day_on_and_lifts_another():
    stated = [
        {"law": "fr", "pollutant": "no2", "level": "alert", "over": 200, "hours": 3,
         "since": "2026-05-15"},
        {"law": "fr", "pollutant": "no2", "level": "persistence", "since": "2026-05-15"},
        {"law": "fr", "pollutant": "pm25", "level": "information", "over": 50,
         "since": "2026-05-15"},
    ]  # fmt: skip
    high = [210.0] * 3

    made = days("no2", high, high, [210.0], threshold=stated)
    assert made.value.tolist() == [1, 3, 1]
    methods = INDICATORS[POSITION["threshold_fr"]].methods
    assert [methods[m] for m in made.method] == ["R. 221-1", "configured", "configured"]
    particles = days("pm25", [51] * 24, [51] * 24, threshold=stated)
    assert particles.start.tolist() == [datetime(2026, 5, 14, 22)]
    assert particles.value.tolist() == [1]


def test_of_several_thresholds_the_latest_holds_in_whatever_order_they_are_stated():
    def stated(over: float, since: str) -> dict[str, object]:
        return {"law": "fr", "pollutant": "no2", "level": "alert", "over": over, "since": since}

    latest_first = [stated(500, "2026-05-15"), stated(300, "2026-05-14"), stated(20, "2009-01-01")]
    high = [310.0]

    assert days("no2", high, high, threshold=latest_first).value.tolist() == [3, 2]
    assert days("no2", [30.0], threshold=latest_first[2:]).value.tolist() == [0]


def test_a_threshold_that_cannot_be_says_what_to_write():
    bad = {"law": "fr", "pollutant": "co", "level": "alert", "over": 10, "since": "2026-05-15"}
    with pytest.raises(ValueError, match="'no2', 'o3', 'so2', 'pm10' or 'pm25'"):
        Facts.model_validate({"air": {"threshold": [bad]}})


def test_no_pollutant_of_a_law_has_two_rules_of_a_level_on_one_day():
    edges = np.arange("2005-01-01", "2031-01-01", dtype="datetime64[D]").astype("datetime64[us]")
    for law in ("fr", "eu"):
        held: dict[tuple[str, str], np.ndarray] = {}
        for one in in_force(law, AirFacts(), edges, "Europe/Paris"):
            key = one.rule.pollutant, one.rule.level
            assert not (held.get(key, False) & one.days).any()
            held[key] = held.get(key, False) | one.days
        assert set(held) == {(r.pollutant, r.level) for r in BUILT_IN if r.law == law}


def test_every_level_has_its_words():
    assert len(THRESHOLD_WORDS) == 1 + len(THRESHOLD_LEVELS)
    for name in ("threshold_fr", "threshold_eu"):
        text = " ".join(
            [*INDICATORS[POSITION[name]].words, *INDICATORS[POSITION[name]].labels.values()]
        )
        assert "procedure" not in text.lower()
        assert "procédure" not in text.lower()


HOURS = st.lists(
    st.one_of(st.just(NAN), st.floats(190, 210).map(lambda v: round(v, 1))), min_size=1, max_size=40
)


@given(HOURS, st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_a_run_is_one_of_adjacent_hours_read_one_by_one(hours: list[float], length: int):
    told = passed(half_up(np.array([hours])), 200.0, length)

    assert told[0].tolist() == oracle.passed(hours, 200.0, length)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_level_of_a_day_is_the_highest_rule_that_any_hour_met(seed: int):
    random = np.random.default_rng(seed)
    hours = random.choice([10.0, 190.0, 250.0, 310.0, 370.0], (1, 24 * 6))
    hours[random.random(hours.shape) < 0.1] = NAN
    flat = hours[0].tolist()

    made = compute("threshold_fr", [("o3", "a", "b")], MIDNIGHT, hours)

    expected: list[float] = []
    for day in range(6):
        part = slice(24 * day, 24 * day + 24)
        level = 0
        for over, length, rank in ((180, 1, 1), (240, 1, 3), (240, 3, 4), (300, 3, 5), (360, 1, 6)):
            if any(oracle.passed(flat, over, length)[part]):
                level = max(level, rank)
        before = day and any(v > 180 for v in flat[24 * day - 24 : 24 * day])
        if level == 1 and before:
            level = 2
        full = oracle.enough(sum(not math.isnan(v) for v in flat[part]), 24)
        expected.append(float(level) if level or full else NAN)
    np.testing.assert_array_equal(made.value, expected)


@given(st.permutations(range(5)), st.integers(0, 4))
@settings(max_examples=10, deadline=None)
def test_neither_order_nor_repetition_of_series_changes_a_level(order: list[int], again: int):
    hours = np.random.default_rng(5).choice([10.0, 210.0, 410.0], (5, 48), p=[0.6, 0.2, 0.2])

    def told(rows: list[int]) -> set[tuple[int, datetime, float]]:
        made = compute("threshold_fr", [("no2", "a", "b")] * len(rows), MIDNIGHT, hours[rows])
        whole = zip(made.subject.tolist(), made.start.tolist(), made.value.tolist(), strict=True)
        return {(rows[s - 1], start, value) for s, start, value in whole}

    assert told([*order, again]) == told(list(range(5)))


def test_two_days_running_want_both():
    assert two_running(np.array([True, True, False, True])).tolist() == [True, False, False]


def test_ten_thousand_series_take_as_many_calls_as_ten():
    def some(n: int) -> np.ndarray:
        value = np.random.default_rng(1).uniform(0, 500, (n, 48))
        value[value < 100] = NAN
        return value

    assert calls(passed, some(10), 200.0, 3) == calls(passed, some(10_000), 200.0, 3)
    assert calls(two_running, some(10) > 9) == calls(two_running, some(10_000) > 9)
    one = calculation("threshold_fr")

    def what(n: int) -> Any:
        lines = [
            (m, "box", "s") for _ in range(n // 5) for m in ("no2", "o3", "so2", "pm10", "pm25")
        ]
        return given_of(one, roster_of(lines), NEW_LAW, some(len(lines)))

    assert calls(one.compute, what(10)) == calls(one.compute, what(2000))
