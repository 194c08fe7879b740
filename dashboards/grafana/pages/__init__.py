"""Every page, the overview first."""

from __future__ import annotations

from dashboards.grafana.page import Page
from dashboards.grafana.pages.air import AIR

PAGES: tuple[Page, ...] = (AIR,)
