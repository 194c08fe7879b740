"""QR codes on slides, as a telephone reads them from a picture of the panel."""

import io

import httpx
import pytest
import zxingcpp
from PIL import Image

from tests.board.browser import opened
from tests.board.city import State
from tests.board.screens_given import PANELS, hang
from tests.board.serving import serving

VIEWS = ["air", "moving"]


async def read(page):
    """What the codes of the page lead to."""
    with Image.open(io.BytesIO(await page.screenshot())) as picture:
        return [code.text for code in zxingcpp.read_barcodes(picture)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("panel", ["hall", "upright"])
async def test_a_code_leads_to_the_slides_own_view_place_and_language(
    browser, filled, panel, theme
):
    conninfo = filled(State.FRESH)
    hang(conninfo, {**PANELS[panel][0], "id": "hall", "views": VIEWS, "territory": "99001",
                    "languages": ["fr", "de"], "theme": theme})  # fmt: skip
    width, height = PANELS[panel][1]
    told, titles = {}, {}
    async with (
        serving(conninfo) as home,
        opened(browser, home, "", width=width, height=height) as (page, _),
        httpx.AsyncClient(trust_env=False) as telephone,
    ):
        for slide in ("fr.air.0", "de.moving.0", "fr.phone.0", "de.phone.0"):
            await page.goto(f"{home}/screen/hall?kiosk&rotate=0&slide={slide}")
            told[slide] = [address.removeprefix(home) for address in await read(page)]
            for path in told[slide]:
                answer = await telephone.get(home + path)
                titles[slide] = (answer.status_code, answer.headers["content-language"])

    assert told == {
        "fr.air.0": ["/air?territory=99001"],
        "de.moving.0": ["/moving?territory=99001&lang=de"],
        "fr.phone.0": ["/?territory=99001"],
        "de.phone.0": ["/?territory=99001&lang=de"],
    }
    assert titles == {slide: (200, slide[:2]) for slide in told}


async def test_a_code_leads_to_the_address_that_the_city_gives_to_telephones(browser, filled):
    conninfo = filled(State.FRESH)
    hang(conninfo, {"id": "hall", "views": VIEWS, "address": "beffroi.ville.example"})
    async with (
        serving(conninfo) as home,
        opened(browser, home, "/screen/hall?kiosk&rotate=0", width=1920, height=1080) as (page, _),
    ):
        told = await read(page)

    assert told == ["http://beffroi.ville.example/air"]
