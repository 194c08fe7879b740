"""Numbers of the city's overview, on a few literal rows."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dashboards.grafana.pages.city import CITY
from dashboards.grafana.queries import OUTAGES
from storage.alerts import AlertKind, to_do
from tests.grafana.asked_panels import (
    NOW,
    alert,
    asked,
    color,
    figure,
    hours,
    number,
    panel_of,
    place,
    processed,
    read_everything,
    series,
    window,
    word,
)
from tests.grafana.macros import expand, interpolate

NINE = datetime(2026, 3, 12, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
ALERTS, SITES = "Open alerts, the newest first", "Sites, the most urgent first"


@pytest.fixture
def city(connection: psycopg.Connection) -> psycopg.Connection:
    read_everything(connection)
    return connection


def test_a_silent_meter_is_listed_with_what_to_do(city: psycopg.Connection):
    meter = series(city, place(city, "ecole"), "meter-1", "energy_import")
    alert(city, meter, "silence", NOW - hours(3))
    (row,) = asked(city, CITY, ALERTS, language="fr")
    columns = panel_of(CITY, ALERTS).columns

    assert (row["site"], row["sensor"], row["measured"]) == (
        "ecole", "meter-1", "Énergie consommée (index)",
    )  # fmt: skip
    assert (row["opened"], row["since"]) == (NOW - hours(3), NOW - hours(4))
    assert word(columns["kind"], row["kind"], "fr") == "muet"
    for language in ("fr", "en", "de"):
        assert word(columns["action"], row["action"], language) == to_do(
            AlertKind.SILENCE, language
        )


def test_2_alerts_of_one_sensor_are_one_silent_sensor_and_closed_ones_are_none(
    city: psycopg.Connection,
):
    site = place(city, "ecole")
    first, second = (series(city, site, "meter-1", one) for one in ("energy_import", "power"))
    for one in (first, second):
        alert(city, one, "silence", NOW - hours(3))
    alert(city, first, "jump", NOW - hours(30), NOW - hours(20))

    assert number(city, CITY, "Alerts open") == 2
    assert number(city, CITY, "Silent sensors") == 1
    yesterday = NOW - hours(24)
    assert number(city, CITY, "Alerts open", now=yesterday) == 1
    assert number(city, CITY, "Silent sensors", now=yesterday) is None  # nobody watched
    processed(city, yesterday)
    assert number(city, CITY, "Silent sensors", now=yesterday) == 0
    assert (color(panel_of(CITY, "Alerts open"), 0), color(panel_of(CITY, "Alerts open"), 2)) == (
        "green", "orange",
    )  # fmt: skip


def test_a_site_is_to_act_upon_when_nothing_speaks_and_to_look_at_when_one_of_2_does(
    city: psycopg.Connection,
):
    dumb, half, well, empty, foul = (
        place(city, name) for name in ("dumb", "half", "well", "empty", "foul")
    )
    assert empty
    for site, silent in ((dumb, 2), (half, 1), (well, 0), (foul, 0)):
        for place_of in range(2):
            one = series(city, site, f"{site}-{place_of}", "no2")
            if place_of < silent:
                alert(city, one, "silence", NOW - hours(1))
    figure(city, "eaqi", foul, NINE, 5)
    rows = {row["site"]: row for row in asked(city, CITY, SITES)}
    state = panel_of(CITY, SITES).columns["state"]

    assert {name: row["state"] for name, row in rows.items()} == {
        "dumb": 3, "half": 2, "well": 1, "empty": None, "foul": 3,
    }  # fmt: skip
    assert next(iter(rows)) == "dumb"
    assert (word(state, 3, "fr"), word(state, 1, "de")) == ("agir", "gut")
    assert (rows["half"]["silent"], rows["half"]["others"]) == (1, 0)
    assert (rows["half"]["air"], rows["half"]["energy"]) == (2, None)
    on_the_map = {row["site"]: row["state"] for row in asked(city, CITY, "Map of the sites")}
    assert on_the_map == {"dumb": 3, "half": 2, "well": 1, "empty": None, "foul": 3}


def test_15_kw_where_10_were_usual_are_50_percent_more(city: psycopg.Connection):
    meter = series(city, place(city, "ecole"), "meter-1", "energy_import")
    used = series(city, place(city, "mairie"), "meter-1", "energy_used")  # of the same meter
    window(city, "energy", meter, NINE, 15)
    window(city, "energy", meter, NINE - WEEK, 8)
    assert number(city, CITY, "Load against usual") is None  # one week is no usual
    window(city, "energy", meter, NINE - 2 * WEEK, 12)
    for weeks in range(3):
        window(city, "energy", used, NINE - weeks * WEEK, 4000)
    window(city, "energy", meter, NINE - hours(30), 900)  # neither now nor the same hour

    assert number(city, CITY, "Load against usual") == 50
    shown = panel_of(CITY, "Load against usual")
    assert [color(shown, value) for value in (-60, -30, 0, 30, 60)] == [
        "red", "orange", "green", "orange", "red",
    ]  # fmt: skip


def test_the_usual_follows_the_clock_on_the_wall_when_it_changes(city: psycopg.Connection):
    """Monday 30 March 2026, 8:00 in Paris, is 6:00 UTC; the Mondays before it was 7:00 UTC."""
    counter = series(city, place(city, "pont"), "loop", "vehicles")
    at = datetime(2026, 3, 30, 6, tzinfo=UTC)
    window(city, "mobility", counter, at, 90)
    for week in (1, 2):
        window(city, "mobility", counter, at + hours(1) - week * WEEK, 100)
        window(city, "mobility", counter, at - week * WEEK, 10)
    later = at + hours(1.5)

    assert number(city, CITY, "Traffic against usual", now=later) == pytest.approx(-10)


def test_counters_add_up_and_the_open_hour_is_left_out(city: psycopg.Connection):
    site = place(city, "pont")
    for sensor, metric, total in (("a", "vehicles", 60), ("b", "vehicles", 40), ("c", "bikes", 7)):
        one = series(city, site, sensor, metric)
        window(city, "mobility", one, NINE, total)
        window(city, "mobility", one, NINE + hours(1), 1, provisional=True)
        window(city, "mobility", one, NINE - 30 * hours(24), 24 * total, table="rollup_1d")

    def shown(span: timedelta) -> list[tuple[datetime, str, float]]:
        rows = asked(city, CITY, "Getting around", span=span)
        return [(row["time"], row["metric"], row["value"]) for row in rows]

    assert shown(hours(24)) == [(NINE, "Bicycles", 7), (NINE, "Vehicles", 100)]
    before = NINE - 30 * hours(24)
    assert shown(timedelta(days=60)) == [(before, "Bicycles", 7), (before, "Vehicles", 100)]


def test_a_meter_that_tells_register_and_power_is_added_once(city: psycopg.Connection):
    site = place(city, "ecole")
    register, power = (series(city, site, "meter-1", one) for one in ("energy_import", "power"))
    lonely = series(city, site, "meter-2", "power")
    for one, total, good in ((register, 5, 4), (power, 20, 4), (lonely, 12, 4)):
        window(city, "energy", one, NINE, total, good=good)

    (row,) = asked(city, CITY, "Electric load")
    assert (row["metric"], row["value"]) == ("load", 5 + 3)


def test_a_ledger_that_does_not_balance_and_refusals_of_strangers_are_counted(
    city: psycopg.Connection,
):
    site = place(city, "ecole")
    series(city, site, "meter-1", "power")

    def entry(code: str, hour: datetime, stored: int, refused: int) -> None:
        city.execute(
            "INSERT INTO pipeline.sensor_hour (hour, sensor_id, messages_received, messages_qos0,"
            " messages_decoded, messages_refused, readings_decoded, readings_stored,"
            " readings_duplicate, readings_refused)"
            " SELECT %s, sensor_id, 10, 0, 10 - %s, %s, 10, %s, 0, 0 FROM city.sensor"
            " WHERE code = %s",
            [hour, refused, refused, stored, code],
        )

    entry("meter-1", NINE, 10, 0)
    assert number(city, CITY, "Out of balance") == 0
    assert number(city, CITY, "Refused today") == 0
    entry("meter-1", NINE - hours(1), 9, 2)
    entry("(unknown sensor)", NINE, 10, 5)
    entry("meter-1", datetime(2026, 3, 11, 22, tzinfo=UTC), 10, 8)  # 23:00 in Paris, yesterday
    entry("meter-1", datetime(2026, 3, 11, 23, tzinfo=UTC), 10, 1)  # 0:00 in Paris, today

    assert number(city, CITY, "Out of balance") == 1
    assert number(city, CITY, "Refused today") == 8
    assert color(panel_of(CITY, "Out of balance"), 1) == "red"


def test_measures_in_force_tell_their_verdict_or_that_there_is_none_yet(city: psycopg.Connection):
    place(city, "ecole")

    def measure(code: str, since: str, until: str | None = None) -> int:
        row = city.execute(
            "INSERT INTO city.measure (code, version, person, why, retired, title_fr, title_en,"
            " title_de, objective, territory, in_force, ends, indicator, metric, expected, effect,"
            " touched_sensors, touched_sites, comparison, comparison_sensors, comparison_sites,"
            " min_days, decision, decision_url, contact)"
            " VALUES (%s, 1, 'p', 'w', false, %s, %s, %s, '', 'paris', %s, %s, 'no2_year', '',"
            " 'down', 'percent', '{}', '{}', 'city', '{}', '{}', 14, '', '', '')"
            " RETURNING measure_id",
            [code, f"{code} fr", f"{code} en", f"{code} de", since, until],
        ).fetchone()
        assert row is not None
        return int(row[0])

    first = measure("zone", "2026-01-01")
    measure("rue", "2026-02-01")
    measure("over", "2025-01-01", "2025-06-01")
    measure("coming", "2026-06-01")
    city.execute(
        "INSERT INTO city.evaluation (measure_id, method, verdict, reason, effect, unit,"
        " before_from, before_to, after_from, after_to, matching, estimate, low, high, basis,"
        " touched_sites, touched_series, comparison_sites, comparison_series, days_before,"
        " days_after, placebo_matching)"
        " VALUES (%s, '1', 'expected', 'clear', 'percent', '%%', '2025-10-01', '2026-01-01',"
        " '2026-01-01', '2026-03-01', 'weekdays_before', -12.5, -20, -5, 'sites_and_time',"
        " 2, 2, 3, 3, 90, 59, 'none')",
        [first],
    )
    newer, older = asked(city, CITY, "Measures in force", language="de")
    columns = panel_of(CITY, "Measures in force").columns

    assert (newer["title"], newer["estimate"]) == ("rue de", None)
    assert newer["since"] == datetime(2026, 1, 31, 23, tzinfo=UTC)  # midnight in Paris
    assert word(columns["verdict"], newer["verdict"], "fr") == "pas encore évaluée"
    assert older["title"] == "zone de"
    assert (older["estimate"], older["low"], older["high"], older["unit"]) == (-12.5, -20, -5, "%")
    assert word(columns["verdict"], older["verdict"]) == "in the expected direction"
    assert word(columns["expected"], older["expected"]) == "down"


def test_a_silence_that_is_not_over_is_marked_from_its_beginning_up_to_now(
    city: psycopg.Connection,
):
    mute = series(city, place(city, "ecole"), "meter-1", "energy_import")
    alert(city, mute, "silence", NOW - hours(100))
    marks = expand(
        interpolate(OUTAGES.sql.replace("@language", "de"), {"territory": ["paris"], "site": ["ecole"]}),
        NOW - hours(24), NOW, 900,
    )  # fmt: skip

    ((since, until, title, said, tag),) = city.execute(marks.encode()).fetchall()

    assert (since, title, tag) == (NOW - hours(101), "Ecole · meter-1", "")
    assert until is not None
    assert until > NOW
    assert said == "Bezogene Energie (Zähler)"

    alert(city, series(city, place(city, "gare"), "meter-2", "power"), "silence", NOW - hours(100))
    alert(city, series(city, place(city, "pont"), "meter-3", "power"), "silence", NOW - hours(9))
    rows = city.execute(
        marks.replace("IN ('ecole')", "IN ('ecole','gare','pont')").encode()
    ).fetchall()
    assert [row[2:4] for row in rows] == [
        ("2 stumme Reihen", "Ecole, Gare"), ("Pont · meter-3", "Leistung"),
    ]  # fmt: skip
