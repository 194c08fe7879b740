"""One course per trade: who moves, what is drawn, how the air is."""

from __future__ import annotations

from dashboards.grafana.moment import TO
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_words import EAQI
from dashboards.grafana.pages.energy_load import ONE_OF_EACH
from dashboards.grafana.pages.mobility_flows import PASSING, counted
from dashboards.grafana.panel import COURSE, Kind, Panel
from dashboards.grafana.queries import CHOSEN, SPAN
from dashboards.grafana.text import text
from dashboards.grafana.units import grafana_unit
from dashboards.grafana.usual import said
from storage.catalogue import Domain

_WEEK = 8 * 86400


def per_hour(domain: Domain, columns: str, value: str, where: str) -> str:
    """Finished windows as what they hold per hour: hours up to eight days, else local days.

    Coarser than the pages of the trades, for it adds the whole city up. `value` is an expression
    of the columns that windows have and of ``@hours``, their length. Subquery of the named
    `columns`, ``start`` and ``value``.
    """

    def of(view: str, hours: str, when: str) -> str:
        return (
            f"SELECT start, {columns}, ({value.replace('@hours', hours)})::float8 AS value\n"
            f"  FROM reader.{domain}_{view}\n"
            f" WHERE $__timeFilter(start) AND {when} AND NOT provisional AND ({where})"
        )

    return (
        of("hours", "1", f"{SPAN} <= {_WEEK}")
        + "\nUNION ALL\n"
        + of("days", "24", f"{SPAN} > {_WEEK}")
    )


def lately(domain: Domain, value: str, where: str) -> str:
    """The last day's hours of every series, beside the mean of the same of four weeks before.

    Of two weeks at least, by local time; counts of which a quarter is missing are left out.
    Subquery of ``series_id, value, usual``; it does not depend on how long the range is.
    """
    weeks = "\nUNION ALL\n".join(
        f"SELECT {week} AS week, territory, series_id, start, ({value})::float8 AS value\n"
        f"  FROM reader.{domain}_hours\n"
        f" WHERE start > {TO} - interval '{168 * week + 25} hours'\n"
        f"   AND start <= {TO} - interval '{max(168 * week - 1, 0)} hours' AND NOT provisional\n"
        f"   AND (kind <> 'count' OR received * 4 >= expected * 3) AND ({where})"
        for week in range(5)
    )
    return (
        "SELECT series_id, max(value) FILTER (WHERE week = 0) AS value,\n"
        "       CASE WHEN count(value) FILTER (WHERE week > 0) >= 2\n"
        "            THEN avg(value) FILTER (WHERE week > 0) END AS usual FROM (\n"
        "SELECT w.week, w.series_id, w.value,\n"
        "       extract(epoch FROM w.start AT TIME ZONE t.timezone)::int8 % 604800 AS hour FROM (\n"
        f"{weeks}\n"
        ") w JOIN (SELECT territory, timezone FROM reader.territories) t USING (territory)) h\n"
        " GROUP BY series_id, hour"
    )


ELECTRIC = f"{ONE_OF_EACH} AND {CHOSEN}"
"""The same meters as on the page of energy, each added once."""

_MOVING = Panel(
    kind=Kind.COURSE,
    title=text("Déplacements", "Getting around", "Unterwegs"),
    description=text(
        "Véhicules, vélos et piétons comptés par heure (moyenne de chaque jour au-delà de 8 jours),"
        " tous les compteurs choisis ensemble. Un compteur muet abaisse la ligne : voir d'abord les"
        " capteurs muets. L'habituel est sur la page mobilité.",
        "Vehicles, bicycles and pedestrians counted per hour (mean of each day beyond 8 days), all the"
        " chosen counters together. A silent counter lowers the line: look at the silent sensors"
        " first. What is usual is on the page of mobility.",
        "Fahrzeuge, Fahrräder und zu Fuß Gehende je Stunde (ab 8 Tagen Mittel jedes Tages), alle"
        " gewählten Zählstellen zusammen. Eine stumme Zählstelle senkt die Linie: zuerst die stummen"
        " Sensoren ansehen. Das Übliche steht auf der Seite der Mobilität.",
    ),
    sql=(
        "SELECT start AS time, label_@language AS metric, sum(value)::float8 AS value FROM (\n"
        "SELECT start, CASE metric WHEN 'flow' THEN 'vehicles' ELSE metric END AS metric, value FROM (\n"
        + per_hour(
            Domain.MOBILITY,
            "metric",
            "coalesce(total / @hours, mean)",
            counted(*PASSING),
        )
        + "\n) c) w JOIN reader.metrics m USING (metric) WHERE value IS NOT NULL\n"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    ),
    columns=COURSE,
    unit=grafana_unit("h-1"),
    decimals=0,
    quiet=text(
        "Aucun comptage achevé sur cette période : choisir au moins deux heures.",
        "No finished count in this range: choose two hours at least.",
        "Keine abgeschlossene Zählung in diesem Zeitraum: mindestens zwei Stunden wählen.",
    ),
    floor=0,
)

