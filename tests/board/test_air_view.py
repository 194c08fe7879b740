"""The air today: the index and its words, what is said of thresholds, hours and tomorrow."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.board.air_index import EUROPEAN, FRENCH, AirIndex
from dashboards.board.drawing.strip import HEIGHT, WIDTH, strip
from dashboards.board.language import codes, language
from dashboards.board.method import Indicator, Methods, method
from dashboards.board.sheet import State
from dashboards.board.views import air, now
from dashboards.board.views.air_rows import Air, Forecast, Hour, Mean, Passed, Sensors
from dashboards.board.views.air_words import everybody, sensitive
from storage.catalogue import BY_NAME
from tests.board.air_asked import HOUR, NOW, PARIS, asked

BERLIN = "Europe/Berlin"
AT = NOW.replace(minute=0)


def index(territory="99001", value=2, indicator=EUROPEAN, at=AT, **more):
    given = {"n": 4, "due": 5, "status": "partial", "dominant": ("o3",), "site": "gare",
             "site_name": "Gare", "sites": 1, "indicative": False}  # fmt: skip
    if indicator == FRENCH:
        given |= {"site": "", "site_name": "", "sites": 0}
    return AirIndex(territory, indicator, at - HOUR, at, at, value, **(given | more))


def hour(back, value, territory="99001", site_name="Gare"):
    start = AT - back * HOUR
    return Hour(territory, start, start + HOUR, value, ("o3",), site_name.lower(), site_name,
                False, 1)  # fmt: skip


def mean(metric, value, territory="99001", stop=AT, indicative=False, grade=2):
    return Mean(metric, territory, stop - HOUR, stop, value, indicative, grade)


def known(**more):
    given = {
        "names": {"99001": "Valbrume", "99002": "Saint-Aubry", "08999": "Neuhausen"},
        "zones": {"99001": PARIS, "99002": PARIS, "08999": BERLIN},
        "sensors": (Sensors("99001", "no2", 2, frozenset({"gare", "port"})),),
        "indices": {"99001": index()},
    }
    return Air(**(given | more))


def plain(text):
    """With the blanks that every keyboard has."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def facts(sheet):
    return {fact.key: fact for fact in sheet.facts}


@pytest.mark.parametrize(
    ("code", "lead", "word", "beside"),
    [
        ("en", "The air is poor right now.", "poor", "class 4 of 6 · mainly ozone (O₃)"),
        ("fr", "L’air est mauvais en ce moment.", "mauvais", "classe 4 sur 6 · surtout : ozone (O₃)"),
        ("de", "Die Luft ist gerade schlecht.", "schlecht", "Klasse 4 von 6 · vor allem: Ozon (O₃)"),
    ],
)  # fmt: skip
def test_a_class_is_a_word_a_number_and_a_colour_with_what_gives_it(code, lead, word, beside):
    sensors = (Sensors("99001", "no2", 1, frozenset({"gare"})),)
    sheet = air.say(known(indices={"99001": index(value=4)}, sensors=sensors), asked(code=code))

    told = facts(sheet)["index"]
    assert (plain(sheet.lead), told.value, told.grade) == (lead, word, 4)
    assert plain(told.beside) == beside
    assert (told.quantity.value, told.unit, told.period) == (4.0, "", "14:00\u201315:00")
    assert (told.method, told.state) == ("eaqi", State.FRESH)


def test_of_several_sites_the_worst_is_named_and_how_many_were_measured():
    told = facts(air.say(known(), asked()))["index"]

    assert told.beside == "class 2 of 6 · mainly ozone (O₃) · at worst: Gare"
    assert told.coverage == "places: 1 of 2"


def test_the_french_index_is_of_the_day_and_says_how_many_pollutants_it_has():
    sheet = air.say(known(indices={"99001": index(indicator=FRENCH, value=3)}), asked(code="fr"))

    told = facts(sheet)["index"]
    assert sheet.lead == "L’air est dégradé aujourd’hui."
    assert (told.value, told.period, told.method) == ("dégradé", "aujourd’hui", "atmo_territory")
    assert plain(told.coverage) == "polluants : 4 sur 5"


