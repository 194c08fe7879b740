"""What an indicator's calculation declares, and what it is given: the contract of a trade.

A calculation says which rollups it reads, which periods it fills and how far a change
reaches; the runner (:mod:`processors.refresh`) finds what is to be computed anew, loads it
and writes the figures. A calculation itself is pure: what it is given in, figures out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from processors.frame import Frame
from storage.facts.facts import Facts
from storage.figures import Figures
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import Batch, TimeArray
from storage.roster import Roster
from storage.watched import Service, WeekProfiles, no_profiles, no_service

NOTHING = np.timedelta64(0, "us")


class Together(StrEnum):
    """Which series a calculation must see at once: those of one series, site, territory, or all.

    neighbours: those of one metric in one territory.
    """

    SERIES = "series"
    SITE = "site"
    NEIGHBOURS = "neighbours"
    TERRITORY = "territory"
    CITY = "city"


@dataclass(frozen=True, slots=True)
class Given:
    """What a calculation is given.

    Attributes
    ----------
    frame : Frame
        Rollups of the calculation's metrics at its level, from ``before`` the first period
        to the end of the last, or ``ahead`` of it.
    periods : datetime64[us], shape (p + 1,)
        Edges of the periods to fill: all of them, for every subject of the frame.
    zone : str
        The time zone of all of the frame's series.
    now : datetime64
        Periods that end later are provisional.
    facts : Facts
        What the city says of its trades.
    figures : Figures
        Those the calculation reads, over the same span or from their ``recall`` on; not only
        of the frame's subjects.
    readings : Batch
        Usable readings of the frame's series over the same span, where ``raw``; none otherwise.
    hours : Frame or None
        Where ``coarse``: hourly rollups, over the same span, of those of the frame's series
        whose step is too long for quarter-hours; None where there are no such series.
    service : Service
        When the frame's series were in service, where ``service``; nobody otherwise.
    profiles : WeekProfiles
        What was usual for them in the weeks of the periods, where ``profiles``; none otherwise.
    """

    frame: Frame
    periods: TimeArray
    zone: str
    now: np.datetime64
    facts: Facts
    figures: Figures
    readings: Batch
    hours: Frame | None = None
    service: Service = field(default_factory=no_service)
    profiles: WeekProfiles = field(default_factory=no_profiles)


@dataclass(frozen=True, slots=True)
class Calculation:
    """How one or several indicators are made.

    Attributes
    ----------
    name : str
        For logs and people.
    makes : names of indicators
        Whatever it does not return for a period and a subject of the frame is deleted.
    metrics : names of metrics
        Whose series it reads. Where they are of another domain than what it makes: no matter.
    level : Level
        The rollups it reads.
    follows : Level
        The rollups whose changes ask for it: HOUR, or DAY for what is worth a day's patience.
        Changes are told once their window has closed.
    period : Period
        What is always computed whole.
    compute
        The calculation itself.
    together : Together
        Which series must be seen at once.
    before, after : timedelta64
        How much before its period it reads, and how long after a change results may differ.
    ahead : timedelta64
        How much after its period it reads; a change there asks for the period as well.
    recall : timedelta64 by name of indicator
        How much before its period it reads these figures, where that is not ``before``.
    parts : names of rollup columns
        ``"sketch"`` among them loads the sketches too.
    reads : names of indicators
        Figures it reads, of calculations that stand before it.
    raw : bool
        Whether it reads readings too, for windows that no rollup has (ten minutes). Periods
        whose readings retention may have dropped are then left as they are.
    coarse : bool
        Whether series that are too coarse for quarter-hours come too, as hours.
    service, profiles : bool
        Whether it is given when series were in service, and what is usual in hours of the week.
    only
        Which series of a roster it is about, as the city's facts say; all of its metrics
        without. What it made of series that are no longer meant stays.
    """

    name: str
    makes: tuple[str, ...]
    metrics: tuple[str, ...]
    level: Level
    follows: Level
    period: Period
    compute: Callable[[Given], Figures]
    together: Together = Together.SERIES
    before: np.timedelta64 = NOTHING
    after: np.timedelta64 = NOTHING
    parts: tuple[str, ...] = ("sum", "good", "suspect", "expected")
    reads: tuple[str, ...] = ()
    raw: bool = False
    coarse: bool = False
    ahead: np.timedelta64 = NOTHING
    recall: Mapping[str, np.timedelta64] = field(default_factory=dict)
    service: bool = False
    profiles: bool = False
    only: Callable[[Roster, Facts], NDArray[np.bool_]] | None = None
