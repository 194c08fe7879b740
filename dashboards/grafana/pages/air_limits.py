"""The law: what has been counted this year against what is allowed, and thresholds passed."""

from __future__ import annotations

from dataclasses import replace

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.moment import TO
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_thresholds import THRESHOLDS
from dashboards.grafana.pages.air_words import (
    COUNT_STEPS,
    LAWS,
    RED,
    RESERVATIONS,
    VERDICTS,
)
from dashboards.grafana.panel import VALUE, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.text import text
from storage.indicators.air_limits import AIR_LIMITS, AOT40_TARGET
from storage.indicators.limits import AHEAD, LIMITS, VERDICT_WORDS, Law, Window

_CERTAIN = VERDICT_WORDS.index("exceeded for certain")
_POSSIBLE = VERDICT_WORDS.index("exceedance possible")
_MEANS = (Window.YEAR, Window.SEASON)

_AOT40 = "eu2008_o3_aot40_vegetation"
_OWN_COUNTS = ("own_hours_over", "own_days_over", "own_8h_days_over")

# (indicator, law, limit): of counts how many are allowed, of means the highest. What a city
# allows itself is known to its settings only; its verdict is told.
COUNTED: tuple[tuple[str, Law, float | None], ...] = (
    *((one.name, one.law, float(one.allowed)) for one in LIMITS if one.window not in _MEANS),
    *((name, Law.OWN, None) for name in _OWN_COUNTS),
)
AVERAGED: tuple[tuple[str, Law, float | None], ...] = (
    *((one.name, one.law, one.value) for one in LIMITS if one.window in _MEANS),
    (_AOT40, Law.EU_2008, AOT40_TARGET),
    ("own_year_mean", Law.OWN, None),
)
_JUDGED = {name for name, _, _ in (*COUNTED, *AVERAGED)}
OTHER_YEARLY: tuple[str, ...] = tuple(
    one.name for one in AIR_LIMITS if one.period == "air_year" and one.name not in _JUDGED
)
"""Percentiles, annual means and what else a year gives that no law judges by itself."""


def _rows(limits: tuple[tuple[str, Law, float | None], ...]) -> str:
    return ",\n       ".join(
        f"('{name}', '{law}', {'NULL' if limit is None else limit}::float8)"
        for name, law, limit in limits
    )


# Years of figures begin at the regulator's midnight, a few hours from that of UTC. Told as days
# around it, so that the database reads those days and not the hours of a whole year.
_NEW_YEAR = f"date_trunc('year', {TO}, 'UTC')"
_YEAR = f"start > {_NEW_YEAR} - interval '1 day' AND start < {_NEW_YEAR} + interval '1 day'"
"""Figures of the year that the end of the range lies in."""


def _judged(limits: tuple[tuple[str, Law, float | None], ...]) -> str:
    """Figures of the year with what is allowed and the verdict as its code."""
    return (
        "SELECT f.territory, f.site, f.site_name, f.sensor, f.metric, f.label_@language AS words,\n"
        "       l.law, f.value, l.allowed, f.n, f.due, f.provisional, f.indicative,\n"
        "       array_position(c.words, f.words[1]) - 1 AS verdict\n"
        "  FROM reader.air_figures f\n"
        "  JOIN reader.indicators c USING (indicator)\n"
        f"  JOIN (VALUES {_rows(limits)}) AS l (indicator, law, allowed) USING (indicator)\n"
        f" WHERE f.indicator IN ({', '.join(repr(name) for name, _, _ in limits)})\n"
        f"   AND {_YEAR} AND {CHOSEN}"
    )


EXCEEDED = Panel(
    kind=Kind.STAT,
    title=text("Limites dépassées", "Limits exceeded", "Grenzwerte überschritten"),
    description=text(
        "Couples capteur et limite en vigueur, dépassés à coup sûr ou peut-être, dans l'année en"
        " cours. Le détail est dans les tableaux des dépassements.",
        "Pairs of sensor and limit in force that are exceeded, for certain or possibly, in the"
        " current year. Details are in the tables of exceedances.",
        "Paare aus Sensor und geltendem Grenzwert, die im laufenden Jahr sicher oder möglicherweise"
        " überschritten sind. Einzelheiten in den Tabellen der Überschreitungen.",
    ),
    sql=(
        "SELECT CASE WHEN count(*) > 0\n"
        f"            THEN count(*) FILTER (WHERE verdict IN ({_POSSIBLE}, {_CERTAIN})) END AS value\n"
        f"  FROM (\n{_judged(tuple(one for one in (*COUNTED, *AVERAGED) if one[1] is not Law.WHO_2021))}\n"
        f") j WHERE verdict < {AHEAD}"
    ),
    columns={"value": VALUE},
    unit="none",
    steps=COUNT_STEPS,
    quiet=text(
        "Rien n'est encore compté cette année.",
        "Nothing has been counted this year yet.",
        "Dieses Jahr ist noch nichts gezählt.",
    ),
    span=8,
    height=3,
)  # fmt: skip

