"""A public measure is told with its interval, and nothing is claimed that is not conclusive."""

from __future__ import annotations

import datetime
from datetime import UTC, date
from typing import Any

import numpy as np
import psycopg
import pytest

from dashboards.board.drawing.interval import Words, interval
from dashboards.board.drawing.pair import Pair, pair
from dashboards.board.language import codes, language
from dashboards.board.live import live
from dashboards.board.open_json import as_json
from dashboards.board.sheet import Sheet, State, Where
from dashboards.board.views import measure
from dashboards.board.views.measure_rows import Row, Rows, load
from dashboards.board.views.view import Asked
from processors.evaluation.evaluate import evaluate
from storage.city import parse
from storage.evaluations import Reason
from storage.measure_store import save, versions
from storage.measures import Direction, Measure
from storage.registry import register
from storage.review import Author
from tests.board.public_role import reading
from tests.figures.test_measures import roll_up

NOW = datetime.datetime(2026, 5, 2, 10, tzinfo=UTC)
VIEUX = Where("99001", "Vieux", "Europe/Paris", frozenset({"99001"}))
WHOLE = Where("", "Val", "Europe/Paris", frozenset({"99001", "99002"}))


def row(**changed: Any) -> Row:
    """NO2 fell by 3.1 more than elsewhere where the measure holds."""
    said: dict[str, Any] = {
        "code": "zfe", "title_fr": "Zone à faibles émissions", "title_en": "Low-emission zone",
        "title_de": "", "objective": "Less NO2", "territory": "99001", "territory_name": "Vieux",
        "timezone": "Europe/Paris", "in_force": date(2026, 3, 10), "settled": None, "ends": None,
        "indicator": "", "metric": "no2", "daily": "mean", "decision": "Délibération 7",
        "decision_date": date(2026, 2, 1), "decision_url": "https://example.org/7",
        "contact": "air@example.org", "computed_at": NOW, "verdict": "expected",
        "reason": "clear", "effect": "absolute", "unit": "ug/m3",
        "before_from": date(2026, 1, 17), "before_to": date(2026, 3, 10),
        "after_from": date(2026, 3, 10), "after_to": date(2026, 5, 1),
        "matching": "weekdays_before", "estimate": -3.1, "low": -5.0, "high": -1.2,
        "touched_before": 42.0, "touched_after": 38.0, "comparison_before": 30.0,
        "comparison_after": 29.1, "touched_sites": 3, "comparison_sites": 5, "days_before": 52,
        "days_after": 52,
    }  # fmt: skip
    return Row(**(said | changed))


def told(*rows: Row, code: str = "en", where: Where = VIEUX, indicative: str = "",
         chosen: str = "") -> Sheet:  # fmt: skip
    known = Rows(rows, frozenset({indicative} if indicative else ()))
    return measure.say(known, Asked(where, language(code), NOW), chosen)


def words(sheet: Sheet) -> str:
    """Everything that people can read of it."""
    parts = [sheet.lead, sheet.empty, *(each.text for each in sheet.sentences)]
    for fact in sheet.facts:
        parts += [fact.label, fact.value, fact.unit, fact.note, fact.beside, fact.period]
    for chart in sheet.charts:
        parts += [chart.title, chart.said, *chart.notes, *sum(chart.table.rows, ())]
        parts += [shape.text for shape in chart.drawing.shapes]
    return " ".join(parts)


def test_no2_that_fell_3_1_more_than_elsewhere_is_air_that_got_cleaner():
    sheet = told(row())

    assert sheet.lead == (
        "Low-emission zone. The air got cleaner there, compared with elsewhere. Nitrogen dioxide "
        "(NO₂): 3.1\u00a0µg/m³ less than if it had changed as elsewhere (very probably between "
        "1.2 and 5.0)."
    )
    (difference,) = sheet.facts
    assert (difference.value, difference.unit) == ("\u22123.1", "µg/m³")
    assert difference.beside == "very probably from \u22125.0 to \u22121.2"
    assert (difference.state, difference.quantity.value) == (State.FRESH, -3.1)
    assert difference.period == "10 Mar to 30 Apr 2026"
    assert difference.method == "no2"
    before_and_after = sheet.charts[0]
    assert before_and_after.table.rows == (
        ("where the measure holds", "42.0", "38.0"), ("elsewhere", "30.0", "29.1"),
    )  # fmt: skip
    assert before_and_after.notes == ("Means of days and places, in µg/m³.",)


def test_the_decision_is_a_link_and_so_is_the_contact():
    said = {sentence.key: sentence for sentence in told(row()).sentences}

    assert said["decided"].text == "Decision: Délibération 7, 1 Feb 2026."
    assert said["decided"].link == "https://example.org/7"
    assert said["contact"].link == "mailto:air@example.org"
    assert said["since"].text == "In force since 10 Mar 2026."
    assert "3 places where it holds, 5 other places, 52 days before" in said["way"].text
    assert "made of the time before the measure, and shows no difference" in said["way"].text


