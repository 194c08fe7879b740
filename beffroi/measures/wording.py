"""Measures and evaluations in words and as JSON; mistakes told in a sentence."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import psycopg

from beffroi.records import author
from beffroi.records.question import QuestionError
from storage.evaluation_store import Stored
from storage.evaluations import EXPLAINED, WORDS, Evaluation, Matching, Verdict
from storage.measure_store import Registered
from storage.measures import Daily, Effect, Measure
from storage.review import Author

_MATCHED = {
    Matching.YEAR: "each day with the same weekday of the same season the year before",
    Matching.WEEKDAYS: "with the same mix of weekdays just before",
    Matching.NONE: "",
}


@contextmanager
def connected() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database that PG* names."""
    with psycopg.connect(autocommit=True, application_name="beffroi measures") as connection:
        yield connection


def who(person: str | None, why: str) -> Author:
    """Who does it, and why."""
    try:
        return Author(author.named(person), author.reason(why))
    except author.UnfitError as error:
        raise QuestionError(str(error)) from None


def what(measure: Measure) -> str:
    """The number that counts, in words."""
    if measure.indicator:
        return f"{measure.indicator}{f' of {measure.metric}' if measure.metric else ''}"
    return f"daily {measure.daily or Daily.MEAN} of {measure.metric}"


def signed(value: float | None, unit: str) -> str:
    """A change, with its sign."""
    return "?" if value is None else f"{value:+.3g} {unit}"


def interval(low: float | None, high: float | None) -> str:
    """Where it lies."""
    return "no interval" if low is None or high is None else f"95 %: {low:+.3g} to {high:+.3g}"


def verdict(found: Evaluation) -> str:
    """In a line."""
    said = WORDS[found.verdict]["en"]
    if found.estimate is None:
        return f"{said}: {EXPLAINED[found.reason]}"
    number = f"{signed(found.estimate, found.unit)} ({interval(found.low, found.high)})"
    because = f"; {EXPLAINED[found.reason]}" if found.verdict is Verdict.OPEN else ""
    return f"{said}: {number}{because}"


def details(found: Evaluation) -> Iterator[str]:
    """What the verdict is made of."""
    unit = found.unit if found.effect is Effect.ABSOLUTE else "% of each one's mean before"
    for name, before, after, sites, series in (
        ("touched", found.touched_before, found.touched_after, found.touched_sites,
         found.touched_series),
        ("untouched", found.comparison_before, found.comparison_after, found.comparison_sites,
         found.comparison_series),
    ):  # fmt: skip
        change = "" if before is None or after is None else f"{before:.4g} → {after:.4g} {unit}, "
        yield f"{name:<10} {change}{sites} site{'s' * (sites != 1)}, {series} series"
    if found.days_after:
        yield (
            f"compared   {found.before_from} to {_last(found.before_to)} ({found.days_before} days)"
            f" with {found.after_from} to {_last(found.after_to)} ({found.days_after} days),"
            f" {_MATCHED[found.matching]}"
        )
    if found.placebo_estimate is not None:
        yield (
            f"before it  {signed(found.placebo_estimate, found.unit)}"
            f" ({interval(found.placebo_low, found.placebo_high)}): the same comparison made"
            " wholly before the measure"
        )


def _last(day: datetime.date) -> datetime.date:
    return day - datetime.timedelta(days=1)


def measure_object(one: Registered) -> dict[str, object]:
    """For JSON: the version and all that it says."""
    return {
        "version": one.version,
        "registered_at": utc(one.registered_at),
        "person": one.person,
        "why": one.why,
        "retired": one.retired,
        **one.measure.model_dump(mode="json"),
    }


def evaluation_object(one: Stored | None) -> dict[str, object] | None:
    """For JSON: when it was written down, of which version, and all numbers."""
    if one is None:
        return None
    when: dict[str, object] = {"computed_at": utc(one.computed_at), "version": one.version}
    return when | found_object(one.evaluation)


def found_object(found: Evaluation) -> dict[str, object]:
    """For JSON: all numbers of an evaluation."""
    return {
        name: value.isoformat() if isinstance(value, datetime.date) else value
        for name, value in asdict(found).items()
    }


def utc(time: datetime.datetime) -> str:
    """As JSON and people have it, to the second."""
    return time.astimezone(datetime.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
