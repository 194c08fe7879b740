"""What serves all trades: profiles, anomalies, the health of sensors."""

from __future__ import annotations

from storage.indicators.word import Indicator

WATCH: tuple[Indicator, ...] = ()