def test_a_changed_link_makes_pages_load_anew():
    at = {
        url: live(told(row(decision_url=url)), VIEUX, NOW, language("en"), "")["page"]
        for url in ("https://example.org/7", "https://example.org/8")
    }

    assert len(set(at.values())) == 2


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.CLEAR])
@pytest.mark.parametrize("code", codes())
def test_what_is_not_conclusive_claims_no_effect_and_says_why(reason: Reason, code: str):
    high = 0.9 if reason is Reason.COVERS else -1.2
    sheet = told(row(verdict="not_conclusive", reason=reason, high=high), code=code)
    said = words(sheet)

    assert language(code).say("Nobody can tell yet whether it changed anything.") in sheet.lead
    why = sheet.lead.split(language(code).say("Nobody can tell yet whether it changed anything."))
    assert len(why[1]) > 20, "the reason is told in words"
    for estimate in ("3.1", "3,1"):
        assert estimate not in said
    for effect in ("The air got cleaner there, compared with elsewhere.",
                   "What was hoped for has come about."):  # fmt: skip
        assert language(code).say(effect) not in said
    assert sheet.facts[0].value == language(code).say("not conclusive")
    assert sheet.facts[0].quantity.value is None
    assert "-3.1" not in str(as_json(sheet, VIEUX, NOW, NOW, away=False, language=code))
    drawn = [chart.key for chart in sheet.charts]
    assert drawn == (["pair", "interval"] if reason is Reason.COVERS else ["pair"])


def test_an_interval_over_0_is_drawn_across_the_zero_line_without_a_dot():
    sheet = told(row(verdict="not_conclusive", reason="interval_covers_0", high=0.9))
    chart = sheet.charts[1]
    box = next(s.attributes for s in chart.drawing.shapes if s.tag == "rect")
    zero = next(s.attributes for s in chart.drawing.shapes if s.tag == "path")
    left, across = float(box["x"]), float(str(zero["d"])[1:].split()[0])

    assert left < across < left + float(box["width"])
    assert not [shape for shape in chart.drawing.shapes if shape.tag == "circle"]
    assert [cells[0] for cells in chart.table.rows] == ["at least", "at most"]
    assert chart.notes == ("The box reaches over “no difference”: nothing is claimed.", "In µg/m³.")


def test_the_opposite_of_what_was_hoped_for_is_said_too():
    lead = told(row(verdict="against", estimate=3.1, low=1.2, high=5.0)).lead

    assert "The air got worse there" in lead
    assert "3.1\u00a0µg/m³ more than" in lead


def test_counts_in_per_cent_are_told_in_points_of_100_before():
    sheet = told(
        row(metric="bikes", daily="total", effect="percent", unit="%", estimate=12.0, low=4.0,
            high=20.0, touched_before=100.0, touched_after=115.0, comparison_before=100.0,
            comparison_after=103.0)
    )  # fmt: skip

    assert "What was hoped for has come about. Bicycles: 12 points more than" in sheet.lead
    assert (sheet.facts[0].value, sheet.facts[0].unit) == ("+12", "points")
    assert sheet.charts[0].table.rows[0] == ("where the measure holds", "100", "115")
    assert sheet.charts[0].notes == ("Means of days and places; before is 100 everywhere.",)


def test_a_bound_of_0_04_is_not_rounded_to_0():
    assert "between 0.04 and 0.90" in told(row(estimate=-0.5, low=-0.9, high=-0.04)).lead


def test_a_measure_that_was_examined_goes_before_a_newer_one_that_was_not():
    nothing = dict.fromkeys(Row._fields[Row._fields.index("computed_at") :])
    begun = row(code="new", title_en="New", in_force=date(2026, 4, 20), **nothing)
    ahead = row(code="ahead", title_en="Ahead", in_force=date(2026, 6, 1), **nothing)

    sheet = told(ahead, begun, row())
    assert sheet.lead.startswith("Low-emission zone. ")
    lines = [each.text for each in sheet.sentences if each.key.startswith("other")]
    assert lines == [
        "Also: Ahead. Begins on 1 Jun 2026. What it changed has not been examined yet.",
        "Also: New. In force since 20 Apr 2026. What it changed has not been examined yet.",
    ]
    chosen = told(ahead, begun, row(), chosen="new")
    assert chosen.lead == "New. What it changed has not been examined yet."
    assert (chosen.facts, chosen.charts) == ((), ())


def test_a_result_of_200_days_ago_is_old_unless_it_is_the_last():
    after = {"after_from": date(2025, 7, 1), "in_force": date(2025, 7, 1)}
    old = told(row(**after, after_to=date(2025, 10, 14)))
    last = told(row(**after, after_to=date(2025, 10, 14), ends=date(2025, 10, 14)))

    assert old.facts[0].state is State.STALE
    assert last.facts[0].state is State.FRESH


def test_low_cost_sensors_make_it_indicative():
    assert not told(row()).facts[0].indicative
    assert told(row(), indicative="no2").facts[0].indicative == "indicative measurement"
    assert not told(row(), indicative="pm10").facts[0].indicative


