"""What a day of traffic is worth: its peak, its heavy vehicles, its speeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors import sketch
from processors.calculation import Given
from processors.mobility import flow, peak, speed
from processors.mobility.quarters import (
    QUARTER,
    Traffic,
    by_window,
    coarse,
    counters,
    gather,
    of_partner,
    within,
)
from processors.pairing import named, partners
from processors.runs import Rows
from processors.windows import window_of
from storage.figures import NEVER, Figures, figures, join, no_figures
from storage.indicators.word import Status
from storage.reading import FloatArray, TimeArray
from storage.rollup import SKETCH_PAIR, Sketches

QUARTER_S = 900.0
FEWEST_SPEEDS, ENOUGH_SPEEDS = 30, 100
"""Speeds below which nobody gives a V85, and from which on nobody asks for more."""


def peaks(given: Given) -> Figures:
    """Peak hour and peak quarter-hour of every series that counts; share of heavy vehicles."""
    roster, said = given.frame.roster, by_window(given, QUARTER_S)
    window = within(given.frame.edges, given.periods)
    due = np.diff(given.periods) // QUARTER
    counts = np.flatnonzero((roster.metric == "vehicles") | (roster.metric == "flow"))
    if not len(counts):
        return no_figures()
    count = gather(said.count[counts], window)
    n = (~np.isnan(count)).sum(axis=-1)
    enough = _enough(n, due)
    hour, slow = peak.peak_hour(count), coarse(given)[counts][:, None]
    volume = np.where(enough, hour.volume, np.nan)
    inside = np.maximum(hour.slot, 0)[..., None] + np.arange(peak.QUARTERS)
    most = count.shape[-1] - 1
    inside = np.minimum(inside, most)
    scaled = gather(said.estimated[counts].astype(np.float64), window, 0.0)
    guessed = np.take_along_axis(scaled, inside, axis=-1).any(axis=-1)
    status = np.where((n < due) | guessed, Status.PARTIAL, Status.COMPLETE)
    driven = (n > 0) & (volume != 0)
    quarter, slot = peak.busiest_quarter(count)
    quarter_scaled = np.take_along_axis(scaled, np.maximum(slot, 0)[..., None], axis=-1)[..., 0]
    speeds = _peak_speed(said, roster.metric == "speed", counts, given, inside)
    headway = flow.headway(volume)
    gap = flow.gap(headway, speeds, given.facts.mobility.vehicle_length_m)
    series, now, at = roster.series[counts], given.now, _instant(given, window, hour.slot)
    same = {"now": now, "n": n, "due": due, "status": status}
    return join(
        [
            figures("peak_hour_volume", series, given.periods, volume, at=at, keep=n > 0,
                    method=slow, **same),
            figures("peak_hour_factor", series, given.periods,
                    np.where(enough, hour.factor, np.nan), at=at, keep=driven & ~slow, **same),
            figures("peak_hour_headway", series, given.periods, headway, at=at, keep=driven,
                    **same),
            figures("peak_hour_gap", series, given.periods, gap, at=at,
                    keep=driven & ~np.isnan(gap), **same),
            figures("peak_quarter_flow", series, given.periods,
                    flow.flow_rate(np.where(enough, quarter, np.nan), QUARTER_S), now=now, n=n,
                    due=due, at=_instant(given, window, slot), keep=(n > 0) & ~slow,
                    status=np.where((n < due) | (quarter_scaled > 0), Status.PARTIAL,
                                    Status.COMPLETE)),
            _heavy(given, said, window, due),
        ]
    )  # fmt: skip


def _enough(n: NDArray[np.int64], due: NDArray[np.int64]) -> NDArray[np.bool_]:
    enough: NDArray[np.bool_] = 100 * n >= flow.CAPTURE_PERCENT * due
    return enough


def _instant(given: Given, window: Rows, slot: NDArray[np.int64]) -> TimeArray:
    """When the quarter-hour begins that has this number in its period; NaT where none has."""
    period = np.arange(len(window))
    start = given.frame.edges[window[period, np.maximum(slot, 0)]]
    return np.where(slot >= 0, start, NEVER)


def _peak_speed(
    said: Traffic, fast: NDArray[np.bool_], counts: Rows, given: Given, inside: Rows
) -> FloatArray:
    """Space-mean speed in the peak hour where the detector gives speeds, shape of the peaks."""
    roster = given.frame.roster
    window = within(given.frame.edges, given.periods)
    partner = np.full(len(roster), -1)
    for metric in ("vehicles", "flow"):
        found = partners(roster, roster.metric == metric, fast)
        partner = np.where(found < 0, partner, found)
    there = gather(of_partner(said.mean, partner)[counts], window)
    count = gather(said.count[counts], window)
    return speed.mean_speeds(
        np.take_along_axis(there, inside, axis=-1), np.take_along_axis(count, inside, axis=-1)
    ).space


def _heavy(given: Given, said: Traffic, window: Rows, due: NDArray[np.int64]) -> Figures:
    roster = given.frame.roster
    partner = partners(roster, roster.metric == "vehicles", roster.metric == "heavy_vehicles")
    both = np.flatnonzero(partner >= 0)
    every, heavy = (gather(said.count[rows], window) for rows in (both, partner[both]))
    share, n = flow.heavy_share(every, heavy)
    enough = _enough(n, due)
    # Where both were counted and nobody came there is no share, and nothing is missing.
    return figures(
        "heavy_share", roster.series[both], given.periods, np.where(enough, share, np.nan),
        now=given.now, n=n, due=due, keep=(n > 0) & ~(enough & np.isnan(share)),
    )  # fmt: skip


def speeds(given: Given) -> Figures:
    """Mean speeds and V85 of every series of speeds."""
    roster, said = given.frame.roster, by_window(given, QUARTER_S)
    window = within(given.frame.edges, given.periods)
    fast = roster.metric == "speed"
    rows = np.flatnonzero(fast)
    if not len(rows):
        return no_figures()
    single = named(roster, given.facts.mobility.individual_speeds)[rows]
    vehicles, method = weights(given, said, rows, single, window)
    value = gather(said.mean[rows], window)
    mean = speed.mean_speeds(value, vehicles)
    n = ((vehicles > 0) & ~np.isnan(value)).sum(axis=-1)
    # A quarter-hour in which nobody came has no speed, and misses none.
    due = np.diff(given.periods) // QUARTER - (vehicles == 0).sum(axis=-1)
    enough = _enough(n, due)
    same = {"now": given.now, "n": n, "due": due, "method": method, "keep": n > 0}
    return join(
        [
            figures("time_mean_speed", roster.series[rows], given.periods,
                    np.where(enough, mean.time, np.nan), **same),
            figures("space_mean_speed", roster.series[rows], given.periods,
                    np.where(enough, mean.space, np.nan), **same),
            _v85(given, said, rows, single, n > 0),
        ]
    )  # fmt: skip


def weights(
    given: Given, said: Traffic, rows: Rows, single: NDArray[np.bool_], window: Rows
) -> tuple[FloatArray, NDArray[np.int64]]:
    """How many vehicles the speeds of these series stand for, and by which method.

    Of single vehicles the readings tell; else the counts of the same detector; where it counted
    nothing all day long, every window counts alike. As :func:`gather` shapes them; the
    method by period, shape (n, p).
    """
    roster = given.frame.roster
    counter = counters(roster, np.isin(np.arange(len(roster)), rows))[rows]
    count = gather(of_partner(said.count, counter), window)
    every = tuple(range(2, count.ndim))
    counted = (~np.isnan(count)).any(axis=every)
    one_by_one = single.reshape(-1, *(1 for _ in window.shape))
    vehicles = np.where(np.expand_dims(counted, every), count, 1.0)
    vehicles = np.where(one_by_one, gather(said.usable[rows], window), vehicles)
    return vehicles, np.where(single[:, None], 1, np.where(counted, 0, 2))


def _v85(
    given: Given, said: Traffic, rows: Rows, single: NDArray[np.bool_], known: NDArray[np.bool_]
) -> Figures:
    roster, facts = given.frame.roster, given.facts.mobility
    fast = np.isin(np.arange(len(roster)), rows)
    lane = partners(roster, fast, roster.metric == "occupancy")[rows]
    counter = counters(roster, fast)[rows]
    free = speed.free_flow(
        of_partner(said.mean, lane),
        flow.flow_rate(of_partner(said.count, counter), QUARTER_S),
        facts.state_bounds[0],
    )
    periods = len(given.periods) - 1
    parts, target, doubt = _free_parts(given, rows, free)
    every = sketch.merge(parts, target, len(rows) * periods)
    value, low, high, n = (
        column.reshape(len(rows), periods) for column in speed.v85_of_sketch(every)
    )
    unknown = (np.bincount(target, doubt, len(rows) * periods) > 0).reshape(n.shape)
    code = np.where(single, 0, 1)[:, None] + 2 * unknown
    few = n < FEWEST_SPEEDS
    return figures(
        "v85", roster.series[rows], given.periods, np.where(few, np.nan, value), now=given.now,
        n=n, due=ENOUGH_SPEEDS, code=code, keep=known | (n > 0),
        low=np.where(few, np.nan, low), high=np.where(few, np.nan, high),
        status=np.where((code > 0) | (n < ENOUGH_SPEEDS), Status.PARTIAL, Status.COMPLETE),
    )  # fmt: skip


def _free_parts(
    given: Given, rows: Rows, free: NDArray[np.int64]
) -> tuple[Sketches, Rows, NDArray[np.bool_]]:
    """Sketches of speeds where traffic was free, which day of which series, and where in doubt."""
    periods = len(given.periods) - 1
    roster = given.frame.roster
    position = np.full(len(roster), -1)
    position[rows] = np.arange(len(rows))
    pairs, lengths, targets, doubts = [], [], [], []
    for frame in (given.frame, given.hours):
        if frame is None or frame.sketch is None:
            continue
        mine = position[np.searchsorted(roster.series, frame.roster.series)][frame.row]
        start = frame.edges[frame.column]
        day = window_of(start, given.periods)
        column = np.searchsorted(given.frame.edges, start)
        # An hour is free where each of its quarter-hours is, as far as is known.
        width = int((frame.edges[1] - frame.edges[0]) / QUARTER)
        columns = np.clip(column[:, None] + np.arange(width), 0, free.shape[1] - 1)
        told = free[np.maximum(mine, 0)[:, None], columns]
        kept = (mine >= 0) & (day >= 0) & (day < periods) & (told != 0).all(axis=1)
        some = np.flatnonzero(kept)
        taken = speed.chosen(frame.sketch, some)
        pairs.append(taken.pairs)
        lengths.append(np.diff(taken.offset))
        targets.append(mine[some] * periods + day[some])
        doubts.append((told[some] < 0).any(axis=1))
    if not pairs:
        nothing = Sketches(np.zeros(1, np.int64), np.empty(0, SKETCH_PAIR))
        return nothing, np.empty(0, np.intp), np.empty(0, np.bool_)
    offset = np.concatenate(([0], np.cumsum(np.concatenate(lengths)))).astype(np.int64)
    return (
        Sketches(offset, np.concatenate(pairs)), np.concatenate(targets), np.concatenate(doubts),
    )  # fmt: skip
