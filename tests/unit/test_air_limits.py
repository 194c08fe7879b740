"""What a year of air says of a limit: counted and rounded as the law does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.air.limits import (
    count_verdict,
    enough,
    exceedances,
    mean_verdict,
    unproven,
)
from processors.air.percentile import rank, rank_percentile
from storage.indicators.limits import (
    AHEAD,
    LIMITS,
    STATISTICS,
    VERDICT_WORDS,
    Law,
    Limit,
    Verdict,
    Window,
)
from tests.unit import limits_oracle as oracle
from tests.unit.python_calls import calls

NAN = np.nan
BY_NAME = {limit.name: limit for limit in LIMITS}
CONCENTRATION = st.one_of(
    st.floats(-5, 500), st.just(NAN), st.integers(0, 1000).map(lambda n: n / 2)
)


def verdict_of(count: int, valid: int, limit: Limit, due: int, still_open: bool = False) -> int:
    one = np.array([count]), np.array([valid])
    captured = enough(one[1], due)
    found = count_verdict(*one, due, limit.allowed, captured, still_open=still_open)
    return int(found[0])


@pytest.mark.parametrize(
    ("value", "limit", "counted"),
    [
        (50.4, 50, False),
        (50.5, 50, True),
        (200.0, 200, False),
        (200.5, 200, True),
        (45.6, 45, True),
        (45.6, 50, False),
        (10.4, 10, False),
        (NAN, 50, False),
    ],
)
def test_a_value_is_rounded_half_up_and_counted_when_greater(
    value: float, limit: float, counted: bool
):
    assert exceedances(np.array([value]), limit).tolist() == [counted]


def test_a_mean_of_24_decimals_that_is_50_5_is_51():
    # The 24 readings add up to 1212, but not in binary.
    hours = np.array([50.1, 50.9] * 12)

    assert exceedances(np.array([hours.cumsum()[-1] / 24]), 50).tolist() == [True]


def test_18_hours_above_200_respect_the_directive_of_2008_and_not_that_of_2030():
    of_2008, of_2030 = BY_NAME["eu2008_no2_hour"], BY_NAME["eu2030_no2_hour"]

    assert verdict_of(18, 8760, of_2008, 8760) == Verdict.RESPECTED
    assert verdict_of(19, 8760, of_2008, 8760) == Verdict.CERTAIN
    assert verdict_of(18, 8760, of_2030, 8760) == Verdict.CERTAIN
    assert verdict_of(3, 8760, of_2030, 8760) == Verdict.RESPECTED


@pytest.mark.parametrize(
    ("count", "valid", "still_open", "said"),
    [
        (35, 365, False, Verdict.RESPECTED),
        (36, 365, False, Verdict.CERTAIN),
        (36, 40, False, Verdict.CERTAIN),  # 36 of 40 days measured: whatever the others say
        (36, 40, True, Verdict.CERTAIN),  # in the middle of the year
        (35, 364, False, Verdict.POSSIBLE),  # the one missing day could be the 36th
        (14, 345, False, Verdict.RESPECTED),  # 14 + 20 missing days are no more than 35
        (14, 343, False, Verdict.AS_MEASURED),  # 14 + 22 would be
        (34, 330, False, Verdict.POSSIBLE),  # as often in the whole year would be 37
        (10, 300, False, Verdict.NOT_ENOUGH),  # 82 % of the days
        (28, 300, False, Verdict.NOT_ENOUGH),
        (29, 300, False, Verdict.POSSIBLE),  # as often would be 35.3
        (0, 0, False, Verdict.NOT_ENOUGH),
        (35, 50, True, Verdict.SO_FAR),
    ],
)
def test_a_year_of_pm10_against_50_on_35_days(
    count: int, valid: int, still_open: bool, said: Verdict
):
    assert verdict_of(count, valid, BY_NAME["eu2008_pm10_day"], 365, still_open) == said


@given(
    st.integers(0, 366), st.integers(0, 366), st.integers(0, 366), st.sampled_from(
        [one for one in LIMITS if one.window not in (Window.YEAR, Window.SEASON)]),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_verdicts_are_those_of_the_plain_rule(
    count: int, more: int, missing: int, limit: Limit, captured: bool, still_open: bool
):
    valid = count + more
    found = count_verdict(
        np.array([count]), np.array([valid]), valid + missing, limit.allowed,
        np.array([captured]), still_open=still_open,
    )  # fmt: skip

    assert found.tolist() == [
        oracle.verdict(count, valid, valid + missing, limit.allowed, captured, still_open)
    ]


@given(st.lists(CONCENTRATION, min_size=1, max_size=60), st.integers(0, 4), st.data())
def test_certain_and_respected_stay_so_whatever_the_missing_days_turn_out_to_be(
    days: list[float], allowed: int, data: st.DataObject
):
    measured = np.array(days)
    limit = Limit(Law.OWN, "pm10", Window.DAY, 50, allowed)
    filled = np.where(
        np.isnan(measured), data.draw(st.lists(st.floats(0, 500), min_size=len(days), max_size=len(days))), measured
    )  # fmt: skip

    def said(values: np.ndarray) -> int:
        count = int(exceedances(values, 50).sum())
        return verdict_of(count, int((~np.isnan(values)).sum()), limit, len(days))

    if said(measured) in (Verdict.CERTAIN, Verdict.RESPECTED):
        assert said(filled) == said(measured)


@given(st.lists(CONCENTRATION, max_size=40), st.sampled_from([4, 50, 45.5, 120]))
def test_what_is_missing_is_never_an_exceedance_and_order_does_not_matter(
    days: list[float], limit: float
):
    digits = 1 if limit == 45.5 else 0
    value = np.array(days, np.float64)
    counted = exceedances(value, limit, digits)

    assert counted.tolist() == [oracle.exceeds(day, limit, digits) for day in days]
    assert exceedances(value[::-1], limit, digits).tolist() == counted[::-1].tolist()
    assert exceedances(np.r_[value, NAN], limit, digits).sum() == counted.sum()


@given(
    st.lists(CONCENTRATION, max_size=50), st.sampled_from([9040, 9510, 9979, 9997, 5000, 10_000])
)
def test_a_percentile_is_a_value_that_was_measured(days: list[float], which: int):
    value, valid = rank_percentile(np.array([days], np.float64).reshape(1, -1), (which,))
    expected = oracle.percentile(days, which)

    np.testing.assert_array_equal(value, [[expected]])
    assert valid.tolist() == [sum(day == day for day in days)]


@given(st.lists(st.floats(0, 300), min_size=1, max_size=50), st.permutations(range(6)))
def test_a_percentile_does_not_mind_the_order_or_twice_the_same(
    days: list[float], order: list[int]
):
    table = np.array([days]) + np.arange(6.0)[:, None]
    value, _ = rank_percentile(table, (9040,))

    np.testing.assert_array_equal(rank_percentile(table[order], (9040,))[0], value[:, order])
    twice, _ = rank_percentile(np.repeat(table[:, ::-1], 10, axis=0), (9040,))
    np.testing.assert_array_equal(twice, np.repeat(value, 10, axis=1))


@given(st.lists(CONCENTRATION, min_size=1, max_size=40), st.data())
def test_exceedances_of_any_split_of_a_year_add_up_to_those_of_the_whole(
    days: list[float], data: st.DataObject
):
    value, at = np.array(days), data.draw(st.integers(0, len(days)))
    parts = [int(exceedances(part, 50).sum()) for part in (value[:at], value[at:])]

    assert sum(parts) == exceedances(value, 50).sum()


@pytest.mark.parametrize("days", [365, 366])
@pytest.mark.parametrize("limit", [one for one in LIMITS if one.allowed], ids=lambda one: one.name)
def test_a_percentile_of_a_complete_year_is_the_highest_value_that_must_not_exceed(
    limit: Limit, days: int
):
    parts = days * (24 if limit.window is Window.HOUR else 1)

    assert parts - rank(parts, limit.percentile) == limit.allowed


def test_the_equivalents_of_18_days_3_hours_18_hours_and_25_days():
    assert [round(100 * (1 - k / n), 3) for k, n in ((18, 365), (3, 8760), (18, 8760), (25, 365))] \
        == [95.068, 99.966, 99.795, 93.151]  # fmt: skip
    assert {9510, 9997, 9979, 9315, 9040} <= {percentile for *_, percentile in STATISTICS}


@given(
    st.one_of(st.floats(0, 100), st.just(NAN)), st.floats(0, 1), st.sampled_from([10, 20, 40]),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_means_against_a_limit_as_the_plain_rule_says(
    mean: float, share: float, limit: int, captured: bool, still_open: bool
):
    least = 0.0 if np.isnan(mean) else mean * share
    found = mean_verdict(
        np.array([mean]), np.array([least]), limit, np.array([captured]), still_open=still_open
    )

    assert found.tolist() == [oracle.mean_verdict(mean, least, limit, captured, still_open)]


@given(st.lists(st.integers(0, 5), max_size=20))
def test_an_indicative_instrument_proves_nothing(verdicts: list[int]):
    weaker = unproven(np.array(verdicts, np.int64)).tolist()

    assert not {Verdict.CERTAIN, Verdict.RESPECTED} & set(weaker)
    assert [Verdict.SO_FAR in (a, b) for a, b in zip(verdicts, weaker, strict=True)] == [
        verdict == Verdict.SO_FAR for verdict in verdicts
    ]


def test_every_limit_of_the_directives_and_of_the_guidelines_is_in_the_table():
    def of(law: Law) -> dict[str, tuple[float, int]]:
        return {
            f"{one.pollutant} {one.window} {one.aim}": (one.value, one.allowed)
            for one in LIMITS
            if one.law is law
        }

    assert of(Law.EU_2008) == {
        "no2 hour health": (200, 18), "no2 year health": (40, 0), "nox year vegetation": (30, 0),
        "so2 hour health": (350, 24), "so2 day health": (125, 3), "so2 year vegetation": (20, 0),
        "pm10 day health": (50, 35), "pm10 year health": (40, 0), "pm25 year health": (25, 0),
        "co 8h health": (10, 0), "o3 8h health": (120, 25), "o3 8h long_term": (120, 0),
    }  # fmt: skip
    assert of(Law.EU_2030) == {
        "no2 hour health": (200, 3), "no2 day health": (50, 18), "no2 year health": (20, 0),
        "so2 hour health": (350, 3), "so2 day health": (50, 18), "so2 year health": (20, 0),
        "pm10 day health": (45, 18), "pm10 year health": (20, 0), "pm25 day health": (25, 18),
        "pm25 year health": (10, 0), "co 8h health": (10, 0), "co day health": (4, 18),
        "o3 8h health": (120, 18), "o3 8h long_term": (100, 3),
    }  # fmt: skip
    assert of(Law.WHO_2021) == {
        "no2 hour health": (200, 0), "no2 day health": (25, 3), "no2 year health": (10, 0),
        "so2 day health": (40, 3), "pm10 day health": (45, 3), "pm10 year health": (15, 0),
        "pm25 day health": (15, 3), "pm25 year health": (5, 0), "co day health": (4, 3),
        "o3 8h health": (100, 3), "o3 season health": (60, 0),
    }  # fmt: skip
    assert {one.since for one in LIMITS if one.law is Law.EU_2030} == {2030, 2050}


def test_every_verdict_has_its_word_and_one_for_limits_not_yet_in_force():
    assert len(VERDICT_WORDS) == 2 * len(Verdict) == 2 * AHEAD
    assert VERDICT_WORDS[Verdict.CERTAIN] == "exceeded for certain"
    assert VERDICT_WORDS[Verdict.CERTAIN + AHEAD] == "exceeded for certain, not yet in force"


def few_and_many(width: int) -> list[np.ndarray]:
    return [np.random.default_rng(1).random((n, width)) * 100 for n in (10, 10_000)]


def test_kernels_make_as_many_calls_for_10_series_as_for_10_000():
    few, many = few_and_many(40)

    def judge(table: np.ndarray) -> None:
        count = exceedances(table, 50).sum(axis=-1)
        due = np.full(len(table), 40)
        count_verdict(count, due, 40, 3, enough(due, 40), still_open=False)
        rank_percentile(table, (9040, 9510))
        mean = table.mean(axis=-1)
        unproven(mean_verdict(mean, mean, 40, enough(due, 40), still_open=False))

    assert calls(judge, few) == calls(judge, many)
