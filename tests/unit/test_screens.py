"""What a city says of its board and screens: words, mistakes, opening hours, sizes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.board.views.catalogue import views
from dashboards.settings import Settings
from storage.city import City, parse
from storage.mistakes import MistakesError
from storage.screens import VIEWS, Screen, capital_mm, is_open, opening, width_mm

TOML = """
[city]
name = "Val-de-Beffroi"
timezone = "Europe/Paris"

[[territory]]
code = "99001"
name = "Beffroi-le-Vieux"

[board]
contact = "contact@beffroi.example"
operator = "Ville de Beffroi-le-Vieux"

[[screen]]
id = "hall"
territory = "99001"
views = ["air", "now"]

[[screen]]
id = "gare-2"
languages = ["de", "fr"]
views = ["map", "measure"]
measure = "zfe-2025"
diagonal_in = 32
distance_m = 1.5
pixels = [1080, 1920]
theme = "dark"
open = ["mon-fri 08:00-18:30", "sat 09:00-12:00"]
dwell_s = 20
address = "beffroi.example/gare"
"""
CSV = "territory,site,site_name,sensor,metric,field,unit,step_s\n99001,m,Mairie,a,no2,,,60\n"


def city(toml: str = TOML) -> City:
    return parse(toml, CSV)


def mistakes(old: str, new: str) -> list[str]:
    assert TOML.count(old) == 1
    with pytest.raises(MistakesError) as caught:
        city(TOML.replace(old, new))
    return [str(mistake) for mistake in caught.value.mistakes]


def test_screens_are_read_with_their_defaults():
    said = city().said

    assert said.board is not None
    assert said.board.contact == "contact@beffroi.example"
    assert said.screens is not None
    hall, station = said.screens
    assert (hall.spoken, hall.diagonal_in, hall.distance_m, hall.pixels, hall.theme, hall.dwell_s) == (
        ("fr",), 55, 3, (1920, 1080), "auto", 15,
    )  # fmt: skip
    assert (station.spoken, station.pixels, station.measure) == (
        ("de", "fr"), (1080, 1920), "zfe-2025",
    )  # fmt: skip


def test_a_city_that_says_nothing_of_a_board_has_none():
    assert city(TOML[: TOML.index("[board]")]).said.board is None
    assert city(TOML[: TOML.index("[[screen]]")]).said.screens is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"air", "now"', '"air", "moveing"',
         "city.toml:17: screen.views: 'moveing' is no view; did you mean 'moving'? Views are now, air,"
         " moving, energy, map, measure, platform"),
        ('["air", "now"]', "[]", "city.toml:17: screen.views: is empty; name one at least"),
        ('["air", "now"]', '"air"',
         "city.toml:17: screen.views: is a list; write what it holds within [ ]"),
        ('["air", "now"]', '["air", "now", "air"]',
         "city.toml:14: screen: views names 'air' twice; remove one"),
        ('id = "gare-2"', 'id = "hall"',
         "city.toml:20: screen.id: 'hall' is another screen's already; choose another"),
        ('id = "gare-2"', 'id = "Gare 2"', "city.toml:20: screen.id: String should match pattern"),
        ('territory = "99001"', 'territory = "99002"',
         "city.toml:16: screen.territory: territory '99002' is not in this file; known are '99001'"),
        ('"sat 09:00-12:00"', '"sam 09:00-12:00"',
         "city.toml:28: screen.open: 'sam' is no day; did you mean 'sat'? Days are mon, tue"),
        ('"sat 09:00-12:00"', '"sat 9h-12h"',
         "city.toml:28: screen.open: 'sat 9h-12h' is no opening hours; write them like"),
        ('["mon-fri 08:00-18:30", "sat 09:00-12:00"]', "[]",
         "city.toml:28: screen.open: is empty; name one at least"),
        ('"dark"', '"black"', "city.toml:27: screen.theme: Input should be 'light', 'dark' or 'auto'"),
        ("dwell_s = 20", "dwell_s = 4",
         "city.toml:29: screen.dwell_s: Input should be greater than or equal to 5"),
        ("distance_m = 1.5", "distance_m = nan", "city.toml:25: screen.distance_m: "),
        ("pixels = [1080, 1920]", "pixels = [1080]", "city.toml:26: screen.pixels"),
        ('"map", "measure"]', '"map"]',
         "city.toml:19: screen: measure names one, but the view 'measure' is not among the views"),
        ('languages = ["de", "fr"]', 'languages = ["de", "fr"]\nlanguage = "fr"',
         "city.toml:19: screen: language and languages say the same; keep one of them"),
        ('languages = ["de", "fr"]', 'langages = ["de", "fr"]',
         "city.toml:21: screen.langages: is not a known key; remove it or correct its spelling"),
        ('"contact@beffroi.example"', '"the mayor"',
         "city.toml:11: board.contact: 'the mayor' reaches nobody; write an e-mail address"),
        ('operator = "Ville de Beffroi-le-Vieux"', "", "city.toml:10: board.operator: is missing; add it"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_remedy(old: str, new: str, told: str):
    (found, *_) = mistakes(old, new)

    assert found.startswith(told)


@pytest.mark.parametrize(
    "contact", ["https://beffroi.example/a", "+33 3 88 00 00 00", "0388000000"]
)
def test_people_reach_the_operator_by_telephone_and_by_url_too(contact: str):
    said = city(TOML.replace("contact@beffroi.example", contact)).said

    assert said.board is not None
    assert said.board.contact == contact


def test_every_view_of_the_board_may_be_named_on_a_screen():
    assert set(views(Settings())) <= set(VIEWS)


@pytest.mark.parametrize(
    ("lines", "local", "expected"),
    [
        ((), "2026-03-01T03:00", True),
        (("mon-fri 08:00-18:30",), "2026-03-02T08:00", True),
        (("mon-fri 08:00-18:30",), "2026-03-02T07:59", False),
        (("mon-fri 08:00-18:30",), "2026-03-06T18:29", True),
        (("mon-fri 08:00-18:30",), "2026-03-06T18:30", False),
        (("mon-fri 08:00-18:30",), "2026-03-07T12:00", False),
        (("mon-fri 08:00-18:30", "sat 09:00-12:00"), "2026-03-07T11:00", True),
        (("mon 08:00-12:00", "mon 14:00-18:00"), "2026-03-02T13:00", False),
        (("mon 08:00-12:00", "mon 14:00-18:00"), "2026-03-02T14:00", True),
        (("mon,wed,fri 08:00-18:00",), "2026-03-03T10:00", False),
        (("mon,wed,fri 08:00-18:00",), "2026-03-04T10:00", True),
        (("sat-mon 08:00-18:00",), "2026-03-01T10:00", True),
        (("sat-mon 08:00-18:00",), "2026-03-03T10:00", False),
        (("sat 20:00-02:00",), "2026-03-07T23:59", True),
        (("sat 20:00-02:00",), "2026-03-08T01:59", True),
        (("sat 20:00-02:00",), "2026-03-08T02:00", False),
        (("sat 20:00-02:00",), "2026-03-07T01:00", False),
        (("sun 20:00-02:00",), "2026-03-09T01:00", True),
        (("mon-sun 00:00-24:00",), "2026-03-08T23:59", True),
    ],
)
def test_a_screen_is_on_in_its_opening_hours(lines: tuple[str, ...], local: str, expected: bool):
    # In March before the clock is set, Paris is an hour ahead of UTC.
    now = datetime.fromisoformat(f"{local}+01:00")

    assert is_open(lines, now, "Europe/Paris") is expected
    assert is_open(lines, now.astimezone(UTC), "Europe/Paris") is expected


@pytest.mark.parametrize(
    ("lines", "sunday", "expected_h"),
    [
        # Forward: at 02:00 it is 03:00; of 22:00-06:00 seven hours are left.
        (("sat 22:00-06:00",), "2026-03-29", 7),
        (("sun 02:15-02:45",), "2026-03-29", 0),
        (("sun 02:30-05:00",), "2026-03-29", 2),
        # Back: from 02:00 to 03:00 twice; of 22:00-06:00 there are nine.
        (("sat 22:00-06:00",), "2026-10-25", 9),
        (("sun 02:15-02:45",), "2026-10-25", 1),
        (("sun 08:00-18:00",), "2026-10-25", 10),
    ],
)
def test_the_clock_on_the_wall_decides_when_it_is_set(
    lines: tuple[str, ...], sunday: str, expected_h: float
):
    begins = datetime.fromisoformat(f"{sunday}T00:00+00:00") - timedelta(hours=12)
    minutes = [begins + timedelta(minutes=n) for n in range(48 * 60)]

    assert sum(is_open(lines, one, "Europe/Paris") for one in minutes) == expected_h * 60


def test_eight_and_eight_in_the_morning_are_the_same_in_summer_and_winter():
    lines = ("mon-fri 08:00-18:30",)
    winter, summer = (
        datetime.fromisoformat(f"2026-{day}T06:30+00:00") for day in ("01-05", "07-06")
    )

    assert (is_open(lines, winter, "Europe/Paris"), is_open(lines, summer, "Europe/Paris")) == (
        False, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["mon 08:00-08:00", "mon 24:00-02:00", "mon 08:60-09:00", "mon 08:00-24:01", "08:00-12:00",
     "mon-wed-fri 08:00-12:00", "mon, 08:00-12:00", "mon 08:00"],
)  # fmt: skip
def test_hours_that_no_clock_shows_are_refused(line: str):
    with pytest.raises(ValueError, match=r"write|clock|whole day|Days are|like"):
        opening(line)


def test_a_capital_at_three_metres_on_a_55_inch_panel_is_58_pixels_high():
    pixels = capital_mm(3) / width_mm(55, (1920, 1080)) * 1920

    assert capital_mm(3) == pytest.approx(36.65, abs=0.01)
    assert capital_mm(5) == pytest.approx(61.09, abs=0.01)
    assert width_mm(55, (1920, 1080)) == pytest.approx(1217.6, abs=0.1)
    assert width_mm(55, (1080, 1920)) == pytest.approx(684.9, abs=0.1)
    assert pixels == pytest.approx(57.8, abs=0.1)


def test_a_screen_comes_back_from_what_is_kept_of_it():
    said = city().said
    assert said.screens is not None

    for screen in said.screens:
        assert Screen.model_validate(screen.model_dump(mode="json", exclude_unset=True)) == screen
