"""`beffroi board check`: what it tells of languages and of screens, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from beffroi.board import checking
from dashboards.board import language as languages
from dashboards.board import messages
from dashboards.board.overflow import overflowing
from dashboards.board.panel import footed, room
from dashboards.board.sheet import Fact, Sheet, State
from storage.screens import Screen
from tests.board.city import OUTLINES, TOML, csv
from tests.board.city import State as City
from tests.board.screens_given import EVERY, hang

HALL = {"id": "hall", "views": EVERY, "languages": ["fr", "en", "de"]}


@pytest.fixture
def checked(cluster, filled, monkeypatch, capsys) -> Callable[..., tuple[int, dict[str, Any]]]:
    """The check over a filled city with these screens: how it ends, and what it says as JSON."""

    def run(*screens: dict[str, Any], city_file=None) -> tuple[int, dict[str, Any]]:
        conninfo = filled(City.FRESH)
        hang(conninfo, *screens)
        for name, value in cluster.environment(conninfo).items():
            monkeypatch.setenv(name, value)
        status = checking.check(city_file, as_json=True)
        return status, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def complete(monkeypatch):
    """Languages as they are once nothing is missing."""
    monkeypatch.setattr(checking, "lacking", lambda code: ())


def test_a_screen_of_55_inches_has_nothing_to_mend_and_the_status_is_0(checked, complete):
    status, report = checked(HALL)

    assert report["findings"] == []
    assert status == 0
    assert report["screens"] == ["hall"]
    assert report["languages"][:3] == ["fr", "en", "de"]
    assert report["not_checked"] == ""


def test_a_text_that_german_does_not_say_is_told_with_its_place_and_the_status_is_1(
    checked, monkeypatch
):
    kept = messages.catalogue

    def poorer(code):
        said = kept(code)
        if code == "de":
            said.delete("On your telephone")
        return said

    before = {(f["where"], f["text"]) for f in checked(HALL)[1]["findings"]}
    monkeypatch.setattr(messages, "catalogue", poorer)
    status, report = checked(HALL)

    told = {(f["where"], f["text"]) for f in report["findings"]} - before
    assert told == {("locale/de.po", "On your telephone (screens.py)")}
    assert status == 1


def test_a_word_wider_than_a_screen_read_from_12_m_is_told(checked, complete):
    status, report = checked({"id": "far", "views": ["air"], "distance_m": 12})

    words = [f["text"] for f in report["findings"] if f["what"].startswith("a word")]
    assert "Particules" in words
    assert {f["where"] for f in report["findings"]} == {"screen far, air, fr"}
    assert status == 1


def test_a_territory_and_a_language_that_are_not_there_are_told(checked, complete):
    _, report = checked(
        {"id": "nowhere", "views": ["air"], "territory": "59350"},
        {"id": "welsh", "views": ["air"], "languages": ["cy", "fr"]},
    )

    assert [(f["where"], f["what"], f["text"]) for f in report["findings"]] == [
        ("screen nowhere", "no such territory", "59350"),
        ("screen welsh", "no such language", "cy"),
    ]


def test_the_screens_of_a_city_file_are_looked_at_in_place_of_those_registered(
    checked, complete, tmp_path
):
    (tmp_path / "city.toml").write_text(TOML, "utf-8")
    (tmp_path / "sensors.csv").write_text(csv(), "utf-8")
    (tmp_path / "communes.geojson").write_text(OUTLINES, "utf-8")

    _, report = checked({"id": "other", "views": ["air"]}, city_file=tmp_path / "city.toml")

    assert report["screens"] == ["hall", "school"]


def test_without_a_database_languages_are_checked_and_screens_are_said_not_to_be(
    monkeypatch, capsys, complete
):
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")

    status = checking.check(None, as_json=False)

    said = " ".join(capsys.readouterr().out.split())
    assert status == 0
    assert "3 languages, 0 screens: nothing to mend." in said
    assert "Not checked: the database does not answer" in said


def test_the_program_prints_one_json_object_and_ends_with_the_status(cluster, filled):
    conninfo = filled(City.FRESH)
    hang(conninfo, {"id": "far", "views": ["air"], "distance_m": 12})
    done = subprocess.run(
        [sys.executable, "-m", "beffroi", "board", "check", "--json"],
        env={**os.environ, **cluster.environment(conninfo)}, timeout=60, check=False,
        capture_output=True, text=True,
    )  # fmt: skip

    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert any(f["where"].startswith("screen far") for f in report["findings"])


def test_a_figure_a_drawing_and_a_word_without_room_are_each_told():
    first = Fact(key="o3", label="Ozone", value="62", state=State.FRESH, said="à jour",
                 age="à l’instant")  # fmt: skip
    given = footed(room(Screen.model_validate({"id": "a", "views": ("air",)})), "Lille")
    sheet = Sheet(view="air", title="Air", facts=(first,))

    def told(sheet, room=given):
        return {(one.what, one.text) for one in overflowing(sheet, languages.language("fr"), room)}

    assert told(sheet) == set()
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"
    assert told(replace(sheet, lead=long)) == {("a word is wider than the screen", long)}
    low = replace(given, down=3.0)
    assert told(sheet, low) == {("a figure has no room", "Ozone")}