def test_of_the_whole_installation_the_worst_territory_is_named():
    indices = {"99001": index(value=2, indicator=FRENCH),
               "99002": index("99002", value=3, indicator=FRENCH)}  # fmt: skip

    sheet = air.say(known(indices=indices), asked("99001", "99002"))

    assert sheet.lead == "The air is degraded today where it is worst: Saint-Aubry."
    assert facts(sheet)["index"].beside.endswith("at worst: Saint-Aubry")


def test_the_french_and_the_european_index_are_never_compared():
    indices = {"99001": index(value=6, indicator=FRENCH), "08999": index("08999", value=3)}
    hours = (hour(2, 5), hour(1, 2), hour(1, 3, "08999", "Rathaus"))

    sheet = air.say(known(indices=indices, hours=hours), asked("99001", "08999"))

    told = facts(sheet)["index"]
    assert (told.grade, told.method) == (3, "eaqi")
    assert told.beside.endswith("at worst: Rathaus, Neuhausen")


def test_a_territory_that_fell_silent_does_not_decide_for_all():
    indices = {"99001": index(value=2), "99002": index("99002", value=6, at=AT - 7 * HOUR)}

    assert facts(air.say(known(indices=indices), asked("99001", "99002")))["index"].grade == 2


def test_air_of_seven_hours_ago_is_told_of_then_and_without_advice():
    sheet = air.say(known(indices={"99001": index(value=5, at=NOW - 7 * HOUR)}), asked())

    assert sheet.lead == "The air was very poor on 14 Jul 08:20; nothing newer is known."
    assert facts(sheet)["index"].state is State.STALE
    assert [sentence.key for sentence in sheet.sentences] == ["unofficial"]


def test_without_an_index_nothing_is_said_of_the_air_and_nothing_is_zero():
    sheet = air.say(known(indices={}), asked())

    told = facts(sheet)
    assert sheet.lead == "Nothing can be said of the air now: too little was measured."
    assert [(fact.value, fact.note, fact.state) for fact in told.values()] == [
        ("", "no measurement", State.ABSENT)
    ] * 2
    assert (told["index"].grade, told["index"].coverage) == (0, "places: 0 of 2")
    assert (sheet.charts, sheet.sentences) == ((), ())


def test_where_nobody_measures_the_air_the_view_says_so():
    sheet = air.say(known(), asked("99002"))

    assert sheet.empty == "No sensor measures the air here."
    assert sheet.facts == ()


@pytest.mark.parametrize("code", codes())
def test_every_class_has_advice_for_everybody_and_for_the_sensitive(code):
    said = language(code)
    all_of_it = [(everybody(grade, said), sensitive(grade, said)) for grade in range(1, 7)]

    assert len(set(all_of_it)) == 5  # the best two classes ask nothing of anybody
    assert all(len(text) < 190 for both in all_of_it for text in both)
    if code != "en":
        english = language("en")
        assert not {everybody(g, english) for g in range(1, 7)} & {one for one, _ in all_of_it}
        assert not {sensitive(g, english) for g in range(1, 7)} & {one for _, one in all_of_it}


def test_the_advice_goes_with_the_class_and_what_the_index_is_not_is_said():
    sheet = air.say(known(indices={"99001": index(value=3)}), asked())

    assert [(one.text, one.mark) for one in sheet.sentences] == [
        ("Everybody: go on as usual outdoors.", "advice"),
        ("Children, pregnant women, older or sick people: if you feel unwell, avoid hard exercise "
         "outdoors.", "advice"),
        ("Computed from the city's sensors: not the official index.", "plain"),
    ]  # fmt: skip


