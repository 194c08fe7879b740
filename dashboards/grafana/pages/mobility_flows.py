"""Mobility: who passed where, against the weeks before, and hours that were unusual."""

from __future__ import annotations

from dashboards.grafana.columns import MAPPED, PLACE, SENSOR
from dashboards.grafana.courses import SITE_LABEL, TOP
from dashboards.grafana.page import Section
from dashboards.grafana.pages.air_words import GREY
from dashboards.grafana.panel import COURSE, Class, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN, windows
from dashboards.grafana.text import Text, text
from dashboards.grafana.units import grafana_unit
from dashboards.grafana.usual import DASHED, USUAL, against_usual, said
from storage.catalogue import BY_NAME, Domain

COUNTS = ("vehicles", "heavy_vehicles", "bikes", "pedestrians")
PASSING = ("vehicles", "bikes", "pedestrians")
"""What passes, each counted once: heavy vehicles are vehicles too."""

# A sensor that sends both a count and a flow is counted once.
_ONCE = (
    "(metric <> 'flow' OR sensor NOT IN (SELECT sensor FROM reader.series"
    " WHERE domain = 'mobility' AND metric = 'vehicles'))"
)
_AS_COUNT = "CASE metric WHEN 'flow' THEN 'vehicles' ELSE metric END"


def counted(*metrics: str) -> str:
    """A condition on windows: those of the chosen sites that count any of `metrics`."""
    asked = [*metrics, "flow"] if "vehicles" in metrics else list(metrics)
    listed = ", ".join(f"'{metric}'" for metric in asked)
    return f"metric IN ({listed}) AND {_ONCE} AND {CHOSEN}"


def passages(columns: str, *metrics: str) -> str:
    """Windows of counters with ``value``, how many passed; sensors of flow become vehicles."""
    return windows(
        Domain.MOBILITY,
        f"{columns}, {_AS_COUNT} AS metric, coalesce(total, mean * @hours) AS value",
        counted(*metrics),
    )


def passages_and_usual(*metrics: str) -> str:
    """The same by hour or day, with ``usual``."""
    return (
        f"SELECT start, territory, site, site_name, series_id, {_AS_COUNT} AS metric, value,\n"
        "       usual FROM (\n"
        + against_usual(Domain.MOBILITY, "coalesce(total, mean * hours)", counted(*metrics))
        + "\n) p"
    )


def changes(*metrics: str) -> str:
    """What each series counted in the range, and what was usual at the same times.

    Text of a subquery with ``series_id, metric, value, usual, compared``; the last is how many
    windows were compared.
    """
    return (
        "SELECT series_id, max(metric) AS metric, sum(value)::float8 AS value,\n"
        "       sum(usual)::float8 AS usual, count(*) AS compared FROM (\n"
        + passages_and_usual(*metrics)
        + "\n) w WHERE value IS NOT NULL AND usual IS NOT NULL GROUP BY 1"
    )


NO_COUNTER = text(
    "Aucun compteur dans ces lieux sur cette période.",
    "No counter at these sites in this range.",
    "Keine Zählstelle an diesen Orten in diesem Zeitraum.",
)

_TOTAL = Panel(
    kind=Kind.COURSE,
    title=text("Passages, tous lieux", "Passages, all sites", "Verkehr, alle Orte"),
    description=text(
        "Somme des passages comptés par fenêtre (15 min, heure ou jour selon la période), par mode. Un capteur muet abaisse la somme : voir plus haut le nombre de capteurs muets. Les poids lourds sont aussi dans les véhicules.",
        "Sum of what was counted per window (15 min, hour or day, as the range asks), by mode. A silent sensor lowers the sum: see the number of silent sensors above. Heavy vehicles are among the vehicles too.",
        "Summe der Zählungen je Zeitfenster (15 min, Stunde oder Tag, je nach Zeitraum), nach Verkehrsart. Ein stummer Sensor senkt die Summe: siehe oben die Zahl stummer Sensoren. Lastwagen zählen auch zu den Fahrzeugen.",
    ),
    sql=(
        "SELECT start AS time, label_@language AS metric, sum(value)::float8 AS value FROM (\n"
        + passages("start", *COUNTS)
        + "\n) w JOIN reader.metrics USING (metric) GROUP BY 1, 2 ORDER BY 1, 2"
    ),
    columns=COURSE,
    unit=grafana_unit("1"),
    quiet=NO_COUNTER,
    floor=0,
    span=24,
)  # fmt: skip


