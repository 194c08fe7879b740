"""What is made of car parks and stations of shared vehicles, and when."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processors.calculation import Calculation, Given
from processors.frame import Frame
from processors.mobility import parking, stations
from processors.mobility.grading import ENOUGH
from processors.mobility.held import Held, hold
from processors.runs import rows_of
from processors.state import HELD_ON_CHANGE_US, STEPS_HELD
from processors.windows import first_instant, window_of
from storage.facts.counting import Capacity
from storage.figures import Figures, figures, join
from storage.indicators.word import Period, Status
from storage.level import Level
from storage.reading import FloatArray, TimeArray
from storage.roster import Roster

WEEK = 7
"""A car park in use has a free place at some time of the week. [d]"""

CLAMPED, UNKNOWN, NOBODY, LEAPS = 1, 2, 4, 8
"""Bits of the code of a car park's day."""

BEGINNING = np.datetime64("1900-01-01", "us")


def _capacities(said: Iterable[Capacity], roster: Roster, zone: str) -> parking.Capacities:
    """What the city says of capacities, by the series it is said of."""
    facts = tuple(said)
    order = np.argsort(roster.sensor, kind="stable")
    names = np.array([one.sensor for one in facts], np.str_)
    low = np.searchsorted(roster.sensor, names, side="left", sorter=order)
    high = np.searchsorted(roster.sensor, names, side="right", sorter=order)
    since = np.array(
        [first_instant(one.since, zone) if one.since.year >= 1900 else BEGINNING for one in facts],
        "datetime64[us]",
    )
    places = np.array([one.capacity for one in facts], np.float64)
    # A sensor may have several series of one metric; each has that capacity.
    fact = np.repeat(np.arange(len(facts)), high - low)
    row = order[rows_of(low, high - low)]
    by = np.lexsort((since[fact], row))
    return parking.Capacities(row[by], since[fact][by], places[fact][by])


def _rows(given: Given) -> NDArray[np.intp]:
    return np.searchsorted(given.frame.roster.series, given.readings.series)


def _held(given: Given) -> Held:
    roster, batch = given.frame.roster, given.readings
    return hold(_rows(given), batch.time, roster.step.astype(np.int64), given.periods, given.now)


