"""Air quality against the law: limit values, percentiles, low-cost particle sensors."""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.limits import (
    DAYS_OVER_120,
    LIMITS,
    STATISTICS,
    VERDICT_WORDS,
    Law,
    Limit,
    Window,
    statistic_name,
)
from storage.indicators.particles import CORRECTED_WORDS, CORRECTIONS, FAULT_WORDS
from storage.indicators.word import Indicator, Period, Subject

_UG, _MG = "ug/m3", "mg/m3"
_GAS = {"no2": "NO₂", "nox": "NOx", "so2": "SO₂", "co": "CO", "o3": "O₃", "pm10": "PM10", "pm25": "PM2,5"}  # fmt: skip
_LAWS: dict[Law, tuple[str, str, str, str]] = {
    Law.EU_2008: (
        "directive 2008/50/CE", "Directive 2008/50/EC", "Richtlinie 2008/50/EG",
        "Directive 2008/50/EC, annexes VII, XI, XIII and XIV; (EU) 2024/2881, annex I table 2",
    ),
    Law.EU_2030: (
        "directive (UE) 2024/2881", "Directive (EU) 2024/2881", "Richtlinie (EU) 2024/2881",
        "Directive (EU) 2024/2881, annex I table 1 and section 2",
    ),
    Law.WHO_2021: (
        "lignes directrices OMS 2021", "WHO guidelines 2021", "WHO-Leitlinien 2021",
        "WHO global air quality guidelines 2021, table 0.1",
    ),
    Law.OWN: ("", "", "", ""),
}  # fmt: skip
_PARTS: dict[Window, tuple[str, str, str]] = {
    Window.HOUR: ("heures", "hours", "Stunden"),
    Window.DAY: ("jours", "days", "Tage"),
    Window.EIGHT_HOURS: (
        "jours dont le maximum sur 8 heures est",
        "days with a maximum 8-hour mean",
        "Tage mit höchstem 8-Stunden-Mittel",
    ),
}
_MEANS: dict[Window, tuple[str, str, str]] = {
    Window.HOUR: ("moyennes horaires", "hourly means", "Stundenmittel"),
    Window.DAY: ("moyennes journalières", "daily means", "Tagesmittel"),
    Window.EIGHT_HOURS: (
        "maxima journaliers sur 8 heures",
        "maximum daily 8-hour means",
        "höchsten 8-Stunden-Mittel der Tage",
    ),
}
_AIMS = {
    "health": ("", "", ""),
    "vegetation": (", végétation", ", vegetation", ", Vegetation"),
    "long_term": (", objectif à long terme", ", long-term objective", ", langfristiges Ziel"),
}


def unit_of(pollutant: str) -> str:
    """The unit a pollutant's limits are written in."""
    return _MG if pollutant == "co" else _UG


def _say(pollutant: str, fr: str, en: str, de: str) -> dict[str, str]:
    name = _GAS[pollutant]
    return {
        "fr": f"{name} : {fr}",
        "en": f"{name.replace(',', '.')}: {en}",
        "de": f"{name}: {de}",
    }


def _yearly(
    name: str, unit: str, labels: dict[str, str], source: str, words: tuple[str, ...] = ()
) -> Indicator:
    return Indicator(
        name, Domain.AIR, Subject.SERIES, Period.AIR_YEAR, unit, labels, source, words=words
    )


def _of(limit: Limit) -> Indicator:
    """The line of one limit: a count of exceedances, or a mean of a year."""
    unit = unit_of(limit.pollutant)
    plain = unit.replace("ug/m3", "µg/m³").replace("mg/m3", "mg/m³")
    fr, en, de, source = _LAWS[limit.law]
    over, aim = f"{limit.value:g} {plain}", _AIMS[limit.aim]
    if limit.window in (Window.YEAR, Window.SEASON):
        season = limit.window is Window.SEASON
        mean = (
            "moyenne de la saison de pointe",
            "mean of the peak season",
            "Mittel der Spitzensaison",
        )
        year = ("moyenne annuelle", "annual mean", "Jahresmittel")
        what = mean if season else year
        labels = _say(
            limit.pollutant,
            f"{what[0]} (au plus {over}, {fr}{aim[0]})",
            f"{what[1]} (at most {over}, {en}{aim[1]})",
            f"{what[2]} (höchstens {over}, {de}{aim[2]})",
        )
        return _yearly(limit.name, unit, labels, source, VERDICT_WORDS)
    part = _PARTS[limit.window]
    three = (", moyenne de 3 ans", ", mean of 3 years", ", Mittel aus 3 Jahren")
    span = three if limit.years > 1 else ("", "", "")
    labels = _say(
        limit.pollutant,
        f"{part[0]} au-dessus de {over} ({limit.allowed} au plus{span[0]}, {fr}{aim[0]})",
        f"{part[1]} above {over} (at most {limit.allowed}{span[1]}, {en}{aim[1]})",
        f"{part[2]} über {over} (höchstens {limit.allowed}{span[2]}, {de}{aim[2]})",
    )
    return _yearly(limit.name, "1", labels, source, VERDICT_WORDS)