def _by_site(metric: str, title: Text) -> Panel:
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=text(
            f"Passages par lieu et par fenêtre, les {TOP} lieux les plus fréquentés de la période. Un trou est une absence de mesure, jamais un zéro. Un lieu qui tombe à zéro : vérifier capteur et chantier.",
            f"Passages by site and window, the {TOP} busiest sites of the range. A gap is a missing measurement, never a zero. A site that falls to zero: check the sensor, and roadworks.",
            f"Zählung je Ort und Zeitfenster, die {TOP} meistfrequentierten Orte des Zeitraums. Eine Lücke ist eine fehlende Messung, nie eine Null. Fällt ein Ort auf null: Sensor und Baustellen prüfen.",
        ),
        sql=(
            "WITH w AS MATERIALIZED (\n"
            f"SELECT start, {SITE_LABEL} AS label, value FROM (\n"
            + passages("start, territory_name, site_name", metric)
            + "\n) w WHERE value IS NOT NULL),\n"
            f"best AS (SELECT label FROM w GROUP BY 1 ORDER BY sum(value) DESC, 1 LIMIT {TOP})\n"
            "SELECT start AS time, label AS metric, sum(value)::float8 AS value\n"
            "  FROM w JOIN best USING (label) GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=grafana_unit("1"),
        quiet=NO_COUNTER,
        floor=0,
        span=8,
    )  # fmt: skip


def _against(metric: str, title: Text) -> Panel:
    label = text(*(BY_NAME[metric].labels[language] for language in ("fr", "en", "de")))
    return Panel(
        kind=Kind.COURSE,
        title=title,
        description=text(
            "Trait plein : compté. Tirets : moyenne des mêmes heures (ou jours) des quatre semaines d'avant. Les mêmes capteurs dans les deux, là où deux semaines au moins sont connues ; les fenêtres incomplètes sont écartées. Un écart durable : travaux, événement, vacances, ou capteur.",
            "Solid: counted. Dashed: mean of the same hours (or days) of the four weeks before. The same sensors in both, where two weeks at least are known; incomplete windows are left out. If they stay apart: roadworks, an event, holidays, or a sensor.",
            "Durchgezogen: gezählt. Gestrichelt: Mittel derselben Stunden (oder Tage) der vier Wochen davor. Dieselben Sensoren in beiden, wo mindestens zwei Wochen bekannt sind; unvollständige Fenster bleiben weg. Bei dauerhaftem Abstand: Baustelle, Veranstaltung, Ferien oder Sensor.",
        ),
        sql=(
            "SELECT start AS time, l.metric, l.value FROM (\n"
            "SELECT start, sum(value)::float8 AS value, sum(usual)::float8 AS usual FROM (\n"
            + passages_and_usual(metric)
            + "\n) w WHERE value IS NOT NULL AND usual IS NOT NULL GROUP BY 1) s\n"
            f"CROSS JOIN LATERAL (VALUES ({said(label)}, value), ({said(USUAL)}, usual))\n"
            "           l (metric, value)\n"
            " ORDER BY 1, 2"
        ),
        columns=COURSE,
        unit=grafana_unit("1"),
        quiet=text(
            "Pas encore deux semaines de comptage dans ces lieux.",
            "Not yet two weeks of counting at these sites.",
            "Noch keine zwei Wochen Zählung an diesen Orten.",
        ),
        floor=0,
        span=8,
        dashed=DASHED,
    )  # fmt: skip


# Bins of the display, in percent of the usual; no law sets them.
DIFFERENCE_STEPS = (
    Step(None, "blue"), Step(-30, "light-blue"), Step(-10, "green"), Step(10, "yellow"),
    Step(30, "orange"),
)  # fmt: skip

_CHANGE = "(100 * sum(value) / nullif(sum(usual), 0) - 100)::float8"

