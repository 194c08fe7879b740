"""What alerts say, and what a city may say of them."""

from __future__ import annotations

import datetime

import pytest

from storage.alerts import LANGUAGES, Alert, AlertKind, to_do, what
from storage.city import parse
from storage.mistakes import MistakesError

TOML = """
[city]
name = "Beffroi"
timezone = "Europe/Paris"
[[territory]]
code = "99001"
name = "Beffroi-le-Vieux"
"""
CSV = "territory,site,site_name,sensor,metric,step_s\n99001,a,A,s1,no2,600\n"


def alert(kind: AlertKind, value: float | None, reference: float | None) -> Alert:
    since = datetime.datetime(2026, 7, 1, 22, 30, tzinfo=datetime.UTC)
    labels = {"fr": "Température", "en": "Temperature", "de": "Temperatur"}
    return Alert(
        1, kind, since, since, None, value, reference, "Cel", 7, "t-1", "t", "temperature", "a", "A",
        "99001", "Europe/Paris", labels,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "reference", "said"),
    [
        (AlertKind.SILENCE, 2400.0, 600.0, "Temperature: no reading since 2026-07-02 00:30 (one every 10 min expected)"),
        (AlertKind.STUCK, 21.5, 12.0, "Temperature: always 21.5 Cel since 2026-07-02 00:30"),
        (AlertKind.DRIFT, -2.25, 0.3, "Temperature: goes away from its neighbours, -2.25 Cel in four weeks (from 2026-07-02 to the alert)"),
        (AlertKind.JUMP, 27.0, 21.0, "Temperature: another level since 2026-07-02, 27 Cel instead of 21 Cel"),
    ],
)  # fmt: skip
def test_an_alert_says_what_is_the_matter(
    kind: AlertKind, value: float, reference: float, said: str
):
    assert what(alert(kind, value, reference)) == said


def test_every_kind_says_what_and_what_to_do_in_three_languages():
    for kind in AlertKind:
        for number in (None, 3.0):
            told = {what(alert(kind, number, number), language) for language in LANGUAGES}
            assert len(told) == 3
            assert all("{" not in one and "nan" not in one for one in told)
        assert len({to_do(kind, language) for language in LANGUAGES}) == 3
        assert all("beffroi " in to_do(kind, language) for language in LANGUAGES)


def test_what_a_city_says_of_watching_is_taken_and_the_rest_stays():
    facts = parse(TOML + '[watch]\nunusual = 8\ncomparable = ["no2"]\n', CSV).facts

    assert facts.model_fields_set == {"watch"}
    assert (facts.watch.unusual, facts.watch.silence_steps) == (8, 4)
    assert facts.watch.comparable == ("no2",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("silence_steps = 1", "greater than or equal to 2"),
        ("profile_weeks = 2", "greater than or equal to 4"),
        ("silence = 3", "silence"),
        ('comparable = ["vehicles"]', "comparable: vehicles is not of the air"),
        ('comparable = ["no22"]', "metric 'no22' is unknown; known are no2"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(line: str, said: str):
    with pytest.raises(MistakesError) as error:
        parse(TOML + "[watch]\n" + line + "\n", CSV)

    assert said in str(error.value)
    assert ":9" in str(error.value)
