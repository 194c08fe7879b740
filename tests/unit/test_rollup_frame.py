"""Rollups as tables, and figures from tables."""

from __future__ import annotations

import numpy as np
import pytest

from processors.frame import Frame, frame_of
from storage.figures import figures, join, no_figures
from storage.indicators.word import Status
from storage.roster import Roster

HOURS = np.datetime64("2026-03-01", "us") + np.arange(4) * np.timedelta64(1, "h")
NOW = HOURS[-1]


def roster(*kinds: str) -> Roster:
    n = len(kinds)
    text, zero = np.array(["x"] * n), np.zeros(n, np.int32)
    place = np.zeros(n)
    return Roster(
        np.arange(5, 5 + n, dtype=np.int32), text, text, np.array(kinds), zero, text, text, zero,
        text, zero, text, text, place, place,
    )  # fmt: skip


def frame() -> Frame:
    parts = {
        "sum": np.array([6.0, 200.0, 30.0, np.nan]), "good": np.array([2, 2, 3, 0], np.int32),
        "suspect": np.array([1, 0, 0, 0], np.int32), "x": np.array([np.nan, 110.0, 900.0, np.nan]),
        "y": np.array([np.nan, np.nan, 3600.0, np.nan]),
    }  # fmt: skip
    series, start = np.array([5, 6, 7, 5], np.int32), HOURS[[0, 1, 2, 1]]
    return frame_of(roster("gauge", "level", "state"), HOURS, series, start, parts)


def test_what_is_not_stored_is_no_value_and_no_reading():
    assert frame().table("sum").tolist()[0][:1] == [6.0]
    assert np.isnan(frame().table("sum")[1, 0])
    assert frame().usable().tolist() == [[3, 0, 0], [0, 2, 0], [0, 0, 3]]


def test_means_go_by_the_kind_of_their_series():
    mean = frame().mean()

    assert mean[0, 0] == 2.0  # a plain mean
    assert mean[1, 1] == pytest.approx(20.0)  # by energy: 200 / 2 is 20 dB
    assert mean[2, 2] == 0.25  # a quarter of the hour
    assert np.isnan(mean).sum() == 6


def test_a_selection_keeps_its_rows_and_forgets_the_others():
    some = frame().select(np.array([False, True, True]))

    assert some.roster.series.tolist() == [6, 7]
    assert some.usable().tolist() == [[0, 2, 0], [0, 0, 3]]


def test_a_figure_without_a_value_is_insufficient_whatever_is_said():
    made = figures(
        "air_day_mean", np.array([5, 6], np.int32), HOURS[:3], [[1.0, np.nan], [0.0, 2.0]],
        now=HOURS[1], status=Status.PARTIAL, n=[[3], [4]], keep=[[True, True], [True, False]],
    )  # fmt: skip

    assert made.subject.tolist() == [5, 5, 6]
    assert made.status.tolist() == [Status.PARTIAL, Status.INSUFFICIENT, Status.PARTIAL]
    assert made.provisional.tolist() == [False, True, False]
    assert made.n.tolist() == [3, 3, 4]
    assert len(join([made, no_figures(), made])) == 6


def test_values_of_another_shape_are_refused_by_name():
    with pytest.raises(ValueError, match=r"air_day_mean has values of shape \(2,\), not \(1, 2\)"):
        figures("air_day_mean", np.array([5], np.int32), HOURS[:3], [1.0, 2.0], now=NOW)
