"""Thresholds of information and alert that measurements passed, by day and sensor."""

from __future__ import annotations

from dashboards.grafana.columns import PLACE, SENSOR
from dashboards.grafana.moment import TO
from dashboards.grafana.pages.air_words import COUNT_STEPS, LEVELS
from dashboards.grafana.panel import VALUE, Column, Kind, Panel, Type
from dashboards.grafana.queries import CHOSEN
from dashboards.grafana.text import text
from dashboards.grafana.usual import said


def _days_of(indicator: str, law: str) -> str:
    """Days of one law: a query for each, which the index answers; both at once it does not."""
    return (
        f"SELECT start, territory, site, site_name, sensor, metric, {law} AS law, value, at\n"
        "  FROM reader.air_figures\n"
        f" WHERE indicator = '{indicator}' AND value > 0 AND {CHOSEN}\n"
        f"   AND start > $__timeFrom()::timestamptz - interval '1 day' AND start <= {TO}"
    )


_FRANCE = said(text("France", "France", "Frankreich"))
_EUROPE = said(text("Europe", "Europe", "Europa"))
_THRESHOLDS_SQL = (
    "SELECT f.start AS day, f.territory, f.site, f.site_name, f.sensor,\n"
    "       m.label_@language AS pollutant, f.law, f.value::float8 AS level, f.at FROM (\n"
    "SELECT * FROM (\n"
    f"{_days_of('threshold_fr', _FRANCE)}\nUNION ALL\n{_days_of('threshold_eu', _EUROPE)}\n"
    ") every ORDER BY start DESC, value DESC, site_name LIMIT 200\n"
    ") f JOIN reader.metrics m USING (metric)\n"
    " ORDER BY f.start DESC, f.value DESC, f.site_name, f.sensor, f.law"
)

PASSED = Panel(
    kind=Kind.STAT,
    title=text("Seuils franchis", "Thresholds passed", "Schwellen überschritten"),
    description=text(
        "Capteurs qui ont franchi un seuil d'information ou d'alerte, français ou européen, hier ou"
        " aujourd'hui. Un : prévenir l'association agréée et le préfet, vérifier le capteur.",
        "Sensors that passed a threshold of information or alert, French or European, yesterday or"
        " today. One: tell the approved air-quality body and the authorities, check the sensor.",
        "Sensoren, die gestern oder heute eine französische oder europäische Informations- oder"
        " Alarmschwelle überschritten. Einer: die zuständige Stelle benachrichtigen, den Sensor"
        " prüfen.",
    ),
    sql=(
        "SELECT CASE WHEN count(*) > 0\n"
        "            THEN count(DISTINCT subject_id) FILTER (WHERE value > 0) END AS value\n"
        "  FROM reader.air_figures\n"
        " WHERE indicator IN ('threshold_fr', 'threshold_eu') AND value IS NOT NULL\n"
        f"   AND start > {TO} - interval '2 days' AND start <= {TO} AND {CHOSEN}"
    ),
    columns={"value": VALUE},
    unit="none",
    steps=COUNT_STEPS,
    quiet=text(
        "Aucun polluant à seuil n'est mesuré depuis hier.",
        "No pollutant with a threshold has been measured since yesterday.",
        "Seit gestern wurde kein Schadstoff mit Schwelle gemessen.",
    ),
    span=8,
    height=3,
)  # fmt: skip

THRESHOLDS = Panel(
    kind=Kind.TABLE,
    title=text("Seuils franchis par la mesure", "Thresholds passed by measurement", "Von Messwerten überschrittene Schwellen"),
    description=text(
        "Jours et capteurs de la période au-dessus d'un seuil d'information ou d'alerte, le plus"
        " récent d'abord. Le déclenchement d'une procédure reste à l'autorité compétente.",
        "Days and sensors of the range above a threshold of information or alert, the newest first."
        " Declaring an episode is up to the authorities.",
        "Tage und Sensoren des Zeitraums über einer Informations- oder Alarmschwelle, die neuesten"
        " zuerst. Eine Warnung auszurufen bleibt der Behörde vorbehalten.",
    ),
    sql=_THRESHOLDS_SQL,
    columns={
        "day": Column(Type.TIME, text("Jour", "Day", "Tag")),
        **PLACE,
        "sensor": SENSOR,
        "pollutant": Column(Type.TEXT, text("Polluant", "Pollutant", "Schadstoff")),
        "law": Column(Type.TEXT, text("Loi", "Law", "Recht"), width=110),
        "level": Column(Type.NUMBER, text("Niveau", "Level", "Stufe"), classes=LEVELS),
        "at": Column(Type.TIME, text("Franchi à", "Passed at", "Überschritten um")),
    },
    unit="none",
    quiet=text(
        "Aucun seuil franchi sur cette période : rien à faire.",
        "No threshold passed in this range: nothing to do.",
        "Keine Schwelle in diesem Zeitraum überschritten: nichts zu tun.",
    ),
    span=24,
    height=7,
)  # fmt: skip
