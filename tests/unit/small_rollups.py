"""Rollups of a few readings in windows of minutes: for tests of summaries."""

from __future__ import annotations

import numpy as np

from processors.summary import summarise
from storage.catalogue import Kind
from storage.reading import Batch, Flag
from storage.series import SeriesTable
from tests.unit.kernel_oracle import START, batch_of_seconds, table_of

LATER = START + np.timedelta64(400, "D")


def windows(count: int, minutes: int = 15) -> np.ndarray:
    return START + np.arange(count + 1) * np.timedelta64(minutes, "m")


def summary(table: SeriesTable, batch: Batch, edges: np.ndarray, now: np.datetime64 = LATER):
    return summarise(batch, batch.flag, table, edges, now)


def one_series(kind: Kind, *readings: tuple[float, float], edges: np.ndarray, **limits):
    """Rollups of good readings (minute, value) of a series with a 10-minute step."""
    rows = [(1, minute * 60, value, Flag.GOOD) for minute, value in readings]
    return summary(table_of({"kind": kind, **limits}), batch_of_seconds(*rows), edges)
