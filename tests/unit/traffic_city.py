"""Detectors made up for tests: who they are, what they say, and a calculation's figures of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from processors import sketch, windows
from processors.calculation import Given
from processors.frame import Frame, frame_of
from storage.facts.facts import Facts
from storage.facts.mobility import MobilityFacts
from storage.figures import Figures, no_figures
from storage.reading import empty_batch
from storage.roster import Roster


def roster_of(metric: list[str], sensor: list[str], site: list[int], **more: Any) -> Roster:
    n = len(metric)
    texts = {
        name: np.array(more.get(name, [word] * n), np.str_)
        for name, word in (
            ("domain", "mobility"), ("kind", "gauge"), ("field", "v"), ("site", "s"),
            ("territory", "t"), ("zone", "Europe/Paris"),
        )
    }  # fmt: skip
    return Roster(
        series=np.arange(1, n + 1, dtype=np.int32),
        metric=np.array(metric, np.str_),
        step=np.array(more.get("step", [900] * n), np.int32),
        sensor=np.array(sensor, np.str_),
        site_id=np.array(site, np.int32),
        territory_id=np.ones(n, np.int32),
        longitude=np.full(n, np.nan),
        latitude=np.full(n, np.nan),
        **texts,
    )


@dataclass
class Detector:
    """A series: a value for each of its windows, NaN where nothing was read."""

    metric: str
    value: Sequence[float]
    sensor: str = "loop"
    site: int = 1
    step: int = 900
    field: str = "v"
    usable: Sequence[int] | None = None


KINDS = {"vehicles": "count", "heavy_vehicles": "count"}


def _frame(some: list[Detector], roster: Roster, edges: Any) -> Frame:
    value = np.array([one.value for one in some], np.float64)
    expected = np.array(
        [(edges[1] - edges[0]) // np.timedelta64(max(s, 1), "s") for s in roster.step]
    )
    usable = np.stack(
        [
            np.full(value.shape[1], due) if one.usable is None else np.array(one.usable)
            for one, due in zip(some, expected, strict=True)
        ]
    )
    row, column = np.nonzero(~np.isnan(value))
    n = usable[row, column]
    total = value[row, column] * np.where(roster.kind[row] == "count", 1, n)
    parts = {"sum": total, "good": n, "suspect": np.zeros_like(n), "expected": expected[row]}
    # Every reading of a window is of the same value.
    code = np.repeat(sketch.codes(value[row, column]), n)
    made = sketch.build(code, np.repeat(np.arange(len(row)), n), len(row))
    return frame_of(roster, edges, roster.series[row], edges[column], parts, made)


def made_by(
    compute: Callable[[Given], Figures],
    detectors: list[Detector],
    start: str,
    periods: Any,
    *,
    length_s: int = 900,
    zone: str = "Europe/Paris",
    now: str = "2030-01-01",
    **said: Any,
) -> Figures:
    """Figures that a calculation makes; hourly series among quarter-hours come as hours."""
    roster = roster_of(
        [one.metric for one in detectors],
        [one.sensor for one in detectors],
        [one.site for one in detectors],
        kind=[KINDS.get(one.metric, "gauge") for one in detectors],
        field=[one.field for one in detectors],
        step=[one.step for one in detectors],
    )
    slow = roster.step > length_s
    fast = [one for one, late in zip(detectors, slow, strict=True) if not late]
    count = int((periods[-1] - np.datetime64(start, "us")) / np.timedelta64(length_s, "s"))
    edges = np.datetime64(start, "us") + np.arange(count + 1) * np.timedelta64(length_s, "s")
    hours = None
    if slow.any():
        late = [one for one, is_late in zip(detectors, slow, strict=True) if is_late]
        hours = _frame(late, roster.take(slow), windows.hours(edges[0], edges[-1]))
    quick = _frame(fast, roster.take(~slow), edges) if fast else None
    frame = Frame(
        roster,
        edges,
        np.flatnonzero(~slow)[quick.row] if quick else np.empty(0, np.intp),
        quick.column if quick else np.empty(0, np.intp),
        quick.parts
        if quick
        else {name: np.empty(0) for name in ("sum", "good", "suspect", "expected")},
        quick.sketch if quick else None,
    )
    return compute(
        Given(
            frame, periods, zone, np.datetime64(now, "us"),
            Facts(mobility=MobilityFacts(**said)), no_figures(), empty_batch(), hours,
        )
    )  # fmt: skip
