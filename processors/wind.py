"""The wind as a vector: where the air went, and how steadily."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors import angle
from storage.reading import FloatArray

CALM = 0.5
"""Below this mean speed the wind has no direction. [m/s]"""


@dataclass(frozen=True, slots=True)
class VectorWind:
    """Mean wind over the last axis, each of shape (...).

    Attributes
    ----------
    direction : float64
        Where it comes from, in [0, 360); NaN when calm or when directions cancel out. [deg]
    speed : float64
        Length of the mean vector; NaN where nothing was measured. [m/s]
    steadiness : float64
        That length over the mean speed: 1 when it always blew the same way, 0 when the air
        came back to where it was. NaN when there was no wind at all.
    parts : int64
        Parts in which speed and direction were both measured.
    """

    direction: FloatArray
    speed: FloatArray
    steadiness: FloatArray
    parts: FloatArray


def vector_wind(speed: FloatArray, x: FloatArray, y: FloatArray) -> VectorWind:
    """Mean wind vector: directions weighted by speed.

    A breath from the north is no answer to a gale from the west; unit vectors would give
    both the same say.

    Parameters
    ----------
    speed : float64, shape (..., w)
        Mean speed of each part; NaN where not measured. [m/s]
    x, y : float64, shape (..., w)
        Mean cosine and sine of its direction (:func:`processors.angle.components`).

    Returns
    -------
    VectorWind

    References
    ----------
    .. [1] WMO-No. 8, Guide to Instruments and Methods of Observation, volume I, chapter 5:
       vector average of the wind.

    Examples
    --------
    >>> mean = vector_wind(np.array([8.0, 6.0]), *angle.components(np.array([0.0, 90.0])))
    >>> mean.direction.round(2), mean.speed.round(2), mean.steadiness.round(3)
    (np.float64(36.87), np.float64(5.0), np.float64(0.714))
    """
    known = ~(np.isnan(speed) | np.isnan(x) | np.isnan(y))
    parts = known.sum(axis=-1)
    weight = np.where(known, speed, 0.0)
    along = (weight * np.where(known, x, 0.0)).sum(axis=-1)
    across = (weight * np.where(known, y, 0.0)).sum(axis=-1)
    total = weight.sum(axis=-1)
    direction = angle.mean(np.atleast_1d(along), np.atleast_1d(across), np.atleast_1d(total))
    with np.errstate(invalid="ignore", divide="ignore"):
        direction = np.where(total / parts >= CALM, direction.reshape(np.shape(total)), np.nan)
        length = np.hypot(along, across)
        mean, steadiness = length / parts, length / total
    return VectorWind(direction[()], mean[()], steadiness[()], parts)
