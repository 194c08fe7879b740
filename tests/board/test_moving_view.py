"""What moves today: counted in published cells, compared with usual days, and never guessed."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import psycopg
import pytest

from dashboards.board import language
from dashboards.board.open_json import as_json
from dashboards.board.rows import Latest, Registered, Window
from dashboards.board.sheet import State, Where
from dashboards.board.usual import WEEKS, days_before
from dashboards.board.views import moving
from dashboards.board.views.moving_days import counted, usual_days
from dashboards.board.views.view import Asked
from storage.catalogue import BY_NAME

NOW = datetime(2026, 3, 12, 14, 7, tzinfo=UTC)  # Thursday, 15:07 in Paris
MIDNIGHT = datetime(2026, 3, 11, 23, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
WEEK = timedelta(days=7)
LILLE, TOURCOING = "59350", "59599"
WHOLE = Where("", "Métropole", "Europe/Paris", frozenset({LILLE, TOURCOING}))
ALONE = Where(LILLE, "Lille", "Europe/Paris", frozenset({LILLE}))


def registered(metric, territory=LILLE, sensors=1, step_s=900, timezone="Europe/Paris"):
    known = BY_NAME[metric]
    return Registered(
        metric, known.domain, known.unit, known.kind, known.labels["fr"], known.labels["en"],
        known.labels["de"], known.public_step_s, territory, territory, timezone, step_s, sensors,
    )  # fmt: skip


def day(metric, value, *, week=0, quarters=60, territory=LILLE, sensors=1, since=MIDNIGHT):
    """Quarter-hours of a day that counted `value` each; today's 60 end at 15:00 in Paris."""
    return [
        Window(metric, territory, 900, since - week * WEEK + k * QUARTER, float(value), None,
               sensors, sensors)
        for k in range(quarters)
    ]  # fmt: skip


def known(registry, today, weeks=(), latest=(), now=NOW):
    rows = [row for row in registry if row.metric in moving.COUNTED]
    past = usual_days(rows, [*weeks, *[[]] * (WEEKS - len(weeks))], now)
    return moving.Moving(registry, latest, counted(rows, today, past, now), past, now, {})


def said(rows, code="en", where=ALONE, now=NOW):
    return moving.say(rows, Asked(where, language.language(code), now))


def fact(sheet, key):
    return next(one for one in sheet.facts if one.key == key)


def usual_weeks(metric, *values, **more):
    return [day(metric, value, week=k, quarters=96, **more) for k, value in enumerate(values, 1)]


def test_today_is_said_against_the_mean_of_four_thursdays_up_to_the_same_time():
    rows = known([registered("bikes")], day("bikes", 28),
                 usual_weeks("bikes", 20, 30, 26, 24))  # fmt: skip
    sheet = said(rows)

    assert sheet.lead == ("Bicycles today until 15:00: 1,680, 12% more than on a usual Thursday.")
    bikes = fact(sheet, "bikes")
    assert (bikes.value, bikes.period, bikes.beside, bikes.state, bikes.coverage) == (
        "1,680", "until 15:00", "12% more than on a usual Thursday", State.FRESH,
        "100% received",
    )  # fmt: skip
    assert said(rows, "fr").lead == (
        "Vélos aujourd’hui jusqu’à 15:00\u00a0: 1\u202f680, 12\u00a0% de plus qu’un jeudi habituel."
    )


def test_a_fresh_installation_knows_no_usual_day_yet():
    sheet = said(known([registered("bikes")], day("bikes", 28)))

    assert sheet.lead == "Bicycles today until 15:00: 1,680."
    assert fact(sheet, "bikes").beside == "no usual Thursday known yet"
    assert sheet.charts[0].table.head == ("Hour", "Today")
    assert len(sheet.charts[0].table.rows) == 15


