"""What the platform uses is added up from hours as they were written, and estimated openly."""

from datetime import UTC, date, datetime, timedelta

import asyncpg
import psycopg
import pytest

from dashboards.board.language import codes, language
from dashboards.board.sheet import State, Where
from dashboards.board.views import platform
from dashboards.board.views.platform import PlatformRows, load
from dashboards.board.views.platform_use import (
    Use,
    Used,
    by_day,
    by_hour,
    bytes_per_reading,
    energy,
    last_day,
)
from dashboards.board.views.view import Asked
from storage import footprint_store
from storage.footprint import Footprint
from tests.board.city import State as City
from tests.board.public_role import reading

NOW = datetime(2026, 3, 12, 14, 7, tzinfo=UTC)
AT = NOW.replace(minute=0)
HOUR = timedelta(hours=1)


def used(back, program="processor", *, seconds=3600.0, cpu_s=90.0, memory=200_000_000, size=None):
    return Used(AT - back * HOUR, program, seconds, cpu_s, memory, size)


def asked(code="en", n=2):
    codes = frozenset(f"t{k:02d}" for k in range(n))
    return Asked(Where("", "there", "Europe/Paris", codes), language(code), NOW)


def said(rows, code="en", n=2):
    return platform.say(rows, asked(code, n))


def a_month(**more):
    rows = [used(back, size=10**9 + (800 - back) * 50_000) for back in range(1, 760)]
    rows += [used(back, "collector", cpu_s=60.0, memory=100_000_000) for back in range(1, 760)]
    given = {"used": rows, "stored": {AT - back * HOUR: 1000 for back in range(1, 760)},
             "sampled": AT - HOUR, "database_bytes": 1_040_000_000}  # fmt: skip
    return PlatformRows(**(given | more))


def test_two_programs_that_share_a_row_do_not_make_a_day_of_48_hours():
    rows = [used(back, "collector", seconds=7200.0, cpu_s=72.0) for back in range(1, 25)]

    assert last_day(rows, NOW) == Use(86400.0, 24 * 72.0, 200_000_000)


def test_the_first_row_after_a_start_counts_only_the_10_minutes_that_it_ran():
    rows = [used(2, seconds=600.0, cpu_s=60.0), used(1, cpu_s=36.0)]

    assert last_day(rows, NOW) == Use(4200.0, 96.0, 200_000_000)


def test_a_row_that_was_written_late_speaks_of_the_hours_without_one_but_not_of_its_neighbours():
    late = [used(4, seconds=3 * 3600.0, cpu_s=300.0), used(1)]
    twice = [used(2, seconds=2 * 3600.0), used(1)]

    assert last_day(late, NOW).elapsed_s == 4 * 3600
    assert last_day(twice, NOW).elapsed_s == 2 * 3600


def test_the_hour_that_is_not_over_counts_only_where_there_is_no_other():
    open_hour = used(0, seconds=420.0, cpu_s=30.0)

    assert last_day([used(1), open_hour], NOW) == Use(3600.0, 90.0, 200_000_000)
    short = used(1, seconds=1500.0, cpu_s=60.0)
    assert last_day([short, open_hour], NOW) == Use(1920.0, 90.0, 200_000_000)


def test_of_less_than_half_an_hour_nothing_is_said():
    assert last_day([used(0, seconds=420.0, cpu_s=30.0)], NOW) is None
    assert last_day([], NOW) is None
    assert last_day([used(26)], NOW) is None


def test_a_core_at_5_percent_takes_21_watt_hours_a_day_between_3_and_23():
    spent = energy(Use(86400.0, 4320.0, 0))

    # 24 h x (0.74 W + 0.05 x (3.5 W - 0.74 W))
    assert spent.value == pytest.approx(21.072)
    assert spent.least == pytest.approx(24 * 0.05 * 2.76)
    assert spent.most == pytest.approx(24 * (0.78 + 0.05 * 3.48))


def test_one_and_a_half_busy_cores_keep_2_ready():
    assert energy(Use(3600.0, 5400.0, 0)).value == pytest.approx(24 * (2 * 0.74 + 1.5 * 2.76))


def test_electricity_of_less_than_a_day_is_told_as_of_a_whole_day():
    assert energy(Use(3600.0, 180.0, 0)) == energy(Use(86400.0, 4320.0, 0))


def test_hours_without_a_row_are_gaps_and_a_day_of_23_hours_is_one_day():
    hours = by_hour([used(1), used(1, "collector", cpu_s=10.0), used(24)], NOW)
    assert len(hours) == 24
    assert [value for value in hours.values() if value is not None] == [90.0, 100.0]

    # Clocks go forward on 29 March 2026: that day begins at 23:00 UTC and ends at 22:00 UTC.
    first = datetime(2026, 3, 28, 23, tzinfo=UTC)
    rows = [Used(first + n * HOUR, "processor", 3600.0, 1.0, 0, None) for n in range(-1, 24)]
    days = by_day(rows, datetime(2026, 3, 30, 12, tzinfo=UTC), "Europe/Paris", 3)
    assert days == {date(2026, 3, 27): None, date(2026, 3, 28): 1.0, date(2026, 3, 29): 23.0}


def test_a_reading_takes_the_bytes_by_which_the_database_grows_for_it():
    sizes = [used(back, size=10**9 + (100 - back) * 50_000) for back in range(1, 60)]
    stored = {AT - back * HOUR: 1000 for back in range(1, 60)}

    assert bytes_per_reading(sizes, stored, 14) == pytest.approx(50.0)
    assert bytes_per_reading(sizes[:20], stored, 14) is None
    assert bytes_per_reading([used(b, size=10**9) for b in range(1, 60)], stored, 14) is None
    assert bytes_per_reading(sizes, {}, 14) is None
    assert bytes_per_reading([], stored, 14) is None


