"""What a calculation is given, out of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import asyncpg
import numpy as np

from processors import dirty, frame
from processors.calculation import Calculation, Given
from processors.frame import Frame
from processors.reach import LENGTH_S
from storage import figure_store, rollup_store, watch_store
from storage.catalogue import Domain
from storage.facts.facts import Facts
from storage.figures import Figures, join, no_figures
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.level import Level
from storage.reading import Batch, TimeArray, empty_batch
from storage.rollup import Rollups
from storage.roster import Roster
from storage.watched import Service, WeekProfiles, no_profiles, no_service
from storage.windows import final_readings


@dataclass(frozen=True, slots=True)
class Known:
    """What is the same for all calculations of a pass."""

    roster: Roster
    facts: Facts
    service: Service
    now: np.datetime64


async def load(
    connection: asyncpg.Connection,
    known: Known,
    calculation: Calculation,
    mine: Roster,
    edges: TimeArray,
    zone: str,
) -> Given:
    """The rollups and figures that a calculation reads."""
    start, stop = edges[0] - calculation.before, edges[-1] + calculation.ahead
    windows = dirty.edges(calculation.level, start, stop, zone)
    found = [
        await _rollups(connection, Domain(domain), calculation, windows, mine, domain)
        for domain in np.unique(mine.domain).tolist()
    ]
    read: list[Figures] = []
    together: dict[tuple[Domain, np.datetime64], list[str]] = {}
    for name in calculation.reads:
        since = edges[0] - calculation.recall.get(name, calculation.before)
        together.setdefault((INDICATORS[POSITION[name]].domain, since), []).append(name)
    for (domain, since), names in together.items():
        read.append(await figure_store.fetch(connection, domain, names, since, stop))
    whole = _joined(mine, windows, found)
    readings = [
        await final_readings(
            connection, Domain(domain), start, stop, mine.series[mine.domain == domain]
        )
        for domain in (np.unique(mine.domain).tolist() if calculation.raw else ())
    ]
    return Given(
        whole, edges, zone, known.now, known.facts, join(read) if read else no_figures(),
        _one_batch(readings), await _hours(connection, calculation, mine, start, stop, zone),
        known.service.of(mine.series) if calculation.service else no_service(),
        await _profiles(connection, mine, start, stop) if calculation.profiles else no_profiles(),
    )  # fmt: skip


async def _profiles(
    connection: asyncpg.Connection, mine: Roster, start: np.datetime64, stop: np.datetime64
) -> WeekProfiles:
    """Those in force at any time of the span, whatever the zone."""
    first = (start - np.timedelta64(8, "D")).astype("datetime64[D]")
    return await watch_store.load_profiles(
        connection, mine.series, first, (stop + np.timedelta64(1, "D")).astype("datetime64[D]")
    )


async def _hours(
    connection: asyncpg.Connection, calculation: Calculation, mine: Roster, start: np.datetime64, stop: np.datetime64,
    zone: str,
) -> Frame | None:  # fmt: skip
    """Hourly rollups of the series that have no quarter-hours, where the calculation asks."""
    slow = mine.take(mine.step > LENGTH_S[Level.QUARTER_HOUR])
    if not calculation.coarse or not len(slow):
        return None
    hourly = replace(calculation, level=Level.HOUR)
    windows = dirty.edges(Level.HOUR, start, stop, zone)
    found = [
        await _rollups(connection, Domain(domain), hourly, windows, slow, domain)
        for domain in np.unique(slow.domain).tolist()
    ]
    return _joined(slow, windows, found)


def _one_batch(parts: Sequence[Batch]) -> Batch:
    if len(parts) < 2:
        return parts[0] if parts else empty_batch()
    names = ("time", "value", "series", "flag")
    return Batch(
        *(np.concatenate([getattr(part, n) for part in parts]) for n in names)
    ).in_key_order()


async def _rollups(
    connection: asyncpg.Connection,
    domain: Domain,
    calculation: Calculation,
    windows: TimeArray,
    mine: Roster,
    name: str,
) -> Frame:
    series = mine.series[mine.domain == name]
    start, stop = windows[0], windows[-1]
    if "sketch" in calculation.parts:
        rows: Rollups = await rollup_store.fetch(
            connection, domain, calculation.level, start, stop, series
        )
        parts = {part: getattr(rows, part) for part in calculation.parts if part != "sketch"}
        return frame.frame_of(mine, windows, rows.series, rows.start, parts, rows.sketch)
    ids, starts, columns = await rollup_store.fetch_parts(
        connection, domain, calculation.level, calculation.parts, start, stop, series
    )
    return frame.frame_of(mine, windows, ids, starts, columns)


def _joined(mine: Roster, windows: TimeArray, found: Iterable[Frame]) -> Frame:
    """Frames of several domains as one; sketches only where there is one domain."""
    frames = list(found)
    if len(frames) == 1:
        return frames[0]
    names = frames[0].parts
    return Frame(
        mine,
        windows,
        np.concatenate([one.row for one in frames]),
        np.concatenate([one.column for one in frames]),
        {name: np.concatenate([one.parts[name] for one in frames]) for name in names},
    )
