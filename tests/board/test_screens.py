"""Which slides a screen shows, what has room on them, and what screens are answered over HTTP."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from dashboards.board import screens
from dashboards.board.fitting import height, pieces, width, wrapped
from dashboards.board.language import language
from dashboards.board.panel import footed, room
from dashboards.board.screens import slides
from dashboards.board.sheet import Chart, Drawing, Fact, Sentence, Sheet, State, Table
from dashboards.board.slide import Kind, Period, Slide, dwell
from storage.screens import Screen
from tests.board.city import State as City
from tests.board.screens_given import EVERY, hang
from tests.board.serving import serving

STATIC = Path(screens.__file__).with_name("static")
FR = language("fr")


def panel(**declared):
    screen = Screen.model_validate({"id": "hall", "views": ("air",), **declared})
    return footed(room(screen), "Lille")


def fact(key, label="Ozone (O₃)", **more):
    return Fact(**{"key": key, "label": label, "period": "dernière heure", "value": "62",
                   "unit": "µg/m³", "state": State.FRESH, "said": "à jour", "age": "il y a 3 min",
                   "coverage": "capteurs : 8 sur 9", **more})  # fmt: skip


def chart(high=100.0, notes=("En tirets : l’habitude.",)):
    return Chart(key="day", title="Heure par heure", drawing=Drawing(352, high, ()),
                 said="Le plus à 8 h.", table=Table((), ()), notes=notes)  # fmt: skip


def sheet(**more):
    return Sheet(**{"view": "air", "title": "L’air aujourd’hui", "lead": "L’air est bon.", **more})


def test_a_panel_of_55_inches_read_from_3_m_is_23_rem_by_13():
    hall = panel()

    assert (round(hall.across), round(hall.down)) == (23, 13)
    # 58.4 px of 83.4 are capital: a hundredth more than 0.7 degrees.
    assert 0.7 * 1920 / hall.across == pytest.approx(58.4, abs=0.1)


def test_twice_the_lines_make_nothing_smaller_and_5_m_leave_8_rem_of_height():
    assert panel(pixels=(3840, 2160)).across == pytest.approx(panel().across)
    assert round(panel(distance_m=5).down) == 8
    assert not panel(distance_m=5).coded
    assert panel().coded


def test_a_panel_read_from_near_gets_text_larger_than_it_must_be():
    near = panel(distance_m=1)

    assert near.across == pytest.approx(23.2)
    assert near.rem_mm * 0.7 > 2.9 * 12.2


def test_a_view_becomes_a_summary_and_a_slide_per_chart():
    made = slides(sheet(facts=(fact("o3"),), charts=(chart(),)), FR, panel())

    assert [slide.name for slide in made] == ["fr.air.0", "fr.air.1"]
    assert [[part.kind for part in slide.parts] for slide in made] == [
        [Kind.WORDS, Kind.FACT], [Kind.CHART, Kind.WORDS],
    ]  # fmt: skip
    assert [slide.title for slide in made] == ["L’air aujourd’hui", "Heure par heure"]


def test_an_empty_view_has_no_slide_and_a_screen_of_none_says_so():
    assert slides(sheet(empty="Rien."), FR, panel()) == ()
    only = screens.nothing(FR, panel())
    assert only.parts[0].text == "Il n’y a encore rien à montrer ici."


def test_of_six_figures_the_first_three_are_shown_and_a_warning_comes_first():
    made = slides(
        sheet(view="moving", facts=tuple(fact(f"f{n}") for n in range(6)),
              sentences=(Sentence("s", "Seuil dépassé.", "warning"),)),
        FR, panel(),
    )  # fmt: skip

    assert made[0].parts[0].text == "Seuil dépassé."
    shown = [part.fact.key for slide in made for part in slide.parts if part.fact]
    assert shown == ["f0", "f1", "f2"]


@pytest.mark.parametrize("declared", [{}, {"pixels": (1080, 1920)}, {"distance_m": 5},
                                      {"diagonal_in": 32, "distance_m": 2}])  # fmt: skip
def test_what_is_put_on_a_slide_is_never_higher_than_the_panel(declared):
    given = panel(**declared)
    long = "Une phrase assez longue pour prendre plusieurs lignes sur un écran. " * 4
    made = slides(
        sheet(lead=long, facts=(fact("a"), fact("b", label="Particules fines en suspension")),
              sentences=(Sentence("s", long, "advice"),), charts=(chart(), chart(150.0, (long,)))),
        FR, given,
    )  # fmt: skip

    assert made
    for slide in made:
        used = height(slide.title, given.column / 1.3) if slide.title else 0.0
        for part in slide.parts:
            # A figure has a name and a number, and a line of its age at least.
            used += part.high + height(part.text, given.column) + (2.7 if part.fact else 0.0)
        assert used <= given.content + 0.5


def test_wide_panels_have_their_frame_at_the_right_and_leave_18_rem_by_12():
    hall, upright = panel(), panel(pixels=(1080, 1920))

    assert (hall.side, hall.foot) == (3.35, 0.0)
    assert (round(hall.column, 1), round(hall.content, 1)) == (18.9, 12.2)
    assert upright.side == 0.0
    assert upright.foot > 0


LABELS = {
    "fr": ("Dioxyde d’azote (NO₂)", "Particules fines PM2,5", "Ozone (O₃)"),
    "en": ("Nitrogen dioxide (NO₂)", "Fine particles PM2.5", "Ozone (O₃)"),
    "de": ("Stickstoffdioxid (NO₂)", "Feinstaub PM2,5", "Ozon (O₃)"),
}


@pytest.mark.parametrize("code", LABELS)
def test_a_common_panel_shows_three_figures_a_slide_and_their_state_and_age_never_go(code):
    names = LABELS[code] * 3
    told = {"period": "now", "age": "vor 59 Min.", "indicative": "mesure indicative",
            "beside": "moyenne du jour : 22 µg/m³"}  # fmt: skip
    facts = tuple(fact(f"f{n}", label=name, **told) for n, name in enumerate(names))
    made = slides(sheet(view="now", title="Right now", lead="", facts=facts), language(code),
                  panel())  # fmt: skip

    assert [len(slide.parts) for slide in made] == [3, 3]
    assert all(slide.words >= sum(len(f"{one.fact.label} {one.fact.age}".split())
                                  for one in slide.parts) for slide in made)  # fmt: skip
    # "Right now" stands in the title.
    assert {part.period for slide in made for part in slide.parts} == {Period.TITLE}
    assert {slide.shared for slide in made} == {None}


def test_a_period_that_all_figures_share_is_told_once_beside_the_title():
    (made,) = slides(sheet(view="moving", title="Unterwegs heute", lead="", facts=(
        fact("a", label="Fahrräder", period="bis 23:15"),
        fact("b", label="Fahrzeuge", period="bis 23:15"),
    )), FR, panel())  # fmt: skip
    (alone,) = slides(sheet(view="map", title="Carte", lead="", facts=(
        fact("a", label="Reçues", period="24 h"), fact("b", label="Actifs", period="7 jours"),
    )), FR, panel())  # fmt: skip

    assert made.shared.period == "bis 23:15"
    assert {part.period for part in made.parts} == {Period.TITLE}
    assert alone.shared is None
    assert {part.period for part in alone.parts} == {Period.NAME}
    assert alone.place == "Lille"


@pytest.mark.parametrize(("view", "beside", "besides", "coverages"), [
    # What is usual is the message where it differs; the same of all says nothing.
    ("moving", ("9 % de plus qu’un dimanche", "comme d’habitude", "2 % de moins"), 2, 2),
    ("moving", ("habitude inconnue",) * 3, 0, 3),
    ("map", ("9 % de plus qu’un dimanche", "comme d’habitude", "2 % de moins"), 0, 3),
])  # fmt: skip
def test_the_line_below_a_figure_stands_where_it_is_the_message(view, beside, besides, coverages):
    facts = tuple(fact(f"f{n}", period="", beside=text) for n, text in enumerate(beside))
    (made,) = slides(sheet(view=view, lead="", facts=facts), FR, panel())

    assert sum(part.beside for part in made.parts) == besides
    assert sum(part.coverage for part in made.parts) == coverages


def test_a_lead_that_repeats_the_first_figure_leaves_its_room_to_others():
    repeated, more = (
        slides(sheet(view="map", lead=lead, facts=(fact("a"),)), FR, panel())[0].parts
        for lead in ("Ozone : 62 µg/m³.", "Assez pour une lampe.")
    )

    assert [part.kind for part in repeated] == [Kind.FACT]
    assert [part.mark for part in more] == ["lead", ""]


def test_advice_stands_under_the_first_figure_and_the_others_follow_on_a_second_slide():
    advice = (Sentence("all", "Pour tous : profitez du plein air.", "advice"),
              Sentence("some", "Enfants, malades : comme d’habitude aussi.", "advice"))  # fmt: skip
    first, second = slides(
        sheet(facts=tuple(fact(f"f{n}") for n in range(6)), sentences=advice), FR, panel()
    )

    assert [part.key or part.fact.key for part in first.parts if part.mark != "lead"] == [
        "f0", "air.all", "air.some",
    ]  # fmt: skip
    assert [part.fact.key for part in second.parts] == ["f1", "f2", "f3"]


def test_the_last_slide_of_a_round_shows_the_address_and_a_code_8_rem_high():
    made = screens.phone(FR, panel(), "ville.example/hall")

    assert made.name == "fr.phone.0"
    assert made.parts[0].kind is Kind.LINK
    assert made.parts[0].high >= 8
    assert made.parts[-1].text == "ville.example/hall"
    low = screens.phone(FR, panel(distance_m=5), "ville.example/hall").parts[0]
    assert 2 <= low.high <= panel(distance_m=5).content


def test_a_drawing_is_left_to_its_words_where_its_text_would_be_too_small():
    made = slides(sheet(lead="", charts=(chart(),)), FR, panel(pixels=(1080, 1920)))

    assert [part.kind for part in made[0].parts] == [Kind.WORDS]
    assert made[0].parts[0].text == "Le plus à 8 h."


def test_text_in_a_drawing_is_one_rem_high():
    (drawn,) = (
        part for slide in slides(sheet(charts=(chart(130.0, ()),)), FR, panel())
        for part in slide.parts if part.kind is Kind.CHART
    )  # fmt: skip

    assert drawn.font * drawn.wide / 352 == pytest.approx(1.0)
    assert drawn.font <= 16 * 1.17


def test_a_slide_stays_half_a_second_for_each_word_and_at_least_its_dwell():
    short, long = slides(sheet(), FR, panel())[0], slides(
        sheet(lead="mot " * 60), FR, panel(pixels=(1080, 1920)))[0]  # fmt: skip

    assert dwell(short, 15) == 15
    assert long.words >= 40
    assert dwell(long, 15) == long.words / 2


def test_a_slide_that_is_gone_is_followed_by_one_of_its_view_then_of_its_language():
    def named(*names):
        return [Slide(name, name.split(".")[1], "", ()) for name in names]

    programme = named("fr.air.0", "fr.air.1", "fr.map.0", "de.air.0")

    assert screens.chosen(programme, "fr.map.0") == 2
    assert screens.chosen(programme, "fr.air.7") == 1
    assert screens.chosen(programme, "de.map.0") == 3
    assert screens.chosen(programme, "../../etc/passwd") == 0


def test_the_nightly_mark_changes_once_between_3_and_4_local_time():
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    marks = [screens.night(start + timedelta(minutes=m), "Europe/Paris", "hall")
             for m in range(24 * 60)]  # fmt: skip
    change = next(m for m in range(1, len(marks)) if marks[m] != marks[m - 1])

    assert len(set(marks)) == 2
    # The night in which summer begins has no hour from 2 to 3.
    assert 1 <= (start + timedelta(minutes=change)).hour < 2


def test_lines_break_between_words_and_a_word_longer_than_a_line_is_cut():
    assert wrapped("aa bb", width("aa bb")) == ("aa bb",)
    assert wrapped("aa bb", width("aa bb") - 0.1) == ("aa", "bb")
    assert "".join(wrapped("Kohlenstoffdioxid", 3)) == "Kohlenstoffdioxid"
    assert all(width(line) <= 3 for line in wrapped("Kohlenstoffdioxid", 3))


def test_pieces_lose_no_word():
    text = "Une phrase. Une autre, bien plus longue que la première ! Une dernière."
    for most in (1, 2, 3):
        assert " ".join(pieces(text, 8, most)).split() == text.split()


def test_the_own_scripts_of_a_page_are_3_kb_at_most_as_transferred():
    assert len(gzip.compress((STATIC / "board.js").read_bytes(), 9)) <= 3000
    assert len(gzip.compress((STATIC / "sw.js").read_bytes(), 9)) <= 1000


async def answers(conninfo, *paths):
    async with (
        serving(conninfo) as home,
        httpx.AsyncClient(base_url=home, timeout=20, trust_env=False) as client,
    ):
        return [await client.get(path) for path in paths]


async def test_a_screen_is_one_slide_with_the_list_of_all_and_its_style_is_one_file(filled):
    conninfo = filled(City.FRESH)
    hang(conninfo, {"id": "hall", "views": ["air", "moving"], "languages": ["de", "fr"]})
    page, style, worker, none, no_style, listed = await answers(
        conninfo, "/screen/hall?kiosk", "/screen/hall.css", "/sw.js", "/screen/none",
        "/screen/none.css", "/screens",
    )  # fmt: skip

    assert (page.status_code, none.status_code, no_style.status_code) == (200, 404, 404)
    assert '<html lang="de"' in page.text
    names = re.search(r'data-slides="([^"]+)"', page.text)[1].split()
    assert names[0] == "de.air.0"
    assert [name[:2] for name in names] == sorted(name[:2] for name in names)
    assert "fr.moving.0" in names
    assert "<button" not in page.text
    assert page.text.count('<link rel="stylesheet"') == 1
    assert re.search(r"html\{font-size:min\(4\.34\d+vw,7\.72\d+vh\)\}", style.text)
    assert style.headers["content-type"].startswith("text/css")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert "/screen/hall?pattern" in listed.text
    assert not re.search(r"<style|\sstyle=|\son\w+=", page.text)


async def test_a_round_of_all_seven_views_is_16_slides_a_language_and_ends_on_the_telephone(filled):
    conninfo = filled(City.FRESH)
    hang(conninfo, {"id": "hall", "views": EVERY, "languages": ["fr", "de"],
                    "address": "ville.example/hall"})  # fmt: skip
    (page,) = await answers(conninfo, "/screen/hall?kiosk&slide=de.phone.0")
    names = re.search(r'data-slides="([^"]+)"', page.text)[1].split()
    french = [name for name in names if name.startswith("fr.")]

    assert len(french) <= 16
    assert {name.split(".")[1] for name in french} == {*EVERY, "phone"}
    assert [name for name in names if "phone" in name] == ["fr.phone.0", "de.phone.0"]
    assert (names[len(french) - 1], names[-1]) == ("fr.phone.0", "de.phone.0")
    assert ">ville.example/hall</p>" in page.text
    assert page.text.count('class="code"') == 1


async def test_a_screen_shows_the_measure_that_it_names(filled):
    conninfo = filled(City.FRESH)
    hang(conninfo, *({"id": code, "views": ["measure"], "measure": code, "language": "fr"}
                     for code in ("zone-30", "rue-apaisee")))  # fmt: skip
    first, second, page = await answers(
        conninfo, "/screen/zone-30?kiosk", "/screen/rue-apaisee?kiosk", "/measure?lang=fr"
    )

    assert "Zone 30 au Verger" in first.text
    assert "Rue de la Gare apaisée" in second.text
    assert "Zone 30 au Verger." in page.text.split("<article")[0]


async def test_the_events_of_a_slide_tell_hours_night_and_the_server_s_time(filled):
    conninfo = filled(City.FRESH)
    hang(conninfo, {"id": "hall", "views": ["air"], "open": ["mon-sun 00:00-24:00"]})
    async with (
        serving(conninfo) as home,
        httpx.AsyncClient(base_url=home, timeout=20, trust_env=False) as client,
    ):
        page = (await client.get("/screen/hall")).text
        path = re.search(r'data-events="([^"]+)"', page)[1].replace("&amp;", "&")
        async with client.stream("GET", path) as stream:
            lines = []
            async for line in stream.aiter_lines():
                lines.append(line)
                if line.startswith("data: "):
                    break

    told = json.loads(lines[-1].removeprefix("data: "))
    assert lines[0] == "retry: 3000"
    assert "id: 1" in lines
    assert told["open.state"] == "open"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", told["night"])
    assert told["page"] == re.search(r'data-page="([^"]+)"', page)[1]
    assert f'data-at="{told["at"]}"' in page


async def test_a_screen_over_an_empty_city_says_that_there_is_nothing_yet(filled):
    conninfo = filled(City.EMPTY)
    hang(conninfo, {"id": "hall", "views": ["air"], "language": "en"})
    (page,) = await answers(conninfo, "/screen/hall")

    assert page.status_code == 200
    assert "There is nothing to show here yet." in page.text


def test_a_long_address_makes_the_code_smaller_and_never_leaves_the_panel():
    long = "ecrans.communaute-de-communes-du-pays.example/hotel-de-ville"
    for declared in ({}, {"pixels": (1080, 1920)}, {"diagonal_in": 32, "distance_m": 2}):
        given = panel(**declared)
        made = screens.phone(FR, given, long)
        used = made.parts[0].high + height(long, given.column, 1.12)
        assert made.parts[0].high >= 4
        assert used + height(made.title, given.column / 1.2) <= given.content
