"""A gap by the day as bars of text around zero, with the day a measure came into force."""

from __future__ import annotations

import math

import numpy as np

from processors.evaluation.comparison import Days
from storage.reading import FloatArray

_ROWS = 4
"""Lines above zero, and as many below; each holds two steps."""


def bars(gap: FloatArray, day: Days, begin: np.datetime64, width: int = 64) -> list[str]:
    """Lines of a chart; ``│`` stands where the measure came into force.

    Days are averaged so that the chart is at most ``width`` wide; no column mixes days
    before and after. A column without a measured day has no axis.

    Examples
    --------
    >>> day = np.arange("2026-03-01", "2026-03-09", dtype="datetime64[D]")
    >>> gap = np.array([0.5, -0.5, 0.1, np.nan, -4, -2, -4, -3])
    >>> print("\\n".join(line.rstrip() for line in bars(gap, day, day[4])))
      +4 ┤    │
         ┤    │
         ┤    │
         ┤▄   │
       0 ┤─── ┼────
         ┤ ▀  │████
         ┤    │████
         ┤    │█ ██
      -4 ┤    │█ █
          2026-03-01 to 2026-03-08, a column a day
    """
    measured = np.flatnonzero(~np.isnan(gap))
    if not len(measured):
        return []
    gap, day = gap[measured[0] : measured[-1] + 1], day[measured[0] : measured[-1] + 1]
    split = int(np.searchsorted(day, begin))
    each = max(1, math.ceil(len(day) / (width - 2)))
    before = _columns(gap[:split][::-1], each)[::-1]
    columns = [before, _columns(gap[split:], each)]
    scale = max(max((abs(v) for side in columns for v in side if v == v), default=0.0), 1e-12)
    marks = {_ROWS: f"{scale:+.3g}", 0: "0", -_ROWS: f"{-scale:+.3g}"}
    wide = max(map(len, marks.values())) + 2
    lines = []
    for row in range(_ROWS, -_ROWS - 1, -1):
        sides = ["".join(_cell(v / scale, row) for v in side) for side in columns]
        lines.append(f"{marks.get(row, ''):>{wide}} ┤{('│' if row else '┼').join(sides)}")
    columns_of = "a column a day" if each == 1 else f"a column every {each} days"
    lines.append(f"{'':{wide + 2}}{day[0]} to {day[-1]}, {columns_of}")
    return lines


def _columns(gap: FloatArray, each: int) -> list[float]:
    padded = np.concatenate([gap, np.full(-len(gap) % each, np.nan)]).reshape(-1, each)
    known = ~np.isnan(padded)
    total, size = np.where(known, padded, 0.0).sum(axis=1), known.sum(axis=1)
    means: list[float] = np.where(size > 0, total / np.maximum(size, 1), np.nan).tolist()
    return means


def _cell(value: float, row: int) -> str:
    """One letter of a column whose value is given as a share of the scale."""
    if math.isnan(value):
        return " "
    if row == 0:
        return "─"
    if (value > 0) is not (row > 0):
        return " "
    filled = round(abs(value) * 2 * _ROWS) - 2 * (abs(row) - 1)
    return "█" if filled >= 2 else ("▄" if row > 0 else "▀") if filled == 1 else " "
