"""Every indicator of every trade; dashboards, board and open data find them here."""

from __future__ import annotations

from storage.indicators.air import AIR
from storage.indicators.air_limits import AIR_LIMITS
from storage.indicators.buildings import BUILDINGS
from storage.indicators.counts import COUNTS
from storage.indicators.load import LOAD
from storage.indicators.traffic import TRAFFIC
from storage.indicators.watch import WATCH
from storage.indicators.wind import WIND
from storage.indicators.word import Indicator

INDICATORS: tuple[Indicator, ...] = (
    *AIR, *AIR_LIMITS, *WIND, *TRAFFIC, *COUNTS, *LOAD, *BUILDINGS, *WATCH,
)  # fmt: skip

POSITION: dict[str, int] = {indicator.name: number for number, indicator in enumerate(INDICATORS)}
"""Where each indicator stands in :data:`INDICATORS`: its number in columns."""
