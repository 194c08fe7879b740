"""What tests of changed readings share: times around one day, and a collector's way in."""

from __future__ import annotations

import datetime

import asyncpg
import numpy as np
import psycopg

from storage import ingest, review
from storage.catalogue import DOMAINS, Domain
from storage.high_water import HighWater
from storage.intake import Intake, Outcome
from storage.level import Level
from storage.reading import Batch, batch_of
from storage.review import Author, Measured, Span
from tests.integration.one_piece import stored

AT = np.datetime64("2024-05-14T00:00", "us")
AFTER = np.datetime64("2024-05-18T00:00", "us")
ME = Author("Ada", "the probe was being calibrated")


def said(series: int, minutes: list[float], values: list[float], flag: int = 1) -> Batch:
    """Readings at minutes after :data:`AT`."""
    origin = int(AT.astype(np.int64))
    times = [origin + round(60_000_000 * m) for m in minutes]
    return batch_of(times, values, [series] * len(times), [flag] * len(times))


def minute(number: float) -> datetime.datetime:
    began = datetime.datetime(2024, 5, 14, tzinfo=datetime.UTC)
    return began + datetime.timedelta(minutes=number)


def span(start: float, stop: float) -> Span:
    return Span(minute(start), minute(stop))


def measured(connection: psycopg.Connection, series: int) -> Measured:
    code, metric = connection.execute(
        "SELECT code, metric FROM city.series JOIN city.sensor USING (sensor_id)"
        " WHERE series_id = %s",
        [series],
    ).fetchone()  # type: ignore[misc]
    return review.named(connection, code, metric)[0]


def intake_of(batch: Batch, of: Measured) -> Intake:
    """One message per reading, as a collector would hand them on."""
    n = len(batch)
    domain = DOMAINS.index(Domain(of.domain))
    return Intake(
        batch=batch, domain=np.full(n, domain, np.int8),
        sensor=np.full(n, of.sensor_id, np.int32), message=np.arange(n, dtype=np.int32),
        field=["v"] * n, topic=["t"] * n, payload=[b"{}"] * n,
        received_us=np.full(n, int(AFTER.astype(np.int64))),
        message_sensor=np.full(n, of.sensor_id, np.int32),
        message_refused=np.zeros(n, np.bool_), message_qos0=np.zeros(n, np.bool_),
        refusals=[], refusal_message=[],
    )  # fmt: skip


async def send(pool: asyncpg.Pool, batch: Batch, of: Measured, water: HighWater) -> Outcome:
    async with pool.acquire() as one:
        return await ingest.store(one, intake_of(batch, of), water)  # type: ignore[arg-type]


def values(connection: psycopg.Connection, domain: str = "air") -> list[float]:
    rows = connection.execute(f"SELECT value FROM {domain}.reading ORDER BY series_id, time")
    return [value for (value,) in rows]


def view(connection: psycopg.Connection, domain: str = "air") -> list[int]:
    rows = connection.execute(f"SELECT flag FROM {domain}.readings ORDER BY series_id, time")
    return [flag for (flag,) in rows]


def marks(connection: psycopg.Connection) -> list[tuple[str, int]]:
    """Marked windows in minutes after :data:`AT`, as a set would have them, and series."""
    rows = connection.execute(
        "SELECT DISTINCT domain, start, unnest(series_id) FROM pipeline.dirty ORDER BY 1, 2, 3"
    ).fetchall()
    return [(domain, int((start - minute(0)).total_seconds() // 60)) for domain, start, _ in rows]


async def counts(pool: asyncpg.Pool, domain: Domain) -> list[tuple[int, int, float]]:
    rows = await stored(pool, domain, Level.QUARTER_HOUR)
    return list(
        zip(
            rows.good.tolist(), rows.suspect.tolist(), np.nan_to_num(rows.sum).tolist(), strict=True
        )
    )
