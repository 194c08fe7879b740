"""Pictures of every view as telephone, desk and screen, light and dark, for the documents.

.venv/bin/python -m tests.board.screenshots [--into docs/screenshots]
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from struct import pack

from playwright.async_api import Browser, Page

from beffroi.embedded.testing import TestCluster
from tests.board.addresses import THEMES, VIEWS, asked
from tests.board.browser import chromium, opened
from tests.board.city import State
from tests.board.conftest import city_template
from tests.board.serving import serving

ROOT = Path(__file__).parents[2]

# Name, width, height; pages are as long as they are, up to this many pixels.
PAGES = (("phone", 390, 844), ("desk", 1280, 900))
LONGEST = 1600


async def _pages(browser: Browser, home: str, darkroom: Darkroom) -> None:
    for theme in THEMES:
        for form, width, height in PAGES:
            looks = {"width": width, "height": height}
            async with opened(browser, home, "", **looks) as (page, _):
                for name, path in VIEWS.items():
                    await page.goto(home + asked(path, theme=theme, territory="99001"))
                    tall = await page.evaluate("document.documentElement.scrollHeight")
                    await page.set_viewport_size({"width": width, "height": min(tall, LONGEST)})
                    await darkroom.save(page, f"{name}-{form}-{theme}")


async def _screens(browser: Browser, home: str, darkroom: Darkroom) -> None:
    """The first slide of each view on the screen of the hall, in kiosk form."""
    for theme in THEMES:
        async with opened(browser, home, "", width=1920, height=1080, theme=theme) as (page, _):
            await page.goto(f"{home}/screen/hall?kiosk")
            slides = (await page.get_attribute("main", "data-slides") or "").split()
            for view in VIEWS:
                slide = next((name for name in slides if view in re.split(r"\W|_", name)), None)
                if slide is not None:
                    await page.goto(f"{home}/screen/hall?kiosk&rotate=0&slide={slide}")
                    await darkroom.save(page, f"{view}-screen-{theme}")


# The picture in its 256 commonest colours; others become the nearest of these.
_FEWER = """async (picture) => {
  const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([colour]) => colour);
  const parts = (colour) => [colour & 255, colour >> 8 & 255, colour >> 16 & 255];
  const palette = common.map(parts);
  const nearest = new Map(common.map((colour, index) => [colour, index]));
  for (const colour of counts.keys()) {
    if (nearest.has(colour)) continue;
    const [r, g, b] = parts(colour);
    let best = 0, least = Infinity;
    palette.forEach(([x, y, z], index) => {
      const far = (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2;
      if (far < least) [best, least] = [index, far];
    });
    nearest.set(colour, best);
  }
  const indices = Uint8Array.from(pixels, (pixel) => nearest.get(pixel));
  let text = "";
  for (let at = 0; at < indices.length; at += 32768)
    text += String.fromCharCode(...indices.subarray(at, at + 32768));
  return { width, height, palette: palette.flat(), indices: btoa(text) };
}"""


class Darkroom:
    """Makes small files of pictures; the browser knows how to read them."""

    def __init__(self, page: Page, into: Path) -> None:
        self.page = page
        self.into = into

    async def save(self, page: Page, name: str) -> None:
        """Take a picture of a page as it stands."""
        picture = b64encode(await page.screenshot(animations="disabled")).decode()
        told = await self.page.evaluate(_FEWER, picture)
        width, height = told["width"], told["height"]
        indices = b64decode(told["indices"])
        rows = (indices[at : at + width] for at in range(0, width * height, width))
        self.into.joinpath(f"{name}.png").write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
            + _chunk(b"PLTE", bytes(told["palette"]))
            + _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9))
            + _chunk(b"IEND", b"")
        )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))


async def _taken(conninfo: str, into: Path) -> None:
    async with (
        chromium() as browser,
        serving(conninfo, name="Communauté de Valbrume") as home,
        opened(browser, home, "") as (page, _),
    ):
        darkroom = Darkroom(page, into)
        await _pages(browser, home, darkroom)
        await _screens(browser, home, darkroom)


def main() -> int:
    """Write the pictures anew, and say how large they are."""
    parser = argparse.ArgumentParser(description="pictures of every view of the board")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "screenshots")
    into = parser.parse_args().into
    into.mkdir(parents=True, exist_ok=True)
    with TestCluster() as cluster:
        asyncio.run(_taken(cluster.clone(city_template(cluster, State.FRESH)), into))
    made = sorted(into.glob("*.png"))
    print(f"{len(made)} pictures, {sum(one.stat().st_size for one in made) / 1e6:.1f} MB: {into}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
