"""Every page, the overview first."""

from __future__ import annotations

from dashboards.grafana.page import Page
from dashboards.grafana.pages.air import AIR
from dashboards.grafana.pages.city import CITY
from dashboards.grafana.pages.energy import ENERGY
from dashboards.grafana.pages.footprint import FOOTPRINT
from dashboards.grafana.pages.mobility import MOBILITY
from dashboards.grafana.pages.pipeline import PIPELINE
from dashboards.grafana.pages.sensors import SENSORS

PAGES: tuple[Page, ...] = (CITY, ENERGY, MOBILITY, AIR, SENSORS, PIPELINE, FOOTPRINT)
