"""The morning's look: one number for everything that somebody may have to act upon."""

from __future__ import annotations

from dataclasses import replace

from dashboards.grafana.moment import TO, UNWATCHED, open_alerts
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_index import WORST
from dashboards.grafana.pages.air_words import COUNT_STEPS, GREEN, ORANGE, RED
from dashboards.grafana.pages.city_courses import ELECTRIC, lately
from dashboards.grafana.pages.mobility_flows import counted
from dashboards.grafana.pages.pipeline_now import LAST_COMMIT
from dashboards.grafana.panel import Panel, Step
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.stats import number
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import Domain

FEW_ALERTS = (Step(None, GREEN), Step(1, ORANGE), Step(10, RED))
"""One sensor is somebody's round of the day; ten at once are a cause they share."""

_DEVIATION = (
    Step(None, RED), Step(-50, ORANGE), Step(-25, GREEN), Step(25, ORANGE), Step(50, RED),
)  # fmt: skip
"""Percent of the usual. Bounds of the display: no rule sets them."""


def _stat(
    title: Text, description: Text, sql: str, quiet: Text, steps: tuple[Step, ...], *,
    unit: str = "none",
) -> Panel:  # fmt: skip
    return number(title, description, sql, unit, steps, quiet=quiet, span=6)


_NOTHING = text("Aucun : rien à faire.", "None: nothing to do.", "Keine: nichts zu tun.")

_ALERTS = _stat(
    text("Alertes ouvertes", "Alerts open", "Offene Warnungen"),
    text(
        "Alertes ouvertes sur les capteurs : muets, figés, en dérive, sautés. La liste et quoi faire"
        " sont plus bas.",
        "Alerts open on sensors: silent, stuck, drifting, jumped. The list and what to do are below.",
        "Offene Warnungen zu Sensoren: stumm, stehengeblieben, abdriftend, gesprungen. Liste und"
        " was zu tun ist stehen weiter unten.",
    ),
    open_alerts("count(*)", CHOSEN),
    UNWATCHED,
    FEW_ALERTS,
)

_SILENT = _stat(
    text("Capteurs muets", "Silent sensors", "Stumme Sensoren"),
    text(
        "Capteurs en service dont on n'entend plus rien. Beaucoup à la fois : regarder d'abord le"
        " collecteur, le courtier et le réseau (beffroi doctor).",
        "Sensors in service of which nothing is heard. Many at once: look first at the collector,"
        " the broker and the network (beffroi doctor).",
        "Sensoren in Betrieb, von denen man nichts hört. Viele zugleich: zuerst nach Sammler, Broker"
        " und Netz sehen (beffroi doctor).",
    ),
    open_alerts("count(DISTINCT sensor)", f"kind = 'silence' AND {CHOSEN}"),
    UNWATCHED,
    FEW_ALERTS,
)

_USUAL_SUM = (
    "SELECT (100.0 * sum(value) / nullif(sum(usual), 0) - 100)::float8 AS value FROM (\n"
    "{}\n) u WHERE value IS NOT NULL AND usual IS NOT NULL"
)

_TRAFFIC = _stat(
    text("Trafic et habitude", "Traffic against usual", "Verkehr zum Üblichen"),
    text(
        "Véhicules comptés depuis 24 heures, en écart à la moyenne des mêmes heures des quatre semaines"
        " d'avant, aux mêmes capteurs. Loin de 0 : chantier, événement, vacances ou capteur.",
        "Vehicles counted in the last 24 hours, as the difference to the mean of the same hours of the four"
        " weeks before, at the same sensors. Far from 0: roadworks, an event, holidays or a sensor.",
        "In den letzten 24 Stunden gezählte Fahrzeuge, als Abstand zum Mittel derselben Stunden der vier Wochen"
        " davor, an denselben Sensoren. Weit von 0: Baustelle, Veranstaltung, Ferien oder Sensor.",
    ),
    _USUAL_SUM.format(lately(Domain.MOBILITY, "coalesce(total, mean)", counted("vehicles"))),
    text(
        "Pas encore deux semaines de comptage.",
        "Not yet two weeks of counting.",
        "Noch keine zwei Wochen Zählung.",
    ),
    _DEVIATION,
    unit=grafana_unit("%"),
)

