"""Air quality: the index by site, pollutants against their limits, how much was captured."""

from __future__ import annotations

from dashboards.grafana.page import Page, Section
from dashboards.grafana.panel import COURSE, Kind, Panel
from dashboards.grafana.queries import (
    CHOSEN,
    MEASURES,
    OUTAGES,
    TERRITORY,
    sites_of,
    windows,
)
from dashboards.grafana.text import text
from dashboards.grafana.units import grafana_unit
from storage.catalogue import Domain

_NO2 = Panel(
    kind=Kind.COURSE,
    title=text("Dioxyde d'azote", "Nitrogen dioxide", "Stickstoffdioxid"),
    description=text(
        "Moyenne de chaque fenêtre, par capteur. Un trou est une absence de mesure.",
        "Mean of every window, by sensor. A gap is a missing measurement.",
        "Mittel jedes Zeitfensters, je Sensor. Eine Lücke ist eine fehlende Messung.",
    ),
    sql=(
        "SELECT start AS time, site_name || ' · ' || sensor AS metric, mean AS value FROM (\n"
        + windows(
            Domain.AIR, "start, site_name, sensor, mean", f"metric = 'no2' AND {CHOSEN}"
        )
        + "\n) w ORDER BY 1"
    ),
    columns=COURSE,
    unit=grafana_unit("ug/m3"),
    quiet=text(
        "Aucun capteur de NO₂ dans ces lieux.",
        "No NO₂ sensor at these sites.",
        "Kein NO₂-Sensor an diesen Orten.",
    ),
)  # fmt: skip

AIR = Page(
    uid="beffroi-air",
    title=text("Qualité de l'air", "Air quality", "Luftqualität"),
    description=text(
        "Pour qui suit l'air. Mesures de la collectivité, sans valeur d'indice officiel.",
        "For those who watch the air. The city's own measurements, no official index.",
        "Für alle, die die Luft beobachten. Messungen der Stadt, kein amtlicher Index.",
    ),
    tags=("air",),
    choices=(TERRITORY, sites_of(Domain.AIR)),
    sections=(Section(text("Polluants", "Pollutants", "Schadstoffe"), (_NO2,)),),
    marks=(MEASURES, OUTAGES),
    since="now-7d",
)
