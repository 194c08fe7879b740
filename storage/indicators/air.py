"""Air quality: what the directive, the indices and the thresholds speak of.

Carbon monoxide has indicators of its own: it is told in mg/m3, everything else in ug/m3.
"""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject

INDEX_POLLUTANTS = ("no2", "o3", "pm10", "pm25", "so2")
"""Of both indices; bits of a code stand in this order."""

EAQI_CLASSES = ("good", "fair", "moderate", "poor", "very poor", "extremely poor")
ATMO_CLASSES = ("bon", "moyen", "dégradé", "mauvais", "très mauvais", "extrêmement mauvais")
"""Classes 1 to 6; the words of the decree, which are official in French."""

EAQI_METHODS = ("EAQI bands of 2017", "EAQI bands of 2019", "EAQI bands revised 2024")

THRESHOLD_LEVELS = (
    "information", "persistence", "alert", "emergency_1", "emergency_2", "emergency_3",
)  # fmt: skip
"""Levels 1 to 6 of a threshold figure."""

THRESHOLD_WORDS = (
    "no threshold passed",
    "information threshold passed",
    "information threshold passed on two days running",
    "alert threshold passed",
    "alert threshold passed, 1st level of emergency measures",
    "alert threshold passed, 2nd level of emergency measures",
    "alert threshold passed, 3rd level of emergency measures",
)

_UNKNOWN = "unknown"
_BITS = tuple(f"{role} {one}" for role in ("dominant", "used") for one in INDEX_POLLUTANTS)

_CAPTURE = "Directive 2008/50/EC, annexes VII and XI: 75 % of the hours"
_EAQI = "European Environment Agency, European Air Quality Index; ETC HE report 2024/17"
_ATMO = "Arrêté du 10 juillet 2020 relatif à l'indice de la qualité de l'air ambiant, annexe I"
_UG, _MG = "ug/m3", "mg/m3"


def _mean(name: str, period: Period, unit: str, fr: str, en: str, de: str) -> Indicator:
    labels = {"fr": fr, "en": en, "de": de}
    return Indicator(name, Domain.AIR, Subject.SERIES, period, unit, labels, _CAPTURE)


# fmt: off
AIR: tuple[Indicator, ...] = (
    _mean("air_hour_mean", Period.HOUR, _UG, "Moyenne horaire", "Hourly mean", "Stundenmittel"),
    _mean("co_hour_mean", Period.HOUR, _MG, "Monoxyde de carbone, moyenne horaire", "Carbon monoxide, hourly mean", "Kohlenmonoxid, Stundenmittel"),
    _mean("air_day_mean", Period.AIR_DAY, _UG, "Moyenne journalière", "Daily mean", "Tagesmittel"),
    _mean("co_day_mean", Period.AIR_DAY, _MG, "Monoxyde de carbone, moyenne journalière", "Carbon monoxide, daily mean", "Kohlenmonoxid, Tagesmittel"),
    _mean("air_day_max", Period.AIR_DAY, _UG, "Maximum horaire du jour", "Daily maximum of hourly means", "Höchstes Stundenmittel des Tages"),
    _mean("air_8h_mean", Period.HOUR, _UG, "Moyenne glissante sur 8 heures", "Running 8-hour mean", "Gleitendes 8-Stunden-Mittel"),
    _mean("co_8h_mean", Period.HOUR, _MG, "Monoxyde de carbone, moyenne glissante sur 8 heures", "Carbon monoxide, running 8-hour mean", "Kohlenmonoxid, gleitendes 8-Stunden-Mittel"),
    _mean("air_day_max_8h", Period.AIR_DAY, _UG, "Maximum journalier de la moyenne sur 8 heures", "Maximum daily 8-hour mean", "Höchstes 8-Stunden-Mittel des Tages"),
    _mean("co_day_max_8h", Period.AIR_DAY, _MG, "Monoxyde de carbone, maximum journalier de la moyenne sur 8 heures", "Carbon monoxide, maximum daily 8-hour mean", "Kohlenmonoxid, höchstes 8-Stunden-Mittel des Tages"),
    Indicator(
        "eaqi_sub", Domain.AIR, Subject.SERIES, Period.HOUR, "1",
        {"fr": "Indice européen de la qualité de l'air, sous-indice", "en": "European Air Quality Index, sub-index", "de": "Europäischer Luftqualitätsindex, Teilindex"},
        _EAQI, methods=EAQI_METHODS, words=(_UNKNOWN, *EAQI_CLASSES),
    ),
    Indicator(
        "eaqi", Domain.AIR, Subject.SITE, Period.HOUR, "1",
        {"fr": "Indice européen de la qualité de l'air, calculé ici", "en": "European Air Quality Index, computed here", "de": "Europäischer Luftqualitätsindex, hier berechnet"},
        _EAQI, methods=EAQI_METHODS, words=_BITS, bits=True, classes=EAQI_CLASSES,
    ),
    Indicator(
        "atmo_sub", Domain.AIR, Subject.SERIES, Period.DAY, "1",
        {"fr": "Qualité de l'air, sous-indice calculé, non officiel", "en": "Air quality in France, sub-index computed, not official", "de": "Luftqualität in Frankreich, Teilindex berechnet, nicht amtlich"},
        _ATMO, methods=("2021",), words=(_UNKNOWN, *ATMO_CLASSES),
    ),
    Indicator(
        "atmo_site", Domain.AIR, Subject.SITE, Period.DAY, "1",
        {"fr": "Qualité de l'air du lieu, indice calculé, non officiel", "en": "Air quality of the place in France, index computed, not official", "de": "Luftqualität des Ortes in Frankreich, Index berechnet, nicht amtlich"},
        _ATMO, methods=("2021",), words=_BITS, bits=True, classes=ATMO_CLASSES,
    ),
    Indicator(
        "atmo_territory", Domain.AIR, Subject.TERRITORY, Period.DAY, "1",
        {"fr": "Qualité de l'air du territoire, indice calculé, non officiel", "en": "Air quality of the territory in France, index computed, not official", "de": "Luftqualität des Gebiets in Frankreich, Index berechnet, nicht amtlich"},
        _ATMO, methods=("2021",), words=_BITS, bits=True, classes=ATMO_CLASSES,
    ),
    Indicator(
        "threshold_fr", Domain.AIR, Subject.SERIES, Period.DAY, "1",
        {"fr": "Seuil français franchi par la mesure", "en": "French threshold passed by the measurement", "de": "Vom Messwert überschrittene französische Schwelle"},
        "Code de l'environnement, article R. 221-1; arrêté du 7 avril 2016",
        methods=("R. 221-1", "configured"), words=THRESHOLD_WORDS,
    ),
    Indicator(
        "threshold_eu", Domain.AIR, Subject.SERIES, Period.DAY, "1",
        {"fr": "Seuil européen franchi par la mesure", "en": "European threshold passed by the measurement", "de": "Vom Messwert überschrittene europäische Schwelle"},
        "Directive 2008/50/EC, annex XII; directive (EU) 2024/2881, annex I section 4",
        methods=("2008/50/EC", "2024/2881", "configured"), words=THRESHOLD_WORDS,
    ),
)
# fmt: on
