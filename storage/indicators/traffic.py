"""Motor traffic: flow, speed, occupancy, peak hours."""

from __future__ import annotations

from storage.indicators.word import Indicator

TRAFFIC: tuple[Indicator, ...] = ()