_SITES = Panel(
    kind=Kind.TABLE,
    title=text(
        "Lieux face à leurs quatre dernières semaines",
        "Sites against their last four weeks",
        "Orte im Vergleich zu ihren letzten vier Wochen",
    ),
    description=text(
        "Passages de la période par lieu et mode, et ce qui était habituel aux mêmes heures ; l'écart le plus fort d'abord, 200 lignes au plus. Un lieu loin en dessous : regarder son capteur (clic sur le nom) avant de conclure.",
        "Passages of the range by site and mode, and what was usual at the same hours; the largest difference first, 200 rows at most. A site far below: look at its sensor (click its name) before concluding.",
        "Zählung des Zeitraums je Ort und Verkehrsart und das zu denselben Stunden Übliche; größte Abweichung zuerst, höchstens 200 Zeilen. Ein Ort weit darunter: erst den Sensor ansehen (Klick auf den Namen).",
    ),
    sql=(
        "SELECT territory, site, site_name, label_@language AS label, total, usual, change,\n"
        "       compared FROM (\n"
        "SELECT territory, site, site_name, c.metric, sum(value)::float8 AS total,\n"
        f"       sum(usual)::float8 AS usual, {_CHANGE} AS change, max(compared) AS compared\n"
        "  FROM (\n" + changes(*COUNTS) + "\n) c JOIN reader.series USING (series_id)\n"
        " GROUP BY 1, 2, 3, 4) s JOIN reader.metrics USING (metric)\n"
        " ORDER BY abs(change) DESC NULLS LAST, 3, 4 LIMIT 200"
    ),
    columns={
        **PLACE,
        "label": Column(Type.TEXT, text("Mode", "Mode", "Verkehrsart")),
        "total": Column(Type.NUMBER, text("Compté", "Counted", "Gezählt"), decimals=0),
        "usual": Column(Type.NUMBER, text("Habituel", "Usual", "Üblich"), decimals=0),
        "change": Column(
            Type.NUMBER, text("Écart", "Difference", "Abweichung"), unit=grafana_unit("%"),
            decimals=0, steps=DIFFERENCE_STEPS,
        ),
        "compared": Column(
            Type.NUMBER, text("Fenêtres comparées", "Windows compared", "Verglichene Fenster")
        ),
    },
    unit=grafana_unit("1"),
    quiet=text(
        "Pas encore deux semaines de comptage dans ces lieux.",
        "Not yet two weeks of counting at these sites.",
        "Noch keine zwei Wochen Zählung an diesen Orten.",
    ),
    height=10,
)  # fmt: skip

_MAP = Panel(
    kind=Kind.MAP,
    title=text(
        "Carte : passages face à l'habitude", "Map: passages against the usual",
        "Karte: Verkehr im Vergleich zum Üblichen",
    ),
    description=text(
        "Écart des passages de la période (véhicules, vélos, piétons) aux mêmes heures des quatre semaines d'avant, par lieu. Bleu : bien moins ; vert : comme d'habitude ; orange : bien plus ; gris : pas encore comparable.",
        "Difference of the range's passages (vehicles, bicycles, pedestrians) to the same hours of the four weeks before, by site. Blue: far fewer; green: as usual; orange: far more; grey: not comparable yet.",
        "Abweichung des Verkehrs im Zeitraum (Fahrzeuge, Räder, zu Fuß) von denselben Stunden der vier Wochen davor, je Ort. Blau: viel weniger; grün: wie üblich; orange: viel mehr; grau: noch nicht vergleichbar.",
    ),
    sql=(
        f"SELECT site_name, longitude, latitude, {_CHANGE} AS value\n"
        "  FROM (SELECT series_id, site_name, longitude, latitude FROM reader.series\n"
        f"         WHERE domain = 'mobility' AND in_service AND latitude IS NOT NULL\n"
        f"           AND {counted(*PASSING)}) s\n"
        "  LEFT JOIN (\n" + changes(*PASSING) + "\n) c USING (series_id)\n"
        " GROUP BY 1, 2, 3 ORDER BY 1"
    ),
    columns={
        **MAPPED,
        "value": Column(Type.NUMBER, text("Écart", "Difference", "Abweichung"), decimals=0),
    },
    unit=grafana_unit("%"),
    quiet=text(
        "Aucun lieu à comparer : pas encore deux semaines de comptage.",
        "No site to compare: not yet two weeks of counting.",
        "Kein Ort zu vergleichen: noch keine zwei Wochen Zählung.",
    ),
    # Nothing is less than none: below is what cannot be compared.
    steps=(Step(None, GREY), Step(-100, "blue"), *DIFFERENCE_STEPS[1:]),
    title_column="value",
    height=10,
)  # fmt: skip

