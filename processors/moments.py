"""Mean and spread read back from summaries, by kind."""

from __future__ import annotations

import numpy as np

from processors import angle, level
from storage.catalogue import Kind
from storage.reading import FloatArray
from storage.rollup import Rollups
from storage.series import KIND_CODE, SeriesTable


def moments(rollups: Rollups, table: SeriesTable) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of every row; NaN where undefined.

    gauge, count: of the values. angle: on the circle, NaN where directions cancel out.
    level: mean by energy, spread of the levels themselves. state: mean weighted by the
    time each was held, spread of the readings. index: neither, a register has an increase
    (``sum``). Deviations divide by n.

    Returns
    -------
    mean, deviation : float64, shape (n,)
        [unit]
    """
    kind = table.kind[table.position(rollups.series)]
    size = (rollups.good + rollups.suspect).astype(np.float64)
    size[size == 0] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = rollups.sum / size
        deviation = np.sqrt(rollups.m2 / size)
        held = kind == KIND_CODE[Kind.STATE]
        mean[held] = rollups.x[held] / rollups.y[held]
    loud = kind == KIND_CODE[Kind.LEVEL]
    mean[loud] = level.mean(rollups.sum[loud], size[loud])
    turning = kind == KIND_CODE[Kind.ANGLE]
    parts = rollups.x[turning], rollups.y[turning], size[turning]
    mean[turning], deviation[turning] = angle.mean(*parts), angle.spread(*parts)
    mean[kind == KIND_CODE[Kind.INDEX]] = np.nan
    return mean, deviation
