"""Refusals: what could not become a reading, kept with topic, payload and reason.

A message's rows share a message id, and its first row holds the payload. Where one message
has very many wrong readings some share a row, and where one sensor is refused very often
whole messages do (see :mod:`storage.allowance`); the rows then say how many, so that every
one of them can be counted from the table.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage.allowance import KEPT_PAYLOAD, ROW_BYTES, Allowance
from storage.arrays import PG_EPOCH_US
from storage.intake import ROWS_PER_MESSAGE, Intake, RefusalRow, Status
from storage.reading import Reason

Accepted = Mapping[int, tuple[list[int], list[int]] | None]
"""Per message its sensors, and how many of their readings are in the table."""

SEVERAL = "(several)"
"""Stands for the field where readings of several share a row."""
_PG_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_LONGEST_DETAIL = 500
_INT4_MAX = 2**31 - 1
_COLUMNS = (
    "message_id", "received_at", "sensor_id", "topic", "payload", "bytes", "masked", "field",
    "reason", "detail", "readings", "messages", "qos0", "retained", "accepted_sensor",
    "accepted_readings",
)  # fmt: skip


def conflicts(intake: Intake, status: NDArray[np.int8]) -> tuple[list[RefusalRow], list[int]]:
    """Refusals of conflicting readings, and which message each came in."""
    refusals: list[RefusalRow] = []
    messages: list[int] = []
    told: set[int] = set(intake.refusal_message)
    rows_of: dict[int, int] = {}
    last: dict[tuple[int, int], int] = {}
    for row in np.flatnonzero(status == Status.CONFLICT).tolist():
        message, sensor = int(intake.message[row]), int(intake.sensor[row])
        at = last.get((message, sensor))
        if at is not None and rows_of[message] >= ROWS_PER_MESSAGE:
            # Each sensor has a row at least: the ledger counts sensors apart.
            more = refusals[at].readings
            refusals[at] = refusals[at]._replace(
                readings=more + 1,
                field=SEVERAL,
                detail=f"and {more} more readings of this message conflict with what is stored",
            )
            continue
        last[message, sensor] = len(refusals)
        rows_of[message] = rows_of.get(message, 0) + 1
        payload = b"" if message in told else intake.payload[message]
        told.add(message)
        time = np.datetime_as_string(intake.batch.time[row], timezone="UTC")
        refusal = RefusalRow(
            int(intake.received_us[message]),
            sensor,
            intake.topic[message],
            payload,
            intake.field[row],
            Reason.CONFLICT,
            f"another value than {intake.batch.value[row]:.15g} is stored for {time}; "
            "the first stays",
            bytes=len(intake.payload[message]),
        )
        refusals.append(intake.mask(refusal, message))
        messages.append(message)
    return refusals, messages


def accepted(intake: Intake, status: NDArray[np.int8], messages: list[int]) -> Accepted:
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
    intake: Intake,
    refusals: Sequence[RefusalRow],
    message: Sequence[int],
    accepted: Accepted,
    allowance: Allowance | None = None,
) -> None:
    """Write down what was refused; ``message`` says which message each came in.

    Rows of one message must come in order, first the one with the payload. Without an
    ``allowance`` nothing shares rows.
    """
    of: dict[int, list[RefusalRow]] = {}
    for refusal, number in zip(refusals, message, strict=True):
        of.setdefault(number, []).append(refusal)
    if allowance is not None:
        allowance.begin(int(intake.received_us.max()))
    kept: list[_Kept] = []
    flood = _Flood()
    for number, rows in of.items():
        rows[0] = rows[0]._replace(bytes=max(rows[0].bytes, len(rows[0].payload)))
        size = ROW_BYTES * len(rows) + min(len(rows[0].payload), KEPT_PAYLOAD)
        topic, sensor = intake.topic[number], int(intake.message_sensor[number])
        if allowance is None or allowance.grant(sensor, topic, size):
            if rows[0].payload:
                # Cut after masking: a cut identifier is none to the eye, and one to a reader.
                rows[0] = intake.mask_payload(rows[0], number)
                rows[0] = rows[0]._replace(payload=rows[0].payload[:KEPT_PAYLOAD])
            retained = intake.message_retained is not None and intake.message_retained[number]
            kept.append(
                _Kept(
                    rows,
                    accepted[number],
                    qos0=bool(intake.message_qos0[number]),
                    retained=bool(retained),
                )
            )
        else:
            flood.add(rows)
    kept += flood.kept()
    size_of: dict[int, int] = {}
    for one in kept:
        for row in one.rows:
            room = ROW_BYTES + len(row.payload)
            size_of[row.sensor_id] = size_of.get(row.sensor_id, 0) + room
    ids = await connection.fetch(
        """
        WITH added AS (INSERT INTO pipeline.refusal_added (sensor_id, bytes)
                       SELECT * FROM unnest($2::int4[], $3::int8[]))
        SELECT nextval('pipeline.refused_message') FROM generate_series(1, $1)
        """,
        len(kept),
        list(size_of),
        list(size_of.values()),
    )
    await connection.copy_records_to_table(
        "refusal",
        schema_name="pipeline",
        columns=_COLUMNS,
        records=[
            row for (number,), one in zip(ids, kept, strict=True) for row in one.records(number)
        ],
    )


class _Kept:
    """One message, or several that share rows, as it goes into the table."""

    def __init__(
        self,
        rows: list[RefusalRow],
        accepted: tuple[list[int], list[int]] | None,
        *,
        qos0: bool = False,
        retained: bool = False,
        messages: list[int] | None = None,
    ) -> None:
        self.rows = rows
        self._accepted = accepted
        self._qos0, self._retained = qos0, retained
        self._messages = messages or [1] * len(rows)

    def records(self, message_id: int) -> list[tuple[object, ...]]:
        records: list[tuple[object, ...]] = []
        for row, messages in zip(self.rows, self._messages, strict=True):
            sensors, readings = (None, None) if records or not self._accepted else self._accepted
            records.append(
                (
                    message_id,
                    _PG_EPOCH + datetime.timedelta(microseconds=row.received_us - PG_EPOCH_US),
                    row.sensor_id,
                    _storable(row.topic),
                    row.payload,
                    min(max(row.bytes, len(row.payload)), _INT4_MAX),
                    row.masked,
                    _storable(row.field),
                    row.reason,
                    _storable(row.detail)[:_LONGEST_DETAIL],
                    row.readings,
                    messages,
                    self._qos0,
                    self._retained,
                    sensors,
                    readings,
                )
            )
        return records


class _Flood:
    """Messages beyond the allowance: those of one sensor and reason share a row."""

    def __init__(self) -> None:
        self._row: dict[tuple[int, str, bool], RefusalRow] = {}
        self._messages: dict[tuple[int, str, bool], int] = {}

    def add(self, rows: list[RefusalRow]) -> None:
        """Take in one message."""
        size = rows[0].bytes
        seen: set[tuple[int, str, bool]] = set()
        for row in rows:
            key = (row.sensor_id, row.reason, not row.field)
            shared = self._row.get(key)
            if shared is None:
                detail = f"too much was refused in this minute to keep all; the first: {row.detail}"
                shared = row._replace(payload=b"", bytes=0, readings=0, detail=detail)
            field = shared.field if shared.field == row.field else SEVERAL
            # The payloads were of this length together; nothing of them is left.
            length = 0 if key in seen else size
            self._row[key] = shared._replace(
                field=field, readings=shared.readings + row.readings, bytes=shared.bytes + length
            )
            self._messages[key] = self._messages.get(key, 0) + (key not in seen)
            seen.add(key)

    def kept(self) -> list[_Kept]:
        """One entry per row."""
        return [
            _Kept([row], None, messages=[self._messages[key]]) for key, row in self._row.items()
        ]


def _storable(text: str) -> str:
    # The one character that PostgreSQL's text cannot hold; a refusal must never be refused.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
