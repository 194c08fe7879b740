"""Refusals: what could not become a reading, kept with topic, payload and reason."""

from __future__ import annotations

import datetime

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage.arrays import PG_EPOCH_US
from storage.intake import Intake, RefusalRow, Status
from storage.reading import Reason

_PG_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_COLUMNS = (
    "message_id", "received_at", "sensor_id", "topic", "payload", "bytes", "masked", "field",
    "reason", "detail", "readings", "accepted_sensor", "accepted_readings",
)  # fmt: skip


def conflicts(intake: Intake, status: NDArray[np.int8]) -> tuple[list[RefusalRow], list[int]]:
    """Refusals of conflicting readings, and which message each came in."""
    refusals: list[RefusalRow] = []
    messages: list[int] = []
    told: set[int] = set(intake.refusal_message)
    for row in np.flatnonzero(status == Status.CONFLICT).tolist():
        message = int(intake.message[row])
        payload = b"" if message in told else intake.payload[message]
        told.add(message)
        time = np.datetime_as_string(intake.batch.time[row], timezone="UTC")
        refusals.append(
            RefusalRow(
                int(intake.received_us[message]),
                int(intake.sensor[row]),
                intake.topic[message],
                payload,
                intake.field[row],
                Reason.CONFLICT,
                f"another value than {intake.batch.value[row]:.15g} is stored for {time}; "
                "the first stays",
                bytes=len(intake.payload[message]),
            )
        )
        messages.append(message)
    return refusals, messages


def accepted(
    intake: Intake, status: NDArray[np.int8], messages: list[int]
) -> dict[int, tuple[list[int], list[int]]]:
    """Per message with refusals: its sensors, and how many of their readings are in the table.

    A replay of the message meets these again and must not count them twice.
    """
    row = np.flatnonzero((status != Status.CONFLICT) & np.isin(intake.message, messages))
    pairs, count = np.unique(
        np.stack((intake.message[row], intake.sensor[row])), axis=1, return_counts=True
    )
    found: dict[int, tuple[list[int], list[int]]] = {m: ([], []) for m in messages}
    for message, sensor, readings in zip(*pairs.tolist(), count.tolist(), strict=True):
        found[message][0].append(sensor)
        found[message][1].append(readings)
    return found


async def save(
    connection: asyncpg.Connection,
    refusals: list[RefusalRow],
    message: list[int],
    accepted: dict[int, tuple[list[int], list[int]]],
) -> None:
    """Write down what was refused; ``message`` groups the rows, first the one with the payload."""
    ids = await connection.fetch(
        "SELECT nextval('pipeline.refused_message') FROM generate_series(1, $1)", len(accepted)
    )
    id_of = {number: row[0] for number, row in zip(accepted, ids, strict=True)}
    rows = []
    told: set[int] = set()
    for refusal, number in zip(refusals, message, strict=True):
        sensors, readings = (None, None) if number in told else accepted[number]
        told.add(number)
        rows.append(
            (
                id_of[number],
                _PG_EPOCH + datetime.timedelta(microseconds=refusal.received_us - PG_EPOCH_US),
                refusal.sensor_id,
                _storable(refusal.topic),
                refusal.payload,
                max(refusal.bytes, len(refusal.payload)),
                refusal.masked,
                _storable(refusal.field),
                refusal.reason,
                _storable(refusal.detail),
                refusal.readings,
                sensors,
                readings,
            )
        )
    await connection.copy_records_to_table(
        "refusal", schema_name="pipeline", columns=_COLUMNS, records=rows
    )


def _storable(text: str) -> str:
    # The one character that PostgreSQL's text cannot hold; a refusal must never be refused.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