_LOAD = _stat(
    text("Charge et habitude", "Load against usual", "Last zum Üblichen"),
    text(
        "Électricité appelée depuis 24 heures, en écart à la moyenne des mêmes heures des quatre"
        " semaines d'avant, aux mêmes compteurs. Loin au-dessus : un équipement resté allumé, le"
        " froid ; loin en dessous : un compteur ou une coupure.",
        "Electricity drawn in the last 24 hours, as the difference to the mean of the same hours of the four"
        " weeks before, at the same meters. Far above: something left on, the cold; far below: a"
        " meter or a power cut.",
        "In den letzten 24 Stunden bezogener Strom, als Abstand zum Mittel derselben Stunden der vier Wochen davor,"
        " an denselben Zählern. Weit darüber: etwas blieb an, Kälte; weit darunter: ein Zähler oder"
        " ein Stromausfall.",
    ),
    _USUAL_SUM.format(
        lately(Domain.ENERGY, "CASE metric WHEN 'power' THEN mean ELSE total END", ELECTRIC)
    ),
    text(
        "Pas encore deux semaines de comptage.",
        "Not yet two weeks of metering.",
        "Noch keine zwei Wochen Messung.",
    ),
    _DEVIATION,
    unit=grafana_unit("%"),
)

# The sensors that nobody registered belong to no territory, and are refused all the same.
_MINE = f"(({CHOSEN}) OR territory = '')"

_REFUSED = _stat(
    text("Refus du jour", "Refused today", "Abgewiesen"),
    text(
        "Messages illisibles et mesures inadmissibles refusés depuis minuit, heure locale, ceux de"
        " capteurs inconnus compris. Un capteur qui refuse tout est mal déclaré : voir la page de la"
        " chaîne et beffroi refusals.",
        "Unreadable messages and inadmissible readings refused since local midnight, those of unknown"
        " sensors included. A sensor of which all is refused is registered wrongly: see the page of"
        " the pipeline and beffroi refusals.",
        "Seit Mitternacht Ortszeit abgewiesene unlesbare Nachrichten und unzulässige Messwerte, auch"
        " von unbekannten Sensoren. Wird alles eines Sensors abgewiesen, ist er falsch angemeldet:"
        " siehe die Seite der Verarbeitung und beffroi refusals.",
    ),
    "SELECT coalesce(sum(messages_refused + readings_refused), 0)::float8 AS value\n"
    "  FROM reader.ledger\n"
    f" WHERE hour >= date_trunc('day', {TO}, (SELECT min(timezone) FROM reader.territories\n"
    "                                          WHERE territory IN ($territory)))\n"
    f"   AND hour <= {TO} AND {_MINE}",
    _NOTHING,
    (Step(None, GREEN), Step(1, ORANGE), Step(1000, RED)),
)

_LEDGER = _stat(
    text("Bilan faux", "Out of balance", "Unausgeglichen"),
    text(
        "Heures de capteurs de la période dont le registre ne tombe pas juste : reçu n'égale pas"
        " stocké, en double et refusé. Toujours 0 ; sinon des mesures sont perdues ou comptées deux"
        " fois : beffroi ledger.",
        "Sensor-hours of the range whose ledger does not balance: received is not stored, duplicate"
        " and refused. Always 0; else readings are lost or counted twice: beffroi ledger.",
        "Sensorstunden des Zeitraums, deren Buch nicht aufgeht: empfangen ist nicht gespeichert,"
        " doppelt und abgewiesen. Immer 0; sonst sind Messwerte verloren oder doppelt gezählt:"
        " beffroi ledger.",
    ),
    "SELECT count(*) AS value FROM reader.ledger\n"
    f" WHERE NOT balanced AND $__timeFilter(hour) AND {_MINE}",
    text("Tout est équilibré.", "All balanced.", "Alles ausgeglichen."),
    COUNT_STEPS,
)

NOW = Section(
    text("Ce matin", "This morning", "Heute Morgen"),
    (
        _ALERTS, _SILENT, replace(WORST, span=6, height=3), replace(LAST_COMMIT, span=6),
        _TRAFFIC, _LOAD, _REFUSED, _LEDGER,
    ),
)  # fmt: skip
