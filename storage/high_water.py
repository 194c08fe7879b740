"""How far each series has come: the hint by which fresh rows take the fast way in."""

from __future__ import annotations

import asyncpg
import numpy as np
from numpy.typing import NDArray

from storage.catalogue import DOMAINS
from storage.reading import IntArray


class HighWater:
    """Newest time stored per series, as far as this process knows.

    Only a hint for speed: a mark that is too low costs a retry of the batch through the
    slower path, one that is too high sends rows there needlessly; neither loses a row.
    """

    def __init__(self) -> None:
        self._newest = np.full(1024, np.iinfo(np.int64).min)

    async def load(self, connection: asyncpg.Connection) -> None:
        """Ask the database; one index probe per series."""
        for domain in DOMAINS:
            rows = await connection.fetch(
                f"""
                SELECT s.series_id, r.time
                  FROM city.series s
                  JOIN city.metric m ON m.metric = s.metric AND m.domain = '{domain}'
                  CROSS JOIN LATERAL (SELECT time FROM {domain}.reading
                                       WHERE series_id = s.series_id
                                       ORDER BY time DESC LIMIT 1) r
                """
            )
            if rows:
                series = np.array([row["series_id"] for row in rows], np.int32)
                newest = np.array([round(row["time"].timestamp() * 1e6) for row in rows], np.int64)
                self.raise_to(series, newest)

    def is_new(self, series: IntArray, time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Per row, whether it is newer than all that is known of its series."""
        self._grow(series)
        return time_us > self._newest[series]

    def raise_to(self, series: IntArray, time_us: NDArray[np.int64]) -> None:
        """Take note of committed rows."""
        self._grow(series)
        np.maximum.at(self._newest, series, time_us)

    def _grow(self, series: IntArray) -> None:
        if len(series) and (top := int(series.max())) >= len(self._newest):
            more = np.full(max(top + 1, 2 * len(self._newest)), np.iinfo(np.int64).min)
            more[: len(self._newest)] = self._newest
            self._newest = more
