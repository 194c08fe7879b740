"""What serves all trades: what is unusual, and how well sensors speak.

Each has a line per trade, for figures are kept with the series they are about.
"""

from __future__ import annotations

from storage.catalogue import Domain
from storage.indicators.word import Indicator, Period, Subject

UNUSUAL_WORDS = ("as usual", "above the usual", "below the usual")

_ROBUST = (
    "Iglewicz and Hoaglin 1993, modified z score; median and MAD by hour of the week, the weeks"
    " before"
)
_COVERAGE = "Readings received of those that the step calls for"
_NEIGHBOURS = "Median of the other series of the metric in the territory; at least 3 of them"


def _lines(domain: Domain) -> tuple[Indicator, ...]:
    def line(
        name: str, unit: str, fr: str, en: str, de: str, source: str, *,
        period: Period = Period.DAY, public: bool = True, words: tuple[str, ...] = (),
    ) -> Indicator:  # fmt: skip
        return Indicator(
            f"{domain.value}_{name}", domain, Subject.SERIES, period, unit,
            {"fr": fr, "en": en, "de": de}, source, words=words, public=public,
        )  # fmt: skip

    # fmt: off
    return (
        line("unusual", "1", "Heure inhabituelle, en écarts-types", "Unusual hour, in standard deviations", "Ungewöhnliche Stunde, in Standardabweichungen", _ROBUST, period=Period.HOUR, public=False, words=UNUSUAL_WORDS),
        line("coverage", "%", "Mesures reçues sur attendues", "Readings received of those expected", "Empfangene von erwarteten Messwerten", _COVERAGE),
        line("good_share", "%", "Mesures sans réserve", "Readings without a doubt", "Messwerte ohne Vorbehalt", "QARTOD flags: good of those received"),
        line("availability", "%", "Heures où le capteur parle", "Hours in which the sensor speaks", "Stunden, in denen der Sensor spricht", "Hours with a reading, of all hours of the local day"),
        line("day_median", "", "Médiane du jour", "Median of the day", "Tagesmedian", "Median of the hourly values of the local day; 18 of them at least", public=False),
    )
    # fmt: on


WATCH: tuple[Indicator, ...] = (
    *_lines(Domain.AIR),
    *_lines(Domain.MOBILITY),
    *_lines(Domain.ENERGY),
    Indicator(
        "air_neighbour_difference", Domain.AIR, Subject.SERIES, Period.DAY, "",
        {"fr": "Écart aux voisins", "en": "Difference to the neighbours", "de": "Abstand zu den Nachbarn"},
        _NEIGHBOURS, public=False,
    ),
)  # fmt: skip
