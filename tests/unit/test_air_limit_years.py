"""Years of hours through the calculations of limits: recorded ones, and what a law-giver asks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.air.limit_calculations import AIR_LIMITS
from processors.calculation import Calculation
from storage.figures import Figures, figures, join
from storage.indicators.catalogue import INDICATORS
from storage.indicators.limits import AHEAD, LIMITS, VERDICT_WORDS, Verdict
from storage.indicators.word import Status
from tests.unit.air_given import LATER, roster_of
from tests.unit.air_given import given as given_hours
from tests.unit.python_calls import calls

NAN = np.nan
YEARLY, TARGETS = AIR_LIMITS
REFERENCE: dict[str, object] = {"reference": ["station*"]}
NEW_YEAR = "2021-12-31T23:00"  # of 2022 at the regulator's offset
COLUMNS = {"no2": "no2", "o3": "o3", "so2": "so2", "pm10": "pm10", "pm25": "pm2.5", "co": "co"}


def of_year(
    metric: str,
    hours: np.ndarray | list[float],
    *,
    sensor: str = "station",
    start: str = NEW_YEAR,
    air: dict[str, object] | None = None,
    now: np.datetime64 = LATER,
) -> dict[str, Figures]:
    """Figures of the first year of one series, by indicator."""  # fmt: skip
    roster = roster_of([(metric, sensor, "site")])
    table = np.array([hours], np.float64)
    made = YEARLY.compute(given_hours(YEARLY, roster, start, table, air=air or REFERENCE, now=now))
    first = made.take(made.start == made.start.min()) if len(made) else made
    return {
        INDICATORS[k].name: first.take(first.indicator == k) for k in np.unique(first.indicator)
    }


def days_of(*runs: tuple[int, float]) -> np.ndarray:
    """Hours of so many days each at one level."""
    return np.concatenate([np.full(days * 24, level) for days, level in runs])


def word(figure: Figures) -> str:
    (code,) = figure.code.tolist()
    return VERDICT_WORDS[code]


@pytest.fixture(scope="module")
def valencia(shared: Path) -> dict[str, dict[str, Figures]]:
    """Figures of the recorded year, by pollutant, in the clock of the file."""
    file = shared / "data/valencia-air-2022/air_quality_valencia_2022.csv"
    table = pd.read_csv(file, parse_dates=["datetime"]).set_index("datetime")
    table = table.reindex(pd.date_range("2022-01-01", "2022-12-31 23:00", freq="h"))
    air: dict[str, object] = {"reference": ["*"], "day_offset_h": 0}
    return {
        name: of_year(name, table[column].to_numpy(np.float64), start="2022-01-01", air=air)
        for name, column in COLUMNS.items()
    }


@pytest.mark.parametrize(
    ("name", "pollutant", "key"),
    [
        ("eu2008_no2_hour", "no2", "hours_over_200"),
        ("eu2030_no2_day", "no2", "days_over_50_rounded"),
        ("eu2008_pm10_day", "pm10", "days_over_50_rounded"),
        ("eu2030_pm10_day", "pm10", "days_over_45_rounded"),
        ("eu2030_pm25_day", "pm25", "days_over_25_rounded"),
        ("eu2008_o3_8h_long_term", "o3", "mda8_days_over_120"),
        ("eu2030_o3_8h_long_term", "o3", "mda8_days_over_100"),
        ("who2021_o3_8h", "o3", "mda8_days_over_100"),
        ("o3_days_over_120", "o3", "mda8_days_over_120"),
    ],
)
def test_a_recorded_year_has_as_many_exceedances_as_counted_from_the_file(
    valencia: dict[str, dict[str, Figures]], shared: Path, name: str, pollutant: str, key: str
):
    told = json.loads((shared / "data/expected.json").read_text())["valencia_2022"]

    assert valencia[pollutant][name].value.tolist() == [told[COLUMNS[pollutant]][key]]


@pytest.mark.parametrize("pollutant", ["no2", "o3", "so2", "pm10", "pm25"])
def test_a_recorded_year_has_the_mean_and_capture_of_the_file(
    valencia: dict[str, dict[str, Figures]], shared: Path, pollutant: str
):
    told = json.loads((shared / "data/expected.json").read_text())["valencia_2022"]
    told = told[COLUMNS[pollutant]]
    figure = valencia[pollutant]["air_year_mean"]

    assert round(float(figure.value[0]), 4) == told["annual_mean"]
    assert (figure.n[0], figure.due[0]) == (told["valid_hours"], 8760)
    assert round(100 * figure.n[0] / figure.due[0], 3) == told["capture_pct"]


def test_what_a_recorded_year_proves(valencia: dict[str, dict[str, Figures]]):
    said = {name: word(one) for of in valencia.values() for name, one in of.items() if "_" in name
            and name.startswith(("eu", "who"))}  # fmt: skip
    pm10 = valencia["pm10"]["eu2008_pm10_day"]

    # 14 days above 50 of 345, and 20 missing: at most 34.
    assert (pm10.low[0], pm10.high[0], pm10.n[0], pm10.due[0]) == (14, 34, 345, 365)
    assert said["eu2008_pm10_day"] == "respected"
    assert said["eu2030_pm10_day"] == "exceeded for certain, not yet in force"  # 22 of 18
    assert said["eu2030_pm25_day"] == "respected as measured, not yet in force"
    assert said["eu2008_no2_hour"] == "respected as measured"  # 36 hours missing
    assert said["who2021_pm25_year"] == "exceeded for certain"
    assert valencia["co"]["eu2008_co_8h"].value.tolist() == [0]
    assert valencia["pm10"]["pm10_day_p90_4"].value[0] <= 50
    assert valencia["pm10"]["pm10_day_p95_1"].value[0] > 45


def test_18_hours_above_200_count_for_2008_and_not_for_2030():
    hours = np.full(8760, 30.0)
    hours[100:118], hours[200:210] = 201.0, 200.4
    found = of_year("no2", hours)

    assert found["eu2008_no2_hour"].value.tolist() == [18]
    assert word(found["eu2008_no2_hour"]) == "respected"
    assert word(found["eu2030_no2_hour"]) == "exceeded for certain, not yet in force"
    assert found["no2_hour_p99_79"].value.tolist() == [200.4]
    assert found["no2_hour_p99_97"].value.tolist() == [201.0]


def test_days_of_45_6_count_from_2030_on_and_not_before():
    found = of_year("pm10", days_of((19, 45.6), (346, 20.0)))

    assert found["eu2008_pm10_day"].value.tolist() == [0]
    assert found["eu2030_pm10_day"].value.tolist() == [19]
    in_2031 = of_year(
        "pm10", days_of((19, 45.6), (346, 20.0)), start="2030-12-31T23:00",
        now=np.datetime64("2033-01-01"),
    )  # fmt: skip
    assert word(in_2031["eu2030_pm10_day"]) == "exceeded for certain"
    assert "eu2008_pm10_day" not in in_2031


def test_40_measured_days_of_which_36_exceed_are_certain_and_their_mean_is_unknown():
    found = of_year("pm10", days_of((36, 80.0), (4, 20.0)))

    assert word(found["eu2008_pm10_day"]) == "exceeded for certain"
    assert found["eu2008_pm10_day"].status.tolist() == [Status.PARTIAL]
    assert np.isnan(found["air_year_mean"].value).all()
    assert found["air_year_mean"].status.tolist() == [Status.INSUFFICIENT]
    assert word(found["eu2008_pm10_year"]) == "exceedance possible"
    assert np.isnan(found["pm10_day_p90_4"].value).all()


def test_an_open_year_has_no_missing_days_to_come():
    january = days_of((31, 80.0))
    then = np.datetime64("2022-01-31T23:00", "us")
    found = of_year("pm10", january, now=then)

    assert (found["eu2008_pm10_day"].n[0], found["eu2008_pm10_day"].due[0]) == (31, 31)
    assert word(found["eu2008_pm10_day"]) == "not exceeded so far"
    assert word(found["eu2008_pm10_year"]) == "exceedance possible"
    assert found["eu2008_pm10_day"].provisional.tolist() == [True]
    five_more = of_year("pm10", days_of((36, 80.0)), now=then + np.timedelta64(5, "D"))
    assert word(five_more["eu2008_pm10_day"]) == "exceeded for certain"
    half_a_day = of_year("pm10", days_of((36, 80.0)), now=then + np.timedelta64(20, "h"))
    assert half_a_day["eu2008_pm10_day"].n.tolist() == [31]


def test_no_hour_that_is_still_open_is_counted():
    hours = np.full(60, 250.0)

    found = of_year("no2", hours, now=np.datetime64("2022-01-01T20:30", "us"))
    assert found["eu2008_no2_hour"].value.tolist() == [21]


@pytest.mark.parametrize(
    ("hours", "year", "status"),
    [
        (7884, "2022", Status.COMPLETE),  # 90 %
        (7883, "2022", Status.PARTIAL),
        (7446, "2022", Status.PARTIAL),  # 85 %
        (7445, "2022", Status.INSUFFICIENT),
        (7446, "2027", Status.COMPLETE),
    ],
)
def test_an_annual_mean_needs_90_percent_until_2026_and_85_from_then_on(
    hours: int, year: str, status: Status
):
    start = f"{int(year) - 1}-12-31T23:00"
    found = of_year("no2", np.r_[np.full(hours, 20.0), np.full(8760 - hours, NAN)], start=start)

    assert found["air_year_mean"].status.tolist() == [status]
    assert np.isnan(found["air_year_mean"].value[0]) == (status is Status.INSUFFICIENT)


def test_ozone_needs_75_percent_of_summer_and_of_winter():
    hours = np.full(8760, 60.0)
    found = of_year("o3", hours)
    assert found["air_year_mean"].value.tolist() == [60.0]

    hours[2160 : 2160 + 1099] = NAN  # of 4392 hours of summer 3293 are left
    assert np.isnan(of_year("o3", hours)["air_year_mean"].value).all()
    hours[2160 + 1098] = 60.0
    assert of_year("o3", hours)["air_year_mean"].value.tolist() == [60.0]


def test_years_begin_an_hour_before_those_of_utc():
    hours = np.full(48, NAN)
    hours[24] = 300.0  # 23:00 UTC of the last day is the new year's first hour
    roster = roster_of([("no2", "station", "site")])
    made = YEARLY.compute(
        given_hours(YEARLY, roster, "2021-12-30T23:00", hours[None], air=REFERENCE)
    ).of("eu2008_no2_hour")

    assert made.start.astype(str).tolist() == ["2021-12-31T23:00:00.000000"]
    assert made.value.tolist() == [1]


@pytest.mark.parametrize("midnight", ["2022-03-26T23", "2022-06-30T23", "2022-10-29T23"])
def test_days_of_the_law_have_24_hours_in_summer_and_where_the_clock_changes(midnight: str):
    # Days on the wall end an hour earlier in summer and on the day of 23 hours: of the last 18
    # hours of the regulator's day they have 17.
    def counted(first: int, hours: int) -> list[tuple[float, int]]:
        table = np.full((1, 24), NAN)
        table[0, first : first + hours] = 80.0
        roster = roster_of([("pm10", "station", "site")])
        what = given_hours(YEARLY, roster, midnight, table, air=REFERENCE)
        made = YEARLY.compute(what).of("eu2008_pm10_day")
        return list(zip(made.value.tolist(), made.n.tolist(), strict=True))

    assert [counted(first, 18) for first in (0, 6)] == [[(1.0, 1)], [(1.0, 1)]]
    assert counted(7, 17) == []


def test_a_limit_of_the_citys_own_is_counted_with_its_own_digits():
    air = {
        "limit": [
            {"pollutant": "no2", "window": "day", "over": 25.5, "allowed": 2, "since": 2023},
            {"pollutant": "no2", "window": "year", "over": 30},
        ],
        **REFERENCE,
    }
    found = of_year("no2", days_of((2, 25.54), (3, 25.56), (360, 20.0)), air=air)

    assert found["own_days_over"].value.tolist() == [3]
    assert word(found["own_days_over"]) == "exceeded for certain, not yet in force"
    assert word(found["own_year_mean"]) == "respected"
    assert "own_hours_over" not in found


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["no2", "o3", "pm10", "co"]), st.integers(0, 9999), st.booleans())
def test_of_an_indicative_instrument_all_is_marked_and_nothing_certain(
    pollutant: str, seed: int, low_cost: bool
):
    random = np.random.default_rng(seed)
    hours = random.gamma(2, 60, 24 * 60)
    found = of_year(pollutant, hours, sensor="cheap-1" if low_cost else "station-1")
    marks = {bool(mark) for one in found.values() for mark in one.indicative}
    verdicts = {
        int(code) % AHEAD
        for name, one in found.items()
        for code in one.code
        if name in {limit.name for limit in LIMITS}
    }

    assert marks == {low_cost}
    assert not low_cost or not verdicts & {Verdict.CERTAIN, Verdict.RESPECTED}


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(4)), st.integers(0, 9999))
def test_a_count_is_of_one_series_whoever_stands_beside_it(order: list[int], seed: int):
    hours = np.random.default_rng(seed).gamma(3, 20, (4, 24 * 40))
    lines = [("pm10", "station-1", "a"), ("pm10", "cheap-1", "a"), ("pm10", "cheap-2", "a"),
             ("no2", "station-1", "a")]  # fmt: skip

    def counted(chosen: list[int]) -> dict[tuple[str, int], tuple[float, int, bool]]:
        roster = roster_of([lines[k] for k in chosen])
        made = YEARLY.compute(given_hours(YEARLY, roster, NEW_YEAR, hours[chosen], air=REFERENCE))
        return {
            (INDICATORS[i].name, chosen[s - 1]): (float(v), int(c), bool(m))
            for i, s, v, c, m in zip(
                made.indicator, made.subject, np.nan_to_num(made.value, nan=-1.0), made.code,
                made.indicative, strict=True,
            )
        }  # fmt: skip

    together = counted(order)
    alone: dict[tuple[str, int], tuple[float, int, bool]] = {}
    for k in range(4):
        alone |= counted([k])
    assert together == alone


def yearly(name: str, years: dict[int, tuple[float, Status]]) -> Figures:
    parts = []
    for year, (value, status) in years.items():
        edges = np.array([f"{year - 1}-12-31T23", f"{year}-12-31T23"], "datetime64[us]")
        parts.append(
            figures(name, np.array([1], np.int32), edges, [[value]], now=LATER, status=status, n=1)
        )
    return join(parts)


def target(
    known: Figures, year: int, now: np.datetime64 = LATER, sensor: str = "station"
) -> dict[str, Figures]:
    roster = roster_of([("o3", sensor, "site")])
    what = given_hours(
        TARGETS, roster, f"{year - 1}-12-31T23:00", np.full((1, 24), NAN), air=REFERENCE, now=now,
        figures=known,
    )  # fmt: skip
    made = TARGETS.compute(what)
    return {INDICATORS[k].name: made.take(made.indicator == k) for k in np.unique(made.indicator)}


WHOLE, SOME, NONE = Status.COMPLETE, Status.PARTIAL, Status.INSUFFICIENT


def test_20_31_and_22_days_respect_25_and_not_18():
    days = yearly("o3_days_over_120", {2020: (20, WHOLE), 2021: (31, WHOLE), 2022: (22, WHOLE)})
    found = target(days, 2022)

    assert found["eu2008_o3_8h"].value.round(2).tolist() == [24.33]
    assert word(found["eu2008_o3_8h"]) == "respected"
    assert word(found["eu2030_o3_8h"]) == "exceeded for certain, not yet in force"
    assert (found["eu2008_o3_8h"].n[0], found["eu2008_o3_8h"].due[0]) == (3, 3)


def test_one_valid_year_is_enough_to_compare_and_not_to_be_sure():
    days = yearly("o3_days_over_120", {2021: (9, SOME), 2022: (20, WHOLE)})
    found = target(days, 2022)["eu2008_o3_8h"]

    assert (found.value[0], found.low[0].round(2), found.n[0]) == (20.0, 9.67, 1)
    assert found.status.tolist() == [Status.PARTIAL]
    assert word(found) == "respected as measured"
    more = yearly("o3_days_over_120", {2021: (9, SOME), 2022: (30, WHOLE)})
    assert word(target(more, 2022)["eu2008_o3_8h"]) == "exceedance possible"
    far_more = yearly("o3_days_over_120", {2022: (77, SOME)})
    assert np.isnan(target(far_more, 2022)["eu2008_o3_8h"].value).all()
    assert word(target(far_more, 2022)["eu2008_o3_8h"]) == "exceeded for certain"


def test_aot40_needs_three_valid_years_of_five():
    years = {2018: (20_000.0, WHOLE), 2020: (17_000.0, WHOLE), 2022: (19_000.0, WHOLE)}
    name = "eu2008_o3_aot40_vegetation"
    found = target(yearly("o3_aot40", years), 2022)[name]

    assert (found.value.round(1).tolist(), found.n.tolist()) == ([18666.7], [3])
    assert word(found) == "exceedance possible"
    del years[2018]
    assert np.isnan(target(yearly("o3_aot40", years), 2022)[name].value).all()


def test_a_year_of_which_nothing_is_known_has_no_mean_of_three():
    days = yearly("o3_days_over_120", {2021: (9, WHOLE)})

    assert target(days, 2022) == {}
    open_year = yearly("o3_days_over_120", {2020: (40, WHOLE), 2021: (40, WHOLE), 2022: (3, WHOLE)})
    early = target(open_year, 2022, now=np.datetime64("2022-06-01", "us"))
    assert word(early["eu2008_o3_8h"]) == "exceeded for certain"
    cheap = target(open_year, 2022, sensor="cheap")["eu2008_o3_8h"]
    assert (word(cheap), cheap.indicative.tolist()) == ("exceedance possible", [True])


def test_nothing_measured_makes_no_figure():
    assert of_year("no2", np.full(100, NAN)) == {}


def python_calls_of(one: Calculation, series: int) -> int:
    roster = roster_of([("o3", f"s{k}", "site") for k in range(series)])
    hours = np.random.default_rng(1).random((series, 48)) * 100
    days = yearly("o3_days_over_120", {2022: (20, WHOLE)})
    return calls(
        one.compute,
        given_hours(one, roster, NEW_YEAR, hours, air={"reference": ["*"]}, figures=days),
    )


@pytest.mark.parametrize("one", AIR_LIMITS, ids=lambda one: one.name)
def test_a_calculation_makes_as_many_calls_for_10_series_as_for_100(one: Calculation):
    # Only the patterns of sensors are matched name by name, five calls each.
    assert python_calls_of(one, 100) - python_calls_of(one, 10) <= 90 * 5
