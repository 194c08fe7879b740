"""Mobility review: flows by site against the weeks before, roads, parking, yearly figures."""

from __future__ import annotations

from dashboards.grafana.folded import any_indicator, any_metric, indicators_of
from dashboards.grafana.moment import open_alerts, unusual_hours
from dashboards.grafana.page import Page, Section
from dashboards.grafana.pages.mobility_flows import (
    AGAINST_WEEKS,
    COUNTS,
    DIFFERENCE_STEPS,
    FLOWS,
    NO_COUNTER,
    PASSING,
    changes,
    passages,
)
from dashboards.grafana.pages.mobility_places import PLACES
from dashboards.grafana.pages.mobility_roads import ROADS, STATES
from dashboards.grafana.pages.mobility_years import TYPICAL_DAYS, YEARS
from dashboards.grafana.panel import Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import (
    CHOSEN,
    MEASURES,
    OUTAGES,
    TERRITORY,
    metrics_of,
    sites_of,
)
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import BY_NAME, Domain

_ANY = (Step(None, "green"), Step(1, "orange"))
_SATURATED = next(state.value for state in STATES if state.label["en"] == "saturated")


def _label(metric: str) -> Text:
    return dict(BY_NAME[metric].labels)


_ACT = Panel(
    kind=Kind.STAT,
    title=text("Faut-il agir ?", "Does anybody have to act?", "Ist etwas zu tun?"),
    description=text(
        "Capteurs de mobilité muets (alerte ouverte) : les relancer, page Capteurs. Heures inhabituelles des 24 dernières heures de la période : tableau plus bas. Capteurs dont la dernière heure est saturée ou bloquée : routes. Parkings qui ont dépassé 90 % (ou full_percent) le dernier jour clos. Inconnu : non mesuré, pas encore assez de semaines, ou le processeur ne tourne pas.",
        "Silent mobility sensors (open alert): see to them, sensors page. Unusual hours of the last 24 hours of the range: table below. Sensors whose last hour is saturated or blocked: roads. Car parks that exceeded 90 % (or full_percent) on the last closed day. Unknown: not measured, not yet enough weeks, or the processor is not running.",
        "Stumme Verkehrssensoren (offene Meldung): nachsehen, Seite Sensoren. Ungewöhnliche Stunden der letzten 24 Stunden des Zeitraums: Tabelle unten. Sensoren mit gesättigter oder stockender letzter Stunde: Straßen. Parkhäuser über 90 % (oder full_percent) am letzten abgeschlossenen Tag. Unbekannt: nicht gemessen, noch zu wenige Wochen, oder der Prozessor läuft nicht.",
    ),
    sql=(
        "SELECT a.value AS silent, u.value AS unusual, s.saturated, p.full_parks\n"
        "  FROM (" + open_alerts("count(*)", f"domain = 'mobility' AND kind = 'silence' AND {CHOSEN}")
        + ") a,\n"
        "       (" + unusual_hours(Domain.MOBILITY) + ") u,\n"
        "       (SELECT CASE WHEN count(*) > 0\n"
        f"                   THEN count(*) FILTER (WHERE value >= {_SATURATED:g}) END AS saturated\n"
        "          FROM (SELECT DISTINCT ON (subject_id) value FROM reader.mobility_figures\n"
        "                 WHERE indicator = 'traffic_state' AND start <= $__timeTo()\n"
        "                   AND start > $__timeTo()::timestamptz - interval '3 hours'\n"
        f"                   AND value IS NOT NULL AND {CHOSEN}\n"
        "                 ORDER BY subject_id, start DESC) n) s,\n"
        "       (SELECT CASE WHEN count(*) > 0\n"
        "                    THEN count(*) FILTER (WHERE value > 0) END AS full_parks\n"
        "          FROM (SELECT DISTINCT ON (subject_id) value FROM reader.mobility_figures\n"
        "                 WHERE indicator = 'parking_minutes_full' AND stop <= $__timeTo()\n"
        "                   AND start > $__timeTo()::timestamptz - interval '72 hours'\n"
        f"                   AND value IS NOT NULL AND {CHOSEN}\n"
        "                 ORDER BY subject_id, start DESC) n) p"
    ),
    columns={
        "silent": Column(
            Type.NUMBER, text("Capteurs muets", "Silent sensors", "Stumme Sensoren"), steps=_ANY
        ),
        "unusual": Column(
            Type.NUMBER, text("Heures inhabituelles, 24 h", "Unusual hours, 24 h", "Ungewöhnliche Stunden, 24 h"),
            steps=_ANY,
        ),
        "saturated": Column(
            Type.NUMBER, text("Saturés maintenant", "Saturated now", "Jetzt gesättigt"), steps=_ANY
        ),
        "full_parks": Column(
            Type.NUMBER, text("Parkings pleins hier", "Car parks full yesterday", "Gestern volle Parkhäuser"),
            steps=_ANY,
        ),
    },
    unit=grafana_unit("1"),
    quiet=text("inconnu", "unknown", "unbekannt"),
    span=24,
    height=4,
)  # fmt: skip

