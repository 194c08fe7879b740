"""The word *evaluation*: what the readings say of a measure, and how sure one may be."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

from storage.measures import Effect


class Verdict(StrEnum):
    """What an evaluation says."""

    EXPECTED = "expected"
    AGAINST = "against"
    OPEN = "not_conclusive"


class Reason(StrEnum):
    """Why; all but CLEAR make it not conclusive, and the first that holds is told."""

    CLEAR = "clear"
    NOTHING = "nothing_measured"
    OTHER_MEASURE = "other_measure"
    EARLY = "too_early"
    FEW_BEFORE = "few_days_before"
    FEW_AFTER = "few_days_after"
    NO_OTHERS = "no_comparison"
    ONE_OTHER = "one_comparison_site"
    TRENDS = "trends_not_parallel"
    COVERS = "interval_covers_0"
    UNCHECKED = "trends_not_checked"


class Basis(StrEnum):
    """What an interval is made of."""

    SITES_AND_TIME = "sites_and_time"
    TIME = "time"
    NONE = "none"


class Matching(StrEnum):
    """How days before are matched with those after."""

    YEAR = "year_before"
    WEEKDAYS = "weekdays_before"
    NONE = "none"


WORDS: dict[Verdict, dict[str, str]] = {
    Verdict.EXPECTED: {
        "fr": "dans le sens attendu",
        "en": "in the expected direction",
        "de": "in der erwarteten Richtung",
    },
    Verdict.AGAINST: {
        "fr": "dans le sens contraire",
        "en": "against it",
        "de": "in der Gegenrichtung",
    },
    Verdict.OPEN: {"fr": "non concluant", "en": "not conclusive", "de": "nicht aussagekräftig"},
}
"""Verdicts for people, by language."""

EXPLAINED: dict[Reason, str] = {
    Reason.CLEAR: "the interval leaves out 0",
    Reason.NOTHING: "no touched series was measured",
    Reason.OTHER_MEASURE: "another measure touches the same series in the same days",
    Reason.EARLY: "the days after have not begun",
    Reason.FEW_BEFORE: "no touched series has enough comparable days before",
    Reason.FEW_AFTER: "no touched series has enough days after",
    Reason.NO_OTHERS: "no untouched series has enough comparable days",
    Reason.ONE_OTHER: (
        "there is one untouched site, and what happens there by itself cannot be told from the"
        " measure; the interval speaks of time alone"
    ),
    Reason.TRENDS: "touched and untouched series were going different ways before it already",
    Reason.COVERS: "the interval covers 0",
    Reason.UNCHECKED: "too few days before to see whether trends were parallel",
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found. Numbers are ``None`` where nothing is known.

    Attributes
    ----------
    method
        Version of the way it is computed.
    unit
        Of all numbers but counts: UCUM; ``%`` where the effect is told in per cent.
    before_from, before_to, after_from, after_to
        Days compared, ``[from, to)``.
    estimate, low, high
        How much more the touched series changed than the others; its interval of 95 %.
    touched_before, touched_after, comparison_before, comparison_after
        Matched means over sites.
    placebo_estimate, placebo_low, placebo_high, placebo_matching
        The same comparison made wholly before the measure.
    """

    method: str
    verdict: Verdict
    reason: Reason
    effect: Effect
    unit: str
    before_from: datetime.date
    before_to: datetime.date
    after_from: datetime.date
    after_to: datetime.date
    matching: Matching
    estimate: float | None
    low: float | None
    high: float | None
    basis: Basis
    touched_before: float | None
    touched_after: float | None
    comparison_before: float | None
    comparison_after: float | None
    touched_sites: int
    touched_series: int
    comparison_sites: int
    comparison_series: int
    days_before: int
    days_after: int
    placebo_estimate: float | None
    placebo_low: float | None
    placebo_high: float | None
    placebo_matching: Matching
