"""From a registered measure to its evaluation: what is read, judged and written down.

An evaluation is a function of the register and of the readings up to a day; made again from
the same, it writes nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg

from processors.evaluation.comparison import YEAR_D, Days
from processors.evaluation.gap import daily_gap
from processors.evaluation.judgement import Judgement, Window, judge
from storage import evaluation_store
from storage.evaluations import Evaluation, Matching, Reason
from storage.measure_store import Registered
from storage.measures import Effect, Measure
from storage.reading import FloatArray

METHOD = "1"
"""Version of the way evaluations are computed; another way is another number."""

_YEAR = datetime.timedelta(days=YEAR_D)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation, whether it was written down, and the daily gap to look at.

    ``confounded`` names other measures that came to touched series in the same days.
    """

    evaluation: Evaluation
    written: bool
    day: Days
    gap: FloatArray
    confounded: tuple[str, ...]


def today(
    connection: psycopg.Connection[Any], measure: Measure, now: datetime.datetime
) -> datetime.date:
    """The day it is in the measure's territory, which is not over yet."""
    return now.astimezone(ZoneInfo(evaluation_store.zone_of(connection, measure))).date()


def evaluate(
    connection: psycopg.Connection[Any],
    of: Registered,
    until: datetime.date,
    *,
    write: bool = True,
) -> Evaluated:
    """Evaluate with the days before ``until``; in the caller's transaction where written."""
    measure = of.measure
    window = Window.around(
        np.datetime64(measure.in_force),
        np.datetime64(measure.begins),
        np.datetime64(max(measure.in_force, min(until, measure.ends or until))),
    )
    start, stop = _date(window.start), _date(window.stop)
    known_from = measure.in_force - 2 * _YEAR
    found = evaluation_store.subjects(connection, measure, min(start, measure.begins - _YEAR), stop)
    last = max(stop, measure.in_force)
    value = evaluation_store.daily_values(connection, measure, found.ids, known_from, last)
    day: Days = np.arange(np.datetime64(known_from), np.datetime64(last))
    made = judge(
        value, day, found.touched, found.site, window, measure.expected,
        effect=measure.effect, least=measure.min_days,
    )  # fmt: skip
    if found.confounded and not found.touched.any():
        made = dataclasses.replace(made, reason=Reason.OTHER_MEASURE)
    unit = evaluation_store.unit_of(connection, measure)
    evaluation = _told(measure, made, window, "%" if measure.effect is Effect.PERCENT else unit)
    written = write and evaluation_store.save(connection, of, evaluation)
    gap = daily_gap(value, day, found.touched, window, measure.effect)
    return Evaluated(evaluation, written, day, gap, found.confounded)


def _told(measure: Measure, made: Judgement, window: Window, unit: str) -> Evaluation:
    main, placebo = made.difference, made.placebo
    before, until = _date(window.start), _date(window.begin)
    after, stop = _date(window.settled), _date(max(window.stop, window.settled))
    if made.matching is Matching.YEAR:
        before, until = after - _YEAR, min(stop - _YEAR, until)
    return Evaluation(
        method=METHOD,
        verdict=made.verdict,
        reason=made.reason,
        effect=measure.effect,
        unit=unit,
        before_from=before,
        before_to=until,
        after_from=after,
        after_to=stop,
        matching=made.matching,
        estimate=_number(main.estimate),
        low=_number(main.low),
        high=_number(main.high),
        basis=main.basis,
        touched_before=_number(main.touched_before),
        touched_after=_number(main.touched_after),
        comparison_before=_number(main.untouched_before),
        comparison_after=_number(main.untouched_after),
        touched_sites=main.touched_sites,
        touched_series=main.touched_series,
        comparison_sites=main.untouched_sites,
        comparison_series=main.untouched_series,
        days_before=main.days_before,
        days_after=main.days_after,
        placebo_estimate=_number(placebo.estimate if placebo else np.nan),
        placebo_low=_number(placebo.low if placebo else np.nan),
        placebo_high=_number(placebo.high if placebo else np.nan),
        placebo_matching=made.placebo_matching,
    )


def _date(day: np.datetime64) -> datetime.date:
    return datetime.date.fromisoformat(str(day))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
