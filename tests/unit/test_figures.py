"""Figures made of tables, cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from storage.figures import COLUMNS, figures, join, no_figures
from storage.indicators.word import Status

SUBJECT = np.array([7, 8, 9], np.int32)
EDGES = np.array(["2026-03-01", "2026-03-02", "2026-03-03"], "datetime64[us]")
NOW = np.datetime64("2026-03-02T12:00", "us")
VALUE = np.array([[1.0, np.nan], [3.0, 4.0], [np.nan, 6.0]])
SHAPES = ((), (1,), (1, 1), (2,), (1, 2), (3, 1), (3, 2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("keep", [True, False, [[True, False], [False, True], [True, True]]])
def test_whatever_broadcasts_stands_in_the_row_of_its_subject_and_period(
    shape: tuple[int, ...], keep: Any
):
    number = np.arange(int(np.prod(shape, dtype=int)), dtype=np.int64).reshape(shape)

    made = figures(
        "air_day_mean", SUBJECT, EDGES, VALUE, now=NOW, n=number, low=number / 2,
        indicative=number % 2 == 1, keep=keep,
    )  # fmt: skip

    whole = np.broadcast_to(number, (3, 2))
    rows = [(s, p) for s in range(3) for p in range(2) if np.broadcast_to(keep, (3, 2))[s, p]]
    assert list(zip(made.subject, made.start, made.stop, strict=True)) == [
        (SUBJECT[s], EDGES[p], EDGES[p + 1]) for s, p in rows
    ]
    assert made.n.tolist() == [whole[at] for at in rows]
    assert made.low.tolist() == [whole[at] / 2 for at in rows]
    assert made.indicative.tolist() == [whole[at] % 2 == 1 for at in rows]
    assert made.provisional.tolist() == [p == 1 for _, p in rows]
    assert np.array_equal(made.value, [VALUE[at] for at in rows], equal_nan=True)
    assert made.status.tolist() == [
        Status.INSUFFICIENT if np.isnan(VALUE[at]) else Status.COMPLETE for at in rows
    ]
    for name in COLUMNS:
        assert getattr(made, name).dtype == getattr(no_figures(), name).dtype


def test_figures_do_not_change_with_the_table_they_were_made_of():
    value = VALUE.copy()
    made = figures("air_day_mean", SUBJECT, EDGES, value, now=NOW)

    value[:] = 0

    assert made.value[2] == 3.0


def test_joined_parts_follow_one_another_and_nothing_joins_to_nothing():
    part = figures("air_day_mean", SUBJECT, EDGES, VALUE, now=NOW)

    assert join([no_figures(), part, part]).subject.tolist() == [7, 7, 8, 8, 9, 9] * 2
    assert len(join([part])) == 6
    assert len(join([])) == len(join([no_figures()])) == 0
