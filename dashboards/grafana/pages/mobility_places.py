"""Mobility: car parks and stations of shared vehicles."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.courses import TOP, highest
from dashboards.grafana.page import Section
from dashboards.grafana.panel import COURSE, Column, Kind, Panel, Step, Type
from dashboards.grafana.queries import CHOSEN, DAYS
from dashboards.grafana.text import text
from dashboards.grafana.units import grafana_unit

# Bins of the display: a car park is called full from `full_percent` of the city's facts on,
# which the minutes below already follow.
_SHARE_STEPS = (Step(None, "green"), Step(70, "yellow"), Step(90, "red"))

_NO_PARKING = text(
    "Aucun parking mesuré dans ces lieux.",
    "No car park measured at these sites.",
    "Kein Parkhaus an diesen Orten gemessen.",
)
_NO_STATION = text(
    "Aucune station de vélos mesurée dans ces lieux.",
    "No bike station measured at these sites.",
    "Keine Radstation an diesen Orten gemessen.",
)

_OCCUPANCY = Panel(
    kind=Kind.COURSE,
    title=text("Occupation des parkings", "Occupancy of car parks", "Belegung der Parkhäuser"),
    description=text(
        f"Part moyenne des places prises, par jour (pondérée par le temps) ; les {TOP} parkings les plus remplis. Capacité : celle que donne city.toml. Plein souvent : orienter vers un voisin, revoir le jalonnement.",
        f"Mean share of places taken, by day (weighted by time); the {TOP} fullest car parks. Capacity: as city.toml says it. Often full: guide drivers to a neighbour, review the signs.",
        f"Mittlerer Anteil belegter Plätze je Tag (zeitgewichtet); die {TOP} vollsten Parkhäuser. Kapazität: laut city.toml. Oft voll: auf ein benachbartes lenken, Leitsystem prüfen.",
    ),
    sql=highest("parking_occupancy"),
    columns=COURSE,
    unit=grafana_unit("%"),
    quiet=_NO_PARKING,
    steps=_SHARE_STEPS,
    lines=True,
    floor=0,
    ceiling=100,
)  # fmt: skip

_PARKING = Panel(
    kind=Kind.TABLE,
    title=text("Parkings", "Car parks", "Parkhäuser"),
    description=text(
        "Places libres à la dernière mesure, et sur les jours de la période : occupation moyenne, minutes par jour au-dessus de 90 % (ou de full_percent), jours avec un tel passage. Le plus longtemps plein d'abord. Sans capacité connue, pas d'occupation : la donner dans city.toml.",
        "Free places as last measured, and over the days of the range: mean occupancy, minutes a day above 90 % (or full_percent), days with any. The longest full first. Without a known capacity there is no occupancy: state it in city.toml.",
        "Freie Plätze laut letzter Messung, und über die Tage des Zeitraums: mittlere Belegung, Minuten je Tag über 90 % (oder full_percent), Tage mit solchen. Am längsten volle zuerst. Ohne bekannte Kapazität keine Belegung: in city.toml angeben.",
    ),
    sql=(
        "SELECT n.territory, n.site, n.site_name, n.sensor, n.value AS free, n.time AS measured,\n"
        "       f.occupancy, f.minutes_full, f.days_full, f.days\n"
        "  FROM reader.mobility_now n\n"
        "  LEFT JOIN (SELECT series_id,\n"
        "            avg(value) FILTER (WHERE indicator = 'parking_occupancy') AS occupancy,\n"
        "            avg(value) FILTER (WHERE indicator = 'parking_minutes_full') AS minutes_full,\n"
        "            count(*) FILTER (WHERE indicator = 'parking_minutes_full' AND value > 0)\n"
        "                AS days_full,\n"
        "            count(value) FILTER (WHERE indicator = 'parking_minutes_full') AS days\n"
        "       FROM reader.mobility_figures\n"
        "      WHERE indicator IN ('parking_occupancy', 'parking_minutes_full')\n"
        f"        AND {DAYS} AND {CHOSEN} GROUP BY 1) f USING (series_id)\n"
        f" WHERE n.metric = 'parking_free' AND {CHOSEN}\n"
        " ORDER BY f.minutes_full DESC NULLS LAST, n.site_name, n.sensor"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "free": Column(Type.NUMBER, text("Places libres", "Free places", "Freie Plätze")),
        "measured": Column(Type.TIME, text("Mesuré", "Measured", "Gemessen"), width=160),
        "occupancy": Column(
            Type.NUMBER, text("Occupation moyenne", "Mean occupancy", "Mittlere Belegung"),
            unit=grafana_unit("%"), decimals=0, steps=_SHARE_STEPS,
        ),
        "minutes_full": Column(
            Type.NUMBER, text("Plein, par jour", "Full, a day", "Voll, je Tag"),
            unit=grafana_unit("min"), decimals=0,
        ),
        "days_full": Column(Type.NUMBER, text("Jours pleins", "Days full", "Tage voll")),
        "days": Column(Type.NUMBER, text("Jours connus", "Days known", "Tage bekannt")),
    },
    unit=grafana_unit("1"),
    quiet=_NO_PARKING,
)  # fmt: skip

_STATIONS = Panel(
    kind=Kind.TABLE,
    title=text("Stations de vélos", "Bike stations", "Radstationen"),
    description=text(
        "Vélos à la dernière mesure, et moyennes des jours de la période : part du temps sans vélo, part sans place libre, mouvements (au moins). La plus souvent vide ou pleine d'abord : c'est là qu'il faut rééquilibrer.",
        "Bikes as last measured, and means of the days of the range: share of time without a bike, share without a free dock, movements (at least). The one most often empty or full first: rebalance there.",
        "Räder laut letzter Messung, und Mittel der Tage des Zeitraums: Zeitanteil ohne Rad, ohne freien Platz, Bewegungen (mindestens). Die am häufigsten leere oder volle zuerst: dort umverteilen.",
    ),
    sql=(
        "SELECT n.territory, n.site, n.site_name, n.sensor, n.value AS bikes, n.time AS measured,\n"
        "       f.empty, f.full_share, f.mean_bikes, f.movements\n"
        "  FROM reader.mobility_now n\n"
        "  LEFT JOIN (SELECT series_id,\n"
        "            avg(value) FILTER (WHERE indicator = 'station_empty_share') AS empty,\n"
        "            avg(value) FILTER (WHERE indicator = 'station_full_share') AS full_share,\n"
        "            avg(value) FILTER (WHERE indicator = 'station_vehicles') AS mean_bikes,\n"
        "            avg(value) FILTER (WHERE indicator = 'station_movements') AS movements\n"
        "       FROM reader.mobility_figures\n"
        "      WHERE indicator IN ('station_empty_share', 'station_full_share',\n"
        "                          'station_vehicles', 'station_movements')\n"
        f"        AND {DAYS} AND {CHOSEN} GROUP BY 1) f USING (series_id)\n"
        f" WHERE n.metric = 'bikes_available' AND {CHOSEN}\n"
        " ORDER BY greatest(f.empty, f.full_share) DESC NULLS LAST, n.site_name, n.sensor\n"
        " LIMIT 200"
    ),
    columns={
        **PLACE,
        "sensor": SENSOR,
        "bikes": Column(Type.NUMBER, text("Vélos", "Bikes", "Räder")),
        "measured": Column(Type.TIME, text("Mesuré", "Measured", "Gemessen"), width=160),
        "empty": Column(
            Type.NUMBER, text("Vide", "Empty", "Leer"), unit=grafana_unit("%"), decimals=0,
            steps=(Step(None, "green"), Step(10, "yellow"), Step(25, "red")),
        ),
        "full_share": Column(
            Type.NUMBER, text("Pleine", "Full", "Voll"), unit=grafana_unit("%"), decimals=0,
            steps=(Step(None, "green"), Step(10, "yellow"), Step(25, "red")),
        ),
        "mean_bikes": Column(
            Type.NUMBER, text("Vélos, moyenne", "Bikes, mean", "Räder, Mittel"), decimals=1
        ),
        "movements": Column(
            Type.NUMBER, text("Mouvements par jour", "Movements a day", "Bewegungen je Tag"),
            decimals=0,
        ),
    },
    unit=grafana_unit("1"),
    quiet=_NO_STATION,
    span=24,
)  # fmt: skip

PLACES = Section(
    text("Parkings et vélos partagés", "Car parks and shared bikes", "Parken und Leihräder"),
    (_OCCUPANCY, _PARKING, _STATIONS),
)
