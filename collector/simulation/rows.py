"""What a fleet measures between two instants, as the texts its devices would write."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.simulation import faults, weather
from collector.simulation.city import Fleet
from collector.simulation.devices import BOOLEAN, Channel, Clock, World
from storage.reading import FloatArray


@dataclass(frozen=True, slots=True)
class Rows:
    """Measurements of one fleet, by device and then by time.

    Attributes
    ----------
    device : int64, shape (n,)
        Position in the fleet.
    tick : int64, shape (n,)
        Number of the step since 1970; with the device it names the measurement.
    due : float64, shape (n,)
        When the device speaks. [s since 1970]
    time : float64, shape (n,)
        What it says the time is. [s since 1970]
    cells : one list of n texts per channel
    """

    fleet: Fleet
    device: NDArray[np.int64]
    tick: NDArray[np.int64]
    due: FloatArray
    time: FloatArray
    cells: tuple[list[str], ...]


def rows_between(
    world: World, fleet: Fleet, start: float, end: float, counted: Counter[str], mishaps: bool
) -> Rows:
    """Everything due in ``[start, end)``.

    ``counted`` gains how many measurements each lasting fault touched (``gap``: lost).
    """
    kind = fleet.kind
    device, tick = _ticks(fleet, start, end)
    due: FloatArray = tick * float(kind.step_s) + fleet.phase[device]
    who, size = fleet.who[device], fleet.size[device]
    if mishaps:
        silent = faults.silent(world.seed, who, due)
        counted["gap"] += int(silent.sum())
        heard = ~silent
        device, tick, due, who, size = (
            device[heard], tick[heard], due[heard], who[heard], size[heard],
        )  # fmt: skip
    at = tick.astype(np.float64) * float(kind.step_s) if kind.counts else due
    time = at - (float(kind.step_s) if kind.counts and kind.stamp == "start" else 0.0)
    seen = faults.seen_at(world.seed, who, at, counted) if mishaps else at
    # Counts are of the interval that ends here: its middle stands for it.
    asked = seen - (kind.step_s / 2 if kind.counts else 0.0)
    values = kind.measure(world, who, size, asked)
    if mishaps:
        values = faults.wronged(world, kind, who, size, asked, tick, values, counted)
    cells = tuple(
        _texts(value, channel) for value, channel in zip(values, kind.channels, strict=True)
    )
    return Rows(fleet, device, tick, due, time, cells)


def _ticks(fleet: Fleet, start: float, end: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    step = float(fleet.kind.step_s)
    first = np.ceil((start - fleet.phase) / step).astype(np.int64)
    after = np.ceil((end - fleet.phase) / step).astype(np.int64)
    number = np.maximum(after - first, 0)
    device: NDArray[np.int64] = np.repeat(np.arange(len(number), dtype=np.int64), number)
    before = np.cumsum(number) - number
    tick: NDArray[np.int64] = first[device] + np.arange(len(device)) - before[device]
    return device, tick


def _texts(value: FloatArray, channel: Channel) -> list[str]:
    if channel.decimals == BOOLEAN:
        return ["true" if one else "false" for one in value.tolist()]
    if channel.register_max is not None:
        # Registers show whole digits that have passed, and never their own limit.
        digits = 10.0**channel.decimals
        value = np.floor(value % channel.register_max * digits) / digits
    rounded = np.round(value, channel.decimals)
    if channel.width:
        return [f"{one:0{channel.width}.{channel.decimals}f}" for one in rounded.tolist()]
    if channel.decimals == 0:
        return [str(one) for one in rounded.astype(np.int64).tolist()]
    return [repr(one) for one in rounded.tolist()]


def written(time: FloatArray, clock: Clock) -> list[str]:
    """Instants as a device with that clock writes them.

    >>> written(np.array([1714566896.25]), Clock.ISO_MS)
    ['2024-05-01T12:34:56.250Z']
    """
    if clock is Clock.NONE:
        return [""] * len(time)
    if clock is Clock.EPOCH_S:
        return [repr(one) for one in np.round(time, 3).tolist()]
    milliseconds = np.round(time * 1e3).astype(np.int64)
    if clock is Clock.EPOCH_MS:
        return [str(one) for one in milliseconds.tolist()]
    if clock is Clock.LOCAL:
        milliseconds = np.round(weather.local_seconds(time)).astype(np.int64) * 1000
        texts = np.datetime_as_string(milliseconds.view("datetime64[ms]"), unit="s")
        return [one.replace("T", " ") for one in texts.tolist()]
    if clock in (Clock.SEASON_FIRST, Clock.SEASON_LAST):
        return _with_season(time, first=clock is Clock.SEASON_FIRST)
    instants = milliseconds.view("datetime64[ms]")
    if clock is Clock.ISO_NS:
        texts = np.datetime_as_string(instants.astype("datetime64[ns]"), unit="ns")
    else:
        texts = np.datetime_as_string(instants, unit="ms")
    return [f"{one}Z" for one in texts.tolist()]


def _with_season(time: FloatArray, *, first: bool) -> list[str]:
    """Local time as ``YYMMDDhhmmss`` with a letter for summer or winter time."""
    local = weather.local_seconds(time)
    texts = np.datetime_as_string(np.round(local).astype(np.int64).view("datetime64[s]"))
    digits = [
        one[2:4] + one[5:7] + one[8:10] + one[11:13] + one[14:16] + one[17:19]
        for one in texts.tolist()
    ]
    summer = (local - time > 5_400.0).tolist()
    if first:
        return [("E" if s else "H") + one for one, s in zip(digits, summer, strict=True)]
    return [one + ("S" if s else "W") for one, s in zip(digits, summer, strict=True)]
