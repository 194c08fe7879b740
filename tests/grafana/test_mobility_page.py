"""Numbers of the mobility review, on a few literal windows and figures."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dashboards.grafana.pages.mobility import MOBILITY
from tests.grafana.asked_panels import (
    NOW,
    alert,
    asked,
    color,
    figure,
    hours,
    panel_of,
    place,
    processed,
    read_everything,
    series,
    window,
    word,
)

EIGHT = datetime(2026, 3, 12, 7, tzinfo=UTC)
"""08:00 in Paris, of the day that panels are asked on."""
WEEK = timedelta(days=7)
ACT = "Does anybody have to act?"


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    read_everything(connection)
    return connection


def counted(
    city: psycopg.Connection, one: int, totals: list[float], start: datetime = EIGHT
) -> None:
    """Totals of the hour of `start`, and of the same hour of each week before."""
    for weeks, total in enumerate(totals):
        window(city, "mobility", one, start - weeks * WEEK, total)


def lines(rows: list[dict[str, object]]) -> dict[object, object]:
    return {row["metric"]: row["value"] for row in rows}


def test_150_vehicles_stand_beside_the_mean_of_80_100_120_and_100_of_four_weeks(
    city: psycopg.Connection,
):
    one = series(city, place(city, "pont"), "loop-1", "vehicles")
    counted(city, one, [150, 80, 100, 120, 100, 9000])
    window(city, "mobility", one, EIGHT - WEEK + hours(2), 7000)

    rows = asked(city, MOBILITY, "Vehicles: now and usual", language="fr")

    assert [row["time"] for row in rows] == [EIGHT, EIGHT]
    assert lines(rows) == {"Véhicules": 150, "habituel": 100}


def test_counters_that_lack_two_known_weeks_are_in_neither_line(city: psycopg.Connection):
    site = place(city, "pont")
    counted(city, series(city, site, "old", "bikes"), [30, 20, 40])
    counted(city, series(city, site, "new", "bikes"), [500, 20])
    gap = series(city, site, "gap", "bikes")
    counted(city, gap, [700, 20])
    window(city, "mobility", gap, EIGHT - 2 * WEEK, 1, good=2)

    rows = asked(city, MOBILITY, "Bicycles: now and usual")

    assert lines(rows) == {"Bicycles": 30, "usual": 30}


def test_8_o_clock_stays_8_o_clock_when_the_clocks_change(city: psycopg.Connection):
    one = series(city, place(city, "pont"), "loop-1", "vehicles")
    now = datetime(2026, 4, 2, 10, tzinfo=UTC)
    window(city, "mobility", one, datetime(2026, 4, 2, 6, tzinfo=UTC), 90)
    for day, in_summer_too in ((26, 70), (19, 50)):
        window(city, "mobility", one, datetime(2026, 3, day, 7, tzinfo=UTC), in_summer_too)
        window(city, "mobility", one, datetime(2026, 3, day, 6, tzinfo=UTC), 1)

    rows = asked(city, MOBILITY, "Vehicles: now and usual", now=now)

    assert lines(rows) == {"Vehicles": 90, "usual": 60}


@pytest.mark.parametrize(
    ("zone", "winter", "summer"), [("Europe/Paris", 23, 22), ("Europe/London", 24, 23)]
)
def test_a_year_compares_local_days_across_the_change_of_the_clocks(
    city: psycopg.Connection, zone: str, winter: int, summer: int
):
    one = series(city, place(city, "pont"), "loop-1", "vehicles")
    city.execute("UPDATE city.territory SET timezone = %s", [zone])
    for day_before, midnight, total in (
        (datetime(2026, 3, 18, tzinfo=UTC), winter, 1000),
        (datetime(2026, 3, 25, tzinfo=UTC), winter, 2000),
        (datetime(2026, 4, 1, tzinfo=UTC), summer, 1800),
    ):
        window(city, "mobility", one, day_before + hours(midnight), total, table="rollup_1d")

    rows = asked(
        city, MOBILITY, "Vehicles: now and usual",
        now=datetime(2026, 4, 3, tzinfo=UTC), span=timedelta(days=365),
    )  # fmt: skip

    assert lines(rows) == {"Vehicles": 1800, "usual": 1500}


@pytest.mark.parametrize("days", [1, 7, 14])
def test_the_usual_is_the_same_however_long_the_range_is(city: psycopg.Connection, days: int):
    one = series(city, place(city, "pont"), "loop-1", "vehicles")
    counted(city, one, [150, 80, 100, 120, 100, 200, 300, 400, 500])

    rows = asked(city, MOBILITY, "Vehicles: now and usual", span=timedelta(days=days))

    assert lines([row for row in rows if row["time"] == EIGHT]) == {"Vehicles": 150, "usual": 100}


def test_a_site_40_percent_below_its_usual_stands_before_one_5_percent_above(
    city: psycopg.Connection,
):
    for site, now in (("pont", 60), ("gare", 105)):
        counted(city, series(city, place(city, site), site, "vehicles"), [now, 100, 100])
    column = panel_of(MOBILITY, "Sites against their last four weeks").columns["change"]

    rows = asked(city, MOBILITY, "Sites against their last four weeks")

    assert [(row["site"], row["total"], row["usual"], row["compared"]) for row in rows] == [
        ("pont", 60, 100, 1),
        ("gare", 105, 100, 1),
    ]
    assert [row["change"] for row in rows] == pytest.approx([-40, 5])
    assert [color(column, row["change"]) for row in rows] == ["blue", "green"]


def test_a_sensor_that_sends_both_counts_and_flow_is_counted_once(city: psycopg.Connection):
    site = place(city, "pont")
    both = [series(city, site, "loop-1", metric) for metric in ("vehicles", "flow")]
    alone = series(city, site, "loop-2", "flow")
    for one, total in ((both[0], 50), (both[1], 4 * 50), (alone, 4 * 70)):
        window(city, "mobility", one, EIGHT, total)

    (row,) = asked(city, MOBILITY, "Passages in the range", span=timedelta(days=7))

    assert row == {"vehicles": 50 + 70, "heavy_vehicles": None, "bikes": None, "pedestrians": None}


def test_what_nobody_measures_is_empty_and_what_is_quiet_is_0(city: psycopg.Connection):
    lane = series(city, place(city, "pont"), "loop-1", "occupancy")

    (quiet,) = asked(city, MOBILITY, ACT)
    assert quiet == {"silent": None, "unusual": None, "saturated": None, "full_parks": None}

    processed(city, NOW)
    city.execute(
        "INSERT INTO pipeline.heard (series_id, first, last) VALUES (%s, %s, %s)",
        [lane, NOW - timedelta(days=29), NOW],
    )
    (watched,) = asked(city, MOBILITY, ACT)
    assert watched == {"silent": 0, "unusual": 0, "saturated": None, "full_parks": None}

    figure(city, "traffic_state", lane, NOW - hours(1), 1, code=1)
    (free,) = asked(city, MOBILITY, ACT)
    assert free["saturated"] == 0


def test_a_silent_counter_an_unusual_hour_a_jam_and_a_full_car_park_are_counted(
    city: psycopg.Connection,
):
    site = place(city, "pont")
    lane = series(city, site, "loop-1", "occupancy")
    park = series(city, site, "park-1", "parking_free")
    alert(city, lane, "silence", NOW - hours(3))
    alert(city, park, "silence", NOW - hours(30), NOW - hours(20))
    figure(city, "mobility_unusual", lane, NOW - hours(2.5), 7.2, code=1)
    figure(city, "mobility_unusual", lane, NOW - hours(25), 9)
    figure(city, "traffic_state", lane, NOW - hours(2), 4, code=4)
    figure(city, "traffic_state", lane, NOW - hours(1.5), 3, code=3)
    midnight = datetime(2026, 3, 10, 23, tzinfo=UTC)
    figure(city, "parking_minutes_full", park, midnight, 45, lasts=timedelta(days=1))

    (row,) = asked(city, MOBILITY, ACT)

    assert row == {"silent": 1, "unusual": 1, "saturated": 1, "full_parks": 1}
    assert color(panel_of(MOBILITY, ACT).columns["silent"], 1) == "orange"


def test_unusual_hours_say_above_or_below_and_what_was_counted(city: psycopg.Connection):
    one = series(city, place(city, "pont"), "loop-1", "vehicles")
    window(city, "mobility", one, EIGHT, 12)
    figure(city, "mobility_unusual", one, EIGHT, -8.5, code=2)

    (row,) = asked(city, MOBILITY, "Unusual hours")
    direction = panel_of(MOBILITY, "Unusual hours").columns["direction"]

    assert (row["start"], row["score"], row["measured"]) == (EIGHT, -8.5, 12)
    assert word(direction, row["direction"], "fr") == "en dessous"


def test_aadt_is_that_of_the_newest_year_known_and_says_that_it_is_partial(
    city: psycopg.Connection,
):
    site = place(city, "pont")
    one = series(city, site, "loop-1", "vehicles")
    year = timedelta(days=365)
    for start, value, days in (
        (datetime(2024, 12, 31, 23, tzinfo=UTC), 5200, 300),
        (datetime(2023, 12, 31, 23, tzinfo=UTC), 4800, 360),
    ):
        for name in ("aadt", "aadt_simple"):
            figure(city, name, one, start, value, lasts=year, n=days, due=365)
    figure(city, "aadt", one, datetime(2025, 12, 31, 23, tzinfo=UTC), None, lasts=year)
    figure(city, "aadt_working_days", one, datetime(2024, 12, 31, 23, tzinfo=UTC), 6100, lasts=year)
    city.execute("UPDATE mobility.figure SET status = 2 WHERE value = 5200")

    (row,) = asked(city, MOBILITY, "AADT by sensor and direction")
    status = panel_of(MOBILITY, "AADT by sensor and direction").columns["status"]

    assert (row["year"], row["aadt"], row["working_days"]) == (2025, 5200, 6100)
    assert (row["days"], row["due_days"], word(status, row["status"])) == (300, 365, "partial")


def test_the_peak_hour_of_a_week_is_the_highest_and_says_when(city: psycopg.Connection):
    one = series(city, place(city, "pont"), "loop-1", "vehicles")
    for day, volume in ((1, 900), (2, 1400), (3, 1100)):
        figure(city, "peak_hour_volume", one, NOW - timedelta(days=day), volume)
        figure(city, "peak_hour_factor", one, NOW - timedelta(days=day), 0.9)
    city.execute("UPDATE mobility.figure SET at = start + interval '5 hours'")

    (row,) = asked(city, MOBILITY, "Peak hour", span=timedelta(days=7))

    assert (row["volume"], row["factor"]) == (1400, pytest.approx(0.9))
    assert row["at"] == NOW - timedelta(days=2) + hours(5)


def test_a_course_of_speeds_shows_the_12_fastest_of_14_sensors(city: psycopg.Connection):
    site = place(city, "pont")
    for k in range(14):
        one = series(city, site, f"radar-{k:02}", "speed")
        figure(city, "v85", one, NOW - hours(3), 40 + k, lasts=timedelta(days=1))

    rows = asked(city, MOBILITY, "V85, by day")

    assert [row["metric"] for row in rows] == [f"Pont · radar-{k:02}" for k in range(2, 14)]


def test_the_fullest_car_park_comes_first_and_free_places_are_the_last_measured(
    city: psycopg.Connection,
):
    for sensor, minutes, free in (("park-1", 5, 80), ("park-2", 90, 3)):
        one = series(city, place(city, sensor), sensor, "parking_free")
        figure(city, "parking_minutes_full", one, NOW - hours(30), minutes, lasts=hours(24))
        figure(city, "parking_occupancy", one, NOW - hours(30), 60, lasts=hours(24))
        city.execute(
            "INSERT INTO mobility.reading (time, value, series_id, flag) VALUES (%s, %s, %s, 1)",
            [NOW, free, one],
        )

    rows = asked(city, MOBILITY, "Car parks")

    assert [(row["sensor"], row["minutes_full"], row["free"]) for row in rows] == [
        ("park-2", 90, 3),
        ("park-1", 5, 80),
    ]
    assert [(row["days_full"], row["days"], row["occupancy"]) for row in rows] == [(1, 1, 60)] * 2
