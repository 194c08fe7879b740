"""Batch in: store readings, refusals, ledger and dirty marks in one transaction.

The first value stored for a (series, time) wins: the same value again is a duplicate,
another value a conflict. Rows newer than everything known of their series go by COPY
straight into the hypertable; the others meet the primary key in an INSERT that skips what
is there. COPY for all with a fall-back on violation was tried: with 1 % duplicates it
falls to a third of the rate and bloats the table.
"""

from __future__ import annotations

import uuid

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage import binary, births, refusals
from storage.allowance import Allowance
from storage.arrays import PG_EPOCH_US
from storage.catalogue import DOMAINS
from storage.high_water import HighWater
from storage.intake import Intake, Outcome, Status
from storage.ledger import DirtyMarks, save_ledger
from storage.reading import Batch, Reason

_SAME_ATTEMPT = "batch_attempt"  # the index that one attempt cannot pass twice


class RegistryChanged(Exception):
    """The registry is another one by now; nothing was stored, and the messages are to be read anew."""


async def hold_registry(connection: asyncpg.Connection, revision: int) -> None:
    """Let the registry stay as it is until the transaction that is open ends.

    Raises
    ------
    RegistryChanged
        Where it is not of this revision any more.
    """
    if await connection.fetchval("SELECT city.hold_revision()") != revision:
        raise RegistryChanged("the registry has changed meanwhile; begin again")


async def store(
    connection: asyncpg.Connection,
    intake: Intake,
    high_water: HighWater,
    *,
    attempt: uuid.UUID | None = None,
    repeated: bool = False,
    allowance: Allowance | None = None,
) -> Outcome:
    """Commit one intake; after return everything in it is on disk.

    ``attempt`` names the intake, so that one whose COMMIT was answered into a broken
    connection is not counted twice: tried again with ``repeated`` it is looked up first, and
    where it is there already its outcome is returned and nothing is stored. An attempt can be
    found for ``folding.KEEP_ATTEMPTS`` after its commit.

    ``allowance`` bounds what the refusals of this collector may take; without one only this
    intake is bounded.

    Raises whatever asyncpg raises; nothing of the intake is stored then.
    """
    allowance = allowance or Allowance()
    if repeated and attempt is None:
        raise ValueError("only an intake with an attempt can be repeated")
    trusting, overtaken = True, False
    while True:
        try:
            async with connection.transaction():
                if repeated and attempt and (found := await _outcome_of(connection, attempt)):
                    # Whatever became of its rows, the tables hold something at their times.
                    high_water.raise_to(intake.batch.series, intake.batch.time.view(np.int64))
                    found.reasons = _reasons(intake, found)
                    return found
                outcome, status = await _store(
                    connection, intake, high_water, attempt, allowance, trusting
                )
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == _SAME_ATTEMPT and not overtaken:
                # Its first commit was still under way when it was tried again.
                repeated = overtaken = True
            elif error.constraint_name != _SAME_ATTEMPT and trusting:
                # Somebody else stored newer rows than we knew of: let the key decide for all.
                trusting = False
            else:
                raise
        else:
            allowance.settle()
            stored = status == Status.STORED
            high_water.raise_to(
                intake.batch.series[stored], intake.batch.time[stored].view(np.int64)
            )
            return outcome


async def _store(
    connection: asyncpg.Connection,
    intake: Intake,
    high_water: HighWater,
    attempt: uuid.UUID | None,
    allowance: Allowance,
    trusting: bool,
) -> tuple[Outcome, NDArray[np.int8]]:
    """Everything of an intake, in the transaction that is open; also what each reading became."""
    if intake.revision is not None:
        await hold_registry(connection, intake.revision)
    batch = intake.batch
    status = await place(connection, intake, high_water, trusting=trusting)
    refused, message = list(intake.refusals), list(intake.refusal_message)
    if (status == Status.CONFLICT).any():
        conflicts, conflict_message = refusals.conflicts(intake, status)
        refused += conflicts
        message += conflict_message
    if refused:
        accepted = refusals.accepted(intake, status, message)
        await refusals.save(connection, intake, refused, message, accepted, allowance)
    if intake.births:
        await births.save(connection, intake.births)
    await save_ledger(connection, intake, status, attempt)
    reasons: dict[str, int] = {}
    for refusal in refused:
        reasons[refusal.reason] = reasons.get(refusal.reason, 0) + refusal.readings
    outcome = Outcome(
        messages=len(intake.message_sensor),
        messages_refused=int(intake.message_refused.sum()),
        decoded=len(batch) + sum(refusal.readings for refusal in intake.refusals if refusal.field),
        stored=int((status == Status.STORED).sum()),
        duplicate=int((status == Status.DUPLICATE).sum()),
        refused=sum(refusal.readings for refusal in refused),
        reasons=reasons,
    )
    return outcome, status


