"""Numbers of the page of air quality, on a few literal figures."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dashboards.grafana.pages.air import AIR
from storage.indicators.air import INDEX_POLLUTANTS
from storage.indicators.limits import VERDICT_WORDS
from tests.grafana.asked_panels import (
    NOW,
    asked,
    color,
    figure,
    hours,
    number,
    panel_of,
    place,
    read_everything,
    series,
    window,
    word,
)

NEW_YEAR = datetime(2025, 12, 31, 23, tzinfo=UTC)
"""Of 2026 at the regulator's offset."""
A_YEAR, A_DAY = timedelta(days=365), timedelta(days=1)
TODAY = datetime(2026, 3, 11, 23, tzinfo=UTC)
ELEVEN = datetime(2026, 3, 12, 9, tzinfo=UTC)
CERTAIN, SO_FAR = (
    VERDICT_WORDS.index("exceeded for certain"),
    VERDICT_WORDS.index("not exceeded so far"),
)


def dominant(*pollutants: str) -> int:
    return sum(1 << INDEX_POLLUTANTS.index(one) for one in pollutants)


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    read_everything(connection)
    return connection


def test_19_hours_where_18_are_allowed_turn_red_and_17_do_not(city: psycopg.Connection):
    site = place(city, "gare")
    for sensor, value, verdict in (("no2-a", 19, CERTAIN), ("no2-b", 17, SO_FAR)):
        one = series(city, site, sensor, "no2")
        figure(
            city, "eu2008_no2_hour", one, NEW_YEAR, value, code=verdict, lasts=A_YEAR,
            provisional=True, n=876, due=1752,
        )  # fmt: skip
    title = "Exceedances of the year: EU (2008/50/EC)"
    over, under = asked(city, AIR, title)
    columns = panel_of(AIR, title).columns

    assert (over["sensor"], over["value"], over["allowed"], over["still"]) == ("no2-a", 19, 18, -1)
    assert word(columns["verdict"], over["verdict"]) == "exceeded"
    assert color(columns["still"], over["still"]) == "red"
    assert color(columns["share"], over["share"]) == "red"
    assert (over["known"], over["marks"]) == (50, "provisional")

    assert (under["sensor"], under["value"], under["still"]) == ("no2-b", 17, 1)
    assert word(columns["verdict"], under["verdict"], "de") == "bisher nicht überschritten"
    assert color(columns["still"], under["still"]) == "green"
    assert color(columns["share"], under["share"]) == "orange"
    assert number(city, AIR, "Limits exceeded") == 1


def test_exceedances_of_last_year_and_limits_not_in_force_do_not_count_as_exceeded(
    city: psycopg.Connection,
):
    one = series(city, place(city, "gare"), "no2-a", "no2")
    figure(city, "eu2008_no2_hour", one, NEW_YEAR - A_YEAR, 40, code=CERTAIN, lasts=A_YEAR)
    assert number(city, AIR, "Limits exceeded") is None

    figure(city, "eu2030_no2_hour", one, NEW_YEAR, 4, code=CERTAIN + 6, lasts=A_YEAR)
    assert number(city, AIR, "Limits exceeded") is None
    figure(city, "eu2008_no2_hour", one, NEW_YEAR, 4, code=SO_FAR, lasts=A_YEAR)
    assert number(city, AIR, "Limits exceeded") == 0
    (row,) = asked(city, AIR, "Exceedances of the year: EU from 2030")
    columns = panel_of(AIR, "Exceedances of the year: EU from 2030").columns
    assert word(columns["verdict"], row["verdict"]) == "exceeded (to come)"
    assert (row["value"], row["allowed"]) == (4, 3)


def test_an_annual_mean_of_42_is_105_percent_of_the_limit_of_40(city: psycopg.Connection):
    one = series(city, place(city, "gare"), "no2-a", "no2")
    figure(city, "eu2008_no2_year", one, NEW_YEAR, 42, code=CERTAIN, lasts=A_YEAR)
    (row,) = asked(city, AIR, "Means of the year and limits")

    assert (row["value"], row["allowed"], row["share"]) == (42, 40, 105)
    share = panel_of(AIR, "Means of the year and limits").columns["share"]
    assert (color(share, 105), color(share, 100), color(share, 79)) == ("red", "orange", "green")


def test_the_class_now_says_where_since_when_and_because_of_what(city: psycopg.Connection):
    street, park, dumb = (place(city, name) for name in ("rue", "parc", "quai"))
    for site, sensor in ((street, "a"), (park, "b"), (dumb, "c")):
        series(city, site, sensor, "pm25")
    for back, value in ((5, 4), (4, 2), (3, 4), (2, 4), (1, 4)):
        figure(
            city, "eaqi", street, ELEVEN - hours(back), value, code=dominant("no2", "pm25"),
            indicative=True, n=3, due=3,
        )  # fmt: skip
    figure(city, "eaqi", street, ELEVEN, None)  # nothing is known of this hour yet
    figure(city, "eaqi", park, ELEVEN - hours(1), 2)
    figure(city, "eaqi", dumb, ELEVEN - hours(9), 6)  # too old to be now

    assert number(city, AIR, "Worst class now") == 4
    assert word(panel_of(AIR, "Worst class now"), 4, "fr") == "mauvais"
    assert number(city, AIR, "Sites with poor air") == 1
    rows = {row["site"]: row for row in asked(city, AIR, "Sites, the worst first")}
    assert rows["rue"]["class"] == 4
    assert rows["rue"]["since"] == ELEVEN - hours(3)
    assert rows["rue"]["dominant"] == "Nitrogen dioxide (NO₂), Fine particles PM2.5"
    assert rows["rue"]["marks"] == "indicative"
    assert rows["parc"]["class"] == 2
    on_the_map = {row["site"]: row["value"] for row in asked(city, AIR, "Map of the index")}
    assert on_the_map == {"rue": 4, "parc": 2, "quai": None}


