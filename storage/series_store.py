"""Every series of a domain, from the registry."""

from __future__ import annotations

import asyncpg
import numpy as np

from storage.catalogue import Domain, Kind
from storage.facts.energy_loads import Replacement
from storage.series import KIND_CODE, NONE_REPLACED, Replacements, SeriesTable
from storage.trade_store import load_facts

_SAID = ("sensor", "field", "at", "closing", "opening")


async def load_series(connection: asyncpg.Connection, domain: Domain) -> SeriesTable:
    """What the processors need to know of each series, ascending by id."""
    rows = await connection.fetch(
        """
        SELECT s.series_id, m.kind, s.step_s, m.low, m.high, m.spike, m.rate_per_h, m.flat_h,
               s.register_max, t.timezone
          FROM city.series s
          JOIN city.metric m USING (metric)
          JOIN city.site i USING (site_id)
          JOIN city.territory t USING (territory_id)
         WHERE m.domain = $1
         ORDER BY s.series_id
        """,
        domain.value,
    )
    zones = tuple(sorted({row["timezone"] for row in rows}))
    number = {zone: position for position, zone in enumerate(zones)}

    def floats(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([row[name] for row in rows], np.float64)  # None becomes NaN

    return SeriesTable(
        series=np.array([row["series_id"] for row in rows], np.int32),
        kind=np.array([KIND_CODE[Kind(row["kind"])] for row in rows], np.int8),
        step=np.array([row["step_s"] for row in rows], np.int64),
        low=floats("low"),
        high=floats("high"),
        spike=floats("spike"),
        rate_per_h=floats("rate_per_h"),
        flat_h=floats("flat_h"),
        register_max=floats("register_max"),
        timezone=np.array([number[row["timezone"]] for row in rows], np.int16),
        zones=zones,
        replaced=await _replaced(connection) if domain is Domain.ENERGY else NONE_REPLACED,
    )


async def _replaced(connection: asyncpg.Connection) -> Replacements:
    """The meters that were replaced, by the series that each was at that time."""
    said: tuple[Replacement, ...] = (await load_facts(connection)).energy.replacement
    rows = await connection.fetch(
        """
        SELECT s.series_id, r.at, r.closing, r.opening
          FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[])
               AS r (sensor, field, at, closing, opening)
          JOIN city.sensor n ON n.code = r.sensor
          JOIN city.series s ON s.sensor_id = n.sensor_id AND s.field = r.field
                            AND r.at >= s.valid_from AND r.at < s.valid_to
         ORDER BY s.series_id, r.at
        """,
        *([getattr(one, name) for one in said] for name in _SAID),
    )
    return Replacements(
        np.array([row["series_id"] for row in rows], np.int32),
        np.array([row["at"].replace(tzinfo=None) for row in rows], "datetime64[us]"),
        np.array([row["closing"] for row in rows], np.float64),
        np.array([row["opening"] for row in rows], np.float64),
    )
