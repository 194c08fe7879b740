"""What must be looked at by the clock, beside the passes: silence, profiles, alerts.

Silence changes nothing in the database, so nothing asks for it: every minute each series'
newest reading is compared with the clock. Once an hour follow what stands still, what has
gone away from its neighbours and what has jumped; and the profiles of the week, made on
Monday for all series and later only for those that a late reading reached.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import asyncpg
import numpy as np
from numpy.typing import NDArray

from processors import refresh, windows
from processors.calendars import by_calendar, weekdays
from processors.dirty import Spans
from processors.frame import Frame, frame_of
from processors.watch import days, silence
from processors.watch.hourly import PARTS, hourly
from processors.watch.profile import profile
from processors.watch.rest_days import rest_days
from processors.watch.weeks import hours_of_week
from storage import alert_store, database, figure_store, rollup_store, watch_store
from storage.alerts import AlertKind
from storage.catalogue import DOMAINS, Domain, Kind
from storage.facts.facts import Facts
from storage.figures import Figures, join
from storage.level import Level
from storage.reading import FloatArray, IntArray, TimeArray
from storage.roster import Roster
from storage.trade_store import load_facts, load_roster
from storage.watched import Service, WeekProfiles

log = logging.getLogger(__name__)

INTERVAL_S = 60.0
SERIES = 250
"""Series whose hours are loaded at a time: eight weeks of them are 340,000 rollups."""

NEWEST = np.timedelta64(36, "h")
"""How far back the newest reading is looked for every minute; once an hour everywhere."""

_DAY = np.timedelta64(1, "D")
_SURPLUS_H = 24
_TURNED = 1 - 1e-9  # angles that are all alike make a mean vector of this length at least


@dataclass(slots=True)
class Watched:
    """What one look did, and how many alerts are open."""

    opened: int = 0
    closed: int = 0
    profiles: int = 0
    open: Mapping[AlertKind, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Look:
    connection: asyncpg.Connection
    roster: Roster
    service: Service
    facts: Facts
    now: np.datetime64
    done: Watched

    def in_service(self) -> Roster:
        """Series that are in service now and were heard at least once."""
        since, until = self.service.since, self.service.until
        return self.roster.take((since <= self.now) & ~(until <= self.now))


async def watch(
    pool: asyncpg.Pool, now: np.datetime64, *, thoroughly: bool = True
) -> Watched | None:
    """Look once at every series; None where another program does at this moment.

    ``thoroughly``: everything; otherwise only who is silent.
    """
    async with pool.acquire() as lent:
        connection = cast(asyncpg.Connection, lent)  # the proxy has all of its methods
        if thoroughly:
            made = await _make_profiles(connection, now)
            if made is None:
                return None
        async with connection.transaction():
            if not await watch_store.lock(connection):
                return None
            look = await _look(connection, now, note=False)
            look.done.profiles = made or 0 if thoroughly else 0
            await _silence(look, NEWEST)
            if thoroughly:
                await _stuck(look)
                await _days(look)
            look.done.closed += await alert_store.close_of_the_retired(connection, now)
            look.done.open = await alert_store.count_open(connection)
    if look.done.opened or look.done.closed or look.done.profiles:
        log.info(
            "watched alerts_opened=%d alerts_closed=%d profiles=%d",
            look.done.opened, look.done.closed, look.done.profiles,
        )  # fmt: skip
    return look.done


async def _look(connection: asyncpg.Connection, now: np.datetime64, *, note: bool) -> _Look:
    if note:
        for name in DOMAINS:
            await watch_store.note_heard(connection, Domain(name), now)
            await watch_store.ask_for_silent_days(connection, Domain(name), now)
    roster, service = await load_roster(connection), await watch_store.load_service(connection)
    facts = await load_facts(connection)
    return _Look(connection, roster, service.of(roster.series), facts, now, Watched())


async def _settle(
    look: _Look,
    kind: AlertKind,
    series: IntArray,
    begins: NDArray[np.bool_],
    ends: NDArray[np.bool_],
    since: TimeArray,
    value: FloatArray,
    reference: FloatArray,
) -> None:
    """Open where something begins, close where it ends, leave the others as they are."""
    look.done.opened += await alert_store.open_alerts(
        look.connection, kind, series[begins], since[begins], value[begins], reference[begins],
        look.now,
    )  # fmt: skip
    look.done.closed += await alert_store.close_alerts(
        look.connection, kind, series[ends & ~begins], look.now
    )


async def _silence(look: _Look, back: np.timedelta64) -> None:
    said = look.facts.watch
    for name in DOMAINS:
        series, last = await watch_store.newest(
            look.connection, Domain(name), look.now, look.now - back
        )
        step = look.roster.step[np.searchsorted(look.roster.series, series)]
        limit = silence.allowed(step, said.silence_steps, said.silence_minutes)
        begins, ends = silence.silent(last, limit, look.now)
        await _settle(
            look, AlertKind.SILENCE, series, begins, ends, last, limit, step.astype(np.float64)
        )


async def _stuck(look: _Look) -> None:
    roster = look.in_service()
    flat_h = look.service.of(roster.series).flat_h
    watched = ~np.isnan(flat_h) & (roster.step <= windows.HOUR_S)
    stop = look.now.astype("datetime64[h]").astype("datetime64[us]")
    for rows in _some(np.flatnonzero(watched), 4 * SERIES):
        mine, limit = roster.take(rows), flat_h[rows]
        start = stop - np.timedelta64(int(limit.max()) + _SURPLUS_H, "h")
        frame = await _hours(
            look.connection, mine, start, stop,
            ("min", "max", "first", "last", "x", "y", "good", "suspect"),
        )  # fmt: skip
        low, high = _extremes(frame)
        found = silence.flat(low, high)
        begins = found.lasts(limit)
        ends = ~np.isnan(low).all(axis=-1) & (found.windows < limit)
        since = frame.edges[np.maximum(found.first, 0)]
        await _settle(look, AlertKind.STUCK, mine.series, begins, ends, since, found.value, limit)


def _extremes(frame: Frame) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest value of each hour; of an angle the one that it never left."""
    low, high = frame.table("min"), frame.table("max")
    turning = frame.roster.kind == Kind.ANGLE
    if turning.any():
        first, last = frame.table("first")[turning], frame.table("last")[turning]
        length = np.hypot(frame.table("x"), frame.table("y"))[turning]
        still = (first == last) & (length >= _TURNED * frame.usable()[turning])
        low[turning], high[turning] = first, np.where(still, last, np.inf)
        high[turning] = np.where(np.isnan(first), np.nan, high[turning])
    return low, high


