"""Grafana's dashboards and alert rules, as words; and the files that Grafana reads."""
