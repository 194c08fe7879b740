"""Batch in: store readings, refusals, ledger and dirty marks in one transaction.

The first value stored for a (series, time) wins: the same value again is a duplicate,
another value a conflict. Rows newer than everything known of their series go by COPY
straight into the hypertable; the others meet the primary key in an INSERT that skips what
is there. COPY for all with a fall-back on violation was tried: with 1 % duplicates it
falls to a third of the rate and bloats the table.
"""

from __future__ import annotations

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage import binary, refusals
from storage.arrays import PG_EPOCH_US
from storage.catalogue import DOMAINS
from storage.high_water import HighWater
from storage.intake import Intake, Outcome, Status
from storage.ledger import DirtyMarks, save_ledger
from storage.reading import Batch


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
    marks = DirtyMarks()
    async with connection.transaction():
        for code in np.unique(intake.domain).tolist():
            rows = np.flatnonzero(intake.domain == code)
            rows = rows[np.lexsort((batch.time[rows], batch.series[rows]))]
            domain, ordered = DOMAINS[code], batch.take(rows)
            done = await _store_domain(connection, domain, ordered, high_water, trusting)
            status[rows] = done
            new = done == Status.STORED
            marks.add(domain, ordered.series[new], ordered.time.view(np.int64)[new])
        refused, message = list(intake.refusals), list(intake.refusal_message)
        if (status == Status.CONFLICT).any():
            conflicts, conflict_message = refusals.conflicts(intake, status)
            refused += conflicts
            message += conflict_message
        if refused:
            accepted = refusals.accepted(intake, status, message)
            await refusals.save(connection, refused, message, accepted)
        await marks.save(connection)
        await save_ledger(connection, intake, status)
    stored = status == Status.STORED
    high_water.raise_to(batch.series[stored], batch.time[stored].view(np.int64))
    reasons: dict[str, int] = {}
    for refusal in refused:
        reasons[refusal.reason] = reasons.get(refusal.reason, 0) + refusal.readings
    return Outcome(
        messages=len(intake.message_sensor),
        messages_refused=int(intake.message_refused.sum()),
        decoded=len(batch) + sum(refusal.readings for refusal in intake.refusals if refusal.field),
        stored=int(stored.sum()),
        duplicate=int((status == Status.DUPLICATE).sum()),
        refused=sum(refusal.readings for refusal in refused),
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
            source=binary.chunks(binary.encode_readings(batch if new.all() else batch.take(new))),
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
        (time_us - PG_EPOCH_US).tolist(),
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
        [keys[row][1] - PG_EPOCH_US for row in missed],
    )
    value = {(row[0], row[1] + PG_EPOCH_US): row[2] for row in there}
    return {row: value[keys[row]] for row in missed}
