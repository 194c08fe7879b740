"""Counted over a year: AADT, weekday profiles, bikes, people, parking, shared vehicles."""

from __future__ import annotations

from storage.indicators.word import Indicator

COUNTS: tuple[Indicator, ...] = ()
