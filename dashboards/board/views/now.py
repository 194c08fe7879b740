"""Right now: the newest of every public metric, the 24 hours before as a small curve."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from dashboards.board import rows as look
from dashboards.board.facts import fact, sensors_said, share_said, with_unit
from dashboards.board.figures import is_counted
from dashboards.board.language import NO_BREAK, Language
from dashboards.board.pages import Figure, Histories, Period, Place, board, histories
from dashboards.board.rows import LIVE_STEP_S, Rows
from dashboards.board.sheet import Fact, Sheet
from dashboards.board.sparkline import Spark, spark
from dashboards.board.views.view import Asked, View
from dashboards.settings import HEADLINE

NAME, TITLE = "now", "Right now"

# A page may have 250 elements; a figure has at most 15.
MOST = 13

# A class is neither added up nor averaged: the view of the air tells it. A rate over a short step
# tells of single vehicles: counts say the same, and hide what is small.
ELSEWHERE = frozenset({"air_index_tomorrow", "flow"})

# The processors renew open windows every 10 s, and the public sees closed ones only.
WINDOWS_EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class Now:
    """Rows, when their windows were read, and what those say of the past."""

    rows: Rows
    windows_at: float
    past: Histories
    quarter: int


async def load(connection: asyncpg.Connection, now: datetime, former: Now | None) -> Now:
    """The newest readings; windows only where those of the former look are old."""
    started, quarter = time.monotonic(), int(now.timestamp() // LIVE_STEP_S)
    recent = former is not None and started - former.windows_at < WINDOWS_EVERY_S
    windows = former.rows.windows if former is not None and recent else None
    found = await look.read(connection, now, windows=windows)
    if windows is not None and former is not None and found.registry != former.rows.registry:
        # New series may have windows that nobody asked for yet.
        windows = None
        found = await look.read(connection, now)
    if former is not None and windows is not None and quarter == former.quarter:
        return Now(found, former.windows_at, former.past, quarter)
    past = await asyncio.to_thread(histories, found, now)
    return Now(found, former.windows_at if former and recent else started, past, quarter)


def say(known: Now, asked: Asked, headline: Sequence[str] = HEADLINE) -> Sheet:
    """The figures of one place, those that people ask for first in front."""
    language, title = asked.language, asked.language.say(TITLE)
    whole = board(known.rows, known.past, asked.now, name=asked.where.name, headline=headline)
    place = next((p for p in whole.places if p.code == asked.where.code), None)
    if place is None or whole.empty:
        return Sheet(view=NAME, title=title, empty=language.say(
            "No sensor is registered yet. As soon as one speaks, its measurements will appear "
            "here."))  # fmt: skip
    figures = [f for s in place.sections for f in s.headline]
    figures += [f for s in place.sections for f in s.others]
    figures = [figure for figure in figures if figure.metric not in ELSEWHERE]
    return Sheet(
        view=NAME, title=title, facts=tuple(_fact(f, place, asked) for f in figures[:MOST])
    )


def label(figure: Figure, language: Language) -> str:
    """The metric's name; "(register)" goes, since the public sees what the register gained."""
    name = language.label(figure.labels)
    return name.rsplit(" (", 1)[0] if figure.kind == "index" else name


def _fact(figure: Figure, place: Place, asked: Asked) -> Fact:
    language = asked.language
    drawn = spark([p.amount.value for p in figure.points], from_zero=is_counted(figure.kind))
    beside = ""
    if figure.beside.value is not None:
        amount = with_unit(figure.beside, figure.unit, figure.kind, language)
        beside = (
            language.say("last hour: {amount}", amount=amount)
            if is_counted(figure.kind)
            else language.say("mean of the day: {amount}", amount=amount)
        )
    return fact(
        language, key=figure.metric, label=label(figure, language), amount=figure.amount,
        unit=figure.unit, kind=figure.kind, at=figure.at, step_s=figure.step_s, now=asked.now,
        timezone=place.timezone, period=_period(figure.period, language), beside=beside,
        coverage=sensors_said(figure.received, figure.expected, language)
        if figure.period is Period.NOW
        else share_said(figure.received, figure.expected, language),
        received=figure.received, expected=figure.expected, method=figure.metric,
        indicative=figure.indicative,
        domain=figure.domain, spark=drawn, curve=_curve(figure, drawn, language),
        course=tuple((point.start, point.amount) for point in figure.points),
    )  # fmt: skip


def _period(period: Period, language: Language) -> str:
    return {
        Period.NOW: language.say("right now"),
        Period.HOUR: language.say("last hour"),
        Period.TODAY: language.say("today"),
    }[period]


def _curve(figure: Figure, drawn: Spark | None, language: Language) -> str:
    name = label(figure, language)
    if drawn is None:
        return language.say("{name}, last 24 hours: no measurement.", name=name)
    known = {p.amount.value: p.amount for p in figure.points}
    low, high = (
        with_unit(known[v], figure.unit, figure.kind, language) for v in (drawn.low, drawn.high)
    )
    missing = drawn.gaps * figure.width
    if not missing:
        return language.say("{name}, last 24 hours: from {low} to {high}.",
                            name=name, low=low, high=high)  # fmt: skip
    return language.say(
        "{name}, last 24 hours: from {low} to {high}, {span} without measurement.",
        name=name, low=low, high=high, span=_span(missing),
    )  # fmt: skip


def _span(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours}{NO_BREAK}h" if not minutes else f"{hours}{NO_BREAK}h{NO_BREAK}{minutes:02d}"


def view(headline: Sequence[str]) -> View:
    """The view, with those metrics in front."""
    return View(
        NAME, TITLE, load, functools.partial(say, headline=headline), every_s=0.0, short="Now"
    )
