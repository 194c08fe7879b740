"""The pipeline's books, written in the transaction of the rows they speak of.

The ledger counts messages and readings per sensor and reception hour, one row per batch
and hour with arrays inside, and beside them how late the readings came. Dirty marks say which windows of which series changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage import arrays
from storage.balance import COLUMNS
from storage.intake import Intake, Status
from storage.reading import IntArray

QUARTER_HOUR_US = 900_000_000
HOUR_US = 3_600_000_000
_NEXT_TO_NOTHING_US = 1_000
"""No reading is received so soon: its time was made of the reception's, and perhaps rounded."""


async def save_ledger(
    connection: asyncpg.Connection,
    intake: Intake,
    status: NDArray[np.int8],
    attempt: uuid.UUID | None = None,
) -> None:
    """Count one batch; ``status`` says what became of each of its readings."""
    message_hour = intake.received_us // HOUR_US
    refused_at = np.array(intake.refusal_message, np.int64)
    of_reading = np.array([bool(refusal.field) for refusal in intake.refusals], bool)
    refused_sensor = np.array([refusal.sensor_id for refusal in intake.refusals], np.int32)
    # Entries are (hour, sensor) pairs; one integer each makes them countable.
    keys = (
        _entry(message_hour, intake.message_sensor),
        _entry(message_hour[intake.message], intake.sensor),
        _entry(message_hour[refused_at], refused_sensor)[of_reading],
    )
    entries, position = np.unique(np.concatenate(keys), return_inverse=True)
    weight = np.array([refusal.readings for refusal in intake.refusals], np.int64)[of_reading]
    message, reading, refused = np.split(position, np.cumsum([len(k) for k in keys])[:-1])

    def count(where: NDArray[np.intp]) -> NDArray[np.int64]:
        return np.bincount(where, minlength=len(entries))

    refused_readings = np.zeros(len(entries), np.int64)
    np.add.at(refused_readings, refused, weight)

    columns = (
        count(message),
        count(message[intake.message_qos0]),
        count(message[~intake.message_refused]),
        count(message[intake.message_refused]),
        count(reading) + refused_readings,
        count(reading[status == Status.STORED]),
        count(reading[status == Status.DUPLICATE]),
        refused_readings + count(reading[status == Status.CONFLICT]),
    )
    late_ms, told = _delays(intake, status)
    delay_sum, delay_max = (np.zeros(len(entries), np.int64) for _ in range(2))
    np.add.at(delay_sum, reading[told], late_ms[told])
    np.maximum.at(delay_max, reading[told], late_ms[told])
    hour = entries >> 32
    sensor = (entries & 0xFFFFFFFF) - 1
    names = ["hour", "sensor_id", *COLUMNS, "delay_readings", "delay_sum_ms", "delay_max_ms"]
    named = []
    if attempt is not None:
        names.append("attempt")
        named.append(attempt.bytes)
    rows = []
    for at in np.unique(hour).tolist():
        here = hour == at
        rows.append(
            (
                arrays.timestamp(at * HOUR_US - arrays.PG_EPOCH_US),
                arrays.int4_array(sensor[here]),
                *(arrays.int4_array(column[here]) for column in (*columns, count(reading[told]))),
                *(arrays.int8_array(column[here]) for column in (delay_sum, delay_max)),
                *named,
            )
        )
    await arrays.copy_rows(connection, "pipeline", "batch", names, rows)


def _delays(
    intake: Intake, status: NDArray[np.int8]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How long after its time stamp each reading was received [ms], and of which that is known.

    Of a reading that was stored before it says nothing, and neither where the time is that of
    the reception or where the broker had kept the message. A clock that is ahead makes 0.
    """
    sent = intake.batch.time.view(np.int64) if intake.sent_us is None else intake.sent_us
    late = intake.received_us[intake.message] - sent
    told = (status == Status.STORED) & (np.abs(late) >= _NEXT_TO_NOTHING_US)
    if intake.message_retained is not None:
        told &= ~intake.message_retained[intake.message]
    return np.maximum(late, 0) // 1000, told


def _entry(hour: NDArray[np.int64], sensor: IntArray) -> NDArray[np.int64]:
    # Sensor ids start at -1 (unreadable topic).
    return (hour << 32) | (sensor.astype(np.int64) + 1)


class DirtyMarks:
    """Windows touched by one transaction, collected and then written at once."""

    def __init__(self) -> None:
        self._rows: list[tuple[bytes, bytes, bytes]] = []

    def add(self, domain: str, series: IntArray, time_us: NDArray[np.int64]) -> None:
        """Mark the windows of readings given in key order."""
        for start, changed in _windows(series, time_us):
            self._rows.append(
                (
                    arrays.text(domain),
                    arrays.timestamp(start * QUARTER_HOUR_US - arrays.PG_EPOCH_US),
                    arrays.int4_array(changed),
                )
            )

    async def save(self, connection: asyncpg.Connection) -> None:
        """Append them."""
        if self._rows:
            await arrays.copy_rows(
                connection, "pipeline", "dirty", ("domain", "start", "series_id"), self._rows
            )


def _windows(series: IntArray, time_us: NDArray[np.int64]) -> Iterable[tuple[int, IntArray]]:
    """Each window and the series with readings in it."""
    if not len(series):
        return
    window = time_us // QUARTER_HOUR_US
    # Rows are in key order, so equal (series, window) pairs stand side by side.
    first = np.ones(len(series), bool)
    first[1:] = (series[1:] != series[:-1]) | (window[1:] != window[:-1])
    series, window = series[first], window[first]
    order = np.argsort(window, kind="stable")
    series, window = series[order], window[order]
    starts = np.flatnonzero(np.diff(window, prepend=window[0] - 1))
    ends = np.append(starts[1:], len(window))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield int(window[start]), series[start:end]
