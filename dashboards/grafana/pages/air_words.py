"""Classes, verdicts and laws of the air, as people read them, and their colours.

The words of the catalogue are the keys, so that a class nobody translated is an error here and
not an empty cell on a page.
"""

from __future__ import annotations

from dashboards.grafana.panel import Class, Step
from dashboards.grafana.text import Text, text
from dashboards.grafana.usual import said
from storage.indicators.air import ATMO_CLASSES, EAQI_CLASSES, THRESHOLD_LEVELS
from storage.indicators.limits import AHEAD, VERDICT_WORDS, Law

INDEX_COLORS = ("#50F0E6", "#50CCAA", "#F0E641", "#FF5050", "#960032", "#7D2181")
"""Classes 1 to 6 as the European Environment Agency paints its index; the French decree of
10 July 2020 took the same colours."""

GREEN, ORANGE, RED, GREY = "green", "orange", "red", "#8e8e8e"

_EAQI: dict[str, Text] = {
    "good": text("bon", "good", "gut"),
    "fair": text("correct", "fair", "akzeptabel"),
    "moderate": text("modéré", "moderate", "mäßig"),
    "poor": text("mauvais", "poor", "schlecht"),
    "very poor": text("très mauvais", "very poor", "sehr schlecht"),
    "extremely poor": text("extrêmement mauvais", "extremely poor", "extrem schlecht"),
}
_ATMO: dict[str, Text] = {
    "bon": text("bon", "good", "gut"),
    "moyen": text("moyen", "average", "mittel"),
    "dégradé": text("dégradé", "degraded", "beeinträchtigt"),
    "mauvais": text("mauvais", "bad", "schlecht"),
    "très mauvais": text("très mauvais", "very bad", "sehr schlecht"),
    "extrêmement mauvais": text("extrêmement mauvais", "extremely bad", "extrem schlecht"),
}


def _classes(names: tuple[str, ...], words: dict[str, Text]) -> tuple[Class, ...]:
    return tuple(
        Class(number, words[name], color)
        for number, (name, color) in enumerate(zip(names, INDEX_COLORS, strict=True), start=1)
    )


EAQI: tuple[Class, ...] = _classes(EAQI_CLASSES, _EAQI)
ATMO: tuple[Class, ...] = _classes(ATMO_CLASSES, _ATMO)

POOR = 1 + EAQI_CLASSES.index("poor")
"""From this class on somebody may have to be told."""

COUNT_STEPS = (Step(None, GREEN), Step(1, RED))
"""Of what should not be: none, or some."""

_LEVELS: dict[str, tuple[Text, str]] = {
    "information": (text("information", "information", "Information"), "yellow"),
    "persistence": (text("persistance", "persistence", "Fortdauer"), ORANGE),
    "alert": (text("alerte", "alert", "Alarm"), RED),
    "emergency_1": (text("alerte, 1er niveau", "alert, 1st level", "Alarm, 1. Stufe"), "dark-red"),
    "emergency_2": (text("alerte, 2e niveau", "alert, 2nd level", "Alarm, 2. Stufe"), "dark-red"),
    "emergency_3": (text("alerte, 3e niveau", "alert, 3rd level", "Alarm, 3. Stufe"), "purple"),
}
LEVELS: tuple[Class, ...] = (
    Class(0, text("aucun", "none", "keine"), GREEN),
    *(Class(1 + n, *_LEVELS[name]) for n, name in enumerate(THRESHOLD_LEVELS)),
)
"""Thresholds by the value of their figures."""

_VERDICTS: dict[str, tuple[Text, str]] = {
    "not enough data": (
        text("trop peu de mesures", "not enough data", "zu wenige Messwerte"), GREY,
    ),
    "respected": (text("respecté", "respected", "eingehalten"), GREEN),
    "respected as measured": (
        text("respecté, sauf lacunes", "respected, but for gaps", "eingehalten, bis auf Lücken"),
        "light-green",
    ),
    "exceedance possible": (
        text("dépassement possible", "exceedance possible", "Überschreitung möglich"), ORANGE,
    ),
    "exceeded for certain": (text("dépassé", "exceeded", "überschritten"), RED),
    "not exceeded so far": (
        text("pas dépassé à ce jour", "not exceeded so far", "bisher nicht überschritten"), GREEN,
    ),
}  # fmt: skip
_LATER = text(" (à venir)", " (to come)", " (künftig)")


def _verdict(code: int) -> Class:
    words, color = _VERDICTS[VERDICT_WORDS[code % AHEAD]]
    if code < AHEAD:
        return Class(code, words, color)
    return Class(code, {language: words[language] + _LATER[language] for language in words}, color)


VERDICTS: tuple[Class, ...] = tuple(_verdict(code) for code in range(len(VERDICT_WORDS)))
"""What is said of a limit, by its code."""

LAWS: dict[Law, Text] = {
    Law.EU_2008: text("UE (2008/50/CE)", "EU (2008/50/EC)", "EU (2008/50/EG)"),
    Law.EU_2030: text("UE dès 2030", "EU from 2030", "EU ab 2030"),
    Law.WHO_2021: text("OMS 2021", "WHO 2021", "WHO 2021"),
    Law.OWN: text("Ville", "City", "Stadt"),
}

LAW_COLORS: dict[Law, str] = {Law.EU_2008: RED, Law.EU_2030: ORANGE, Law.WHO_2021: "blue"}
"""Of the lines drawn across a course."""

RESERVATIONS = (
    "concat_ws(' · ', CASE WHEN provisional THEN "
    + said(text("provisoire", "provisional", "vorläufig"))
    + " END, CASE WHEN indicative THEN "
    + said(text("indicatif", "indicative", "orientierend"))
    + " END)"
)
"""What keeps a figure from being final, of its columns ``provisional`` and ``indicative``."""
