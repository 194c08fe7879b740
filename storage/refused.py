"""Refusals out: which messages were refused, in what, and summed up."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import asyncpg

from storage.arrays import PG_EPOCH_US
from storage.intake import ROWS_PER_MESSAGE
from storage.reading import Reason

By = Literal["reason", "sensor", "topic"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which refusals are meant; a message counts where any of its refusals fits.

    ``sensor`` is a code. What was refused while it was not registered is meant too: its
    topic, or the refusal's own words, name it. ``sensors`` and ``reasons`` are others beside
    ``sensor`` and ``reason``: any of them. ``topic`` is an MQTT topic filter.
    Reception times are ``[start, stop)``.
    """

    messages: Sequence[int] | None = None
    sensor: str | None = None
    reason: Reason | None = None
    topic: str | None = None
    start: datetime.datetime | None = None
    stop: datetime.datetime | None = None
    sensors: Sequence[str] = ()
    reasons: Sequence[Reason] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing limits it."""
        return self == Selection()

    def arguments(self) -> tuple[object, ...]:
        """The parameters $1 to $7 of :data:`FITS`."""
        sensors = [*self.sensors, *([] if self.sensor is None else [self.sensor])]
        reasons = [*self.reasons, *([] if self.reason is None else [self.reason])]
        return (
            None if self.messages is None else list(self.messages),
            sensors or None,
            [f"sensor {sensor!r} is not registered" for sensor in sensors] or None,
            reasons or None,
            None if self.topic is None else _expression(self.topic),
            self.start,
            self.stop,
        )


FITS = """
       ($1::int8[] IS NULL OR r.message_id = ANY($1))
   AND ($2::text[] IS NULL
        OR r.sensor_id IN (SELECT sensor_id FROM city.sensor WHERE code = ANY($2))
        OR r.sensor_id <= 0 AND (string_to_array(r.topic, '/') && $2 OR r.detail = ANY($3::text[])))
   AND ($4::text[] IS NULL OR r.reason = ANY($4))
   AND ($5::text IS NULL OR r.topic ~ $5)
   AND ($6::timestamptz IS NULL OR r.received_at >= $6)
   AND ($7::timestamptz IS NULL OR r.received_at < $7)
"""


class Refused(NamedTuple):
    """One refused reading, or the whole message where ``field`` is empty.

    ``readings`` or ``messages`` of them share the row.
    """

    sensor_id: int
    sensor: str
    field: str
    reason: Reason
    detail: str
    readings: int
    messages: int


@dataclass(slots=True)
class RefusedMessage:
    """A message that was refused, whole or in part, as it is kept.

    ``bytes`` is the length of its payload as it came. ``accepted`` says how many of its
    readings are in the tables, per sensor id; ``None`` where that is not known.
    """

    message_id: int
    received_us: int
    topic: str
    payload: bytes
    bytes: int
    masked: bool
    qos0: bool
    retained: bool
    accepted: dict[int, int] | None
    rows: list[Refused] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Nothing of it was taken."""
        return not self.rows[0].field

    @property
    def shared(self) -> bool:
        """It stands for several messages, whose payloads were not kept."""
        return self.rows[0].messages > 1 or (self.cut and not self.payload)

    @property
    def cut(self) -> bool:
        """Its payload is not there, or not all of it, so that it cannot be read again."""
        return self.bytes > len(self.payload)

    @property
    def received_at(self) -> datetime.datetime:
        """When it came."""
        return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(
            microseconds=self.received_us
        )


class Summary(NamedTuple):
    """Refusals that have something in common; ``message_id`` is the newest of them."""

    key: str
    messages: int
    readings: int
    first: datetime.datetime
    last: datetime.datetime
    message_id: int
    detail: str


async def newest(
    connection: asyncpg.Connection, selection: Selection, limit: int
) -> list[RefusedMessage]:
    """At most ``limit`` messages, newest first, with all their refusals."""
    rows = await connection.fetch(
        f"""
        SELECT r.message_id
          FROM pipeline.refusal r
         WHERE {FITS}
         ORDER BY r.received_at DESC, r.message_id DESC
         LIMIT $8
        """,
        *selection.arguments(),
        # A message has at most so many rows from decoding, and as many conflicts, nearly.
        2 * ROWS_PER_MESSAGE * limit,
    )
    found = list(dict.fromkeys(row[0] for row in rows))[:limit]
    messages = await load(connection, found)
    return [messages[message_id] for message_id in found if message_id in messages]


