"""Every series of a domain, from the registry."""

from __future__ import annotations

import asyncpg
import numpy as np

from storage.catalogue import Domain, Kind
from storage.series import KIND_CODE, SeriesTable


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
    )
