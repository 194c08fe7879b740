"""A screen as it hangs on the wall, whose clock is ours."""

import contextlib

from tests.board.browser import opened
from tests.board.screens_given import hang
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


def serious(watch):
    """What a page did wrong, besides asking for a server that was away on purpose."""
    return [trouble for trouble in watch.trouble if "net::ERR_" not in trouble]
