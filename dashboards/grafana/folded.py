"""Panels that show whatever people choose: any metric, any indicator of a trade."""

from __future__ import annotations

from dashboards.grafana.courses import SITE_LABEL, TOP, series_labels
from dashboards.grafana.page import Choice
from dashboards.grafana.panel import COURSE, Kind, Panel
from dashboards.grafana.queries import CHOSEN, windows
from dashboards.grafana.text import text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import Domain
from storage.indicators.word import Period

_FEW = 3
_FIRST = {
    Domain.AIR: "eaqi",
    Domain.MOBILITY: "peak_hour_volume",
    Domain.ENERGY: "energy_day",
}
_SHORT = ", ".join(
    f"'{period}'"
    for period in (Period.TEN_MINUTES, Period.QUARTER_HOUR, Period.HALF_HOUR, Period.HOUR)
)


def indicators_of(domain: Domain) -> Choice:
    """Indicators of one trade."""
    return Choice(
        "indicator",
        text("Indicateur", "Indicator", "Kennzahl"),
        "SELECT label_@language || ' (' || indicator || ')' AS __text, indicator AS __value\n"
        f"  FROM reader.indicators WHERE domain = '{domain}' ORDER BY 1",
        first=_FIRST[domain],
    )


def any_metric(domain: Domain) -> Panel:
    """Windows of the chosen metrics."""
    return Panel(
        kind=Kind.COURSE,
        title=text("Mesures choisies", "Chosen metrics", "Gewählte Messgrößen"),
        description=text(
            f"Les mesures choisies en haut de la page, par fenêtre et capteur : totaux des compteurs, moyennes du reste, chacun dans l'unité que dit sa légende ; {TOP} courbes au plus, d'abord une par mesure. Choisir une seule mesure et peu de lieux.",
            f"The metrics chosen at the top of the page, by window and sensor: totals of counters, means of all else, each in the unit its legend says; {TOP} lines at most, one of each metric first. Choose one metric and a few sites.",
            f"Die oben gewählten Messgrößen, je Zeitfenster und Sensor: Summen der Zähler, sonst Mittel, jeweils in der Einheit der Legende; höchstens {TOP} Linien, zuerst eine je Messgröße. Eine Messgröße und wenige Orte wählen.",
        ),
        sql=(
            # Series are chosen before their windows are read: there are few of them then.
            f"WITH names AS MATERIALIZED ({series_labels(domain)}),\n"
            "chosen AS MATERIALIZED (\n"
            "SELECT m.series_id,\n"
            "       n.label || ' · ' || m.label_@language || ' [' || m.unit || ']' AS label\n"
            "  FROM reader.series m JOIN names n USING (series_id)\n"
            f" WHERE m.domain = '{domain}' AND m.metric IN ($metric) AND {CHOSEN}\n"
            " ORDER BY row_number() OVER (PARTITION BY m.metric\n"
            "                             ORDER BY m.in_service DESC, n.label, m.series_id),\n"
            f"          m.metric LIMIT {TOP})\n"
            "SELECT w.start AS time, c.label AS metric, avg(w.value)::float8 AS value FROM (\n"
            + windows(
                domain, "start, series_id, coalesce(total, mean)::float8 AS value",
                f"series_id = ANY (ARRAY(SELECT series_id FROM chosen)) AND {CHOSEN}",
            )
            + "\n) w JOIN chosen c USING (series_id) WHERE w.value IS NOT NULL\n"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=grafana_unit(""),
        quiet=text(
            "Rien de mesuré pour ce choix sur cette période.",
            "Nothing measured for this choice in this range.",
            "Für diese Auswahl in diesem Zeitraum nichts gemessen.",
        ),
        span=24,
        height=10,
    )  # fmt: skip


def any_indicator(domain: Domain) -> Panel:
    """Figures of the chosen indicators."""
    return Panel(
        kind=Kind.COURSE,
        title=text("Indicateurs choisis", "Chosen indicators", "Gewählte Kennzahlen"),
        description=text(
            f"Les indicateurs choisis en haut de la page, par capteur ou par lieu, chacun dans l'unité que dit sa légende ; les {_FEW} premiers si l'on en choisit plus, ceux d'une heure ou moins sur 31 jours au plus, {TOP} courbes au plus. Choisir un seul indicateur et peu de lieux.",
            f"The indicators chosen at the top of the page, by sensor or site, each in the unit its legend says; the first {_FEW} if more are chosen, those of an hour or less over at most 31 days, {TOP} lines at most. Choose one indicator and a few sites.",
            f"Die oben gewählten Kennzahlen, je Sensor oder Ort, jeweils in der Einheit der Legende; bei mehr Auswahl die ersten {_FEW}, stündliche und kürzere über höchstens 31 Tage, höchstens {TOP} Linien. Eine Kennzahl und wenige Orte wählen.",
        ),
        sql=(
            "WITH f AS MATERIALIZED (\n"
            "SELECT start, subject_id, indicator, series_id, label_@language AS label, unit, value,\n"
            f"       {SITE_LABEL} AS place FROM reader.{domain}_figures\n"
            " WHERE indicator = ANY (ARRAY(\n"
            "       SELECT indicator FROM reader.indicators\n"
            f"        WHERE indicator IN ($indicator) AND domain = '{domain}'\n"
            f"        ORDER BY 1 LIMIT {_FEW}))\n"
            "   AND $__timeFilter(start)\n"
            "   AND (start > $__timeTo()::timestamptz - interval '31 days'\n"
            f"        OR period NOT IN ({_SHORT}))\n"
            f"   AND value IS NOT NULL AND {CHOSEN}),\n"
            "best AS (SELECT indicator, subject_id FROM f GROUP BY 1, 2\n"
            f"          ORDER BY count(*) DESC, 1, 2 LIMIT {TOP})\n"
            "SELECT f.start AS time, coalesce(n.label, f.place) || ' · ' || f.label || ' ['\n"
            "       || f.unit || ']' AS metric, avg(f.value)::float8 AS value\n"
            "  FROM f JOIN best USING (indicator, subject_id)\n"
            f"  LEFT JOIN ({series_labels(domain)}) n USING (series_id)\n"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=grafana_unit(""),
        quiet=text(
            "Aucune valeur pour ce choix sur cette période.",
            "No figure for this choice in this range.",
            "Keine Werte für diese Auswahl in diesem Zeitraum.",
        ),
        span=24,
        height=10,
    )  # fmt: skip
