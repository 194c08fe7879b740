"""Energy operations: load against its profile, drifting buildings, base load, silent meters."""

from __future__ import annotations

from dashboards.grafana.folded import any_indicator, any_metric, indicators_of
from dashboards.grafana.moment import open_alerts, unusual_hours
from dashboards.grafana.page import Page, Section
from dashboards.grafana.pages.energy_buildings import BUILDINGS, COMPARED, DRIFT_STEPS, drift
from dashboards.grafana.pages.energy_load import BASE_AND_PEAKS, COUNTED_ONCE, KW, LOAD
from dashboards.grafana.pages.energy_meters import FLUIDS_AND_COST, METERS
from dashboards.grafana.panel import Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import (
    CHOSEN,
    DAYS,
    MEASURES,
    OUTAGES,
    TERRITORY,
    metrics_of,
    sites_of,
)
from dashboards.grafana.text import text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import Domain

_UNKNOWN = text("inconnu", "unknown", "unbekannt")
_ANY = (Step(None, "green"), Step(1, "orange"))
_EXCESS = next(step.value for step in DRIFT_STEPS if step.color == "orange")
_FOUR_WEEKS = "start <= $__timeTo() AND start > $__timeTo()::timestamptz - interval '28 days'"

_ACT = Panel(
    kind=Kind.STAT,
    title=text("Faut-il agir ?", "Does anybody have to act?", "Ist etwas zu tun?"),
    description=text(
        "Compteurs muets (alerte ouverte) : tableau des compteurs. Sauts du talon vers le haut des 28 derniers jours de la période : tableau des sauts. Bâtiments plus de 10 % au-dessus de leur signature sur ces 28 jours : tableau des bâtiments. Heures inhabituelles des 24 dernières heures. Inconnu : pas de référence, pas encore assez de semaines, ou le processeur ne tourne pas.",
        "Silent meters (open alert): table of meters. Steps up of the base load in the last 28 days of the range: table of steps. Buildings more than 10 % above their signature over these 28 days: table of buildings. Unusual hours of the last 24 hours. Unknown: no baseline, not yet enough weeks, or the processor is not running.",
        "Stumme Zähler (offene Meldung): Tabelle der Zähler. Sprünge der Grundlast nach oben in den letzten 28 Tagen des Zeitraums: Tabelle der Sprünge. Gebäude, in diesen 28 Tagen mehr als 10 % über ihrer Signatur: Tabelle der Gebäude. Ungewöhnliche Stunden der letzten 24 Stunden. Unbekannt: keine Basis, noch zu wenige Wochen, oder der Prozessor läuft nicht.",
    ),
    sql=(
        "SELECT a.value AS silent, s.steps, b.drifting, u.value AS unusual\n"
        "  FROM (" + open_alerts("count(*)", f"domain = 'energy' AND kind = 'silence' AND {CHOSEN}")
        + ") a,\n"
        "       (SELECT CASE WHEN count(*) > 0 THEN count(*) FILTER (WHERE value > 0) END AS steps\n"
        "          FROM reader.energy_figures\n"
        f"         WHERE indicator = 'base_load_step' AND {_FOUR_WEEKS} AND {CHOSEN}) s,\n"
        "       (SELECT CASE WHEN count(*) > 0\n"
        f"                    THEN count(*) FILTER (WHERE change > {_EXCESS:g}) END AS drifting\n"
        "          FROM (" + drift(_FOUR_WEEKS) + ") d) b,\n"
        "       (" + unusual_hours(Domain.ENERGY) + ") u"
    ),
    columns={
        "silent": Column(
            Type.NUMBER, text("Compteurs muets", "Silent meters", "Stumme Zähler"), steps=_ANY
        ),
        "steps": Column(
            Type.NUMBER, text("Sauts du talon, 28 j", "Base-load steps, 28 d", "Grundlastsprünge, 28 T."),
            steps=_ANY,
        ),
        "drifting": Column(
            Type.NUMBER, text("Bâtiments en dérive", "Drifting buildings", "Gebäude mit Abweichung"),
            steps=_ANY,
        ),
        "unusual": Column(
            Type.NUMBER, text("Heures inhabituelles, 24 h", "Unusual hours, 24 h", "Ungewöhnliche Stunden, 24 h"),
            steps=_ANY,
        ),
    },
    unit=grafana_unit("1"),
    quiet=_UNKNOWN,
    height=4,
)  # fmt: skip

