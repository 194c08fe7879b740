"""A real Chromium: Debian's where it is installed, else the one that the project fetches."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from playwright.async_api import Browser, Page, Request, async_playwright

from beffroi.embedded import packages
from beffroi.embedded.bundles import CHROMIUM

INSTALLED = Path("/usr/bin/chromium")

# No sandbox: as root, and in containers, there is none to be had. What is switched off would
# otherwise ask the network on its own account.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip

# Says what the policy of a page forbade and what it threw, before any script of the page runs.
_LISTEN = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP " + event.violatedDirective + " " + event.blockedURI));
"""


class Looks(TypedDict, total=False):
    """How a page is opened, besides where."""

    width: int
    height: int
    theme: Literal["light", "dark", "no-preference"]
    reduced_motion: Literal["reduce", "no-preference"]
    scale: float


def program() -> str:
    """The path of the browser."""
    if INSTALLED.exists():
        return str(INSTALLED)
    return str(packages.entry(CHROMIUM, packages.fetch(CHROMIUM)))


@contextlib.asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """A browser without windows; `flags` go beside its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program(), args=[*FLAGS, *flags], chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            await browser.close()


class Watch:
    """What a page said and asked for; what it must not do is gathered in `trouble`."""

    def __init__(self, page: Page, home: str) -> None:
        self.home = home
        self.trouble: list[str] = []
        self.requests: list[Request] = []
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.trouble.append(f"exception {error}"))
        page.on("request", self._asked)

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.trouble.append(f"{kind} {text}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((self.home, "data:", "blob:", "about:")):
            self.trouble.append(f"foreign request {request.url}")


@contextlib.asynccontextmanager
async def opened(
    browser: Browser, home: str, path: str = "/", **looks: Unpack[Looks]
) -> AsyncIterator[tuple[Page, Watch]]:
    """A page in a profile of its own, and what it does; `path` is below `home`.

    The desk's window is 1280 by 900. The event stream never ends, so that "load" is all there
    is to wait for.
    """
    context = await browser.new_context(
        viewport={"width": looks.get("width", 1280), "height": looks.get("height", 900)},
        color_scheme=looks.get("theme", "light"),
        reduced_motion=looks.get("reduced_motion", "no-preference"),
        device_scale_factor=looks.get("scale", 1.0),
        locale="fr-FR",
        timezone_id="Europe/Paris",
    )
    await context.add_init_script(_LISTEN)
    page = await context.new_page()
    watch = Watch(page, home)
    try:
        if path:
            await page.goto(f"{home}{path}", wait_until="load", timeout=30_000)
        yield page, watch
    finally:
        await context.close()
