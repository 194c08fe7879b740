"""What an indicator's calculation declares, and what it is given: the contract of a trade.

A calculation says which rollups it reads, which periods it fills and how far a change
reaches; the runner (:mod:`processors.refresh`) finds what is to be computed anew, loads it
and writes the figures. A calculation itself is pure: what it is given in, figures out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from processors.frame import Frame
from storage.facts.facts import Facts
from storage.figures import Figures
from storage.indicators.word import Period
from storage.level import Level
from storage.reading import Batch, TimeArray

NOTHING = np.timedelta64(0, "us")


class Together(StrEnum):
    """Which series a calculation must see at once: those of one series, site, territory, or all."""

    SERIES = "series"
    SITE = "site"
    TERRITORY = "territory"
    CITY = "city"


@dataclass(frozen=True, slots=True)
class Given:
    """What a calculation is given.

    Attributes
    ----------
    frame : Frame
        Rollups of the calculation's metrics at its level, from ``before`` the first period
        to the end of the last.
    periods : datetime64[us], shape (p + 1,)
        Edges of the periods to fill: all of them, for every subject of the frame.
    zone : str
        The time zone of all of the frame's series.
    now : datetime64
        Periods that end later are provisional.
    facts : Facts
        What the city says of its trades.
    figures : Figures
        Those the calculation reads, over the same span; not only of the frame's subjects.
    readings : Batch
        Usable readings of the frame's series over the same span, where ``raw``; none otherwise.
    """

    frame: Frame
    periods: TimeArray
    zone: str
    now: np.datetime64
    facts: Facts
    figures: Figures
    readings: Batch


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
    parts : names of rollup columns
        ``"sketch"`` among them loads the sketches too.
    reads : names of indicators
        Figures it reads, of calculations that stand before it.
    raw : bool
        Whether it reads readings too, for windows that no rollup has (ten minutes). Periods
        whose readings retention may have dropped are then left as they are.
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
