"""Buildings: degree days, signature, savings, carbon, comparison."""

from __future__ import annotations

from storage.indicators.word import Indicator

BUILDINGS: tuple[Indicator, ...] = ()
