"""Measures evaluated, and what was found shown with a picture."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from beffroi.measures import chart, wording
from beffroi.progress import busy
from beffroi.records.question import QuestionError
from beffroi.terminal import printable
from processors.evaluation.evaluate import Evaluated, today
from processors.evaluation.evaluate import evaluate as work_out
from storage import evaluation_store, measure_store
from storage.measure_store import Registered
from storage.review import NotNamed, near


def evaluate(codes: Sequence[str], until: str | None, dry_run: bool, as_json: bool) -> None:
    """Evaluate some measures, or all that are registered, and write down what is new."""
    last = None if until is None else _day(until)
    told: list[dict[str, object]] = []
    with wording.connected() as connection:
        for one in _chosen(codes, measure_store.versions(connection, newest=True)):
            with (
                busy(Console(stderr=True), f"Evaluating {one.measure.code}"),
                connection.transaction(),
            ):
                now = today(connection, one.measure, datetime.datetime.now(datetime.UTC))
                done = work_out(connection, one, min(last or now, now), write=not dry_run)
            told.append(_object(one, done))
            if not as_json:
                _tell(one, done, dry_run)
    if as_json:
        print(json.dumps({"dry_run": dry_run, "measures": told}))
    elif not told:
        print("No measure is registered.")


def _chosen(codes: Sequence[str], known: Sequence[Registered]) -> list[Registered]:
    alive = {one.measure.code: one for one in known if not one.retired}
    for code in codes:
        if code not in alive:
            retired = any(one.measure.code == code for one in known)
            what = "is retired" if retired else "is not registered"
            meant = near(code, list(alive)) if alive else "no measure is in the register"
            raise NotNamed(f"measure {code!r} {what}; {meant}")
    return [alive[code] for code in dict.fromkeys(codes)] if codes else list(alive.values())


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text if text[4:5] == "-" else "")
    except ValueError:
        raise QuestionError(f"--until: {text!r} is no day; write one like 2026-03-01") from None


def _tell(one: Registered, done: Evaluated, dry_run: bool) -> None:
    news = "" if dry_run or done.written else " (as written down before)"
    print(printable(f"{one.measure.code}: {wording.verdict(done.evaluation)}{news}"))
    if done.confounded:
        print(printable(f"  {_confounded(done)}"))


def _confounded(done: Evaluated) -> str:
    return (
        "left out are touched series to which other measures came in the same days: "
        + ", ".join(done.confounded)
    )


def _object(one: Registered, done: Evaluated) -> dict[str, object]:
    return {
        "code": one.measure.code,
        "version": one.version,
        "written": done.written,
        "confounded_by": list(done.confounded),
        **wording.found_object(done.evaluation),
    }


def show(code: str, as_json: bool) -> None:
    """A measure, what was found of it last, and the gap between touched and untouched."""
    with wording.connected() as connection:
        one = measure_store.find(connection, code)
        found = evaluation_store.evaluations(connection, code)
        last = next((e for e in reversed(found) if e.version == one.version), None)
        now = today(connection, one.measure, datetime.datetime.now(datetime.UTC))
        looked = work_out(connection, one, last.evaluation.after_to if last else now, write=False)
    if as_json:
        gap = [
            {"day": str(day), "gap": value}
            for day, value in zip(looked.day, looked.gap.tolist(), strict=True)
            if value == value
        ]
        whole = wording.measure_object(one) | {
            "evaluation": wording.evaluation_object(last), "gap": gap,
        }  # fmt: skip
        print(json.dumps(whole))
        return
    for line in _lines(one):
        print(printable(line))
    print()
    if last is None:
        print(f"Not evaluated yet: beffroi measures evaluate {printable(code)}")
    else:
        found_now = last.evaluation
        print(printable(f"{wording.utc(last.computed_at)}  {wording.verdict(found_now)}"))
        for line in wording.details(found_now):
            print(printable(f"  {line}"))
        if looked.confounded:
            print(printable(f"  {_confounded(looked)}"))
    _picture(one, looked)


def _lines(one: Registered) -> list[str]:
    measure = one.measure
    state = f"version {one.version}, {wording.utc(one.registered_at)} {one.person}"
    days = f"in force {measure.in_force}"
    days += f", settled {measure.settled}" if measure.settled else ""
    days += f", until {measure.ends}" if measure.ends else ""
    decision = ", ".join(
        str(part)
        for part in (measure.decision, measure.decision_date, measure.decision_url)
        if part
    )
    lines = [
        f"{measure.code}  {measure.title}",
        f"  {state}{', retired' if one.retired else ''}{f'; why: {one.why}' if one.why else ''}",
        f"  {measure.objective}",
        f"  {measure.territory}, {days}; {wording.what(measure)} should go {measure.expected}",
        f"  {decision}",
    ]
    return lines + ([f"  {measure.contact}"] if measure.contact else [])


def _picture(one: Registered, looked: Evaluated) -> None:
    begin = np.datetime64(one.measure.in_force)
    shown = looked.day >= begin - np.timedelta64(364, "D")
    lines = chart.bars(looked.gap[shown], looked.day[shown], begin)
    if lines:
        unit = looked.evaluation.unit
        print(f"\n  touched less untouched, from their means before [{unit}]")
        print("\n".join(line.rstrip() for line in lines))
