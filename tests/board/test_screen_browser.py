"""Screens in a real Chromium: nothing overflows, all is large enough, and they outlive servers."""

import asyncio
import contextlib
import functools
import itertools
import struct
import zlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from dashboards.board import app
from dashboards.board.feed import Feed
from tests.board.browser import chromium, opened
from tests.board.city import State
from tests.board.screens_given import LOOK_AT_ALL, PANELS, hang, panels
from tests.board.serving import serving

HALL = {"id": "hall", "views": ["air", "moving"], "dwell_s": 15}
NAME = "document.querySelector('main').dataset.slide"


@contextlib.asynccontextmanager
async def on_the_wall(browser, conninfo, *screens, path="/screen/hall?kiosk", host="", **looks):
    """An open screen whose clock is ours; its page, what it did, and its address."""
    hang(conninfo, *(screens or (HALL,)))
    async with (
        serving(conninfo) as home,
        opened(browser, home, "", width=1920, height=1080, **looks) as (page, watch),
    ):
        shown = home.replace("127.0.0.1", host) if host else home
        watch.home = shown
        await page.clock.install()
        await page.goto(f"{shown}{path}")
        yield page, watch, home


async def turned(page, name, *, waiting=True):
    """The slide after `name`, once its time on the screen's clock is over."""
    if waiting:
        dwell_s = float(await page.evaluate("document.querySelector('main').dataset.dwell"))
        await page.clock.run_for(1000 * dwell_s + 1500)
    await page.wait_for_function(f"name => {NAME} !== name", arg=name, timeout=30_000)
    return await page.evaluate(NAME)


# Of the panels, those that every run looks at.
SAMPLE = ("hall", "upright")


@pytest.mark.parametrize(
    "panel",
    [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.soak) for name in PANELS],
)
async def test_no_text_overflows_or_is_smaller_than_the_distance_asks_for(browser, filled, panel):
    conninfo = filled(State.FRESH)
    hang(conninfo, *panels())
    width, height = PANELS[panel][1]
    async with (
        serving(conninfo) as home,
        opened(browser, home, f"/screen/{panel}?kiosk&rotate=0", width=width, height=height)
        as (page, watch),
    ):  # fmt: skip
        told = await page.evaluate(LOOK_AT_ALL)

    assert told["wrong"] == []
    assert told["slides"] >= 3 * 10
    assert told["texts"] > 3 * told["slides"]
    assert watch.trouble == []


@pytest.mark.parametrize(("panel", "size"), [("hall", (1920, 1080)), ("hall", (1280, 720)),
                                             ("upright", (1080, 1920))])  # fmt: skip
async def test_buttons_for_desks_take_nothing_from_the_text(browser, filled, panel, size):
    conninfo = filled(State.FRESH)
    hang(conninfo, {"id": panel, "views": ["air", "energy"], "language": "fr", **PANELS[panel][0]})
    async with (
        serving(conninfo) as home,
        opened(browser, home, f"/screen/{panel}?rotate=0", width=size[0], height=size[1])
        as (page, watch),
    ):  # fmt: skip
        told = await page.evaluate(LOOK_AT_ALL)
        shown = await page.locator("button:visible").count()
        root = await page.evaluate(
            "parseFloat(getComputedStyle(document.documentElement).fontSize)"
        )

    assert told["wrong"] == []
    assert shown == 3
    assert 0.7 * root * PANELS[panel][1][0] / size[0] >= 58
    assert watch.trouble == []


