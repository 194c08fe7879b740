"""The law's rules on every page, as axe-core knows them; the whole matrix runs in `make soak`."""

from collections.abc import Callable

import pytest
from playwright.async_api import Browser

from tests.board.addresses import LANGUAGES, OTHERS, THEMES, VIEWS
from tests.board.axe import TAGS, axe, script
from tests.board.browser import opened
from tests.board.city import State
from tests.board.judging import JUSTIFIED, MATRIX, Case, faults, judge
from tests.board.serving import serving

# Every view twice, and every state once on the home page; languages and themes take turns.
_PAGES = (
    *((path, State.FRESH) for path in VIEWS.values()),
    *((path, tuple(State)[number % 7]) for number, path in enumerate(VIEWS.values(), 1)),
    *(("/", state) for state in State),
)
SAMPLE = tuple(
    Case(path, LANGUAGES[number % len(LANGUAGES)], THEMES[number % 2], state)
    for number, (path, state) in enumerate(_PAGES)
)


async def test_every_tag_stands_for_rules_and_those_of_wcag_2_0_2_2_and_the_rgaa_found_work(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "/") as (page, _),
    ):
        told = await axe(page)
        rules = {tag: await page.evaluate("tag => axe.getRules([tag]).length", tag) for tag in TAGS}

    assert min(rules.values()) >= 1, rules
    # The rules that version 2.1 added speak of forms and of style attributes: there are none here.
    passed = {tag: told.rules_passed(tag) for tag in TAGS if not tag.startswith("wcag21")}
    assert passed["wcag2a"] >= 15
    assert passed["wcag2aa"] >= 3
    assert passed["RGAAv4"] >= 20
    assert passed["EN-301-549"] >= 20
    assert passed["wcag22aa"] >= 1


BROKEN = {
    "html-has-lang": "document.documentElement.removeAttribute('lang')",
    "document-title": "document.title = ''",
    "svg-img-alt": "document.querySelector('svg[role=img]').removeAttribute('aria-label')",
    "color-contrast": "document.querySelector('h1').style.color = '#bbb'",
    "link-name": "document.querySelector('footer a').textContent = ''",
    "aria-valid-attr": "document.querySelector('nav').setAttribute('aria-labell', 'x')",
    "target-size": "for (const a of document.querySelectorAll('.languages a'))"
    " a.style.cssText = 'font-size:6px;padding:0;margin:0;min-width:0;min-height:0;line-height:7px;width:9px;"
    "overflow:hidden;display:inline-block;height:7px'; document.querySelector('.languages').style.gap = 0",
    "meta-viewport": "document.querySelector('meta[name=viewport]').content = 'user-scalable=no'",
}  # fmt: skip


@pytest.mark.soak
async def test_a_page_broken_on_purpose_in_8_ways_is_found_each_time(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    found = {}
    async with (
        serving(filled(State.FRESH)) as home,
        opened(browser, home, "/") as (page, _),
    ):
        for rule, breaking in BROKEN.items():
            await page.reload()
            await page.evaluate(f"() => {{ {breaking} }}")
            found[rule] = {one.rule for one in (await axe(page)).violations}

    assert {rule for rule in BROKEN if rule not in found[rule]} == set()


async def test_a_sample_of_views_languages_themes_and_states_breaks_no_rule(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    assert {case.state for case in SAMPLE} == set(State)

    assert await judge(browser, SAMPLE, filled) == []


async def test_pages_besides_views_break_no_rule(
    browser: Browser, filled: Callable[[State], str]
) -> None:
    cases = [
        Case(path, LANGUAGES[number % len(LANGUAGES)], THEMES[number % 2], State.FRESH)
        for number, path in enumerate(OTHERS)
    ]
    async with serving(filled(State.FRESH)) as home:
        found = await faults(browser, home, cases)

    assert found == []


def test_the_whole_matrix_is_every_view_language_theme_and_state() -> None:
    assert len(set(MATRIX)) == len(MATRIX) == len(VIEWS) * 3 * 2 * 7


def test_whatever_axe_could_not_decide_was_looked_at_by_somebody() -> None:
    assert all(one.why and one.who and one.rule and one.target for one in JUSTIFIED)


def test_the_rules_are_of_axe_core_4_12_or_newer() -> None:
    version = script()[:40].split("axe v")[1].split(" ")[0].split("\n")[0]

    assert tuple(map(int, version.split("."))) >= (4, 12, 0)