def _statistic(pollutant: str, window: Window, percentile: int) -> Indicator:
    share, (fr, en, de) = f"{percentile / 100:g}", _MEANS[window]
    comma = share.replace(".", ",")
    labels = _say(
        pollutant,
        f"percentile {comma} des {fr} de l'année",
        f"{share} percentile of the year's {en}",
        f"{comma}-Perzentil der {de} des Jahres",
    )
    source = "Council Decision 97/101/EC: rank k = q·N; Directive 2008/50/EC, annex I"
    return _yearly(
        statistic_name(pollutant, window, percentile), unit_of(pollutant), labels, source
    )


_DATA = "Directive 2008/50/EC, annex XI B and VII A.2; (EU) 2024/2881, annex V: share of the year"
_AOT = "Directive 2008/50/EC, annex VII A: AOT40, May to July, 8:00 to 20:00 CET, 90 % of the hours"
_OWN = "[[air.limit]] of city.toml"

AOT40_TARGET = 18_000.0
"""Mean of five years; 6,000 in a year is the long-term objective. [ug.h/m3]"""

# fmt: off
_OTHERS: tuple[Indicator, ...] = (
    _yearly("air_year_mean", _UG, {"fr": "Moyenne annuelle", "en": "Annual mean", "de": "Jahresmittel"}, _DATA),
    _yearly("co_year_mean", _MG, {"fr": "Monoxyde de carbone, moyenne annuelle", "en": "Carbon monoxide, annual mean", "de": "Kohlenmonoxid, Jahresmittel"}, _DATA),
    _yearly(DAYS_OVER_120, "1", {"fr": "O₃ : jours dont le maximum sur 8 heures dépasse 120 µg/m³", "en": "O₃: days with a maximum 8-hour mean above 120 µg/m³", "de": "O₃: Tage mit höchstem 8-Stunden-Mittel über 120 µg/m³"}, "Directive 2008/50/EC, annex VII"),
    _yearly("o3_aot40", "ug.h/m3", {"fr": "O₃ : AOT40, mai à juillet", "en": "O₃: AOT40, May to July", "de": "O₃: AOT40, Mai bis Juli"}, _AOT),
    _yearly("eu2008_o3_aot40_vegetation", "ug.h/m3", {"fr": "O₃ : AOT40, moyenne de 5 ans (au plus 18 000 µg/m³·h, végétation)", "en": "O₃: AOT40, mean of 5 years (at most 18,000 µg/m³·h, vegetation)", "de": "O₃: AOT40, Mittel aus 5 Jahren (höchstens 18.000 µg/m³·h, Vegetation)"}, "Directive 2008/50/EC, annex VII B; (EU) 2024/2881, annex I section 2", VERDICT_WORDS),
    _yearly("own_hours_over", "1", {"fr": "Heures au-dessus de la limite de la ville", "en": "Hours above the city's own limit", "de": "Stunden über dem Grenzwert der Stadt"}, _OWN, VERDICT_WORDS),
    _yearly("own_days_over", "1", {"fr": "Jours au-dessus de la limite de la ville", "en": "Days above the city's own limit", "de": "Tage über dem Grenzwert der Stadt"}, _OWN, VERDICT_WORDS),
    _yearly("own_8h_days_over", "1", {"fr": "Jours dont le maximum sur 8 heures dépasse la limite de la ville", "en": "Days with a maximum 8-hour mean above the city's own limit", "de": "Tage mit höchstem 8-Stunden-Mittel über dem Grenzwert der Stadt"}, _OWN, VERDICT_WORDS),
    _yearly("own_year_mean", _UG, {"fr": "Moyenne annuelle, limite de la ville", "en": "Annual mean, the city's own limit", "de": "Jahresmittel, Grenzwert der Stadt"}, _OWN, VERDICT_WORDS),
    Indicator("nox_as_no2", Domain.AIR, Subject.SERIES, Period.HOUR, _UG, {"fr": "NOx calculés de NO et NO₂, en équivalent NO₂", "en": "NOx from NO and NO₂, as NO₂", "de": "NOx aus NO und NO₂, als NO₂"}, "Directive (EU) 2024/2881, article 4(8)"),
    Indicator("pm_corrected", Domain.AIR, Subject.SERIES, Period.HOUR, _UG, {"fr": "Particules, corrigées de l'humidité (mesure indicative)", "en": "Particles, corrected for humidity (indicative)", "de": "Feinstaub, feuchtekorrigiert (orientierend)"}, "Crilley et al. 2018, Atmos. Meas. Tech. 11, 709; Barkjohn et al. 2021, Atmos. Meas. Tech. 14, 4617", methods=CORRECTIONS, words=CORRECTED_WORDS),
    Indicator("pm_plausible", Domain.AIR, Subject.SERIES, Period.HOUR, "1", {"fr": "Capteur de particules plausible", "en": "Particle sensor plausible", "de": "Feinstaubsensor plausibel"}, "Nova Fitness, SDS011 specification; Atmos. Meas. Tech. 17, 6735 (2024)", words=FAULT_WORDS, bits=True),
)
# fmt: on

AIR_LIMITS: tuple[Indicator, ...] = (
    *(_of(limit) for limit in LIMITS),
    *(_statistic(*one) for one in STATISTICS),
    *_OTHERS,
)