def test_a_month_is_told_in_four_figures_thirty_columns_and_a_lamp():
    sheet = said(a_month())

    assert sheet.lead.endswith("a 5-watt lamp that burns for 4 hours.")
    facts = {fact.key: fact for fact in sheet.facts}
    assert (facts["electricity"].note, facts["electricity"].value) == ("about", "21\u00a0Wh")
    assert facts["electricity"].beside == "from 2.8 to 22 Wh"
    assert facts["electricity"].coverage == "hours measured: 24 of 24"
    assert facts["processor"].value == "4.2\u00a0%"
    assert facts["processor"].beside == "3,600 s of computing; memory: 300\u00a0MB"
    assert facts["database"].value == "1.0\u00a0GB"
    assert facts["database"].beside == "50 bytes per measurement, with all that is computed from it"
    assert facts["readings"].value == "24,000"
    assert {fact.state for fact in sheet.facts} == {State.FRESH}
    (chart,) = sheet.charts
    assert len(chart.table.rows) == 30
    assert chart.table.rows[-1] == ("11 Mar", "3,600")
    assert "Cloud Carbon Footprint" in chart.notes[0]
    assert "not measured" in chart.notes[0]
    assert "Not in it: the database" in sheet.sentences[0].text
    assert chart.data["electricity"]["value"] == pytest.approx(24 * (0.74 + 2.76 / 24))


def test_a_platform_of_2_hours_is_shown_by_the_hour_and_says_that_starting_takes_more():
    sheet = said(PlatformRows(used=[used(2), used(1)]))

    assert sheet.facts[0].coverage == "hours measured: 2 of 24"
    assert [(s.key, s.mark) for s in sheet.sentences] == [
        ("without", "plain"),
        ("young", "warning"),
    ]
    (chart,) = sheet.charts
    assert len(chart.table.rows) == 24
    assert chart.table.rows[0] == ("15:00", "–")
    assert chart.table.rows[-1] == ("14:00", "90")
    assert sum(s.attributes.get("class") == "none" for s in chart.drawing.shapes) == 22
    assert chart.said.endswith("22 were not measured.")


def test_what_is_not_known_is_absent_and_no_0():
    facts = {fact.key: fact for fact in said(PlatformRows(used=[used(1)])).facts}

    for key in ("database", "readings"):
        assert (facts[key].value, facts[key].state) == ("", State.ABSENT)
    assert said(PlatformRows()).empty.startswith("The platform has not measured itself yet")


def test_a_platform_that_stopped_measuring_8_hours_ago_is_stale():
    fact = said(PlatformRows(used=[used(back) for back in range(8, 30)])).facts[0]

    assert (fact.state, fact.coverage) == (State.STALE, "hours measured: 17 of 24")


def test_of_60_communes_the_table_is_shorter_and_says_where_the_rest_is():
    (chart,) = said(a_month(), n=60).charts

    assert len(chart.table.rows) == 14
    assert chart.notes[-1] == "The table shows the newest; all are in the data (JSON)."
    assert len(chart.data["values"]) == 30


@pytest.mark.parametrize("code", [code for code in codes() if code != "en"])
def test_every_text_of_the_platform_is_translated(code):
    foreign, english = said(a_month(), code), said(a_month(), "en")

    assert foreign.title != english.title
    assert foreign.lead != english.lead
    assert not {fact.label for fact in foreign.facts} & {fact.label for fact in english.facts}
    assert not {s.text for s in foreign.sentences} & {s.text for s in english.sentences}
    assert foreign.charts[0].title != english.charts[0].title
    assert foreign.charts[0].notes != english.charts[0].notes


async def test_the_public_role_reads_what_the_programs_wrote(
    database: str, connection: psycopg.Connection
):
    writing = await asyncpg.connect(database)
    try:
        assert said(await load(writing, NOW, None)).empty
        for program, memory in (("collector", 90_000_000), ("processor", 150_000_000)):
            one = Footprint(program, AT - HOUR, 3600.0, 36.0, memory)
            await footprint_store.save(writing, one)
            await footprint_store.save(writing, one)
        await footprint_store.measure(writing, one)
    finally:
        await writing.close()
    connection.execute(
        "INSERT INTO pipeline.territory_hour"
        " SELECT %s, 9, 0, 9, 0, 9, 7, 2, 0, t FROM generate_series(0, 2) t",
        [AT - HOUR],
    )

    async with reading(database) as lent:
        found = await load(lent, NOW, None)

    assert last_day(found.used, NOW) == Use(3600.0, 144.0, 240_000_000)
    assert found.stored == {AT - HOUR: 21}
    assert found.database_bytes is not None
    assert 1_000_000 < found.database_bytes == found.used[-1].database_bytes
    sheet = said(found)
    assert sheet.facts[1].value == "4.0\u00a0%"
    assert sheet.facts[3].value == "21"


async def test_a_filled_city_has_a_month_of_days(filled):
    async with reading(filled(City.FRESH)) as lent:
        found = await load(lent, datetime.now(UTC), None)

    sheet = platform.say(found, Asked(asked().where, language("fr"), datetime.now(UTC)))
    assert not sheet.empty
    assert len(sheet.charts[0].table.rows) == 30
    assert sheet.facts[0].state is State.FRESH
