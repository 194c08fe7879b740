"""Who measures what, where: every series of the city as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from storage.reading import FloatArray, IntArray

Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Roster:
    """Series of all domains, ascending by id.

    Attributes, each of shape (n,)
    ------------------------------
    series, site_id, territory_id : int32
    step : int32
        Expected time between readings; 0 where they come only on change. [s]
    domain, metric, kind, field, sensor, site, territory, zone : str
        Names as the registry has them; ``zone`` is the territory's IANA time zone.
    longitude, latitude : float64
        NaN where nobody said. [degrees]
    """

    series: IntArray
    domain: Texts
    metric: Texts
    kind: Texts
    step: IntArray
    field: Texts
    sensor: Texts
    site_id: IntArray
    site: Texts
    territory_id: IntArray
    territory: Texts
    zone: Texts
    longitude: FloatArray
    latitude: FloatArray

    def __len__(self) -> int:
        return len(self.series)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Roster:
        """Rows chosen by position or mask, in that order."""
        return Roster(**{one.name: getattr(self, one.name)[rows] for one in fields(Roster)})