_TOTALS = Panel(
    kind=Kind.STAT,
    title=text("Passages de la période", "Passages in the range", "Verkehr im Zeitraum"),
    description=text(
        "Somme de ce qui a été compté dans les lieux choisis ; les poids lourds sont aussi dans les véhicules. Vide : personne ne compte ce mode, ce n'est pas zéro.",
        "Sum of what was counted at the chosen sites; heavy vehicles are among the vehicles too. Empty: nobody counts that mode, which is not zero.",
        "Summe der Zählungen an den gewählten Orten; Lastwagen zählen auch zu den Fahrzeugen. Leer: niemand zählt diese Verkehrsart, das ist nicht null.",
    ),
    sql=(
        "SELECT "
        + ",\n       ".join(
            f"(sum(value) FILTER (WHERE metric = '{metric}'))::float8 AS {metric}"
            for metric in COUNTS
        )
        + "\n  FROM (\n" + passages("start", *COUNTS) + "\n) w"
    ),
    columns={metric: Column(Type.NUMBER, _label(metric)) for metric in COUNTS},
    unit=grafana_unit("1"),
    quiet=NO_COUNTER,
    decimals=0,
    height=4,
)  # fmt: skip

_CHANGES = Panel(
    kind=Kind.STAT,
    title=text(
        "Face aux quatre semaines d'avant", "Against the four weeks before",
        "Gegenüber den vier Wochen davor",
    ),
    description=text(
        "Écart de ce qui a été compté aux mêmes heures des quatre semaines d'avant, mêmes capteurs. Au-delà de 30 % : voir quels lieux dans le tableau, puis leurs capteurs.",
        "Difference of what was counted to the same hours of the four weeks before, same sensors. Beyond 30 %: see which sites in the table, then their sensors.",
        "Abweichung der Zählung von denselben Stunden der vier Wochen davor, dieselben Sensoren. Über 30 %: in der Tabelle sehen, welche Orte, dann ihre Sensoren.",
    ),
    sql=(
        "SELECT "
        + ",\n       ".join(
            f"(100 * sum(value) FILTER (WHERE metric = '{metric}')\n"
            f"        / nullif(sum(usual) FILTER (WHERE metric = '{metric}'), 0) - 100)::float8"
            f" AS {metric}"
            for metric in PASSING
        )
        + "\n  FROM (\n" + changes(*PASSING) + "\n) c"
    ),
    columns={metric: Column(Type.NUMBER, _label(metric)) for metric in PASSING},
    unit=grafana_unit("%"),
    quiet=text(
        "pas encore deux semaines de comptage", "not yet two weeks of counting",
        "noch keine zwei Wochen Zählung",
    ),
    decimals=0,
    steps=DIFFERENCE_STEPS,
    height=4,
)  # fmt: skip

MOBILITY = Page(
    uid="beffroi-mobility",
    title=text("Mobilité : bilan", "Mobility review", "Mobilität: Rückblick"),
    description=text(
        "Pour qui suit les déplacements : combien passe où, face aux semaines d'avant ; état des routes, vitesses, stationnement ; chiffres annuels. Clic sur un lieu : ses capteurs.",
        "For those who follow traffic: how many pass where, against the weeks before; state of roads, speeds, parking; yearly figures. Click a site: its sensors.",
        "Für alle, die den Verkehr verfolgen: wie viele wo vorbeikommen, im Vergleich zu den Wochen davor; Straßen, Geschwindigkeiten, Parken; Jahreswerte. Klick auf einen Ort: seine Sensoren.",
    ),
    tags=("mobility",),
    choices=(
        TERRITORY,
        sites_of(Domain.MOBILITY),
        metrics_of(Domain.MOBILITY),
        indicators_of(Domain.MOBILITY),
    ),
    sections=(
        Section(text("D'abord", "First", "Zuerst"), (_ACT, _TOTALS, _CHANGES)),
        AGAINST_WEEKS,
        FLOWS,
        ROADS,
        PLACES,
        YEARS,
        TYPICAL_DAYS,
        Section(
            text("Toute mesure, tout indicateur", "Any metric, any indicator", "Jede Messgröße, jede Kennzahl"),
            (any_metric(Domain.MOBILITY), any_indicator(Domain.MOBILITY)),
            folded=True,
        ),
    ),
    marks=(MEASURES, OUTAGES),
    since="now-7d",
    refresh="5m",
)  # fmt: skip