@pytest.mark.parametrize("slide", ["fr.air.0", "fr.air.2", "fr.moving.0"])
async def test_a_banner_lies_on_no_figure(browser, filled, slide):
    conninfo = filled(State.FRESH)
    async with on_the_wall(
        browser, conninfo, path=f"/screen/hall?kiosk&rotate=0&slide={slide}"
    ) as (page, watch, _):
        # At once, since the stream says soon that nothing is away.
        told = await page.evaluate("""() => {
          const banner = document.querySelector("#away");
          banner.textContent = "Dernières données : 28 sept. 23:59";
          const box = banner.getBoundingClientRect();
          const range = document.createRange(), over = [];
          const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const node = walker.currentNode;
            if (getComputedStyle(node.parentElement).visibility === "hidden") continue;
            range.selectNodeContents(node);
            for (const b of range.getClientRects())
              if (b.width && Math.min(b.right, box.right) - Math.max(b.left, box.left) > 1
                  && Math.min(b.bottom, box.bottom) - Math.max(b.top, box.top) > 4) over.push(node.data);
          }
          return { over, seen: banner.checkVisibility(), right: box.right, bottom: box.bottom,
                   clock: document.querySelector(".clock").checkVisibility() };
        }""")

    assert told["over"] == []
    assert told["seen"]
    assert not told["clock"]
    assert told["right"] <= 1920
    assert told["bottom"] <= 1080
    assert watch.trouble == []


async def test_a_capital_is_at_least_58_px_high_at_3_m_on_55_inches_of_1080_lines(browser, filled):
    conninfo = filled(State.FRESH)
    hang(conninfo, HALL)
    async with (
        serving(conninfo) as home,
        opened(browser, home, "/screen/hall?pattern", width=1920, height=1080) as (page, watch),
    ):
        heights = []
        for letter in ("#capitals", "#capitals b", "#capitals span"):
            box = await page.evaluate(
                "name => { const el = document.querySelector(name).cloneNode(false);"
                " el.textContent = 'H'; el.id = 'alone';"
                " document.querySelector('main').replaceChildren(el);"
                " const range = document.createRange(); range.selectNodeContents(el);"
                " const b = range.getBoundingClientRect();"
                " return {x: b.x, y: b.y, width: b.width, height: b.height} }",
                letter,
            )
            heights.append(inked_rows(await page.screenshot(clip=box)))
            await page.reload()
        ruler = await page.locator(".ruler").bounding_box()

    assert min(heights) >= 58
    assert max(heights) <= 68
    # 100 mm of a panel that is 1218 mm wide.
    assert ruler["width"] == pytest.approx(1920 * 100 / 1217.6, abs=1)
    assert watch.trouble == []


async def test_slides_follow_each_other_by_themselves_and_space_holds_them(browser, city):
    async with on_the_wall(browser, city) as (page, watch, _):
        dwell_s = float(await page.evaluate("document.querySelector('main').dataset.dwell"))
        first = await page.evaluate(NAME)
        await page.clock.run_for(1000 * dwell_s - 2000)
        assert await page.evaluate(NAME) == first
        second = await turned(page, first)

        await page.keyboard.press("Space")
        await page.clock.run_for(40_000)
        assert await page.evaluate(NAME) == second
        await page.keyboard.press("ArrowLeft")
        assert await turned(page, second, waiting=False) == first
        await page.keyboard.press("ArrowRight")
        assert await turned(page, first, waiting=False) == second
        await page.keyboard.press("Space")
        assert await turned(page, second) not in (first, second)

    assert dwell_s >= 15
    assert (first, second) == ("fr.air.0", "fr.air.1")
    assert watch.trouble == []


@pytest.mark.parametrize(("path", "looks"), [
    ("/screen/hall?rotate=0", {}), ("/screen/hall", {"reduced_motion": "reduce"}),
])  # fmt: skip
async def test_who_wants_no_motion_has_none_but_buttons_that_work(browser, city, path, looks):
    async with on_the_wall(browser, city, path=path, **looks) as (page, watch, _):
        await page.clock.run_for(180_000)
        # The page may just be loaded anew: no beat came in those minutes.
        await expect(page.locator("main")).to_have_attribute("data-slide", "fr.air.0")
        await expect(page.locator("#pause")).to_have_text("Reprendre")
        for button in await page.locator("button").all():
            box = await button.bounding_box()
            assert min(box["width"], box["height"]) >= 24
        await page.locator("#next").focus()
        await page.keyboard.press("Enter")
        assert await turned(page, "fr.air.0", waiting=False) == "fr.air.1"
        assert await page.evaluate("document.activeElement.id") == "next"
        outline = await page.locator("#next").evaluate("el => getComputedStyle(el).outlineStyle")

    assert outline == "solid"
    assert watch.trouble == []


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


