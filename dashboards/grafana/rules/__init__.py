"""Every alert rule: when somebody is called, and what that somebody does."""

from __future__ import annotations

from dashboards.grafana.rule import Rule
from dashboards.grafana.rules.air import AIR
from dashboards.grafana.rules.energy import ENERGY
from dashboards.grafana.rules.platform import PLATFORM
from dashboards.grafana.rules.sensors import SENSORS
from dashboards.grafana.rules.unusual import UNUSUAL

RULES: tuple[Rule, ...] = (*PLATFORM, *AIR, *SENSORS, *ENERGY, *UNUSUAL)
