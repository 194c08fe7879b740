"""Air quality against the law: limit values, percentiles, indicative instruments."""

from __future__ import annotations

from storage.indicators.word import Indicator

AIR_LIMITS: tuple[Indicator, ...] = ()