def test_a_threshold_that_was_passed_comes_first_and_calls_for_its_own_advice():
    passed = (
        Passed("99001", "eu", "o3", "Gare", 1, NOW - 2 * HOUR, False),
        Passed("99001", "fr", "o3", "Port", 3, NOW - HOUR, True),
        Passed("99001", "fr", "pm10", "Gare", 2, NOW + 8 * HOUR, False),
    )

    first, second, advice, *_ = air.say(known(passed=passed), asked()).sentences

    assert (first.mark, second.mark) == ("warning", "warning")
    assert first.text == (
        "Strong pollution today: the alert threshold was passed (ozone (O₃), Port, 14:20, indicative "
        "measurement). Only the authorities declare an alert."
    )
    assert second.text == (
        "Pollution for the second day: the information threshold was passed (particles (PM10), Gare)."
    )
    assert advice.text.endswith("do without hard exercise outdoors.")


def test_french_thresholds_are_those_of_france():
    indices = {"08999": index("08999", value=1)}
    french, european = (
        (Passed("08999", law, "pm10", "Rathaus", 1, None, False),) for law in ("fr", "eu")
    )

    there = asked("08999", zone=BERLIN)
    assert air.say(known(indices=indices, passed=french), there).sentences[0].mark == "advice"
    assert air.say(known(indices=indices, passed=european), there).sentences[0].mark == "warning"


def test_a_pollutant_is_the_mean_of_the_sensors_that_measured_the_newest_hour():
    sensors = (Sensors("99001", "no2", 3, frozenset({"gare", "port"})),)
    means = (mean("no2", 20.0, grade=2), mean("no2", 31.0, grade=3, indicative=True),
             mean("no2", 400.0, stop=AT - HOUR), mean("no2", 400.0, territory="99002"))  # fmt: skip

    told = facts(air.say(known(sensors=sensors, means=means), asked()))["no2"]

    assert (told.label, told.value, told.unit) == ("Nitrogen dioxide (NO₂)", "26", "µg/m³")
    assert told.beside == "fair to moderate · mostly from exhaust fumes"
    assert (told.coverage, told.age) == ("sensors: 2 of 3", "20 min ago")
    assert (told.period, told.method) == ("14:00\u201315:00", "no2")
    assert told.indicative == "indicative measurement"


def test_what_weighs_most_stands_before_the_other_pollutants():
    sensors = tuple(Sensors("99001", one, 1, frozenset({"gare"})) for one in ("no2", "pm25", "so2"))
    indices = {"99001": index(dominant=("pm25",))}

    assert list(facts(air.say(known(sensors=sensors, indices=indices), asked()))) == [
        "index", "pm25", "no2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("received", "value", "shown"),
    [
        ("2026-07-14T09:30", 3.0, 3),
        ("2026-07-13T22:05", 3.0, 3),  # five past midnight by the clock of Paris
        ("2026-07-13T21:55", 3.0, None),  # of yesterday: it speaks of today
        ("2026-07-14T09:30", 7.0, None),  # an event, and no class
        ("2026-07-14T09:30", 2.5, None),
    ],
)
def test_only_a_forecast_that_came_in_today_speaks_of_tomorrow(received, value, shown):
    time = datetime.fromisoformat(received).replace(tzinfo=UTC)

    told = facts(air.say(known(forecasts=(Forecast("99001", time, value),)), asked()))

    assert ("tomorrow" in told) == (shown is not None)
    if shown:
        tomorrow = told["tomorrow"]
        assert (tomorrow.value, tomorrow.grade) == ("degraded", shown)
        assert tomorrow.beside == "class 3 of 6 · official forecast"
        assert tomorrow.method == "air_index_tomorrow"


def test_a_commune_without_sensors_that_relays_the_forecast_tells_that_alone():
    sheet = air.say(known(forecasts=(Forecast("99002", NOW - HOUR, 4.0),)), asked("99002"))

    assert (list(facts(sheet)), sheet.empty) == (["tomorrow"], "")
    assert sheet.lead == "Official forecast for tomorrow: bad."
    assert sheet.sentences == ()


