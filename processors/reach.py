"""Which periods of which series a change reaches, and in which portions they are computed.

Pure planning: too much only costs time, for recomputing finds the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from processors import dirty, periods
from processors.calculation import Calculation, Together
from processors.dirty import Slice, Spans
from storage.facts.facts import Facts
from storage.figures import Figures
from storage.indicators.catalogue import INDICATORS, POSITION
from storage.indicators.word import Subject
from storage.level import Level
from storage.reading import IntArray, TimeArray
from storage.roster import Roster

CELLS = 4_000_000
"""Windows of series loaded at a time; about 100 bytes of memory each."""

LENGTH_S = {Level.QUARTER_HOUR: 900.0, Level.HOUR: 3600.0, Level.DAY: 86400.0}


def windows(ids: IntArray, start: TimeArray, roster: Roster) -> Spans:
    """Marked windows as spans; of a day the first hours are enough to say which it is."""
    known = np.isin(ids, roster.series)
    ids, start = ids[known], start[known]
    return dirty.merge([Spans(ids, start, start + np.timedelta64(1, "h"))])


def ended(calculation: Calculation, closed: Figures, roster: Roster) -> Spans:
    """Where the calculation's provisional figures stand whose period has ended.

    A sensor that fell silent changes nothing that would ask for them.
    """
    parts = [dirty.no_spans()]
    some = members(calculation, roster)
    for subject, ids in (
        (Subject.SERIES, some.series),
        (Subject.SITE, some.site_id),
        (Subject.TERRITORY, some.territory_id),
    ):
        names = [n for n in calculation.makes if INDICATORS[POSITION[n]].subject is subject]
        mine = closed.take(np.isin(closed.indicator, [POSITION[name] for name in names]))
        # One series of a site or territory stands for all that are computed with it.
        numbers, first = np.unique(ids, return_index=True)
        mine = mine.take(np.isin(mine.subject, numbers))
        series = some.series[first[np.searchsorted(numbers, mine.subject)]]
        parts.append(Spans(series, mine.start, mine.start + np.timedelta64(1, "h")))
    return dirty.join(parts)


def members(calculation: Calculation, roster: Roster) -> Roster:
    """The series of the calculation's metrics; all where it names none."""
    metrics = list(calculation.metrics)
    return roster.take(np.isin(roster.metric, metrics)) if metrics else roster


def groups(together: Together, members: Roster) -> IntArray:
    """What each series is computed with, as a number."""
    if together is Together.SERIES:
        return members.series
    if together is Together.SITE:
        return members.site_id
    if together is Together.TERRITORY:
        return members.territory_id
    if together is Together.NEIGHBOURS:
        metric = np.unique(members.metric, return_inverse=True)[1]
        place = np.unique(members.territory_id, return_inverse=True)[1]
        number: IntArray = (place * (metric.max(initial=0) + 1) + metric).astype(np.int32)
        return number
    return np.zeros(len(members), np.int32)


def pieces(
    calculation: Calculation,
    changed: Spans,
    members: Roster,
    group: IntArray,
    facts: Facts,
    now: np.datetime64,
    kept_from: np.datetime64,
) -> Iterator[tuple[str, Slice, TimeArray]]:
    """Groups and whole periods to compute at a time, zone by zone.

    What is made of readings is left as it is where periods begin before ``kept_from``.
    """
    row = np.searchsorted(members.series, changed.series)
    # What has not begun has no figures, however far results may differ.
    last = np.maximum(changed.stop, np.minimum(changed.stop + calculation.after, now))
    reached = Spans(group[row], changed.start - calculation.ahead, last)
    for zone in np.unique(members.zone).tolist():
        here = members.zone == zone
        some = dirty.merge([reached.take(here[row])])
        if not len(some):
            continue
        edges = periods.edges(
            calculation.period, some.start.min(), some.stop.max(), zone, facts.air.day_offset_h
        )
        begin = np.searchsorted(edges, some.start, side="right") - 1
        end = np.searchsorted(edges, some.stop, side="left")
        begins, ends = edges[begin], edges[end]
        if calculation.raw:
            first = min(int(np.searchsorted(edges, kept_from)), len(edges) - 1)
            begins = np.maximum(begins, edges[first])
        some = dirty.merge([Spans(some.series, begins, ends)])
        rate = np.full(int(here.sum()), 1 / LENGTH_S[calculation.level])
        if calculation.raw:
            step = members.step[here]
            rate += 1 / np.where(step > 0, step, dirty.ON_CHANGE_S)
        numbers, of = np.unique(group[here], return_inverse=True)
        weight = np.bincount(of, rate).astype(np.float64)[np.searchsorted(numbers, some.series)]
        for piece in dirty.slices(some, weight, edges, CELLS):
            inside = edges[(edges >= piece.start) & (edges <= piece.stop)]
            yield zone, piece, inside
