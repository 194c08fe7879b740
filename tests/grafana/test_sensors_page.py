"""Sensor health: who is silent, who is worst, and what to do about it."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.grafana.pages.sensors import SENSORS
from storage.alerts import AlertKind, to_do
from tests.grafana.asked_panels import processed
from tests.grafana.looking import alert, figure, heard, looking, series


@pytest.fixture
def looker(connection, database):
    with looking(connection, database) as found:
        yield found


@pytest.fixture
def looker_of_one(connection, database):
    with looking(connection, database, "99001") as found:
        yield found


def yesterday():
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=1), midnight


def test_without_a_processor_at_work_that_no_alert_is_open_is_not_known(looker):
    assert looker.value(SENSORS, "Silent series") is None
    assert looker.value(SENSORS, "Doubtful series") is None

    processed(looker.owner, datetime.now(UTC) - timedelta(hours=4))
    assert looker.value(SENSORS, "Silent series") is None


def test_a_city_without_alerts_shows_zeros_and_an_empty_list(looker):
    processed(looker.owner, datetime.now(UTC) - timedelta(hours=1))

    assert looker.value(SENSORS, "Silent series") == 0
    assert looker.value(SENSORS, "Doubtful series") == 0
    assert looker.panel(SENSORS, "To do") == []


def test_a_silent_meter_is_counted_and_listed_with_what_to_do_in_the_readers_language(looker):
    alert(looker.owner, "meter-1")
    alert(looker.owner, "meter-2", closed=True)

    (row,) = looker.panel(SENSORS, "To do", language="fr")

    assert looker.value(SENSORS, "Silent series") == 1
    assert (row["site_name"], row["sensor"], row["problem"]) == ("École", "meter-1", "muet")
    assert row["action"] == to_do(AlertKind.SILENCE, "fr")


def test_silence_stands_before_a_drift_that_is_as_old(looker):
    alert(looker.owner, "air-1", "drift")
    alert(looker.owner, "meter-1", "silence")

    rows = looker.panel(SENSORS, "To do", language="de")

    assert [row["problem"] for row in rows] == ["stumm", "Drift"]
    assert looker.value(SENSORS, "Doubtful series") == 1


def test_not_heard_for_30_of_its_steps_is_listed_and_not_heard_for_ten_minutes_is_not(looker):
    heard(looker.owner, "air-1", "5 hours")
    heard(looker.owner, "air-2", "10 minutes")
    silent = [
        (row["sensor"], row["missed"])
        for row in looker.panel(SENSORS, "Not heard for more than 6 steps")
    ]

    assert silent[0] == ("air-1", 30)
    assert sorted(silent[1:]) == [  # never heard, after the others
        ("air-3", None), ("air-9", None), ("count-1", None), ("meter-1", None), ("meter-2", None),
    ]  # fmt: skip


def test_series_registered_a_moment_ago_are_not_yet_never_heard(looker):
    assert looker.value(SENSORS, "Never heard") is None  # who speaks was not noted yet
    assert looker.panel(SENSORS, "Not heard for more than 6 steps") == []
    processed(looker.owner, datetime.now(UTC) - timedelta(hours=3))
    assert looker.value(SENSORS, "Never heard") == 7  # registered for ever: valid_from is open
    heard(looker.owner, "air-1")
    looker.owner.execute(
        "UPDATE city.series SET valid_from = now() - interval '1 hour' WHERE series_id = %s",
        (series(looker.owner, "air-2"),),
    )

    assert looker.value(SENSORS, "Never heard") == 5


def test_the_series_that_delivered_half_stands_before_the_one_that_delivered_all(looker):
    begin, end = yesterday()
    for sensor, received in (("air-1", 144), ("air-2", 72)):
        figure(looker.owner, "air", "air_coverage", sensor, begin, end, 50, n=received, due=144)
        figure(looker.owner, "air", "air_good_share", sensor, begin, end, 90, n=90, due=100)

    worst = looker.panel(SENSORS, "Series, worst first", hours=72)

    told = [(row["sensor"], row["coverage"], row["good_share"], row["doubtful"]) for row in worst]
    assert told == [("air-2", 50, 90, 10), ("air-1", 100, 90, 10)]
    assert looker.value(SENSORS, "Readings received") == 75  # (144 + 72) of 288


def test_more_readings_than_expected_do_not_hide_those_that_are_missing(looker):
    begin, end = yesterday()
    figure(looker.owner, "air", "air_coverage", "air-1", begin, end, 200, n=288, due=144)
    figure(looker.owner, "air", "air_coverage", "air-2", begin, end, 0, n=0, due=144)

    assert looker.value(SENSORS, "Readings received") == 50


def test_a_reader_of_one_commune_sees_no_alert_of_the_other(looker_of_one):
    alert(looker_of_one.owner, "air-9")
    alert(looker_of_one.owner, "air-1")

    assert [row["sensor"] for row in looker_of_one.panel(SENSORS, "To do")] == ["air-1"]
    assert looker_of_one.value(SENSORS, "Silent series") == 1


def test_a_change_that_holds_since_ever_is_shown_without_a_date(looker):
    rows = looker.panel(SENSORS, "Changes of the registry")

    assert {row["sensor"] for row in rows} >= {"air-1", "meter-1"}
    assert {row["change"] for row in rows} == {"new"}
    assert {row["since"] for row in rows} == {None}


def test_the_strongest_drift_against_the_neighbours_stands_first(looker):
    begin, _ = yesterday()
    for days in range(27):
        start = begin - timedelta(days=days)
        for sensor, difference in (("air-1", 10 - days / 3), ("air-2", 1 + days % 2)):
            figure(
                looker.owner, "air", "air_neighbour_difference", sensor, start,
                start + timedelta(days=1), difference,
            )  # fmt: skip

    rows = looker.panel(SENSORS, "Difference to the neighbours, strongest drift first")

    assert [row["sensor"] for row in rows] == ["air-1", "air-2"]
    assert rows[0]["ratio"] > 2 > 1 > rows[1]["ratio"]