_VERDICT = Column(Type.NUMBER, text("Verdict", "Verdict", "Urteil"), classes=VERDICTS, width=230)
_NAMES = {
    **PLACE,
    "site_name": replace(PLACE["site_name"], width=170),
    "sensor": replace(SENSOR, width=130),
    "rule": Column(Type.TEXT, text("Limite", "Limit", "Grenzwert")),
}
_KNOWN = Column(
    Type.NUMBER, text("Mesuré", "Measured", "Gemessen"), unit="percent", decimals=0, width=90
)
SHARE = Column(
    Type.NUMBER, text("De la limite", "Of the limit", "Vom Grenzwert"), unit="percent", decimals=0,
    gauge=True, width=140, steps=(Step(None, "green"), Step(80, "orange"), Step(100.01, RED)),
)  # fmt: skip
_MARKS = Column(Type.TEXT, text("Réserves", "Reservations", "Vorbehalte"), width=130)
_NONE_YET = text(
    "Aucun polluant de ces limites n'est mesuré cette année dans ces lieux.",
    "No pollutant of these limits has been measured this year at these sites.",
    "Kein Schadstoff dieser Grenzwerte wurde dieses Jahr an diesen Orten gemessen.",
)


def _counters(law: Law, height: int) -> Panel:
    """Exceedances of one law (and the city's own), the nearest to what is allowed first."""
    laws = (Law.EU_2008, Law.OWN) if law is Law.EU_2008 else (law,)
    names = LAWS[law]
    return Panel(
        kind=Kind.TABLE,
        title=text(
            f"Dépassements de l'année : {names['fr']}",
            f"Exceedances of the year: {names['en']}",
            f"Überschreitungen des Jahres: {names['de']}",
        ),
        description=text(
            "Heures ou jours au-dessus de la limite depuis le 1er janvier, à côté du nombre permis ;"
            " « reste » : combien sont encore permis, en rouge quand c'est trop. Le verdict tient"
            " compte de ce qui manque. Au plus 200 lignes.",
            "Hours or days above the limit since 1 January beside the number allowed; left: how many"
            " are still allowed, red once it is too many. The verdict allows for what is missing."
            " At most 200 rows.",
            "Stunden oder Tage über dem Grenzwert seit dem 1. Januar neben der erlaubten Zahl; übrig:"
            " wie viele noch erlaubt sind, rot wenn es zu viele sind. Das Urteil berücksichtigt, was"
            " fehlt. Höchstens 200 Zeilen.",
        ),
        sql=(
            "SELECT territory, site, site_name, sensor, words AS rule, verdict, value::float8 AS value,\n"
            "       allowed, (allowed - value)::float8 AS still,\n"
            "       (100.0 * value / nullif(allowed, 0))::float8 AS share,\n"
            f"       (100.0 * n / nullif(due, 0))::float8 AS known, {RESERVATIONS} AS marks\n"
            f"  FROM (\n{_judged(tuple(one for one in COUNTED if one[1] in laws))}\n) j\n"
            f" ORDER BY CASE verdict % {AHEAD} WHEN {_CERTAIN} THEN 0 WHEN {_POSSIBLE} THEN 1 ELSE 2 END,\n"
            "          value / nullif(allowed, 0) DESC NULLS LAST, site_name, sensor, words\n"
            " LIMIT 200"
        ),
        columns={
            **_NAMES,
            "verdict": _VERDICT,
            "value": Column(Type.NUMBER, text("Compté", "Counted", "Gezählt"), unit="none", width=90),
            "allowed": Column(Type.NUMBER, text("Permis", "Allowed", "Erlaubt"), unit="none", width=90),
            "still": Column(
                Type.NUMBER, text("Reste", "Left", "Übrig"), unit="none", width=90,
                steps=(Step(None, RED), Step(0, "green")),
            ),
            "share": SHARE,
            "known": _KNOWN,
            "marks": _MARKS,
        },
        unit="none",
        quiet=_NONE_YET,
        span=24,
        height=height,
    )  # fmt: skip