async def _days(look: _Look) -> None:
    """Drift and jumps, from the figures of the last four weeks of whole days."""
    everybody = look.in_service()
    for zone in np.unique(everybody.zone).tolist():
        roster = everybody.take(everybody.zone == zone)
        edges = windows.local_days(look.now - days.DAYS * _DAY, look.now, zone)[: days.DAYS + 1]
        median = _table(roster, edges, await _figures(look, roster, edges, "day_median"))
        apart = await figure_store.fetch(
            look.connection, Domain.AIR, ["air_neighbour_difference"], edges[0], edges[-1],
            roster.series,
        )  # fmt: skip
        found = days.assess(median, _table(roster, edges, apart), look.facts.watch)
        for kind, one in ((AlertKind.JUMP, found.jump), (AlertKind.DRIFT, found.drift)):
            await _settle(
                look, kind, roster.series, one.begins, one.ends, edges[np.maximum(one.at, 0)],
                one.value, one.reference,
            )  # fmt: skip


async def _figures(look: _Look, roster: Roster, edges: TimeArray, name: str) -> Figures:
    return join(
        [
            await figure_store.fetch(
                look.connection, Domain(domain), [f"{domain}_{name}"], edges[0], edges[-1],
                roster.series[roster.domain == domain],
            )
            for domain in np.unique(roster.domain).tolist()
        ]
    )  # fmt: skip


def _table(roster: Roster, edges: TimeArray, told: Figures) -> FloatArray:
    """Figures as a row per series and a column per day; NaN where there is none."""
    table = np.full((len(roster), len(edges) - 1), np.nan)
    column = np.searchsorted(edges[:-1], told.start)
    # Days that began at another hour are of a zone in which the territory was before.
    here = edges[column] == told.start
    table[np.searchsorted(roster.series, told.subject)[here], column[here]] = told.value[here]
    return table


