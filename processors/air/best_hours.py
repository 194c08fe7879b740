"""The best that is known of each hour: particles of low-cost sensors corrected, faults left out.

Indices and thresholds begin with this; regulatory means and maxima begin with what was measured.
"""

from __future__ import annotations

import numpy as np

from processors.air.hours import valid_hours
from processors.calculation import Given
from processors.frame import Frame
from storage.figures import Figures
from storage.indicators.air import INDEX_POLLUTANTS
from storage.reading import FloatArray

READS = ("pm_corrected", "pm_plausible")

ASKING = (*INDEX_POLLUTANTS, "pm1", "humidity")
"""Metrics whose changes ask for indices: the last two decide on corrections and faults."""


def best_hours(given: Given) -> tuple[Frame, FloatArray]:
    """Series of the index pollutants, and their valid hours; NaN where nothing can be said.

    Where a city has its low-cost sensors corrected, an hour that could not be corrected is
    none: raw and corrected values are never mixed in one series.
    """
    frame = given.frame.select(np.isin(given.frame.roster.metric, INDEX_POLLUTANTS))
    hour = valid_hours(frame)
    _put(hour, frame, given.figures.of("pm_corrected"))
    faulty = given.figures.of("pm_plausible")
    faulty = faulty.take(faulty.value == 0)
    _put(hour, frame, faulty, np.nan)
    return frame, hour


def _put(hour: FloatArray, frame: Frame, found: Figures, value: float | None = None) -> None:
    """Write figures of series and hours over those of the table, or one value in their place."""
    series, start = frame.roster.series, frame.edges[:-1]
    inside = np.isin(found.subject, series) & np.isin(found.start, start)
    found = found.take(inside)
    row, column = np.searchsorted(series, found.subject), np.searchsorted(start, found.start)
    hour[row, column] = found.value if value is None else value