def test_a_day_of_which_a_third_is_missing_is_not_compared():
    rows = known([registered("bikes")], day("bikes", 28, quarters=40),
                 usual_weeks("bikes", 25, 25))  # fmt: skip

    assert fact(said(rows), "bikes").beside == "not compared: too much is missing today"
    assert "%" not in said(rows).lead


def test_an_open_quarter_hour_is_not_shown():
    open_one = Window("bikes", LILLE, 900, NOW.replace(minute=0), 500.0, None, 1, 1)

    sheet = said(known([registered("bikes")], [*day("bikes", 28), open_one]))

    assert fact(sheet, "bikes").value == "1,680"


def test_a_sensor_that_never_spoke_is_no_zero():
    sheet = said(known([registered("bikes"), registered("vehicles")], day("vehicles", 9)))
    bikes = fact(sheet, "bikes")

    assert (bikes.value, bikes.note, bikes.state, bikes.beside) == (
        "", "no measurement", State.ABSENT, "",
    )  # fmt: skip
    assert sheet.charts[0].title == "Vehicles, hour by hour"


def test_where_nothing_came_in_the_lead_says_so_and_nothing_is_drawn():
    sheet = said(known([registered("bikes")], []), "fr")

    assert sheet.lead == "Vélos\u00a0: pas encore de comptage reçu aujourd’hui."
    assert not sheet.charts


def test_nothing_registered_is_an_empty_sheet():
    assert said(known([], [])).empty == (
        "No sensor counts bicycles, pedestrians or vehicles here yet."
    )
    assert not said(known([registered("bikes", TOURCOING)], [])).facts


def test_bicycles_are_drawn_first_and_what_moves_most_where_there_are_none():
    bikes = [registered("bikes"), registered("vehicles")]
    both = said(known(bikes, day("bikes", 6) + day("vehicles", 90)))
    none = said(known([registered("pedestrians"), registered("vehicles")],
                      day("pedestrians", 9) + day("vehicles", 90)))  # fmt: skip

    assert both.charts[0].data["metric"] == "bikes"
    assert none.charts[0].data["metric"] == "vehicles"


def test_hours_tell_apart_few_missing_and_to_come():
    today = day("bikes", 0, quarters=4) + day(
        "bikes", 20, quarters=50, since=MIDNIGHT + 8 * QUARTER
    )
    today[0] = today[0]._replace(total=3.0)
    sheet = said(known([registered("bikes")], today, usual_weeks("bikes", 25, 25)))
    rows = [row[1] for row in sheet.charts[0].table.rows]

    assert rows[:3] == ["fewer than 5", "\u2013", "80"]
    assert rows[14:16] == ["\u2013", "to come"]  # two quarter-hours are no hour
    assert (
        sheet.charts[0]
        .notes[0]
        .startswith(
            "Dashed line: a usual Thursday, mean of 2 weeks. Hollow box: fewer than 5."
            " Dashed box: not measured."
        )
    )


def test_nothing_that_is_shown_depends_on_what_a_small_cell_hides():
    def told(*hidden):
        today = day("pedestrians", 30)
        today[30] = today[30]._replace(total=float(hidden[0]))
        weeks = usual_weeks("pedestrians", 20, 30, 26, 24)
        for week, value in zip(weeks, hidden[1:], strict=True):
            week[30] = week[30]._replace(total=float(value))
        sheet = said(known([registered("pedestrians")], today, weeks))
        answer = as_json(sheet, ALONE, NOW, NOW, away=False, language="en")
        return json.dumps(answer), sheet

    assert told(1, 1, 1, 1, 1) == told(4, 2, 3, 4, 1)


def test_hours_are_added_from_the_published_quarter_hours():
    # 92 in truth; the quarter-hour of 2 stands in as 2.5 as it does where quarter-hours are shown.
    today = day("bikes", 30)
    today[0] = today[0]._replace(total=2.0)
    sheet = said(known([registered("bikes")], today))

    assert sheet.charts[0].data["hours"][0]["value"] == 92.5
    assert sheet.charts[0].table.rows[0] == ("00:00\u201301:00", "about 93")


