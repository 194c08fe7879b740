"""Which topics are read how, and what devices send, as the database keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import psycopg
from psycopg.types.json import Jsonb

from storage.city import Binding
from storage.codec import Codec
from storage.profiles import Profile, ProfileField
from storage.routes import BindingRow
from storage.sensor_list import PlacedSeries

REPLAY = BindingRow("replay/{territory}/{site}/{sensor}", "plain", "UTC", "", frozenset())
"""Always bound: recorded files are published here, whatever the city's own topics are."""


def save_bindings(cursor: psycopg.Cursor, bindings: Sequence[Binding]) -> None:
    """Replace all bindings; a city file without any leaves those that are there."""
    if not bindings:
        return
    cursor.execute("DELETE FROM city.binding")
    cursor.executemany(
        """
        INSERT INTO city.binding (position, topic, format, timezone, time_field, ignore, profile)
        VALUES (%s, %s, %s, %s, %s, %s, nullif(%s, ''))
        """,
        [
            (n, b.topic, b.format, b.timezone, b.time_field, list(b.ignore), b.profile)
            for n, b in enumerate(bindings)
        ],
    )


def save_profiles(cursor: psycopg.Cursor, profiles: Sequence[Profile]) -> None:
    """Add profiles and change those that are there; none is removed."""
    cursor.executemany(
        """
        INSERT INTO city.profile (profile, step_s, stamp, fields, codec)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (profile) DO UPDATE
           SET (step_s, stamp, fields, codec)
             = (excluded.step_s, excluded.stamp, excluded.fields, excluded.codec)
        """,
        [
            (
                p.name, p.step_s, p.stamp,
                Jsonb({name: _said(field) for name, field in p.series.items()}),
                None if p.codec is None else Jsonb(_said(p.codec)),
            )
            for p in profiles
        ],
    )  # fmt: skip


def save_devices(cursor: psycopg.Cursor, series: Sequence[PlacedSeries]) -> None:
    """Which sensor is of which profile; of none where its lines name none."""
    of = {placed.line.sensor: placed.line.profile for placed in series}
    cursor.execute(
        """
        UPDATE city.sensor n SET profile = nullif(w.profile, '')
          FROM unnest(%s::text[], %s::text[]) AS w (code, profile)
         WHERE n.code = w.code AND n.profile IS DISTINCT FROM nullif(w.profile, '')
        """,
        [list(of), list(of.values())],
    )


def load_profiles(connection: psycopg.Connection) -> dict[str, Profile]:
    """All profiles that were ever registered, by name."""
    rows = connection.execute("SELECT profile, step_s, stamp, fields, codec FROM city.profile")
    return {
        name: Profile.model_validate(
            {"name": name, "step_s": step_s, "stamp": stamp, "fields": fields, "codec": codec}
        )
        for name, step_s, stamp, fields, codec in rows
    }


async def load_bindings(connection: asyncpg.Connection) -> tuple[BindingRow, ...]:
    """In the order in which they are tried."""
    rows = await connection.fetch(
        """
        SELECT b.topic, b.format, b.timezone, b.time_field, b.ignore, p.codec
          FROM city.binding b LEFT JOIN city.profile p USING (profile)
         ORDER BY b.position
        """
    )
    return (REPLAY, *map(_binding, rows))


async def load_codecs(connection: asyncpg.Connection) -> dict[str, Codec]:
    """How the sensors pack their bytes that a profile says it of, by code."""
    rows = await connection.fetch("SELECT profile, codec FROM city.profile WHERE codec IS NOT NULL")
    codecs = {row["profile"]: Codec.model_validate_json(row["codec"]) for row in rows}
    sensors = await connection.fetch(
        "SELECT code, profile FROM city.sensor WHERE profile = ANY($1::text[])", list(codecs)
    )
    return {row["code"]: codecs[row["profile"]] for row in sensors}


def _binding(row: asyncpg.Record) -> BindingRow:
    return BindingRow(
        row["topic"], row["format"], row["timezone"], row["time_field"], frozenset(row["ignore"]),
        None if row["codec"] is None else Codec.model_validate_json(row["codec"]),
    )  # fmt: skip


def _said(model: ProfileField | Codec) -> dict[str, Any]:
    """What was written, without what was not."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)
