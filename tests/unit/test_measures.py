"""Measures as people write them: what is understood, and what is told of mistakes."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import numpy as np
import pytest

from beffroi.measures.chart import bars
from storage.evaluations import EXPLAINED, WORDS, Reason, Verdict
from storage.measures import COLUMNS, Daily, Direction, Effect, Scope, parse_measures
from storage.mistakes import MistakesError

ROOT = Path(__file__).parents[2]
TOML = """
[[measure]]
code = "zfe-2026"
title_fr = "Zone à faibles émissions"
objective = "NO2 below 40"
territory = "99001"
in_force = 2026-03-01
metric = "no2"
daily = "mean"
expected = "down"
touched_sites = ["mairie", "99002/quai"]
decision = "Délibération 2025-118"
"""
HEAD = (
    "code,title_fr,objective,territory,in_force,settled,metric,daily,expected,effect,"
    "touched_sensors,decision,min_days\n"
)
LINE = "bikes,Piste,More bikes,99001,2026-03-01,,bikes,total,up,percent,b-1; b-2,Arrêté 7,\n"


def mistakes(text: str, name: str = "m.toml") -> list[str]:
    with pytest.raises(MistakesError) as told:
        parse_measures(text, name)
    return str(told.value).splitlines()


def test_a_table_of_toml_is_a_measure():
    (one,) = parse_measures(TOML, "m.toml")

    assert (one.code, one.title, one.expected, one.daily) == (
        "zfe-2026", "Zone à faibles émissions", Direction.DOWN, Daily.MEAN,
    )  # fmt: skip
    assert (one.in_force, one.begins) == (datetime.date(2026, 3, 1), datetime.date(2026, 3, 1))
    assert (one.effect, one.comparison, one.min_days) == (Effect.ABSOLUTE, Scope.CITY, 28)
    assert one.placed(one.touched_sites) == ("99001/mairie", "99002/quai")


def test_a_line_of_csv_is_a_measure_and_a_cell_names_several():
    (one,) = parse_measures(HEAD + LINE, "m.csv")

    assert one.touched_sensors == ("b-1", "b-2")
    assert (one.effect, one.expected, one.daily) == (Effect.PERCENT, Direction.UP, Daily.TOTAL)
    assert (one.settled, one.min_days, one.comparison) == (None, 28, Scope.CITY)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('expected = "down"', 'expected = "less"', "m.toml:10: measure.expected: Input should be"),
        ('expected = "down"\n', "", "m.toml:2: measure.expected: is missing; add it"),
        ("2026-03-01", '"1 March"', "m.toml:7: measure.in_force: '1 March' is no day; write one"),
        ("2026-03-01", "20260301", "m.toml:7: measure.in_force: 20260301 is no day; write one"),
        ("2026-03-01", "2026-03-01T08:00:00", "2026-03-01 08:00:00 has a time of day; write a day"),
        ("metric", "metrik", "m.toml:8: measure.metrik: is not a known key"),
        ('daily = "mean"\n', "", "m.toml:2: indicator: is missing; name an indicator, or a metric"),
        ("title_fr", "contact", "m.toml:2: title_fr: is missing; give title_fr, title_en or"),
        ('daily = "mean"', 'daily = "mean"\nsettled = 2026-02-01',
         "m.toml:10: settled: 2026-02-01 lies before in_force, 2026-03-01"),
        ("in_force = 2026-03-01", "in_force = 0206-03-01",
         "m.toml:7: in_force: 0206-03-01 is no day to compare with; the year lies between 1990"),
        ('daily = "mean"', 'daily = "mean"\nends = 9999-12-31',
         "m.toml:10: ends: 9999-12-31 is no day to compare with"),
        ('daily = "mean"', 'daily = "mean"\nends = 2026-03-01',
         "m.toml:10: ends: 2026-03-01 is not after 2026-03-01"),
        ('daily = "mean"', 'daily = "mean"\nindicator = "air_day_mean"',
         "m.toml:9: daily: says how a metric's day counts"),
        ('daily = "mean"', 'daily = "mean"\ncomparison_sites = ["99002/quai"]',
         "m.toml:10: comparison_sites: 99002/quai cannot be touched and untouched"),
        ('daily = "mean"', 'daily = "mean"\ndecision_date = 2026-05-01',
         "m.toml:10: decision_date: 2026-05-01 lies after in_force"),
        ('daily = "mean"', 'daily = "mean"\nmin_days = 13', "m.toml:10: measure.min_days: Input"),
        ('daily = "mean"', 'daily = "mean"\ndecision_url = "ftp://x"',
         "m.toml:10: measure.decision_url: String should match"),
        ("[[measure]]", "[[measure]", "m.toml:2: this is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_toml_is_told_with_its_line_and_what_to_write(old: str, new: str, told: str):
    found = mistakes(TOML.replace(old, new))

    assert any(told in line for line in found), found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD.replace(",", ";") + LINE, "m.csv:1: the cells are separated by ';'"),
        (HEAD.replace(",decision", ",because") + LINE, "m.csv:1: column decision is missing"),
        (HEAD.replace(",decision", ",because") + LINE, "m.csv:1: column because is not known"),
        (HEAD + LINE + LINE, "m.csv:3: measure 'bikes' stands in line 2 already"),
        (HEAD + LINE.replace("up", "upwards"), "m.csv:2: expected: Input should be 'down' or 'up'"),
        (HEAD + LINE.replace("2026-03-01", "01/03/2026"), "m.csv:2: in_force: '01/03/2026' is no"),
        (HEAD + LINE.replace("\n", ",more\n"), "m.csv:2: has more cells than the header"),
        (HEAD + LINE.replace("Piste", "Pi\0ste"), "m.csv:2: holds a NUL character"),
        (HEAD + LINE.replace("Piste", ""), "m.csv:2: title_fr: is missing"),
    ],
)
def test_a_mistake_in_csv_is_told_with_its_line(text: str, told: str):
    found = mistakes(text, "m.csv")

    assert any(told in line for line in found), found


def test_a_code_that_stands_there_twice_is_told():
    assert mistakes(TOML + TOML) == ["m.toml:15: measure 'zfe-2026' stands in line 3 already"]


def test_the_example_of_the_read_me_is_a_measure_and_every_key_is_explained():
    text = (ROOT / "beffroi/measures/README.md").read_text()
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert found

    assert parse_measures(found[1], "README.toml")[0].code == "zfe-2026"
    assert [key for key in COLUMNS if f"`{key}`" not in text] == []


def test_the_example_of_before_and_after_runs():
    text = (ROOT / "processors/evaluation/README.md").read_text()
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found

    exec(found[1], {})
    assert [
        reason for reason in Reason if reason is not Reason.CLEAR and f"`{reason}`" not in text
    ] == []


def test_every_verdict_has_words_in_three_languages_and_every_reason_a_sentence():
    assert {verdict: set(words) for verdict, words in WORDS.items()} == {
        verdict: {"fr", "en", "de"} for verdict in Verdict
    }
    assert set(EXPLAINED) == set(Reason)


def test_a_chart_of_two_years_fits_and_no_column_mixes_before_and_after():
    day = np.datetime64("2024-01-01") + np.arange(700)
    lines = bars(np.where(day < day[301], 1.0, -1.0), day, day[301], width=60)

    assert len(lines) == 10
    axis = lines[4]
    assert len(axis.split("┤")[1]) <= 60
    before, after = lines[0].split("┤")[1].split("│")
    assert set(before) == {"█"}
    assert set(after) == {" "}
    assert lines[-1].strip() == "2024-01-01 to 2025-11-30, a column every 13 days"


def test_a_chart_of_nothing_is_empty_and_days_without_a_value_have_no_axis():
    day = np.datetime64("2024-01-01") + np.arange(4)
    assert bars(np.full(4, np.nan), day, day[2]) == []

    lines = bars(np.array([2.0, np.nan, 0.0, 2.0]), day, day[2])
    assert lines[4].endswith("┤─ ┼──")
    assert lines[0].endswith("┤█ │ █")
