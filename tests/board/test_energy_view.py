"""Energy is told against a usual day and the year before, summed and never averaged by building."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dashboards.board.language import codes, language
from dashboards.board.open_json import as_json
from dashboards.board.sheet import Sheet, State, Where
from dashboards.board.usual import days_before
from dashboards.board.views import energy
from dashboards.board.views.energy_month import saving, year_on_year
from dashboards.board.views.energy_rows import Building, Energy, Hour, Meters, load
from dashboards.board.views.view import Asked
from storage.city import parse
from storage.registry import register
from tests.board.public_role import reading

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 12, 11, 20, tzinfo=UTC)  # a Thursday, 12:20 in Paris
MIDNIGHT = datetime(2026, 3, 11, 23, tzinfo=UTC)
VIEUX = Where("99001", "Vieux", "Europe/Paris", frozenset({"99001"}))
WHOLE = Where("", "Val", "Europe/Paris", frozenset({"99001", "99002"}))


def hours(
    metric: str, each: float, *, since: datetime = MIDNIGHT, n: int = 12, territory: str = "99001",
    meters: int = 2,
) -> tuple[Hour, ...]:  # fmt: skip
    return tuple(Hour(metric, territory, since + k * HOUR, each, 3600.0 * meters) for k in range(n))


def past(
    metric: str, each: float, *, days: int = 4, meters: int = 2
) -> tuple[tuple[Hour, ...], ...]:
    starts = [start for start, _ in days_before(NOW, "Europe/Paris")][:days]
    return tuple(hours(metric, each, since=start, n=24, meters=meters) for start in starts)


def building(site: str, mean_day: float, change: float | None, **changed: Any) -> Building:
    said: dict[str, Any] = {
        "territory": "99001", "site": site, "month": date(2026, 3, 1), "mean_day": mean_day,
        "days": 11, "until": MIDNIGHT, "change": change, "corrected": change is not None,
        "expected": None, "saving": None, "saving_low": None, "saving_high": None,
        "indicative": False,
    }  # fmt: skip
    return Building(**(said | changed))


def known(
    today: Iterable[Hour] = (),
    before: tuple[tuple[Hour, ...], ...] = (),
    buildings: Iterable[Building] = (),
    meters: Mapping[str, int] | None = None,
) -> Energy:
    counted = meters or {"energy_import": 2}
    return Energy(
        tuple(Meters(metric, "99001", n, n) for metric, n in counted.items()), tuple(today),
        {"Europe/Paris": before}, tuple(buildings),
    )  # fmt: skip


def told(rows: Energy, code: str = "en", where: Where = VIEUX, now: datetime = NOW) -> Sheet:
    return energy.say(rows, Asked(where, language(code), now))


def test_twelve_hours_of_88_kwh_are_12_per_cent_less_than_a_usual_thursday():
    sheet = told(known(hours("energy_import", 88), past("energy_import", 100)))

    electricity = sheet.facts[0]
    assert (electricity.value, electricity.unit, electricity.period) == ("1,056", "kWh", "today")
    assert electricity.beside == "12% less than on a usual Thursday"
    assert (electricity.state, electricity.age) == (State.FRESH, "20 min ago")
    assert electricity.coverage == "100% received"
    assert sheet.lead == (
        "Electricity since midnight: 1,056\u00a0kWh, 12% less than on a usual Thursday."
    )


def test_a_fresh_installation_knows_no_usual_day_and_no_year():
    sheet = told(known(hours("energy_import", 88)))

    assert sheet.facts[0].beside == "no usual Thursday known yet"
    year = sheet.facts[1]
    assert (year.value, year.note, year.beside) == (
        "", "not known yet", "a year of readings is needed",
    )  # fmt: skip
    assert (year.state, year.quantity.value) == (State.ABSENT, None)
    assert [chart.key for chart in sheet.charts] == ["today"]


def test_energies_are_told_apart_and_registers_go_with_intervals():
    sheet = told(
        known(
            (*hours("energy_import", 10), *hours("energy_used", 5), *hours("heat_import", 20),
             *hours("gas_import", 3), *hours("energy_export", 1)),
            meters={"energy_import": 2, "energy_used": 1, "heat_import": 1, "gas_import": 1,
                    "energy_export": 1},
        )
    )  # fmt: skip
    amounts = {fact.key: (fact.value, fact.unit) for fact in sheet.facts}

    assert amounts == {
        "electricity": ("180", "kWh"), "year_on_year": ("", ""), "heat": ("240", "kWh"),
        "gas": ("36", "m³"),
    }  # fmt: skip
    said = {sentence.key: sentence.text for sentence in sheet.sentences}
    assert said["produced"] == "Electricity fed into the grid, today: 12 kWh."
    assert said["meters"].startswith("Added up over 5 meters of public buildings")


def test_two_buildings_weigh_by_what_they_would_have_used():
    """900 instead of 1,000 kWh and 12 instead of 10: 9.7 % less, where the mean of both says 5 more."""
    made = year_on_year([building("a", 900, -10), building("b", 12, 20)], VIEUX, NOW)

    assert made is not None
    assert made.change == pytest.approx(912 / 1010 - 1)
    assert (made.then_day, made.now_day) == (pytest.approx(1010), 912)
    sheet = told(known(buildings=[building("a", 900, -10), building("b", 12, 20)]))
    year = sheet.facts[1]
    assert (year.value, year.unit, year.period) == ("\u22129.7", "%", "March 2026, so far")
    assert year.beside == "as if both months had been equally cold"
    assert year.coverage == "buildings: 2 of 2"
    assert sheet.lead == (
        "March 2026: 10% less than a year ago, as if both months had been equally cold."
    )
    assert [chart.key for chart in sheet.charts] == ["today", "month"]
    assert sheet.charts[1].table.rows == (("2025", "1,010"), ("2026", "912"))


def test_a_building_without_a_year_is_counted_and_not_compared():
    made = year_on_year(
        [building("a", 90, -10), building("new", 500, None), building("shut", 0, -100)], VIEUX, NOW
    )

    assert made is not None
    assert (made.buildings, made.of, made.change) == (1, 3, pytest.approx(-0.1))


def test_what_used_more_is_said_with_a_plus_and_without_heating_nothing_is_corrected():
    sheet = told(known(buildings=[building("a", 110, 10, corrected=False)]))

    assert sheet.facts[1].value == "+10"
    assert sheet.facts[1].beside == "as measured: there was little heating to correct for"
    assert "10% more than a year ago" in sheet.lead
    assert "cold" not in {sentence.key for sentence in sheet.sentences}


def test_a_month_of_three_days_waits_behind_the_whole_month_before():
    former = building("a", 95, -5, month=date(2026, 2, 1), days=28)
    young = building("a", 50, -50, days=3)

    made = year_on_year([former, young], VIEUX, NOW)
    assert made is not None
    assert (made.month, made.open) == (date(2026, 2, 1), False)
    alone = year_on_year([young], VIEUX, NOW)
    assert alone is not None
    assert alone.month == date(2026, 3, 1)


def test_savings_add_up_and_their_errors_as_independent_ones():
    baseline = {"expected": 1000.0, "saving": 100.0, "saving_low": 70.0, "saving_high": 130.0}
    other = {"expected": 800.0, "saving": 50.0, "saving_low": 10.0, "saving_high": 90.0}
    rows = [building("a", 90, -10, **baseline), building("b", 90, -10, **other)]

    made = saving(rows, VIEUX, date(2026, 3, 1))
    assert made is not None
    assert (made.saved, made.expected, made.margin) == (150.0, 1800.0, pytest.approx(50.0))
    said = {sentence.key: sentence.text for sentence in told(known(buildings=rows)).sentences}
    assert said["saving"] == (
        "March 2026: 2 buildings used 150\u00a0kWh less than their past lets expect (give or take "
        "50\u00a0kWh)."
    )


def test_a_saving_of_30_give_or_take_40_is_not_claimed():
    unsure = {"expected": 800.0, "saving": 30.0, "saving_low": -10.0, "saving_high": 70.0}
    sheet = told(known(buildings=[building("a", 90, -10, **unsure)]))
    said = {sentence.key: sentence.text for sentence in sheet.sentences}

    assert said["saving"] == (
        "March 2026: whether 1 building used less than it did before cannot be told."
    )


def test_hours_missing_or_half_measured_stay_gaps_and_the_open_hour_is_not_shown():
    evening = NOW + 10 * HOUR
    day = list(hours("energy_import", 10, n=22))
    day[3] = day[3]._replace(total=2.0, filled_s=5000.0)
    del day[5]
    sheet = told(known(day, past("energy_import", 10)), now=evening)
    chart = sheet.charts[0]

    assert len(chart.table.rows) == 22
    assert chart.table.rows[3] == ("03:00–04:00", "–", "10")
    assert chart.table.rows[5] == ("05:00–06:00", "–", "10")
    boxes = [s.attributes["class"] for s in chart.drawing.shapes if s.tag == "rect"]
    assert (boxes.count("bar"), boxes.count("none")) == (20, 2)
    assert chart.notes[-1].startswith("Dashed box: not measured")
    data = as_json(sheet, VIEUX, NOW, NOW, away=False, language="en")["charts"][0]["hours"]
    assert data[5] == {"start": "2026-03-12T05:00:00+01:00", "value": None, "usual": 10.0}


def test_no_meter_heard_today_is_no_measurement_and_never_0():
    sheet = told(known(before=past("energy_import", 10)))

    electricity = sheet.facts[0]
    assert (electricity.value, electricity.note, electricity.state) == (
        "", "no measurement", State.ABSENT,
    )  # fmt: skip
    assert electricity.quantity.value is None
    assert sheet.lead == ""


def test_half_past_midnight_the_day_has_just_begun():
    early = told(known(), now=MIDNIGHT + timedelta(minutes=30)).facts[0]
    late = told(known(), now=MIDNIGHT + timedelta(minutes=75)).facts[0]

    assert (early.note, early.state) == ("the day has just begun", State.FRESH)
    assert (late.note, late.state) == ("no measurement", State.ABSENT)


def test_meters_that_fell_silent_three_hours_ago_make_the_sum_late():
    fact = told(known(hours("energy_import", 10, n=9))).facts[0]

    assert (fact.state, fact.age, fact.coverage) == (State.LATE, "3 h ago", "75% received")


@pytest.mark.parametrize(
    ("now", "columns"),
    [
        (datetime(2026, 3, 29, 21, 30, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 22, 30, tzinfo=UTC), 25),
    ],
)
def test_days_of_23_and_25_hours_have_as_many_columns_the_last_to_come(now: datetime, columns: int):
    first = now.replace(minute=0) - (columns - 1) * HOUR
    rows = known(hours("energy_import", 10, since=first, n=columns - 1))
    chart = told(rows, now=now).charts[0]

    assert len(chart.table.rows) == columns - 1
    assert (chart.table.rows[0][0], chart.table.rows[-1][0]) == ("00:00–01:00", "22:00–23:00")
    assert sum(shape.tag == "rect" for shape in chart.drawing.shapes) == columns - 1


def test_a_place_without_a_meter_says_so_and_screens_leave_it_out():
    elsewhere = Where("99002", "Neuf", "Europe/Paris", frozenset({"99002"}))

    assert told(known(), where=elsewhere).empty == (
        "No meter of a public building is connected here yet."
    )
    assert told(Energy()).empty


def test_the_whole_installation_is_the_sum_of_its_places():
    today = (*hours("energy_import", 10), *hours("energy_import", 5, territory="99002", meters=1))
    rows = Energy(
        (Meters("energy_import", "99001", 2, 2), Meters("energy_import", "99002", 1, 1)), today,
    )  # fmt: skip

    assert told(rows, where=WHOLE).facts[0].value == "180"
    assert told(rows).facts[0].value == "120"


@pytest.mark.parametrize("code", codes())
def test_every_language_says_all_of_it_in_its_own_words(code: str):
    rows = known(hours("energy_import", 88), past("energy_import", 100),
                 [building("a", 900, -10)])  # fmt: skip
    sheet, english = told(rows, code), told(rows)

    for mine, source in zip(sheet.sentences, english.sentences, strict=True):
        assert (mine.text == source.text) is (code == "en")
    assert (sheet.facts[1].beside == english.facts[1].beside) is (code == "en")


CITY = """
[city]
name = "Val"
timezone = "Europe/Paris"
[[territory]]
code = "99001"
name = "Vieux"
[[binding]]
topic = "city/{territory}/{site}/{sensor}"
"""
LIST = """territory,site,site_name,sensor,metric,field,unit,step_s
99001,ecole,École,linky,energy_import,index,kW.h,900
99001,ecole,École,linky,energy_used,used,kW.h,900
99001,mairie,Mairie,lent,energy_used,used,kW.h,86400
99001,mairie,Mairie,volt,voltage,u,V,60
"""


@pytest.fixture
def val(connection: psycopg.Connection) -> psycopg.Connection:
    """A school whose meter says a register and intervals, and a meter that speaks once a day."""
    register(connection, parse(CITY, LIST))
    for since in (MIDNIGHT, *(start for start, _ in days_before(NOW, "Europe/Paris"))):
        connection.execute(
            "INSERT INTO energy.rollup_1h"
            " SELECT h, CASE WHEN h >= %(today)s THEN 9 ELSE 10 END, 0, 0, 0, 0, 0, 0, 3600,"
            "        series_id, 4, 4, 4, 0, false, ''"
            "   FROM city.series, generate_series(%(since)s, %(since)s + interval '23 hours',"
            "                                     interval '1 hour') h",
            {"since": since, "today": MIDNIGHT},
        )
    for name, start, stop, value, code in (
        ("building_year_on_year", "2026-02-28 23:00Z", "2026-03-31 22:00Z", -10.0, 1),
        *(("building_energy", MIDNIGHT - k * 24 * HOUR, MIDNIGHT - (k - 1) * 24 * HOUR, 90.0, 0)
          for k in range(1, 9)),
    ):  # fmt: skip
        connection.execute(
            "INSERT INTO energy.figure"
            " SELECT %s, %s, '-infinity', %s, 'NaN', 'NaN', site_id, 8, 8, %s, indicator_id, 1, 0,"
            "        true, true"
            "   FROM city.indicator, city.site WHERE indicator = %s AND code = 'ecole'",
            [start, stop, value, code, name],
        )
    return connection


async def test_an_empty_database_has_no_energy(database: str):
    async with reading(database) as lent:
        assert await load(lent, NOW, None) == Energy()


async def test_what_is_measured_reaches_the_sheet(val: psycopg.Connection, database: str):
    async with reading(database) as lent:
        found = await load(lent, NOW, None)

    assert found.meters == (Meters("energy_import", "99001", 1, 1),)
    sheet = told(found)
    electricity, year = sheet.facts
    assert (electricity.value, electricity.beside) == ("108", "10% less than on a usual Thursday")
    assert (year.value, year.indicative) == ("\u221210", "indicative measurement")
    assert year.beside == "as if both months had been equally cold"
    assert sheet.charts[1].table.rows == (("2025", "100"), ("2026", "90"))


async def test_what_is_over_is_read_once_an_hour_and_today_anew(
    val: psycopg.Connection, database: str
):
    async with reading(database) as lent:
        first = await load(lent, NOW, None)
        val.execute("UPDATE energy.rollup_1h SET sum = 2 * sum")
        second = await load(lent, NOW + timedelta(minutes=1), first)
        third = await load(lent, NOW + HOUR, second)

    assert second.past is first.past
    assert second.today[0].total == 2 * first.today[0].total == 18
    assert third.past["Europe/Paris"][0][0].total == 20
