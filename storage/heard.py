"""Topics of which something waits because nobody has registered its sensor or field."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import asyncpg

from storage.intake import UNKNOWN_SENSOR
from storage.reading import Reason


class HeardTopic(NamedTuple):
    """The refused messages of one topic, counted, and the ids of the newest that are kept."""

    topic: str
    messages: int
    first: datetime.datetime
    last: datetime.datetime
    newest: list[int]


async def topics(
    connection: asyncpg.Connection,
    *,
    known: bool,
    start: datetime.datetime,
    limit: int,
    sample: int,
) -> list[HeardTopic]:
    """Topics heard last first, at most ``limit``; of each the ``sample`` newest messages.

    With ``known`` those of registered sensors with a field that is not; else all of devices
    that are not registered, for whatever reason: a binding with the wrong format hides them.
    """
    rows = await connection.fetch(
        """
        WITH waiting AS (
            SELECT message_id, topic, min(received_at) AS received_at,
                   max(CASE WHEN messages > 1 THEN 0 ELSE message_id END) AS kept,
                   max(messages) AS messages
              FROM pipeline.refusal
             WHERE received_at >= $1
               AND CASE WHEN $2 THEN sensor_id > 0 AND reason = $3 ELSE sensor_id = $6 END
             GROUP BY message_id, topic)
        SELECT topic, sum(messages)::int8 AS messages, min(received_at) AS first,
               max(received_at) AS last,
               (array_agg(kept ORDER BY received_at DESC, kept DESC)
                FILTER (WHERE kept > 0))[1:$5] AS newest
          FROM waiting
         GROUP BY topic
         ORDER BY last DESC, topic
         LIMIT $4
        """,
        start,
        known,
        Reason.UNKNOWN_FIELD,
        limit,
        sample,
        UNKNOWN_SENSOR,
    )
    return [
        HeardTopic(row["topic"], row["messages"], row["first"], row["last"], row["newest"] or [])
        for row in rows
    ]