def _longest(roster: Roster) -> NDArray[np.int64]:
    """How far apart readings may be to be compared. [s]"""
    step = roster.step.astype(np.int64)
    return np.where(step > 0, STEPS_HELD * step, HELD_ON_CHANGE_US // 1_000_000)


def _due(periods: TimeArray, now: np.datetime64) -> FloatArray:
    """Minutes of each day until now."""
    until = np.minimum(periods[1:], now.astype("datetime64[us]"))
    return np.maximum((until - periods[:-1]).astype(np.int64), 0) / 6e7


def _heard(given: Given) -> NDArray[np.bool_]:
    """Days on which there is a reading; one held from the evening before is not enough."""
    size = len(given.frame.roster), len(given.periods) - 1
    window = window_of(given.readings.time, given.periods)
    inside = (window >= 0) & (window < size[1])
    cell = (_rows(given) * size[1] + window)[inside]
    heard: NDArray[np.bool_] = np.bincount(cell, minlength=size[0] * size[1]).reshape(size) > 0
    return heard


def _any(held: Held, condition: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return held.sum(condition) > 0


def _days_without_sensor(frame: Frame, periods: TimeArray) -> NDArray[np.bool_]:
    """Whether nobody counts, day by day of the periods."""
    first = int(np.searchsorted(frame.edges, periods[0]))
    return parking.without_sensor(frame.table("max"), WEEK)[:, first : first + len(periods) - 1]


def _car_parks(given: Given) -> Figures:
    roster, batch, facts = given.frame.roster, given.readings, given.facts.mobility
    held, due = _held(given), _due(given.periods, given.now)
    capacity = parking.capacity_at(
        _rows(given), batch.time, _capacities(facts.parking, roster, given.zone)
    )
    taken, clamped = parking.occupied(batch.value, capacity)
    leaps = parking.leaps_to_zero(_rows(given), batch.time, batch.value, capacity, _longest(roster))
    percent = np.where(leaps, np.nan, parking.rate(taken, capacity))
    day = parking.use(held, percent, facts.full_percent)
    closed = held.sum(leaps) / 60
    nobody = _days_without_sensor(given.frame, given.periods)
    code = np.where(_any(held, clamped), CLAMPED, 0)
    code |= np.where(_any(held, np.isnan(capacity)), UNKNOWN, 0) | np.where(nobody, NOBODY, 0)
    code |= np.where(closed > 0, LEAPS, 0)
    enough = (day.known > 0) & (day.known >= ENOUGH * (due - closed)) & ~nobody
    # Rounded, for a day held by readings at odd seconds is as whole as any other.
    whole = np.round(day.known) >= np.round(due)
    value = {
        "parking_occupancy": (day.mean, np.where(closed > 0, Status.PARTIAL, Status.COMPLETE)),
        "parking_minutes_full": (day.full, np.where(whole, Status.COMPLETE, Status.PARTIAL)),
    }
    return join([
        figures(
            name, roster.series, given.periods, np.where(enough, number, np.nan), now=given.now,
            n=np.round(day.known), due=np.round(due), code=code, status=status,
            keep=_heard(given),
        )
        for name, (number, status) in value.items()
    ])  # fmt: skip


def _stations(given: Given) -> Figures:
    roster, batch, facts = given.frame.roster, given.readings, given.facts.mobility
    row, held, due = _rows(given), _held(given), _due(given.periods, given.now)
    docks = parking.capacity_at(row, batch.time, _capacities(facts.station, roster, given.zone))
    docks -= batch.value
    sure, known = ~np.isnan(docks), ~np.isnan(batch.value)
    moved, pairs = stations.movements(row, batch.time, batch.value, _longest(roster), given.periods)
    minutes = held.sum() / 60
    enough, heard = minutes >= ENOUGH * due, _heard(given)
    always = np.full(heard.shape, Status.COMPLETE)
    partly = np.where(enough, Status.COMPLETE, Status.PARTIAL)
    empty = stations.share_of_time(held, batch.value == 0, known)
    full = stations.share_of_time(held, docks <= 0, sure)
    values = {
        "station_vehicles": (np.where(enough, held.mean(batch.value), np.nan), always, heard),
        "station_empty_share": (np.where(enough, empty, np.nan), always, heard),
        "station_full_share": (np.where(enough, full, np.nan), always, heard & _any(held, sure)),
        "station_movements": (moved, partly, pairs > 0),
    }
    return join([
        figures(
            name, roster.series, given.periods, value, now=given.now, n=np.round(minutes),
            due=np.round(due), status=status, keep=keep,
        )
        for name, (value, status, keep) in values.items()
    ])  # fmt: skip


PLACES: tuple[Calculation, ...] = (
    Calculation(
        name="car parks",
        makes=("parking_occupancy", "parking_minutes_full"),
        metrics=("parking_free",),
        level=Level.DAY,
        follows=Level.HOUR,
        period=Period.DAY,
        compute=_car_parks,
        before=np.timedelta64(WEEK, "D"),
        after=np.timedelta64(WEEK, "D"),
        # How a night of zeros ends is only known in the morning.
        ahead=np.timedelta64(1, "D"),
        parts=("max",),
        raw=True,
    ),
    Calculation(
        name="stations of shared vehicles",
        makes=(
            "station_vehicles", "station_empty_share", "station_full_share", "station_movements",
        ),
        metrics=("bikes_available",),
        level=Level.DAY,
        follows=Level.HOUR,
        period=Period.DAY,
        compute=_stations,
        before=np.timedelta64(1, "D"),
        after=np.timedelta64(1, "D"),
        parts=("good",),
        raw=True,
    ),
)  # fmt: skip
