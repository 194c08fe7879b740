"""What a class of the air means for people, in sentences of ours.

References
----------
.. [1] European Environment Agency, European Air Quality Index: health messages for the general
   population and for sensitive populations.
.. [2] Arrêté du 20 août 2014 relatif aux recommandations sanitaires en vue de prévenir les
   effets de la pollution de l'air sur la santé (code de l'environnement, article R. 221-4),
   annexe, as changed by arrêté du 13 mars 2018: thresholds of information and of alert.
"""

from __future__ import annotations

from datetime import datetime

from dashboards.board.air_index import EUROPEAN, FRENCH, pollutant_word
from dashboards.board.language import Language
from dashboards.board.views.air_rows import Passed

ADVISED = frozenset({EUROPEAN, FRENCH})
"""Indicators whose page says where the advice comes from."""

INFORMATION, PERSISTENCE, ALERT = 1, 2, 3
"""Levels of a threshold; above come levels of emergency, which are alerts too."""


def at_least(level: int) -> int:
    """The class whose advice a threshold calls for at least, whatever the hour says.

    >>> [at_least(level) for level in (0, 1, 2, 3, 6)]
    [0, 4, 4, 5, 5]
    """
    if level >= ALERT:
        return 5
    return 4 if level else 0


def everybody(grade: int, language: Language) -> str:
    """What whoever is well should do."""
    return (
        language.say("Everybody: enjoy the outdoors as usual."),
        language.say("Everybody: enjoy the outdoors as usual."),
        language.say("Everybody: go on as usual outdoors."),
        language.say("Everybody: if your eyes sting or you cough, take it easier outdoors."),
        language.say("Everybody: if your eyes sting or you cough, do without hard exercise "
                     "outdoors."),
        language.say("Everybody: exert yourself less outdoors."),
    )[grade - 1]  # fmt: skip


def sensitive(grade: int, language: Language) -> str:
    """What small children, pregnant women, older people and the sick should do."""
    return (
        language.say("Children, pregnant women, older or sick people: as usual too."),
        language.say("Children, pregnant women, older or sick people: as usual too."),
        language.say("Children, pregnant women, older or sick people: if you feel unwell, avoid "
                     "hard exercise outdoors."),
        language.say("Children, pregnant women, older or sick people: exert yourself less, above "
                     "all outdoors and if you feel unwell."),
        language.say("Children, pregnant women, older or sick people: no hard exercise, stay away "
                     "from busy roads; if you feel unwell, ask a doctor or pharmacist."),
        language.say("Children, pregnant women, older or sick people: no exercise outdoors; if "
                     "you feel unwell, ask a doctor or pharmacist."),
    )[grade - 1]  # fmt: skip


def advice_source(language: Language) -> str:
    """Whose advice it is."""
    return language.say(
        "The advice shown with it is in our words, after the health messages of the European "
        "Environment Agency and, on peaks of pollution, the French order of 20 August 2014 on "
        "health recommendations.")  # fmt: skip


def forecast_source(language: Language) -> str:
    """Whose forecast it is, and when it counts."""
    return language.say(
        "The class that the region's air quality association expects for tomorrow, as it was "
        "passed on to this city today. What came in yesterday speaks of today and is not shown.")  # fmt: skip


def unofficial(language: Language) -> str:
    """What the index is not."""
    return language.say("Computed from the city's sensors: not the official index.")


def origin(pollutant: str, language: Language) -> str:
    """Where a pollutant comes from."""
    return {
        "no2": language.say("mostly from exhaust fumes"),
        "o3": language.say("forms in sunshine"),
        "pm10": language.say("dust from heating, roads and building sites"),
        "pm25": language.say("mostly from wood fires and exhaust fumes"),
    }[pollutant]


def warning(one: Passed, place: str, timezone: str, now: datetime, language: Language) -> str:
    """That a measurement passed a threshold today; to declare an alert is not ours."""
    parts = [pollutant_word(one.metric, language), one.site_name, place]
    # A mean of the day is dated by the end of the day.
    if one.at is not None and one.at <= now:
        parts.append(language.clock(one.at, timezone))
    if one.indicative:
        parts.append(language.say("indicative measurement"))
    what = ", ".join(part for part in parts if part)
    if one.level >= ALERT:
        return language.say(
            "Strong pollution today: the alert threshold was passed ({what}). Only the "
            "authorities declare an alert.", what=what)  # fmt: skip
    if one.level == PERSISTENCE:
        return language.say("Pollution for the second day: the information threshold was passed "
                            "({what}).", what=what)  # fmt: skip
    return language.say(
        "Pollution today: the information threshold was passed ({what}).", what=what
    )
