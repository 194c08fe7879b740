"""Moving today: bicycles, pedestrians and vehicles against a usual day; free places."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from dashboards.board.drawing.bars import Bar, bars
from dashboards.board.facts import fact, sensors_said, share_said
from dashboards.board.figures import SMALL_COUNT, Amount
from dashboards.board.language import Language
from dashboards.board.pages import local_midnight, spoken
from dashboards.board.rows import REACH, Latest, Registered, Window
from dashboards.board.sheet import Chart, Fact, Sheet, Table
from dashboards.board.usual import (
    WEEKS,
    compared,
    compared_said,
    days_before,
    weekday_said,
)
from dashboards.board.views.moving_days import Counted, Past, busiest, counted, usual_days
from dashboards.board.views.view import Asked, View, queries

NAME, TITLE = "moving", "Moving today"

COUNTED = ("bikes", "pedestrians", "vehicles")
STANDING = ("parking_free", "bikes_available")
MOST = 4

# The weeks before change only where data come late or are corrected.
PAST_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Moving:
    """What is registered, the newest of what stands, today, and the weeks before.

    `past` was read at `past_at` and is of the days `past_days`.
    """

    registry: Sequence[Registered]
    latest: Sequence[Latest]
    counted: Mapping[tuple[str, str], Counted]
    past: Past
    past_at: datetime
    past_days: Mapping[str, tuple[tuple[datetime, datetime], ...]]


async def load(connection: asyncpg.Connection, now: datetime, former: Moving | None) -> Moving:
    """Today anew; the weeks before once an hour, and where other days have become usual."""
    asked = queries(NAME)
    registry = [
        Registered(*row) for row in await connection.fetch(asked["registry"], [*COUNTED, *STANDING])
    ]
    moving = [row for row in registry if row.metric in COUNTED]
    standing = [row for row in registry if row.metric in STANDING]
    latest = [Latest(*row) for row in await connection.fetch(asked["latest"], list(STANDING))] \
        if standing else []  # fmt: skip
    zones = {row.timezone for row in moving}
    days = {zone: days_before(now, zone) for zone in zones}

    async def windows(start: datetime, end: datetime) -> list[Window]:
        rows = await connection.fetch(asked["windows"], start, end, list(COUNTED))
        return [Window(*row) for row in rows]

    if (
        former is not None
        and former.registry == registry
        and former.past_days == days
        and timedelta() <= now - former.past_at < PAST_EVERY
    ):
        past, past_at = former.past, former.past_at
    else:
        weeks = [
            await windows(
                min(own[week][0] for own in days.values()),
                max(own[week][1] for own in days.values()),
            )
            for week in range(WEEKS if days else 0)
        ]
        past, past_at = await asyncio.to_thread(usual_days, moving, weeks, now), now
    known: Mapping[tuple[str, str], Counted] = {}
    if moving:
        since = min(now - REACH, *(local_midnight(now, zone) for zone in zones))
        today = await windows(since, now)
        known = await asyncio.to_thread(counted, moving, today, past, now)
    return Moving(registry, latest, known, past, past_at, days)


def say(known: Moving, asked: Asked) -> Sheet:
    """Today at one place, in words."""
    language, title = asked.language, asked.language.say(TITLE)
    code = asked.where.code
    own = [known.counted[code, metric] for metric in COUNTED if (code, metric) in known.counted]
    facts = [_counted(one, asked) for one in own]
    for metric in STANDING:
        rows = [
            row
            for row in known.registry
            if row.metric == metric and row.territory in asked.where.codes
        ]
        if rows:
            facts.append(_standing(rows, known.latest, asked))
    if not facts:
        return Sheet(view=NAME, title=title, empty=language.say(
            "No sensor counts bicycles, pedestrians or vehicles here yet."))  # fmt: skip
    shown = _foremost(own)
    return Sheet(
        view=NAME, title=title, lead=_lead(shown or own[0], asked) if own else "",
        facts=tuple(facts[:MOST]), charts=(_chart(shown, asked),) if shown else (),
    )  # fmt: skip


def _foremost(own: Sequence[Counted]) -> Counted | None:
    """Bicycles where there are any, else what moves most."""
    first = next((one for one in own if one.metric.metric == COUNTED[0]), None)
    return (busiest((first,)) if first else None) or busiest(own)


def _told(amount: Amount, language: Language) -> str:
    """A count as a sentence says it."""
    if amount.value is None:
        return "\u2013"
    if amount.hidden:
        return language.say("fewer than {n}", n=SMALL_COUNT)
    number = language.number(amount.value)
    return language.say("about {number}", number=number) if amount.about else number


def _lead(one: Counted, asked: Asked) -> str:
    language, zone = asked.language, one.metric.timezone
    name = language.label(one.metric.labels)
    if one.until is None:
        return language.say("{name}: no count has come in today yet.", name=name)
    time, amount = language.clock(one.until, zone), _told(one.total, language)
    if compared(one.total, one.usual) is None:
        return language.say("{name} today until {time}: {amount}.",
                            name=name, time=time, amount=amount)  # fmt: skip
    return language.say(
        "{name} today until {time}: {amount}, {compared}.",
        name=name, time=time, amount=amount, compared=_beside(one, asked),
    )  # fmt: skip


def _beside(one: Counted, asked: Asked) -> str:
    return compared_said(one.total, one.usual, now=asked.now, timezone=one.metric.timezone,
                         language=asked.language)  # fmt: skip


def _counted(one: Counted, asked: Asked) -> Fact:
    language, metric = asked.language, one.metric
    period = language.say("today")
    if one.until is not None:
        time = language.clock(one.until, metric.timezone)
        period = language.say("until {time}", time=time)
    return fact(
        language, key=metric.metric, label=language.label(metric.labels), amount=one.total,
        unit=metric.unit, kind=metric.kind, at=one.until, step_s=one.width.total_seconds(),
        now=asked.now, timezone=metric.timezone, period=period, beside=_beside(one, asked),
        coverage=share_said(one.received, one.expected, language), received=one.received,
        expected=one.expected, method=metric.metric, domain=metric.domain,
    )  # fmt: skip


def _standing(rows: Sequence[Registered], latest: Sequence[Latest], asked: Asked) -> Fact:
    """Places or bicycles that stand there now, added over car parks or stations that speak."""
    language, metric = asked.language, rows[0]
    own = [
        reading
        for reading in latest
        if reading.metric == metric.metric and reading.territory in asked.where.codes
    ]
    amount, at, step_s, heard = spoken(metric, own, asked.now)
    sensors = sum(row.sensors for row in rows)
    return fact(
        language, key=metric.metric, label=language.label(metric.labels), amount=amount,
        unit=metric.unit, kind=metric.kind, at=at, step_s=step_s, now=asked.now,
        timezone=asked.where.timezone, period=language.say("right now"),
        coverage=sensors_said(heard, sensors, language),
        received=heard, expected=sensors, method=metric.metric, domain=metric.domain,
    )  # fmt: skip


def _chart(one: Counted, asked: Asked) -> Chart:
    language, metric = asked.language, one.metric
    name = language.label(metric.labels)
    weekday = weekday_said(asked.now, metric.timezone, language)
    usual = any(bar.usual.value is not None for bar in one.hours)
    head = [language.say("Hour"), language.say("Today")]
    if usual:
        head.append(language.say("Usual {weekday}", weekday=weekday))
    return Chart(
        key="hours", title=language.say("{name}, hour by hour", name=name),
        drawing=bars(one.hours, language=language, unit=metric.unit, kind=metric.kind),
        said=_said(one, name, weekday, language),
        notes=_notes(one, weekday, language) if usual else _notes(one, "", language),
        table=Table(tuple(head), tuple(
            (_hour(bar, metric, language), _today(bar, language),
             *((_told(bar.usual, language),) if usual else ()))
            for bar in one.hours if usual or not bar.to_come
        )),
        data={"metric": metric.metric, "unit": metric.unit, "usual_days": one.usual.days,
              "hours": [_as_data(bar) for bar in one.hours]},
    )  # fmt: skip


def _today(bar: Bar, language: Language) -> str:
    return language.say("to come") if bar.to_come else _told(bar.amount, language)


def _hour(bar: Bar, metric: Registered, language: Language) -> str:
    start, end = (language.clock(t, metric.timezone) for t in (bar.start, _end(bar)))
    return f"{start}\u2013{end}"


def _end(bar: Bar) -> datetime:
    # In UTC, since an hour added to a local time ignores that clocks change.
    return datetime.fromtimestamp(bar.start.timestamp() + 3600, bar.start.tzinfo)


def _said(one: Counted, name: str, weekday: str, language: Language) -> str:
    """The text alternative: the busiest hour, today and usually."""
    known = [bar for bar in one.hours if bar.amount.value is not None]
    said = []
    if known:
        most = max(known, key=lambda bar: bar.amount.value or 0.0)
        said.append(language.say(
            "{name} by the hour, today: most from {hour}, {amount}.", name=name,
            hour=_hour(most, one.metric, language), amount=_told(most.amount, language),
        ))  # fmt: skip
    else:
        said.append(language.say("{name} by the hour: no count has come in today yet.", name=name))
    often = [bar for bar in one.hours if bar.usual.value is not None]
    if often:
        most = max(often, key=lambda bar: bar.usual.value or 0.0)
        said.append(language.say(
            "On a usual {weekday}: most from {hour}, {amount}.", weekday=weekday,
            hour=_hour(most, one.metric, language), amount=_told(most.usual, language),
        ))  # fmt: skip
    missing = sum(not bar.to_come and bar.amount.value is None for bar in one.hours)
    if missing:
        said.append(language.count("{n} hour was not measured.", "{n} hours were not measured.",
                                   missing))  # fmt: skip
    return " ".join(said)


def _notes(one: Counted, weekday: str, language: Language) -> tuple[str, ...]:
    """The legend, of what is to be seen."""
    notes = []
    if weekday:
        notes.append(language.count(
            "Dashed line: a usual {weekday}, mean of {n} week.",
            "Dashed line: a usual {weekday}, mean of {n} weeks.", one.usual.days, weekday=weekday,
        ))  # fmt: skip
    if any(bar.amount.hidden for bar in one.hours):
        notes.append(language.say("Hollow box: fewer than 5."))
    if any(bar.amount.value is None and not bar.to_come for bar in one.hours):
        notes.append(language.say("Dashed box: not measured."))
    twice = language.say("Whoever passes two sensors is counted twice.")
    return (" ".join(notes), twice) if notes else (twice,)


def _as_data(bar: Bar) -> dict[str, object]:
    said: dict[str, object] = {"start": bar.start.isoformat(), **bar.amount.published}
    if bar.to_come:
        said["to_come"] = True
    if bar.usual.value is not None:
        said["usual"] = bar.usual.published
    return said


VIEW = View(NAME, TITLE, load, say, every_s=60.0, short="Moving")
