"""Mobility: speeds, state of traffic, congestion and peak hours of roads."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.courses import TOP, highest, indicator
from dashboards.grafana.page import Section
from dashboards.grafana.panel import COURSE, Class, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN, DAYS
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit

# Words of the catalogue in the readers' languages. Colours from green to violet as road users
# know them of traffic maps.
_STATE_WORDS: dict[str, tuple[Text, str]] = {
    "free-flowing": (text("fluide", "free-flowing", "frei"), "green"),
    "close to saturation": (text("pré-saturé", "close to saturation", "dicht"), "yellow"),
    "saturated": (text("saturé", "saturated", "gesättigt"), "red"),
    "blocked": (text("bloqué", "blocked", "Stau"), "dark-purple"),
}
STATES: tuple[Class, ...] = tuple(
    Class(code, *_STATE_WORDS[word])
    for code, word in enumerate(indicator("traffic_state").words)
    if word in _STATE_WORDS
)
"""State of traffic by the code of its figure."""

_LEVEL_COLORS = {
    "A": "dark-green", "B": "green", "C": "yellow", "D": "orange", "E": "red", "F": "dark-purple",
}  # fmt: skip
_LEVELS = tuple(
    Class(code, text(word, word, word), _LEVEL_COLORS[word])
    for code, word in enumerate(indicator("level_of_service").words)
    if word in _LEVEL_COLORS
)

_NO_SPEED = text(
    "Aucune vitesse mesurée dans ces lieux sur cette période.",
    "No speed measured at these sites in this range.",
    "Keine Geschwindigkeit an diesen Orten in diesem Zeitraum gemessen.",
)
_NO_OCCUPANCY = text(
    "Aucun taux d'occupation mesuré dans ces lieux sur cette période.",
    "No lane occupancy measured at these sites in this range.",
    "Kein Belegungsgrad an diesen Orten in diesem Zeitraum gemessen.",
)


def _course(
    name: str, title: Text, description: Text, quiet: Text, where: str = "true", span: int = 8
) -> Panel:
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=description,
        sql=highest(name, where=where),
        columns=COURSE,
        unit=grafana_unit(indicator(name).unit),
        quiet=quiet,
        span=span,
    )


def _states(name: str, title: Text, description: Text, classes: tuple[Class, ...], quiet: Text) -> Panel:  # fmt: skip
    """The worst of the chosen series, over at most the last 14 days of the range."""
    return Panel(
        kind=Kind.STATES,
        title=title,
        description=description,
        sql=highest(name, where="start > $__timeTo()::timestamptz - interval '14 days'"),
        columns=COURSE,
        unit=grafana_unit(indicator(name).unit),
        quiet=quiet,
        classes=classes,
        height=10,
    )


_STATE = _states(
    "traffic_state",
    text("État du trafic, par heure", "State of traffic, by hour", "Verkehrszustand, je Stunde"),
    text(
        f"État d'après l'occupation des voies (seuils state_bounds), heure par heure ; les {TOP} capteurs les plus chargés, au plus les 14 derniers jours de la période. Saturé tous les matins : revoir le plan de feux.",
        f"State by lane occupancy (bounds: state_bounds), hour by hour; the {TOP} most loaded sensors, at most the last 14 days of the range. Saturated every morning: review the signal plan.",
        f"Zustand nach Belegungsgrad (Grenzen: state_bounds), Stunde für Stunde; die {TOP} am stärksten belasteten Sensoren, höchstens die letzten 14 Tage. Jeden Morgen gesättigt: Signalprogramm prüfen.",
    ),
    STATES,
    _NO_OCCUPANCY,
)  # fmt: skip

_SERVICE = _states(
    "level_of_service",
    text("Niveau de service (voies rapides)", "Level of service (motorways)", "Verkehrsqualitätsstufe (Schnellstraßen)"),
    text(
        f"De A (libre) à F (effondré), par densité, des capteurs que motorway désigne ; les {TOP} plus chargés, au plus les 14 derniers jours de la période. E ou F régulier : capacité atteinte.",
        f"From A (free) to F (broken down), by density, of the sensors that motorway names; the {TOP} most loaded, at most the last 14 days of the range. E or F regularly: at capacity.",
        f"Von A (frei) bis F (überlastet), nach Dichte, der unter motorway genannten Sensoren; die {TOP} am stärksten belasteten, höchstens die letzten 14 Tage. Regelmäßig E oder F: Kapazität erreicht.",
    ),
    _LEVELS,
    text(
        "Aucun capteur désigné comme voie rapide (motorway) dans ces lieux.",
        "No sensor named as motorway at these sites.",
        "Kein Sensor an diesen Orten als Schnellstraße (motorway) benannt.",
    ),
)  # fmt: skip

_V85 = _course(
    "v85",
    text("V85, par jour", "V85, by day", "V85, je Tag"),
    text(
        f"Vitesse que 85 % ne dépassent pas en trafic libre ; les {TOP} capteurs les plus rapides. Au-dessus de la limite de la rue : contrôles, aménagement. Partielle là où les lectures sont des moyennes d'intervalle.",
        f"Speed that 85 % do not exceed in free flow; the {TOP} fastest sensors. Above the limit of the street: checks, traffic calming. Partial where readings are interval means.",
        f"Geschwindigkeit, die 85 % bei freiem Verkehr nicht überschreiten; die {TOP} schnellsten Sensoren. Über dem Tempolimit: Kontrollen, Umbau. Unvollständig, wo Messwerte Intervallmittel sind.",
    ),
    _NO_SPEED,
)  # fmt: skip

_MEAN_SPEED = _course(
    "space_mean_speed",
    text("Vitesse moyenne, par jour", "Mean speed, by day", "Mittlere Geschwindigkeit, je Tag"),
    text(
        f"Vitesse moyenne spatiale du jour (moyenne harmonique des véhicules en mouvement) ; les {TOP} capteurs les plus rapides. À comparer à la vitesse à vide du tableau : bien en dessous, la voie est chargée.",
        f"Space-mean speed of the day (harmonic mean of moving vehicles); the {TOP} fastest sensors. Compare with the free-flow speed of the table: far below, the road is loaded.",
        f"Mittlere momentane Geschwindigkeit des Tages (harmonisches Mittel fahrender Fahrzeuge); die {TOP} schnellsten Sensoren. Mit der freien Geschwindigkeit der Tabelle vergleichen: weit darunter ist die Straße belastet.",
    ),
    _NO_SPEED,
)  # fmt: skip

_CONGESTION = _course(
    "congestion_index",
    text("Indice de congestion, par jour", "Congestion index, by day", "Stauindex, je Tag"),
    text(
        f"Temps de parcours sur temps à vide, moins 1 : 0 libre, 1 deux fois plus lent ; les {TOP} capteurs les plus touchés. Heures congestionnées : tableau des vitesses.",
        f"Travel time over free travel time, less 1: 0 free, 1 twice as slow; the {TOP} most affected sensors. Hours of congestion: table of speeds.",
        f"Reisezeit durch freie Reisezeit, minus 1: 0 frei, 1 doppelt so langsam; die {TOP} am stärksten betroffenen Sensoren. Staustunden: Tabelle der Geschwindigkeiten.",
    ),
    text(
        "Aucun indice : il faut vitesses ou temps de parcours, et 14 nuits pour la vitesse à vide.",
        "No index: it takes speeds or travel times, and 14 nights for the free-flow speed.",
        "Kein Index: er braucht Geschwindigkeiten oder Reisezeiten und 14 Nächte für die freie Geschwindigkeit.",
    ),
)  # fmt: skip

_ROAD = _course(
    "road_occupancy",
    text("Occupation de la route, par heure", "Occupancy of the road, by hour", "Belegungsgrad der Straße, je Stunde"),
    text(
        f"Moyenne simple des voies d'un lieu ; les {TOP} lieux les plus occupés, au plus les 31 derniers jours de la période. Monte sans que le débit monte : bouchon.",
        f"Plain mean of a site's lanes; the {TOP} most occupied sites, at most the last 31 days of the range. It rises while the flow does not: a jam.",
        f"Einfaches Mittel der Fahrstreifen eines Ortes; die {TOP} am stärksten belegten Orte, höchstens die letzten 31 Tage. Steigt er ohne den Verkehr: Stau.",
    ),
    _NO_OCCUPANCY,
    where="start > $__timeTo()::timestamptz - interval '31 days'",
    span=24,
)  # fmt: skip

_SPEEDS = Panel(
    kind=Kind.TABLE,
    title=text("Vitesses et congestion", "Speeds and congestion", "Geschwindigkeiten und Stau"),
    description=text(
        "Moyennes des jours de la période par capteur, V85 la plus haute d'abord ; heures de congestion : somme. Partielle : V85 de moyennes d'intervalle ou sans trafic libre reconnu (voir le dictionnaire). 200 lignes au plus.",
        "Means of the range's days by sensor, highest V85 first; hours of congestion: sum. Partial: V85 of interval means, or free flow could not be told. 200 rows at most.",
        "Mittel der Tage des Zeitraums je Sensor, höchste V85 zuerst; Staustunden: Summe. Unvollständig: V85 aus Intervallmitteln oder freier Verkehr nicht erkennbar. Höchstens 200 Zeilen.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, v85, v85_max, time_mean, space_mean, free_flow,\n"
        "       peak_index, congested_hours, days, partial_days FROM (\n"
        "SELECT series_id,\n"
        "       avg(value) FILTER (WHERE indicator = 'v85') AS v85,\n"
        "       max(value) FILTER (WHERE indicator = 'v85') AS v85_max,\n"
        "       avg(value) FILTER (WHERE indicator = 'time_mean_speed') AS time_mean,\n"
        "       avg(value) FILTER (WHERE indicator = 'space_mean_speed') AS space_mean,\n"
        "       avg(value) FILTER (WHERE indicator = 'free_flow_speed') AS free_flow,\n"
        "       avg(value) FILTER (WHERE indicator = 'peak_congestion_index') AS peak_index,\n"
        "       sum(value) FILTER (WHERE indicator = 'congested_hours') AS congested_hours,\n"
        "       count(value) FILTER (WHERE indicator = 'v85') AS days,\n"
        "       count(value) FILTER (WHERE indicator = 'v85' AND status = 'partial')\n"
        "           AS partial_days\n"
        "  FROM reader.mobility_figures\n"
        " WHERE indicator IN ('v85', 'time_mean_speed', 'space_mean_speed', 'free_flow_speed',\n"
        "                     'peak_congestion_index', 'congested_hours')\n"
        f"   AND {DAYS} AND {CHOSEN}\n"
        " GROUP BY 1) s JOIN reader.series USING (series_id)\n"
        " ORDER BY v85 DESC NULLS LAST, 3, 4 LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "v85": Column(Type.NUMBER, text("V85", "V85", "V85"), decimals=0),
        "v85_max": Column(Type.NUMBER, text("V85 max", "V85 max", "V85 max"), decimals=0),
        "time_mean": Column(
            Type.NUMBER, text("Moyenne temporelle", "Time-mean", "Mittel, lokal"), decimals=0
        ),
        "space_mean": Column(
            Type.NUMBER, text("Moyenne spatiale", "Space-mean", "Mittel, momentan"), decimals=0
        ),
        "free_flow": Column(Type.NUMBER, text("À vide", "Free flow", "Frei"), decimals=0),
        "peak_index": Column(
            Type.NUMBER, text("Indice, heure la pire", "Index, worst hour", "Index, schlimmste Stunde"),
            unit=grafana_unit("1"), decimals=2,
        ),
        "congested_hours": Column(
            Type.NUMBER, text("Congestion", "Congestion", "Stau"), unit=grafana_unit("h"),
            decimals=0, steps=(Step(None, "green"), Step(1, "orange")),
        ),
        "days": Column(
            Type.NUMBER, text("Jours", "Days", "Tage"), unit=grafana_unit("1")
        ),
        "partial_days": Column(
            Type.NUMBER, text("dont partiels", "of them partial", "davon unvollständig"),
            unit=grafana_unit("1"),
        ),
    },
    unit=grafana_unit("km/h"),
    quiet=_NO_SPEED,
    span=24,
)  # fmt: skip

_PEAKS = Panel(
    kind=Kind.TABLE,
    title=text("Heure de pointe", "Peak hour", "Spitzenstunde"),
    description=text(
        "La plus forte heure de pointe de la période par capteur (soixante minutes glissantes) et quand ; facteur d'heure de pointe V/(4 V15) : 1 régulier, 0,7 très pointu ; débit du quart d'heure le plus chargé, intervalle entre véhicules, part des poids lourds (moyenne). Sert à dimensionner feux et voies. 200 lignes au plus.",
        "The range's highest peak hour by sensor (sixty minutes, sliding) and when; peak hour factor V/(4 V15): 1 even, 0.7 very peaked; flow of the busiest quarter-hour, headway, share of heavy vehicles (mean). For signals and lanes. 200 rows at most.",
        "Höchste Spitzenstunde des Zeitraums je Sensor (sechzig Minuten, gleitend) und wann; Spitzenstundenfaktor V/(4 V15): 1 gleichmäßig, 0,7 sehr spitz; Verkehrsstärke der Spitzenviertelstunde, Zeitlücke, Schwerverkehrsanteil (Mittel). Für Signale und Fahrstreifen. Höchstens 200 Zeilen.",
    ),
    sql=(
        "WITH f AS MATERIALIZED (\n"
        "SELECT series_id, indicator, value, at\n"
        "  FROM reader.mobility_figures\n"
        " WHERE indicator IN ('peak_hour_volume', 'peak_hour_factor', 'peak_quarter_flow',\n"
        "                     'peak_hour_headway', 'peak_hour_gap', 'heavy_share')\n"
        f"   AND {DAYS} AND {CHOSEN} AND value IS NOT NULL),\n"
        "peak AS MATERIALIZED (SELECT DISTINCT ON (series_id) series_id, at FROM f\n"
        "         WHERE indicator = 'peak_hour_volume' ORDER BY series_id, value DESC, at),\n"
        "s AS (SELECT series_id,\n"
        "       max(value) FILTER (WHERE indicator = 'peak_hour_volume') AS volume,\n"
        "       avg(value) FILTER (WHERE indicator = 'peak_hour_factor') AS factor,\n"
        "       max(value) FILTER (WHERE indicator = 'peak_quarter_flow') AS quarter_flow,\n"
        "       min(value) FILTER (WHERE indicator = 'peak_hour_headway') AS headway,\n"
        "       min(value) FILTER (WHERE indicator = 'peak_hour_gap') AS gap,\n"
        "       avg(value) FILTER (WHERE indicator = 'heavy_share') AS heavy\n"
        "  FROM f GROUP BY 1)\n"
        "SELECT territory, site, site_name, sensor, volume, at, factor, quarter_flow, headway, gap,\n"
        "       heavy FROM s JOIN reader.series USING (series_id) LEFT JOIN peak USING (series_id)\n"
        " ORDER BY volume DESC NULLS LAST, 3, 4 LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "volume": Column(
            Type.NUMBER, text("Passages de l'heure", "Volume of the hour", "Verkehr der Stunde"),
            decimals=0,
        ),
        "at": Column(Type.TIME, text("À partir de", "From", "Ab"), width=160),
        "factor": Column(Type.NUMBER, text("Facteur", "Factor", "Faktor"), decimals=2),
        "quarter_flow": Column(
            Type.NUMBER, text("Quart d'heure", "Quarter-hour", "Viertelstunde"),
            unit=grafana_unit("h-1"), decimals=0,
        ),
        "headway": Column(
            Type.NUMBER, text("Intervalle", "Headway", "Zeitlücke, brutto"),
            unit=grafana_unit("s"), decimals=1,
        ),
        "gap": Column(
            Type.NUMBER, text("Créneau", "Gap", "Zeitlücke, netto"), unit=grafana_unit("s"),
            decimals=1,
        ),
        "heavy": Column(
            Type.NUMBER, text("Poids lourds", "Heavy vehicles", "Schwerverkehr"),
            unit=grafana_unit("%"), decimals=1,
        ),
    },
    unit=grafana_unit("1"),
    quiet=text(
        "Aucun comptage par quart d'heure dans ces lieux sur cette période.",
        "No counts by quarter-hour at these sites in this range.",
        "Keine Viertelstundenzählung an diesen Orten in diesem Zeitraum.",
    ),
    span=24,
)  # fmt: skip

ROADS = Section(
    text("Routes : état, vitesses, pointes", "Roads: state, speeds, peaks", "Straßen: Zustand, Geschwindigkeit, Spitzen"),
    (_STATE, _SERVICE, _ROAD, _V85, _MEAN_SPEED, _CONGESTION, _SPEEDS, _PEAKS),
)  # fmt: skip
