"""Every word and number format of the board, in French, English and German."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

NARROW_SPACE, NO_BREAK = "\u202f", "\u00a0"

# French numbers group by a narrow no-break space (Imprimerie nationale), German by points.
_GROUP = {"fr": NARROW_SPACE, "en": ",", "de": "."}
_DECIMAL = {"fr": ",", "en": ".", "de": ","}

# UCUM -> what people read.
_UNITS = {
    "1": "", "ug/m3": "µg/m³", "mg/m3": "mg/m³", "Cel": "°C", "deg": "°", "h-1": "/h",
    "kW.h": "kWh", "m3": "m³", "kV.A": "kVA",
}  # fmt: skip

_MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}
_SHORT_MONTHS = {
    "fr": "janv. févr. mars avr. mai juin juill. août sept. oct. nov. déc.",
    "en": "Jan Feb March April May June July Aug Sept Oct Nov Dec",
    "de": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
}
_WEEKDAYS = {
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
}

WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "language": "Français",
        "title": "Le beffroi",
        "whole": "Toute l'installation",
        "air": "Air", "mobility": "Déplacements", "energy": "Énergie",
        "now": "en ce moment", "hour": "dernière heure", "today": "aujourd'hui",
        "mean_today": "moyenne du jour", "last_hour": "dernière heure",
        "none": "pas de mesure", "fewer": "moins de {0}", "about": "environ {0}",
        "age_now": "à l'instant", "age_min": "il y a {0} min",
        "age_h": "il y a {0} h", "age_d": "il y a {0} j",
        "fresh": "à jour", "late": "en retard", "stale": "donnée du {0}", "absent": "sans donnée",
        "sensors": "{0} capteurs sur {1}", "sensor": "{0} capteur sur {1}",
        "share": "{0} des mesures reçues",
        "curve": "{0}, 24 dernières heures : de {1} à {2}.",
        "curve_gaps": "{0}, 24 dernières heures : de {1} à {2}, {3} sans mesure.",
        "curve_empty": "{0}, 24 dernières heures : pas de mesure.",
        "table": "Les 24 dernières heures en tableau", "time": "Heure",
        "others": "Autres mesures", "measure": "Mesure", "value": "Valeur", "age": "Âge",
        "received": "Reçu", "places": "Par commune", "place": "Commune",
        "empty_title": "Le beffroi est prêt.",
        "empty": "Aucun capteur n'est encore inscrit. Dès qu'un capteur parlera, ses mesures "
                 "paraîtront ici.",
        "away": "Base de données injoignable : dernières données connues, de {0}.",
        "never": "Les données ne sont pas encore accessibles. Cette page réessaie seule.",
        "lost": "Sans nouvelles du serveur depuis {0} : données affichées de ce moment.",
        "curves": "Courbes : les 24 dernières heures.",
        "foot": "Les comptages de 1 à 4 sont affichés « moins de 5 ». "
                "Une mesure absente n'est jamais un zéro.",
        "data": "Données (JSON)", "back": "Toute l'installation",
        "clock": "Horloge du beffroi", "languages": "Langues", "skip": "Aller aux mesures",
        "unknown": "Ce lieu n'existe pas ici.",
    },
    "en": {
        "language": "English",
        "title": "The belfry",
        "whole": "Whole installation",
        "air": "Air", "mobility": "Getting around", "energy": "Energy",
        "now": "right now", "hour": "last hour", "today": "today",
        "mean_today": "today's mean", "last_hour": "last hour",
        "none": "no measurement", "fewer": "fewer than {0}", "about": "about {0}",
        "age_now": "just now", "age_min": "{0} min ago", "age_h": "{0} h ago",
        "age_d": "{0} d ago",
        "fresh": "up to date", "late": "late", "stale": "data of {0}", "absent": "no data",
        "sensors": "{0} of {1} sensors", "sensor": "{0} of {1} sensor",
        "share": "{0} received",
        "curve": "{0}, last 24 hours: from {1} to {2}.",
        "curve_gaps": "{0}, last 24 hours: from {1} to {2}, {3} without measurement.",
        "curve_empty": "{0}, last 24 hours: no measurement.",
        "table": "The last 24 hours as a table", "time": "Time",
        "others": "Other measurements", "measure": "Measurement", "value": "Value", "age": "Age",
        "received": "Received", "places": "By commune", "place": "Commune",
        "empty_title": "The belfry is ready.",
        "empty": "No sensor is registered yet. As soon as one speaks, its measurements "
                 "will appear here.",
        "away": "Database out of reach: last known data, of {0}.",
        "never": "The data cannot be reached yet. This page tries again by itself.",
        "lost": "No news from the server since {0}: the data shown are of that moment.",
        "curves": "Curves: the last 24 hours.",
        "foot": "Counts from 1 to 4 are shown as “fewer than 5”. "
                "A missing measurement is never a zero.",
        "data": "Data (JSON)", "back": "Whole installation",
        "clock": "Belfry clock", "languages": "Languages", "skip": "Go to the measurements",
        "unknown": "There is no such place here.",
    },
    "de": {
        "language": "Deutsch",
        "title": "Der Glockenturm",
        "whole": "Gesamte Anlage",
        "air": "Luft", "mobility": "Unterwegs", "energy": "Energie",
        "now": "gerade jetzt", "hour": "letzte Stunde", "today": "heute",
        "mean_today": "Tagesmittel", "last_hour": "letzte Stunde",
        "none": "keine Messung", "fewer": "weniger als {0}", "about": "etwa {0}",
        "age_now": "gerade eben", "age_min": "vor {0} Min.", "age_h": "vor {0} Std.",
        "age_d": "vor {0} T.",
        "fresh": "aktuell", "late": "verspätet", "stale": "Wert vom {0}", "absent": "ohne Daten",
        "sensors": "{0} von {1} Sensoren", "sensor": "{0} von {1} Sensor",
        "share": "{0} empfangen",
        "curve": "{0}, letzte 24 Stunden: von {1} bis {2}.",
        "curve_gaps": "{0}, letzte 24 Stunden: von {1} bis {2}, {3} ohne Messung.",
        "curve_empty": "{0}, letzte 24 Stunden: keine Messung.",
        "table": "Die letzten 24 Stunden als Tabelle", "time": "Uhrzeit",
        "others": "Weitere Messwerte", "measure": "Messgröße", "value": "Wert", "age": "Alter",
        "received": "Empfangen", "places": "Nach Gemeinde", "place": "Gemeinde",
        "empty_title": "Der Glockenturm ist bereit.",
        "empty": "Noch ist kein Sensor angemeldet. Sobald einer spricht, erscheinen seine "
                 "Messwerte hier.",
        "away": "Datenbank nicht erreichbar: letzte bekannte Daten, vom {0}.",
        "never": "Die Daten sind noch nicht erreichbar. Diese Seite versucht es selbst erneut.",
        "lost": "Keine Nachricht vom Server seit {0}: die Daten sind von diesem Zeitpunkt.",
        "curves": "Kurven: die letzten 24 Stunden.",
        "foot": "Zählwerte von 1 bis 4 erscheinen als „weniger als 5“. "
                "Eine fehlende Messung ist nie eine Null.",
        "data": "Daten (JSON)", "back": "Gesamte Anlage",
        "clock": "Turmuhr", "languages": "Sprachen", "skip": "Zu den Messwerten",
        "unknown": "Diesen Ort gibt es hier nicht.",
    },
}  # fmt: skip


def number(value: float, language: str, decimals: int = 0) -> str:
    """A number as the language writes it; halves round away from zero, as people do.

    >>> number(12345.5, "de"), number(-0.04, "en", 1), number(8.25, "fr", 1)
    ('12.346', '0.0', '8,3')
    """
    scaled = math.floor(abs(value) * 10**decimals + 0.5)
    whole, fraction = divmod(scaled, 10**decimals)
    text = f"{whole:,}".replace(",", _GROUP[language])
    if decimals:
        text += _DECIMAL[language] + f"{fraction:0{decimals}d}"
    return ("\u2212" if value < 0 and scaled else "") + text


def measured(value: float, unit: str, kind: str, language: str) -> str:
    """A value with as many decimals as are worth reading, without its unit.

    >>> measured(7.44, "ug/m3", "gauge", "fr"), measured(0.25, "1", "state", "en")
    ('7,4', '25')
    """
    if kind == "state":
        return number(100 * value, language)
    if unit == "1":
        return number(value, language)
    decimals = 1 if unit == "Cel" or abs(value) < 9.95 else 0
    return number(value, language, decimals)


def unit_sign(unit: str, kind: str) -> str:
    """What to print after a value; a state is shown as the share of time it held."""
    return "%" if kind == "state" else _UNITS.get(unit, unit)


def share(part: float, language: str) -> str:
    """A fraction in per cent; English sets no space before the sign.

    >>> share(0.985, "en")
    '98%'
    """
    # Down, so that a gap never rounds to a full 100 %.
    text = number(math.floor(100 * part + 1e-9), language)
    return f"{text}%" if language == "en" else f"{text}{NO_BREAK}%"


def age(age_s: float, words: Mapping[str, str]) -> str:
    """An age in words, rounded down.

    >>> age(185, WORDS["fr"]), age(59, WORDS["en"]), age(90000, WORDS["de"])
    ('il y a 3 min', 'just now', 'vor 1 T.')
    """
    if age_s < 60:
        return words["age_now"]
    if age_s < 3600:
        return words["age_min"].format(int(age_s // 60))
    if age_s < 86400:
        return words["age_h"].format(int(age_s // 3600))
    return words["age_d"].format(int(age_s // 86400))


def clock(time: datetime, timezone: str) -> str:
    """Local wall-clock time."""
    return time.astimezone(ZoneInfo(timezone)).strftime("%H:%M")


def date(time: datetime, timezone: str, language: str) -> str:
    """Local date with its weekday.

    >>> from datetime import UTC
    >>> date(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Europe/Paris", "fr")
    'lundi 2 mars 2026'
    """
    local = time.astimezone(ZoneInfo(timezone))
    weekday = _WEEKDAYS[language].split()[local.weekday()]
    day = _day(local, language, _MONTHS)
    comma = "" if language == "fr" else ","
    return f"{weekday}{comma} {day} {local.year}"


def moment(time: datetime, timezone: str, language: str) -> str:
    """Local date and time without the year.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 3, 12, 13, 5, tzinfo=UTC), "Europe/Paris", "fr")
    '12 mars 14:05'
    """
    local = time.astimezone(ZoneInfo(timezone))
    return f"{_day(local, language, _SHORT_MONTHS)} {local:%H:%M}"


def _day(local: datetime, language: str, months: Mapping[str, str]) -> str:
    number_of_day = {"fr": "1er" if local.day == 1 else str(local.day),
                     "en": str(local.day), "de": f"{local.day}."}[language]  # fmt: skip
    return f"{number_of_day} {months[language].split()[local.month - 1]}"
