"""Energy drawn: consumption, load curve, peaks, tariffs."""

from __future__ import annotations

from storage.indicators.word import Indicator

LOAD: tuple[Indicator, ...] = ()
