"""Columns that tables of several pages have: of what place and sensor a row is."""

from __future__ import annotations

from dashboards.grafana.panel import Class, Column, Type
from dashboards.grafana.text import text

SENSORS_PAGE = "beffroi-sensors"

PLACE: dict[str, Column] = {
    "territory": Column(Type.TEXT),
    "site": Column(Type.TEXT),
    "site_name": Column(Type.TEXT, text("Lieu", "Site", "Ort"), page=SENSORS_PAGE),
}
"""Columns ``territory, site, site_name``: a click on the name leads to the site's sensors."""

SENSOR = Column(Type.TEXT, text("Capteur", "Sensor", "Sensor"))

MAPPED: dict[str, Column] = {
    "site_name": Column(Type.TEXT, text("Lieu", "Site", "Ort")),
    "longitude": Column(Type.NUMBER),
    "latitude": Column(Type.NUMBER),
}
"""Columns ``site_name, longitude, latitude`` of a map."""

STATUS_CLASSES = (
    Class(1, text("complet", "complete", "vollständig"), "green"),
    Class(2, text("partiel", "partial", "unvollständig"), "yellow"),
    Class(3, text("insuffisant", "insufficient", "unzureichend"), "red"),
)

STATUS_SQL = "CASE status WHEN 'complete' THEN 1 WHEN 'partial' THEN 2 ELSE 3 END"
"""The status of a figure as one of :data:`STATUS_CLASSES`."""

STATUS = Column(
    Type.NUMBER, text("Complet ?", "Complete?", "Vollständig?"), classes=STATUS_CLASSES, width=110
)
