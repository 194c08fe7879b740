"""Limits as lines across a course, and classes as words and colours."""

from dashboards.grafana.pages.air_pollutants import limit_steps, limit_words, limits_of
from dashboards.grafana.pages.air_words import ATMO, EAQI, LEVELS, VERDICTS
from storage.indicators.limits import Window


def lines(pollutant, window):
    return [(step.value, step.color) for step in limit_steps(limits_of(pollutant, (window,)))]


def test_lines_of_pm10_are_50_now_and_45_from_2030():
    assert lines("pm10", Window.DAY) == [(None, "transparent"), (45, "orange"), (50, "red")]


def test_where_three_laws_say_200_the_one_in_force_colours_the_line():
    assert lines("no2", Window.HOUR) == [(None, "transparent"), (200, "red")]


def test_a_long_term_objective_of_100_is_no_limit_of_health_but_that_of_the_who_is():
    assert lines("o3", Window.EIGHT_HOURS) == [(None, "transparent"), (100, "blue"), (120, "red")]


def test_lines_say_of_what_law_they_are_and_how_often_they_may_be_passed():
    said = limit_words(limits_of("pm25", (Window.DAY,)), "fr")

    assert said == "25 (UE dès 2030 : 18 jours par an), 15 (OMS 2021 : 3 jours par an)"


def test_class_1_is_turquoise_and_class_6_purple_in_both_indices():
    for classes in (EAQI, ATMO):
        assert [one.value for one in classes] == [1, 2, 3, 4, 5, 6]
        assert (classes[0].color, classes[5].color) == ("#50F0E6", "#7D2181")
    assert (EAQI[3].label["de"], ATMO[3].label["fr"]) == ("schlecht", "mauvais")


def test_a_verdict_before_its_time_says_so_and_keeps_its_colour():
    exceeded, later = VERDICTS[4], VERDICTS[10]

    assert (exceeded.label["en"], exceeded.color) == ("exceeded", "red")
    assert (later.label["en"], later.color) == ("exceeded (to come)", "red")
    assert len(VERDICTS) == 12


def test_level_3_of_a_threshold_is_the_alert():
    assert (LEVELS[3].value, LEVELS[3].label["fr"]) == (3, "alerte")
