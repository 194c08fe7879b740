"""Slides in a real Chromium: nothing overflows, nothing covers anything, all is large enough."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.board.browser import opened
from tests.board.city import State
from tests.board.on_the_wall import HALL, on_the_wall
from tests.board.screens_given import LOOK_AT_ALL, PANELS, hang, panels
from tests.board.serving import serving

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


def inked_rows(png):
    """How many rows of a picture of one letter have ink on paper."""
    with Image.open(io.BytesIO(png)) as picture:
        red = np.asarray(picture.convert("RGB"), int)[:, :, 0]
    return int((abs(red - red[0, 0]) > 60).any(axis=1).sum())
