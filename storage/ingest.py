"""Batch in: store readings, refusals, ledger and dirty marks in one transaction.

The first value stored for a (series, time) wins: the same value again is a duplicate,
another value a conflict. Rows newer than everything known of their series go by COPY
straight into the hypertable; the others meet the primary key in an INSERT that skips what
is there. COPY for all with a fall-back on violation was tried: with 1 % duplicates it
falls to a third of the rate and bloats the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage import binary
from storage.catalogue import DOMAINS
from storage.reading import Batch, IntArray, Reason

QUARTER_HOUR_US = 900_000_000
HOUR_US = 3_600_000_000
_PG_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in Unix microseconds
# Below this many windows one statement per window is cheaper than grouping in the database.
_FEW_WINDOWS = 8


class Status(IntEnum):
    """What became of a row."""

    STORED = 0
    DUPLICATE = 1
    CONFLICT = 2


class RefusalRow(NamedTuple):
    """What is kept of something that could not become a reading."""

    received_us: int
    sensor_id: int
    topic: str
    payload: bytes
    field: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What one batch of messages became.

    Attributes
    ----------
    batch : Batch, n rows
        Admissible readings in order of arrival.
    domain : int8, shape (n,)
        Index into ``DOMAINS``.
    sensor : int32, shape (n,)
        Sensor id.
    message : int32, shape (n,)
        Which message of the batch the reading came in.
    field : sequence of str, length n
        What the sender calls the reading.
    topic, payload, received_us : length k
        The messages, for the refusal of a conflicting reading.
    message_sensor : int32, shape (k,)
        Sensor id per message; 0 unknown, -1 unreadable topic.
    message_refused : bool, shape (k,)
        The message as a whole was refused.
    refusals : sequence of RefusalRow
        Refused messages and refused readings.
    refusal_message : sequence of int
        Which message each refusal came in.
    """

    batch: Batch
    domain: NDArray[np.int8]
    sensor: IntArray
    message: IntArray
    field: Sequence[str]
    topic: Sequence[str]
    payload: Sequence[bytes]
    received_us: NDArray[np.int64]
    message_sensor: IntArray
    message_refused: NDArray[np.bool_]
    refusals: Sequence[RefusalRow]
    refusal_message: Sequence[int]


@dataclass(slots=True)
class Outcome:
    """Counts of one committed batch; readings refused include conflicts."""

    messages: int
    messages_refused: int
    decoded: int
    stored: int
    duplicate: int
    refused: int
    revision: int
    reasons: dict[str, int] = field(default_factory=dict)


