"""Screens outlive servers that are away, and clocks that are wrong."""

import asyncio
import contextlib
import functools
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.async_api import expect

from dashboards.board import app
from dashboards.board.feed import Feed
from tests.board.browser import chromium, opened
from tests.board.city import State
from tests.board.on_the_wall import HALL, NAME, on_the_wall, serious, turned
from tests.board.screens_given import hang
from tests.board.serving import serving


class Server:
    """A board that stops and starts again at one address."""

    def __init__(self, conninfo):
        self.conninfo, self.port, self.home = conninfo, 0, ""
        self._running = contextlib.AsyncExitStack()

    async def __aenter__(self):
        self.home = await self._running.enter_async_context(serving(self.conninfo, port=self.port))
        self.port = int(self.home.rsplit(":", 1)[1])
        return self

    async def __aexit__(self, *_):
        await self._running.aclose()


@pytest.mark.parametrize("host", ["127.0.0.1", "board.test"])
@pytest.mark.asyncio(loop_scope="session")
async def test_a_stopped_server_leaves_the_last_slides_turning_under_a_banner(filled, host):
    conninfo = filled(State.FRESH)
    hang(conninfo, {**HALL, "views": ["air"]})
    server = Server(conninfo)
    async with chromium("--host-resolver-rules=MAP board.test 127.0.0.1") as browser:
        async with server:
            home = server.home.replace("127.0.0.1", host)
            opening = opened(browser, home, "", width=1920, height=1080)
            page, watch = await opening.__aenter__()
            await page.clock.install()
            await page.goto(f"{home}/screen/hall?kiosk")
            secure = await page.evaluate("isSecureContext")
            first = await page.evaluate(NAME)
            second = await turned(page, first)
            at = await page.evaluate("document.querySelector('main').dataset.at")
            known = await page.locator("main").inner_text()
        # Away: what was seen turns, and says of when it is.
        seen = set()
        for _ in range(4):
            await page.clock.run_for(20_000)
            await page.wait_for_timeout(300)
            seen.add(await page.evaluate(NAME))
        banner = page.locator("#lost")
        await expect(banner).to_be_visible()
        words = await banner.inner_text()
        assert words.replace("\xa0", " ") == f"Dernières données : {at}"
        assert seen == {first, second}
        while await page.evaluate(NAME) != second:
            await page.clock.run_for(5_000)
            await page.wait_for_timeout(200)
        assert await page.locator("main").inner_text() == known
        await expect(page.locator(".clock")).to_be_hidden()
        async with server:
            for _ in range(40):
                await page.clock.run_for(2_000)
                await page.wait_for_timeout(250)
                if await banner.is_hidden():
                    break
            await expect(banner).to_be_hidden()
            await expect(page.locator(".clock")).to_be_visible()
            await opening.__aexit__(None, None, None)

    assert secure == (host == "127.0.0.1")
    assert serious(watch) == []


async def test_from_localhost_a_page_loaded_while_the_server_is_away_is_the_last_one(
    browser, filled
):
    server = Server(filled(State.FRESH))
    async with server:
        opening = opened(browser, server.home, "/air?lang=en")
        page, watch = await opening.__aenter__()
        await page.evaluate("navigator.serviceWorker.ready")
        await page.reload()
        await page.wait_for_function("navigator.serviceWorker.controller")
        await page.reload()
        known = await page.locator("h1, .lead").all_inner_texts()
        at = await page.evaluate("document.querySelector('main').dataset.at")
        stores = await page.evaluate("caches.keys()")
        addresses = await page.evaluate(
            "caches.open('beffroi-1').then(s => s.keys()).then(k => k.map(r => r.url))"
        )
    await page.reload()
    await expect(page.locator("#lost")).to_be_visible(timeout=15_000)
    assert await page.locator("h1, .lead").all_inner_texts() == known
    assert at in await page.locator("#lost").inner_text()
    async with server:
        await expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
        await opening.__aexit__(None, None, None)

    assert stores == ["beffroi-1"]
    assert f"{server.home}/air?lang=en" in addresses
    assert not [url for url in addresses if "/events" in url]
    assert serious(watch) == []


