"""What is said of a page by the accessibility rules, less what people have looked at."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
from playwright.async_api import Browser

from tests.board.addresses import LANGUAGES, OTHERS, SCREENS, THEMES, VIEWS, asked
from tests.board.axe import axe
from tests.board.browser import opened
from tests.board.city import State
from tests.board.serving import give_back, quick, serving, take_away


class Looked(NamedTuple):
    """What axe cannot decide and somebody looked at: a rule, and how the elements' targets begin."""

    rule: str
    target: str
    why: str
    who: str


JUSTIFIED: tuple[Looked, ...] = (
    Looked(
        "color-contrast", "svg ",
        "text in a drawing has a fill, which the rule does not read: it is computed from the style"
        " sheet, against paper and every filled shape that text may stand on",
        "tests/board/test_contrast.py",
    ),
)  # fmt: skip


class Case(NamedTuple):
    """One page as somebody might meet it."""

    path: str
    language: str
    theme: str
    state: State
    territory: str = ""

    def __str__(self) -> str:
        return f"{self.address} {self.state}"

    @property
    def address(self) -> str:
        return asked(self.path, language=self.language, theme=self.theme, territory=self.territory)


def _every(pages: Iterable[str], states: Iterable[State]) -> tuple[Case, ...]:
    return tuple(itertools.starmap(Case, itertools.product(pages, LANGUAGES, THEMES, states)))


MATRIX = _every(VIEWS.values(), State)

# Screens choose their own languages and themes, and an empty city has none; pages of methods are the
# same in every state.
EVERYTHING = (
    *MATRIX,
    *_every(OTHERS, (State.FRESH,)),
    *(Case(path, "", "", state) for path in SCREENS for state in State if state is not State.EMPTY),
)


@asynccontextmanager
async def board_of(state: State, conninfo: str) -> AsyncIterator[str]:
    """The address of a board of a city in that state; ``away``: everything was read before."""
    with quick():
        async with serving(conninfo) as home:
            if state is not State.AWAY:
                yield home
                return
            async with httpx.AsyncClient(base_url=home, trust_env=False) as client:
                for path in VIEWS.values():
                    await client.get(path)
                take_away(conninfo)
                try:
                    for path in VIEWS.values():
                        await _until_away(client, path)
                    yield home
                finally:
                    give_back(conninfo)


async def _until_away(client: httpx.AsyncClient, path: str) -> None:
    name = path.strip("/") or next(iter(VIEWS))
    for _ in range(100):
        if (await client.get(f"/{name}.json")).json()["database"] == "away":
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} never said that its database is away")


async def faults(
    browser: Browser, home: str, cases: Iterable[Case], *, done: Callable[[], None] = lambda: None
) -> list[str]:
    """Violations, doubts that nobody looked at, and whatever the browser complained of.

    `done` is called after each case.
    """
    found: list[str] = []
    async with opened(browser, home, "") as (page, watch):
        for case in cases:
            watch.trouble.clear()
            await page.goto(home + case.address)
            told = await axe(page)
            doubts = [
                one for one in told.incomplete
                if not any(one.rule == j.rule and one.target.startswith(j.target)
                           for j in JUSTIFIED)
            ]  # fmt: skip
            found += [f"{case}: {one}" for one in (*told.violations, *doubts, *watch.trouble)]
            done()
    return found


async def judge(
    browser: Browser,
    cases: tuple[Case, ...],
    city: Callable[[State], str],
    *,
    done: Callable[[], None] = lambda: None,
) -> list[str]:
    """Faults of all cases, a board per state; `done` is called after each case."""
    found: list[str] = []
    for state in State:
        chosen = [case for case in cases if case.state is state]
        if chosen:
            async with board_of(state, city(state)) as home:
                found += await faults(browser, home, chosen, done=done)
    return found