_YEAR_MEANS = Panel(
    kind=Kind.TABLE,
    title=text("Moyennes de l'année et limites", "Means of the year and limits", "Jahresmittel und Grenzwerte"),
    description=text(
        "Moyenne depuis le 1er janvier (ou de la saison de pointe) à côté de la limite, toutes lois."
        " Sans valeur tant que trop peu est mesuré. L'année en cours est provisoire.",
        "Mean since 1 January (or of the peak season) beside the limit, all laws. Without a value"
        " while too little is measured. The current year is provisional.",
        "Mittel seit dem 1. Januar (oder der Spitzensaison) neben dem Grenzwert, alle Gesetze. Ohne"
        " Wert, solange zu wenig gemessen ist. Das laufende Jahr ist vorläufig.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, words AS rule, verdict, value::float8 AS value,\n"
        "       allowed, (100.0 * value / nullif(allowed, 0))::float8 AS share,\n"
        f"       (100.0 * n / nullif(due, 0))::float8 AS known, {RESERVATIONS} AS marks\n"
        f"  FROM (\n{_judged(AVERAGED)}\n) j\n"
        " ORDER BY value / nullif(allowed, 0) DESC NULLS LAST, site_name, sensor, words\n"
        " LIMIT 200"
    ),
    columns={
        **_NAMES,
        "verdict": _VERDICT,
        "value": Column(Type.NUMBER, text("Moyenne", "Mean", "Mittel"), unit="none", decimals=1, width=90),
        "allowed": Column(Type.NUMBER, text("Au plus", "At most", "Höchstens"), unit="none", width=90),
        "share": SHARE,
        "known": _KNOWN,
        "marks": _MARKS,
    },
    unit="none",
    quiet=_NONE_YET,
    span=24,
    height=10,
)  # fmt: skip

_YEAR_OTHERS = Panel(
    kind=Kind.TABLE,
    title=text("Percentiles et autres valeurs de l'année", "Percentiles and other values of the year", "Perzentile und andere Werte des Jahres"),
    description=text(
        "Percentiles, moyennes annuelles, AOT40 et jours au-dessus de 120 µg/m³, tels que les"
        " rapports réglementaires les demandent.",
        "Percentiles, annual means, AOT40 and days above 120 µg/m³ as regulatory reports ask for.",
        "Perzentile, Jahresmittel, AOT40 und Tage über 120 µg/m³, wie amtliche Berichte sie"
        " verlangen.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, label_@language AS rule, value::float8 AS value,\n"
        f"       (100.0 * n / nullif(due, 0))::float8 AS known, {RESERVATIONS} AS marks\n"
        "  FROM reader.air_figures f\n"
        f" WHERE indicator IN ({', '.join(repr(name) for name in OTHER_YEARLY)})\n"
        f"   AND {_YEAR} AND {CHOSEN}\n"
        " ORDER BY site_name, sensor, label_@language LIMIT 500"
    ),
    columns={
        **_NAMES,
        "value": Column(Type.NUMBER, text("Valeur", "Value", "Wert"), unit="none", decimals=1, width=100),
        "known": _KNOWN,
        "marks": _MARKS,
    },
    unit="none",
    quiet=_NONE_YET,
    span=24,
    height=10,
)  # fmt: skip


LIMITS_OF_THE_YEAR = Section(
    text("Dépassements et seuils", "Exceedances and thresholds", "Überschreitungen und Schwellen"),
    (THRESHOLDS, _counters(Law.EU_2008, 10), _YEAR_MEANS),
)
LIMITS_AHEAD = Section(
    text("Limites de 2030, OMS, percentiles", "Limits of 2030, WHO, percentiles", "Grenzwerte ab 2030, WHO, Perzentile"),
    (_counters(Law.EU_2030, 10), _counters(Law.WHO_2021, 10), _YEAR_OTHERS),
    folded=True,
)  # fmt: skip