def test_an_hourly_counter_makes_all_cells_hours():
    hourly = [Window("bikes", LILLE, 3600, MIDNIGHT + k * timedelta(hours=1), 3.0, None, 1, 1)
              for k in range(15)]  # fmt: skip
    sheet = said(known([registered("bikes", step_s=3600)], hourly))

    assert [row[1] for row in sheet.charts[0].table.rows] == ["fewer than 5"] * 15
    assert (fact(sheet, "bikes").note, fact(sheet, "bikes").value) == ("about", "38")


def test_beside_an_hourly_counter_quarter_hours_are_told_by_the_hour_and_not_before():
    # 15:37 in Paris: the hour since 15:00 is open.
    now = NOW + timedelta(minutes=30)
    registry = [registered("bikes"), registered("bikes", TOURCOING, step_s=3600)]
    hourly = [Window("bikes", TOURCOING, 3600, MIDNIGHT + k * timedelta(hours=1), 7.0, None, 1, 1)
              for k in range(15)]  # fmt: skip
    sheet = said(known(registry, day("bikes", 2, quarters=62) + hourly, now=now), now=now)

    # Each quarter-hour is told as 2.5 still: once the hourly counter falls silent it is told alone.
    assert (fact(sheet, "bikes").note, fact(sheet, "bikes").quantity.value) == ("about", 15 * 10)
    assert fact(sheet, "bikes").quantity.at == NOW.replace(minute=0)


def test_the_whole_adds_up_what_each_commune_publishes():
    registry = [registered("bikes"), registered("bikes", TOURCOING)]
    today = day("bikes", 3) + day("bikes", 40, territory=TOURCOING)
    weeks = [
        day("bikes", 30, week=k, quarters=96) + day("bikes", 20, week=k, quarters=96,
                                                     territory=TOURCOING)
        for k in (1, 2)
    ]  # fmt: skip
    whole = fact(said(known(registry, today, weeks), where=WHOLE), "bikes")

    assert whole.quantity.value == 60 * 42.5
    assert whole.beside == "15% less than on a usual Thursday"


def test_a_counter_that_is_new_since_last_week_is_not_taken_for_more_bicycles():
    rows = known([registered("bikes", sensors=4)], day("bikes", 40, sensors=4),
                 usual_weeks("bikes", 30, 30, 30, 30, sensors=3))  # fmt: skip

    assert fact(said(rows), "bikes").beside == "no usual Thursday known yet"


