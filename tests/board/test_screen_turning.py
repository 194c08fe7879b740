"""Slides follow one another: by themselves, by keys and buttons, for a whole day."""

import pytest
from playwright.async_api import expect

from tests.board.browser import opened
from tests.board.on_the_wall import HALL, NAME, on_the_wall, turned
from tests.board.screens_given import hang
from tests.board.serving import serving


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