def test_the_last_24_hours_are_24_cells_and_an_hour_without_measurement_is_a_gap():
    hours = tuple(hour(back, 5 if back == 3 else 1) for back in range(1, 25) if back != 7)

    (chart,) = air.say(known(hours=hours), asked()).charts

    cells = [shape for shape in chart.drawing.shapes if shape.tag == "rect"]
    assert [cell.attributes["class"] for cell in cells].count("g1 outline") == 22
    assert [cell.attributes["class"] for cell in cells][17:22] == [
        "none", "g1 outline", "g1 outline", "g1 outline", "g5 outline",
    ]  # fmt: skip
    assert (len(cells), len(chart.table.rows)) == (24, 24)
    assert chart.table.rows[17] == ("08:00\u201309:00", "no measurement")
    assert chart.table.rows[21] == ("12:00\u201313:00", "5 very poor")
    assert chart.said == (
        "The air in the last 24 hours: good for 22 hours, very poor for 1 hour, 1 hour without "
        "measurement. At worst very poor, last at 12:00."
    )
    assert chart.notes[0].endswith("Dashed: no measurement.")
    assert chart.data["hours"][17]["class"] is None


def test_an_hour_whose_figures_are_still_being_made_is_no_gap():
    hours = tuple(hour(back, 1) for back in range(2, 26))
    soon, later = AT + timedelta(minutes=4), AT + timedelta(minutes=14)

    ends = [
        air.say(known(hours=hours), asked(at=at)).charts[0].table.rows[-1] for at in (soon, later)
    ]

    assert ends == [("13:00\u201314:00", "1 good"), ("14:00\u201315:00", "no measurement")]


def test_in_the_night_of_25_hours_two_o_clock_stands_twice():
    at = datetime(2026, 10, 25, 9, 30, tzinfo=UTC)
    hours = [moved(hour(0, 1), at.replace(minute=0) - back * HOUR) for back in range(1, 25)]

    (chart,) = air.say(known(hours=hours), asked(at=at)).charts

    labels = [row[0] for row in chart.table.rows]
    assert labels[14:17] == ["01:00\u201302:00", "02:00\u201302:00", "02:00\u201303:00"]
    assert (labels[0], labels[-1]) == ("11:00\u201312:00", "09:00\u201310:00")


def moved(one, start):
    return one._replace(start=start, stop=start + HOUR)


def test_every_text_of_the_strip_lies_in_its_box_and_apart_from_the_next():
    start = datetime(2026, 7, 14, 0, tzinfo=UTC)
    drawn = strip([(start + n * HOUR, 1 + n % 6) for n in range(24)])

    texts = [shape for shape in drawn.shapes if shape.tag == "text"]
    places = [(float(one.attributes["x"]), float(one.attributes["y"])) for one in texts]
    assert all(8 <= x <= WIDTH - 8 and 0 < y <= HEIGHT for x, y in places)
    assert all(
        abs(x - a) >= 18 or abs(y - b) >= 18
        for n, (x, y) in enumerate(places) for a, b in places[:n]
    )  # fmt: skip
    white = [one.text for one in texts if "on-dark" in str(one.attributes["class"])]
    assert set(white) == {"5", "6"}


def test_the_class_of_tomorrow_is_told_by_the_air_alone_and_never_added_up():
    metric = BY_NAME["air_index_tomorrow"]

    assert (metric.low, metric.high, metric.public_step_s) == (1, 8, 900)
    assert metric.name in now.ELSEWHERE


def test_the_method_of_the_index_says_whose_advice_it_is():
    rows = Methods(
        indicators={"eaqi": _indicator("eaqi"), "air_day_mean": _indicator("air_day_mean")}
    )
    where = asked().where

    told = [method(rows, name, where, language("en"), None) for name in rows.indicators]

    assert "in our words" in told[0].sentences[-1].text
    assert "in our words" not in told[1].sentences[-1].text


def _indicator(name):
    return Indicator(name, "air", "site", "hour", "1", name, name, name, "a source", ["1"], [])