class HighWater:
    """Newest time stored per series, as far as this process knows.

    Only a hint for speed: a mark that is too low costs a retry of the batch through the
    slower path, one that is too high sends rows there needlessly; neither loses a row.
    """

    def __init__(self) -> None:
        self._newest = np.full(1024, np.iinfo(np.int64).min)

    async def load(self, connection: asyncpg.Connection) -> None:
        """Ask the database; one index probe per series."""
        for domain in DOMAINS:
            rows = await connection.fetch(
                f"""
                SELECT s.series_id, r.time
                  FROM city.series s
                  JOIN city.metric m ON m.metric = s.metric AND m.domain = '{domain}'
                  CROSS JOIN LATERAL (SELECT time FROM {domain}.reading
                                       WHERE series_id = s.series_id
                                       ORDER BY time DESC LIMIT 1) r
                """
            )
            if rows:
                series = np.array([row["series_id"] for row in rows], np.int32)
                newest = np.array([round(row["time"].timestamp() * 1e6) for row in rows], np.int64)
                self.raise_to(series, newest)

    def is_new(self, series: IntArray, time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Per row, whether it is newer than all that is known of its series."""
        self._grow(series)
        return time_us > self._newest[series]

    def raise_to(self, series: IntArray, time_us: NDArray[np.int64]) -> None:
        """Take note of committed rows."""
        self._grow(series)
        np.maximum.at(self._newest, series, time_us)

    def _grow(self, series: IntArray) -> None:
        if len(series) and (top := int(series.max())) >= len(self._newest):
            more = np.full(max(top + 1, 2 * len(self._newest)), np.iinfo(np.int64).min)
            more[: len(self._newest)] = self._newest
            self._newest = more


async def store(connection: asyncpg.Connection, intake: Intake, high_water: HighWater) -> Outcome:
    """Commit one intake; after return everything in it is on disk.

    Raises whatever asyncpg raises; nothing of the intake is stored then.
    """
    try:
        return await _store(connection, intake, high_water, trusting=True)
    except asyncpg.UniqueViolationError:
        # Somebody else stored newer rows than we knew of: let the key decide for all.
        return await _store(connection, intake, high_water, trusting=False)


async def _store(
    connection: asyncpg.Connection, intake: Intake, high_water: HighWater, *, trusting: bool
) -> Outcome:
    batch = intake.batch
    status = np.zeros(len(batch), np.int8)
    async with connection.transaction():
        for code in np.unique(intake.domain).tolist():
            rows = np.flatnonzero(intake.domain == code)
            rows = rows[np.lexsort((batch.time[rows], batch.series[rows]))]
            status[rows] = await _store_domain(
                connection, DOMAINS[code], batch.take(rows), high_water, trusting
            )
        refusals = list(intake.refusals)
        if (status == Status.CONFLICT).any():
            refusals += _conflicts(intake, status)
        if refusals:
            await _save_refusals(connection, refusals)
        revision = await _save_ledger(connection, intake, status)
    stored = status == Status.STORED
    high_water.raise_to(batch.series[stored], batch.time[stored].view(np.int64))
    reasons: dict[str, int] = {}
    for refusal in refusals:
        reasons[refusal.reason] = reasons.get(refusal.reason, 0) + 1
    return Outcome(
        messages=len(intake.message_sensor),
        messages_refused=int(intake.message_refused.sum()),
        decoded=len(batch) + sum(1 for refusal in intake.refusals if refusal.field),
        stored=int(stored.sum()),
        duplicate=int((status == Status.DUPLICATE).sum()),
        refused=len(refusals),
        revision=revision,
        reasons=reasons,
    )


async def _store_domain(
    connection: asyncpg.Connection, domain: str, batch: Batch, high_water: HighWater, trusting: bool
) -> NDArray[np.int8]:
    """Store rows in key order; returns their status."""
    time_us = batch.time.view(np.int64)
    status = np.zeros(len(batch), np.int8)
    same_key = np.zeros(len(batch), bool)
    same_key[1:] = (batch.series[1:] == batch.series[:-1]) & (time_us[1:] == time_us[:-1])
    new = ~same_key
    if trusting:
        new &= high_water.is_new(batch.series, time_us)
        # A repeat of a row that takes the slow path is settled after it.
        late = ~new & ~same_key
    else:
        new, late = np.zeros(len(batch), bool), new
    if new.any():
        await connection.copy_to_table(
            "reading",
            schema_name=domain,
            columns=("time", "value", "series_id", "flag"),
            source=binary.chunks(  # type: ignore[arg-type]  # any buffer serves
                binary.encode_readings(batch if new.all() else batch.take(new))
            ),
            format="binary",
        )
    kept = batch.value.copy()
    if late.any():
        at = np.flatnonzero(late)
        existing = await _insert_late(connection, domain, batch.take(at))
        for row, value in existing.items():
            status[at[row]] = _compare(value, batch.value[at[row]])
            kept[at[row]] = value
    for row in np.flatnonzero(same_key).tolist():
        kept[row] = kept[row - 1]
        status[row] = _compare(kept[row], batch.value[row])
    stored = status == Status.STORED
    await _mark_dirty(connection, domain, batch.series[stored], time_us[stored])
    return status


def _compare(stored: float, sent: float) -> Status:
    same = stored == sent or (stored != stored and sent != sent)
    return Status.DUPLICATE if same else Status.CONFLICT


async def _insert_late(
    connection: asyncpg.Connection, domain: str, batch: Batch
) -> dict[int, float]:
    """Insert what is missing; returns the values already there, by row."""
    time_us = batch.time.view(np.int64)
    columns = (
        (time_us - _PG_EPOCH_US).tolist(),
        batch.value.tolist(),
        batch.series.tolist(),
        batch.flag.tolist(),
    )
    inserted = await connection.fetch(
        f"""
        INSERT INTO {domain}.reading (time, value, series_id, flag)
        SELECT timestamptz '2000-01-01 00:00:00+00' + us * interval '1 microsecond', value, id, flag
          FROM unnest($1::int8[], $2::float8[], $3::int4[], $4::int2[]) AS r (us, value, id, flag)
        ON CONFLICT DO NOTHING
        RETURNING series_id, (extract(epoch FROM time) * 1000000)::int8 AS us
        """,
        *columns,
    )
    if len(inserted) == len(batch):
        return {}
    done = {(row[0], row[1]) for row in inserted}
    keys = list(zip(batch.series.tolist(), time_us.tolist(), strict=True))
    missed = [row for row, key in enumerate(keys) if key not in done]
    # A new statement sees rows that others committed while the INSERT waited for them.
    there = await connection.fetch(
        f"""
        SELECT r.series_id, k.us, r.value
          FROM unnest($1::int4[], $2::int8[]) AS k (id, us)
          CROSS JOIN LATERAL (
               SELECT series_id, value FROM {domain}.reading
                WHERE series_id = k.id
                  AND time = timestamptz '2000-01-01 00:00:00+00' + k.us * interval '1 microsecond') r
        """,
        [keys[row][0] for row in missed],
        [keys[row][1] - _PG_EPOCH_US for row in missed],
    )
    value = {(row[0], row[1] + _PG_EPOCH_US): row[2] for row in there}
    return {row: value[keys[row]] for row in missed}


async def _mark_dirty(
    connection: asyncpg.Connection, domain: str, series: IntArray, time_us: NDArray[np.int64]
) -> None:
    if not len(series):
        return
    window = time_us // QUARTER_HOUR_US
    # Rows are in key order, so equal (series, window) pairs stand side by side.
    first = np.ones(len(series), bool)
    first[1:] = (series[1:] != series[:-1]) | (window[1:] != window[:-1])
    series, window = series[first], window[first]
    starts = np.unique(window)
    if len(starts) <= _FEW_WINDOWS:
        await connection.executemany(
            f"""
            INSERT INTO pipeline.dirty (domain, start, series_id)
            VALUES ('{domain}', to_timestamp($1::int8 * 900), $2)
            """,
            [(start, series[window == start].tolist()) for start in starts.tolist()],
        )
    else:
        await connection.execute(
            f"""
            INSERT INTO pipeline.dirty (domain, start, series_id)
            SELECT '{domain}', to_timestamp(q * 900), array_agg(id)
              FROM unnest($1::int8[], $2::int4[]) AS w (q, id)
             GROUP BY q
            """,
            window.tolist(),
            series.tolist(),
        )


def _conflicts(intake: Intake, status: NDArray[np.int8]) -> list[RefusalRow]:
    rows = np.flatnonzero(status == Status.CONFLICT).tolist()
    refusals = []
    for row in rows:
        message = int(intake.message[row])
        time = np.datetime_as_string(intake.batch.time[row], timezone="UTC")
        refusals.append(
            RefusalRow(
                int(intake.received_us[message]),
                int(intake.sensor[row]),
                intake.topic[message],
                intake.payload[message],
                intake.field[row],
                Reason.CONFLICT,
                f"another value than {intake.batch.value[row]:.15g} is stored for {time}; "
                "the first stays",
            )
        )
    return refusals


async def _save_refusals(connection: asyncpg.Connection, refusals: list[RefusalRow]) -> None:
    await connection.execute(
        """
        INSERT INTO pipeline.refusal
               (received_at, sensor_id, topic, payload, field, reason, detail)
        SELECT to_timestamp(r.us / 1e6), r.sensor, r.topic, r.payload, r.field, r.reason, r.detail
          FROM unnest($1::int8[], $2::int4[], $3::text[], $4::bytea[], $5::text[], $6::text[],
                      $7::text[]) AS r (us, sensor, topic, payload, field, reason, detail)
        """,
        *(list(column) for column in zip(*refusals, strict=True)),
    )


async def _save_ledger(
    connection: asyncpg.Connection, intake: Intake, status: NDArray[np.int8]
) -> int:
    """One row for the batch; returns the registry's revision, read on the way."""
    refusal_at = np.array(intake.refusal_message, np.int64)
    refused_reading = np.array([bool(refusal.field) for refusal in intake.refusals], bool)
    by_reading = np.array([refusal.sensor_id for refusal in intake.refusals], np.int32)
    hour = intake.received_us // HOUR_US
    # Entries are (sensor, hour) pairs; one integer each makes them countable.
    entry_of = [
        _entry(intake.message_sensor, hour),
        _entry(intake.sensor, hour[intake.message]),
        _entry(by_reading, hour[refusal_at]),
    ]
    entries, position = np.unique(np.concatenate(entry_of), return_inverse=True)
    ends = np.cumsum([len(e) for e in entry_of])[:-1]
    message, reading, refusal = np.split(position, ends)

    def count(where: NDArray[np.intp]) -> list[int]:
        counted: list[int] = np.bincount(where, minlength=len(entries)).tolist()
        return counted

    refused_readings = refusal[refused_reading]
    conflicts = reading[status == Status.CONFLICT]
    revision = await connection.fetchval(
        """
        INSERT INTO pipeline.batch (sensor_id, hour, messages_received, messages_decoded,
               messages_refused, readings_decoded, readings_stored, readings_duplicate,
               readings_refused)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        RETURNING (SELECT revision FROM city.revision)
        """,
        ((entries >> 32) - 1).tolist(),
        _hours(entries & 0xFFFFFFFF),
        count(message),
        count(message[~intake.message_refused]),
        count(message[intake.message_refused]),
        count(np.concatenate((reading, refused_readings))),
        count(reading[status == Status.STORED]),
        count(reading[status == Status.DUPLICATE]),
        count(np.concatenate((refused_readings, conflicts))),
    )
    return int(revision)


def _entry(sensor: IntArray, hour: NDArray[np.int64]) -> NDArray[np.int64]:
    # Sensor ids start at -1 (unreadable topic).
    return ((sensor.astype(np.int64) + 1) << 32) | hour


def _hours(hour: NDArray[np.int64]) -> list[object]:
    import datetime

    known = {h: datetime.datetime.fromtimestamp(h * 3600, datetime.UTC) for h in set(hour.tolist())}
    return [known[h] for h in hour.tolist()]
