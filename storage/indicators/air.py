"""Air quality: what the directive, the indices and the thresholds speak of."""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject

AIR: tuple[Indicator, ...] = (
    Indicator(
        "air_day_mean",
        Domain.AIR,
        Subject.SERIES,
        Period.AIR_DAY,
        "ug/m3",
        {"fr": "Moyenne journalière", "en": "Daily mean", "de": "Tagesmittel"},
        "Directive 2008/50/EC, annex XI: 75 % of the hours",
    ),
)
