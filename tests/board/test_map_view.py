"""The map says of each commune its class of air and how much is heard there, and no more."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import psycopg
import pytest

from dashboards.board.air_index import EUROPEAN, FRENCH, AirIndex, choose
from dashboards.board.figures import NOTHING, Amount
from dashboards.board.language import codes, language
from dashboards.board.open_json import as_json
from dashboards.board.pages import History, Period
from dashboards.board.rows import Registered, Window
from dashboards.board.sheet import State, Where
from dashboards.board.views import map as city_map
from dashboards.board.views.map_rows import (
    Heard,
    HourMean,
    MapRows,
    Place,
    Site,
    hour_means,
    lay_out,
    load,
)
from dashboards.board.views.view import Asked
from storage.catalogue import BY_NAME
from tests.board.city import State as City
from tests.board.public_role import reading

NOW = datetime(2026, 3, 12, 14, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT = NOW.replace(minute=0)
MIDNIGHT = datetime(2026, 3, 11, 23, tzinfo=UTC)


def index(territory, value, at=AT, **more):
    given = {"n": 3, "due": 5, "status": "partial", "dominant": ("o3",), "site": "",
             "site_name": "", "sites": 1, "indicative": False}  # fmt: skip
    return AirIndex(territory, FRENCH, MIDNIGHT, MIDNIGHT + 24 * HOUR, at, value, **(given | more))


def square(x, y):
    ring = [[x, y], [x + 0.1, y], [x + 0.1, y + 0.1], [x, y + 0.1], [x, y]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def today(amount):
    return History(Period.TODAY, amount, NOTHING, AT, 1, 1, HOUR, ())


def rows(n=2, **more):
    places = [Place(f"t{k:02d}", f"Commune {k}", "Europe/Paris") for k in range(n)]
    outlines = {place.code: square(7 + k % 8 * 0.1, 48 + k // 8 * 0.1)
                for k, place in enumerate(places)}  # fmt: skip
    sites = tuple(Site(place.code, "gare", f"Gare {k}", 7.05 + k % 8 * 0.1, 48.05 + k // 8 * 0.1)
                  for k, place in enumerate(places))  # fmt: skip
    whole, plans = lay_out(outlines, sites)
    made = MapRows(
        AT, places, sites,
        tuple(Heard(p.code, "gare", 4, 3, 90, 96, True, True, False) for p in places),
        {"t00": index("t00", 2)}, {}, {}, outlines, whole, plans,
    )  # fmt: skip
    return replace(made, **more)


def asked(given, code="en", territory=""):
    of_all = frozenset(place.code for place in given.places)
    where = Where(
        territory, "there", "Europe/Paris", frozenset([territory]) if territory else of_all
    )
    return Asked(where, language(code), NOW)


def said(given, code="en", territory=""):
    return city_map.say(given, asked(given, code, territory))


def test_a_commune_without_an_index_is_dashed_and_a_dash_and_never_a_0():
    sheet = said(rows())

    chart = sheet.charts[0]
    assert [s.attributes["class"] for s in chart.drawing.shapes if s.tag == "path"] == [
        "g2 outline", "none",
    ]  # fmt: skip
    assert chart.table.rows == (
        ("Commune 0", "2 average", "–", "–", "–", "93%"),
        ("Commune 1", "–", "–", "–", "–", "93%"),
    )
    assert chart.data["territories"][1]["air"] is None
    assert chart.data["territories"][1]["bikes_today"] == {"value": None}
    assert sheet.lead == "The air today: average in 1 commune. 1 commune has no index."
    assert chart.said == "Map of 2 communes. Average: Commune 0. No index: Commune 1."


def test_communes_sensors_and_measurements_are_told_as_so_many_of_so_many():
    heard = (Heard("t00", "gare", 4, 3, 90, 96, True, True, False),
             Heard("t01", "gare", 2, 0, 0, 96, True, False, False))  # fmt: skip

    facts = {fact.key: fact for fact in said(rows(heard=heard)).facts}

    assert facts["communes"].value == "1 of 2"
    assert facts["sensors"].value == "3 of 6"
    # 90 of 192 are 46.9 %: never rounded up.
    assert (facts["received"].value, facts["received"].beside) == ("46%", "of 192 that were due")
    assert facts["received"].age == "7 min ago"
    assert facts["received"].quantity[5:] == (90, 192)


def test_where_nothing_was_due_the_share_is_absent_and_no_0():
    heard = (Heard("t00", "gare", 1, 1, 0, 0, False, True, False),)

    fact = said(rows(heard=heard)).facts[2]

    assert (fact.value, fact.note, fact.state) == ("", "no measurement", State.ABSENT)


def test_bicycles_1_to_4_are_fewer_than_5_in_the_table_and_in_the_data():
    past = {
        ("t00", "bikes"): today(Amount(2.5, True)),
        ("t01", "bikes"): today(Amount(102.5, True)),
        ("t00", "energy_used"): today(Amount(12.0)),
        ("t00", "energy_import"): today(NOTHING),
    }

    sheet = said(rows(past=past))

    assert [row[3] for row in sheet.charts[0].table.rows] == ["<\u00a05", "about 103"]
    assert [row[4] for row in sheet.charts[0].table.rows] == ["12\u00a0kWh", "–"]
    told = sheet.charts[0].data["territories"]
    assert told[0]["bikes_today"] == {"value": None, "below": 5}
    assert told[1]["bikes_today"] == {"value": 102.5, "about": True}
    assert "2.5" not in json.dumps(
        as_json(sheet, asked(rows()).where, NOW, NOW, away=False, language="en")
    ).replace("102.5", "")


def test_an_index_whose_measurements_ended_7_hours_ago_does_not_colour_the_map():
    old = {"t00": index("t00", 5, AT - 7 * HOUR), "t01": index("t01", 1, AT - 5 * HOUR)}

    sheet = said(rows(index=old))

    assert [s.attributes["class"] for s in sheet.charts[0].drawing.shapes if s.tag == "path"] == [
        "none", "g1 outline",
    ]  # fmt: skip
    assert said(rows(index=old), territory="t00").facts[0].said == "data of 12 Mar 08:00"


def test_only_simple_sensors_make_the_map_indicative():
    plain, simple = said(rows()), said(rows(index={"t00": index("t00", 2, indicative=True)}))

    assert "indicative" not in plain.sentences[0].text
    assert "indicative" in simple.sentences[0].text
    assert "official" in plain.sentences[0].text


def test_of_60_communes_the_page_has_at_most_250_elements_and_says_where_the_others_are():
    sheet = said(rows(60))

    (chart,) = sheet.charts
    links, cells = 60, 1 + len(chart.table.head)
    elements = 72 + 14 * len(sheet.facts) + links + cells * len(chart.table.rows)
    assert elements <= 250
    assert 5 < len(chart.table.rows) < 60
    assert f"The table shows {len(chart.table.rows)} of 60 communes" in " ".join(chart.notes)
    assert len(chart.data["territories"]) == 60
    assert len(chart.said) < 300


def test_a_commune_without_outline_is_drawn_around_its_sensors_and_that_is_said():
    outlines = {"t00": square(7, 48), "t01": None}
    sites = (Site("t01", "gare", "Gare", 7.2, 48.0), Site("t00", "x", "Nowhere", None, None))
    whole, plans = lay_out(outlines, sites)

    sheet = said(rows(outlines=outlines, sites=sites, whole=whole, plans=plans))
    alone = said(rows(outlines=outlines, sites=sites, whole=whole, plans=plans), territory="t00")

    assert (
        "Drawn around the sensors, as the outline is not known: Commune 1." in sheet.charts[0].notes
    )
    assert alone.charts[0].notes == ("Not on the map, as nobody said where it is: Nowhere.",)


def test_one_commune_shows_its_sites_as_numbered_dots_and_what_they_measure():
    sheet = said(rows(), territory="t00")

    assert sheet.lead == "The air in Commune 0 today: average. Sensors speak at 1 of 1 place."
    fact = sheet.facts[0]
    assert (fact.value, fact.grade, fact.method) == ("average", 2, "atmo_territory")
    assert (fact.beside, fact.coverage) == ("because of: ozone (O₃)", "pollutants: 3 of 5")
    assert sheet.charts[0].table.rows == (("1 Gare 0", "air, moving", "3 of 4", "93%"),)
    assert [s.tag for s in sheet.charts[0].drawing.shapes].count("circle") == 1


def test_without_outlines_and_places_there_is_nothing_to_show_and_a_reason():
    whole, plans = lay_out({"t00": None, "t01": None}, ())

    assert "There is no map yet" in said(rows(whole=whole, plans=plans)).empty
    assert "There is no map yet" in said(rows(whole=whole, plans=plans), territory="t01").empty
    assert "There is no map yet" in said(MapRows(AT)).empty


@pytest.mark.parametrize("code", [code for code in codes() if code != "en"])
def test_every_text_of_the_map_is_translated(code):
    foreign, english = said(rows(), code), said(rows(), "en")

    assert foreign.title != english.title
    assert foreign.lead != english.lead
    assert not {fact.label for fact in foreign.facts} & {fact.label for fact in english.facts}
    assert not set(foreign.charts[0].notes) & set(english.charts[0].notes)


def test_the_french_index_comes_first_in_france_and_the_worst_site_speaks_elsewhere():
    def european(territory, site, value, start=AT - HOUR):
        return (territory, start, start + HOUR, value, 3, 3, "complete",
                ["dominant no2", "used no2"], False, site, site.title())  # fmt: skip

    french = [(name, MIDNIGHT, MIDNIGHT + 24 * HOUR, 3.0, 4, 5, "partial", ["dominant pm25"], True)
              for name in ("lille", "kehl")]  # fmt: skip
    zones = {"lille": "Europe/Paris", "kehl": "Europe/Berlin"}
    sites = [
        european("lille", "gare", 1.0),
        european("kehl", "rhein", 2.0),
        european("kehl", "markt", 4.0),
        european("kehl", "alt", 6.0, AT - 3 * HOUR),
    ]

    found = choose(french, sites, zones, NOW)

    assert (found["lille"].indicator, found["lille"].value, found["lille"].at) == (FRENCH, 3, AT)
    assert (found["kehl"].indicator, found["kehl"].value) == (EUROPEAN, 4)
    assert (found["kehl"].site_name, found["kehl"].sites) == ("Markt", 2)
    assert found["kehl"].dominant == ("no2",)


def test_an_hour_mean_needs_3_of_4_quarters_and_is_forgotten_after_3_hours():
    def registered(metric, territory):
        known = BY_NAME[metric]
        return Registered(metric, known.domain, known.unit, known.kind, "", "", "", 900, territory,
                          territory, "Europe/Paris", 900, 1)  # fmt: skip

    def quarters(metric, territory, start, *values):
        return [Window(metric, territory, 900, start + n * HOUR / 4, None, value, 1, 1)
                for n, value in enumerate(values)]  # fmt: skip

    registry = [registered("no2", "a"), registered("pm25", "a"), registered("no2", "b"),
                registered("pm25", "b"), registered("o3", "c")]  # fmt: skip
    windows = [
        *quarters("no2", "a", AT - HOUR, 10.0, 20.0, 30.0), *quarters("pm25", "a", AT - HOUR, 1, 1, 1, 1),
        *quarters("no2", "b", AT - HOUR, 10.0, 20.0), *quarters("pm25", "b", AT - 2 * HOUR, 4, 4, 4, 8),
        *quarters("o3", "c", AT - 4 * HOUR, 50, 50, 50, 50),
    ]  # fmt: skip

    assert hour_means(registry, windows, NOW) == {
        "a": HourMean("no2", Amount(20.0), "ug/m3", AT - HOUR),
        "b": HourMean("pm25", Amount(5.0), "ug/m3", AT - 2 * HOUR),
    }


async def test_the_public_role_reads_a_filled_city_as_a_map(filled):
    now = datetime.now(UTC)
    async with reading(filled(City.FRESH)) as connection:
        found = await load(connection, now, None)
        again = await load(connection, now, found)

    sheet = said(found, "fr")
    assert again.whole is found.whole
    assert [area.known for area in found.whole.areas] == [False, True, True]
    assert {code: index.indicator for code, index in found.index.items()} == {
        "99001": FRENCH, "99002": FRENCH, "08999001": EUROPEAN,
    }  # fmt: skip
    assert sheet.facts[0].value == "3 sur 3"
    assert sheet.facts[1].value == "11 sur 11"
    assert 80 < sheet.facts[2].quantity.value <= 100
    assert all("–" not in row[1] for row in sheet.charts[0].table.rows)


async def test_sensors_that_fell_silent_2_days_ago_no_longer_speak(filled):
    async with reading(filled(City.STALE)) as connection:
        found = await load(connection, datetime.now(UTC), None)

    assert {heard.speaking for heard in found.heard} == {0}
    assert found.means == {}
    sheet = said(found)
    assert sheet.facts[1].value == "0 of 11"
    assert sheet.lead == "No commune has an index of the air at the moment."


async def test_an_empty_database_has_no_map(database: str, connection: psycopg.Connection):
    lent = await asyncpg.connect(database)
    try:
        found = await load(lent, NOW, None)
    finally:
        await lent.close()

    assert said(found).empty


def test_communes_of_two_countries_are_compared_by_the_european_index_of_all_of_them():
    of_two = {"t00": index("t00", 2), "t01": index("t01", 3)._replace(indicator=EUROPEAN)}
    common = {code: index(code, 3)._replace(indicator=EUROPEAN) for code in of_two}

    alike, mixed = said(rows(european=common)), said(rows(index=of_two, european=common))

    assert alike.lead == "The air today: average in 1 commune. 1 commune has no index."
    assert mixed.lead == "The air right now: moderate in 2 communes."
    assert [line[1] for line in mixed.charts[0].table.rows] == ["3 moderate", "3 moderate"]
    told = "The same index for every commune: the European one."
    assert [told in sheet.charts[0].notes for sheet in (alike, mixed)] == [False, True]


def test_the_smaller_letters_of_pages_leave_room_for_names_that_screens_have_none_for():
    places = [Place("t00", "Saint-Aubry-les-Tilleuls", "Europe/Paris"),
              Place("t01", "Neuhausen am Strom", "Europe/Berlin")]  # fmt: skip
    chart = said(rows(places=places)).charts[0]
    assert chart.near is not None
    words = {shape.text for shape in chart.near.shapes}

    assert {"Neuhausen", "am Strom"} <= words or "Neuhausen am Strom" in words
    assert {"Saint-Aubry-", "les-Tilleuls"} <= words or "Saint-Aubry-les-Tilleuls" in words
    assert not any("no room" in note for note in chart.notes)
