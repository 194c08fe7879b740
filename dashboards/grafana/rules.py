"""Every alert rule, the gravest first."""

from __future__ import annotations

from dashboards.grafana.rule import Rule

RULES: tuple[Rule, ...] = ()
