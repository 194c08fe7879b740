"""Mishaps of real life, each a function of seed, device and time.

Lasting faults bend what a device sees; message faults (:class:`Mishap`) are what happens
on the way. All are countable.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collector.simulation.devices import Kind, World
from collector.simulation.meters import ORIGIN_S
from collector.simulation.noise import uniform
from storage.reading import FloatArray, IntArray

_DAY_S = 86_400.0
GAP_SHARE, GAP_EVERY_S, GAP_LASTS_S = 0.05, 6 * 3600.0, 50 * 60.0
STUCK_SHARE, STUCK_LASTS_S = 0.03, 13 * 3600.0
DRIFT_SHARE, DRIFT_OVER_S, DRIFT_TO = 0.04, 7 * _DAY_S, 0.1
RESET_SHARE = 0.1
SPIKE_RATE = 0.0015


class Mishap(StrEnum):
    """What may happen to one message."""

    DUPLICATE = "duplicate"
    LATE = "late"
    VERY_LATE = "very_late"
    CONFLICT = "conflict"
    UNKNOWN_SENSOR = "unknown_sensor"
    UNKNOWN_FIELD = "unknown_field"
    GARBAGE = "garbage"
    FUTURE_CLOCK = "future_clock"
    ANCIENT_CLOCK = "ancient_clock"
    MISSING = "missing"


MISHAP_RATES: dict[Mishap, float] = {
    Mishap.DUPLICATE: 0.010,
    Mishap.LATE: 0.012,
    Mishap.VERY_LATE: 0.002,
    Mishap.CONFLICT: 0.003,
    Mishap.UNKNOWN_SENSOR: 0.004,
    Mishap.UNKNOWN_FIELD: 0.004,
    Mishap.GARBAGE: 0.006,
    Mishap.FUTURE_CLOCK: 0.002,
    Mishap.ANCIENT_CLOCK: 0.002,
    Mishap.MISSING: 0.003,
}
"""Share of all messages that each mishap befalls."""

_MISHAPS = tuple(MISHAP_RATES)
_BOUNDS = np.cumsum(list(MISHAP_RATES.values()))


def mishaps(seed: int, who: IntArray, tick: NDArray[np.int64]) -> list[Mishap | None]:
    """What befalls each message."""
    found = np.searchsorted(_BOUNDS, uniform(seed, who, tick, 200), side="right")
    return [_MISHAPS[one] if one < len(_MISHAPS) else None for one in found.tolist()]


def silent(seed: int, who: IntArray, t: FloatArray) -> NDArray[np.bool_]:
    """Whether a device with a weak battery is silent at that instant."""
    weak = uniform(seed, who, 210) < GAP_SHARE
    moment = (t + uniform(seed, who, 211) * GAP_EVERY_S) % GAP_EVERY_S
    return weak & (moment < GAP_LASTS_S)


def seen_at(seed: int, who: IntArray, t: FloatArray, counted: Counter[str]) -> FloatArray:
    """The instant a device really shows: a stuck one shows one moment for hours."""
    sticky = uniform(seed, who, 220) < STUCK_SHARE
    moment = (t + uniform(seed, who, 221) * _DAY_S) % _DAY_S
    stuck = sticky & (moment < STUCK_LASTS_S)
    counted["stuck"] += int(stuck.sum())
    return np.where(stuck, t - moment, t)


def wronged(
    world: World, kind: Kind, who: IntArray, size: FloatArray, t: FloatArray, tick: NDArray[np.int64],
    values: list[FloatArray], counted: Counter[str],
) -> list[FloatArray]:  # fmt: skip
    """Values after drift, spikes and resets of registers."""
    seed = world.seed
    drifting = uniform(seed, who, 230) < DRIFT_SHARE
    # Grows to a share of a false peak until the next calibration, then begins anew.
    drift = drifting * DRIFT_TO * ((t / DRIFT_OVER_S + uniform(seed, who, 231)) % 1.0)
    changed = []
    for number, (channel, value) in enumerate(zip(kind.channels, values, strict=True)):
        if channel.register_max is not None:
            value = _reset(world, kind, who, size, t, number, value, counted)
            earlier = kind.measure(world, who, size, np.maximum(t - kind.step_s, ORIGIN_S))[number]
            passed = values[number] - earlier
            laps = np.floor(value / channel.register_max)
            laps_before = np.floor((value - passed) / channel.register_max)
            counted["rollover"] += int(((laps > laps_before) & (value >= passed)).sum())
        elif channel.spike:
            peak = uniform(seed, who, tick, 240 + number) < SPIKE_RATE
            counted["spike"] += int(peak.sum())
            counted["drift"] += int(drifting.sum())
            value = value + (drift + peak) * channel.spike
        changed.append(value)
    return changed


def _reset(
    world: World, kind: Kind, who: IntArray, size: FloatArray, t: FloatArray, number: int,
    value: FloatArray, counted: Counter[str],
) -> FloatArray:  # fmt: skip
    """Take off what a register had counted when it last began anew from zero."""
    faulty = uniform(world.seed, who, 250) < RESET_SHARE
    if not faulty.any():
        return value
    since = (t - ORIGIN_S + uniform(world.seed, who, 251) * _DAY_S) % _DAY_S
    then = np.maximum(t - since, ORIGIN_S)
    counted["reset"] += int((faulty & (since < kind.step_s)).sum())
    return np.where(faulty, value - kind.measure(world, who, size, then)[number], value)