async def load(
    connection: asyncpg.Connection, messages: Sequence[int]
) -> dict[int, RefusedMessage]:
    """Messages by id, with all their refusals."""
    rows = await connection.fetch(
        """
        SELECT r.message_id,
               (extract(epoch FROM r.received_at - timestamptz '2000-01-01 00:00:00+00')
                * 1000000)::int8 AS received_us,
               r.topic, r.payload, r.bytes, r.masked, r.qos0, r.retained, r.accepted_sensor,
               r.accepted_readings, r.sensor_id, coalesce(s.code, '') AS sensor, r.field, r.reason,
               r.detail, r.readings, r.messages
          FROM pipeline.refusal r
          LEFT JOIN city.sensor s USING (sensor_id)
         WHERE r.message_id = ANY($1)
         ORDER BY r.message_id, r.refusal_id
        """,
        messages,
    )
    found: dict[int, RefusedMessage] = {}
    for row in rows:
        message = found.get(row["message_id"])
        if message is None:
            sensors, readings = row["accepted_sensor"], row["accepted_readings"]
            accepted = None if sensors is None else dict(zip(sensors, readings, strict=True))
            message = found[row["message_id"]] = RefusedMessage(
                row["message_id"], row["received_us"] + PG_EPOCH_US, row["topic"], row["payload"],
                row["bytes"], row["masked"], row["qos0"], row["retained"], accepted,
            )  # fmt: skip
        message.masked |= row["masked"]
        message.retained |= row["retained"]
        message.rows.append(
            Refused(
                row["sensor_id"], row["sensor"], row["field"], Reason(row["reason"]),
                row["detail"], row["readings"], row["messages"],
            )
        )  # fmt: skip
    return found


async def summary(
    connection: asyncpg.Connection, selection: Selection, by: By, limit: int
) -> list[Summary]:
    """Counts per reason, sensor or topic, the most frequent first."""
    key = {"reason": "r.reason", "sensor": "coalesce(s.code, '?')", "topic": "r.topic"}[by]
    rows = await connection.fetch(
        f"""
        SELECT g.*, (SELECT detail FROM pipeline.refusal e
                      WHERE e.message_id = g.message_id ORDER BY refusal_id LIMIT 1) AS detail
          FROM (SELECT {key} AS key,
                       count(DISTINCT r.message_id) FILTER (WHERE r.messages = 1)
                       + coalesce(sum(r.messages) FILTER (WHERE r.messages > 1), 0) AS messages,
                       coalesce(sum(r.readings) FILTER (WHERE r.field <> ''), 0) AS readings,
                       min(r.received_at) AS first, max(r.received_at) AS last,
                       max(r.message_id) AS message_id
                  FROM pipeline.refusal r
                  LEFT JOIN city.sensor s USING (sensor_id)
                 WHERE {FITS}
                 GROUP BY 1) g
         ORDER BY messages DESC, key
         LIMIT $8
        """,
        *selection.arguments(),
        limit,
    )
    return [
        Summary(
            row["key"], int(row["messages"]), int(row["readings"]), row["first"], row["last"],
            row["message_id"], row["detail"],
        )
        for row in rows
    ]  # fmt: skip


async def sensors(connection: asyncpg.Connection) -> list[str]:
    """Codes of all registered sensors."""
    rows = await connection.fetch("SELECT code FROM city.sensor WHERE sensor_id > 0 ORDER BY code")
    return [row[0] for row in rows]


def _expression(topic: str) -> str:
    """A PostgreSQL regular expression for an MQTT topic filter."""
    parts = []
    for segment in topic.split("/"):
        if segment == "#":
            parts.append(".*")
        elif segment == "+":
            parts.append("[^/]*")
        else:
            parts.append(re.sub(r"([^\w])", r"\\\1", segment))
    expression = "/".join(parts)
    if topic.endswith("/#"):
        # "a/#" also means "a" itself.
        expression = expression.removesuffix("/.*") + "(/.*)?"
    return f"^{expression}$"


async def claim(connection: asyncpg.Connection, messages: Sequence[int]) -> list[int]:
    """Those of the messages that nobody else has claimed, ours until the transaction ends.

    Replays and retention claim a message by the first of its rows before they touch any.
    """
    held = await connection.fetch(
        """
        SELECT message_id
          FROM pipeline.refusal
          JOIN (SELECT min(refusal_id) AS refusal_id FROM pipeline.refusal
                 WHERE message_id = ANY($1) GROUP BY message_id) first USING (refusal_id)
           FOR UPDATE OF refusal SKIP LOCKED
        """,
        messages,
    )
    return [row[0] for row in held]
