"""The base load of nights, and the steps it takes."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from processors import periods, windows
from processors.air.capture import needed
from processors.calculation import Calculation, Given
from processors.energy.buildings import table
from processors.energy.step import BEFORE, BESIDE, base_load_step, night_base
from storage.catalogue import Kind
from storage.figures import Figures, figures, join
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import TimeArray

NIGHT = (time(1), time(5))
"""Local hours of the night in which little should run."""

METRICS = ("energy_import", "heat_import", "energy_used", "power")
_DAY = np.timedelta64(1, "D")
_WEEK = 7 * _DAY
_ROW = 6
"""Hours that a night may have, with clocks put back."""


def night_hours(edges: TimeArray, days: TimeArray, zone: str) -> NDArray[np.intp]:
    """Columns of the hours that lie whole in the night of each day, -1 after the last.

    Examples
    --------
    >>> days = windows.local_days(
    ...     np.datetime64("2026-03-28T23:00"), np.datetime64("2026-03-29T22:00"), "Europe/Paris")
    >>> hours = windows.hours(days[0], days[-1])
    >>> night_hours(hours, days, "Europe/Paris")
    array([[ 1,  2,  3, -1, -1, -1]])
    """
    place = ZoneInfo(zone)
    columns = np.full((len(days) - 1, _ROW), -1)
    for row, day in enumerate(days[:-1]):
        begin, end = (
            np.datetime64(
                datetime.combine(windows.local_date(day, zone), hour, place)
                .astimezone(UTC).replace(tzinfo=None), "us",
            )
            for hour in NIGHT
        )  # fmt: skip
        first = int(np.searchsorted(edges[:-1], begin))
        last = int(np.searchsorted(edges[1:], end, side="right"))
        columns[row, : last - first] = np.arange(first, last)
    return columns


def _nights(given: Given) -> Figures:
    frame = given.frame
    usable, expected = frame.usable(), frame.table("expected")
    kind = frame.roster.kind[:, None]
    # Of a register the hour's increase, of increments all of them, of power the mean.
    hour = np.where(kind == Kind.GAUGE, frame.mean(), frame.table("sum"))
    whole = np.where(
        kind == Kind.INDEX,
        frame.table("y") >= 3600 - 0.5,
        (usable > 0)
        & np.where(
            kind == Kind.COUNT, usable >= expected, usable >= needed(expected.astype(np.int64))
        ),
    )
    column = night_hours(frame.edges, given.periods, given.zone)
    base, known = night_base(np.where(whole, hour, np.nan), column)
    return figures(
        "night_base", frame.roster.series, given.periods, base, now=given.now,
        n=known, due=(column >= 0).sum(axis=1), keep=known > 0,
    )  # fmt: skip


def _steps(given: Given) -> Figures:
    """For every week whether a step began in it, once the week after it is known too.

    Until then it says nothing, and ends when it will: even a meter that falls silent is judged.
    """
    series, made = given.frame.roster.series, []
    for start, stop in zip(given.periods[:-1], given.periods[1:], strict=True):
        begin, end = (
            periods.edges(Period.DAY, at, at, given.zone)[0]
            for at in (
                start - (BEFORE + BESIDE) * _DAY + _DAY // 2,
                stop + 7 * _DAY + _DAY // 2,
            )
        )
        days = periods.edges(Period.DAY, begin, end, given.zone)
        base, _ = table(given.figures, "night_base", series, days)
        first = int(np.searchsorted(days, start))
        last = int(np.searchsorted(days, stop)) - 1
        there = (~np.isnan(base[:, first : last + 1])).sum(axis=1) > 0
        judged = bool(end <= given.now)
        found = base_load_step(base, first, last)
        stepped = np.where(judged, found.night, -1) >= 0
        made.append(
            figures(
                "base_load_step",
                series,
                np.array([start, stop if judged else end]),
                np.where(judged, found.size, np.nan)[:, None],
                now=given.now,
                n=found.known[:, None],
                due=base.shape[1],
                at=np.where(stepped, days[found.night], np.datetime64("NaT"))[:, None],
                low=np.where(stepped, found.low, np.nan)[:, None],
                high=np.where(stepped, found.high, np.nan)[:, None],
                code=stepped[:, None],
                keep=there[:, None],
            )
        )
    return join(made)


STEPS: tuple[Calculation, ...] = (
    Calculation(
        name="base load of nights",
        makes=("night_base",),
        metrics=METRICS,
        level=Level.HOUR,
        follows=Level.DAY,
        period=Period.DAY,
        compute=_nights,
        parts=("sum", "x", "y", "good", "suspect", "expected"),
    ),
    Calculation(
        name="steps of the base load",
        makes=("base_load_step",),
        metrics=METRICS,
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.WEEK,
        compute=_steps,
        parts=("good",),
        reads=("night_base",),
        recall={"night_base": (BEFORE + BESIDE + 1) * _DAY},
        ahead=8 * _DAY,
        after=(BEFORE + BESIDE + 1) * _DAY,
    ),
)
