"""The word *indicator*: what a trade decides on, made of rollups.

An indicator is the definition; a *figure* is its value for one subject and one period.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from storage.catalogue import Domain


class Subject(StrEnum):
    """What a figure is about; figures carry the registry's id of it."""

    SERIES = "series"
    SITE = "site"
    TERRITORY = "territory"


class Period(StrEnum):
    """How long a figure counts for, ``[start, stop)``.

    ten_minutes, quarter_hour, half_hour, hour: on the clock; day, week (from Monday), month, year: local time
    of the territory; air_day, air_year: at the fixed offset that regulators report in
    (``[air] day_offset_h``), so that every day has 24 hours.
    """

    TEN_MINUTES = "ten_minutes"
    QUARTER_HOUR = "quarter_hour"
    HALF_HOUR = "half_hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    AIR_DAY = "air_day"
    AIR_YEAR = "air_year"


class Status(IntEnum):
    """How far a figure can be trusted to be whole.

    COMPLETE: every rule of completeness is met. PARTIAL: made of less than the rule wants
    and still true as said (an index of some pollutants, a scaled sum, a lower bound).
    INSUFFICIENT: too little for any value, which then is NaN and never 0.
    """

    COMPLETE = 1
    PARTIAL = 2
    INSUFFICIENT = 3


@dataclass(frozen=True, slots=True)
class Indicator:
    """One line of the catalogue of indicators.

    Attributes
    ----------
    unit
        UCUM; ``1`` for counts, classes and ratios; empty where it is that of the series' metric.
    labels
        Names for people, by language (fr, en, de).
    source
        Where the rule is written: standard, directive, paper.
    methods
        Versions of the way it is computed, oldest first; a figure names one by position.
        A change of method is a new version here, never a silent change.
    words
        Meaning of a figure's ``code``: by position, or by bit where ``bits``.
    classes
        What the values 1, 2, 3 … of an index are called.
    public
        Whether everybody may see it.
    """

    name: str
    domain: Domain
    subject: Subject
    period: Period
    unit: str
    labels: dict[str, str]
    source: str
    methods: tuple[str, ...] = ("1",)
    words: tuple[str, ...] = ()
    bits: bool = False
    public: bool = True
    classes: tuple[str, ...] = ()
