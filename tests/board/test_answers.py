"""Whatever is asked for, and whatever breaks, somebody gets a plain answer in their language."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from starlette.applications import Starlette

from dashboards.board import app
from dashboards.board.views.view import View
from dashboards.settings import Settings
from tests.board.serving import serving

NAME = "<b>\"'&{0} %s\u202e" + "L" * 150


@contextlib.asynccontextmanager
async def asking(conninfo: str) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(conninfo) as home,
        httpx.AsyncClient(base_url=home, timeout=10, trust_env=False) as client,
    ):
        yield client


def change(monkeypatch: pytest.MonkeyPatch, name: str, **changed: Any) -> None:
    """The board's view of that name is another in some way."""
    kept = app.views

    def views(settings: Settings) -> dict[str, View]:
        found = kept(settings)
        return found | {name: replace(found[name], **changed)}

    monkeypatch.setattr(app, "views", views)


def fail(*_: object) -> None:
    raise KeyError("broken on purpose")


def is_guarded(answer: httpx.Response) -> bool:
    return "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere", "Cette page n’existe pas."),
        ("/a/b/c?lang=en", "There is no such page here."),
        ("/static/none.css?lang=de", "Diese Seite gibt es hier nicht."),
        ("/%00%0d%0aX: y", "Cette page n’existe pas."),
        ("/?lang=de&territory=" + "9" * 5000, "gibt es hier nicht."),
    ],
)
async def test_an_address_that_is_none_is_answered_by_a_page_with_a_way_back(
    city: str, path: str, words: str
) -> None:
    async with asking(city) as client:
        answer = await client.get(path)

    assert (answer.status_code, is_guarded(answer)) == (404, True)
    assert words in answer.text
    assert '<a href="/' in answer.text


async def test_pages_are_read_and_never_written(city: str) -> None:
    async with asking(city) as client:
        page, data = await client.post("/air?lang=en"), await client.delete("/air.json")

    assert (page.status_code, set(page.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert "cannot be used in that way" in page.text
    assert (data.status_code, data.json()) == (405, {"error": "Method Not Allowed"})
    assert is_guarded(page)
    assert is_guarded(data)


async def test_the_head_of_a_stream_ends(city: str) -> None:
    async with asking(city) as client:
        head = await client.head("/events?view=air")
        # On the same connection: it would wait for ever behind a stream.
        page = await client.get("/air")

    assert head.headers["content-type"].startswith("text/event-stream")
    assert (head.status_code, page.status_code) == (200, 200)


async def test_a_view_that_cannot_be_said_takes_no_other_down(
    city: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, "air", say=fail)
    async with asking(city) as client:
        air, data = await client.get("/air"), (await client.get("/air.json")).json()
        others = [await client.get(path) for path in ("/", "/moving", "/map", "/screen/hall")]

    assert "Impossible à afficher pour le moment." in air.text
    assert (air.status_code, data["nothing"]) == (200, "Impossible à afficher pour le moment.")
    assert [answer.status_code for answer in others] == [200] * 4


async def test_a_view_that_cannot_be_read_takes_no_other_down(
    city: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, "air", load=fail)
    async with asking(city) as client:
        air = await client.get("/air")
        others = [await client.get(path) for path in ("/", "/moving", "/map", "/screen/hall")]

    assert (air.status_code, is_guarded(air)) == (503, True)
    assert [answer.status_code for answer in others] == [200] * 4


async def test_a_mistake_of_ours_is_told_plainly_and_under_the_same_policy(
    city: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "declaration", fail)
    async with asking(city) as client:
        answer = await client.get("/accessibility?lang=de")

    assert (answer.status_code, is_guarded(answer)) == (500, True)
    assert "Hier ist ein Fehler aufgetreten." in answer.text
    assert "KeyError" not in answer.text


async def test_views_taken_away_leave_what_was_known_and_say_so(city: str) -> None:
    async with asking(city) as client:
        before = (await client.get("/now.json")).json()
        with psycopg.connect(city, autocommit=True) as connection:
            connection.execute("DROP SCHEMA board CASCADE")
        for _ in range(100):
            after = (await client.get("/now.json")).json()
            if after["database"] == "away":
                break
            await asyncio.sleep(0.1)
        page = await client.get("/")

    assert (before["database"], after["database"], page.status_code) == ("ok", "away", 200)
    assert len(after["figures"]) == len(before["figures"])


async def test_a_database_that_was_never_migrated_to_this_is_told_in_words(city: str) -> None:
    with psycopg.connect(city, autocommit=True) as connection:
        connection.execute("DROP SCHEMA board CASCADE")
    async with asking(city) as client:
        answers = [await client.get(path) for path in ("/", "/air", "/screen/hall", "/screens")]
        data = await client.get("/air.json")

    assert {answer.status_code for answer in (*answers, data)} == {503}
    assert all("Les données" in answer.text for answer in answers)
    assert data.json() == {"error": "no data yet"}


async def test_names_are_text_in_every_view_and_what_data_say_can_be_read(city: str) -> None:
    with psycopg.connect(city, autocommit=True) as connection:
        connection.execute("UPDATE city.territory SET name = %s || code", [NAME])
        connection.execute("UPDATE city.site SET name = %s", [NAME])
        connection.execute("UPDATE city.sensor SET code = '<b>' || code")
    async with asking(city) as client:
        for view in ("now", "air", "moving", "energy", "map", "measure", "platform"):
            for place in ("", "99001", "99002", "08999001"):
                query = f"territory={place}&lang=en"
                page = await client.get(f"/{view if view != 'now' else ''}?{query}")
                data = await client.get(f"/{view}.json?{query}")
                assert (page.status_code, NAME[:5] in page.text) == (200, False), view
                assert (data.status_code, data.json()["view"]) == (200, view)


async def test_a_pattern_of_sensors_that_is_no_pattern_costs_no_figure(city: str) -> None:
    with psycopg.connect(city, autocommit=True) as connection:
        connection.execute(
            "UPDATE city.trade SET facts = jsonb_set(facts, '{reference}', %s) WHERE domain = 'air'",
            ['["air-[", "[z-a]", "air-\\\\", "(", "[]"]'],
        )
    async with asking(city) as client:
        answers = [await client.get(f"/{view}.json") for view in ("now", "air", "map", "measure")]

    assert [answer.status_code for answer in answers] == [200] * 4


async def test_of_places_that_nobody_asks_for_any_more_no_former_rows_are_kept(
    city: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[app.Board] = []
    started = app.Board.starlette

    def starlette(self: app.Board) -> Starlette:
        made.append(self)
        return started(self)

    monkeypatch.setattr(app.Board, "starlette", starlette)
    change(monkeypatch, "air", every_s=0.25)
    async with asking(city) as client:
        for place in ("", "99001", "99002", "08999001"):
            for code in ("fr", "en", "de"):
                await client.get(f"/air?territory={place}&lang={code}")
        await asyncio.sleep(0.5)
        await client.get("/air")
        await client.get("/air")
        kept = {id(one.look) for one in made[0].said.values() if one.view.name == "air"}

    assert len(kept) == 1
