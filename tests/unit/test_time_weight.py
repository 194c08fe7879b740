"""Means by time: vectors of real detectors, laws and a slow reference."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.time_weight import integrate, mean
from tests.unit import traffic_oracle as oracle

START = np.datetime64("2026-03-29T00:00", "us")
SECOND = np.timedelta64(1_000_000, "us")
LONG = np.timedelta64(400, "D")
Between = Literal["held", "linear"]


def test_means_of_a_detector_in_minnesota_by_count_and_by_time(shared: Path):
    expected = {
        "occupancy_6005": (4.49515, 3.33680, 3.69684, 1391940),
        "speed_6005": (81.9068, 83.71201, 84.0431, 1461720),
    }
    for name, (plain, held, linear, span) in expected.items():
        path = shared / f"data/nab-twin-cities-traffic/{name}.csv"
        rows = [line.split(",") for line in path.read_text().split("\n")[1:] if line]
        time = np.array([row[0] for row in rows], "datetime64[us]")
        value = np.array([float(row[1]) for row in rows])
        whole, row = time[[0, -1]], np.zeros(len(time), np.intp)
        assert (whole[1] - whole[0]) / SECOND == span
        assert value.mean() == pytest.approx(plain, abs=5e-6 * 10)
        for between, number in (("held", held), ("linear", linear)):
            found, covered = integrate(
                time, value, row, 1, whole, now=whole[1], hold=LONG,
                between=between,  # type: ignore[arg-type]
            )  # fmt: skip
            assert covered[0, 0] == span * 1_000_000
            assert mean(found, covered)[0, 0] == pytest.approx(number, abs=1e-5)


READINGS = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 50).map(float) | st.just(math.nan)),
    max_size=8,
    unique_by=lambda one: one[0],
).map(sorted)


@settings(max_examples=60)
@given(
    READINGS,
    READINGS,
    st.integers(1, 60),
    st.integers(20, 120),
    st.sampled_from(["held", "linear"]),
)
def test_integrals_are_those_of_the_slow_reference(
    one: list[tuple[int, float]],
    other: list[tuple[int, float]],
    hold: int,
    now: int,
    between: Between,
):
    edges = [10, 25, 60, 100]
    rows = [(row, t, v) for row, readings in enumerate((one, other)) for t, v in readings]
    found, covered = integrate(
        START + np.array([t for _, t, _ in rows], np.int64) * SECOND,
        np.array([v for *_, v in rows], np.float64),
        np.array([row for row, *_ in rows], np.intp),
        2,
        START + np.array(edges) * SECOND,
        now=START + now * SECOND,
        hold=hold * SECOND,
        between=between,
    )
    for row, readings in enumerate((one, other)):
        for window, (begin, end) in enumerate(itertools.pairwise(edges)):
            slow = oracle.integrate(readings, begin, end, now=now, hold=hold, between=between)
            assert (found[row, window], covered[row, window] / 1e6) == pytest.approx(slow)


@settings(max_examples=40)
@given(READINGS, st.integers(11, 99), st.sampled_from(["held", "linear"]))
def test_any_split_of_a_window_adds_up_to_the_whole(
    readings: list[tuple[int, float]], at: int, between: Between
):
    time = START + np.array([t for t, _ in readings], np.int64) * SECOND
    value, row = np.array([v for _, v in readings], np.float64), np.zeros(len(readings), np.intp)

    def over(*edges: int) -> tuple[float, int]:
        found, covered = integrate(
            time, value, row, 1, START + np.array(edges) * SECOND, now=START + 200 * SECOND,
            hold=30 * SECOND, between=between,
        )  # fmt: skip
        return float(found.sum()), int(covered.sum())

    assert over(10, at, 100) == pytest.approx(over(10, 100))


def test_looking_twice_as_often_at_a_value_that_stands_changes_nothing():
    time = START + np.array([0, 60, 120]) * SECOND
    row = np.zeros(3, np.intp)
    edges = START + np.array([0, 240]) * SECOND
    often = integrate(
        time, np.array([5.0, 5.0, 9.0]), row, 1, edges, now=edges[1], hold=LONG
    )  # fmt: skip
    seldom = integrate(
        time[[0, 2]], np.array([5.0, 9.0]), row[:2], 1, edges, now=edges[1], hold=LONG
    )  # fmt: skip

    assert mean(*often) == mean(*seldom) == 7.0


def test_no_reading_gives_no_value_and_a_missing_one_ends_the_last():
    edges = START + np.array([0, 60, 120]) * SECOND
    nothing = integrate(
        np.empty(0, "datetime64[us]"), np.empty(0), np.empty(0, np.intp), 1, edges,
        now=edges[2], hold=LONG,
    )  # fmt: skip
    assert np.isnan(mean(*nothing)).all()

    ended = integrate(
        edges[:2], np.array([4.0, math.nan]), np.zeros(2, np.intp), 1, edges, now=edges[2],
        hold=LONG,
    )  # fmt: skip
    assert np.array_equal(mean(*ended), [[4.0, math.nan]], equal_nan=True)
