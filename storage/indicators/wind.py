"""The wind as a vector: where a day's air came from."""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject

_WMO = "WMO-No. 8, volume I, chapter 5: vector average of the wind"
_METHODS = ("hourly directions weighted by hourly mean speeds",)


def _w(name: str, unit: str, fr: str, en: str, de: str) -> Indicator:
    return Indicator(
        name, Domain.AIR, Subject.SERIES, Period.AIR_DAY, unit, {"fr": fr, "en": en, "de": de},
        _WMO, _METHODS,
    )  # fmt: skip


# fmt: off
WIND: tuple[Indicator, ...] = (
    _w("wind_day_direction", "deg", "Direction du vent de la journée", "Wind direction of the day", "Windrichtung des Tages"),
    _w("wind_day_speed", "m/s", "Vitesse vectorielle du vent de la journée", "Vector wind speed of the day", "Vektorielle Windgeschwindigkeit des Tages"),
    _w("wind_day_steadiness", "1", "Constance du vent de la journée", "Steadiness of the day's wind", "Windbeständigkeit des Tages"),
)
# fmt: on
