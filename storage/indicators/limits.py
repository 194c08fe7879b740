"""What the law and the health guidelines allow in the air: limit values as a table with dates.

References
----------
.. [1] Directive 2008/50/EC, annexes VII (ozone), XI (limit values), XIII (critical levels)
   and XIV (PM2.5).
.. [2] Directive (EU) 2024/2881, annex I: table 1 from 1 January 2030, table 2 until then,
   section 2 for ozone.
.. [3] WHO global air quality guidelines 2021, table 0.1: short-term values are 99th
   percentiles, three to four days a year; three are taken here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Window(StrEnum):
    """What is compared with a limit: means of hours or days, daily maxima of 8 h, of a year."""

    HOUR = "hour"
    DAY = "day"
    EIGHT_HOURS = "8h"
    YEAR = "year"
    SEASON = "season"


class Law(StrEnum):
    """Who set the limit."""

    EU_2008 = "eu2008"
    EU_2030 = "eu2030"
    WHO_2021 = "who2021"
    OWN = "own"


class Verdict(IntEnum):
    """What a year of measurements says of a limit; the code of its figure.

    RESPECTED: the rule of completeness is met and what is missing could not change it, or is
    not asked. AS_MEASURED: the same, but so much is missing that every missing part, all of
    them too high, would change it. POSSIBLE: not exceeded as counted, but the share of what
    was measured is over the share that is allowed. CERTAIN: exceeded whatever is missing or still to
    come. SO_FAR: the year is open and the limit not yet exceeded.
    """

    NOT_ENOUGH = 0
    RESPECTED = 1
    AS_MEASURED = 2
    POSSIBLE = 3
    CERTAIN = 4
    SO_FAR = 5


_VERDICTS = (
    "not enough data",
    "respected",
    "respected as measured",
    "exceedance possible",
    "exceeded for certain",
    "not exceeded so far",
)
VERDICT_WORDS: tuple[str, ...] = (*_VERDICTS, *(f"{word}, not yet in force" for word in _VERDICTS))
"""By code: a verdict, plus :data:`AHEAD` in years before the limit is in force."""

AHEAD = len(_VERDICTS)


@dataclass(frozen=True, slots=True)
class Limit:
    """One line of the table.

    Attributes
    ----------
    law, pollutant, window
        Who set it, the metric it is about, and what is compared with it.
    value
        [the metric's unit]; an exceedance is strictly greater once rounded half up to as
        many ``digits`` as the limit is written with.
    allowed
        Exceedances in a calendar year, or in the mean of ``years``.
    percentile
        In hundredths of a percent: the one that is at most ``value`` where exactly
        ``allowed`` of a complete year are above it.
    since, until
        First and last calendar year in which it is in force; 0: without one. Computed
        before it is in force too, for whoever plans, and said so.
    years
        Over how many years the count is averaged.
    aim
        ``health``, ``vegetation``, or ``long_term`` objectives.
    """

    law: Law
    pollutant: str
    window: Window
    value: float
    allowed: int = 0
    percentile: int = 10_000
    since: int = 0
    until: int = 0
    years: int = 1
    aim: str = "health"
    digits: int = 0

    @property
    def name(self) -> str:
        """The name of its indicator.

        >>> Limit(Law.EU_2008, "no2", Window.HOUR, 200, 18, 9979).name
        'eu2008_no2_hour'
        """
        end = "" if self.aim == "health" else f"_{self.aim}"
        return f"{self.law}_{self.pollutant}_{self.window}{end}"


_H, _D, _M, _Y = Window.HOUR, Window.DAY, Window.EIGHT_HOURS, Window.YEAR

LIMITS: tuple[Limit, ...] = (
    Limit(Law.EU_2008, "no2", _H, 200, 18, 9979, 2010, 2029),
    Limit(Law.EU_2008, "no2", _Y, 40, since=2010, until=2029),
    Limit(Law.EU_2008, "nox", _Y, 30, since=2001, aim="vegetation"),
    Limit(Law.EU_2008, "so2", _H, 350, 24, 9973, 2005, 2029),
    Limit(Law.EU_2008, "so2", _D, 125, 3, 9918, 2005, 2029),
    Limit(Law.EU_2008, "so2", _Y, 20, since=2001, aim="vegetation"),
    Limit(Law.EU_2008, "pm10", _D, 50, 35, 9040, 2005, 2029),
    Limit(Law.EU_2008, "pm10", _Y, 40, since=2005, until=2029),
    Limit(Law.EU_2008, "pm25", _Y, 25, since=2015, until=2029),
    Limit(Law.EU_2008, "co", _M, 10, since=2005, until=2029),
    Limit(Law.EU_2008, "o3", _M, 120, 25, 9315, 2010, 2029, years=3),
    Limit(Law.EU_2008, "o3", _M, 120, since=2010, until=2029, aim="long_term"),
    Limit(Law.EU_2030, "no2", _H, 200, 3, 9997, 2030),
    Limit(Law.EU_2030, "no2", _D, 50, 18, 9510, 2030),
    Limit(Law.EU_2030, "no2", _Y, 20, since=2030),
    Limit(Law.EU_2030, "so2", _H, 350, 3, 9997, 2030),
    Limit(Law.EU_2030, "so2", _D, 50, 18, 9510, 2030),
    Limit(Law.EU_2030, "so2", _Y, 20, since=2030),
    Limit(Law.EU_2030, "pm10", _D, 45, 18, 9510, 2030),
    Limit(Law.EU_2030, "pm10", _Y, 20, since=2030),
    Limit(Law.EU_2030, "pm25", _D, 25, 18, 9510, 2030),
    Limit(Law.EU_2030, "pm25", _Y, 10, since=2030),
    Limit(Law.EU_2030, "co", _M, 10, since=2030),
    Limit(Law.EU_2030, "co", _D, 4, 18, 9510, 2030),
    Limit(Law.EU_2030, "o3", _M, 120, 18, 9510, 2030, years=3),
    Limit(Law.EU_2030, "o3", _M, 100, 3, 9918, 2050, aim="long_term"),
    Limit(Law.WHO_2021, "no2", _H, 200),
    Limit(Law.WHO_2021, "no2", _D, 25, 3, 9918),
    Limit(Law.WHO_2021, "no2", _Y, 10),
    Limit(Law.WHO_2021, "so2", _D, 40, 3, 9918),
    Limit(Law.WHO_2021, "pm10", _D, 45, 3, 9918),
    Limit(Law.WHO_2021, "pm10", _Y, 15),
    Limit(Law.WHO_2021, "pm25", _D, 15, 3, 9918),
    Limit(Law.WHO_2021, "pm25", _Y, 5),
    Limit(Law.WHO_2021, "co", _D, 4, 3, 9918),
    Limit(Law.WHO_2021, "o3", _M, 100, 3, 9918),
    Limit(Law.WHO_2021, "o3", Window.SEASON, 60),
)  # fmt: skip

STATISTICS: tuple[tuple[str, Window, int], ...] = tuple(
    dict.fromkeys((one.pollutant, one.window, one.percentile) for one in LIMITS if one.allowed)
)
"""Percentiles worth a figure: (pollutant, window, hundredths of a percent)."""

DAYS_OVER_120 = "o3_days_over_120"
"""What the three years of the ozone target are averaged from."""


def statistic_name(pollutant: str, window: Window, percentile: int) -> str:
    """The name of a percentile's indicator.

    >>> statistic_name("pm10", Window.DAY, 9040), statistic_name("no2", Window.HOUR, 9979)
    ('pm10_day_p90_4', 'no2_hour_p99_79')
    """
    return f"{pollutant}_{window}_p{percentile / 100:g}".replace(".", "_")