async def _make_profiles(connection: asyncpg.Connection, now: np.datetime64) -> int | None:
    """Profiles of this week that are missing, and of any week that are stale."""
    async with connection.transaction():
        if not await watch_store.lock(connection):
            return None
        look = await _look(connection, now, note=True)
        stale = await watch_store.stale_weeks(connection)
    made = 0
    for zone in np.unique(look.roster.zone).tolist():
        today = np.datetime64(windows.local_date(now, zone), "D")
        this = today - weekdays(np.array([today]))[0]
        for week in sorted({*stale, this}):
            async with connection.transaction():
                if not await watch_store.lock(connection):
                    return None
                due = await watch_store.profiles_due(connection, week, missing=bool(week == this))
            due = look.roster.series[np.isin(look.roster.series, due) & (look.roster.zone == zone)]
            for some in _some(due, SERIES):
                mine = look.roster.take(np.searchsorted(look.roster.series, some))
                async with connection.transaction():
                    # Hours that change from here on are told to a pass that waits for this.
                    await figure_store.lock(connection)
                    await _save_profiles(connection, mine, week, zone, look.facts)
                    await _judge(connection, mine, week, zone, now)
                made += len(mine)
    return made


async def _save_profiles(
    connection: asyncpg.Connection, mine: Roster, week: np.datetime64, zone: str, facts: Facts
) -> None:
    """Profiles of some series of one zone for one week, made of the weeks before."""
    first = week - 7 * facts.watch.profile_weeks * _DAY
    begin, stop = (windows.first_instant(day.astype(object), zone) for day in (first, week))
    frame = await _hours(connection, mine, begin, stop, PARTS)
    value = await asyncio.to_thread(hourly, frame)
    start = frame.edges[:-1]
    for rows, calendar in by_calendar(mine.territory, facts.mobility):
        members = np.flatnonzero(rows)
        hour, monday = hours_of_week(start, zone, rest_days(start, zone, calendar))
        hour[(monday < first) | (monday >= week)] = -1  # half-hour zones: a piece of another week
        found = await asyncio.to_thread(profile, value[members], hour)
        await watch_store.save_profiles(
            connection,
            WeekProfiles(
                mine.series[members], np.full(len(members), week), found.floor, found.median,
                found.mad, np.minimum(found.known, 255).astype(np.uint8),
            ),
        )  # fmt: skip


async def _judge(
    connection: asyncpg.Connection, mine: Roster, week: np.datetime64, zone: str, now: np.datetime64
) -> None:
    """The hours of a week compared with its new profiles; no rollup of theirs has changed."""
    begin, end = (
        windows.first_instant(day.astype(object), zone) for day in (week, week + 7 * _DAY)
    )
    size = len(mine)
    spans = Spans(mine.series, np.full(size, begin), np.full(size, min(end, now)))
    names = [f"{domain}_unusual" for domain in DOMAINS]
    await refresh.compute(connection, names, spans, now)


async def _hours(
    connection: asyncpg.Connection, mine: Roster, start: np.datetime64, stop: np.datetime64,
    parts: tuple[str, ...],
) -> Frame:  # fmt: skip
    """Hourly rollups of some series, of whatever trades."""
    edges = windows.hours(start, stop)
    found = [
        await rollup_store.fetch_parts(
            connection, Domain(domain), Level.HOUR, parts, edges[0], edges[-1],
            mine.series[mine.domain == domain],
        )
        for domain in np.unique(mine.domain).tolist()
    ]  # fmt: skip
    return frame_of(
        mine, edges,
        np.concatenate([series for series, _, _ in found]),
        np.concatenate([begin for _, begin, _ in found]),
        {name: np.concatenate([columns[name] for *_, columns in found]) for name in parts},
    )  # fmt: skip


def _some(rows: NDArray[np.signedinteger], size: int) -> Iterator[NDArray[np.signedinteger]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


async def run(
    pool: asyncpg.Pool,
    stop: asyncio.Event,
    clock: Callable[[], np.datetime64],
    note: Callable[[Watched], None] = lambda done: None,
    *,
    interval_s: float = INTERVAL_S,
) -> None:
    """Look again and again until told to stop; what fails is tried again at the next turn."""
    thorough: np.datetime64 | None = None
    while not stop.is_set():
        now = clock()
        hour = now.astype("datetime64[h]")
        try:
            done = await watch(pool, now, thoroughly=hour != thorough)
        except (*database.AWAY, asyncpg.PostgresError) as error:
            log.warning(
                "watching failed and is tried again in_s=%.0f error=%s: %s",
                interval_s, type(error).__name__, error,
            )  # fmt: skip
        except Exception:
            # Alerts must not end unnoticed, as they would with this loop.
            log.exception("watching failed and is tried again in_s=%.0f", interval_s)
        else:
            if done is not None:
                thorough = hour
                note(done)
        try:
            await asyncio.wait_for(stop.wait(), interval_s)
        except TimeoutError:
            continue
