"""Sensor health: every series with what it delivered, the worst first."""

from __future__ import annotations

from dashboards.grafana.moment import OPEN
from dashboards.grafana.pages.sensors_figures import DAYS_OF_TABLE, SERIES, daily
from dashboards.grafana.pages.sensors_words import MEASURED, PLACE, SENSOR
from dashboards.grafana.panel import Column, Kind, Panel, Step, Type
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit

_STEPS = (Step(None, "red"), Step(75, "orange"), Step(95, "green"))


def _share(label: Text) -> Column:
    return Column(Type.NUMBER, label, unit=grafana_unit("%"), decimals=1, steps=_STEPS, width=120)


def _part(name: str) -> str:
    return daily(name, f"series_id, '{name}' AS figure, least(n, due) AS n, due", DAYS_OF_TABLE)


def _sum(name: str) -> str:
    where = f"FILTER (WHERE figure = '{name}')"
    return f"(100.0 * sum(n) {where} / nullif(sum(due) {where}, 0))::float8 AS {name}"


_NAMES = ("coverage", "availability", "good_share")

WORST = Panel(
    kind=Kind.TABLE,
    title=text("Séries, la pire d'abord", "Series, worst first", "Reihen, schlechteste zuerst"),
    description=text(
        "Sommes des jours complets de la période, au plus les 30 derniers : mesures reçues sur"
        " attendues, heures parlées, mesures sans réserve sur reçues. Classées par la plus basse"
        " des trois ; 200 lignes au plus. Sous 75 %, un mois ne compte plus pour la"
        " réglementation. Vide : la série n'annonce pas de pas.",
        "Sums of the whole days of the range, the last 30 at most: readings received of those"
        " expected, hours spoken, undoubted readings of those received. By the lowest of the three;"
        " 200 rows at most. Below 75 % a month no longer counts for regulations. Empty: the series"
        " has no step.",
        "Summen der ganzen Tage des Zeitraums, höchstens der letzten 30: empfangene von erwarteten"
        " Messwerten, Stunden mit Messwert, unbezweifelte von empfangenen. Nach dem niedrigsten der"
        " drei; höchstens 200 Zeilen. Unter 75 % zählt ein Monat amtlich nicht mehr. Leer: die"
        " Reihe hat keinen Schritt.",
    ),
    sql=(
        f"WITH s AS MATERIALIZED ({SERIES}),\n"
        "h AS MATERIALIZED (SELECT series_id, last FROM reader.heard),\n"
        f"a AS MATERIALIZED (SELECT series_id FROM reader.alerts WHERE {OPEN})\n"
        "SELECT s.territory, s.site, s.site_name, s.sensor, s.label_@language AS measured,\n"
        "       d.coverage, d.availability, d.good_share, 100 - d.good_share AS doubtful, h.last,\n"
        "       (SELECT count(*) FROM a WHERE a.series_id = s.series_id) AS alerts\n"
        "  FROM (SELECT series_id,\n               "
        + ",\n               ".join(_sum(name) for name in _NAMES)
        + "\n          FROM (\n"
        + "\nUNION ALL\n".join(_part(name) for name in _NAMES)
        + "\n) f GROUP BY series_id\n"
        "         ORDER BY least(100.0 * sum(n) FILTER (WHERE figure = 'coverage')\n"
        "                        / nullif(sum(due) FILTER (WHERE figure = 'coverage'), 0),\n"
        "                        100.0 * sum(n) FILTER (WHERE figure = 'availability')\n"
        "                        / nullif(sum(due) FILTER (WHERE figure = 'availability'), 0),\n"
        "                        100.0 * sum(n) FILTER (WHERE figure = 'good_share')\n"
        "                        / nullif(sum(due) FILTER (WHERE figure = 'good_share'), 0))\n"
        "         LIMIT 200) d\n"
        "  JOIN s ON s.series_id = d.series_id\n"
        "  LEFT JOIN h ON h.series_id = d.series_id\n"
        " ORDER BY least(d.coverage, d.availability, d.good_share), s.site_name, s.sensor"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "measured": MEASURED,
        "coverage": _share(text("Reçues", "Received", "Empfangen")),
        "availability": _share(text("Disponible", "Available", "Verfügbar")),
        "good_share": _share(text("Sans réserve", "Undoubted", "Unbezweifelt")),
        "doubtful": Column(
            Type.NUMBER,
            text("Suspectes", "Suspect", "Verdächtig"),
            unit=grafana_unit("%"),
            decimals=1,
            steps=(Step(None, "green"), Step(5, "orange"), Step(25, "red")),
            width=110,
        ),
        "last": Column(
            Type.TIME,
            text("Dernière mesure", "Last reading", "Letzter Messwert"),
        ),
        "alerts": Column(
            Type.NUMBER,
            text("Alertes", "Alerts", "Warnungen"),
            decimals=0,
            steps=(Step(None, "green"), Step(1, "orange")),
            width=90,
        ),
    },
    unit=grafana_unit("%"),
    quiet=text(
        "Aucun jour complet dans cette période : élargir à 2 jours au moins.",
        "No whole day in this range: choose 2 days or more.",
        "Kein ganzer Tag in diesem Zeitraum: mindestens 2 Tage wählen.",
    ),
    span=24,
    height=12,
)