# Of this moment, whatever the range: older readings than the newest are not at hand so fast.
_NOW = Panel(
    kind=Kind.STAT,
    title=text("Charge maintenant", "Load now", "Last jetzt"),
    description=text(
        "Somme de la dernière mesure de chaque capteur de puissance qui a parlé dans l'heure ; de ceux dont on connaît l'habitude, la même somme (comparable) et la moyenne de la même heure des quatre semaines d'avant. Au-delà de 15 % : voir quels lieux dans le tableau.",
        "Sum of the newest reading of every power sensor that spoke within the hour; of those whose usual is known, the same sum (comparable) and the mean of the same hour of the four weeks before. Beyond 15 %: see which sites in the table.",
        "Summe des neuesten Messwerts jedes Leistungssensors, der sich in der letzten Stunde meldete; von denen, deren Übliches bekannt ist, dieselbe Summe (vergleichbar) und das Mittel derselben Stunde der vier Wochen davor. Über 15 %: in der Tabelle sehen, welche Orte.",
    ),
    sql=(
        "WITH w AS MATERIALIZED (\n"
        + "\nUNION ALL\n".join(
            "SELECT series_id, territory, start, mean FROM reader.energy_hours\n"
            f" WHERE start > now() - interval '{168 * week + 2} hours'\n"
            f"   AND start <= now() - interval '{168 * week - 1} hours'\n"
            f"   AND metric = 'power' AND mean IS NOT NULL AND {CHOSEN}"
            for week in range(1, 5)
        )
        + "),\n"
        "h AS MATERIALIZED (SELECT series_id, avg(mean) AS usual\n"
        "  FROM w JOIN reader.territories t USING (territory)\n"
        " WHERE date_part('hour', start AT TIME ZONE t.timezone)\n"
        "       = date_part('hour', now() AT TIME ZONE t.timezone)\n"
        " GROUP BY 1 HAVING count(*) >= 2),\n"
        "n AS MATERIALIZED (SELECT series_id, value FROM reader.energy_now\n"
        f" WHERE metric = 'power' AND time > now() - interval '1 hour' AND {CHOSEN})\n"
        "SELECT sum(n.value)::float8 AS load,\n"
        "       (sum(n.value) FILTER (WHERE h.usual IS NOT NULL))::float8 AS compared,\n"
        "       sum(h.usual)::float8 AS usual,\n"
        "       (100 * sum(n.value) FILTER (WHERE h.usual IS NOT NULL)\n"
        "            / nullif(sum(h.usual), 0) - 100)::float8 AS change\n"
        "  FROM n LEFT JOIN h USING (series_id)"
    ),
    columns={
        "load": Column(Type.NUMBER, text("Maintenant", "Now", "Jetzt")),
        "compared": Column(Type.NUMBER, text("Comparable", "Comparable", "Vergleichbar")),
        "usual": Column(Type.NUMBER, text("Habituelle", "Usual", "Üblich")),
        "change": Column(
            Type.NUMBER, text("Écart", "Difference", "Abweichung"), unit=grafana_unit("%"),
            decimals=0,
            steps=(Step(None, "blue"), Step(-15, "green"), Step(15, "orange"), Step(30, "red")),
        ),
    },
    unit=KW,
    quiet=_UNKNOWN,
    decimals=1,
    live=True,
    height=4,
)  # fmt: skip

_DAY = Panel(
    kind=Kind.STAT,
    title=text("Énergie, coût et émissions", "Energy, cost and emissions", "Energie, Kosten und Emissionen"),
    description=text(
        "Sommes des jours de la période (le dernier jour clos au moins) : électricité des compteurs, coût là où un tarif est décrit, émissions des bâtiments. Inconnu n'est pas zéro.",
        "Sums over the range's days (the last closed day at least): electricity of the meters, cost where a tariff is described, emissions of buildings. Unknown is not zero.",
        "Summen der Tage des Zeitraums (mindestens des letzten abgeschlossenen): Strom der Zähler, Kosten, wo ein Tarif beschrieben ist, Emissionen der Gebäude. Unbekannt ist nicht null.",
    ),
    sql=(
        "SELECT sum(value) FILTER (WHERE indicator = 'energy_day'\n"
        f"         AND metric IN ('energy_import', 'energy_used')\n         AND {COUNTED_ONCE}) AS energy,\n"
        "       sum(value) FILTER (WHERE indicator = 'tariff_cost_day') AS cost,\n"
        "       sum(value) FILTER (WHERE indicator = 'building_carbon') AS carbon FROM (\n"
        "SELECT indicator, metric, sensor, value FROM reader.energy_figures\n"
        " WHERE indicator IN ('energy_day', 'tariff_cost_day', 'building_carbon')\n"
        f"   AND {DAYS} AND stop <= $__timeTo() AND value IS NOT NULL AND {CHOSEN}) f"
    ),
    columns={
        "energy": Column(
            Type.NUMBER, text("Électricité", "Electricity", "Strom"), unit=grafana_unit("kW.h")
        ),
        "cost": Column(Type.NUMBER, text("Coût", "Cost", "Kosten"), unit=grafana_unit("EUR")),
        "carbon": Column(Type.NUMBER, text("CO₂e", "CO₂e", "CO₂e"), unit=grafana_unit("kg")),
    },
    unit=grafana_unit("kW.h"),
    quiet=_UNKNOWN,
    decimals=0,
    span=24,
    height=4,
)  # fmt: skip

ENERGY = Page(
    uid="beffroi-energy",
    title=text("Énergie : exploitation", "Energy operations", "Energie: Betrieb"),
    description=text(
        "Pour qui exploite les bâtiments et l'éclairage : charge face au profil, bâtiments en dérive, talons, pointes, compteurs muets. Clic sur un lieu : ses capteurs.",
        "For those who run buildings and lights: load against its profile, drifting buildings, base loads, peaks, silent meters. Click a site: its sensors.",
        "Für alle, die Gebäude und Beleuchtung betreiben: Last gegenüber dem Profil, abweichende Gebäude, Grundlasten, Spitzen, stumme Zähler. Klick auf einen Ort: seine Sensoren.",
    ),
    tags=("energy",),
    choices=(
        TERRITORY,
        sites_of(Domain.ENERGY),
        metrics_of(Domain.ENERGY),
        indicators_of(Domain.ENERGY),
    ),
    sections=(
        Section(text("D'abord", "First", "Zuerst"), (_ACT, _NOW, _DAY)),
        LOAD,
        BUILDINGS,
        BASE_AND_PEAKS,
        METERS,
        COMPARED,
        FLUIDS_AND_COST,
        Section(
            text("Toute mesure, tout indicateur", "Any metric, any indicator", "Jede Messgröße, jede Kennzahl"),
            (any_metric(Domain.ENERGY), any_indicator(Domain.ENERGY)),
            folded=True,
        ),
    ),
    marks=(MEASURES, OUTAGES),
    since="now-7d",
)  # fmt: skip
