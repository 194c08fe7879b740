"""Air quality: the index by site, pollutants against their limits, how much was captured."""

from __future__ import annotations

from dashboards.grafana.folded import indicators_of
from dashboards.grafana.page import Page, Section
from dashboards.grafana.pages import (
    air_index,
    air_limits,
    air_pollutants,
    air_sensors,
    air_thresholds,
    air_weather,
)
from dashboards.grafana.queries import MEASURES, OUTAGES, TERRITORY, metrics_of, sites_of
from dashboards.grafana.text import text
from storage.catalogue import Domain

AIR = Page(
    uid="beffroi-air",
    title=text("Qualité de l'air", "Air quality", "Luftqualität"),
    description=text(
        "Pour qui suit l'air. Mesures de la collectivité, sans valeur d'indice officiel.",
        "For those who watch the air. The city's own measurements, no official index.",
        "Für alle, die die Luft beobachten. Messungen der Stadt, kein amtlicher Index.",
    ),
    tags=("air",),
    choices=(
        TERRITORY,
        sites_of(Domain.AIR),
        metrics_of(Domain.AIR),
        indicators_of(Domain.AIR),
    ),
    sections=(
        Section(
            text("En ce moment", "Now", "Jetzt"),
            (
                air_index.WORST,
                air_index.POOR_SITES,
                air_thresholds.PASSED,
                air_limits.EXCEEDED,
                air_sensors.CAPTURED,
                air_sensors.SILENT,
            ),
        ),
        air_index.INDEX,
        air_pollutants.POLLUTANTS,
        air_limits.LIMITS_OF_THE_YEAR,
        air_sensors.TRUST,
        air_limits.LIMITS_AHEAD,
        air_pollutants.OTHERS,
        air_weather.WEATHER,
        air_weather.EVERYTHING,
    ),
    marks=(MEASURES, OUTAGES),
    since="now-7d",
)