def test_a_measure_elsewhere_is_not_told_of_a_place():
    other = row(territory="99002", territory_name="Neuf")

    assert told(other).empty == "No public measure has been registered here yet."
    assert told(other, where=WHOLE).sentences[0].text == "Neuf. In force since 10 Mar 2026."
    assert told(where=WHOLE).empty


def test_titles_are_in_the_readers_language_where_the_city_wrote_one():
    assert told(row(), code="fr").lead.startswith("Zone à faibles émissions. L’air y est")
    assert told(row(), code="de").lead.startswith("Zone à faibles émissions. Die Luft")


def test_bars_stand_on_zero_and_say_what_was_not_measured():
    drawing = pair([Pair("Here", (("before", 40.0, "40"), ("after", 30.0, "30"))),
                    Pair("There", (("before", None, "no measurement"), ("after", 20.0, "20")))])  # fmt: skip
    bars = [s.attributes for s in drawing.shapes if s.tag == "rect"]

    assert [float(bar["width"]) for bar in bars] == [220.0, 165.0, 110.0]
    assert [bar["class"] for bar in bars] == ["hollow", "bar", "bar"]
    assert "no measurement" in [shape.text for shape in drawing.shapes]
    assert drawing.height <= 150


@pytest.mark.parametrize(
    ("low", "high"), [(-5.2, -5.1), (-5.2, -4.8), (-1e-6, 1e-6), (0.01, 90.0), (-90.0, -0.01)]
)
def test_the_words_of_an_interval_stay_in_the_box_and_apart(low: float, high: float):
    said = Words("keinerlei Unterschied", "\u22125,00 µg/m³", "\u22125,20", "\u22124,80", "l", "m")
    placed = [s for s in interval((low + high) / 2, low, high, said).shapes if s.tag == "text"]
    ends = []
    for shape in placed:
        x, wide = float(shape.attributes["x"]), 9.0 * len(shape.text)
        side = str(shape.attributes.get("class", ""))
        x -= wide if "end" in side else wide / 2 if "middle" in side else 0
        ends.append((shape.attributes["y"], x, x + wide))
        assert x >= -1, shape
        assert x + wide <= 353, shape
    (_, _, left), (_, right, _) = (end for end in ends if end[0] == "80")
    assert right - left >= 13.9


CITY = """
[city]
name = "Val"
timezone = "Europe/Paris"
[[territory]]
code = "99001"
name = "Vieux"
[[binding]]
topic = "city/{territory}/{site}/{sensor}"
[air]
reference = ["no2-*"]
"""
BEGIN = date(2026, 3, 10)
DAYS = [BEGIN + datetime.timedelta(days=n) for n in range(-140, 52)]


@pytest.fixture
def streets(connection: psycopg.Connection) -> psycopg.Connection:
    """192 days of NO2 in six streets; since the measure the first three have 6 less."""
    head = "territory,site,site_name,sensor,metric,field,unit,step_s\n"
    lines = [f"99001,rue-{n},rue-{n},no2-rue-{n},no2,no2,,3600\n" for n in range(6)]
    register(connection, parse(CITY, head + "".join(lines)))
    rng = np.random.default_rng(1)
    for n in range(6):
        after = np.array([day >= BEGIN for day in DAYS])
        value = 30 + rng.normal(0, 1.5, len(DAYS)) - 6 * (n < 3) * after
        roll_up(connection, f"no2-rue-{n}", dict(zip(DAYS, value.tolist(), strict=True)))
    zfe = Measure(
        code="zfe", title_fr="ZFE", objective="Moins de NO2", territory="99001", in_force=BEGIN,
        metric="no2", daily="mean", expected=Direction.DOWN, decision="Délibération 7",
        touched_sites=("rue-0", "rue-1", "rue-2"),
    )  # fmt: skip
    with connection.transaction():
        save(connection, zfe, Author("Ada", "decided"))
    return connection


async def read(database: str) -> Rows:
    """What the public role gets."""
    async with reading(database) as lent:
        return await load(lent, NOW, None)


async def test_without_a_measure_there_is_nothing_to_read(database: str):
    assert await read(database) == Rows()


async def test_what_was_evaluated_reaches_the_sheet(streets: psycopg.Connection, database: str):
    known = await read(database)
    (one,) = known.measures
    assert (one.verdict, one.compared, known.is_indicative(one)) == (None, False, False)

    (of,) = versions(streets, "zfe", newest=True)
    with streets.transaction():
        evaluate(streets, of, date(2026, 5, 1))
    sheet = measure.say(await read(database), Asked(VIEUX, language("fr"), NOW))

    assert sheet.lead.startswith("ZFE. L’air y est devenu plus propre, par rapport à ailleurs.")
    value = sheet.facts[0].quantity.value
    assert value == pytest.approx(-6, abs=0.6)
    assert sheet.facts[0].indicative == ""
    assert [chart.key for chart in sheet.charts] == ["pair", "interval"]


async def test_a_measure_of_a_private_metric_is_never_read(
    streets: psycopg.Connection, database: str
):
    streets.execute("UPDATE city.metric SET public_step_s = NULL WHERE metric = 'no2'")

    assert await read(database) == Rows()
