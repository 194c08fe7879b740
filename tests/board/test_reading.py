"""Reading with a keyboard, on a narrow telephone, enlarged, and on paper."""

from collections.abc import Callable
from io import BytesIO

from playwright.async_api import Browser, Page
from pypdf import PdfReader

from tests.board.addresses import OTHERS, VIEWS, asked
from tests.board.browser import opened
from tests.board.city import State
from tests.board.serving import serving

PAGES = (*VIEWS.values(), *OTHERS)

# What has the focus: its name, whether one sees that it has it, and whether it is in view (of a
# link that is broken over lines, the first of them).
_FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at), box = at.getClientRects()[0];
  const [x, y] = [box.x + Math.min(box.width, innerWidth) / 2, box.y + Math.min(box.height, 40) / 2];
  const on = document.elementFromPoint(x, y);
  return {
    name: at.localName + " " + (at.getAttribute("href") || at.id || at.textContent.trim()),
    number: [...document.querySelectorAll("*")].indexOf(at),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: !!on && (at.contains(on) || on.contains(at)),
  };
}"""
_UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
_REACHABLE = """() => [...document.querySelectorAll("a[href], summary, button, input, [tabindex='0']")]
  .filter((element) => element.checkVisibility()).length"""


async def _tabbed(page: Page) -> list[dict[str, object]]:
    """Everything that the Tab key reaches, in order, until the focus leaves the page."""
    met: list[dict[str, object]] = []
    for _ in range(120):
        await page.keyboard.press("Tab")
        at = await page.evaluate(_FOCUSED)
        if at is None or (met and at["number"] == met[0]["number"]):
            return met
        met.append(at)
    raise AssertionError("the Tab key went round in the page for ever")


async def test_the_tab_key_reaches_everything_in_reading_order_and_one_sees_where_it_is(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    wrong = {}
    async with serving(filled(State.FRESH)) as home, opened(browser, home, "") as (page, _):
        for path in PAGES:
            await page.goto(home + path)
            # Folded tables hold what can be scrolled.
            await page.evaluate(_UNFOLD)
            met, due = await _tabbed(page), await page.evaluate(_REACHABLE)
            numbers = [one["number"] for one in met]
            unseen = [one for one in met if not (one["outlined"] and one["seen"])]
            if numbers != sorted(set(numbers)) or len(met) < due or unseen:
                wrong[path] = (len(met), due, unseen)

    assert wrong == {}


async def test_the_first_key_press_leads_past_the_heading_to_the_measurements(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "/") as (page, _),
    ):
        await page.keyboard.press("Tab")
        first = await page.evaluate(_FOCUSED)
        await page.keyboard.press("Enter")
        where = await page.evaluate("document.activeElement.id")
        await page.keyboard.press("Tab")
        inside = await page.evaluate("!!document.activeElement.closest('main')")

    assert first["name"].endswith("#measures")
    assert first["seen"]
    assert (where, inside) == ("measures", True)


async def test_a_folded_table_opens_by_the_space_key(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, VIEWS["air"]) as (page, _),
    ):
        await page.locator("summary").first.focus()
        before = await page.locator("details").first.get_attribute("open")
        await page.keyboard.press("Space")
        after = await page.locator("details table").first.is_visible()

    assert (before, after) == (None, True)


_TOO_WIDE = """() => {
  const page = document.scrollingElement;
  const cut = [...document.querySelectorAll("h1, h2, p, a, span, summary, li, text")]
    .filter((element) => !element.closest(".scroll, .skip") && element.checkVisibility())
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.right > innerWidth + 1 || box.left < -1))
    .map(([element]) => element.localName + "." + (element.getAttribute("class") || "") + " "
                        + element.textContent.trim().slice(0, 40));
  return page.scrollWidth > innerWidth ? [`scrolls ${page.scrollWidth}`, ...cut] : cut;
}"""

# The spacing that readers may ask for (WCAG 1.4.12).
_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
    word-spacing: .16em !important; } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets.push(sheet);
}"""


async def _too_wide(page: Page, home: str, *, spaced: bool) -> dict[str, list[str]]:
    """German words are the longest."""
    found = {}
    for path in PAGES:
        await page.goto(home + asked(path, language="de"))
        await page.evaluate(_UNFOLD)
        found[path] = await page.evaluate(_TOO_WIDE)
        if spaced:
            await page.evaluate(_SPACED)
            found[path] += await page.evaluate(_TOO_WIDE)
    return {path: wide for path, wide in found.items() if wide}


async def test_at_320_pixels_and_with_wide_spacing_nothing_scrolls_sideways_and_nothing_is_cut(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "", width=320) as (page, _),
    ):
        assert await _too_wide(page, home, spaced=True) == {}


async def test_a_desk_enlarged_to_200_percent_shows_everything_without_scrolling_sideways(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    # What a browser of 1280 pixels makes of a page at 200 %.
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "", width=640, height=450, scale=2.0) as (page, _),
    ):
        assert await _too_wide(page, home, spaced=False) == {}


async def test_a_word_too_long_for_320_pixels_would_be_found(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "/", width=320) as (page, _),
    ):
        await page.evaluate("document.querySelector('footer p').textContent = 'x'.repeat(200)")
        found = await page.evaluate(_TOO_WIDE)

    assert any(one.startswith("scrolls") for one in found)


# Headings stand far enough from whatever else can be touched; axe looks at the distance.
_SMALL_TARGETS = """() => [...document.querySelectorAll("a, summary, button")]
  .filter((element) => !element.closest("h2, .skip") && element.checkVisibility())
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, box]) => box.height < 24 || box.width < 24)
  .map(([element, box]) => `${element.textContent.trim()} ${box.width} x ${box.height}`)"""

# Fonts whose lines are lower than those of any that a machine is likely to have.
_LOW_LINES = "document.documentElement.style.lineHeight = '1'"


async def test_whatever_can_be_touched_is_24_pixels_high_in_any_font(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    small = {}
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "", width=390, height=844) as (page, _),
    ):
        for path in PAGES:
            await page.goto(home + asked(path))
            await page.evaluate(_LOW_LINES)
            small[path] = await page.evaluate(_SMALL_TARGETS)

    assert {path: found for path, found in small.items() if found} == {}


def sheets(pdf: bytes) -> int:
    """How many pages a PDF has."""
    return len(PdfReader(BytesIO(pdf)).pages)


async def test_every_view_prints_on_1_sheet_of_a4(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    counted = {}
    async with serving(filled(State.FRESH)) as home, opened(browser, home, "") as (page, _):
        for path in VIEWS.values():
            await page.goto(home + path)
            counted[path] = sheets(await page.pdf(format="A4", prefer_css_page_size=True))
        await page.evaluate(
            "document.querySelector('main').append(...Array(60).fill('x').map("
            "(x) => Object.assign(document.createElement('p'), {textContent: x})))"
        )
        longer = sheets(await page.pdf(format="A4", prefer_css_page_size=True))

    assert {path: n for path, n in counted.items() if n != 1} == {}
    assert longer >= 2


async def test_on_paper_there_is_black_on_white_and_no_navigation(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "/", theme="dark") as (page, _),
    ):
        await page.emulate_media(media="print", color_scheme="dark")
        ink, paper, navigation, amount = await page.evaluate("""() => [
          getComputedStyle(document.documentElement).color,
          getComputedStyle(document.documentElement).backgroundColor,
          [...document.querySelectorAll("nav")].some((nav) => nav.checkVisibility()),
          getComputedStyle(document.querySelector(".value")).color,
        ]""")

    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert not navigation
    assert amount == "rgb(0, 0, 0)"
