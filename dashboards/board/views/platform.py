"""What this platform uses itself: processor time, memory, room on disk, electricity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from dashboards.board.drawing.columns import columns
from dashboards.board.facts import fact
from dashboards.board.figures import NOTHING, Amount
from dashboards.board.language import NO_BREAK, Language
from dashboards.board.sheet import Chart, Fact, Sentence, Sheet, Table
from dashboards.board.views.platform_use import (
    DAY,
    HOUR,
    HOUR_S,
    MEAN,
    Energy,
    Use,
    Used,
    by_day,
    by_hour,
    bytes_per_reading,
    energy,
    last_day,
)
from dashboards.board.views.view import Asked, View, queries

NAME, TITLE = "platform", "What this platform uses"

DAYS = 30
"""Days of the chart; growth is taken from the newest of them."""

_GROWTH_DAYS = 14
# A younger platform is shown by the hour.
_YOUNG = timedelta(days=3)
# The start takes more than going on does.
_SETTLED_S = 3 * HOUR_S
_LAMP_W = 5.0
# Rows of the table, where links to many communes take a page's elements.
_FULL, _SHORT, _MANY = 30, 14, 25


@dataclass(frozen=True, slots=True)
class PlatformRows:
    """Rows of the last month, hours in UTC."""

    used: Sequence[Used] = ()
    stored: Mapping[datetime, int] = field(default_factory=dict)
    sampled: datetime | None = None
    database_bytes: int | None = None


async def load(
    connection: asyncpg.Connection, now: datetime, former: PlatformRows | None
) -> PlatformRows:
    """Read a month of hours."""
    asked, since = queries("platform"), now - (DAYS + 2) * DAY
    rows = [Used(*row) for row in await connection.fetch(asked["footprint"], since)]
    stored = {row[0]: row[1] for row in await connection.fetch(asked["stored"], since)}
    newest = await connection.fetchrow(asked["platform"])
    sampled, size = newest if newest else (None, None)
    return PlatformRows(rows, stored, sampled, size)


def say(rows: PlatformRows, asked: Asked) -> Sheet:
    """The same for every place, as the platform is one for all."""
    language, title = asked.language, asked.language.say(TITLE)
    use = last_day(rows.used, asked.now)
    if use is None:
        return Sheet(view=NAME, title=title, empty=language.say(
            "The platform has not measured itself yet: it does so every hour."))  # fmt: skip
    spent = energy(use)
    return Sheet(
        view=NAME, title=title, lead=_lead(spent, language),
        facts=(_energy(rows, use, spent, asked), _processor(rows, use, asked),
               _database(rows, asked), _readings(rows, asked)),
        sentences=_sentences(use, language), charts=(_chart(rows, spent, asked),),
    )  # fmt: skip


def _watt_hours(value: float, language: Language) -> str:
    return language.number(value, 1 if value < 9.95 else 0)


def _lead(spent: Energy, language: Language) -> str:
    """In words of every day."""
    minutes = spent.value / _LAMP_W * 60
    if minutes < 90:
        burns = language.count("{n} minute", "{n} minutes", max(round(minutes), 1))
    else:
        burns = language.count("{n} hour", "{n} hours", round(minutes / 60))
    return language.say(
        "To receive and compute a day of measurements it takes about as much electricity as a "
        "{watts}-watt lamp that burns for {time}.", watts=language.number(_LAMP_W), time=burns,
    )  # fmt: skip


def _sentences(use: Use, language: Language) -> tuple[Sentence, ...]:
    told = [
        Sentence("without", language.say(
            "Counted are the programs that receive and compute. Not in it: the database, the "
            "message broker, these pages, cooling, the network, the sensors and the screens.")),
    ]  # fmt: skip
    if use.elapsed_s < _SETTLED_S:
        told.append(Sentence("young", language.say(
            "The platform has just started: starting takes more than going on does."), "warning"))  # fmt: skip
    return tuple(told)


def _how(spent: Energy, language: Language) -> str:
    """The formula of the electricity, and where its numbers come from."""
    return language.say(
        "Electricity is estimated, not measured: {idle} W for a processor core kept ready, "
        "{busy} W while it works (means of servers by Cloud Carbon Footprint). {least} Wh if the "
        "server runs anyway, {most} Wh if it is a thirsty one.",
        idle=language.number(MEAN.idle, 2), busy=language.number(MEAN.busy, 1),
        least=_watt_hours(spent.least, language), most=_watt_hours(spent.most, language),
    )  # fmt: skip


def _ended(rows: PlatformRows, now: datetime) -> datetime:
    """Until when the newest row speaks: an hour is written when it is over."""
    return min(max(row.hour for row in rows.used) + HOUR, now)


def _measured(use: Use, language: Language) -> str:
    hours = min(int(use.elapsed_s / HOUR_S + 0.02), 24)
    if not hours:
        return language.count("{n} minute measured", "{n} minutes measured",
                              max(int(use.elapsed_s // 60), 1))  # fmt: skip
    return language.say("hours measured: {there} of {all}", there=language.number(hours),
                        all=language.number(24))  # fmt: skip


def _energy(rows: PlatformRows, use: Use, spent: Energy, asked: Asked) -> Fact:
    language = asked.language
    return fact(
        language, key="electricity", label=language.say("Electricity, estimated"),
        amount=Amount(spent.value, about=True), unit="W.h", period=language.say("a day"),
        word=f"{_watt_hours(spent.value, language)}{NO_BREAK}Wh", at=_ended(rows, asked.now),
        step_s=HOUR_S, now=asked.now, timezone=asked.where.timezone,
        beside=language.say("from {least} to {most} Wh", least=_watt_hours(spent.least, language),
                            most=_watt_hours(spent.most, language)),
        coverage=_measured(use, language), domain="energy",
    )  # fmt: skip


def _processor(rows: PlatformRows, use: Use, asked: Asked) -> Fact:
    language = asked.language
    share = 100 * use.cores
    return fact(
        language, key="processor", label=language.say("Share of one processor core"),
        amount=Amount(share), unit="%", period=language.say("last 24 hours"),
        word=f"{language.number(share, 1 if share < 9.95 else 0)}{NO_BREAK}%",
        at=_ended(rows, asked.now), step_s=HOUR_S, now=asked.now, timezone=asked.where.timezone,
        beside=language.say("{seconds} s of computing; memory: {size}",
                            seconds=language.number(use.cpu_s),
                            size=size_said(use.memory_bytes, language)),
        coverage=_measured(use, language),
    )  # fmt: skip


def _database(rows: PlatformRows, asked: Asked) -> Fact:
    language, size = asked.language, rows.database_bytes
    each = bytes_per_reading(rows.used, rows.stored, _GROWTH_DAYS)
    at = min(rows.sampled + HOUR, asked.now) if rows.sampled else None
    return fact(
        language, key="database", label=language.say("Size of the database"),
        amount=NOTHING if size is None else Amount(float(size)), unit="By",
        word="" if size is None else size_said(size, language), at=at,
        step_s=HOUR_S, now=asked.now, timezone=asked.where.timezone,
        beside="" if each is None else language.count(
            "{n} byte per measurement, with all that is computed from it",
            "{n} bytes per measurement, with all that is computed from it", round(each)),
    )  # fmt: skip


def _readings(rows: PlatformRows, asked: Asked) -> Fact:
    language = asked.language
    end = asked.now.replace(minute=0, second=0, microsecond=0)
    hours = [hour for hour in rows.stored if end - DAY <= hour < end]
    newest = max(rows.stored, default=None)
    return fact(
        language, key="readings", label=language.say("Measurements stored"),
        amount=Amount(float(sum(rows.stored[hour] for hour in hours))) if hours else NOTHING,
        unit="1", period=language.say("last 24 hours"),
        at=None if newest is None else min(newest + HOUR, asked.now), step_s=HOUR_S,
        now=asked.now, timezone=asked.where.timezone,
        coverage=language.say("hours measured: {there} of {all}",
                              there=language.number(len(hours)), all=language.number(24))
        if hours else "",
    )  # fmt: skip


def size_said(size: float, language: Language) -> str:
    """Bytes in the unit that is read most easily.

    >>> from dashboards.board.language import language
    >>> size_said(1_234_000_000, language("en")), size_said(310_000_000, language("fr"))
    ('1.2\\xa0GB', '310\\xa0Mo')
    """
    for one, unit in (
        (1e12, language.say("TB")), (1e9, language.say("GB")), (1e6, language.say("MB")),
    ):  # fmt: skip
        if size >= one or one == 1e6:
            return f"{language.number(size / one, 1 if size < 9.95 * one else 0)}{NO_BREAK}{unit}"
    raise AssertionError


def _chart(rows: PlatformRows, spent: Energy, asked: Asked) -> Chart:
    language, zone = asked.language, asked.where.timezone
    young = min(row.hour for row in rows.used) > asked.now - _YOUNG
    if young:
        starts: list[datetime] = []
        values: list[float | None] = []
        for hour, value in by_hour(rows.used, asked.now).items():
            starts.append(hour)
            values.append(value)
        names = [language.clock(start, zone) for start in starts]
        local = [start.astimezone(ZoneInfo(zone)) for start in starts]
        named = {n: f"{time.hour}{NO_BREAK}h" for n, time in enumerate(local) if time.hour % 6 == 0}
        title = language.say("Seconds of computing, hour by hour")
        first = language.say("from")
    else:
        days = by_day(rows.used, asked.now, zone, DAYS)
        starts = [datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) for day in days]
        values = list(days.values())
        names = [language.day(start, zone) for start in starts]
        named = {n: names[n] for n in range(DAYS - 1, -1, -14)}
        title = language.say("Seconds of computing, day by day")
        first = language.say("day")
    lines = [
        (name, "\u2013" if value is None else language.number(value))
        for name, value in zip(names, values, strict=True)
    ]
    known = [value for value in values if value is not None]
    missing = len(values) - len(known)
    notes = [_how(spent, language)]
    if missing:
        notes.append(language.say("A dashed box was not measured."))
    links = len(asked.where.codes) if not asked.where.code else 0
    most = _FULL if links < _MANY else _SHORT
    if len(lines) > most:
        notes.append(language.say("The table shows the newest; all are in the data (JSON)."))
    return Chart(
        key="computing", title=title, drawing=columns(values, named, language),
        said=_said(known, missing, title, language), notes=tuple(notes),
        table=Table((first, language.say("seconds")), tuple(lines[-most:])),
        data={
            "unit": "s",
            "values": [{"start": start.isoformat(), "value": value}
                       for start, value in zip(starts, values, strict=True)],
            "electricity": {"unit": "W.h", "value": spent.value, "least": spent.least,
                            "most": spent.most, "idle_w": MEAN.idle, "busy_w": MEAN.busy},
        },
    )  # fmt: skip


def _said(known: Sequence[float], missing: int, title: str, language: Language) -> str:
    if not known:
        return language.say("{title}: nothing measured yet.", title=title)
    text = language.say("{title}: from {low} to {high}.", title=title,
                        low=language.number(min(known)), high=language.number(max(known)))  # fmt: skip
    if missing:
        text += " " + language.count("{n} was not measured.", "{n} were not measured.", missing)
    return text


VIEW = View(NAME, TITLE, load, say, every_s=60.0, short="Platform")
