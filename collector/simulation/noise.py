"""Randomness as a function of seed and time alone: the same instant is always the same.

Hashes instead of a generator's stream, so that values do not depend on how fast, in which
pieces or how often the simulation is run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.reading import FloatArray

HashArray = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix(*parts: ArrayLike) -> HashArray:
    """Hash integers, broadcast against each other.

    References
    ----------
    .. [1] Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
       OOPSLA 2014 (the finaliser of SplitMix64). doi:10.1145/2660193.2660195
    """
    state: HashArray = np.zeros(1, np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            state = state + np.asarray(part).astype(np.int64).astype(np.uint64) + _STEP
            state = (state ^ (state >> np.uint64(30))) * _FIRST
            state = (state ^ (state >> np.uint64(27))) * _SECOND
            state = state ^ (state >> np.uint64(31))
    return state


def uniform(*parts: ArrayLike) -> FloatArray:
    """Numbers in [0, 1), one for each hash of the parts."""
    return (mix(*parts) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(*parts: ArrayLike) -> FloatArray:
    """Standard normal numbers (Box and Muller)."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(*parts, 1)))
    return radius * np.cos(2 * np.pi * uniform(*parts, 2))


def smooth(key: ArrayLike, t: FloatArray, period: float) -> FloatArray:
    """A smooth wander in [-1, 1] that forgets itself over ``period`` seconds.

    Random heights at whole multiples of the period, joined by halves of cosines.

    Examples
    --------
    >>> t = np.array([0.0, 1800.0, 3600.0])
    >>> wander = smooth(7, t, 3600.0)
    >>> bool(np.isclose(wander[1], (wander[0] + wander[2]) / 2))
    True
    """
    position = t / period
    knot = np.floor(position)
    weight = 0.5 - 0.5 * np.cos(np.pi * (position - knot))
    before = uniform(key, knot, 3)
    after = uniform(key, knot + 1, 3)
    return 2.0 * (before + weight * (after - before)) - 1.0


def counts(mean: FloatArray, *parts: ArrayLike) -> FloatArray:
    """Whole numbers of events with a given mean, spread as chance spreads them.

    Poisson by inversion up to a mean of 12, beyond that by the normal curve.
    """
    draw = uniform(*parts, 4)
    small = np.minimum(mean, 12.0)
    probability = np.exp(-small)
    below = probability.copy()
    events = np.zeros_like(small)
    for number in range(1, 40):
        more = draw >= below
        if not more.any():
            break
        events[more] += 1
        probability = probability * small / number
        below = below + probability
    large = np.maximum(0.0, np.rint(mean + np.sqrt(np.maximum(mean, 0.0)) * normal(*parts)))
    return np.where(mean <= 12.0, events, large)