def test_the_day_after_the_clocks_changed_has_its_sunday_of_24_hours_as_usual():
    # 5 April: the Sunday before had 23 hours and is no usual day; the two before it are.
    now = datetime(2026, 4, 5, 13, 7, tzinfo=UTC)
    midnight = datetime(2026, 4, 4, 22, tzinfo=UTC)
    weeks = [
        [w for start, end in [days_before(now, "Europe/Paris")[k]]
         for w in day("bikes", value, quarters=(end - start) // QUARTER, since=start)]
        for k, value in enumerate((900, 20, 20, 20))
    ]  # fmt: skip
    rows = known([registered("bikes")], day("bikes", 20, since=midnight), weeks, now=now)

    sheet = said(rows, now=now)

    assert fact(sheet, "bikes").beside == "about the same as on a usual Sunday"
    assert sheet.charts[0].data["usual_days"] == 3


@pytest.mark.parametrize(("midnight", "hours"), [((2026, 3, 28, 23), 23), ((2026, 10, 24, 22), 25)])
def test_the_days_of_the_change_have_23_and_25_hours(midnight, hours):
    since = datetime(*midnight, tzinfo=UTC)
    now = since + timedelta(hours=hours - 1, minutes=5)
    today = day("bikes", 20, quarters=4 * (hours - 1), since=since)
    rows = known([registered("bikes")], today, now=now)

    (chart,) = said(rows, now=now).charts
    assert len(chart.data["hours"]) == hours
    assert [row[1] for row in chart.table.rows] == ["80"] * (hours - 1)


def test_free_places_add_up_and_have_a_state_of_their_own():
    latest = [
        Latest("parking_free", LILLE, 300, NOW - timedelta(seconds=ago), value)
        for ago, value in ((60, 100.0), (200, 40.0), (4000, 500.0))
    ]
    free = fact(said(known([registered("parking_free", sensors=3, step_s=300)], [],
                           latest=latest)), "parking_free")  # fmt: skip

    assert (free.value, free.state, free.coverage) == ("140", State.FRESH, "sensors: 2 of 3")


def test_free_places_that_are_old_say_of_when_they_are():
    latest = [Latest("parking_free", LILLE, 300, NOW - timedelta(hours=2), 40.0)]
    free = fact(said(known([registered("parking_free", step_s=300)], [], latest=latest), "fr"),
                "parking_free")  # fmt: skip

    assert (free.state, free.said, free.value) == (State.STALE, "donnée du 12 mars 13:07", "40")


ROLE = "beffroi_test_moving"


@contextlib.contextmanager
def public(conninfo):
    """A role that may read what the public board may."""
    with psycopg.connect(conninfo, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        owner.execute(f"GRANT USAGE ON SCHEMA board TO {ROLE}")
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA board TO {ROLE}")
        try:
            yield owner
        finally:
            owner.execute(f"DROP OWNED BY {ROLE}")
            owner.execute(f"DROP ROLE {ROLE}")


async def loaded(conninfo, now, former=None):
    connection = await asyncpg.connect(conninfo)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(f"SET LOCAL ROLE {ROLE}")
            return await moving.load(connection, now, former)
    finally:
        await connection.close()


async def test_an_empty_database_has_nothing_to_show(database):
    with public(database):
        rows = await loaded(database, datetime.now(UTC))

    assert said(rows, where=WHOLE).empty


async def test_a_filled_city_is_read_as_the_public_role(city):
    now = datetime.now(UTC)
    with public(city) as owner:
        rows = await loaded(city, now)
        # Where the clocks changed within the four weeks, that day is no usual one.
        week = next(k for k, cells in enumerate(rows.past["", "bikes"]) if cells)
        start, end = days_before(now, "Europe/Paris")[week]
        (truth,) = owner.execute(
            "SELECT sum(CASE WHEN total BETWEEN 1 AND 4 THEN 2.5 ELSE total END) FROM"
            " (SELECT sum(total) AS total FROM mobility.quarter_hours"
            "   WHERE metric = 'bikes' AND start >= %s AND start < %s"
            "   GROUP BY territory, start) cells",
            (start, end),
        ).fetchone()

    assert {place for place, metric in rows.counted if metric == "bikes"} == {
        "", "99001", "99002", "08999001",
    }  # fmt: skip
    assert {len(cells) for cells in rows.past["99001", "bikes"]} <= {0, 96}
    assert sum(cell.amount.value for cell in rows.past["", "bikes"][week]) == truth > 0
    assert rows.counted["", "bikes"].usual.hours[12].value > 100


async def test_the_weeks_before_are_read_again_after_an_hour_and_not_each_minute(city):
    noon = datetime.now(UTC).replace(hour=12)

    def measured(rows):
        return {cell.amount.value for cells in rows.past["99002", "bikes"] for cell in cells}

    with public(city) as owner:
        first = await loaded(city, noon)
        owner.execute(
            "UPDATE mobility.rollup_15min SET sum = 1000 WHERE series_id ="
            " (SELECT series_id FROM public.series WHERE territory = '99002' AND metric = 'bikes')"
        )
        soon = await loaded(city, noon + timedelta(minutes=59), first)
        later = await loaded(city, noon + timedelta(minutes=60), soon)

    assert soon.past is first.past
    assert measured(later) == {1000.0} != measured(first)
