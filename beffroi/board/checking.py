"""`beffroi board check`: languages and screens, looked over before people stand in front of them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.markup import escape

from beffroi.terminal import output, printable
from dashboards.board import language as languages
from dashboards.board import panel
from dashboards.board.app import Board, open_own_pool
from dashboards.board.messages import lacking
from dashboards.board.overflow import overflowing
from dashboards.settings import Settings
from storage import city
from storage.screens import Screen

_KEPT_WIDTH = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: in which language or on which screen, what, and which text."""

    where: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, what was found, and what could not be looked at."""

    languages: tuple[str, ...]
    screens: tuple[str, ...]
    findings: tuple[Finding, ...]
    not_checked: str


def check(city_file: Path | None, *, as_json: bool) -> int:
    """Look and tell; 1 where there is something to mend."""
    given = None
    if city_file is not None:
        given = city.load(city_file).said.screens or ()
    report = asyncio.run(_report(given))
    if as_json:
        print(json.dumps(asdict(report), ensure_ascii=False))
    else:
        _tell(report)
    return 1 if report.findings else 0


async def _report(given: tuple[Screen, ...] | None) -> Report:
    findings = list(_untranslated())
    settings = Settings.read(os.environ, languages.codes())
    board = Board(settings, open_own_pool, asyncio.Event())
    try:
        ground = await board.ground()
        if ground is None:
            said = "the database does not answer, so no screen was looked at; see PGHOST and PGPORT"
            return Report(languages.codes(), (), tuple(findings), said)
        if given is None:
            given = tuple(Screen.model_validate(one) for one in ground.said.get("screen", []))
        for screen in given:
            findings += [finding async for finding in _unfitting(board, screen)]
    finally:
        await board.feed.close()
    return Report(languages.codes(), tuple(one.id for one in given), tuple(findings), "")


def _untranslated() -> Iterator[Finding]:
    for code in languages.codes():
        for lack in lacking(code) if code != "en" else ():
            yield Finding(f"locale/{code}.po", "not translated", f"{lack.text} ({lack.where})")


async def _unfitting(board: Board, screen: Screen) -> AsyncIterator[Finding]:
    """Findings of one screen, for what it would show now."""
    ground = await board.ground()
    where = ground.where(screen.territory or "", board.settings.name) if ground else None
    if where is None:
        yield Finding(f"screen {screen.id}", "no such territory", screen.territory or "")
        return
    room = panel.footed(panel.room(screen), where.name)
    for code in screen.spoken:
        if code not in languages.codes():
            yield Finding(f"screen {screen.id}", "no such language", code)
            continue
        language = languages.language(code)
        for view in screen.views:
            known = await board.known(view, where, language, screen.measure_of(view))
            for found in overflowing(known.sheet, language, room) if known else ():
                yield Finding(f"screen {screen.id}, {view}, {code}", found.what, found.text)


def _tell(report: Report) -> None:
    console = output(_KEPT_WIDTH)
    for finding in report.findings:
        text = f"{finding.where}: {finding.what}: {finding.text}"
        console.print(escape(printable(text)), soft_wrap=True)
    looked = f"{len(report.languages)} languages, {len(report.screens)} screens"
    console.print(f"{looked}: {len(report.findings) or 'nothing'} to mend.")
    if report.not_checked:
        console.print(f"Not checked: {report.not_checked}.")