_LOAD = Panel(
    kind=Kind.COURSE,
    title=text("Charge électrique", "Electric load", "Elektrische Last"),
    description=text(
        "Puissance moyenne par heure (par jour au-delà de 8 jours), somme des compteurs choisis. Un"
        " sous-compteur s'ajoute au compteur qui le contient : choisir alors les lieux. L'habituel"
        " est sur la page énergie.",
        "Mean power per hour (per day beyond 8 days), sum of the chosen meters. A submeter is added to"
        " the meter that contains it: then choose sites. What is usual is on the page of energy.",
        "Mittlere Leistung je Stunde (ab 8 Tagen je Tag), Summe der gewählten Zähler. Ein Unterzähler"
        " kommt zum Zähler, der ihn enthält, hinzu: dann Orte wählen. Das Übliche steht auf der Seite"
        " der Energie.",
    ),
    sql=(
        f"SELECT start AS time, {said(text('charge', 'load', 'Last'))} AS metric,\n"
        "       sum(value)::float8 AS value FROM (\n"
        + per_hour(
            Domain.ENERGY,
            "metric",
            "CASE metric WHEN 'power' THEN mean ELSE total / @hours END",
            ELECTRIC,
        )
        + "\n) w WHERE value IS NOT NULL GROUP BY 1 ORDER BY 1"
    ),
    columns=COURSE,
    unit=grafana_unit("kW"),
    quiet=text(
        "Aucun compteur électrique relevé sur cette période : choisir au moins deux heures.",
        "No electricity meter was read in this range: choose two hours at least.",
        "In diesem Zeitraum wurde kein Stromzähler gelesen: mindestens zwei Stunden wählen.",
    ),
    floor=0,
)

# No more than a month of hours: those of a year of fifty sites would take seconds.
_AIR = Panel(
    kind=Kind.STATES,
    title=text("Pire indice de l'air", "Worst air index", "Schlechtester Luftindex"),
    description=text(
        "La pire classe de chaque heure parmi les lieux de chaque commune (EAQI) ; au-delà de 31"
        " jours, les 31 derniers. Calculée ici, sans valeur officielle.",
        "The worst class of each hour among the sites of each commune (EAQI); beyond 31 days, the"
        " last 31. Computed here, not official.",
        "Die schlechteste Klasse jeder Stunde unter den Orten jeder Gemeinde (EAQI); ab 31 Tagen die"
        " letzten 31. Hier berechnet, nicht amtlich.",
    ),
    sql=(
        "SELECT start AS time, territory_name AS metric, max(value)::float8 AS value\n"
        "  FROM reader.air_figures\n"
        " WHERE indicator = 'eaqi' AND $__timeFilter(start)\n"
        f"   AND start > {TO} - interval '31 days' AND {CHOSEN}\n"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    ),
    columns=COURSE,
    unit="none",
    classes=EAQI,
    quiet=text(
        "Aucun indice sur cette période.",
        "No index in this range.",
        "Kein Index in diesem Zeitraum.",
    ),
    span=24,
    height=6,
)

COURSES = Section(text("Cours du jour", "The day's course", "Verlauf"), (_MOVING, _LOAD, _AIR))
