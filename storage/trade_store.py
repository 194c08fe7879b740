"""What the trades know beside readings, in the database and out again; and who measures what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import asyncpg
import numpy as np
import psycopg

from storage.facts.facts import Facts
from storage.roster import Roster


@dataclass(frozen=True, slots=True)
class Revised:
    """Facts of a trade that are others than before, while figures are made of the old ones.

    ``keys`` are those of the trade's table that differ, ``since`` the day of the oldest reading.
    """

    trade: str
    keys: tuple[str, ...]
    since: date


def save_facts(connection: psycopg.Connection, facts: Facts) -> tuple[Revised, ...]:
    """Replace the facts of the trades that the city's file speaks of; the others stay.

    Tells what is revised; where nothing was ever read, nothing is.
    """
    row = connection.execute("SELECT min(first)::date FROM pipeline.heard").fetchone()
    first = row[0] if row else None
    revised = []
    for trade in sorted(facts.model_fields_set):
        said = getattr(facts, trade)
        row = connection.execute(
            "SELECT facts FROM city.trade WHERE domain = %s", [trade]
        ).fetchone()
        before = row[0] if row else json.loads(type(said)().model_dump_json())
        now = json.loads(said.model_dump_json())
        keys = tuple(key for key in now if now[key] != before.get(key))
        if keys and first is not None:
            revised.append(Revised(trade, keys, first))
        connection.execute(
            "INSERT INTO city.trade AS t (domain, facts) VALUES (%s, %s)"
            " ON CONFLICT (domain) DO UPDATE SET facts = excluded.facts",
            [trade, said.model_dump_json()],
        )
    return tuple(revised)


async def load_facts(connection: asyncpg.Connection) -> Facts:
    """The facts of all trades; the defaults where the city says nothing."""
    rows = await connection.fetch("SELECT domain, facts FROM city.trade")
    return Facts.model_validate({row["domain"]: json.loads(row["facts"]) for row in rows})


async def load_roster(connection: asyncpg.Connection) -> Roster:
    """Every series of the city with its metric, sensor, site and territory."""
    rows = await connection.fetch(
        """
        SELECT s.series_id, m.domain, s.metric, m.kind, s.step_s, s.field, n.code AS sensor,
               s.site_id, i.code AS site, i.territory_id, t.code AS territory, t.timezone,
               nullif(i.longitude, 'NaN') AS longitude, nullif(i.latitude, 'NaN') AS latitude
          FROM city.series s
          JOIN city.metric m USING (metric)
          JOIN city.sensor n USING (sensor_id)
          JOIN city.site i ON i.site_id = s.site_id
          JOIN city.territory t USING (territory_id)
         ORDER BY s.series_id
        """
    )

    def texts(name: str) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
        return np.array([row[name] for row in rows], np.str_)

    def whole(name: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return np.array([row[name] for row in rows], np.int32)

    return Roster(
        series=whole("series_id"),
        domain=texts("domain"),
        metric=texts("metric"),
        kind=texts("kind"),
        step=whole("step_s"),
        field=texts("field"),
        sensor=texts("sensor"),
        site_id=whole("site_id"),
        site=texts("site"),
        territory_id=whole("territory_id"),
        territory=texts("territory"),
        zone=texts("timezone"),
        longitude=np.array([row["longitude"] for row in rows], np.float64),
        latitude=np.array([row["latitude"] for row in rows], np.float64),
    )
