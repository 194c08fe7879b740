"""Pages keep to themselves: nobody else hears of whoever reads them, and nothing is inline."""

import asyncio
from collections.abc import Callable

from playwright.async_api import Browser

from tests.board.addresses import OTHERS, VIEWS
from tests.board.browser import opened
from tests.board.city import State
from tests.board.serving import serving

_INLINE = """() => [...document.querySelectorAll("*")].flatMap((element) => [
  ...element.getAttributeNames().filter((name) => name === "style" || name.startsWith("on")),
  ...(element.matches("style, script:not([src]), iframe, object, embed, base, form")
      ? [element.localName] : []),
  ...["src", "href", "xlink:href"].map((name) => element.getAttribute(name) || "")
    .filter((value) => value.startsWith("javascript:")),
].map((what) => `${element.localName} ${what}`))"""

_KEPT = """async () => [document.cookie, localStorage.length, sessionStorage.length,
  (await indexedDB.databases()).length]"""


async def test_no_page_asks_anybody_else_breaks_its_policy_or_keeps_anything_of_its_reader(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    told = {}
    async with serving(filled(State.FRESH)) as home, opened(browser, home, "") as (page, watch):
        for path in (*VIEWS.values(), *OTHERS, "/?territory=unknown"):
            watch.trouble.clear()
            await page.goto(home + path)
            # Long enough for the first event of the stream.
            await asyncio.sleep(0.3)
            trouble = [one for one in watch.trouble if "status of 404" not in one]
            inline, kept = await page.evaluate(_INLINE), await page.evaluate(_KEPT)
            told[path] = (trouble, inline, kept)

    assert {path: one for path, one in told.items() if one != ([], [], ["", 0, 0, 0])} == {}


async def test_links_that_lead_away_are_only_those_that_the_city_wrote(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    away = set()
    async with serving(filled(State.FRESH)) as home, opened(browser, home, "") as (page, _):
        for path in VIEWS.values():
            await page.goto(home + path)
            away |= set(
                await page.evaluate(
                    "() => [...document.links].filter(a => a.origin !== location.origin)"
                    ".map(a => a.href)"
                )
            )

    assert away <= {
        "mailto:contact@valbrume.example", "mailto:mobilite@valbrume.example",
        "https://example.org/deliberation-2026-12",
    }  # fmt: skip
    assert "mailto:contact@valbrume.example" in away


async def test_a_page_that_did_any_of_this_would_be_found(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "/") as (page, watch),
    ):
        before = list(watch.trouble)
        await page.evaluate("""() => {
          document.head.append(Object.assign(document.createElement("script"), {textContent: "1"}));
          document.body.append(Object.assign(new Image(), {src: "http://127.0.0.2:9/x.png"}));
          const made = document.createElement("p");
          made.setAttribute("style", "color: red");
          document.body.append(made);
          setTimeout(() => { throw new Error("broken on purpose"); });
        }""")
        await asyncio.sleep(0.5)
        inline = await page.evaluate(_INLINE)
        told = "\n".join(watch.trouble)

    assert before == []
    assert "CSP script-src" in told
    assert "CSP img-src http://127.0.0.2:9" in told
    assert "CSP style-src-attr" in told
    assert "broken on purpose" in told
    assert {"script script", "p style"} <= set(inline)