async def test_from_localhost_the_first_slide_ever_loaded_is_kept_with_its_looks(browser, filled):
    server = Server(filled(State.FRESH))
    async with server:
        opening = opened(browser, server.home, "/screen/hall?kiosk&rotate=0")
        page, watch = await opening.__aenter__()
        await page.wait_for_function(
            "Promise.all([caches.match(location.href), caches.match('/screen/hall.css')])"
            ".then((kept) => kept.every(Boolean))"
        )
        title, size = await page.inner_text("h1"), await page.evaluate(ROOT_SIZE)
    await page.reload()
    assert (await page.inner_text("h1"), await page.evaluate(ROOT_SIZE)) == (title, size)
    async with server:
        await expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
        await opening.__aexit__(None, None, None)

    assert serious(watch) == []


ROOT_SIZE = "getComputedStyle(document.documentElement).fontSize"


@pytest.fixture
def clock(monkeypatch):
    """The server's clock: a list of the one moment that it shows; empty: the real one."""
    shown = []
    monkeypatch.setattr(app, "Feed", functools.partial(
        Feed, now=lambda: shown[0] if shown else datetime.now(UTC)))  # fmt: skip
    return shown


@pytest.mark.soak
async def test_outside_opening_hours_a_screen_is_black_and_comes_back_by_itself(
    browser, city, clock
):
    day = datetime.now(UTC).replace(hour=11, minute=0)
    clock[:] = [day]
    screen = {**HALL, "open": ["mon-sun 08:00-18:30"]}
    async with on_the_wall(browser, city, screen) as (page, watch, _):
        await page.evaluate("window.mark = 1")
        name = await page.evaluate(NAME)
        await expect(page.locator("h1")).to_be_visible()
        clock[:] = [day + timedelta(hours=8)]
        await expect(page.locator("body")).to_have_attribute("data-state", "closed")
        await expect(page.locator("h1")).to_be_hidden()
        with Image.open(io.BytesIO(await page.screenshot())) as picture:
            darkest_and_lightest = picture.convert("RGB").getextrema()
        await page.clock.run_for(100_000)
        assert await page.evaluate(NAME) == name
        clock[:] = [day + timedelta(hours=9, minutes=1)]
        await asyncio.sleep(1)
        await expect(page.locator("h1")).to_be_hidden()
        clock[:] = [day]
        await expect(page.locator("body")).to_have_attribute("data-state", "open")
        await expect(page.locator("h1")).to_be_visible()

    assert darkest_and_lightest == ((0, 0), (0, 0), (0, 0))
    assert serious(watch) == []


async def test_a_screens_clock_that_is_a_year_behind_hides_and_invents_nothing(browser, filled):
    conninfo = filled(State.FRESH)
    hang(conninfo, HALL)
    async with (
        serving(conninfo) as home,
        opened(browser, home, "", width=1920, height=1080) as (page, watch),
    ):
        await page.clock.install(time=datetime.now(UTC) - timedelta(days=365))
        await page.goto(f"{home}/screen/hall?kiosk")
        first = await page.evaluate(NAME)
        assert await turned(page, first) == "fr.air.1"
        told = await page.evaluate(
            "[document.querySelector('.clock').textContent, new Date().getFullYear()]"
        )
        lost = await page.locator("#lost").is_visible()
        states = await page.evaluate(
            "[...document.querySelectorAll('.fact')].map(el => el.dataset.state)"
        )

    paris = datetime.now(ZoneInfo("Europe/Paris"))
    near = {f"{paris - timedelta(minutes=m):%H:%M}" for m in range(3)}
    assert told[0] in near
    assert told[1] < paris.year
    assert not lost
    assert set(states) == {"fresh"}
    assert watch.trouble == []


async def test_a_servers_clock_that_jumps_keeps_the_figures_and_calls_them_old(
    browser, filled, clock
):
    conninfo = filled(State.FRESH)
    async with on_the_wall(browser, conninfo, path="/screen/hall?kiosk&slide=fr.air.1") as (
        page, watch, _,
    ):  # fmt: skip
        value = page.locator(".fact .value").first
        before = await value.inner_text()
        await page.evaluate("window.mark = 1")
        clock[:] = [datetime.now(UTC) + timedelta(minutes=290)]
        await expect(page.locator(".fact").first).to_have_attribute("data-state", "late")
        after = await value.inner_text()
        # A night later by the server's clock, the page is loaded anew.
        clock[:] = [datetime.now(UTC) + timedelta(days=1)]
        for _ in range(40):
            await page.clock.run_for(1_000)
            await page.wait_for_timeout(250)
            if await page.evaluate("window.mark === undefined"):
                break
        assert await page.evaluate("window.mark === undefined")
        await expect(page.locator("h1, .fact").first).to_be_visible()

    assert after == before
    assert serious(watch) == []