def serious(watch):
    """What a page did wrong, besides asking for a server that was away on purpose."""
    return [trouble for trouble in watch.trouble if "net::ERR_" not in trouble]


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


# What the server would have said in the meantime, since its clock is not the screen's.
HEAR = """
const Real = EventSource;
window.EventSource = class extends Real {
  constructor(url) { super(url); window.source = this; }
};
"""


@pytest.mark.soak
async def test_a_day_of_slides_leaves_memory_where_it_was(browser, city):
    hang(city, {**HALL, "dwell_s": 300})
    async with (
        serving(city) as home,
        opened(browser, home, "", width=1920, height=1080) as (page, watch),
    ):
        await page.add_init_script(HEAR)
        await page.clock.install()
        await page.goto(f"{home}/screen/hall?kiosk")
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable")
        await page.evaluate("window.mark = 'the same page'")

        async def heap():
            for _ in range(2):
                await devtools.send("HeapProfiler.collectGarbage")
            told = await devtools.send("Performance.getMetrics")
            found = {one["name"]: one["value"] for one in told["metrics"]}
            return found["JSHeapUsedSize"] / 1e6, found["Nodes"]

        name, sizes = await page.evaluate(NAME), []
        for turn in range(280):
            # Always less than the 45 s after which a silent page is loaded anew.
            for _ in range(7):
                await page.evaluate("source.dispatchEvent(new Event('beat'))")
                await page.clock.run_for(40_000)
            await page.evaluate("source.dispatchEvent(new Event('beat'))")
            await page.clock.run_for(25_000)
            name = await turned(page, name, waiting=False)
            if turn % 40 == 39:
                sizes.append(await heap())
        marked = await page.evaluate("window.mark")

    (first_mb, first_nodes), *_, (last_mb, last_nodes) = sizes
    print("heap in MB and nodes, every 40 slides:", sizes)
    assert len(sizes) == 7
    assert marked == "the same page"
    assert last_mb < first_mb + 1
    assert last_nodes < 1.5 * first_nodes
    assert watch.trouble == []


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
        black = pixels(await page.screenshot())[2]
        await page.clock.run_for(100_000)
        assert await page.evaluate(NAME) == name
        clock[:] = [day + timedelta(hours=9, minutes=1)]
        await asyncio.sleep(1)
        await expect(page.locator("h1")).to_be_hidden()
        clock[:] = [day]
        await expect(page.locator("body")).to_have_attribute("data-state", "open")
        await expect(page.locator("h1")).to_be_visible()

    assert set(b"".join(black)) == {0}
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


def inked_rows(png):
    """How many rows of a picture of one letter have ink on paper."""
    width, height, rows = pixels(png)
    paper = rows[0][:3]
    return sum(any(abs(row[3 * x] - paper[0]) > 60 for x in range(width)) for row in rows[:height])


def pixels(png):
    """Rows of a PNG of 8 bits, as bytes of red, green and blue."""
    at, data, width, height, step = 8, b"", 0, 0, 3
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
            step = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    raw, rows, former = zlib.decompress(data), [], bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + width * step])
        for x in range(len(row)):
            a = row[x - step] if x >= step else 0
            b, c = former[x], former[x - step] if x >= step else 0
            guess = min((a, b, c), key=lambda v: abs(a + b - c - v))
            row[x] = (row[x] + (0, a, b, (a + b) // 2, guess)[kind]) & 255
        rows.append(bytes(itertools.chain.from_iterable(
            row[n : n + 3] for n in range(0, len(row), step))))  # fmt: skip
        former = row
    return width, height, rows