def test_without_any_index_nothing_is_called_0(city: psycopg.Connection):
    series(city, place(city, "rue"), "a", "pm25")

    assert number(city, AIR, "Worst class now") is None
    assert number(city, AIR, "Sites with poor air") is None
    assert number(city, AIR, "Thresholds passed") is None
    assert [row["class"] for row in asked(city, AIR, "Sites, the worst first")] == [None]


def test_an_alert_threshold_passed_today_is_one_sensor_to_act_upon(city: psycopg.Connection):
    site = place(city, "rue")
    ozone, calm = series(city, site, "a", "o3"), series(city, site, "b", "o3")
    figure(city, "threshold_fr", ozone, TODAY, 3, code=3, lasts=A_DAY)
    figure(city, "threshold_eu", ozone, TODAY, 1, code=1, lasts=A_DAY)
    figure(city, "threshold_fr", calm, TODAY, 0, lasts=A_DAY)

    assert number(city, AIR, "Thresholds passed") == 1
    title = "Thresholds passed by measurement"
    told = [(row["sensor"], row["law"], row["level"]) for row in asked(city, AIR, title)]
    assert told == [("a", "France", 3), ("a", "Europe", 1)]
    assert word(panel_of(AIR, title).columns["level"], 3, "de") == "Alarm"
    city.execute("UPDATE air.figure SET value = 0")
    assert number(city, AIR, "Thresholds passed") == 0
    assert asked(city, AIR, title) == []


def test_the_worst_captured_sensor_is_first_and_one_never_heard_before_it(
    city: psycopg.Connection,
):
    site = place(city, "rue")
    good, poor, _ = (series(city, site, name, "no2") for name in ("good", "poor", "never"))
    for back, share in ((0, 50), (1, 70)):
        figure(city, "air_coverage", poor, TODAY - back * A_DAY, share, lasts=A_DAY)
        figure(city, "air_coverage", good, TODAY - back * A_DAY, 99, lasts=A_DAY)
    rows = asked(city, AIR, "Capture by sensor, the lowest first", span=7 * A_DAY)

    assert [(row["sensor"], row["coverage"], row["newest"]) for row in rows] == [
        ("never", None, None), ("poor", 60, 50), ("good", 99, 99),
    ]  # fmt: skip
    column = panel_of(AIR, "Capture by sensor, the lowest first").columns["coverage"]
    assert (color(column, 60), color(column, 99)) == ("red", "green")


def test_corrected_particles_stand_beside_what_the_sensor_sent(city: psycopg.Connection):
    box = series(city, place(city, "rue"), "box", "pm25")
    figure(city, "pm_corrected", box, ELEVEN, 12.5, indicative=True)
    window(city, "air", box, ELEVEN, 100.0)
    panel = "Low-cost fine particles: corrected and raw (indicative)"

    assert [(row["metric"], row["value"]) for row in asked(city, AIR, panel)] == [
        ("Rue · box · corrected", 12.5), ("Rue · box · raw", 25.0),
    ]  # fmt: skip
    assert [row["metric"] for row in asked(city, AIR, panel, language="fr")] == [
        "Rue · box · brut", "Rue · box · corrigé",
    ]  # fmt: skip


def test_of_13_sensors_the_12_highest_are_drawn(city: psycopg.Connection):
    site = place(city, "rue")
    for rank in range(13):
        one = series(city, site, f"s{rank:02}", "no2", step_s=3600)
        window(city, "air", one, ELEVEN, 4.0 * rank)
    rows = asked(city, AIR, "Nitrogen dioxide (NO₂)")

    assert {row["metric"] for row in rows} == {f"Rue · s{rank:02}" for rank in range(1, 13)}
    assert max(row["value"] for row in rows) == 12


def test_every_chosen_metric_is_drawn_before_a_second_sensor_of_any(city: psycopg.Connection):
    site = place(city, "rue")
    for rank in range(20):
        window(city, "air", series(city, site, f"n{rank:02}", "noise_level"), ELEVEN, 4e6)
    window(city, "air", series(city, site, "rain", "rain"), ELEVEN, 1.5)
    rows = asked(city, AIR, "Chosen metrics", span=7 * A_DAY, now=NOW)

    assert len(rows) == 12
    assert {"time": ELEVEN, "metric": "Rue · rain · Rain [mm]", "value": 1.5} in rows


def test_a_year_shows_the_worst_hour_of_each_local_day(city: psycopg.Connection):
    site = place(city, "rue")
    series(city, site, "a", "no2")
    figure(city, "atmo_site", site, TODAY, 3, lasts=A_DAY)
    for at, value in ((TODAY - hours(1), 5), (TODAY, 2), (TODAY + hours(3), 4)):
        figure(city, "eaqi", site, at, value)

    rows = asked(city, AIR, "European index by site", span=timedelta(days=365))
    assert [(row["time"], row["value"]) for row in rows] == [(TODAY - A_DAY, 5), (TODAY, 4)]
