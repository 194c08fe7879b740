"""Air quality against the law, and when it is computed: a year of hours at a time.

Years are the regulator's, and follow whole days: a count that may be a day old is worth
not computing a year again every hour. Each series is judged by itself, so that a count never
mixes instruments of reference quality with others; of those others nothing is certain.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.air.exposure import aot40, daylight
from processors.air.hours import valid_hours
from processors.air.instruments import indicative
from processors.air.limits import enough, unproven
from processors.air.multi_year import multi_year
from processors.air.year import RUN_UP, Year, year_of
from processors.calculation import Calculation, Given
from storage.figures import Figures, figures, join
from storage.indicators.air_limits import AOT40_TARGET
from storage.indicators.limits import (
    AHEAD,
    DAYS_OVER_120,
    LIMITS,
    STATISTICS,
    Law,
    Limit,
    Window,
    statistic_name,
)
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray

POLLUTANTS = ("no2", "nox", "o3", "so2", "pm10", "pm25", "co")
OWN = {
    Window.HOUR: "own_hours_over",
    Window.DAY: "own_days_over",
    Window.EIGHT_HOURS: "own_8h_days_over",
    Window.YEAR: "own_year_mean",
}
STATISTIC_PERCENT = 75
"""Less makes no percentile, as the European Environment Agency holds it; up to 85 % it is
partial."""
FORMER_CAPTURE_PERCENT, FORMER_UNTIL = 90, 2026
"""What 2008/50/EC asks of an annual mean, until 2024/2881 asks 85 %."""


def _figures(
    name: str, year: Year, value: FloatArray, n: ArrayLike, due: ArrayLike, **more: ArrayLike
) -> Figures:
    """One figure for each series of a year; none where nothing is measured."""
    return figures(
        name, year.series, year.edges, value[:, None], now=year.now,
        n=np.asarray(n)[:, None], due=np.broadcast_to(due, value.shape)[:, None],
        keep=(np.asarray(n) > 0)[:, None], indicative=year.indicative[:, None],
        **{key: np.broadcast_to(column, value.shape)[:, None] for key, column in more.items()},
    )  # fmt: skip


def _code(verdict: NDArray[np.int64], limit: Limit, year: Year) -> ArrayLike:
    held = np.where(year.indicative, unproven(verdict), verdict)
    return held + AHEAD * (year.number < limit.since)


def _status(complete: ArrayLike) -> ArrayLike:
    return np.where(complete, Status.COMPLETE, Status.PARTIAL)


def _count(name: str, limit: Limit, year: Year) -> Figures:
    """How often a limit is exceeded; the interval says what is missing could add."""
    of = year.of(limit.window)
    count = of.count(limit.value, limit.digits)
    verdict = of.verdict(count, limit.allowed, still_open=year.still_open)
    return _figures(
        name, year, count.astype(np.float64), of.valid, of.due,
        low=count, high=count + of.due - of.valid, status=_status(of.captured),
        code=_code(verdict, limit, year),
    )  # fmt: skip


def _mean(name: str, limit: Limit, year: Year) -> Figures:
    """The mean of a year or of its peak season, and whether it is above a limit."""
    of = year.peak() if limit.window is Window.SEASON else year.annual()
    verdict = of.verdict(limit.value, limit.digits, still_open=year.still_open)
    value = np.where(of.captured, of.mean, np.nan)
    code = _code(verdict, limit, year)
    return _figures(
        name, year, value, of.valid, of.due, code=code, status=_status(_whole(year, of.captured)),
    )  # fmt: skip


def _whole(year: Year, captured: ArrayLike) -> ArrayLike:
    """Whether an annual mean meets the rule of its time; ozone has the one rule of seasons."""
    if year.pollutant == "o3" or year.number > FORMER_UNTIL:
        return captured
    of = year.annual()
    return enough(of.valid, of.due, FORMER_CAPTURE_PERCENT)


def _annual(year: Year) -> Figures:
    of = year.annual()
    name = "co_year_mean" if year.pollutant == "co" else "air_year_mean"
    value = np.where(of.captured, of.mean, np.nan)
    return _figures(
        name, year, value, of.valid, of.due, status=_status(_whole(year, of.captured))
    )  # fmt: skip


def _percentiles(year: Year) -> Iterator[Figures]:
    for window in (Window.HOUR, Window.DAY, Window.EIGHT_HOURS):
        wanted = tuple(p for pollutant, w, p in STATISTICS if (pollutant, w) == (year.pollutant, window))  # fmt: skip
        if not wanted:
            continue
        of = year.of(window)
        usable = enough(of.valid, of.due, STATISTIC_PERCENT)
        for percentile, value in zip(wanted, of.percentiles(wanted), strict=True):
            yield _figures(
                statistic_name(year.pollutant, window, percentile), year,
                np.where(usable, value, np.nan), of.valid, of.due, status=_status(of.captured),
            )  # fmt: skip


def _ozone(year: Year) -> Iterator[Figures]:
    """What the means of several years are made of."""
    of = year.of(Window.EIGHT_HOURS)
    count = of.count(120.0, 0)
    yield _figures(
        DAYS_OVER_120, year, count.astype(np.float64), of.valid, of.due,
        low=count, high=count + of.due - of.valid, status=_status(of.captured),
    )  # fmt: skip
    season = daylight(year.hour_start)
    due = int((season & year.past).sum())
    estimate, measured, valid = aot40(year.hour[:, season], due)
    yield _figures("o3_aot40", year, estimate, valid, due, low=measured)


def _own(given: Given, year: Year) -> Iterator[Figures]:
    for one in given.facts.air.limit:
        window = Window(one.window)
        if one.pollutant != year.pollutant:
            continue
        digits = len(f"{one.over:.6f}".rstrip("0").partition(".")[2])
        limit = Limit(
            Law.OWN, one.pollutant, window, one.over, one.allowed, since=one.since, digits=digits
        )  # fmt: skip
        yield (_mean if window is Window.YEAR else _count)(OWN[window], limit, year)


def _of_year(given: Given, year: Year) -> Iterator[Figures]:
    yield _annual(year)
    for limit in LIMITS:
        current = not limit.until or year.number <= limit.until
        if limit.pollutant == year.pollutant and limit.years == 1 and current:
            means = limit.window in (Window.YEAR, Window.SEASON)
            yield (_mean if means else _count)(limit.name, limit, year)
    yield from _percentiles(year)
    if year.pollutant == "o3":
        yield from _ozone(year)
    yield from _own(given, year)


def _years(given: Given) -> Figures:
    """Every year of every pollutant; all series of a pollutant at once."""
    hour, roster = valid_hours(given.frame), given.frame.roster
    lesser = indicative(roster, given.facts.air)
    parts: list[Figures] = []
    for pollutant in np.unique(roster.metric).tolist():
        rows = roster.metric == pollutant
        for number in range(len(given.periods) - 1):
            edges = given.periods[number : number + 2]
            if edges[0] < given.now:
                year = year_of(
                    pollutant, roster.series[rows], lesser[rows], hour[rows], given.frame.edges,
                    edges, given.now, given.facts.air.day_offset_h,
                )  # fmt: skip
                parts.extend(_of_year(given, year))
    return join(parts)


_TARGETS = tuple(limit for limit in LIMITS if limit.years > 1)
_AOT40 = Limit(Law.EU_2008, "o3", Window.SEASON, AOT40_TARGET, since=2010, years=5)
AOT40_LEAST_YEARS = 3


def _several_years(given: Given) -> Figures:
    """The target values of ozone, which are means of three and five years."""
    roster = given.frame.roster
    first = given.periods[:-1] + np.timedelta64(given.facts.air.day_offset_h, "h")
    numbers = first.astype("datetime64[Y]").astype(np.int64) + 1970
    parts: list[Figures] = []
    wanted = [(limit.name, DAYS_OVER_120, limit, float(limit.allowed), 1) for limit in _TARGETS]
    wanted.append(
        ("eu2008_o3_aot40_vegetation", "o3_aot40", _AOT40, AOT40_TARGET, AOT40_LEAST_YEARS)
    )
    lesser = indicative(roster, given.facts.air)[:, None]
    for name, source, limit, most, fewest in wanted:
        found = multi_year(
            given.figures.of(source), roster.series, numbers, limit.years, fewest, most,
            given.facts.air.day_offset_h, given.periods[1:] > given.now,
        )  # fmt: skip
        code = np.where(lesser, unproven(found.verdict), found.verdict)
        within = (not limit.until) | (numbers <= (limit.until or 0))
        parts.append(
            figures(
                name, roster.series, given.periods, found.mean, now=given.now, n=found.valid,
                due=limit.years, low=found.least, indicative=lesser,
                status=_status(found.valid == limit.years),
                code=code + AHEAD * (numbers < limit.since), keep=found.known & within,
            )
        )  # fmt: skip
    return join(parts)


_YEARLY = (
    *(limit.name for limit in LIMITS if limit.years == 1),
    *(statistic_name(*one) for one in STATISTICS),
    "air_year_mean", "co_year_mean", DAYS_OVER_120, "o3_aot40", *OWN.values(),
)  # fmt: skip
_LONGEST = np.timedelta64(366 * 4 + 2, "D")

AIR_LIMITS: tuple[Calculation, ...] = (
    Calculation(
        name="limit values",
        makes=_YEARLY,
        metrics=POLLUTANTS,
        level=Level.HOUR,
        follows=Level.DAY,
        period=Period.AIR_YEAR,
        compute=_years,
        before=np.timedelta64(RUN_UP, "h"),
        # A local day that changed reaches into the next of the regulator's days.
        after=np.timedelta64(1, "D"),
    ),
    Calculation(
        name="target values of ozone",
        makes=(*(limit.name for limit in _TARGETS), "eu2008_o3_aot40_vegetation"),
        metrics=("o3",),
        level=Level.DAY,
        follows=Level.DAY,
        period=Period.AIR_YEAR,
        compute=_several_years,
        after=_LONGEST,
        recall={DAYS_OVER_120: _LONGEST, "o3_aot40": _LONGEST},
        parts=("good",),
        reads=(DAYS_OVER_120, "o3_aot40"),
    ),
)
