"""Mobility: what planners quote for a year, from AADT to typical days."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR, STATUS, STATUS_SQL
from dashboards.grafana.page import Section
from dashboards.grafana.panel import Column, Kind, Panel, Type
from dashboards.grafana.queries import CHOSEN, beginnings
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import BY_NAME

_YEAR = Column(Type.NUMBER, text("Année", "Year", "Jahr"), unit=grafana_unit(""), width=80)
_MODE = Column(Type.TEXT, text("Mode", "Mode", "Verkehrsart"))

# A figure of a year stands at its first local midnight, which is the day before in UTC.
_YEAR_SQL = "extract(year FROM start + interval '1 day')::int4"

_RECENT = beginnings("year", 3)
_RECENT_PROFILES = beginnings("year", 3, days=2)

_NOT_YET = text(
    "Pas encore assez de jours comptés pour une moyenne annuelle.",
    "Not yet enough days counted for a yearly average.",
    "Noch nicht genug gezählte Tage für ein Jahresmittel.",
)


def _number(words: Text, unit: str = "", decimals: int = 0) -> Column:
    return Column(Type.NUMBER, words, unit=grafana_unit(unit) if unit else "", decimals=decimals)


_AADT = Panel(
    kind=Kind.TABLE,
    title=text(
        "TMJA par capteur et direction", "AADT by sensor and direction",
        "DTV nach Sensor und Richtung",
    ),
    description=text(
        "Trafic moyen journalier annuel de la dernière année connue, à la fin de la période : AASHTO (84 cellules), moyenne simple, par heures ; jours ouvrés (TMJO) et leur heure de pointe. Jours : comptés en entier sur ceux de l'année. Partiel : des cellules manquent ; à citer comme tel. 300 lignes au plus.",
        "Annual average daily traffic of the newest year known at the end of the range: AASHTO (84 cells), simple mean, from hours; working days and their peak hour. Days: counted as a whole, of those of the year. Partial: cells are missing; quote it as such. 300 rows at most.",
        "Durchschnittliche tägliche Verkehrsstärke des neuesten am Ende des Zeitraums bekannten Jahres: AASHTO (84 Zellen), einfaches Mittel, aus Stunden; Werktage (DTVw) und ihre Spitzenstunde. Tage: vollständig gezählte von denen des Jahres. Unvollständig: Zellen fehlen, so angeben. Höchstens 300 Zeilen.",
    ),
    sql=(
        "SELECT territory, site, site_name, sensor, label_@language AS label, year, aadt, simple,\n"
        "       hourly, working_days, peak_hour, days, due_days, status FROM (\n"
        "SELECT DISTINCT ON (series_id) * FROM (\n"
        f"SELECT territory, site, site_name, sensor, metric, series_id, {_YEAR_SQL} AS year,\n"
        "       max(value) FILTER (WHERE indicator = 'aadt') AS aadt,\n"
        "       max(value) FILTER (WHERE indicator = 'aadt_simple') AS simple,\n"
        "       max(value) FILTER (WHERE indicator = 'aadt_hourly') AS hourly,\n"
        "       max(value) FILTER (WHERE indicator = 'aadt_working_days') AS working_days,\n"
        "       max(value) FILTER (WHERE indicator = 'weekday_peak_hour') AS peak_hour,\n"
        "       max(n) FILTER (WHERE indicator = 'aadt_simple') AS days,\n"
        "       max(due) FILTER (WHERE indicator = 'aadt_simple') AS due_days,\n"
        f"       max({STATUS_SQL}) FILTER (WHERE indicator = 'aadt') AS status\n"
        "  FROM reader.mobility_figures\n"
        " WHERE indicator IN ('aadt', 'aadt_simple', 'aadt_hourly', 'aadt_working_days',\n"
        "                     'weekday_peak_hour')\n"
        f"   AND {_RECENT} AND {CHOSEN}\n"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7) y\n"
        " WHERE coalesce(aadt, simple, hourly, working_days) IS NOT NULL\n"
        " ORDER BY series_id, year DESC) s JOIN reader.metrics USING (metric)\n"
        " ORDER BY coalesce(aadt, simple, hourly) DESC NULLS LAST, 3, 4 LIMIT 300"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "label": _MODE,
        "year": _YEAR,
        "aadt": _number(text("TMJA", "AADT", "DTV")),
        "simple": _number(text("moyenne simple", "simple mean", "einfaches Mittel")),
        "hourly": _number(text("par heures", "from hours", "aus Stunden")),
        "working_days": _number(text("TMJO", "Working days", "DTVw")),
        "peak_hour": _number(text("Heure de pointe", "Peak hour", "Spitzenstunde"), "h"),
        "days": _number(text("Jours comptés", "Days counted", "Gezählte Tage"), "1"),
        "due_days": _number(text("sur", "of", "von"), "1"),
        "status": STATUS,
    },
    unit=grafana_unit("d-1"),
    quiet=_NOT_YET,
    span=24,
    height=10,
)  # fmt: skip

_SITES = Panel(
    kind=Kind.TABLE,
    title=text("TMJA et dimensionnement par lieu", "AADT and design values by site", "DTV und Bemessung nach Orten"),
    description=text(
        "Dernière année connue à la fin de la période, toutes directions et voies : TMJA par mode, part des poids lourds, 30e heure, facteurs K et D, débit de dimensionnement par sens. Jours : entiers dans toutes les voies, sur ceux de l'année. K élevé : route de loisirs ; bas : urbaine.",
        "Newest year known at the end of the range, all directions and lanes: AADT by mode, share of heavy vehicles, 30th hour, K and D factors, directional design volume. Days: whole in all lanes, of those of the year. K high: recreational road; low: urban.",
        "Neuestes am Ende des Zeitraums bekanntes Jahr, alle Richtungen und Streifen: DTV je Verkehrsart, Schwerverkehrsanteil, 30. Stunde, K- und D-Faktor, Bemessungsverkehrsstärke je Richtung. Tage: vollständig auf allen Streifen, von denen des Jahres. Hohes K: Freizeitstraße; niedriges: städtisch.",
    ),
    sql=(
        "SELECT territory, site, site_name, year, vehicles, bikes, pedestrians, heavy, design, k30,\n"
        "       k_max, d_factor, ddhv, days, due_days, status FROM (\n"
        "SELECT DISTINCT ON (territory, site) * FROM (\n"
        f"SELECT territory, site, site_name, {_YEAR_SQL} AS year,\n"
        "       max(value) FILTER (WHERE indicator = 'site_aadt_vehicles') AS vehicles,\n"
        "       max(value) FILTER (WHERE indicator = 'site_aadt_bikes') AS bikes,\n"
        "       max(value) FILTER (WHERE indicator = 'site_aadt_pedestrians') AS pedestrians,\n"
        "       max(value) FILTER (WHERE indicator = 'aadt_heavy_share') AS heavy,\n"
        "       max(value) FILTER (WHERE indicator = 'design_hour_volume') AS design,\n"
        "       max(value) FILTER (WHERE indicator = 'k30') AS k30,\n"
        "       max(value) FILTER (WHERE indicator = 'k_max') AS k_max,\n"
        "       max(value) FILTER (WHERE indicator = 'd_factor') AS d_factor,\n"
        "       max(value) FILTER (WHERE indicator = 'ddhv') AS ddhv,\n"
        "       min(n) FILTER (WHERE indicator LIKE 'site_aadt%') AS days,\n"
        "       max(due) FILTER (WHERE indicator LIKE 'site_aadt%') AS due_days,\n"
        f"       max({STATUS_SQL}) FILTER (WHERE indicator LIKE 'site_aadt%'\n"
        "                                   AND value IS NOT NULL) AS status\n"
        "  FROM reader.mobility_figures\n"
        " WHERE indicator IN ('site_aadt_vehicles', 'site_aadt_bikes', 'site_aadt_pedestrians',\n"
        "                     'aadt_heavy_share', 'design_hour_volume', 'k30', 'k_max',\n"
        "                     'd_factor', 'ddhv')\n"
        f"   AND {_RECENT} AND {CHOSEN}\n"
        " GROUP BY 1, 2, 3, 4) y\n"
        " WHERE coalesce(vehicles, bikes, pedestrians, heavy, design) IS NOT NULL\n"
        " ORDER BY territory, site, year DESC) s\n"
        " ORDER BY coalesce(vehicles, bikes, pedestrians) DESC NULLS LAST, 3 LIMIT 300"
    ),
    columns={
        **PLACE,
        "year": _YEAR,
        "vehicles": _number(text("Véhicules", "Vehicles", "Fahrzeuge")),
        "bikes": _number(text("Vélos", "Bicycles", "Fahrräder")),
        "pedestrians": _number(text("Piétons", "Pedestrians", "Zu Fuß")),
        "heavy": _number(text("Poids lourds", "Heavy vehicles", "Schwerverkehr"), "%", 1),
        "design": _number(text("30e heure", "30th hour", "30. Stunde"), "h-1"),
        "k30": _number(text("K30", "K30", "K30"), "1", 3),
        "k_max": _number(text("K max", "K max", "K max"), "1", 3),
        "d_factor": _number(text("D", "D", "D"), "1", 2),
        "ddhv": _number(text("DDHV", "DDHV", "DDHV"), "h-1"),
        "days": _number(text("Jours", "Days", "Tage"), "1"),
        "due_days": _number(text("sur", "of", "von"), "1"),
        "status": STATUS,
    },
    unit=grafana_unit("d-1"),
    quiet=_NOT_YET,
    span=24,
    height=10,
)  # fmt: skip

_IMBALANCE = Panel(
    kind=Kind.TABLE,
    title=text("Écart entre les deux sens", "Imbalance of directions", "Ungleichgewicht der Richtungen"),
    description=text(
        "|entrées - sorties| / total, par mois, des jours comptés dans les deux sens ; les derniers mois connus à la fin de la période, le plus fort écart d'abord. Au-delà de quelques pour cent sur un mois : un capteur compte mal, ou une rue n'est prise que dans un sens.",
        "|in - out| / total, by month, over days counted both ways; the newest months known at the end of the range, the largest first. More than a few per cent over a month: a sensor miscounts, or a street is taken one way only.",
        "|ein - aus| / gesamt, je Monat, über in beiden Richtungen gezählte Tage; die neuesten am Ende des Zeitraums bekannten Monate, das größte zuerst. Mehr als einige Prozent im Monat: ein Sensor zählt falsch, oder eine Straße wird nur in einer Richtung befahren.",
    ),
    sql=(
        "SELECT territory, site, site_name, label_@language AS label, start, share, days, status\n"
        "  FROM (\n"
        "SELECT DISTINCT ON (territory, site, indicator)\n"
        "       territory, site, site_name, label_@language, start + interval '1 day' AS start,\n"
        f"       100 * value AS share, n AS days, {STATUS_SQL} AS status\n"
        "  FROM reader.mobility_figures\n"
        " WHERE indicator IN ('imbalance_vehicles', 'imbalance_bikes', 'imbalance_pedestrians')\n"
        f"   AND {beginnings('month', 3)} AND value IS NOT NULL AND {CHOSEN}\n"
        " ORDER BY territory, site, indicator, start DESC) s\n"
        " ORDER BY share DESC, 3, 4 LIMIT 200"
    ),
    columns={
        **PLACE,
        "label": Column(Type.TEXT, text("Indicateur", "Indicator", "Kennzahl")),
        "start": Column(
            Type.TIME, text("Mois", "Month", "Monat"), unit="time:YYYY-MM", width=100
        ),
        "share": Column(
            Type.NUMBER, text("Écart", "Imbalance", "Ungleichgewicht"), unit=grafana_unit("%"),
            decimals=1, gauge=True,
        ),
        "days": Column(Type.NUMBER, text("Jours", "Days", "Tage"), width=80),
        "status": STATUS,
    },
    unit=grafana_unit("1"),
    quiet=text(
        "Aucun lieu compté dans deux sens (mobility.direction) sur un mois.",
        "No site counted both ways (mobility.direction) over a month.",
        "Kein Ort über einen Monat in beiden Richtungen gezählt (mobility.direction).",
    ),
    span=24,
)  # fmt: skip


_DAYS = {
    "working_day": text("jour ouvré", "working day", "Werktag"),
    "saturday": text("samedi", "Saturday", "Samstag"),
    "sunday_holiday": text("dimanche, férié", "Sunday, holiday", "Sonn-, Feiertag"),
    "school_term": text("ouvré, école", "working day, term", "Werktag, Schulzeit"),
    "school_holidays": text("ouvré, vacances", "working day, holidays", "Werktag, Ferien"),
}


def _typical(metric: str, title: Text) -> Panel:
    """Typical days of the newest year, as hours 0 to 23 from the top down."""
    profiles = ", ".join(f"'profile_{day}'" for day in _DAYS)
    sums = ",\n".join(
        f"       sum(value) FILTER (WHERE indicator = 'profile_{day}') AS {day}" for day in _DAYS
    )
    label = BY_NAME[metric].labels
    return Panel(
        kind=Kind.BARS,
        title=title,
        description=text(
            f"{label['fr']} par heure d'un jour type de la dernière année connue à la fin de la période, somme des capteurs choisis qui ont ce profil. Sert à caler horaires de travaux, feux et desserte.",
            f"{label['en']} by hour of a typical day of the newest year known at the end of the range, sum of the chosen sensors that have such a profile. For roadworks, signals and services.",
            f"{label['de']} je Stunde eines typischen Tages des neuesten am Ende des Zeitraums bekannten Jahres, Summe der gewählten Sensoren mit solcher Ganglinie. Für Baustellen, Signale und Angebote.",
        ),
        sql=(
            f"WITH f AS MATERIALIZED (SELECT series_id, indicator, metric, start, value,\n"
            f"       {_YEAR_SQL} AS year\n"
            "  FROM reader.mobility_figures\n"
            f" WHERE indicator IN ({profiles})\n"
            f"   AND {_RECENT_PROFILES} AND value IS NOT NULL AND {CHOSEN}),\n"
            "p AS (SELECT f.*, rank() OVER (PARTITION BY series_id, indicator, year\n"
            "                              ORDER BY start) - 1 AS hour,\n"
            f"             max(year) OVER () AS newest FROM f WHERE metric = '{metric}')\n"
            "SELECT lpad(hour::text, 2, '0') || ' h' AS hour,\n"
            f"{sums}\n"
            "  FROM p WHERE year = newest GROUP BY 1 ORDER BY 1"
        ),
        columns={
            "hour": Column(Type.TEXT, text("Heure", "Hour", "Stunde")),
            **{day: Column(Type.NUMBER, words, decimals=0) for day, words in _DAYS.items()},
        },
        unit=grafana_unit("h-1"),
        quiet=text(
            "Pas encore de jour type pour ce mode dans ces lieux.",
            "No typical day yet for this mode at these sites.",
            "Noch kein typischer Tag für diese Verkehrsart an diesen Orten.",
        ),
        title_column="hour",
        span=8,
        height=20,
    )  # fmt: skip


YEARS = Section(
    text("Trafic moyen et dimensionnement", "Average traffic and design values", "Mittlerer Verkehr und Bemessung"),
    (_AADT, _SITES, _IMBALANCE),
)  # fmt: skip

TYPICAL_DAYS = Section(
    text("Jours types", "Typical days", "Typische Tage"),
    (
        _typical("vehicles", text("Véhicules", "Vehicles", "Fahrzeuge")),
        _typical("bikes", text("Vélos", "Bicycles", "Fahrräder")),
        _typical("pedestrians", text("Piétons", "Pedestrians", "Zu Fuß Gehende")),
    ),
    folded=True,
)