_UNUSUAL = Panel(
    kind=Kind.TABLE,
    title=text("Heures inhabituelles", "Unusual hours", "Ungewöhnliche Stunden"),
    description=text(
        "Heures qui s'écartent de la médiane de la même heure de la semaine, en écarts-types robustes (8 semaines) ; les plus récentes d'abord, 100 au plus. Au-dessus : événement, report de trafic. En dessous : voie fermée, ou capteur masqué ; vérifier sur place si cela dure.",
        "Hours away from the median of the same hour of the week, in robust standard deviations (8 weeks); newest first, 100 at most. Above: an event, diverted traffic. Below: a closed road, or a covered sensor; look on site if it lasts.",
        "Stunden fern vom Median derselben Wochenstunde, in robusten Standardabweichungen (8 Wochen); neueste zuerst, höchstens 100. Darüber: Veranstaltung, Umleitung. Darunter: Sperrung oder verdeckter Sensor; dauert es an, vor Ort nachsehen.",
    ),
    sql=(
        "SELECT u.start, u.territory, u.site, u.site_name, u.sensor, m.label_@language AS label,\n"
        "       u.value AS score, sign(u.value)::float8 AS direction,\n"
        "       coalesce(h.total, h.mean)::float8 AS measured FROM (\n"
        "SELECT start, territory, site, site_name, sensor, metric, series_id, value\n"
        "  FROM reader.mobility_figures\n"
        f" WHERE indicator = 'mobility_unusual' AND $__timeFilter(start) AND {CHOSEN}\n"
        " ORDER BY start DESC, abs(value) DESC LIMIT 100) u\n"
        "  JOIN reader.metrics m USING (metric)\n"
        "  LEFT JOIN LATERAL (SELECT total, mean FROM reader.mobility_hours w\n"
        "                      WHERE w.series_id = u.series_id AND w.start = u.start\n"
        "                      LIMIT 1) h ON true\n"
        " ORDER BY 1 DESC, abs(u.value) DESC"
    ),
    columns={
        "start": Column(Type.TIME, text("Heure", "Hour", "Stunde"), width=160),
        **PLACE,
        "sensor": SENSOR,
        "label": Column(Type.TEXT, text("Mesure", "Metric", "Messgröße")),
        "score": Column(
            Type.NUMBER,
            text("Écarts-types", "Standard deviations", "Standardabweichungen"), decimals=1,
        ),
        "direction": Column(
            Type.NUMBER, text("Sens", "Direction", "Richtung"),
            classes=(
                Class(1, text("au-dessus", "above", "darüber"), "orange"),
                Class(-1, text("en dessous", "below", "darunter"), "blue"),
            ),
        ),
        "measured": Column(Type.NUMBER, text("Mesuré", "Measured", "Gemessen"), decimals=0),
    },
    unit=grafana_unit("1"),
    quiet=text(
        "Aucune heure inhabituelle trouvée (il faut plusieurs semaines de mesures).",
        "No unusual hour found (it takes several weeks of measurements).",
        "Keine ungewöhnliche Stunde gefunden (nötig sind mehrere Wochen Messung).",
    ),
    span=24,
)  # fmt: skip

FLOWS = Section(
    text("Flux par lieu", "Flows by site", "Verkehr nach Orten"),
    (
        _TOTAL,
        _by_site("vehicles", text("Véhicules par lieu", "Vehicles by site", "Fahrzeuge nach Orten")),
        _by_site("bikes", text("Vélos par lieu", "Bicycles by site", "Fahrräder nach Orten")),
        _by_site("pedestrians", text("Piétons par lieu", "Pedestrians by site", "Zu Fuß Gehende nach Orten")),
        _by_site("heavy_vehicles", text("Poids lourds par lieu", "Heavy vehicles by site", "Lastwagen nach Orten")),
    ),
)  # fmt: skip

AGAINST_WEEKS = Section(
    text("Face aux quatre semaines d'avant", "Against the four weeks before", "Gegenüber den vier Wochen davor"),
    (
        _against("vehicles", text("Véhicules : semaine et habitude", "Vehicles: now and usual", "Fahrzeuge: jetzt und üblich")),
        _against("bikes", text("Vélos : semaine et habitude", "Bicycles: now and usual", "Fahrräder: jetzt und üblich")),
        _against("pedestrians", text("Piétons : semaine et habitude", "Pedestrians: now and usual", "Zu Fuß: jetzt und üblich")),
        _SITES,
        _MAP,
        _UNUSUAL,
    ),
)  # fmt: skip