async def place(
    connection: asyncpg.Connection, intake: Intake, high_water: HighWater, *, trusting: bool
) -> NDArray[np.int8]:
    """Readings and their dirty marks, in the transaction that is open; what each reading became.

    ``trusting`` takes the fast way for what ``high_water`` calls new; where that is wrong,
    the transaction fails with a violation of the key.
    """
    batch = intake.batch
    status = np.zeros(len(batch), np.int8)
    marks = DirtyMarks()
    for code in np.unique(intake.domain).tolist():
        rows = np.flatnonzero(intake.domain == code)
        rows = rows[np.lexsort((batch.time[rows], batch.series[rows]))]
        domain, ordered = DOMAINS[code], batch.take(rows)
        done = await _store_domain(connection, domain, ordered, high_water, trusting)
        status[rows] = done
        new = done == Status.STORED
        marks.add(domain, ordered.series[new], ordered.time.view(np.int64)[new])
    await marks.save(connection)
    return status


async def _outcome_of(connection: asyncpg.Connection, attempt: uuid.UUID) -> Outcome | None:
    """What the books say of an attempt, folded or not; None where it never was committed."""
    row = await connection.fetchrow(
        """
        SELECT sum(received), sum(undecoded), sum(readings), sum(stored), sum(duplicate),
               sum(refused)
          FROM (SELECT e.*
                  FROM pipeline.batch b,
                       unnest(b.messages_received, b.messages_refused, b.readings_decoded,
                              b.readings_stored, b.readings_duplicate, b.readings_refused)
                       AS e (received, undecoded, readings, stored, duplicate, refused)
                 WHERE b.attempt = $1
                UNION ALL
                SELECT messages_received, messages_refused, readings_decoded, readings_stored,
                       readings_duplicate, readings_refused
                  FROM pipeline.attempt
                 WHERE attempt = $1) counts
        """,
        attempt,
    )
    if row is None or row[0] is None:
        return None
    messages, undecoded, readings, stored, duplicate, refused = row
    # An outcome counts a message refused as a whole like one refused reading.
    return Outcome(messages, undecoded, readings, stored, duplicate, refused + undecoded)


def _reasons(intake: Intake, found: Outcome) -> dict[str, int]:
    """Why readings of a repeated attempt were refused: decoding says it again, or a conflict."""
    reasons: dict[str, int] = {}
    for refusal in intake.refusals:
        reasons[refusal.reason] = reasons.get(refusal.reason, 0) + refusal.readings
    if (others := found.refused - sum(reasons.values())) > 0:
        reasons[Reason.CONFLICT] = others
    return reasons


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
    kept, first = batch.value.copy(), batch.value.copy()
    if late.any():
        at = np.flatnonzero(late)
        existing = await _insert_late(connection, domain, batch.take(at))
        for row, (value, original) in existing.items():
            kept[at[row]], first[at[row]] = value, original
            status[at[row]] = _compare(value, original, batch.value[at[row]])
    for row in np.flatnonzero(same_key).tolist():
        kept[row], first[row] = kept[row - 1], first[row - 1]
        status[row] = _compare(kept[row], first[row], batch.value[row])
    return status


def _compare(stored: float, original: float, sent: float) -> Status:
    # What a person corrected stays known by the value that was first stored.
    same = sent in (stored, original) or (stored != stored and sent != sent)
    return Status.DUPLICATE if same else Status.CONFLICT


async def _insert_late(
    connection: asyncpg.Connection, domain: str, batch: Batch
) -> dict[int, tuple[float, float]]:
    """Insert what is missing; returns by row the value already there, and the one before a
    person corrected it."""
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
        SELECT r.series_id, k.us, r.value, coalesce(c.original, r.value)
          FROM unnest($1::int4[], $2::int8[]) AS k (id, us)
          CROSS JOIN LATERAL (
               SELECT series_id, time, value FROM {domain}.reading
                WHERE series_id = k.id
                  AND time = timestamptz '2000-01-01 00:00:00+00' + k.us * interval '1 microsecond') r
          LEFT JOIN pipeline.correction c ON c.series_id = r.series_id AND c.time = r.time
        """,
        [keys[row][0] for row in missed],
        [keys[row][1] - PG_EPOCH_US for row in missed],
    )
    value = {(row[0], row[1] + PG_EPOCH_US): (row[2], row[3]) for row in there}
    existing = {row: value[keys[row]] for row in missed if keys[row] in value}
    if len(existing) < len(missed):
        # Erased between the two statements: there is room for them now.
        again = [row for row in missed if row not in existing]
        found = await _insert_late(connection, domain, batch.take(np.array(again)))
        existing |= {again[row]: pair for row, pair in found.items()}
    return existing
