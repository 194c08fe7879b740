"""Pictures of every view as telephone, desk and screen, light and dark, for the documents.

.venv/bin/python -m tests.board.screenshots [--into docs/screenshots]
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.async_api import Browser, Page

from beffroi.embedded.testing import TestCluster
from tests.board.addresses import THEMES, VIEWS, asked
from tests.board.browser import chromium, opened
from tests.board.city import State
from tests.board.conftest import city_template
from tests.board.serving import serving, stopped_clock

ROOT = Path(__file__).parents[2]

# Name, width, height; pages are as long as they are, up to this many pixels.
PAGES = (("phone", 390, 844), ("desk", 1280, 900))
LONGEST = 1600

PARIS = ZoneInfo("Europe/Paris")


async def _pages(browser: Browser, home: str, into: Path) -> None:
    for theme in THEMES:
        for form, width, height in PAGES:
            looks = {"width": width, "height": height}
            async with opened(browser, home, "", **looks) as (page, _):
                for name, path in VIEWS.items():
                    await page.goto(home + asked(path, theme=theme, territory="99001"))
                    tall = await page.evaluate("document.documentElement.scrollHeight")
                    await page.set_viewport_size({"width": width, "height": min(tall, LONGEST)})
                    await _save(page, into, f"{name}-{form}-{theme}")


async def _screens(browser: Browser, home: str, into: Path) -> None:
    """The first slide of each view on the screen of the hall, in kiosk form."""
    for theme in THEMES:
        async with opened(browser, home, "", width=1920, height=1080, theme=theme) as (page, _):
            await page.goto(f"{home}/screen/hall?kiosk")
            slides = (await page.get_attribute("main", "data-slides") or "").split()
            for view in VIEWS:
                slide = next((name for name in slides if view in re.split(r"\W|_", name)), None)
                if slide is not None:
                    await page.goto(f"{home}/screen/hall?kiosk&rotate=0&slide={slide}")
                    await _save(page, into, f"{view}-screen-{theme}")


async def _save(page: Page, into: Path, name: str) -> None:
    """Take a picture of a page as it stands, in 256 colours, since documents carry many."""
    with Image.open(BytesIO(await page.screenshot(animations="disabled"))) as picture:
        fewer = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        fewer.save(into / f"{name}.png", optimize=True)


def afternoon() -> datetime:
    """14:31 on the newest working day that has come so far: at night there is little to see."""
    now = datetime.now(PARIS)
    then = now.replace(hour=14, minute=31, second=0, microsecond=0)
    while then > now or then.isoweekday() > 5:
        then -= timedelta(days=1)
    return then


async def _taken(conninfo: str, into: Path) -> None:
    async with (
        chromium() as browser,
        serving(conninfo, name="Communauté de Valbrume") as home,
    ):
        await _pages(browser, home, into)
        await _screens(browser, home, into)


def main() -> int:
    """Write the pictures anew, and say how large they are."""
    parser = argparse.ArgumentParser(description="pictures of every view of the board")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "screenshots")
    into = parser.parse_args().into
    into.mkdir(parents=True, exist_ok=True)
    with TestCluster() as cluster:
        now = afternoon().astimezone(UTC)
        with stopped_clock(now):
            asyncio.run(_taken(cluster.clone(city_template(cluster, State.FRESH, now)), into))
    made = sorted(into.glob("*.png"))
    print(f"{len(made)} pictures, {sum(one.stat().st_size for one in made) / 1e6:.1f} MB: {into}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
