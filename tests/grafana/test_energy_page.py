"""Numbers of the page of energy operations, on a few literal windows and figures."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dashboards.grafana.pages.energy import ENERGY
from tests.grafana.asked_panels import (
    NOW,
    alert,
    asked,
    color,
    figure,
    hours,
    panel_of,
    place,
    read_everything,
    series,
    window,
    word,
)

EIGHT = datetime(2026, 3, 12, 7, tzinfo=UTC)
YESTERDAY = datetime(2026, 3, 10, 23, tzinfo=UTC)
"""Local midnight of the last closed day."""
WEEK, A_DAY = timedelta(days=7), timedelta(days=1)
ACT = "Does anybody have to act?"
RANKED = "Buildings, by drift from their signature"


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    read_everything(connection)
    return connection


def used(city: psycopg.Connection, one: int, sums: list[float]) -> None:
    """Sums of the hour of eight, and of the same hour of each week before."""
    for weeks, total in enumerate(sums):
        window(city, "energy", one, EIGHT - weeks * WEEK, total)


def metered(city: psycopg.Connection, site: str) -> int:
    """A site with a meter; returns the id of the site."""
    number = place(city, site)
    series(city, number, f"meter-{site}", "energy_import")
    return number


def lines(rows: list[dict[str, object]]) -> dict[object, object]:
    return {row["metric"]: row["value"] for row in rows}


def test_the_load_is_power_where_a_sensor_sends_it_and_else_what_its_register_counted(
    city: psycopg.Connection,
):
    site = place(city, "ecole")
    both = [series(city, site, "shelly-1", metric) for metric in ("power", "energy_import")]
    register = series(city, site, "linky-1", "energy_import")
    used(city, both[0], [4 * 12, 4 * 8, 4 * 10, 4 * 12, 4 * 10])
    used(city, both[1], [999, 999, 999])
    used(city, register, [5, 3, 3])

    rows = asked(city, ENERGY, "Load and usual profile", language="de")

    assert {row["time"] for row in rows} == {EIGHT}
    assert lines(rows) == {"Last": 12 + 5, "üblich": 10 + 3}


def test_12_kwh_a_local_day_of_24_hours_are_half_a_kw_and_of_23_hours_more(
    city: psycopg.Connection,
):
    one = series(city, place(city, "ecole"), "linky-1", "energy_import")
    for weeks in range(3):
        sunday = datetime(2026, 3, 28, 23, tzinfo=UTC) - weeks * WEEK
        window(city, "energy", one, sunday, 12, table="rollup_1d")

    rows = asked(
        city, ENERGY, "Load and usual profile",
        now=datetime(2026, 4, 1, tzinfo=UTC), span=timedelta(days=365),
    )  # fmt: skip

    assert lines(rows) == {"load": pytest.approx(12 / 23), "usual": 0.5}


def test_the_site_with_the_largest_excess_stands_first_though_another_grew_more_in_percent(
    city: psycopg.Connection,
):
    for site, sums in (("kiosk", [2, 1, 1]), ("piscine", [150, 100, 100])):
        used(city, series(city, place(city, site), site, "energy_import"), sums)
    title = "Sites against their profile"

    rows = asked(city, ENERGY, title)

    assert [(row["site"], row["excess"], row["change"]) for row in rows] == [
        ("piscine", 50, 50),
        ("kiosk", 1, 100),
    ]
    assert color(panel_of(ENERGY, title).columns["change"], 50) == "red"


def test_load_now_is_that_of_sensors_heard_within_the_hour_against_the_same_hour_before(
    city: psycopg.Connection,
):
    site = place(city, "ecole")
    one, mute = (series(city, site, sensor, "power") for sensor in ("p-1", "p-2"))
    for sensor, value, ago in ((one, 30, "5 minutes"), (mute, 99, "2 hours")):
        city.execute(
            "INSERT INTO energy.reading (time, value, series_id, flag)"
            " VALUES (now() - %s::interval, %s, %s, 1)",
            [ago, value, sensor],
        )
    # The rest of the hour and those around it: whichever holds the moment is the same by week.
    for weeks, power in ((1, 20), (2, 28), (5, 900)):
        for sensor in (one, mute):
            city.execute(
                """
                INSERT INTO energy.rollup_1h (start, sum, min, max, m2, first, last, x, y, series_id,
                                              expected, received, good, suspect, provisional, sketch)
                SELECT (date_trunc('hour', now() AT TIME ZONE 'Europe/Paris') - %s * interval '7 days')
                       AT TIME ZONE 'Europe/Paris', 4 * %s::float8, 0, 0, 0, 0, 0, 0, 0, %s, 4, 4, 4, 0,
                       false, ''
                """,
                [weeks, power, sensor],
            )

    (row,) = asked(city, ENERGY, "Load now", now=datetime.now(UTC))

    assert (row["load"], row["usual"], row["change"]) == (30, 24, pytest.approx(25))


def test_a_sensor_without_a_usual_is_load_now_and_not_compared(city: psycopg.Connection):
    site = place(city, "ecole")
    known, new = (series(city, site, sensor, "power") for sensor in ("p-1", "p-2"))
    for sensor, value in ((known, 30), (new, 10)):
        city.execute(
            "INSERT INTO energy.reading (time, value, series_id, flag) VALUES (now(), %s, %s, 1)",
            [value, sensor],
        )
    for weeks in (1, 2):
        city.execute(
            """
            INSERT INTO energy.rollup_1h (start, sum, min, max, m2, first, last, x, y, series_id,
                                          expected, received, good, suspect, provisional, sketch)
            SELECT (date_trunc('hour', now() AT TIME ZONE 'Europe/Paris') - %s * interval '7 days')
                   AT TIME ZONE 'Europe/Paris', 4 * 24, 0, 0, 0, 0, 0, 0, 0, %s, 4, 4, 4, 0, false, ''
            """,
            [weeks, known],
        )

    (row,) = asked(city, ENERGY, "Load now", now=datetime.now(UTC))

    assert row == {"load": 40, "compared": 30, "usual": 24, "change": pytest.approx(25)}


def test_a_day_that_was_over_before_the_range_is_not_in_its_sum(city: psycopg.Connection):
    site = place(city, "ecole")
    register, used = (series(city, site, "m-1", one) for one in ("energy_import", "energy_used"))
    for days, value in ((0, 10), (1, 100), (2, 1000)):
        figure(city, "energy_day", register, YESTERDAY - days * A_DAY, value, lasts=A_DAY)
        figure(city, "energy_day", used, YESTERDAY - days * A_DAY, value, lasts=A_DAY)
    title = "Energy, cost and emissions"

    found = [
        asked(city, ENERGY, title, span=span)[0]["energy"] for span in (hours(1), A_DAY, 2 * A_DAY)
    ]

    assert found == [10, 10, 110]


def test_degree_days_are_those_of_the_commune_though_the_thermometer_stands_elsewhere(
    city: psycopg.Connection,
):
    metered(city, "ecole")
    outdoors = series(city, place(city, "parc"), "t-1", "temperature")
    figure(city, "heating_degree_days", outdoors, YESTERDAY, 12, lasts=A_DAY)

    rows = asked(city, ENERGY, "Heating degree days", span=WEEK, site=["ecole"])

    assert [row["value"] for row in rows] == [12]


def test_a_silent_meter_is_counted_and_listed_and_one_that_speaks_again_is_not(
    city: psycopg.Connection,
):
    site = place(city, "ecole")
    mute, back = (series(city, site, sensor, "energy_import") for sensor in ("m-1", "m-2"))
    assert asked(city, ENERGY, "Silent meters") == []
    alert(city, mute, "silence", NOW - hours(5))
    alert(city, back, "silence", NOW - hours(5), NOW)

    (row,) = asked(city, ENERGY, "Silent meters", language="fr")
    (act,) = asked(city, ENERGY, ACT)

    assert (row["sensor"], row["label"]) == ("m-1", "Énergie consommée (index)")
    assert row["since"] == NOW - hours(6)
    assert act == {"silent": 1, "steps": None, "drifting": None, "unusual": None}


def test_a_building_20_percent_above_its_signature_stands_first_and_counts_as_drifting(
    city: psycopg.Connection,
):
    for site, energy in (("mairie", 104), ("ecole", 120)):
        number = metered(city, site)
        for days, known in ((0, True), (1, True), (2, False)):
            start = YESTERDAY - days * A_DAY
            figure(city, "building_energy", number, start, energy, lasts=A_DAY)
            if known:
                figure(city, "building_expected", number, start, 100, lasts=A_DAY)
    month = datetime(2026, 1, 31, 23, tzinfo=UTC)
    figure(city, "building_saving", number, month, -300, lasts=timedelta(days=28))

    rows = asked(city, ENERGY, RANKED, span=timedelta(days=7))
    (act,) = asked(city, ENERGY, ACT)
    change = panel_of(ENERGY, RANKED).columns["change"]

    assert [(row["site"], row["energy"], row["expected"], row["days"]) for row in rows] == [
        ("ecole", 240, 200, 2),
        ("mairie", 208, 200, 2),
    ]
    assert [row["change"] for row in rows] == pytest.approx([20, 4])
    assert [color(change, row["change"]) for row in rows] == ["orange", "green"]
    assert [row["saving"] for row in rows] == [-300, None]
    assert act["drifting"] == 1


def test_an_hour_shows_the_last_closed_day_of_buildings_too(city: psycopg.Connection):
    number = metered(city, "ecole")
    figure(city, "building_energy", number, YESTERDAY, 130, lasts=A_DAY)
    figure(city, "building_expected", number, YESTERDAY, 100, lasts=A_DAY)

    (row,) = asked(city, ENERGY, "Map of buildings, by drift", span=hours(1))

    assert (row["site_name"], row["value"]) == ("Ecole", pytest.approx(30))


def test_a_step_up_of_2_kw_is_listed_and_counted_and_a_week_without_one_is_neither(
    city: psycopg.Connection,
):
    one = series(city, place(city, "ecole"), "linky-1", "energy_import")
    figure(city, "base_load_step", one, NOW - 2 * WEEK, 2, code=1, lasts=WEEK)
    figure(city, "base_load_step", one, NOW - 3 * WEEK, 0, lasts=WEEK)
    figure(city, "base_load_step", one, NOW - 5 * WEEK, -1, code=1, lasts=WEEK)
    step = panel_of(ENERGY, "Steps of the base load").columns["step"]

    rows = asked(city, ENERGY, "Steps of the base load")
    (act,) = asked(city, ENERGY, ACT)

    assert sorted(row["step"] for row in rows) == [-1, 2]
    assert (color(step, -1), color(step, 2)) == ("green", "orange")
    assert act["steps"] == 1


def test_the_month_of_a_meter_is_the_newest_known_and_its_peak_says_when(
    city: psycopg.Connection,
):
    one = series(city, place(city, "ecole"), "linky-1", "energy_import")
    at = datetime(2026, 2, 10, 17, tzinfo=UTC)
    for start, peak in ((datetime(2025, 12, 31, 23, tzinfo=UTC), 90), (datetime(2026, 1, 31, 23, tzinfo=UTC), 60)):  # fmt: skip
        figure(city, "load_peak_month", one, start, peak, lasts=timedelta(days=28))
        figure(city, "base_load_month", one, start, peak / 10, lasts=timedelta(days=28))
    city.execute("UPDATE energy.figure SET at = %s WHERE value = 60", [at])
    figure(city, "load_peak_15min_day", one, YESTERDAY, 41, lasts=A_DAY)

    (row,) = asked(city, ENERGY, "Base load, peaks and load factor")

    assert (row["base_load"], row["load_peak"], row["peak_at"]) == (6, 60, at)
    assert (row["day_peak"], row["load_factor"]) == (41, None)


def test_a_lighting_meter_with_a_failed_phase_says_so_and_one_in_order_comes_after_it(
    city: psycopg.Connection,
):
    for sensor, ratio, code in (("a-ok", 97, 0), ("z-out", 66, 1)):
        one = series(city, place(city, sensor), sensor, "energy_import")
        figure(city, "lighting_expected_day", one, YESTERDAY, 50, lasts=A_DAY)
        figure(city, "lighting_night_ratio_day", one, YESTERDAY, ratio, code=code, lasts=A_DAY)
        figure(city, "lighting_noon_ratio_day", one, YESTERDAY, 1, lasts=A_DAY)
        figure(city, "energy_day", one, YESTERDAY, 48, lasts=A_DAY)
    failed = panel_of(ENERGY, "Street lights").columns["failed"]

    rows = asked(city, ENERGY, "Street lights")

    assert [(row["sensor"], row["counted"], row["expected"], row["night"]) for row in rows] == [
        ("z-out", 48, 50, 66),
        ("a-ok", 48, 50, 97),
    ]
    assert [word(failed, row["failed"], "fr") for row in rows] == ["oui", "non"]
    assert [row["burns"] for row in rows] == [0, 0]


def test_days_that_were_interpolated_or_not_covered_are_counted_by_meter(
    city: psycopg.Connection,
):
    one = series(city, place(city, "ecole"), "linky-1", "energy_import")
    for days, code in ((0, 1), (1, 1), (2, 2), (3, 0)):
        figure(city, "energy_day", one, YESTERDAY - days * A_DAY, 10, code=code, lasts=A_DAY)
    city.execute("UPDATE energy.figure SET status = 2 WHERE code > 0")

    (row,) = asked(city, ENERGY, "Meters with gaps or interpolations", span=timedelta(days=7))

    assert (row["interpolated"], row["not_covered"], row["days"]) == (2, 1, 3)


def test_a_range_within_six_hours_shows_every_reading_and_a_longer_one_windows(
    city: psycopg.Connection,
):
    one = series(city, place(city, "ecole"), "p-1", "power")
    for minutes, value in ((1, 5.0), (2, 7.0)):
        city.execute(
            "INSERT INTO energy.reading (time, value, series_id, flag) VALUES (%s, %s, %s, 1)",
            [NOW - timedelta(minutes=minutes), value, one],
        )
    window(city, "energy", one, NOW - hours(2), 4 * 6, table="rollup_15min")

    live = asked(city, ENERGY, "Power, live", span=timedelta(minutes=5))
    day = asked(city, ENERGY, "Power, live")

    assert [row["value"] for row in live] == [7, 5]
    assert [row["value"] for row in day] == [6]
